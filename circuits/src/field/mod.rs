//! What the argument computes with: the scalar field of BN254, as numbers and as cells of a circuit.

pub mod algebra;
pub mod check;
pub mod multilinear;
pub mod poseidon;
