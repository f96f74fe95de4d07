//! What is proved: the arithmetic of training, the relations between its tensors, and their verifier over field elements.
pub mod architecture;
pub mod arithmetic;
pub mod poseidon;
