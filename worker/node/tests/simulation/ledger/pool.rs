//! A signed transaction, as it waits for a block.

use alloy::consensus::{Transaction, TxEnvelope};
use alloy::eips::eip2718::Decodable2718;
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use revm::context::TxEnv;
use revm::primitives::TxKind;

/// A signed transaction.
#[derive(Clone, Debug)]
pub struct Pooled {
    pub hash: B256,
    pub raw: Bytes,
    pub sender: Address,
    pub nonce: u64,
    pub to: Address,
    pub input: Bytes,
    pub max_fee: u128,
    pub tip: u128,
    pub gas_limit: u64,
    chain: u64,
}

impl Pooled {
    /// Reads signed bytes, and who signed them.
    pub fn read(raw: &Bytes) -> Result<Self, String> {
        let envelope = TxEnvelope::decode_2718_exact(raw).map_err(|error| error.to_string())?;
        let TxEnvelope::Eip1559(signed) = &envelope else { return Err("not of EIP-1559".into()) };
        let sender = signed.signature().recover_address_from_prehash(&signed.signature_hash());
        let call = signed.tx();
        Ok(Self {
            hash: keccak256(raw),
            raw: raw.clone(),
            sender: sender.map_err(|error| error.to_string())?,
            nonce: call.nonce,
            to: call.to().ok_or("it makes a contract")?,
            input: call.input.clone(),
            max_fee: call.max_fee_per_gas,
            tip: call.max_priority_fee_per_gas,
            gas_limit: call.gas_limit,
            chain: call.chain_id,
        })
    }

    /// Whether nodes take it in another's place: a tenth dearer.
    pub fn replaces(&self, other: &Self) -> bool {
        self.max_fee * 10 >= other.max_fee * 11 && self.tip * 10 >= other.tip * 11
    }

    /// As `revm` runs it.
    pub fn transaction(&self) -> TxEnv {
        TxEnv {
            tx_type: 2,
            caller: self.sender,
            gas_limit: self.gas_limit,
            gas_price: self.max_fee,
            gas_priority_fee: Some(self.tip),
            kind: TxKind::Call(self.to),
            value: U256::ZERO,
            data: self.input.clone(),
            nonce: self.nonce,
            chain_id: Some(self.chain),
            ..TxEnv::default()
        }
    }

    /// The function that it calls.
    pub fn selector(&self) -> [u8; 4] {
        self.input.get(..4).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default()
    }
}
