//! A client that stays at one block.

use alloy::primitives::{Address, B256};
use alloy::sol_types::SolCall;

use super::{ChainError, Client, Moment, Reader};

/// A client at a block: [`Client::at_head`].
#[derive(Clone, Copy, Debug)]
pub struct ClientAt<'a> {
    client: &'a Client,
    hash: B256,
    moment: Moment,
}

impl<'a> ClientAt<'a> {
    pub(crate) fn new(client: &'a Client, hash: B256, moment: Moment) -> Self {
        Self { client, hash, moment }
    }
}

impl Reader for ClientAt<'_> {
    async fn ask<C: SolCall<Return: Send> + Sync>(&self, to: Address, call: &C) -> Result<C::Return, ChainError> {
        self.client.call_at(self.hash, to, call).await
    }

    fn moment(&self) -> Moment {
        self.moment
    }
}
