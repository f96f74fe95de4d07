//! Calls, transactions and deployments, one after the other.

use std::time::Duration;

use alloy::consensus::Transaction;
use alloy::eips::BlockId;
use alloy::network::{Ethereum, EthereumWallet, TransactionBuilder};
use alloy::primitives::{Address, B256, Bytes, TxHash, U64, keccak256};
use alloy::providers::{DynProvider, PendingTransactionError, Provider, ProviderBuilder, WatchTxError};
use alloy::rpc::client::RpcClient;
use alloy::rpc::types::{Filter, Log, TransactionReceipt, TransactionRequest};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use alloy::transports::{RpcError, TransportErrorKind};
use serde::Deserialize;

use super::{Artifact, ChainError, ClientAt, http};

/// How long a transaction may take into a block.
const INCLUSION: Duration = Duration::from_secs(120);
/// Pause between two questions for a receipt, to a node of this machine: it makes a block for every transaction at once.
const LOCAL_POLL: Duration = Duration::from_millis(20);
/// The same to any other node: no chain makes blocks much faster.
const POLL: Duration = Duration::from_secs(1);

/// A transaction may cost more than a node estimates by this part of it: between estimate and block time passes, and others act.
/// A word stored once more in the same second costs next to nothing, and a second later some thousands.
const SPARE_GAS: u64 = 4;

/// A node, and an account that pays for what is sent to it.
///
/// Its calls are asynchronous, and want a runtime of tokio with time and input; [`Chain`](super::Chain) is the same for programs
/// that wait.
///
/// # Cancel safety
/// A call that only asks can be dropped. A transaction whose call is dropped may have been sent.
#[derive(Clone, Debug)]
pub struct Client {
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

/// Time and number of a chain's newest block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// Seconds since 1970.
    pub time: u64,
    /// The block.
    pub block: u64,
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

impl Client {
    /// Connects to the node at `url`; `signer` pays.
    ///
    /// # Errors
    /// If `url` is no address, or the node does not answer.
    pub async fn connect(url: &str, signer: PrivateKeySigner) -> Result<Self, ChainError> {
        let node = node(url)?;
        let sender = signer.address();
        // The nonce is asked for each time: one that is counted here would be lost with every refused transaction.
        let provider = ProviderBuilder::default()
            .with_gas_estimation()
            .with_simple_nonce_management()
            .fetch_chain_id()
            .wallet(EthereumWallet::from(signer))
            .connect_client(node)
            .erased();
        let id = provider.get_chain_id().await.map_err(refused)?;
        Ok(Self { provider, sender, id })
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
    pub async fn deploy(&self, artifact: &Artifact, arguments: &[u8]) -> Result<Deployed, ChainError> {
        if let Some(link) = artifact.links.first() {
            return Err(ChainError::Unlinked { library: link.library.name.clone() });
        }
        let code = [&artifact.bytecode[..], arguments].concat();
        let Sent { receipt, .. } = self.transact(TransactionRequest::default().with_deploy_code(code)).await?;
        let address =
            receipt.contract_address.ok_or(ChainError::Receipt { hash: receipt.transaction_hash, what: "contract" })?;
        Ok(Deployed { address, gas: receipt.gas_used, transaction: receipt.transaction_hash })
    }

    /// Asks a contract, and changes nothing.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] if the contract refuses; if the node does.
    pub async fn call<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return, ChainError> {
        Ok(C::abi_decode_returns(&self.provider.call(self.request(to, call)).await.map_err(refused)?)?)
    }

    /// What a call would cost as a transaction of its own, in gas.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] if the contract refuses; if the node does.
    pub async fn estimate<C: SolCall>(&self, to: Address, call: &C) -> Result<u64, ChainError> {
        self.provider.estimate_gas(self.request(to, call)).await.map_err(refused)
    }

    /// Sends a transaction to a contract, and waits until it is in a block.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] if the contract refuses, before anything is paid; if the node does.
    pub async fn send<C: SolCall>(&self, to: Address, call: &C) -> Result<Sent, ChainError> {
        self.transact(self.request(to, call)).await
    }

    /// Call data of a transaction as it is on the chain.
    ///
    /// # Errors
    /// If the node does not know it.
    pub async fn input(&self, receipt: &TransactionReceipt) -> Result<Bytes, ChainError> {
        let hash = receipt.transaction_hash;
        let found = self.provider.get_transaction_by_hash(hash).await.map_err(refused)?;
        Ok(found.ok_or(ChainError::Receipt { hash, what: "transaction" })?.input().clone())
    }

    /// The calls of a transaction, from its outermost on.
    ///
    /// # Errors
    /// The node does not trace transactions.
    pub async fn trace(&self, receipt: &TransactionReceipt) -> Result<Call, ChainError> {
        let arguments = (receipt.transaction_hash, serde_json::json!({ "tracer": "callTracer" }));
        self.provider.raw_request("debug_traceTransaction".into(), arguments).await.map_err(refused)
    }

    /// The contract that a transaction made, and the creation code with arguments that made it.
    ///
    /// # Errors
    /// If the node does not know the transaction, or it made no contract.
    pub async fn creation(&self, hash: TxHash) -> Result<(Address, Bytes), ChainError> {
        let receipt = self.provider.get_transaction_receipt(hash).await.map_err(refused)?;
        let receipt = receipt.ok_or(ChainError::Receipt { hash, what: "receipt" })?;
        let address = receipt.contract_address.filter(|_| receipt.status());
        let address = address.ok_or(ChainError::Receipt { hash, what: "contract" })?;
        Ok((address, self.input(&receipt).await?))
    }

    /// keccak256 of the code at an address, zero where there is none.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn code_hash(&self, address: Address) -> Result<B256, ChainError> {
        let code = self.provider.get_code_at(address).await.map_err(refused)?;
        Ok(if code.is_empty() { B256::ZERO } else { keccak256(&code) })
    }

    /// The newest block: its number, and its time in seconds since 1970.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn head(&self) -> Result<Moment, ChainError> {
        Ok(self.newest().await?.1)
    }

    /// The node at its newest block, where it stays: what is asked of it is of that block.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn at_head(&self) -> Result<ClientAt<'_>, ChainError> {
        let (hash, moment) = self.newest().await?;
        Ok(ClientAt::new(self, hash, moment))
    }

    /// Asks a contract as it was at a block, which the node must have on its chain.
    pub(crate) async fn call_at<C: SolCall>(&self, at: B256, to: Address, call: &C) -> Result<C::Return, ChainError> {
        let answer = self.provider.call(self.request(to, call)).hash_canonical(at).await.map_err(refused)?;
        Ok(C::abi_decode_returns(&answer)?)
    }

    async fn newest(&self) -> Result<(B256, Moment), ChainError> {
        let head = self.provider.get_block(BlockId::latest()).await.map_err(refused)?;
        let header = head.ok_or_else(|| ChainError::Node("it has no newest block".into()))?.header;
        Ok((header.hash, Moment { time: header.timestamp, block: header.number }))
    }

    /// Number of the newest block.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn block(&self) -> Result<u64, ChainError> {
        self.provider.get_block_number().await.map_err(refused)
    }

    /// What contracts wrote, by topics and blocks.
    pub(crate) async fn logs(&self, filter: &Filter) -> Result<Vec<Log>, ChainError> {
        self.provider.get_logs(filter).await.map_err(refused)
    }

    /// What code returns that a node runs as if it were to make a contract; nothing is sent.
    ///
    /// # Errors
    /// If the node refuses.
    pub async fn run(&self, code: &[u8]) -> Result<Bytes, ChainError> {
        let request = TransactionRequest::default().with_from(self.sender).with_deploy_code(code.to_vec());
        self.provider.call(request).await.map_err(refused)
    }

    /// Gas that a transaction used.
    ///
    /// # Errors
    /// If the node does not know the transaction.
    pub async fn gas_of(&self, hash: TxHash) -> Result<u64, ChainError> {
        let receipt = self.provider.get_transaction_receipt(hash).await.map_err(refused)?;
        Ok(receipt.ok_or(ChainError::Receipt { hash, what: "receipt" })?.gas_used)
    }

    /// What the node answers to a request that only some nodes know.
    pub(crate) async fn request_raw<P, R>(&self, method: &'static str, arguments: P) -> Result<R, ChainError>
    where
        P: alloy::rpc::json_rpc::RpcSend,
        R: alloy::rpc::json_rpc::RpcRecv,
    {
        self.provider.raw_request(method.into(), arguments).await.map_err(refused)
    }

    fn request<C: SolCall>(&self, to: Address, call: &C) -> TransactionRequest {
        TransactionRequest::default().with_from(self.sender).with_to(to).with_input(call.abi_encode())
    }

    async fn transact(&self, request: TransactionRequest) -> Result<Sent, ChainError> {
        let request = request.with_from(self.sender);
        let estimate = self.provider.estimate_gas(request.clone()).await.map_err(refused)?;
        let gas_limit = estimate + estimate / SPARE_GAS;
        let pending = self.provider.send_transaction(request.with_gas_limit(gas_limit)).await.map_err(refused)?;
        let hash = *pending.tx_hash();
        let receipt = pending.with_timeout(Some(INCLUSION)).get_receipt().await;
        let receipt = receipt.map_err(|error| not_included(hash, error))?;
        // A transaction that would revert is refused when its gas is estimated; this one was overtaken.
        let sent = Sent { gas: receipt.gas_used, gas_limit, receipt };
        if sent.receipt.status() { Ok(sent) } else { Err(ChainError::Reverted { data: Bytes::new() }) }
    }
}

#[cfg(test)]
impl Client {
    /// A client of chain `id` whose node gives these answers, one after the other.
    pub(crate) fn of_answers(answers: alloy::providers::mock::Asserter, id: u64) -> Self {
        let provider = ProviderBuilder::default().connect_mocked_client(answers).erased();
        Self { provider, sender: Address::ZERO, id }
    }
}

/// Requests to the node at `url`, with the pause that suits it.
fn node(url: &str) -> Result<RpcClient, ChainError> {
    let address = http::address(url)?;
    let node = RpcClient::new_http_with_client(http::connections(&address, |builder| builder)?, address);
    let poll = if node.is_local() { LOCAL_POLL } else { POLL };
    Ok(node.with_poll_interval(poll))
}

/// Why there is no receipt of a transaction that was sent.
fn not_included(hash: TxHash, error: PendingTransactionError) -> ChainError {
    match error {
        PendingTransactionError::TxWatcher(WatchTxError::Timeout) => ChainError::Pending { hash, within: INCLUSION },
        PendingTransactionError::TransportError(error) => refused(error),
        error => ChainError::Node(error.to_string()),
    }
}

fn refused(error: RpcError<TransportErrorKind>) -> ChainError {
    match error.as_error_resp().and_then(|response| response.as_revert_data()) {
        Some(data) => ChainError::Reverted { data },
        None => ChainError::Node(http::words(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_are_asked_for_more_often_on_this_machine() {
        for (url, poll) in [("http://127.0.0.1:8545", LOCAL_POLL), ("https://node.example:8545", POLL)] {
            assert_eq!(node(url).expect("an address").poll_interval(), poll, "{url}");
        }
        let error = node("nowhere").expect_err("no address").to_string();
        assert!(error.starts_with("nowhere is not the address of a node: "), "{error}");
    }

    #[test]
    fn a_transaction_that_is_late_may_still_come() {
        let late = not_included(TxHash::repeat_byte(1), WatchTxError::Timeout.into());
        assert!(late.to_string().ends_with("is in no block after 120s"), "{late}");
        let gone = not_included(TxHash::repeat_byte(1), TransportErrorKind::backend_gone().into());
        assert!(matches!(gone, ChainError::Node(_)), "{gone}");
    }
}
