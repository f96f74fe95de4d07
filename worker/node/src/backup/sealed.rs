//! A backup as a file: an archive that is encrypted under a password.
//!
//! # Layout
//! `GPBACKUP` 8 ‖ version 2, big-endian ‖ salt 32 ‖ the archive, sealed ([`gradproof_handover::sealed`]) under scrypt of password and
//! salt.
//!
//! # Soundness
//! A salt is drawn for each backup, so that no key seals two. Whoever has the file can try passwords, each for the time and memory
//! of scrypt: the password is what protects it.
//!
//! # Standard
//! RFC 7914: scrypt.

use rand::TryRng;
use rand::rngs::SysRng;
use std::io::Write;
use std::path::Path;

use gradproof_handover::{ContentKey, HandoverError, sealed};
use gradproof_terminal::atomic;
use zeroize::Zeroizing;

use super::archive::{Archive, MAX_BYTES, MAX_FILES};
use crate::NodeError;

/// Begins a backup.
const MAGIC: [u8; 8] = *b"GPBACKUP";
/// Version of the layout. It fixes the parameters of scrypt, too.
const VERSION: u16 = 1;
/// Bytes of a salt: as many as of a key.
const SALT_BYTES: usize = 32;
/// log2 of scrypt's N: with r = 8, 128 MiB and about half a second for each password that is tried.
const LOG_N: u8 = 17;
/// Scrypt's r and p, as RFC 7914 suggests.
const R: u32 = 8;
/// As [`R`].
const P: u32 = 1;
/// Largest file: an archive of all that one may hold, and less than as much again for names, tags and heads.
const MAX_SEALED_BYTES: u64 = (MAX_BYTES + 256 * MAX_FILES) as u64 + (1 << 20);

/// Writes a backup to a file that is not there yet, and that only its owner may read.
///
/// # Errors
/// The file is there, or cannot be written; the system has no randomness.
pub fn write(path: &Path, archive: &Archive, password: &str) -> Result<(), NodeError> {
    let refuse = |message: String| NodeError::Backup { path: path.to_owned(), message };
    if path.exists() {
        return Err(refuse("it is there already, and is not replaced".into()));
    }
    let mut salt = [0; 32];
    SysRng.try_fill_bytes(&mut salt).map_err(|error| refuse(error.to_string()))?;
    let key = key(password, &salt).map_err(refuse)?;
    let mut bytes = [&MAGIC[..], &VERSION.to_be_bytes(), &salt].concat();
    sealed::seal(&mut archive.encode().as_slice(), &mut bytes, &key).map_err(|error| refuse(error.to_string()))?;
    atomic::write_private(path, |file| file.write_all(&bytes)).map_err(NodeError::file(path))
}

/// Reads a backup.
///
/// # Errors
/// It is no backup of this version, the password is another one, or something in it was changed.
pub fn read(path: &Path, password: &str) -> Result<Archive, NodeError> {
    let refuse = |message: String| NodeError::Backup { path: path.to_owned(), message };
    let size = std::fs::metadata(path).map_err(NodeError::file(path))?.len();
    if size > MAX_SEALED_BYTES {
        return Err(refuse(format!("it has {size} bytes, which no backup has")));
    }
    let bytes = std::fs::read(path).map_err(NodeError::file(path))?;
    opened(&bytes, password).map_err(refuse)
}

/// The archive in the bytes of a backup.
fn opened(bytes: &[u8], password: &str) -> Result<Archive, String> {
    let other = || "it is no backup of a node".to_owned();
    let rest = bytes.strip_prefix(&MAGIC).ok_or_else(other)?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(other)?;
    match u16::from_be_bytes(*version) {
        VERSION => {}
        got => return Err(format!("its version is {got}, expected {VERSION}")),
    }
    let (salt, mut rest) = rest.split_first_chunk::<SALT_BYTES>().ok_or_else(other)?;
    // With room for all of it, so that no copy stays behind where it grows.
    let mut plain = Zeroizing::new(Vec::with_capacity(rest.len()));
    sealed::open(&mut rest, &mut *plain, &key(password, salt)?).map_err(|error| match error {
        HandoverError::AnotherKey => "the password is another one".to_owned(),
        other => other.to_string(),
    })?;
    Archive::decode(&plain)
}

fn key(password: &str, salt: &[u8; SALT_BYTES]) -> Result<ContentKey, String> {
    let parameters = scrypt::Params::new(LOG_N, R, P).map_err(|error| error.to_string())?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(password.as_bytes(), salt, &parameters, &mut *key).map_err(|error| error.to_string())?;
    Ok(ContentKey::from_bytes(*key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_opens_with_its_password_only_and_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("backup");
        let mut archive = Archive::default();
        archive.put("keys/peer.key", Zeroizing::new(b"secret".to_vec())).expect("it is taken");
        write(&path, &archive, "right").expect("it is written");
        assert_eq!(read(&path, "right").expect("it is read"), archive);
        let said = |error: NodeError| error.to_string();
        let error = said(write(&path, &archive, "right").expect_err("it is there"));
        assert!(error.ends_with("not replaced"), "{error}");
        let error = said(read(&path, "wrong").expect_err("another password"));
        assert!(error.ends_with("the password is another one"), "{error}");
        let bytes = std::fs::read(&path).expect("read");
        assert!(!bytes.windows(6).any(|window| window == b"secret"));
        // Magic, version, salt, the head of what is sealed, and its content.
        for (at, why) in [(0, "no backup"), (9, "version"), (12, "password"), (43, "sealed"), (bytes.len() - 1, "part")]
        {
            let mut changed = bytes.clone();
            changed[at] ^= 0x40;
            let error = opened(&changed, "right").expect_err("it was changed");
            assert!(error.contains(why), "{at}: {error}");
        }
        for end in [0, 9, 20, 60, bytes.len() - 1] {
            assert!(opened(&bytes[..end], "right").is_err(), "{end}");
        }
    }
}
