//! The circuit in which the argument is verified, and what it shares with the verifier.

pub mod convert;
