//! What wrapped proofs are checked with: the verifying keys of the circuits.

use std::sync::Arc;

use ark_bn254::{Fr, G2Affine};
use gradproof_circuits::argument::Reduced;
use gradproof_circuits::program::Publics;
use gradproof_circuits::relations::Relations;
use gradproof_circuits::wrap::circuit::{MAX_SIZE_BITS, WrapCircuit, instances};
use gradproof_circuits::wrap::columns::{CONSTANTS, SELECTORS};
use gradproof_circuits::wrap::convert::to_halo2;
use gradproof_circuits::wrap::keys::{self, Params, WrapVerifyingKey};
use halo2_axiom::SerdeFormat;
use halo2_axiom::halo2curves::bn256::Bn256;
use halo2_axiom::plonk::verify_proof;
use halo2_axiom::poly::kzg::commitment::KZGCommitmentScheme;
use halo2_axiom::poly::kzg::multiopen::VerifierSHPLONK;
use halo2_axiom::poly::kzg::strategy::SingleStrategy;

use super::transcript::ProofTranscript;
use crate::protocol::keccak::keccak256;

/// Bytes before the commitments of an encoded key: version, k, whether selectors are compressed, fixed columns.
const HEADER_BYTES: usize = 10;
/// Bytes of an encoded commitment.
const POINT_BYTES: usize = 32;

/// Why there is no such key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WrapKeyError {
    /// The circuit has more rows than any reference string in use.
    #[error("the wrap circuit of this shape needs 2^{got} rows, at most 2^{MAX_SIZE_BITS} work")]
    TooLarge {
        /// Binary logarithm of its rows.
        got: u32,
    },
    /// The shape has too many columns, or the circuit library refuses.
    #[error("the keys of the wrap circuit cannot be made: use longer columns, or core proofs")]
    Circuit,
    /// The bytes are a key of another circuit.
    #[error("the key of a wrap circuit of 2^{got} rows, expected one of 2^{expected}")]
    Size {
        /// Binary logarithm of the circuit's rows.
        expected: u32,
        /// What the key says.
        got: u32,
    },
    /// The bytes are not a key of a wrap circuit.
    #[error("not the verifying key of a wrap circuit")]
    Encoding,
}

/// The circuit of `relations` without a witness, and the binary logarithm of its rows.
///
/// # Errors
/// It is too large.
pub fn circuit(relations: &Relations) -> Result<(WrapCircuit, u32), WrapKeyError> {
    let circuit = WrapCircuit::blank(relations).map_err(|_| WrapKeyError::Circuit)?;
    let size_bits = circuit.size_bits();
    if size_bits > MAX_SIZE_BITS {
        return Err(WrapKeyError::TooLarge { got: size_bits });
    }
    Ok((circuit, size_bits))
}

/// The verifying key of the circuit of one subject.
#[derive(Clone, Debug)]
pub struct WrapKey {
    halo2: Arc<WrapVerifyingKey>,
    params: Arc<Params>,
    bytes: Vec<u8>,
}

impl WrapKey {
    /// Takes the key that halo2 made for a circuit of `2^size_bits` rows.
    pub fn new(halo2: WrapVerifyingKey, size_bits: u32, tau_g2: &G2Affine) -> Self {
        let bytes = halo2.to_bytes(SerdeFormat::Processed);
        Self { halo2: Arc::new(halo2), params: Arc::new(keys::verifier_params(size_bits, tau_g2)), bytes }
    }

    /// Binary logarithm of the circuit's rows.
    pub fn size_bits(&self) -> u32 {
        self.halo2.get_domain().k()
    }

    /// The key as halo2 knows it.
    pub fn halo2(&self) -> &WrapVerifyingKey {
        &self.halo2
    }

    /// The key as bytes: header, then the commitments to fixed columns and permutation, compressed.
    pub fn to_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What [`Self::to_bytes`] gave for a circuit of `2^size_bits` rows.
    ///
    /// # Errors
    /// [`WrapKeyError::Encoding`], or [`WrapKeyError::Size`]; nothing is allocated before the header is known to be that of a
    /// wrap circuit of this size.
    pub fn from_bytes(bytes: &[u8], size_bits: u32, tau_g2: &G2Affine) -> Result<Self, WrapKeyError> {
        let (&[version, k0, k1, k2, k3, compressed, ref fixed @ ..], points) =
            bytes.split_first_chunk::<HEADER_BYTES>().ok_or(WrapKeyError::Encoding)?;
        let got = u32::from_le_bytes([k0, k1, k2, k3]);
        let columns = u32::from_le_bytes(*fixed) as usize;
        if version != 2 || compressed > 1 || columns != CONSTANTS + SELECTORS {
            return Err(WrapKeyError::Encoding);
        }
        if got != size_bits {
            return Err(WrapKeyError::Size { expected: size_bits, got });
        }
        if points.len() != Self::encoded_bytes() - HEADER_BYTES {
            return Err(WrapKeyError::Encoding);
        }
        let halo2 = keys::read_verifying_key(bytes, SerdeFormat::Processed).map_err(|_| WrapKeyError::Encoding)?;
        let key = Self::new(halo2, size_bits, tau_g2);
        if key.bytes != bytes { Err(WrapKeyError::Encoding) } else { Ok(key) }
    }

    /// Bytes of an encoded key.
    pub const fn encoded_bytes() -> usize {
        // Fixed columns, then one commitment for each column that copies may tie: the advice.
        HEADER_BYTES + (CONSTANTS + SELECTORS + gradproof_circuits::wrap::columns::ADVICE) * POINT_BYTES
    }

    /// keccak256 of [`Self::to_bytes`].
    pub fn digest(&self) -> [u8; 32] {
        keccak256(&[&self.bytes])
    }

    /// True if `proof` shows that the argument over `publics` comes to `reduced`, a point of `column_vars` coordinates. Trailing
    /// bytes are refused.
    ///
    /// # Soundness
    /// One public input more than the circuit has would be added to a row of it (see [`instances`]), so another number of
    /// coordinates is refused here.
    pub fn verify(&self, column_vars: usize, publics: &Publics<Fr>, reduced: &Reduced<Fr>, proof: &[u8]) -> bool {
        if reduced.point.len() != column_vars {
            return false;
        }
        let instances: Vec<_> = instances(publics, reduced).into_iter().map(to_halo2).collect();
        let mut transcript = ProofTranscript::new(proof);
        let verdict = verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
            &self.params,
            &self.halo2,
            SingleStrategy::new(&self.params),
            &[&[&instances]],
            &mut transcript,
        );
        verdict.is_ok() && transcript.into_stream().is_empty()
    }
}
