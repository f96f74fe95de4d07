//! What a verifier needs of the structured reference string, and the generator that blinds commitments.

use ark_bn254::{Fq, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::PrimeField;

use crate::protocol::keccak::keccak256;
use crate::protocol::points::{G1_BYTES, G2_BYTES, PointError, decode_g1, decode_g2, encode_g1, encode_g2};

/// Version of the encoding of a [`SetupKey`].
pub const VERSION: u8 = 1;
/// Bytes of an encoded [`SetupKey`]: version, kind, `g1`, `blinder`, `g2`, `tau_g2`.
pub const SETUP_KEY_BYTES: usize = 2 + 2 * G1_BYTES + 2 * G2_BYTES;

const BLINDER_SEED: &[u8] = b"gradproof blinding generator of BN254 G1, version 1";
const INSECURE_SEED: &[u8] = b"gradproof INSECURE set-up: everybody knows this tau";

/// Where τ comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetupKind {
    /// τ is public: **anyone can forge proofs**. For trying things out only.
    Insecure,
    /// τ was made in a ceremony, and is unknown as long as one contributor destroyed theirs.
    Ceremony,
}

/// The verifier's part of a set-up: generators, `[τ]G2` and the blinder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupKey {
    /// Where τ comes from.
    pub kind: SetupKind,
    /// Generator G of G1.
    pub g1: G1Affine,
    /// `[τ]` times the generator of G2.
    pub tau_g2: G2Affine,
    /// Generator of G2.
    pub g2: G2Affine,
    /// Generator H of G1 whose logarithm to the powers of τ is unknown: [`blinder`].
    pub blinder: G1Affine,
}

/// Why bytes are not a set-up key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupKeyError {
    /// Too many or too few bytes.
    #[error("a set-up key has {expected} bytes, got {got}")]
    Length {
        /// Bytes of the encoding.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// Another version of the encoding.
    #[error("set-up key of version {got}, expected {expected}")]
    Version {
        /// The version this library reads.
        expected: u8,
        /// The version given.
        got: u8,
    },
    /// A kind that does not exist.
    #[error("set-up key of unknown kind {got}, expected 0 (insecure) or 1 (ceremony)")]
    Kind {
        /// The byte given.
        got: u8,
    },
    /// A field is not a point.
    #[error("{field} of a set-up key: {source}")]
    Point {
        /// Which field.
        field: &'static str,
        /// Why it is not a point.
        source: PointError,
    },
    /// A generator is not the one that everybody uses.
    #[error("{field} of a set-up key is not the fixed generator")]
    Generator {
        /// Which field.
        field: &'static str,
    },
    /// τ is one, so that powers of τ bind nothing.
    #[error("tau of a set-up key is one; use the file of a ceremony that somebody contributed to")]
    Trivial,
    /// A key is named insecure but its τ is not the public one, or the other way round.
    #[error("the kind of a set-up key does not fit its tau")]
    KindMismatch,
}

/// The blinding generator H, by hashing to the curve.
///
/// Try-and-increment: the first counter `c = 0, 1, …` (32 bits, big-endian) for which
/// `x = keccak256("gradproof blinding generator of BN254 G1, version 1" ‖ c) mod p` is the x coordinate of a point; `y`
/// is the smaller of the two roots as an integer. The cofactor is one.
#[expect(clippy::expect_used, reason = "a constant of the protocol, which a test computes")]
pub fn blinder() -> G1Affine {
    (0u32..)
        .find_map(|counter| {
            let x = Fq::from_be_bytes_mod_order(&keccak256(&[BLINDER_SEED, &counter.to_be_bytes()]));
            G1Affine::get_point_from_x_unchecked(x, false)
        })
        .expect("the fixed string has a point at counter 4")
}

/// The public τ of the **insecure** set-up. Whoever knows τ, and everybody knows this one, can forge any proof.
pub fn insecure_tau() -> Fr {
    Fr::from_be_bytes_mod_order(&keccak256(&[INSECURE_SEED]))
}

impl SetupKey {
    /// The **insecure** key, for trying things out: τ is [`insecure_tau`], and anyone can forge proofs against it.
    pub fn insecure() -> Self {
        let tau_g2 = (G2Affine::generator() * insecure_tau()).into_affine();
        Self::with_tau(SetupKind::Insecure, tau_g2)
    }

    /// The key of a ceremony with this `[τ]G2`, whose powers the caller has checked.
    pub fn ceremony(tau_g2: G2Affine) -> Self {
        Self::with_tau(SetupKind::Ceremony, tau_g2)
    }

    fn with_tau(kind: SetupKind, tau_g2: G2Affine) -> Self {
        Self { kind, g1: G1Affine::generator(), tau_g2, g2: G2Affine::generator(), blinder: blinder() }
    }

    /// True if anyone can forge proofs against this key.
    pub fn is_insecure(&self) -> bool {
        self.kind == SetupKind::Insecure
    }

    /// `version ‖ kind ‖ g1 ‖ blinder ‖ g2 ‖ tau_g2`, points as in [`points`](crate::protocol::points); kind 0 is insecure.
    pub fn to_bytes(&self) -> [u8; SETUP_KEY_BYTES] {
        let mut bytes = [0; SETUP_KEY_BYTES];
        let kind = u8::from(self.kind == SetupKind::Ceremony);
        let (g1, h) = (encode_g1(&self.g1), encode_g1(&self.blinder));
        let (g2, tau_g2) = (encode_g2(&self.g2), encode_g2(&self.tau_g2));
        let fields = [VERSION, kind].into_iter().chain(g1).chain(h).chain(g2).chain(tau_g2);
        bytes.iter_mut().zip(fields).for_each(|(byte, value)| *byte = value);
        bytes
    }

    /// The key that [`SetupKey::to_bytes`] wrote.
    ///
    /// # Soundness
    /// The generators must be the fixed ones and H the hash to the curve: a chosen H would have a trapdoor. The kind
    /// must fit τ, so that the public τ never passes for that of a ceremony.
    ///
    /// # Errors
    /// Wrong length, version or kind; a field that is not a canonical point; another generator; τ equal to one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SetupKeyError> {
        let length = SetupKeyError::Length { expected: SETUP_KEY_BYTES, got: bytes.len() };
        if bytes.len() != SETUP_KEY_BYTES {
            return Err(length);
        }
        let (&[version, kind], rest) = bytes.split_first_chunk::<2>().ok_or(length)?;
        if version != VERSION {
            return Err(SetupKeyError::Version { expected: VERSION, got: version });
        }
        let kind = match kind {
            0 => SetupKind::Insecure,
            1 => SetupKind::Ceremony,
            got => return Err(SetupKeyError::Kind { got }),
        };
        let (g1, rest) = rest.split_at(G1_BYTES);
        let (h, rest) = rest.split_at(G1_BYTES);
        let (g2, tau_g2) = rest.split_at(G2_BYTES);
        let field = |field| move |source| SetupKeyError::Point { field, source };
        let key = Self {
            kind,
            g1: decode_g1(g1).map_err(field("g1"))?,
            blinder: decode_g1(h).map_err(field("blinder"))?,
            g2: decode_g2(g2).map_err(field("g2"))?,
            tau_g2: decode_g2(tau_g2).map_err(field("tau_g2"))?,
        };
        let insecure = Self::insecure();
        for (name, fits) in
            [("g1", key.g1 == insecure.g1), ("g2", key.g2 == insecure.g2), ("blinder", key.blinder == insecure.blinder)]
        {
            if !fits {
                return Err(SetupKeyError::Generator { field: name });
            }
        }
        if key.tau_g2 == key.g2 {
            return Err(SetupKeyError::Trivial);
        }
        if key.is_insecure() != (key.tau_g2 == insecure.tau_g2) {
            return Err(SetupKeyError::KindMismatch);
        }
        Ok(key)
    }

    /// keccak256 of [`SetupKey::to_bytes`].
    pub fn digest(&self) -> [u8; 32] {
        keccak256(&[&self.to_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ceremony() -> SetupKey {
        SetupKey::ceremony((G2Affine::generator() * Fr::from(12345u64)).into_affine())
    }

    #[test]
    fn blinder_is_on_the_curve_and_fixed() {
        assert!(blinder().is_on_curve());
        let hex: String = encode_g1(&blinder()).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            hex,
            "0f1819b3430c90d0194629416d064ebc17fc953f45e62b45b2ff2df53ccc9989\
             08bd70ad175c26d067da20238af6259e0a445253e877d4e03eb5b36a8a6d914d"
        );
    }

    #[test]
    fn bytes_round_trip() {
        for key in [SetupKey::insecure(), ceremony()] {
            assert_eq!(SetupKey::from_bytes(&key.to_bytes()), Ok(key));
        }
        assert_ne!(SetupKey::insecure().digest(), ceremony().digest());
    }

    #[test]
    fn every_byte_of_a_key_is_checked() {
        let bytes = ceremony().to_bytes();
        for at in 0..bytes.len() {
            let mut bad = bytes;
            bad[at] ^= 1;
            assert!(SetupKey::from_bytes(&bad).is_err(), "byte {at}");
        }
        assert!(SetupKey::from_bytes(&bytes[1..]).is_err());
        assert!(SetupKey::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn kinds_and_generators_cannot_be_passed_off() {
        let refused = |key: SetupKey| SetupKey::from_bytes(&key.to_bytes()).expect_err("the key is bad");
        let (insecure, ceremony) = (SetupKey::insecure(), ceremony());
        assert_eq!(refused(SetupKey { kind: SetupKind::Ceremony, ..insecure }), SetupKeyError::KindMismatch);
        assert_eq!(refused(SetupKey { kind: SetupKind::Insecure, ..ceremony }), SetupKeyError::KindMismatch);
        assert_eq!(refused(SetupKey { tau_g2: ceremony.g2, ..ceremony }), SetupKeyError::Trivial);
        assert_eq!(
            refused(SetupKey { blinder: ceremony.g1, ..ceremony }),
            SetupKeyError::Generator { field: "blinder" }
        );
        assert_eq!(refused(SetupKey { g2: ceremony.tau_g2, ..ceremony }), SetupKeyError::Generator { field: "g2" });
    }
}
