//! The contracts, on a chain of their own.

mod accumulate;
mod chain;
mod circuits;
mod proofs;
