//! Questions to contracts, all at one block.

use std::future::Future;
use std::sync::Arc;

use alloy::primitives::{Address, B256};
use alloy::rpc::types::Log;
use alloy::sol_types::SolCall;

use super::{ChainError, Endpoint, Header, Moment};

/// Who answers for contracts as they were at one block, whatever happens meanwhile.
pub trait Reader: Sync {
    /// Asks a contract.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] if the contract refuses; if the node does not answer.
    fn ask<C: SolCall<Return: Send> + Sync>(
        &self,
        to: Address,
        call: &C,
    ) -> impl Future<Output = Result<C::Return, ChainError>> + Send;

    /// The block, and its time.
    fn moment(&self) -> Moment;
}

/// An endpoint at a block.
#[derive(Clone, Debug)]
pub struct At {
    endpoint: Arc<dyn Endpoint>,
    header: Header,
}

impl At {
    /// `endpoint` at the block `header`.
    pub fn new(endpoint: Arc<dyn Endpoint>, header: Header) -> Self {
        Self { endpoint, header }
    }

    /// The block.
    pub fn header(&self) -> Header {
        self.header
    }

    /// Who answers.
    pub fn endpoint(&self) -> &dyn Endpoint {
        &*self.endpoint
    }

    /// How many transactions an account has sent.
    ///
    /// # Errors
    /// If the endpoint does not answer, or lacks the block.
    pub async fn nonce(&self, account: Address) -> Result<u64, ChainError> {
        self.endpoint.nonce(account, self.header.hash).await
    }

    /// What these contracts wrote in the block.
    ///
    /// # Errors
    /// If the endpoint does not answer, or lacks the block.
    pub async fn logs(&self, addresses: &[Address]) -> Result<Vec<Log>, ChainError> {
        self.endpoint.logs(self.header.hash, addresses).await
    }

    /// What these contracts wrote from one block to another, which is this one or before it.
    ///
    /// # Errors
    /// If the endpoint does not answer; [`ChainError::Beyond`] if the last one comes later than this one.
    ///
    /// # Soundness
    /// Some endpoints answer with nothing about blocks that they lack: [`Self::header_at`] says whether it has one.
    pub async fn logs_between(&self, from: u64, until: u64, addresses: &[Address]) -> Result<Vec<Log>, ChainError> {
        self.not_beyond(until)?;
        self.endpoint.logs_between(from, until, addresses).await
    }

    /// The block with a number, which is this one or before it.
    ///
    /// # Errors
    /// If the endpoint does not answer, or lacks the block; [`ChainError::Beyond`] if it comes later than this one.
    pub async fn header_at(&self, number: u64) -> Result<Header, ChainError> {
        self.not_beyond(number)?;
        if number == self.header.number {
            return Ok(self.header);
        }
        let header = self.endpoint.header_by_number(number).await?;
        header.ok_or_else(|| ChainError::NoBlockNumber { endpoint: self.endpoint.name().to_owned(), number })
    }

    fn not_beyond(&self, block: u64) -> Result<(), ChainError> {
        let newest = self.header.number;
        if block > newest { Err(ChainError::Beyond { block, newest }) } else { Ok(()) }
    }

    /// keccak256 of the code at an address, zero where there is none.
    ///
    /// # Errors
    /// If the endpoint does not answer, or lacks the block.
    pub async fn code_hash(&self, address: Address) -> Result<B256, ChainError> {
        self.endpoint.code_hash(address, self.header.hash).await
    }
}

impl Reader for At {
    async fn ask<C: SolCall<Return: Send> + Sync>(&self, to: Address, call: &C) -> Result<C::Return, ChainError> {
        // The views of the market are the same for everyone.
        let answer = self.endpoint.call(self.header.hash, Address::ZERO, to, call.abi_encode().into()).await?;
        Ok(C::abi_decode_returns(&answer)?)
    }

    fn moment(&self) -> Moment {
        self.header.moment()
    }
}
