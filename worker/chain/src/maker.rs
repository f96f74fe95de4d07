//! Who makes contracts: a client of a chain, or a chain that is simulated.

use std::future::Future;

use alloy::primitives::{Address, B256};
use alloy::sol_types::SolCall;

use crate::{Artifact, ChainError, Client, Deployed};

/// Makes contracts, and asks them at the newest block.
pub trait Maker: Sync {
    /// The chain id.
    fn id(&self) -> u64;

    /// Who pays.
    fn sender(&self) -> Address;

    /// Number of the newest block.
    ///
    /// # Errors
    /// If the chain does not answer.
    fn block(&self) -> impl Future<Output = Result<u64, ChainError>> + Send;

    /// Makes the contract with its constructor's encoded arguments.
    ///
    /// # Errors
    /// If the constructor or the chain refuses.
    fn deploy(
        &self,
        artifact: &Artifact,
        arguments: &[u8],
    ) -> impl Future<Output = Result<Deployed, ChainError>> + Send;

    /// Asks a contract, and changes nothing.
    ///
    /// # Errors
    /// If the contract or the chain refuses.
    fn call<C: SolCall<Return: Send> + Sync>(
        &self,
        to: Address,
        call: &C,
    ) -> impl Future<Output = Result<C::Return, ChainError>> + Send;

    /// keccak256 of the code at an address, zero where there is none.
    ///
    /// # Errors
    /// If the chain does not answer.
    fn code_hash(&self, address: Address) -> impl Future<Output = Result<B256, ChainError>> + Send;
}

impl Maker for Client {
    fn id(&self) -> u64 {
        Self::id(self)
    }

    fn sender(&self) -> Address {
        Self::sender(self)
    }

    async fn block(&self) -> Result<u64, ChainError> {
        Self::block(self).await
    }

    async fn deploy(&self, artifact: &Artifact, arguments: &[u8]) -> Result<Deployed, ChainError> {
        Self::deploy(self, artifact, arguments).await
    }

    async fn call<C: SolCall<Return: Send> + Sync>(&self, to: Address, call: &C) -> Result<C::Return, ChainError> {
        Self::call(self, to, call).await
    }

    async fn code_hash(&self, address: Address) -> Result<B256, ChainError> {
        Self::code_hash(self, address).await
    }
}
