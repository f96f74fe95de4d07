//! Endpoints: what a node of the chain answers, with nothing about who signs; and what several of them agree on.
//!
//! An endpoint can be wrong, late or a liar. Everything is therefore asked at one block, which its hash names, of each endpoint apart,
//! and compared. Nothing here takes the first answer.

mod advance;
mod agreement;
mod gather;
mod http;
mod look;
mod member;
mod rest;
mod rpc;
mod set;
mod sight;

pub use agreement::{Agreement, Said};
pub(crate) use gather::{gather, numbered};
pub use http::HttpEndpoint;
pub use set::Endpoints;
pub use sight::{Common, Heads, Seen, Sight};

use std::fmt::Debug;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::rpc::types::Log;
use async_trait::async_trait;

use crate::{ChainError, Moment};

/// A block, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Hash of the block before it.
    pub parent: B256,
    /// Its time, in seconds since 1970.
    pub time: u64,
    /// Its base fee, in wei for a unit of gas; 0 where the chain has none.
    pub base: u128,
}

impl Header {
    /// Its time and number.
    pub fn moment(&self) -> Moment {
        Moment { time: self.time, block: self.number }
    }
}

/// Where a transaction stands in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Included {
    /// Hash of the block.
    pub block: B256,
    /// Number of the block.
    pub number: u64,
    /// Whether it did what it was sent for; it reverted otherwise.
    pub success: bool,
    /// What it cost, in gas.
    pub gas: u64,
    /// What a unit of it cost, in wei.
    #[serde(default)]
    pub price: u128,
}

/// What gas costs.
///
/// # Units
/// Wei for a unit of gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// The base fee of the newest block.
    pub base: u128,
    /// What is offered to whoever makes the block, on top of it.
    pub tip: u128,
}

/// A node of the chain.
///
/// What is asked `at` a block is asked by its hash: an endpoint that lacks that block fails, and does not answer with nothing.
///
/// # Errors
/// Of every request: the endpoint does not answer in time, or refuses, or its answer is about something else.
///
/// # Cancel safety
/// All but [`Self::broadcast`] can be dropped. A transaction whose broadcast is dropped may have been sent.
#[async_trait]
pub trait Endpoint: Debug + Send + Sync {
    /// What it is called in messages: its address without credentials.
    fn name(&self) -> &str;

    /// How many requests were sent to it; 0 where nobody counts.
    fn requests(&self) -> u64 {
        0
    }

    /// The id of its chain.
    async fn chain_id(&self) -> Result<u64, ChainError>;

    /// Its newest block.
    async fn head(&self) -> Result<Header, ChainError>;

    /// The block with a number on its chain; `None` if it has none.
    async fn header_by_number(&self, number: u64) -> Result<Option<Header>, ChainError>;

    /// The block with a hash; `None` if it has none.
    async fn header_by_hash(&self, hash: B256) -> Result<Option<Header>, ChainError>;

    /// What a contract answers.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] if the contract refuses.
    async fn call(&self, at: B256, from: Address, to: Address, input: Bytes) -> Result<Bytes, ChainError>;

    /// What these contracts wrote in a block, in order.
    async fn logs(&self, at: B256, addresses: &[Address]) -> Result<Vec<Log>, ChainError>;

    /// What these contracts wrote in the blocks from one number to another, in order; nothing, perhaps, of blocks that it lacks.
    async fn logs_between(&self, from: u64, until: u64, addresses: &[Address]) -> Result<Vec<Log>, ChainError>;

    /// How many transactions an account has sent, those of the block included.
    async fn nonce(&self, account: Address, at: B256) -> Result<u64, ChainError>;

    /// What an account has, in wei.
    async fn balance(&self, account: Address, at: B256) -> Result<U256, ChainError>;

    /// keccak256 of the code at an address, zero where there is none.
    async fn code_hash(&self, address: Address, at: B256) -> Result<B256, ChainError>;

    /// Where a transaction stands; `None` if it is in no block.
    async fn receipt(&self, transaction: B256) -> Result<Option<Included>, ChainError>;

    /// Hands over a signed transaction. What this returns says nothing about whether it lands.
    async fn broadcast(&self, raw: &Bytes) -> Result<(), ChainError>;

    /// What a transaction would cost on the newest block, in gas.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] if the contract refuses.
    async fn estimate(&self, from: Address, to: Address, value: U256, input: Bytes) -> Result<u64, ChainError>;

    /// What it advises to offer to whoever makes the block, in wei for a unit of gas.
    async fn tip(&self) -> Result<u128, ChainError>;
}
