//! Keys of accounts in encrypted files (Web3 Secret Storage, version 3), as wallets have them.

use std::path::{Path, PathBuf};

use alloy::primitives::Signature;
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;

use super::{Address, B256, ChainError};

/// Makes a key, and stores it in a file that is not there yet.
///
/// # Errors
/// The file is there, or cannot be written.
pub fn new_key(path: &Path, password: &str) -> Result<Address, ChainError> {
    let signer = PrivateKeySigner::random();
    store_key(path, password, &signer)?;
    Ok(signer.address())
}

/// Stores a key in a file that is not there yet.
///
/// # Errors
/// The file is there, or cannot be written.
pub fn store_key(path: &Path, password: &str, signer: &PrivateKeySigner) -> Result<(), ChainError> {
    let refuse = |message: String| ChainError::Keystore { path: path.to_owned(), message };
    if path.exists() {
        return Err(refuse("it is there already, and is not replaced".into()));
    }
    let (folder, name) = path.parent().zip(path.file_name()).ok_or_else(|| refuse("not the name of a file".into()))?;
    let name = name.to_str().ok_or_else(|| refuse("its name is not text".into()))?;
    let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() };
    let key = signer.to_bytes();
    PrivateKeySigner::encrypt_keystore(&folder, &mut rand_core::OsRng, key, password, Some(name))
        .map_err(|error| refuse(error.to_string()))?;
    restrict(path).map_err(|error| refuse(error.to_string()))
}

/// Reads a key.
///
/// # Errors
/// There is no such file, or the password is another one.
pub fn read_key(path: &Path, password: &str) -> Result<PrivateKeySigner, ChainError> {
    PrivateKeySigner::decrypt_keystore(path, password).map_err(|error| {
        let message = match error.to_string() {
            // What the library calls a wrong password.
            mac if mac.contains("Mac") => "the password is another one".to_owned(),
            other => other,
        };
        ChainError::Keystore { path: path.to_owned(), message }
    })
}

/// A signature over a digest, of 65 bytes.
///
/// # Errors
/// The key does not sign.
pub fn sign_digest(signer: &PrivateKeySigner, digest: B256) -> Result<Vec<u8>, ChainError> {
    let signature = signer.sign_hash_sync(&digest).map_err(|error| ChainError::Signer(error.to_string()))?;
    Ok(signature.as_bytes().to_vec())
}

/// Who signed a digest; `None` if that is no signature.
pub fn signer_of(digest: B256, signature: &[u8]) -> Option<Address> {
    Signature::from_raw(signature).ok()?.recover_address_from_prehash(&digest).ok()
}

/// The same signature as contracts take it: of two that say the same the one with the lower half, and 27 or 28 at the end. `None` if that is
/// no signature.
pub fn canonical_signature(signature: &[u8]) -> Option<[u8; 65]> {
    Some(Signature::from_raw(signature).ok()?.normalized_s().as_bytes())
}

#[cfg(unix)]
fn restrict(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::U256;

    #[test]
    fn who_signed_a_digest_is_known() {
        let signer = PrivateKeySigner::random();
        let digest = B256::repeat_byte(1);
        let signature = sign_digest(&signer, digest).expect("it signs");
        assert_eq!(signer_of(digest, &signature), Some(signer.address()));
        assert_ne!(signer_of(B256::ZERO, &signature), Some(signer.address()));
        assert_eq!(signer_of(digest, &signature[1..]), None);
    }

    #[test]
    fn all_spellings_of_a_signature_have_one_that_contracts_take() {
        let (signer, digest) = (PrivateKeySigner::random(), B256::repeat_byte(1));
        let signature = sign_digest(&signer, digest).expect("it signs");
        let canonical = canonical_signature(&signature).expect("it is one");
        assert_eq!(canonical[..], signature[..], "what is signed here is so already");
        let parsed = Signature::from_raw(&signature).expect("it is one");
        let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
        let order = U256::from_str_radix(order, 16).expect("a number");
        let other = Signature::new(parsed.r(), order - parsed.s(), !parsed.v());
        assert_eq!(signer_of(digest, &other.as_bytes()), Some(signer.address()), "it says the same");
        assert_eq!(canonical_signature(&other.as_bytes()), Some(canonical));
        let mut low = canonical;
        low[64] -= 27;
        assert_eq!(canonical_signature(&low), Some(canonical));
        assert_eq!(canonical_signature(&canonical[1..]), None);
    }

    #[test]
    fn a_key_is_read_with_its_password_only_and_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("account.json");
        let address = new_key(&path, "right").expect("it is written");
        assert_eq!(read_key(&path, "right").expect("it is read").address(), address);
        let error = read_key(&path, "wrong").expect_err("another password").to_string();
        assert!(error.ends_with("account.json: the password is another one"), "{error}");
        let error = new_key(&path, "right").expect_err("it is there").to_string();
        assert!(error.contains("not replaced"), "{error}");
    }
}
