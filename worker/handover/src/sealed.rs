//! A file as cipher text: encrypted in parts, so that it is opened as a stream and nothing in it can be changed.
//!
//! # Layout
//! `GPSEALED` 8 ‖ version 2, big-endian ‖ commitment to the key 32 ‖ parts. A part is the cipher text of [`PART_BYTES`] bytes of the file,
//! of the rest for the last one, and a tag of 16 bytes. A file without a byte has one part, of a tag only.
//!
//! # Soundness
//! Parts are encrypted with ChaCha20-Poly1305 in the STREAM construction: the nonce of a part is a prefix of 7 bytes, the number of
//! the part in 4, big-endian, and a byte that is one for the last part. So a part that is moved, left out, repeated, or taken
//! from another file does not open, and neither does the last part elsewhere or another one at the end. The header is associated
//! data of every part.
//!
//! The prefix is zero. It makes nonces of different files under one key differ; here no two files that differ have one key.
//! Whoever seals draws one ([`ContentKey::fresh`]), or derives it from a secret of its own, the job and the BLAKE3 hash of the file's
//! bytes: then files with one key have the same bytes, and their cipher texts are the same as well.
//!
//! ChaCha20-Poly1305 alone lets somebody who knows two keys make a cipher text that opens under both. The commitment, BLAKE3 of the
//! key, prevents it, and tells a wrong key from a changed file.
//!
//! # Paper
//! V. T. Hoang, R. Reyhanitabar, P. Rogaway, D. Vizár, Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance, CRYPTO
//! 2015 (ePrint 2015/189), section 7: STREAM.

use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};
use gradproof_terminal::atomic;
use zeroize::Zeroizing;

use crate::{ContentKey, HandoverError};

/// Bytes of the file in a part.
pub const PART_BYTES: usize = 1 << 16;
/// Most parts: with them a sealed file fits into the largest blob, of 2^36 bytes, and the number of a part into its 4 bytes.
pub const MAX_PARTS: u32 = 1_000_000;
/// Bytes before the first part.
pub const HEADER_BYTES: usize = 42;
/// Bytes of the tag of a part.
pub const TAG_BYTES: usize = 16;
/// Most bytes of a file that is sealed.
pub const MAX_FILE_BYTES: u64 = MAX_PARTS as u64 * PART_BYTES as u64;
/// Begins a sealed file.
const MAGIC: [u8; 8] = *b"GPSEALED";
/// Version of the layout.
const VERSION: u16 = 1;
/// What the commitment to a key is derived for.
const COMMITMENT: &str = "gradproof 2026 sealed file, version 1: commitment to the key";

/// Bytes of the sealed file of a file of `bytes`.
///
/// # Errors
/// If it is too large to be sealed.
pub fn sealed_bytes(bytes: u64) -> Result<u64, HandoverError> {
    if bytes > MAX_FILE_BYTES {
        return Err(HandoverError::TooMuch { what: "bytes of the file", limit: MAX_FILE_BYTES, got: bytes });
    }
    let parts = bytes.div_ceil(PART_BYTES as u64).max(1);
    Ok(HEADER_BYTES as u64 + bytes + parts * TAG_BYTES as u64)
}

/// Encrypts what `input` gives until its end. Memory is two parts, whatever the size. Returns the bytes of the file.
///
/// # Errors
/// If reading or writing fails, or the file is too large. What was written then is no sealed file.
///
/// # Soundness
/// `key` must not have sealed anything else.
pub fn seal(input: &mut impl Read, output: &mut impl Write, key: &ContentKey) -> Result<u64, HandoverError> {
    seal_parts(input, output, key, MAX_PARTS)
}

/// As [`seal`], with at most this many parts.
fn seal_parts(
    input: &mut impl Read,
    output: &mut impl Write,
    key: &ContentKey,
    most: u32,
) -> Result<u64, HandoverError> {
    let header = header(key);
    output.write_all(&header)?;
    let cipher = ChaCha20Poly1305::new(key.bytes().into());
    let (mut part, mut next) = (part_buffer(), part_buffer());
    fill(input, &mut part, PART_BYTES)?;
    let mut total = 0;
    for number in 0..most {
        // A part is the last one if nothing follows.
        fill(input, &mut next, PART_BYTES)?;
        let last = next.is_empty();
        total += part.len() as u64;
        let nonce = nonce(number, last);
        // The library refuses parts of 2^38 bytes and more.
        cipher.encrypt_in_place(&nonce, &header, &mut *part).map_err(|_| HandoverError::Changed { part: number })?;
        output.write_all(&part)?;
        if last {
            return Ok(total);
        }
        std::mem::swap(&mut part, &mut next);
    }
    Err(HandoverError::TooMuch { what: "parts of the file", limit: most.into(), got: u64::from(most) + 1 })
}

/// Decrypts a sealed file. Memory is three parts, whatever the size. Returns the bytes of the file.
///
/// # Soundness
/// Every byte that is written to `output` is the file's, at its place: a part is written after its tag was checked. But until this
/// returns `Ok`, the rest may be missing or changed. So whoever calls it writes to a place that nobody takes for the file, and
/// gives it its name afterwards: [`open_file`] does that.
///
/// # Errors
/// If the key is another one; if any part was changed, moved, left out or added; if reading or writing fails.
pub fn open(input: &mut impl Read, output: &mut impl Write, key: &ContentKey) -> Result<u64, HandoverError> {
    open_parts(input, output, key, MAX_PARTS)
}

/// As [`open`], with at most this many parts.
fn open_parts(
    input: &mut impl Read,
    output: &mut impl Write,
    key: &ContentKey,
    most: u32,
) -> Result<u64, HandoverError> {
    let header = read_header(input, key)?;
    let cipher = ChaCha20Poly1305::new(key.bytes().into());
    let (mut part, mut next, mut plain) = (part_buffer(), part_buffer(), part_buffer());
    fill(input, &mut part, PART_BYTES + TAG_BYTES)?;
    let mut total = 0;
    for number in 0..most {
        fill(input, &mut next, PART_BYTES + TAG_BYTES)?;
        let last = next.is_empty();
        let whole = part.len() == PART_BYTES + TAG_BYTES;
        // Nothing but the last part is shorter than whole, and it has at least a byte, unless the file has none.
        let least = if number == 0 { TAG_BYTES } else { TAG_BYTES + 1 };
        if part.len() < least || !(whole || last) {
            return Err(HandoverError::Truncated { parts: number });
        }
        decrypt(&cipher, &header, number, last, &part, &mut plain)?;
        output.write_all(&plain)?;
        total += plain.len() as u64;
        if last {
            return Ok(total);
        }
        std::mem::swap(&mut part, &mut next);
    }
    Err(HandoverError::TooMuch { what: "parts of the file", limit: most.into(), got: u64::from(most) + 1 })
}

/// Decrypts a sealed file to `path`, which only its owner may read, and which is either the whole file or as it was before.
///
/// # Errors
/// As those of [`open`].
pub fn open_file(input: &mut impl Read, path: &Path, key: &ContentKey) -> Result<u64, HandoverError> {
    let mut refused = None;
    let mut bytes = 0;
    let written = atomic::write_private(path, |file| match open(input, file, key) {
        Ok(opened) => {
            bytes = opened;
            Ok(())
        }
        Err(error) => {
            refused = Some(error);
            Err(ErrorKind::InvalidData.into())
        }
    });
    match (refused, written) {
        (Some(error), _) => Err(error),
        (None, Err(source)) => Err(HandoverError::File { path: path.to_owned(), source }),
        (None, Ok(())) => Ok(bytes),
    }
}

/// Decrypts one part. Why it does not open is found by trying what it could be instead.
fn decrypt(
    cipher: &ChaCha20Poly1305,
    header: &[u8],
    number: u32,
    last: bool,
    part: &[u8],
    plain: &mut Vec<u8>,
) -> Result<(), HandoverError> {
    let mut opens = |last| {
        let (text, tag) = part.split_last_chunk::<TAG_BYTES>()?;
        plain.resize(text.len(), 0);
        let buffer = InOutBuf::new(text, plain).ok()?;
        cipher.decrypt_inout_detached(&nonce(number, last), header, buffer, tag.into()).ok()
    };
    match (opens(last), last) {
        (Some(()), _) => Ok(()),
        (None, true) if opens(false).is_some() => Err(HandoverError::Truncated { parts: number + 1 }),
        (None, false) if opens(true).is_some() => Err(HandoverError::Appended { parts: number }),
        (None, _) => Err(HandoverError::Changed { part: number }),
    }
}

fn nonce(number: u32, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    for (into, byte) in nonce.iter_mut().skip(7).zip(number.to_be_bytes().into_iter().chain([u8::from(last)])) {
        *into = byte;
    }
    nonce.into()
}

fn commitment(key: &ContentKey) -> blake3::Hash {
    blake3::Hash::from_bytes(blake3::derive_key(COMMITMENT, key.bytes()))
}

fn header(key: &ContentKey) -> Vec<u8> {
    [MAGIC.as_slice(), &VERSION.to_be_bytes(), commitment(key).as_bytes()].concat()
}

/// Reads the header and compares it with the one that the key makes.
fn read_header(input: &mut impl Read, key: &ContentKey) -> Result<Vec<u8>, HandoverError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER_BYTES));
    fill(input, &mut bytes, HEADER_BYTES)?;
    let expected = HandoverError::AnotherFormat { expected: "a sealed file" };
    let Some(rest) = bytes.strip_prefix(&MAGIC) else { return Err(expected) };
    let Some((version, rest)) = rest.split_first_chunk::<2>() else { return Err(expected) };
    match u16::from_be_bytes(*version) {
        VERSION => {}
        got => return Err(HandoverError::Version { what: "sealed file", expected: VERSION, got }),
    }
    let Ok(stored) = <[u8; 32]>::try_from(rest) else { return Err(expected) };
    if blake3::Hash::from_bytes(stored) != commitment(key) {
        return Err(HandoverError::AnotherKey);
    }
    Ok(bytes.to_vec())
}

/// Room for a part and its tag, so that no plain text stays behind where a buffer grew.
fn part_buffer() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(PART_BYTES + TAG_BYTES))
}

/// Replaces what is in the buffer by up to `bytes` of the input, fewer only at its end.
fn fill(input: &mut impl Read, buffer: &mut Vec<u8>, bytes: usize) -> std::io::Result<()> {
    buffer.clear();
    input.by_ref().take(bytes as u64).read_to_end(buffer)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_parts_have_one_nonce() {
        assert_eq!(nonce(0x0102_0304, true).as_slice(), [0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 1]);
        assert_eq!(nonce(MAX_PARTS, false).as_slice(), [0, 0, 0, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x40, 0]);
    }

    #[test]
    fn a_sealed_file_of_every_size_fits_into_a_blob() {
        assert!(sealed_bytes(MAX_FILE_BYTES).expect("it is taken") <= 1 << 36);
        assert!(sealed_bytes(MAX_FILE_BYTES + 1).is_err());
    }

    #[test]
    fn more_parts_than_are_taken_are_refused() {
        let key = ContentKey::from_bytes([1; 32]);
        let content = vec![5; 2 * PART_BYTES + 1];
        let mut sealed = Vec::new();
        let refused = seal_parts(&mut content.as_slice(), &mut std::io::sink(), &key, 2);
        assert!(matches!(refused, Err(HandoverError::TooMuch { limit: 2, got: 3, .. })));
        seal_parts(&mut content.as_slice(), &mut sealed, &key, 3).expect("it has three");
        let refused = open_parts(&mut sealed.as_slice(), &mut std::io::sink(), &key, 2);
        assert!(matches!(refused, Err(HandoverError::TooMuch { limit: 2, got: 3, .. })));
        open_parts(&mut sealed.as_slice(), &mut std::io::sink(), &key, 3).expect("it has three");
    }

    /// Who knows the key could make a second cipher text of one file: with a last part of no bytes.
    #[test]
    fn a_last_part_without_bytes_is_refused() {
        let key = ContentKey::from_bytes([1; 32]);
        let header = header(&key);
        let cipher = ChaCha20Poly1305::new(key.bytes().into());
        let mut first = vec![5; PART_BYTES];
        cipher.encrypt_in_place(&nonce(0, false), &header, &mut first).expect("encrypted");
        let mut last = Vec::new();
        cipher.encrypt_in_place(&nonce(1, true), &header, &mut last).expect("encrypted");
        let sealed = [header, first, last].concat();
        assert!(open(&mut sealed.as_slice(), &mut std::io::sink(), &key).is_err());
    }

    /// The layout again, from the library's cipher and nothing else of this module.
    #[test]
    fn a_sealed_file_is_its_layout() {
        let key = ContentKey::from_bytes([1; 32]);
        let content = vec![5; PART_BYTES + 3];
        let mut sealed = Vec::new();
        seal(&mut content.as_slice(), &mut sealed, &key).expect("sealed");
        let commitment = blake3::derive_key(COMMITMENT, &[1; 32]);
        let header = [b"GPSEALED\x00\x01".as_slice(), &commitment].concat();
        let cipher = ChaCha20Poly1305::new(&[1; 32].into());
        let mut first = content[..PART_BYTES].to_vec();
        let mut last = content[PART_BYTES..].to_vec();
        cipher.encrypt_in_place(&Nonce::from([0; 12]), &header, &mut first).expect("encrypted");
        let nonce = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1];
        cipher.encrypt_in_place(&Nonce::from(nonce), &header, &mut last).expect("encrypted");
        assert!(sealed == [header, first, last].concat());
    }
}
