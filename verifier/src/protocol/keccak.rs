//! Fiat-Shamir transcript over keccak256, cheap to repeat in a contract.
//!
//! # Transcript
//! A state of 32 bytes and a buffer. Scalars are appended to the buffer as 32 bytes, points as 64 (see
//! [`points`](crate::protocol::points)), with no lengths or labels: the number and order of messages must follow from what the
//! first digest binds. A challenge is `state = keccak256(state ‖ buffer)`, read as a big-endian integer modulo r, and
//! empties the buffer.
//!
//! # Soundness
//! 2^256 is 5.29 r, so a residue has five or six preimages: no challenge is more than 1.14 times as likely as under
//! the uniform distribution, which costs less than a fifth of a bit.

use ark_bn254::{Fr, G1Affine};
use ark_ff::PrimeField;
use sha3::{Digest, Keccak256};

use crate::protocol::points::{encode_g1, encode_scalar};

/// keccak256 of the concatenation of `parts`.
pub fn keccak256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Keccak256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The transcript: what was absorbed, and the challenges drawn from it.
#[derive(Clone, Debug)]
pub struct KeccakTranscript {
    state: [u8; 32],
    buffer: Vec<u8>,
}

impl KeccakTranscript {
    /// A transcript that starts from the digest of everything said before it.
    pub fn new(digest: [u8; 32]) -> Self {
        Self { state: digest, buffer: Vec::new() }
    }

    /// Absorbs a scalar: 32 bytes, big-endian.
    pub fn absorb_scalar(&mut self, scalar: &Fr) {
        self.buffer.extend(encode_scalar(scalar));
    }

    /// Absorbs scalars in order, without their number.
    pub fn absorb_scalars(&mut self, scalars: &[Fr]) {
        scalars.iter().for_each(|scalar| self.absorb_scalar(scalar));
    }

    /// Absorbs a point: 64 bytes, zeros for infinity.
    pub fn absorb_point(&mut self, point: &G1Affine) {
        self.buffer.extend(encode_g1(point));
    }

    /// Absorbs points in order, without their number.
    pub fn absorb_points(&mut self, points: &[G1Affine]) {
        points.iter().for_each(|point| self.absorb_point(point));
    }

    /// A challenge that depends on every message so far.
    pub fn challenge(&mut self) -> Fr {
        self.state = keccak256(&[&self.state, &self.buffer]);
        self.buffer.clear();
        Fr::from_be_bytes_mod_order(&self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ec::AffineRepr;

    #[test]
    fn keccak_of_nothing() {
        let hex: String = keccak256(&[]).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    }

    #[test]
    fn challenges_are_hashes_of_state_and_messages() {
        let mut transcript = KeccakTranscript::new([7; 32]);
        transcript.absorb_scalar(&Fr::from(3u64));
        transcript.absorb_point(&G1Affine::generator());
        let mut message = vec![7; 32];
        message.extend(encode_scalar(&Fr::from(3u64)));
        message.extend(encode_g1(&G1Affine::generator()));
        let first = keccak256(&[&message]);
        assert_eq!(transcript.challenge(), Fr::from_be_bytes_mod_order(&first));
        assert_eq!(transcript.challenge(), Fr::from_be_bytes_mod_order(&keccak256(&[&first])));
    }
}
