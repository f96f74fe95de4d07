//! Verifies proofs of training: statement, argument and opening. Pure: no files, no clock, no network; never panics on what a
//! prover sends.

#![warn(clippy::indexing_slicing)]

pub mod protocol;
pub mod soundness;
pub mod verify;
pub mod verify_job;
