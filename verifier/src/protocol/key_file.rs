//! What a verifier needs besides the statement where the set-up is not the insecure one: a file of a few kilobytes.

use ark_bn254::G1Affine;
use gradproof_circuits::architecture::Architecture;

use crate::protocol::hex;
use crate::protocol::keccak::keccak256;
use crate::protocol::key::{KeyError, VerifyingKey, key_digest};
use crate::protocol::points::{G1_BYTES, PointError, decode_g1, encode_g1};
use crate::protocol::setup::{SETUP_KEY_BYTES, SetupKey, SetupKeyError};
use crate::protocol::wrap::key::{WrapKey, WrapKeyError};

/// First bytes of a key file.
pub const MAGIC: &[u8; 4] = b"GPVK";
/// Version of the encoding.
pub const VERSION: u8 = 2;
/// Largest key file, in bytes: the table of 2^16 entries in columns of 2^4.
pub const MAX_BYTES: usize = MAGIC.len() + 2 + SETUP_KEY_BYTES + 3 * WrapKey::encoded_bytes() + G1_BYTES * (1 << 12);

/// The verifier's part of a set-up, and commitments to the public tables under it.
///
/// # Soundness
/// Whoever hands it out is trusted to have committed to the right tables; anyone with the powers of τ can recompute them.
/// The verifying key's digest in the statement binds all of it.
#[derive(Clone, Debug)]
pub struct KeyFile {
    /// The verifier's part of the set-up.
    pub setup: SetupKey,
    /// Commitments to the columns of the exponential table, blinding zero.
    pub tables: Vec<G1Affine>,
    /// Keys of the circuits, for wrapped proofs.
    pub wraps: Option<[WrapKey; 3]>,
}

/// Why bytes are not the key of a statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It does not begin as a key file of this version does, or is truncated, extended or too long.
    #[error("not a key file of version {VERSION}")]
    Format,
    /// It is another key than the one that the statement names.
    #[error(
        "it is another key than the statement's: its digest is {}, expected {}",
        hex::encode(got),
        hex::encode(expected)
    )]
    Digest {
        /// The statement's.
        expected: [u8; 32],
        /// That of the file, for the statement's shape.
        got: [u8; 32],
    },
    /// The set-up's key is refused.
    #[error(transparent)]
    Setup(#[from] SetupKeyError),
    /// A circuit's key is refused.
    #[error(transparent)]
    Wrap(#[from] WrapKeyError),
    /// A commitment is not a point.
    #[error("a commitment to a table: {0}")]
    Point(#[from] PointError),
    /// It is not the key of this shape.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl KeyFile {
    /// What verifiers need of `key` besides the statement.
    pub fn of(key: &VerifyingKey) -> Self {
        Self { setup: key.setup, tables: key.tables.clone(), wraps: key.wraps().cloned() }
    }

    /// `magic ‖ version ‖ number of circuits' keys, 0 or 3 ‖ set-up key ‖ circuits' keys ‖ tables`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([VERSION, self.wraps.as_ref().map_or(0, |wraps| wraps.len() as u8)]);
        bytes.extend(self.setup.to_bytes());
        bytes.extend(self.wraps.iter().flatten().flat_map(WrapKey::to_bytes));
        bytes.extend(self.tables.iter().flat_map(encode_g1));
        bytes
    }
}

/// A key file cut into its parts, of which none has been decoded yet: that of a circuit of 2^18 rows would take 0.8 GB.
#[derive(Clone, Copy, Debug)]
pub struct EncodedKey<'a> {
    setup: &'a [u8],
    circuits: &'a [u8],
    tables: &'a [u8],
}

impl<'a> EncodedKey<'a> {
    /// Cuts what [`KeyFile::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`KeyFileError::Format`].
    pub fn new(bytes: &'a [u8]) -> Result<Self, KeyFileError> {
        let (start, rest) = bytes.split_at_checked(MAGIC.len() + 2).ok_or(KeyFileError::Format)?;
        let (setup, rest) = rest.split_at_checked(SETUP_KEY_BYTES).ok_or(KeyFileError::Format)?;
        let circuits = match start.strip_prefix(&[&MAGIC[..], &[VERSION]].concat()[..]) {
            Some([circuits @ (0 | 3)]) if bytes.len() <= MAX_BYTES => usize::from(*circuits),
            _ => return Err(KeyFileError::Format),
        };
        let (circuits, tables) =
            rest.split_at_checked(circuits * WrapKey::encoded_bytes()).ok_or(KeyFileError::Format)?;
        if !tables.len().is_multiple_of(G1_BYTES) {
            return Err(KeyFileError::Format);
        }
        Ok(Self { setup, circuits, tables })
    }

    /// The digest that the verifying key of a shape has if these are its bytes.
    pub fn digest(&self, architecture: &Architecture, column_vars: usize) -> [u8; 32] {
        let circuits = self.circuits.chunks(WrapKey::encoded_bytes());
        let circuits: Vec<u8> = circuits.flat_map(|circuit| keccak256(&[circuit])).collect();
        key_digest(&keccak256(&[self.setup]), column_vars, architecture, self.tables, &circuits)
    }

    /// The verifying key of a shape, if its digest is `stated`. Circuits' keys are decoded only if they have the size of the
    /// shape's circuits.
    ///
    /// # Errors
    /// [`KeyFileError::Digest`] before anything is decoded; whatever is wrong with a part.
    pub fn decode(
        self,
        architecture: &Architecture,
        column_vars: usize,
        stated: Option<&[u8; 32]>,
    ) -> Result<VerifyingKey, KeyFileError> {
        if let Some(expected) = stated {
            let got = self.digest(architecture, column_vars);
            if got != *expected {
                return Err(KeyFileError::Digest { expected: *expected, got });
            }
        }
        let tables = self.tables.chunks(G1_BYTES).map(decode).collect::<Result<_, _>>()?;
        let setup = SetupKey::from_bytes(self.setup)?;
        let key = VerifyingKey::new(architecture, column_vars, setup, tables)?;
        if self.circuits.is_empty() {
            return Ok(key);
        }
        let bytes = self.circuits.chunks(WrapKey::encoded_bytes());
        let wraps: Vec<WrapKey> = bytes
            .zip(key.circuit_bits()?)
            .map(|(bytes, size_bits)| WrapKey::from_bytes(bytes, size_bits, &setup.tau_g2))
            .collect::<Result<_, _>>()?;
        Ok(key.with_wraps(wraps.try_into().map_err(|_| KeyFileError::Format)?))
    }
}

/// A commitment without blinding: to a column of zeros, as the end of the table may be, it is the point at infinity.
fn decode(bytes: &[u8]) -> Result<G1Affine, PointError> {
    if bytes == [0; G1_BYTES] { Ok(G1Affine::identity()) } else { decode_g1(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::G2Affine;
    use ark_ec::{AffineRepr, CurveGroup};
    use gradproof_circuits::network::precision::Precision;
    use proptest::prelude::*;

    fn example() -> KeyFile {
        let tau_g2 = (G2Affine::generator() * ark_bn254::Fr::from(12345u64)).into_affine();
        let tables = vec![G1Affine::generator(), G1Affine::identity()];
        KeyFile { setup: SetupKey::ceremony(tau_g2), tables, wraps: None }
    }

    #[test]
    fn bytes_are_cut_into_their_parts_and_nothing_else_is_read() {
        let bytes = example().to_bytes();
        let cut = EncodedKey::new(&bytes).expect("a key file");
        assert_eq!([cut.setup, cut.circuits, cut.tables].concat(), bytes[MAGIC.len() + 2..]);
        for length in 0..bytes.len() {
            if !(bytes.len() - length).is_multiple_of(G1_BYTES) {
                assert!(EncodedKey::new(&bytes[..length]).is_err(), "{length}");
            }
        }
        assert!(EncodedKey::new(&[&bytes[..], &[0]].concat()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..800)) {
            let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
            let architecture = Architecture::perceptron(&[3, 2], 2, 2, precision).expect("it is possible");
            let bytes = [&MAGIC[..], &[VERSION, 0], &bytes].concat();
            let decoded = EncodedKey::new(&bytes).and_then(|key| key.decode(&architecture, 10, None));
            prop_assert!(decoded.is_err());
        }
    }
}
