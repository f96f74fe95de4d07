//! Keys: of the content of a file, and of a node.

use std::fmt::{Debug, Formatter};
use std::io::{Read, Write};
use std::path::Path;

use gradproof_terminal::atomic;
use gradproof_verifier::protocol::hex;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, Serializable};
use rand::TryRng;
use rand::rngs::SysRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::HandoverError;

/// The key of the cipher text of one file. It is never used for two.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ContentKey([u8; 32]);

/// The public part of an [`EncryptionKey`], as the register of nodes has it: a point of Curve25519, 32 bytes.
pub type PublicKey = [u8; 32];

/// The secret key of a node, to which others wrap keys: X25519.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct EncryptionKey([u8; 32]);

impl ContentKey {
    /// A key that the operating system draws.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn fresh() -> Result<Self, HandoverError> {
        random().map(Self)
    }

    /// The key with these bytes: one that was handed over.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for ContentKey {
    fn eq(&self, other: &Self) -> bool {
        // The library compares hashes in constant time.
        blake3::Hash::from_bytes(self.0) == blake3::Hash::from_bytes(other.0)
    }
}

impl Eq for ContentKey {}

impl Debug for ContentKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("ContentKey(secret)")
    }
}

impl EncryptionKey {
    /// A key that the operating system draws.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn fresh() -> Result<Self, HandoverError> {
        random().map(Self)
    }

    /// The key with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The entry `encryptionKey` of the node in the register.
    ///
    /// # Errors
    /// Never; the library that computes it says otherwise in its types.
    pub fn public(&self) -> Result<PublicKey, HandoverError> {
        Ok(X25519HkdfSha256::sk_to_pk(&self.secret()?).to_bytes().into())
    }

    /// As the library has it.
    pub(crate) fn secret(&self) -> Result<<X25519HkdfSha256 as Kem>::PrivateKey, HandoverError> {
        <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&self.0).map_err(|_| HandoverError::BadRecipient)
    }

    /// Reads a key from its file: `0x`, 64 lower-case digits, and a line break or none.
    ///
    /// # Errors
    /// If there is no such file, or it holds no key.
    pub fn load(path: &Path) -> Result<Self, HandoverError> {
        let failed = |source| HandoverError::File { path: path.to_owned(), source };
        let mut text = Zeroizing::new(String::new());
        let file = std::fs::File::open(path).map_err(failed)?;
        // One more than a key has: whatever is longer is none, and is not read.
        file.take(MAX_KEY_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        hex::decode(line).map(Self).map_err(|_| HandoverError::NotAKey { path: path.to_owned() })
    }

    /// Writes the key to a new file that only its owner may read. It is never written in the place of another file.
    ///
    /// # Errors
    /// If there is a file already, or the system refuses.
    pub fn save(&self, path: &Path) -> Result<(), HandoverError> {
        let failed = |source| HandoverError::File { path: path.to_owned(), source };
        if path.exists() {
            return Err(failed(std::io::ErrorKind::AlreadyExists.into()));
        }
        let text = Zeroizing::new(hex::encode(&self.0));
        atomic::write_private(path, |file| writeln!(file, "{}", text.as_str())).map_err(failed)
    }
}

impl Debug for EncryptionKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("EncryptionKey(secret)")
    }
}

/// Bytes of the file of a key: prefix, digits, line break.
const MAX_KEY_BYTES: u64 = 67;

fn random() -> Result<[u8; 32], HandoverError> {
    let mut bytes = [0; 32];
    SysRng.try_fill_bytes(&mut bytes).map_err(|error| HandoverError::Randomness(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written_and_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("encryption.key");
        let key = EncryptionKey::fresh().expect("randomness");
        key.save(&path).expect("saved");
        assert_eq!(EncryptionKey::load(&path).expect("loaded").bytes(), key.bytes());
        let other = EncryptionKey::fresh().expect("randomness");
        assert!(other.bytes() != key.bytes());
        assert!(other.save(&path).is_err());
        assert_eq!(EncryptionKey::load(&path).expect("loaded").public().expect("a key"), key.public().expect("a key"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o077, 0, "readable by its owner only");
        }
    }

    #[test]
    fn a_file_without_a_key_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("encryption.key");
        assert!(EncryptionKey::load(&path).expect_err("not there").to_string().contains("encryption.key"));
        let good = hex::encode(&[1; 32]);
        for text in
            [String::new(), good.to_uppercase(), format!("{good}0"), format!("{good}\n\n"), good.replace("0x", "")]
        {
            std::fs::write(&path, &text).expect("written");
            let error = EncryptionKey::load(&path).expect_err("no key").to_string();
            assert!(error.contains("encryption.key: not an encryption key"), "{text}: {error}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let (content, node) = (ContentKey::from_bytes([7; 32]), EncryptionKey::from_bytes([7; 32]));
        assert_eq!(format!("{content:?} {node:?}"), "ContentKey(secret) EncryptionKey(secret)");
    }
}
