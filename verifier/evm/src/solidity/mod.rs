//! Writes the contract that verifies the proofs of one halo2 circuit.
//!
//! [`generate`] turns a verifying key into Solidity source. The contract does what `halo2_axiom::plonk::verify_proof` with
//! `VerifierSHPLONK` does, over the transcript of [`transcript`](gradproof_verifier::protocol::wrap::transcript), but for the pairing, whose
//! two points it returns. Every size and position is known when it is written, so everything has its fixed word of memory,
//! and gates are straight lines of arithmetic.
//!
//! | module | holds |
//! |---|---|
//! | `shape` | what the contract needs to know of the verifying key |
//! | `graph` | arithmetic with shared sub-expressions, written as Yul |
//! | `constraints` | gates and permutation argument as such arithmetic |
//! | `opening` | which commitments are opened where, and the combination of all of them |
//! | `contract` | the source, section by section |
//! | `source` | lines, names and numbers of the source |
//!
//! # Soundness
//! The proof's points are checked to be on the curve and not at infinity, all numbers to be reduced; what is left of a
//! proof besides the equation that the caller checks has one encoding only.

mod constraints;
mod contract;
mod error;
mod graph;
mod opening;
mod shape;
mod source;

pub use error::GenerateError;
use halo2_axiom::halo2curves::bn256::G1Affine;
use halo2_axiom::plonk::VerifyingKey;

/// The Solidity source of a contract `Halo2Verifier` that implements `IHalo2Verifier` for the circuit of `key`, with
/// `instances` values in each instance column.
///
/// The source is a function of its arguments alone. It imports `./interfaces/IHalo2Verifier.sol`.
///
/// # Errors
/// The circuit has look-ups, selectors or challenges; `instances` do not fit the circuit; its degree was cut.
pub fn generate(key: &VerifyingKey<G1Affine>, instances: &[usize]) -> Result<String, GenerateError> {
    contract::write(&shape::Shape::new(key, instances)?)
}
