//! The chain: the node of the local one, the compiler, deployment, and calls of the contracts.
//!
//! What talks to a node is asynchronous and is given a [`Client`]; [`Chain`] is its face for programs that wait. A chain of
//! another kind is a second [`Settlement`].

mod anvil;
mod bindings;
mod blocking;
mod client;
mod compiler;
mod error;
pub mod market;
mod segment_gas;
mod settlement;
mod verifiers;

pub use anvil::{Anvil, LOCAL_CHAIN};
pub use bindings::reason;
pub use blocking::Chain;
pub use client::{Call, Client, Deployed, Moment, Sent};
pub use compiler::{Artifact, Compiler, ContractName, Link};
pub use error::ChainError;
pub use segment_gas::SegmentGas;
pub use settlement::Settlement;
pub use verifiers::VerifierCode;

pub use alloy::primitives::{Address, B256, U256};
pub use alloy::signers::local::PrivateKeySigner;
pub use alloy::sol_types::{SolCall, SolValue};
pub use gradproof_evm::bindings::{IHalo2Verifier as Halo2Verifier, Segment, SegmentKey, SegmentVerifier};
