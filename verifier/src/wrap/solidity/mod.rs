//! Writes the contract that verifies the proofs of one halo2 circuit.
//!
//! [`generate`] turns a verifying key into Solidity source. The contract does what `halo2_axiom::plonk::verify_proof` with
//! `VerifierSHPLONK` does, over the transcript of [`transcript`](crate::wrap::transcript), but for the pairing, whose
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
mod graph;
mod opening;
mod shape;
mod source;

use halo2_axiom::halo2curves::bn256::G1Affine;
use halo2_axiom::plonk::VerifyingKey;

/// Why no contract can be written for a verifying key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The circuit uses something that the contract does not do.
    #[error("a contract cannot verify a circuit with {feature}")]
    Unsupported {
        /// What it uses.
        feature: &'static str,
    },
    /// The numbers of instances are not one for each instance column.
    #[error("the circuit has {expected} instance columns, got the lengths of {got}")]
    InstanceColumns {
        /// Instance columns of the circuit.
        expected: usize,
        /// Lengths given.
        got: usize,
    },
    /// There are more instances than usable rows.
    #[error("{got} instances in a column of {expected} usable rows")]
    TooManyInstances {
        /// Rows that are not for blinding.
        expected: usize,
        /// Instances given.
        got: usize,
    },
    /// The degree of the verifying key is below that of a gate, so that no proof could be right.
    ///
    /// halo2-axiom lowers the degree of a circuit to 5, unless `ConstraintSystem::set_minimum_degree` raises it.
    #[error("a gate has degree {got}, the verifying key allows {expected}; set the minimum degree of the circuit")]
    Degree {
        /// Degree for which the quotient has enough pieces.
        expected: usize,
        /// Degree of the gate.
        got: usize,
    },
    /// One column is asked for twice at the same row.
    #[error("two rotations of one column are the same row")]
    Collision,
}

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
