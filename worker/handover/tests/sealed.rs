//! Sealed files from outside: what is sealed opens, and nothing else does.

#![expect(clippy::expect_used, reason = "helpers of tests may do what tests may")]

use bolero::check;
use gradproof_handover::sealed::{HEADER_BYTES, PART_BYTES, TAG_BYTES, open, open_file, seal, sealed_bytes};
use gradproof_handover::{ContentKey, HandoverError};

const KEY: ContentKey = ContentKey::from_bytes([7; 32]);
const WHOLE: usize = PART_BYTES + TAG_BYTES;

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at * 31 + at / 251) as u8).collect()
}

fn sealed(bytes: usize) -> Vec<u8> {
    let mut out = Vec::new();
    assert_eq!(seal(&mut content(bytes).as_slice(), &mut out, &KEY).expect("sealed"), bytes as u64);
    out
}

fn opened(mut sealed: &[u8], key: &ContentKey) -> Result<Vec<u8>, HandoverError> {
    let mut out = Vec::new();
    open(&mut sealed, &mut out, key).map(|bytes| {
        assert_eq!(bytes, out.len() as u64);
        out
    })
}

fn refused(sealed: &[u8]) -> HandoverError {
    opened(sealed, &KEY).expect_err("it was changed")
}

#[test]
fn what_is_sealed_opens_whatever_its_size() {
    for bytes in [0, 1, 100, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES, 3 * PART_BYTES + 17] {
        let sealed = sealed(bytes);
        assert_eq!(sealed.len() as u64, sealed_bytes(bytes as u64).expect("it is small"));
        assert!(opened(&sealed, &KEY).expect("opened") == content(bytes), "{bytes}");
    }
}

#[test]
fn another_key_opens_nothing_and_says_so() {
    let error = opened(&sealed(100), &ContentKey::from_bytes([8; 32])).expect_err("another key");
    assert!(matches!(error, HandoverError::AnotherKey), "{error}");
}

#[test]
fn nothing_of_the_file_is_in_the_cipher_text() {
    let sealed = sealed(2 * PART_BYTES);
    let content = content(2 * PART_BYTES);
    assert!(sealed.windows(16).all(|window| window != &content[..16]));
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    let sealed = sealed(2 * PART_BYTES + 50);
    let ends = [HEADER_BYTES + WHOLE, HEADER_BYTES + 2 * WHOLE];
    for end in ends {
        assert!(matches!(refused(&sealed[..end]), HandoverError::Truncated { .. }), "{end}");
    }
    for end in (0..sealed.len()).step_by(211).chain(0..60).chain(sealed.len() - 60..sealed.len()) {
        refused(&sealed[..end]);
    }
}

#[test]
fn parts_that_are_appended_are_refused() {
    for bytes in [0, 50, PART_BYTES, PART_BYTES + 50] {
        let good = sealed(bytes);
        for more in [vec![0], vec![0; TAG_BYTES], vec![0; WHOLE], good[HEADER_BYTES..].to_vec()] {
            refused(&[good.as_slice(), &more].concat());
        }
    }
    let two = sealed(2 * PART_BYTES);
    let again = [&two, &two[HEADER_BYTES + WHOLE..]].concat();
    assert!(matches!(refused(&again), HandoverError::Appended { parts: 1 }));
}

#[test]
fn parts_in_another_order_repeated_or_left_out_are_refused() {
    let good = sealed(4 * PART_BYTES);
    let (header, parts) = good.split_at(HEADER_BYTES);
    let parts: Vec<&[u8]> = parts.chunks(WHOLE).collect();
    for order in [vec![1, 0, 2, 3], vec![0, 2, 1, 3], vec![0, 1, 1, 2, 3], vec![0, 1, 3], vec![3], vec![0, 3, 2, 1]] {
        let parts: Vec<u8> = order.iter().flat_map(|part| parts[*part]).copied().collect();
        let error = refused(&[header, &parts].concat());
        assert!(matches!(error, HandoverError::Changed { .. }), "{order:?}: {error}");
    }
}

#[test]
fn a_part_of_another_file_is_refused() {
    let good = sealed(2 * PART_BYTES);
    let mut other = Vec::new();
    seal(&mut content(2 * PART_BYTES).as_slice(), &mut other, &ContentKey::from_bytes([9; 32])).expect("sealed");
    let mixed = [&good[..HEADER_BYTES + WHOLE], &other[HEADER_BYTES + WHOLE..]].concat();
    assert!(matches!(refused(&mixed), HandoverError::Changed { part: 1 }));
}

#[test]
fn every_flipped_bit_is_found() {
    let good = sealed(PART_BYTES + 40);
    for at in (0..good.len()).filter(|at| *at < 100 || at % 509 == 0 || *at > good.len() - 60) {
        for bit in 0..8 {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            refused(&bytes);
        }
    }
}

#[test]
fn another_version_or_kind_of_file_says_so() {
    let mut bytes = sealed(10);
    bytes[9] = 2;
    assert_eq!(refused(&bytes).to_string(), "sealed file: version is 2, expected 1");
    bytes[0] = b'X';
    assert_eq!(refused(&bytes).to_string(), "not a sealed file");
}

#[test]
fn a_file_has_its_name_only_when_it_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights");
    let good = sealed(2 * PART_BYTES);
    let cut = &good[..good.len() - 1];
    assert!(open_file(&mut &*cut, &path, &KEY).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 0, "nothing is left");
    std::fs::write(&path, b"old").expect("written");
    assert!(matches!(open_file(&mut &*cut, &path, &KEY), Err(HandoverError::Changed { part: 1 })));
    assert_eq!(std::fs::read(&path).expect("read"), b"old");
    assert_eq!(open_file(&mut good.as_slice(), &path, &KEY).expect("opened"), 2 * PART_BYTES as u64);
    assert!(std::fs::read(&path).expect("read") == content(2 * PART_BYTES));
    let error = open_file(&mut good.as_slice(), &folder.path().join("no/weights"), &KEY).expect_err("no folder");
    assert!(error.to_string().contains("no/weights"), "{error}");
}

#[test]
fn only_what_was_checked_is_written() {
    let mut bytes = sealed(3 * PART_BYTES);
    bytes[HEADER_BYTES + WHOLE + 5] ^= 1;
    let mut out = Vec::new();
    assert!(open(&mut bytes.as_slice(), &mut out, &KEY).is_err());
    assert!(out == content(3 * PART_BYTES)[..PART_BYTES]);
}

#[test]
fn any_bytes_are_a_sealed_file_or_refused() {
    let good = sealed(500);
    check!().with_iterations(1000).with_type::<(bool, Vec<(u16, u8)>, Vec<u8>)>().for_each(|(near, edits, raw)| {
        let mut bytes = if *near { good.clone() } else { raw.clone() };
        for (at, byte) in edits.iter().take(4).filter(|_| *near) {
            let at = usize::from(*at) % bytes.len();
            bytes[at] = *byte;
        }
        if let Ok(read) = opened(&bytes, &KEY) {
            assert!(bytes == good && read == content(500));
        }
    });
}
