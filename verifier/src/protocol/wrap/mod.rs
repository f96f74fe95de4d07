//! What is the wrap's own on the verifying side: its keys, and the transcript of its halo2 proof.

pub mod key;
pub mod transcript;
