//! What is the wrap's own on the verifying side: its keys, the transcript of its halo2 proof, and the contract that verifies it.

pub mod key;
pub mod solidity;
pub mod transcript;
