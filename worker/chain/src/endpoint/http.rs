//! An endpoint that is reached over HTTP.

use alloy::eips::{BlockId, BlockNumberOrTag, RpcBlockHash};
use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::rpc::types::{Log, TransactionRequest};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::rpc::{Number, Rpc};
use super::{Endpoint, Header, Included};
use crate::ChainError;

/// Contracts whose logs are asked for at once: a market has five.
const MAX_ADDRESSES: usize = 16;

/// A node of the chain at an address, with connections of its own.
#[derive(Debug)]
pub struct HttpEndpoint {
    rpc: Rpc,
}

/// A block as nodes write it. Only these keys: other chains add others, and leave some out.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    number: Number<u64>,
    hash: B256,
    parent_hash: B256,
    timestamp: Number<u64>,
    base_fee_per_gas: Option<Number<u128>>,
}

/// A receipt as nodes write it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    transaction_hash: B256,
    block_hash: B256,
    block_number: Number<u64>,
    status: Number<u64>,
    gas_used: Number<u64>,
    effective_gas_price: Number<u128>,
}

impl From<Block> for Header {
    fn from(block: Block) -> Self {
        let Block { number, hash, parent_hash, timestamp, base_fee_per_gas } = block;
        let base = base_fee_per_gas.map_or(0, |base| base.0);
        Self { number: number.0, hash, parent: parent_hash, time: timestamp.0, base }
    }
}

impl HttpEndpoint {
    /// The endpoint at `url`; nothing is asked yet.
    ///
    /// # Errors
    /// [`ChainError::Url`].
    pub fn new(url: &str) -> Result<Self, ChainError> {
        Ok(Self { rpc: Rpc::new(url)? })
    }

    /// The address in its one spelling, by which two of the same are found. It may hold a key.
    pub fn address(&self) -> String {
        self.rpc.address()
    }

    /// The block that an answer has, if it is the one that was asked for.
    fn asked_for(
        &self,
        block: Option<Block>,
        what: &str,
        fits: impl Fn(&Header) -> bool,
    ) -> Result<Option<Header>, ChainError> {
        let header = block.map(Header::from);
        match header {
            Some(header) if !fits(&header) => Err(self.rpc.wrong(what, "the answer is another block")),
            header => Ok(header),
        }
    }
}

/// A block by its hash, if it is on the endpoint's chain (EIP-1898).
fn by_hash(at: B256) -> BlockId {
    BlockId::Hash(RpcBlockHash::from_hash(at, Some(true)))
}

#[async_trait]
impl Endpoint for HttpEndpoint {
    fn name(&self) -> &str {
        self.rpc.name()
    }

    fn requests(&self) -> u64 {
        self.rpc.asked()
    }

    async fn chain_id(&self) -> Result<u64, ChainError> {
        Ok(self.rpc.ask::<Number<u64>>("eth_chainId", json!([])).await?.0)
    }

    async fn head(&self) -> Result<Header, ChainError> {
        let block: Block = self.rpc.ask("eth_getBlockByNumber", json!(["latest", false])).await?;
        Ok(block.into())
    }

    async fn header_by_number(&self, number: u64) -> Result<Option<Header>, ChainError> {
        let block = self.rpc.ask("eth_getBlockByNumber", json!([BlockNumberOrTag::Number(number), false])).await?;
        self.asked_for(block, "eth_getBlockByNumber", |header| header.number == number)
    }

    async fn header_by_hash(&self, hash: B256) -> Result<Option<Header>, ChainError> {
        let block = self.rpc.ask("eth_getBlockByHash", json!([hash, false])).await?;
        self.asked_for(block, "eth_getBlockByHash", |header| header.hash == hash)
    }

    async fn call(&self, at: B256, from: Address, to: Address, input: Bytes) -> Result<Bytes, ChainError> {
        let request = TransactionRequest::default().with_from(from).with_to(to).with_input(input);
        self.rpc.ask("eth_call", json!([request, by_hash(at)])).await
    }

    async fn logs(&self, at: B256, addresses: &[Address]) -> Result<Vec<Log>, ChainError> {
        if addresses.is_empty() || addresses.len() > MAX_ADDRESSES {
            let message =
                format!("logs of {} contracts were asked for, possible are 1 to {MAX_ADDRESSES}", addresses.len());
            return Err(self.rpc.wrong("eth_getLogs", &message));
        }
        let logs: Vec<Log> = self.rpc.ask("eth_getLogs", json!([{ "blockHash": at, "address": addresses }])).await?;
        let belongs = |log: &Log| log.block_hash == Some(at) && addresses.contains(&log.address()) && !log.removed;
        if !logs.iter().all(belongs) {
            return Err(self.rpc.wrong("eth_getLogs", "the answer has logs of another block or contract"));
        }
        // Some nodes answer with nothing about a block that they do not have.
        if logs.is_empty() && self.header_by_hash(at).await?.is_none() {
            return Err(ChainError::NoBlock { endpoint: self.name().to_owned(), block: at });
        }
        // Not all nodes say the block's time, which its header has; logs must be equal to be compared.
        Ok(logs.into_iter().map(|log| Log { block_timestamp: None, ..log }).collect())
    }

    async fn logs_between(&self, from: u64, until: u64, addresses: &[Address]) -> Result<Vec<Log>, ChainError> {
        if addresses.is_empty() || addresses.len() > MAX_ADDRESSES {
            let message =
                format!("logs of {} contracts were asked for, possible are 1 to {MAX_ADDRESSES}", addresses.len());
            return Err(self.rpc.wrong("eth_getLogs", &message));
        }
        let filter =
            json!([{ "fromBlock": format!("{from:#x}"), "toBlock": format!("{until:#x}"), "address": addresses }]);
        let logs: Vec<Log> = self.rpc.ask("eth_getLogs", filter).await?;
        let within = |log: &Log| log.block_number.is_some_and(|number| (from..=until).contains(&number));
        let belongs = |log: &Log| within(log) && addresses.contains(&log.address()) && !log.removed;
        if !logs.iter().all(belongs) {
            return Err(self.rpc.wrong("eth_getLogs", "the answer has logs of another block or contract"));
        }
        // Not all nodes say the time, and what they answer is compared.
        Ok(logs.into_iter().map(|log| Log { block_timestamp: None, ..log }).collect())
    }

    async fn nonce(&self, account: Address, at: B256) -> Result<u64, ChainError> {
        Ok(self.rpc.ask::<Number<u64>>("eth_getTransactionCount", json!([account, by_hash(at)])).await?.0)
    }

    async fn balance(&self, account: Address, at: B256) -> Result<U256, ChainError> {
        Ok(self.rpc.ask::<Number<U256>>("eth_getBalance", json!([account, by_hash(at)])).await?.0)
    }

    async fn code_hash(&self, address: Address, at: B256) -> Result<B256, ChainError> {
        let code: Bytes = self.rpc.ask("eth_getCode", json!([address, by_hash(at)])).await?;
        Ok(if code.is_empty() { B256::ZERO } else { keccak256(&code) })
    }

    async fn receipt(&self, transaction: B256) -> Result<Option<Included>, ChainError> {
        let receipt: Option<Receipt> = self.rpc.ask("eth_getTransactionReceipt", json!([transaction])).await?;
        let Some(receipt) = receipt else { return Ok(None) };
        if receipt.transaction_hash != transaction {
            return Err(self.rpc.wrong("eth_getTransactionReceipt", "the answer is about another transaction"));
        }
        Ok(Some(Included {
            block: receipt.block_hash,
            number: receipt.block_number.0,
            success: receipt.status.0 == 1,
            gas: receipt.gas_used.0,
            price: receipt.effective_gas_price.0,
        }))
    }

    async fn broadcast(&self, raw: &Bytes) -> Result<(), ChainError> {
        self.rpc.ask::<Value>("eth_sendRawTransaction", json!([raw])).await.map(drop)
    }

    async fn estimate(&self, from: Address, to: Address, value: U256, input: Bytes) -> Result<u64, ChainError> {
        let request = TransactionRequest::default().with_from(from).with_to(to).with_value(value).with_input(input);
        Ok(self.rpc.ask::<Number<u64>>("eth_estimateGas", json!([request, "latest"])).await?.0)
    }

    async fn tip(&self) -> Result<u128, ChainError> {
        Ok(self.rpc.ask::<Number<u128>>("eth_maxPriorityFeePerGas", json!([])).await?.0)
    }
}
