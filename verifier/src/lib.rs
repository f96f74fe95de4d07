//! gradproof.
pub mod check;
pub mod hyperkzg;
pub mod keccak;
pub mod points;
pub mod setup;
