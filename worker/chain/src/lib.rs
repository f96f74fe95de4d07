//! The chain: the node of the local one, the compiler, deployment, and calls of the contracts.
//!
//! What talks to a node is asynchronous and is given a [`Client`]; [`Chain`] is its face for programs that wait. A chain of
//! another kind is a second [`Settlement`].
//!
//! A program that runs for long trusts no single node: it reads [`Endpoints`] at one block and compares, follows the chain with a
//! [`Ring`], and sends through a [`Sender`].

mod anvil;
mod bindings;
mod blocking;
mod client;
mod client_at;
mod compiler;
mod endpoint;
mod error;
mod http;
mod keystore;
mod maker;
pub mod market;
mod reader;
mod ring;
mod segment_gas;
mod sender;
mod settlement;
mod verifiers;

pub use anvil::{Anvil, LOCAL_CHAIN};
pub use bindings::reason;
pub use blocking::Chain;
pub use client::{Call, Client, Deployed, Moment, Sent};
pub use client_at::ClientAt;
pub use compiler::{Artifact, Compiler, ContractName, Link};
pub use endpoint::{
    Agreement, Common, Endpoint, Endpoints, Fees, Header, Heads, HttpEndpoint, Included, Said, Seen, Sight,
};
pub use error::ChainError;
pub use keystore::{canonical_signature, new_key, read_key, sign_digest, signer_of, store_key};
pub use maker::Maker;
pub use reader::{At, Reader};
pub use ring::{Ring, Step};
pub use segment_gas::SegmentGas;
pub use sender::{
    Attempt, Book, Change, Intent, Journal, Listed, MemoryJournal, Policy, Price, Record, Sender, Status, Unsigned,
    Update,
};
pub use settlement::Settlement;
pub use verifiers::VerifierCode;

pub use alloy::primitives::{Address, B256, Bytes, U256};
pub use alloy::rpc::types::Log;
pub use alloy::signers::local::PrivateKeySigner;
pub use alloy::sol_types::{SolCall, SolEvent, SolValue};
pub use gradproof_evm::bindings::{IHalo2Verifier as Halo2Verifier, Segment, SegmentKey, SegmentVerifier};
