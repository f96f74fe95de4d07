//! The key of a manifest, encrypted to a node: HPKE, so made that whoever opens one wrap can check all others.
//!
//! A wrap is HPKE in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305, used once: the encapsulated key 32 ‖ cipher
//! text of the manifest's key 32 ‖ tag 16. Its `info` is [`INFO`] ‖ subject 89 ‖ root of the sealed manifest 32 ‖ public key of the node 32,
//! with the subject as in the [manifest](crate::manifest). There is no associated data.
//!
//! # Soundness
//! The keying material of the ephemeral key (`ikmE` of RFC 9180) is not random. It is BLAKE3, in the mode that derives keys, of the
//! manifest's key, the subject, the root and the node's key. So there is exactly one wrap for each node. Whoever opens one has the
//! manifest's key, makes the wraps of all others again and compares them ([`check_all`]): a sender cannot give a good key to the
//! committee and a bad one to the requester without being found by each of the committee.
//!
//! To anybody else the material is as good as random, because the manifest's key is 32 fresh bytes from the system. That the key is also
//! what is encrypted is the usual derandomisation, with the random oracle in BLAKE3.
//!
//! A node may have registered a key that is no key: a point of small order, with which nobody can agree on anything. Nothing can be
//! encrypted to it, and its wrap is [`VOID`]: so it stops nobody else's hand-over.
//!
//! # Paper
//! RFC 9180, Hybrid Public Key Encryption, sections 4.1, 5.1.1 and 6.1.

use std::convert::Infallible;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{CryptoRng, TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng};
use zeroize::Zeroizing;

use crate::encoding::{SUBJECT_BYTES, encode_subject};
use crate::{ContentKey, EncryptionKey, HandoverError, PublicKey, Subject};

/// Bytes of a wrap.
pub const WRAP_BYTES: usize = ENCAPSULATED_BYTES + 32 + 16;
/// Most recipients of a hand-over: the nodes of all parties and of the committee. All wraps are then made in a fifth of a second.
pub const MAX_RECIPIENTS: usize = 1024;
/// A wrap, as it travels.
pub type Wrap = [u8; WRAP_BYTES];
/// The wrap for a node whose key is none.
pub const VOID: Wrap = [0; WRAP_BYTES];
/// Begins the `info` of a wrap, and names its version.
pub const INFO: &[u8; 30] = b"gradproof 2026 wrap, version 1";
/// What the keying material of the ephemeral key is derived for.
const EPHEMERAL: &str = "gradproof 2026 wrap, version 1: keying material of the ephemeral key";
/// Bytes of the encapsulated key.
const ENCAPSULATED_BYTES: usize = 32;

/// The wrap of `key` for a node: there is only this one.
///
/// # Errors
/// [`HandoverError::BadRecipient`] if nothing can be encrypted to the node's key.
pub fn wrap(
    subject: &Subject,
    root: &[u8; 32],
    key: &ContentKey,
    recipient: &PublicKey,
) -> Result<Wrap, HandoverError> {
    let info = info(subject, root, recipient);
    let (encapsulated, sealed) = seal(recipient, &info, key.bytes(), &[], &mut Ephemeral::new(key, &info))?;
    let mut wrap = VOID;
    let (first, second) = wrap.split_at_mut(ENCAPSULATED_BYTES);
    if sealed.len() != second.len() {
        return Err(HandoverError::BadRecipient);
    }
    first.copy_from_slice(&encapsulated);
    second.copy_from_slice(&sealed);
    Ok(wrap)
}

/// The wraps of `key` for all recipients, in their order; [`VOID`] for one to whose key nothing can be encrypted.
///
/// # Errors
/// If there are more than [`MAX_RECIPIENTS`].
pub fn wrap_all(
    subject: &Subject,
    root: &[u8; 32],
    key: &ContentKey,
    recipients: &[PublicKey],
) -> Result<Vec<Wrap>, HandoverError> {
    if recipients.len() > MAX_RECIPIENTS {
        let (limit, got) = (MAX_RECIPIENTS as u64, recipients.len() as u64);
        return Err(HandoverError::TooMuch { what: "recipients", limit, got });
    }
    let wrap = |recipient| match wrap(subject, root, key, recipient) {
        Err(HandoverError::BadRecipient) => Ok(VOID),
        wrap => wrap,
    };
    recipients.iter().map(wrap).collect()
}

/// The key of the manifest in a wrap for this node.
///
/// # Soundness
/// That it opens says nothing about the wraps of others: [`check_all`] does.
///
/// # Errors
/// If the wrap is for another node, subject or manifest, or was changed.
pub fn open(
    wrap: &Wrap,
    subject: &Subject,
    root: &[u8; 32],
    secret: &EncryptionKey,
) -> Result<ContentKey, HandoverError> {
    let info = info(subject, root, &secret.public()?);
    let (encapsulated, sealed) = wrap.split_at(ENCAPSULATED_BYTES);
    let opened = unseal(secret, encapsulated, &info, sealed, &[]).ok_or(HandoverError::WrapRefused)?;
    let bytes = opened.as_slice().try_into().map_err(|_| HandoverError::WrapRefused)?;
    Ok(ContentKey::from_bytes(bytes))
}

/// Makes the wraps of all recipients again from the key that one of them opened, and compares.
///
/// # Soundness
/// If it succeeds, every recipient whose key is one opens its wrap to `key`.
///
/// # Errors
/// [`HandoverError::WrongWraps`] names all that differ; if there are more or fewer wraps than recipients, or too many.
pub fn check_all(
    wraps: &[Wrap],
    recipients: &[PublicKey],
    subject: &Subject,
    root: &[u8; 32],
    key: &ContentKey,
) -> Result<(), HandoverError> {
    if wraps.len() != recipients.len() {
        return Err(HandoverError::Count { wraps: wraps.len(), recipients: recipients.len() });
    }
    let made = wrap_all(subject, root, key, recipients)?;
    let differ = made.iter().zip(wraps).enumerate().filter(|(_, (made, sent))| made != sent);
    let indices: Vec<usize> = differ.map(|(index, _)| index).collect();
    if indices.is_empty() { Ok(()) } else { Err(HandoverError::WrongWraps { indices }) }
}

/// What a wrap is bound to.
fn info(subject: &Subject, root: &[u8; 32], recipient: &PublicKey) -> Vec<u8> {
    let subject = encode_subject(subject);
    debug_assert_eq!(subject.len(), SUBJECT_BYTES);
    [INFO.as_slice(), &subject, root, recipient].concat()
}

/// `SealBase` of RFC 9180: the encapsulated key, and the cipher text with its tag.
fn seal(
    recipient: &PublicKey,
    info: &[u8],
    plain: &[u8],
    associated: &[u8],
    randomness: &mut impl CryptoRng,
) -> Result<([u8; 32], Vec<u8>), HandoverError> {
    let recipient = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(recipient);
    let recipient = recipient.map_err(|_| HandoverError::BadRecipient)?;
    let (encapsulated, sealed) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &recipient,
        info,
        plain,
        associated,
        randomness,
    )
    .map_err(|_| HandoverError::BadRecipient)?;
    Ok((encapsulated.to_bytes().into(), sealed))
}

/// `OpenBase` of RFC 9180; `None` if it refuses.
fn unseal(
    secret: &EncryptionKey,
    encapsulated: &[u8],
    info: &[u8],
    sealed: &[u8],
    associated: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
    let opened = single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &secret.secret().ok()?,
        &encapsulated,
        info,
        sealed,
        associated,
    );
    opened.ok().map(Zeroizing::new)
}

/// The keying material of an ephemeral key, in the place of randomness. The library takes its first 32 bytes as `ikmE`.
struct Ephemeral(blake3::OutputReader);

impl Ephemeral {
    fn new(key: &ContentKey, info: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(EPHEMERAL);
        hasher.update(key.bytes()).update(info);
        Self(hasher.finalize_xof())
    }
}

impl TryRng for Ephemeral {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Ephemeral {}

#[cfg(test)]
mod tests {
    use super::*;
    use gradproof_verifier::protocol::hex;

    /// `ikmE` of a test vector.
    struct Given([u8; 32]);

    impl TryRng for Given {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            panic!("only whole keys are drawn")
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            panic!("only whole keys are drawn")
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            bytes.copy_from_slice(&self.0);
            Ok(())
        }
    }

    impl TryCryptoRng for Given {}

    fn bytes<const N: usize>(digits: &str) -> [u8; N] {
        hex::decode(&format!("0x{digits}")).expect("a vector")
    }

    /// RFC 9180, appendix A.2.1, base mode, the encryption with sequence number 0.
    #[test]
    fn the_suite_is_that_of_appendix_a_2_of_rfc_9180() {
        let info: [u8; 20] = bytes("4f6465206f6e2061204772656369616e2055726e");
        let ephemeral = bytes("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b");
        let secret =
            EncryptionKey::from_bytes(bytes("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb"));
        let public: PublicKey = bytes("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
        let plain: [u8; 29] = bytes("4265617574792069732074727574682c20747275746820626561757479");
        let associated: [u8; 7] = bytes("436f756e742d30");
        let encapsulated: [u8; 32] = bytes("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a");
        let sealed: [u8; 45] =
            bytes("1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28");
        assert_eq!(secret.public().expect("a key"), public);
        let made = seal(&public, &info, &plain, &associated, &mut Given(ephemeral)).expect("sealed");
        assert_eq!(made, (encapsulated, sealed.to_vec()));
        let opened = unseal(&secret, &encapsulated, &info, &sealed, &associated).expect("opened");
        assert_eq!(opened.as_slice(), plain);
    }
    /// A sender may encrypt the right key with other randomness: it opens, and is found all the same.
    #[test]
    fn a_wrap_of_other_randomness_opens_and_is_not_the_one() {
        let domain = gradproof_verifier::protocol::statement::Domain::default();
        let subject = Subject { domain, kind: crate::Kind::Data };
        let (key, secret) = (ContentKey::from_bytes([7; 32]), EncryptionKey::from_bytes([1; 32]));
        let recipient = secret.public().expect("a key");
        let info = info(&subject, &[9; 32], &recipient);
        let (encapsulated, sealed) = seal(&recipient, &info, key.bytes(), &[], &mut Given([3; 32])).expect("sealed");
        let sent: Wrap = [encapsulated.as_slice(), &sealed].concat().try_into().expect("80 bytes");
        assert_eq!(open(&sent, &subject, &[9; 32], &secret).expect("it opens"), key);
        assert!(check_all(&[sent], &[recipient], &subject, &[9; 32], &key).is_err());
    }
}
