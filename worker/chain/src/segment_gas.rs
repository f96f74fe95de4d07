//! Where the gas of a segment's transaction went.

use crate::{Address, Call, ChainError, Client, Sent};

/// The gas of a transaction that brings a segment's proof, part by part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct SegmentGas {
    /// What any transaction costs.
    pub base: u64,
    /// The bytes of the call data.
    pub call_data: u64,
    /// The circuit's proof, but for its pairing.
    pub circuit: u64,
    /// Multiplications and additions of the columns' and folds' points.
    pub points: u64,
    /// The one pairing.
    pub pairing: u64,
    /// Digests, paths, field arithmetic, storage, events, and copying between contracts.
    pub other: u64,
}

impl SegmentGas {
    /// Of a transaction that asks the verifier of segments at `segment`, which asks that of the circuit at `halo2`.
    ///
    /// # Errors
    /// The transaction asks no such verifier, or the node does not trace transactions.
    pub async fn of(client: &Client, sent: &Sent, segment: Address, halo2: Address) -> Result<Self, ChainError> {
        let transaction = client.trace(&sent.receipt).await?;
        let verify = transaction.inner(segment).ok_or(ChainError::Answer("call of the verifier".into()))?;
        let spent =
            |to: &[Address]| verify.calls.iter().filter(|call| to.contains(&call.to)).map(|call| call.gas).sum();
        let input = &transaction.input;
        let zeros = input.iter().filter(|byte| **byte == 0).count() as u64;
        let parts = Self {
            base: 21_000,
            call_data: 16 * (input.len() as u64 - zeros) + 4 * zeros,
            circuit: spent(&[halo2]),
            points: spent(&[precompile(6), precompile(7)]),
            pairing: spent(&[precompile(8)]),
            other: 0,
        };
        let known = parts.base + parts.call_data + parts.circuit + parts.points + parts.pairing;
        Ok(Self { other: sent.gas.saturating_sub(known), ..parts })
    }
}

impl Call {
    /// The first call of `contract` in this one, however deep.
    fn inner(&self, contract: Address) -> Option<&Self> {
        self.calls.iter().find_map(|call| if call.to == contract { Some(call) } else { call.inner(contract) })
    }
}

/// A contract that every node has built in.
fn precompile(number: u8) -> Address {
    Address::with_last_byte(number)
}
