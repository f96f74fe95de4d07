//! What is the wrap's own on the verifying side: the transcript of its halo2 proof, and the contract that verifies it.

pub mod solidity;
pub mod transcript;
