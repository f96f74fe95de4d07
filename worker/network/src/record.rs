//! Where a peer says that it is: a signed record with sequence and expiry.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version, 1 |
//! | 33 | the peer's key, compressed |
//! | 8 | sequence, big-endian |
//! | 8 | expiry, seconds since 1970, big-endian |
//! | 1 | number of addresses |
//! | 1 + n each | an address with its length |
//! | 1 + n | the signature with its length, over a domain and all the bytes before |

use libp2p::{Multiaddr, PeerId, multiaddr};

use crate::{
    Error, Identity,
    identity::{peer_of, verifying_key},
    limits::{MAX_ADDRESS_BYTES, MAX_ADDRESSES, MAX_RECORD_BYTES},
};

const VERSION: u8 = 1;

/// What is signed begins with this, so that no other signature of the key is one of a record.
const DOMAIN: &[u8] = b"gradproof address record 1\n";

/// Bytes of a DER signature with two integers of 32 bytes, at most.
const MAX_SIGNATURE_BYTES: usize = 72;

/// An address record whose signature is the peer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRecord {
    peer: PeerId,
    key: [u8; 33],
    sequence: u64,
    expires_secs: u64,
    addresses: Vec<Multiaddr>,
    bytes: Vec<u8>,
}

impl SignedRecord {
    /// Returns the record of an identity, signed.
    ///
    /// # Units
    ///
    /// `expires_secs` are seconds since 1970.
    ///
    /// # Errors
    ///
    /// There are too many addresses, or one that cannot be dialled.
    pub fn sign(
        identity: &Identity,
        sequence: u64,
        expires_secs: u64,
        addresses: Vec<Multiaddr>,
    ) -> Result<Self, Error> {
        if addresses.len() > MAX_ADDRESSES {
            return Err(Error::TooLong { what: "the list of addresses", got: addresses.len(), limit: MAX_ADDRESSES });
        }
        let mut bytes = vec![VERSION];
        bytes.extend(identity.public_key());
        bytes.extend(sequence.to_be_bytes());
        bytes.extend(expires_secs.to_be_bytes());
        bytes.push(addresses.len() as u8);
        for (place, address) in addresses.iter().enumerate() {
            if !is_dialable(address) || addresses.iter().take(place).any(|before| before == address) {
                return Err(Error::Address { address: address.clone() });
            }
            // An address that can be dialled is far shorter than a byte can say.
            bytes.push(address.len() as u8);
            bytes.extend(address.to_vec());
        }
        let signature = identity
            .keypair()
            .sign(&[DOMAIN, &bytes].concat())
            .map_err(|error| Error::SetUp { reason: error.to_string() })?;
        bytes.push(signature.len() as u8);
        bytes.extend(signature);
        Ok(Self { peer: identity.peer_id(), key: identity.public_key(), sequence, expires_secs, addresses, bytes })
    }

    /// Returns the record of its bytes.
    ///
    /// # Errors
    ///
    /// The bytes are not the one encoding of a record, or the signature is not the peer's.
    ///
    /// # Soundness
    ///
    /// The peer signed exactly these bytes. Whether they are the newest, and have not expired, says [`crate::AddressBook`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(refused("it is too long"));
        }
        let mut rest = bytes;
        let [version] = take(&mut rest)?;
        if version != VERSION {
            return Err(refused("its version is not 1"));
        }
        let key: [u8; 33] = take(&mut rest)?;
        let peer = peer_of(&key).ok_or_else(|| refused("its key is no secp256k1 key"))?;
        let sequence = u64::from_be_bytes(take(&mut rest)?);
        let expires_secs = u64::from_be_bytes(take(&mut rest)?);
        let [count] = take(&mut rest)?;
        if usize::from(count) > MAX_ADDRESSES {
            return Err(refused("it has too many addresses"));
        }
        let mut addresses = Vec::with_capacity(count.into());
        for _ in 0..count {
            let address = decode_address(take_prefixed(&mut rest, MAX_ADDRESS_BYTES)?)?;
            if addresses.contains(&address) {
                return Err(refused("it has an address twice"));
            }
            addresses.push(address);
        }
        let signed = bytes.len() - rest.len();
        let signature = take_prefixed(&mut rest, MAX_SIGNATURE_BYTES)?;
        if !rest.is_empty() {
            return Err(refused("bytes follow its end"));
        }
        let message = [DOMAIN, bytes.get(..signed).unwrap_or_default()].concat();
        if !verifying_key(&key).is_some_and(|key| key.verify(&message, signature)) {
            return Err(refused("its signature is not the peer's"));
        }
        Ok(Self { peer, key, sequence, expires_secs, addresses, bytes: bytes.to_vec() })
    }

    /// Returns the peer whose record this is.
    pub fn peer(&self) -> PeerId {
        self.peer
    }

    /// Returns the sequence number. Of two records, the one with the greater counts.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Returns when the record expires, in seconds since 1970.
    pub fn expires_secs(&self) -> u64 {
        self.expires_secs
    }

    /// Returns the addresses, best first.
    pub fn addresses(&self) -> &[Multiaddr] {
        &self.addresses
    }

    /// Returns the encoding, with its signature.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn key(&self) -> &[u8; 33] {
        &self.key
    }
}

/// Returns whether an address is an IP address with a port of QUIC or TCP, and nothing else.
pub(crate) fn is_dialable(address: &Multiaddr) -> bool {
    use multiaddr::Protocol::{Ip4, Ip6, QuicV1, Tcp, Udp};
    let mut parts = address.iter();
    let host = match parts.next() {
        Some(Ip4(ip)) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
        Some(Ip6(ip)) => !ip.is_unspecified() && !ip.is_multicast(),
        _ => false,
    };
    let port = match (parts.next(), parts.next()) {
        (Some(Udp(port)), Some(QuicV1)) | (Some(Tcp(port)), None) => port != 0,
        _ => false,
    };
    host && port && parts.next().is_none()
}

fn decode_address(bytes: &[u8]) -> Result<Multiaddr, Error> {
    let address = Multiaddr::try_from(bytes.to_vec()).map_err(|_| refused("it has an address that is none"))?;
    // Numbers within an address may be written in several ways: only the shortest counts.
    if address.iter().collect::<Multiaddr>().as_ref() != bytes {
        return Err(refused("it has an address that is not written in the shortest way"));
    }
    if !is_dialable(&address) {
        return Err(refused("it has an address that cannot be dialled"));
    }
    Ok(address)
}

fn refused(reason: &'static str) -> Error {
    Error::Record { reason }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Error> {
    let (taken, left) = rest.split_first_chunk::<N>().ok_or_else(|| refused("it is too short"))?;
    *rest = left;
    Ok(*taken)
}

fn take_prefixed<'a>(rest: &mut &'a [u8], limit: usize) -> Result<&'a [u8], Error> {
    let [length] = take(rest)?;
    if usize::from(length) > limit {
        return Err(refused("a part of it is too long"));
    }
    let (taken, left) = rest.split_at_checked(length.into()).ok_or_else(|| refused("it is too short"))?;
    *rest = left;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(last: u8) -> Identity {
        Identity::from_secret([last; 32]).unwrap()
    }

    fn addresses() -> Vec<Multiaddr> {
        ["/ip4/10.0.0.1/udp/4001/quic-v1", "/ip6/fe80::1/tcp/4002"].map(|address| address.parse().unwrap()).to_vec()
    }

    #[test]
    fn a_record_decodes_to_what_was_signed() {
        let signed = SignedRecord::sign(&identity(1), 5, 99, addresses()).unwrap();
        let decoded = SignedRecord::decode(signed.bytes()).unwrap();
        assert_eq!(decoded, signed);
        assert_eq!((decoded.peer(), decoded.sequence(), decoded.expires_secs()), (identity(1).peer_id(), 5, 99));
        assert_eq!(decoded.addresses(), addresses());
    }

    #[test]
    fn a_record_with_any_bit_changed_is_refused() {
        let signed = SignedRecord::sign(&identity(1), 5, 99, addresses()).unwrap();
        for bit in 0..signed.bytes().len() * 8 {
            let mut forged = signed.bytes().to_vec();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(SignedRecord::decode(&forged).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_record_signed_by_another_key_is_refused() {
        let mut forged = SignedRecord::sign(&identity(2), 5, 99, addresses()).unwrap().bytes().to_vec();
        forged[1..34].copy_from_slice(&identity(1).public_key());
        assert_eq!(SignedRecord::decode(&forged), Err(refused("its signature is not the peer's")));
    }

    #[test]
    fn bytes_behind_a_record_are_refused() {
        let mut long = SignedRecord::sign(&identity(1), 5, 99, addresses()).unwrap().bytes().to_vec();
        long.push(0);
        assert_eq!(SignedRecord::decode(&long), Err(refused("bytes follow its end")));
    }

    #[test]
    fn addresses_that_nobody_can_dial_are_refused() {
        for address in [
            "/ip4/0.0.0.0/tcp/1",
            "/ip4/10.0.0.1/tcp/0",
            "/ip4/10.0.0.1/udp/1",
            "/dns4/example.com/tcp/1",
            "/ip4/10.0.0.1/tcp/1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA",
            "/unix/socket",
            "/ip4/224.0.0.1/udp/1/quic-v1",
        ] {
            let address: Multiaddr = address.parse().unwrap();
            let signed = SignedRecord::sign(&identity(1), 1, 1, vec![address.clone()]);
            assert_eq!(signed, Err(Error::Address { address }));
        }
        assert!(SignedRecord::sign(&identity(1), 1, 1, [addresses(), addresses()].concat()).is_err());
        let many = (1..10).map(|port| format!("/ip4/10.0.0.1/tcp/{port}").parse().unwrap()).collect();
        assert!(matches!(SignedRecord::sign(&identity(1), 1, 1, many), Err(Error::TooLong { .. })));
    }

    #[test]
    fn the_longest_record_fits_its_bound() {
        let many = (1..=MAX_ADDRESSES).map(|n| format!("/ip6/2001:db8::{n}/udp/65535/quic-v1").parse().unwrap());
        let signed = SignedRecord::sign(&identity(1), u64::MAX, u64::MAX, many.collect()).unwrap();
        assert!(signed.bytes().len() <= MAX_RECORD_BYTES);
        assert!(SignedRecord::decode(signed.bytes()).is_ok());
    }

    #[test]
    fn any_bytes_as_a_record_never_panic() {
        bolero::check!().for_each(|bytes: &[u8]| {
            let _ = SignedRecord::decode(bytes);
            let _ = decode_address(bytes);
        });
    }

    #[test]
    fn an_address_that_decodes_has_one_encoding() {
        let bytes = addresses()[0].to_vec();
        assert_eq!(decode_address(&bytes).unwrap(), addresses()[0]);
        // 4 is the code of IPv4, and 0x84 0x00 the same number in two bytes.
        let longer = [&[bytes[0] | 0x80, 0], &bytes[1..]].concat();
        assert!(decode_address(&longer).is_err());
    }
}
