use std::fmt;

use libp2p::{
    PeerId,
    identity::{Keypair, PublicKey, secp256k1},
};
use sha3::{Digest, Keccak256};

use crate::Error;

/// The code of a multihash that is no hash: the id holds the key itself.
const IDENTITY_CODE: u64 = 0;

/// The key of a peer: a secp256k1 key, whose address is the peer's entry on the chain.
#[derive(Clone)]
pub struct Identity {
    keypair: Keypair,
    public: [u8; 33],
}

impl Identity {
    /// Returns the identity of a secret.
    ///
    /// # Errors
    ///
    /// The secret is zero or not below the order of the curve.
    pub fn from_secret(mut secret: [u8; 32]) -> Result<Self, Error> {
        let secret = secp256k1::SecretKey::try_from_bytes(&mut secret).map_err(|_| Error::Secret)?;
        let pair = secp256k1::Keypair::from(secret);
        let public = pair.public().to_bytes();
        Ok(Self { keypair: pair.into(), public })
    }

    /// Returns the peer's id, which holds the public key.
    pub fn peer_id(&self) -> PeerId {
        self.keypair.public().to_peer_id()
    }

    /// Returns the public key, compressed.
    pub fn public_key(&self) -> [u8; 33] {
        self.public
    }

    pub(crate) fn keypair(&self) -> &Keypair {
        &self.keypair
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("peer", &self.peer_id()).finish_non_exhaustive()
    }
}

/// Returns the Ethereum address of a peer's key; `None` for an id that does not hold a secp256k1 key.
///
/// # Soundness
///
/// Whoever is connected as `peer` has the key of this address: the handshake proves it.
pub fn address_of(peer: &PeerId) -> Option<[u8; 20]> {
    let digest = Keccak256::digest(key_of(peer)?.to_bytes_uncompressed().get(1..)?);
    digest.get(12..)?.try_into().ok()
}

/// Returns the compressed public key that a peer's id holds.
pub(crate) fn public_key_of(peer: &PeerId) -> Option<[u8; 33]> {
    Some(key_of(peer)?.to_bytes())
}

/// Returns the id of the peer with a compressed public key.
pub(crate) fn peer_of(key: &[u8]) -> Option<PeerId> {
    verifying_key(key).map(|key| key.to_peer_id())
}

/// Returns the key that verifies signatures, from a compressed public key.
pub(crate) fn verifying_key(key: &[u8]) -> Option<PublicKey> {
    let parsed = secp256k1::PublicKey::try_from_bytes(key).ok()?;
    (parsed.to_bytes() == key).then(|| parsed.into())
}

fn key_of(peer: &PeerId) -> Option<secp256k1::PublicKey> {
    let hash = peer.as_ref();
    if hash.code() != IDENTITY_CODE {
        return None;
    }
    let key = PublicKey::try_decode_protobuf(hash.digest()).ok()?;
    // One key has one id: another encoding of the same key is another peer to everyone else.
    if key.to_peer_id() != *peer {
        return None;
    }
    key.try_into_secp256k1().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(last: u8) -> [u8; 32] {
        let mut secret = [0; 32];
        secret[31] = last;
        secret
    }

    #[test]
    fn the_address_of_secret_one_is_the_one_that_everybody_knows() {
        let peer = Identity::from_secret(secret(1)).unwrap().peer_id();
        let address: String = address_of(&peer).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(address, "7e5f4552091a69125d5dfcb7b8c2659029395bdf");
    }

    #[test]
    fn a_peer_whose_id_holds_no_secp256k1_key_has_no_address() {
        // The id of an ed25519 key, and the hash of an RSA key, from the specification of peer ids.
        for id in
            ["12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA", "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"]
        {
            assert_eq!(address_of(&id.parse().unwrap()), None);
        }
    }

    #[test]
    fn a_secret_that_is_no_scalar_is_refused() {
        assert_eq!(Identity::from_secret([0; 32]).unwrap_err(), Error::Secret);
        assert_eq!(Identity::from_secret([255; 32]).unwrap_err(), Error::Secret);
    }

    #[test]
    fn an_id_and_its_public_key_name_each_other() {
        let identity = Identity::from_secret(secret(7)).unwrap();
        assert_eq!(public_key_of(&identity.peer_id()), Some(identity.public_key()));
        assert_eq!(peer_of(&identity.public_key()), Some(identity.peer_id()));
    }

    #[test]
    fn any_bytes_as_an_id_or_a_key_never_panic() {
        bolero::check!().for_each(|bytes: &[u8]| {
            let _ = peer_of(bytes);
            if let Ok(peer) = PeerId::from_bytes(bytes) {
                let _ = address_of(&peer);
            }
        });
    }
}
