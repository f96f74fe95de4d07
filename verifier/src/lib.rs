//! Verifies proofs of training: statement, argument and opening. Pure but for [`command`]: no files, no clock,
//! no network; never panics on what a prover sends.

pub mod command;
pub mod contract;
pub mod hex;
pub mod hyperkzg;
pub mod job;
pub mod keccak;
pub mod key;
pub mod key_file;
pub mod merkle;
pub mod part;
pub mod points;
pub mod powers;
pub mod profile;
pub mod proof;
pub mod setup;
pub mod soundness;
pub mod statement;
pub mod verify;
pub mod verify_job;
pub mod wrap;
