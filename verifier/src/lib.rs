//! Verifies proofs of training: statement, argument and opening. Pure: no files, no clock, no network; never panics on what
//! a prover sends.

pub mod check;
pub mod hyperkzg;
pub mod keccak;
pub mod key;
pub mod merkle;
pub mod points;
pub mod proof;
pub mod setup;
pub mod soundness;
pub mod statement;
pub mod verify;
