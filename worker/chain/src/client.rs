//! Calls, transactions and deployments, one after the other.

use std::time::Duration;

use alloy::consensus::Transaction;
use alloy::network::{Ethereum, EthereumWallet, TransactionBuilder};
use alloy::primitives::{Address, B256, Bytes, TxHash, U64, keccak256};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use alloy::transports::{RpcError, TransportErrorKind};
use serde::Deserialize;
use tokio::runtime::{Builder, Runtime};

use super::{Artifact, ChainError};

/// How long a transaction may take into a block.
const INCLUSION: Duration = Duration::from_secs(120);
/// Pause between two questions for a receipt.
const POLL: Duration = Duration::from_millis(20);

/// A transaction may cost more than a node estimates by this part of it: between estimate and block time passes, and others act.
/// A word stored once more in the same second costs next to nothing, and a second later some thousands.
const SPARE_GAS: u64 = 4;

/// A node, and an account that pays for what is sent to it.
#[derive(Debug)]
pub struct Chain {
    runtime: Runtime,
    provider: DynProvider<Ethereum>,
    sender: Address,
    id: u64,
}

/// A contract that was just made.
#[derive(Clone, Copy, Debug)]
pub struct Deployed {
    /// Where it is.
    pub address: Address,
    /// What making it cost, in gas.
    pub gas: u64,
    /// The transaction that made it.
    pub transaction: TxHash,
}

/// A transaction that is in a block and succeeded.
#[derive(Clone, Debug)]
pub struct Sent {
    /// What it cost, in gas, call data included.
    pub gas: u64,
    /// What it might have cost: a quarter more than was estimated.
    pub gas_limit: u64,
    /// The receipt, with the events.
    pub receipt: TransactionReceipt,
}

/// A call of a contract, as a node traces it.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Call {
    /// The contract.
    #[serde(default)]
    pub to: Address,
    /// What it was given.
    pub input: Bytes,
    /// What it cost, the calls it made included.
    #[serde(rename = "gasUsed", deserialize_with = "quantity")]
    pub gas: u64,
    /// The calls it made, in order.
    #[serde(default)]
    pub calls: Vec<Call>,
}

/// A number as nodes write it.
fn quantity<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    U64::deserialize(deserializer).map(|number| number.to())
}

impl Chain {
    /// Connects to the node at `url`; `signer` pays.
    ///
    /// # Errors
    /// If `url` is no address, or the node does not answer.
    pub fn connect(url: &str, signer: PrivateKeySigner) -> Result<Self, ChainError> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| ChainError::System { what: "no runtime for requests", source })?;
        let parsed =
            url.parse().map_err(|error| ChainError::Url { url: url.to_owned(), message: format!("{error}") })?;
        let sender = signer.address();
        // The nonce is asked for each time: one that is counted here would be lost with every refused transaction.
        let provider = ProviderBuilder::default()
            .with_gas_estimation()
            .with_simple_nonce_management()
            .fetch_chain_id()
            .wallet(EthereumWallet::from(signer))
            .connect_http(parsed)
            .erased();
        let id = runtime.block_on(provider.get_chain_id()).map_err(refused)?;
        Ok(Self { runtime, provider, sender, id })
    }

    /// The chain id.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Who pays.
    pub fn sender(&self) -> Address {
        self.sender
    }

    /// Makes the contract with its constructor's encoded arguments.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] if the constructor refuses; [`ChainError::Unlinked`]; if the node refuses.
    pub fn deploy(&self, artifact: &Artifact, arguments: &[u8]) -> Result<Deployed, ChainError> {
        if let Some(link) = artifact.links.first() {
            return Err(ChainError::Unlinked { library: link.library.name.clone() });
        }
        let code = [&artifact.bytecode[..], arguments].concat();
        let Sent { receipt, .. } = self.transact(TransactionRequest::default().with_deploy_code(code))?;
        let address =
            receipt.contract_address.ok_or(ChainError::Receipt { hash: receipt.transaction_hash, what: "contract" })?;
        Ok(Deployed { address, gas: receipt.gas_used, transaction: receipt.transaction_hash })
    }

    /// Asks a contract, and changes nothing.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] if the contract refuses; if the node does.
    pub fn call<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return, ChainError> {
        let request = TransactionRequest::default().with_from(self.sender).with_to(to).with_input(call.abi_encode());
        let answer = self.runtime.block_on(async { self.provider.call(request).await }).map_err(refused)?;
        Ok(C::abi_decode_returns(&answer)?)
    }

    /// What a call would cost as a transaction of its own, in gas.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] if the contract refuses; if the node does.
    pub fn estimate<C: SolCall>(&self, to: Address, call: &C) -> Result<u64, ChainError> {
        let request = TransactionRequest::default().with_from(self.sender).with_to(to).with_input(call.abi_encode());
        self.runtime.block_on(async { self.provider.estimate_gas(request).await }).map_err(refused)
    }

    /// Sends a transaction to a contract, and waits until it is in a block.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] if the contract refuses, before anything is paid; if the node does.
    pub fn send<C: SolCall>(&self, to: Address, call: &C) -> Result<Sent, ChainError> {
        self.transact(TransactionRequest::default().with_to(to).with_input(call.abi_encode()))
    }

    /// Call data of a transaction as it is on the chain.
    ///
    /// # Errors
    /// If the node does not know it.
    pub fn input(&self, receipt: &TransactionReceipt) -> Result<Bytes, ChainError> {
        let hash = receipt.transaction_hash;
        let found = self.runtime.block_on(self.provider.get_transaction_by_hash(hash)).map_err(refused)?;
        Ok(found.ok_or(ChainError::Receipt { hash, what: "transaction" })?.input().clone())
    }

    /// The calls of a transaction, from its outermost on.
    ///
    /// # Errors
    /// The node does not trace transactions.
    pub fn trace(&self, receipt: &TransactionReceipt) -> Result<Call, ChainError> {
        let arguments = (receipt.transaction_hash, serde_json::json!({ "tracer": "callTracer" }));
        let traced = self.provider.raw_request("debug_traceTransaction".into(), arguments);
        self.runtime.block_on(traced).map_err(refused)
    }

    /// The contract that a transaction made, and the creation code with arguments that made it.
    ///
    /// # Errors
    /// If the node does not know the transaction, or it made no contract.
    pub fn creation(&self, hash: TxHash) -> Result<(Address, Bytes), ChainError> {
        let receipt = self.runtime.block_on(self.provider.get_transaction_receipt(hash)).map_err(refused)?;
        let receipt = receipt.ok_or(ChainError::Receipt { hash, what: "receipt" })?;
        let address = receipt.contract_address.filter(|_| receipt.status());
        let address = address.ok_or(ChainError::Receipt { hash, what: "contract" })?;
        Ok((address, self.input(&receipt)?))
    }

    /// keccak256 of the code at an address, zero where there is none.
    ///
    /// # Errors
    /// If the node does not answer.
    pub fn code_hash(&self, address: Address) -> Result<B256, ChainError> {
        let code = self.runtime.block_on(async { self.provider.get_code_at(address).await }).map_err(refused)?;
        Ok(if code.is_empty() { B256::ZERO } else { keccak256(&code) })
    }

    /// Number of the newest block.
    ///
    /// # Errors
    /// If the node does not answer.
    pub fn block(&self) -> Result<u64, ChainError> {
        self.runtime.block_on(self.provider.get_block_number()).map_err(refused)
    }

    fn transact(&self, request: TransactionRequest) -> Result<Sent, ChainError> {
        let request = request.with_from(self.sender);
        let estimate = self.runtime.block_on(async { self.provider.estimate_gas(request.clone()).await });
        let estimate = estimate.map_err(refused)?;
        let gas_limit = estimate + estimate / SPARE_GAS;
        let request = request.with_gas_limit(gas_limit);
        let receipt = self.runtime.block_on(async {
            let hash = *self.provider.send_transaction(request).await.map_err(refused)?.tx_hash();
            let late = |_| ChainError::Pending { hash, within: INCLUSION };
            tokio::time::timeout(INCLUSION, self.receipt(hash)).await.map_err(late)?
        })?;
        // A transaction that would revert is refused when its gas is estimated; this one was overtaken.
        let sent = Sent { gas: receipt.gas_used, gas_limit, receipt };
        if sent.receipt.status() { Ok(sent) } else { Err(ChainError::Reverted { data: Bytes::new() }) }
    }

    /// The receipt of a transaction, as soon as there is one.
    async fn receipt(&self, hash: TxHash) -> Result<TransactionReceipt, ChainError> {
        loop {
            match self.provider.get_transaction_receipt(hash).await.map_err(refused)? {
                Some(receipt) => return Ok(receipt),
                None => tokio::time::sleep(POLL).await,
            }
        }
    }
}

fn refused(error: RpcError<TransportErrorKind>) -> ChainError {
    match error.as_error_resp().and_then(|response| response.as_revert_data()) {
        Some(data) => ChainError::Reverted { data },
        None => ChainError::Node(error.to_string()),
    }
}
