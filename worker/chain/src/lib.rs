//! The chain: the node of the local one, the compiler, deployment, and calls of the contracts.
//!
//! Calls block. A runtime of one thread drives each request to its end inside, so that nothing of it shows outside.

mod anvil;
mod bindings;
mod client;
mod compiler;
mod error;
mod ledger;
pub mod market;

pub use anvil::Anvil;
pub use bindings::reason;
pub use client::{Call, Chain, Deployed, Sent};
pub use compiler::{Artifact, Compiler, Link, Source};
pub use error::ChainError;
pub use ledger::{Contracts, OpenJob, SegmentGas};

pub use alloy::primitives::utils::format_ether;
pub use alloy::primitives::{Address, B256, U256};
pub use alloy::signers::local::PrivateKeySigner;
pub use alloy::sol_types::{SolCall, SolValue};
pub use gradproof_evm::bindings::{
    IHalo2Verifier as Halo2Verifier, Segment, SegmentKey, SegmentLedger, SegmentVerifier, Terms,
};
