//! Signed bytes on their way to the endpoints.

use std::sync::{Arc, PoisonError};

use alloy::primitives::B256;
use futures::StreamExt;

use super::{Book, Record, Sender, Status, Update};
use crate::endpoint::{gather, numbered};
use crate::{ChainError, Endpoint, Moment};

/// Blocks after which a transaction that no block took is sent again: nodes forget.
const AGAIN_BLOCKS: u64 = 16;

/// The last time that a transaction was sent.
#[derive(Clone, Debug)]
pub(super) struct Broadcast {
    hash: B256,
    block: u64,
    /// Why no endpoint took it, if none did.
    pub(super) trouble: Option<String>,
}

impl Sender {
    /// Whether a record's newest transaction is to be sent.
    pub(super) fn is_unsent(&self, record: &Record, now: Moment) -> bool {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = sent.get(&record.intent.id) else { return true };
        let wait = if last.trouble.is_some() { 1 } else { AGAIN_BLOCKS };
        let is_new = Some(last.hash) != record.newest().map(|attempt| attempt.hash);
        // A block that is before the last one: that was a liar's.
        is_new || now.block >= last.block.saturating_add(wait) || now.block < last.block
    }

    /// Forgets what was sent for records that are gone, and for those that are pending again.
    pub(super) fn forget(&self, book: &Book, updates: &[Update]) {
        let again = |id: &str| updates.iter().any(|update| update.id == id && update.status == Status::Pending);
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.retain(|id, _| book.find(id).is_some() && !again(id));
    }

    /// Sends a record's newest transaction to all endpoints. Whether that helped, the chain says.
    ///
    /// Once one has taken it, the others have a grace; who is slower is sent it all the same, beside what this process does then: the one
    /// that took it may keep it to itself.
    pub(super) async fn broadcast(&self, record: &Record, now: Moment) {
        let Some(attempt) = record.newest() else { return };
        let send = |endpoint: &Arc<dyn Endpoint>| {
            let (endpoint, raw) = (endpoint.clone(), attempt.raw.clone());
            async move { endpoint.broadcast(&raw).await }
        };
        let all = self.endpoints.each().enumerate();
        let (awake, slow): (Vec<_>, Vec<_>) = all.partition(|(at, _)| self.endpoints.is_awake(*at));
        let mut running = numbered(awake.iter().map(|(_, endpoint)| send(endpoint)).collect());
        let is_taken = |answers: &[Option<Result<(), ChainError>>]| answers.iter().flatten().any(Result::is_ok);
        let mut answers = gather(&mut running, is_taken).await;
        let mut others = numbered(slow.iter().map(|(_, endpoint)| send(endpoint)).collect());
        if is_taken(&answers) {
            for ((at, _), _) in awake.iter().zip(&answers).filter(|(_, answer)| answer.is_none()) {
                self.endpoints.outrun(*at);
            }
            if !(running.is_empty() && others.is_empty()) {
                // Each of these ends within the time of an answer.
                tokio::spawn(async move {
                    while running.next().await.is_some() {}
                    while others.next().await.is_some() {}
                });
            }
        } else {
            answers.extend(gather(&mut others, is_taken).await);
        }
        let taken = is_taken(&answers);
        let troubles = answers.into_iter().flatten().filter_map(|answer| Some(answer.err()?.to_string()));
        let trouble = (!taken).then(|| troubles.collect::<Vec<_>>().join("; "));
        let broadcast = Broadcast { hash: attempt.hash, block: now.block, trouble };
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).insert(record.intent.id.clone(), broadcast);
    }
}
