//! The prover's answers to the argument: one sumcheck for each kind of relation.

pub mod lookup;
pub mod merge;
pub mod party;
pub mod pointwise;
pub mod products;
