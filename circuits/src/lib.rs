//! What is proved: the arithmetic of training, the relations between its tensors, and their verifier over field elements.
//!
//! [`argument::verify`] is the whole field-side verifier. It is written once over an [`algebra::Algebra`], so that the same
//! source checks native field elements and, inside of a circuit, cells.

pub mod algebra;
pub mod architecture;
pub mod argument;
pub mod arithmetic;
pub mod check;
pub mod epoch;
pub mod lookup;
pub mod merge;
pub mod multilinear;
pub mod poseidon;
pub mod relations;
pub mod sumcheck;
pub mod tensor;
pub mod transcript;
pub mod wrap;
