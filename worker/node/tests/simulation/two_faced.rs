//! A provider that says something else when a block with its word is undone: other ends of segments, other weights.

use std::sync::Arc;

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::network::TxSignerSync;
use alloy::primitives::{Bytes, TxKind, U256, keccak256};
use gradproof_chain::market::TrainingMarket::{claimCall, closeCall};
use gradproof_chain::{LOCAL_CHAIN, PrivateKeySigner, SolCall};

use crate::ledger::{Ledger, Pooled};

/// Puts other words in the place of those that wait.
pub fn speaks_again(key: &PrivateKeySigner, ledger: &mut Ledger) {
    for pooled in ledger.waiting().to_vec() {
        if pooled.sender == key.address()
            && let Some(input) = other_words(&pooled.input)
        {
            let raw = sign(key, &pooled, input);
            // One that is dearer already stays.
            let _ = ledger.submit(&raw);
        }
    }
}

fn other_words(input: &Bytes) -> Option<Bytes> {
    if let Ok(mut claim) = claimCall::abi_decode(input) {
        *claim.lasts.last_mut()? = keccak256("another end");
        return Some(claim.abi_encode().into());
    }
    let mut close = closeCall::abi_decode(input).ok()?;
    close.root = keccak256("other weights");
    Some(close.abi_encode().into())
}

/// A transaction with another's nonce, at twice its price.
fn sign(key: &PrivateKeySigner, pooled: &Arc<Pooled>, input: Bytes) -> Bytes {
    let mut transaction = TxEip1559 {
        chain_id: LOCAL_CHAIN,
        nonce: pooled.nonce,
        gas_limit: pooled.gas_limit,
        max_fee_per_gas: pooled.max_fee * 2,
        max_priority_fee_per_gas: pooled.tip * 2,
        to: TxKind::Call(pooled.to),
        value: U256::ZERO,
        access_list: Default::default(),
        input,
    };
    let signature = key.sign_transaction_sync(&mut transaction).expect("it signs");
    TxEnvelope::from(transaction.into_signed(signature)).encoded_2718().into()
}
