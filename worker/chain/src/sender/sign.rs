//! Transactions as signed bytes.

use alloy::consensus::{SignableTransaction, Transaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::{Decodable2718, Encodable2718};
use alloy::network::TxSignerSync;
use alloy::primitives::{Address, Bytes, TxKind, keccak256};
use alloy::signers::local::PrivateKeySigner;

use super::{Attempt, Intent, Price};
use crate::ChainError;
use crate::market::When;

/// A transaction that was signed elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signed {
    /// Who signed it.
    pub signer: Address,
    pub nonce: u64,
    pub gas_limit: u64,
    pub intent: Intent,
    pub attempt: Attempt,
}

/// Signs the transaction of an intent.
///
/// # Errors
/// [`ChainError::Signer`].
pub(super) fn sign(
    key: &PrivateKeySigner,
    chain: u64,
    nonce: u64,
    gas_limit: u64,
    price: Price,
    intent: &Intent,
) -> Result<Attempt, ChainError> {
    let mut transaction = TxEip1559 {
        chain_id: chain,
        nonce,
        gas_limit,
        max_fee_per_gas: price.max_fee,
        max_priority_fee_per_gas: price.tip,
        to: TxKind::Call(intent.to),
        value: intent.value,
        access_list: Default::default(),
        input: intent.input.clone(),
    };
    let signature = key.sign_transaction_sync(&mut transaction);
    let signature = signature.map_err(|error| ChainError::Signer(error.to_string()))?;
    let raw: Bytes = TxEnvelope::from(transaction.into_signed(signature)).encoded_2718().into();
    Ok(Attempt { hash: keccak256(&raw), raw, price })
}

/// Reads a transaction that was signed elsewhere.
///
/// # Errors
/// [`ChainError::Foreign`] if it is none of this chain, or no call of a contract that pays by EIP-1559.
pub(super) fn read(raw: &Bytes, chain: u64, id: &str, until: Option<When>) -> Result<Signed, ChainError> {
    let refused = |message: String| ChainError::Foreign { id: id.to_owned(), message };
    let envelope =
        TxEnvelope::decode_2718_exact(raw).map_err(|error| refused(format!("it cannot be read: {error}")))?;
    let TxEnvelope::Eip1559(signed) = &envelope else {
        return Err(refused("its type is not 2, which is that of EIP-1559".into()));
    };
    let transaction = signed.tx();
    if transaction.chain_id != chain {
        return Err(refused(format!("it is for chain {}, this is {chain}", transaction.chain_id)));
    }
    let to = transaction.to().ok_or_else(|| refused("it makes a contract".into()))?;
    let signer = signed.signature().recover_address_from_prehash(&signed.signature_hash());
    let signer = signer.map_err(|error| refused(format!("nobody signed it: {error}")))?;
    let price = Price { max_fee: transaction.max_fee_per_gas, tip: transaction.max_priority_fee_per_gas };
    let (input, value) = (transaction.input.clone(), transaction.value);
    Ok(Signed {
        signer,
        nonce: transaction.nonce,
        gas_limit: transaction.gas_limit,
        intent: Intent { id: id.to_owned(), to, input, value, until },
        attempt: Attempt { hash: keccak256(raw), raw: raw.clone(), price },
    })
}

#[cfg(test)]
mod tests {
    use alloy::consensus::TxLegacy;
    use alloy::primitives::{B256, U256};
    use proptest::prelude::*;

    use super::*;

    fn key() -> PrivateKeySigner {
        PrivateKeySigner::from_bytes(&B256::repeat_byte(3)).expect("a key")
    }

    proptest! {
        #[test]
        fn what_is_signed_can_be_read(nonce: u64, gas_limit: u64, max_fee: u128, tip: u128, input: Vec<u8>, value: u128) {
            let (to, value) = (Address::repeat_byte(5), U256::from(value));
            let intent = Intent { id: "do".into(), to, input: input.into(), value, until: None };
            let price = Price { max_fee, tip };
            let attempt = sign(&key(), 7, nonce, gas_limit, price, &intent).expect("it signs");
            let signed = read(&attempt.raw, 7, "do", None).expect("it is read");
            prop_assert_eq!(signed, Signed { signer: key().address(), nonce, gas_limit, intent, attempt });
        }

        #[test]
        fn reading_any_bytes_never_panics(raw: Vec<u8>) {
            let _ = read(&raw.into(), 7, "do", None);
        }
    }

    #[test]
    fn a_transaction_of_another_chain_or_kind_is_refused() {
        let intent = Intent { id: "do".into(), to: Address::ZERO, input: Bytes::new(), value: U256::ZERO, until: None };
        let price = Price { max_fee: 2, tip: 1 };
        let attempt = sign(&key(), 7, 0, 1, price, &intent).expect("it signs");
        let error = read(&attempt.raw, 8, "do", None).expect_err("another chain").to_string();
        assert!(error.contains("it is for chain 7, this is 8"), "{error}");
        let mut creation = TxEip1559 { chain_id: 7, to: TxKind::Create, ..TxEip1559::default() };
        let signature = key().sign_transaction_sync(&mut creation).expect("it signs");
        let creation: Bytes = TxEnvelope::from(creation.into_signed(signature)).encoded_2718().into();
        let error = read(&creation, 7, "do", None).expect_err("no call").to_string();
        assert!(error.contains("it makes a contract"), "{error}");
        let mut old = TxLegacy { chain_id: Some(7), to: TxKind::Call(Address::ZERO), ..TxLegacy::default() };
        let signature = key().sign_transaction_sync(&mut old).expect("it signs");
        let old: Bytes = TxEnvelope::from(old.into_signed(signature)).encoded_2718().into();
        let error = read(&old, 7, "do", None).expect_err("another type").to_string();
        assert!(error.contains("its type is not 2"), "{error}");
        let longer: Bytes = [&attempt.raw[..], &[0]].concat().into();
        read(&longer, 7, "do", None).expect_err("bytes behind it");
    }
}
