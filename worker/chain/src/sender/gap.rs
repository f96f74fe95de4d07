//! Nonces that nothing has, behind which nothing lands.
//!
//! A nonce is left out where endpoints lied about the number of transactions while nothing was stored, or where a store was lost with
//! transactions whose blocks are undone, and that nobody has any more. What was signed behind it would wait for ever: so a transfer of
//! nothing from the account to itself takes its place. Nothing that is stored is signed a second time for it.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use alloy::primitives::{Bytes, U256};

use super::ask::Estimate;
use super::judge::Word;
use super::{Book, Change, Intent, Sender, Status, Update, fees, has_room, new, sign};
use crate::{ChainError, Header, Sight};

/// Blocks for which a nonce must be free, as the endpoints agree at each look: what was sent by another program of the account lands until
/// then.
const GAP_BLOCKS: u64 = 16;
/// Free nonces that are filled before what waits, at most: a number that a liar told may be any, and each of them costs a transaction.
const MAX_GAP: usize = 16;

/// How the words begin of what fills a nonce.
const FILLS: &str = "fill nonce ";

impl Update {
    /// Whether it is of a transaction that fills a nonce, behind which nothing lands.
    pub fn fills_a_gap(&self) -> bool {
        self.id.starts_with(FILLS)
    }
}

impl Book {
    /// The nonces from the chain's `count` on that no record has, and behind which one waits; none if they are more than [`MAX_GAP`]: to
    /// fill some of them would let nothing land.
    fn gaps(&self, count: u64) -> Vec<u64> {
        let last = self.records.iter().filter(|record| record.is_pending()).map(|record| record.nonce).max();
        let is_free = |nonce: &u64| self.records.iter().all(|record| record.nonce != *nonce);
        let free: Vec<u64> = (count..last.unwrap_or(0)).filter(is_free).take(MAX_GAP + 1).collect();
        if free.len() > MAX_GAP { vec![] } else { free }
    }
}

/// Nonces that are free, each with the block at which that was seen first.
#[derive(Debug, Default)]
pub(super) struct Missing(BTreeMap<u64, u64>);

impl Missing {
    /// The nonces that are `free` at the block `now`, and were at each look since [`GAP_BLOCKS`] before.
    fn due(&mut self, free: &[u64], now: u64) -> Vec<u64> {
        self.0.retain(|nonce, _| free.contains(nonce));
        for nonce in free {
            self.0.entry(*nonce).or_insert(now);
        }
        let is_due = |(_, since): &(&u64, &u64)| now >= since.saturating_add(GAP_BLOCKS);
        self.0.iter().filter(is_due).map(|(nonce, _)| *nonce).collect()
    }
}

impl Sender {
    /// Signs what fills the nonces that have been free for long, as `word` says, which is agreed on at `header`; adds it to what is to be
    /// stored, and to what is said.
    pub(super) async fn fill(
        &self,
        book: &mut Book,
        change: &mut Change,
        updates: &mut Vec<Update>,
        sight: &Sight,
        (word, header): (&Word, Header),
    ) -> Result<(), ChainError> {
        let Some(key) = &self.key else { return Ok(()) };
        let due =
            self.missing.lock().unwrap_or_else(PoisonError::into_inner).due(&book.gaps(word.count), header.number);
        for nonce in due {
            if has_room(book, word.count).is_err() {
                break;
            }
            let id = format!("{FILLS}{nonce} of {}", self.account);
            let intent =
                Intent { id: id.clone(), to: self.account, input: Bytes::new(), value: U256::ZERO, until: None };
            // Where nobody says what it costs, it is filled when somebody does.
            let Ok(Estimate::Limit(gas_limit)) = self.estimate(sight, &intent).await else { break };
            let fees = self.fees(sight).await.ok().and_then(|market| fees::first(&market, &self.policy));
            let Some(price) = fees else { break };
            let attempt = sign::sign(key, self.endpoints.chain(), nonce, gas_limit, price, &intent)?;
            let record = new(intent, false, nonce, gas_limit, attempt, sight.common.earliest().moment());
            change.put.push(record.clone());
            book.records.push(record);
            updates.push(Update { id, status: Status::Pending, is_final: false });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Moment;
    use crate::sender::{Attempt, Price, Record};

    fn record(nonce: u64, status: Status) -> Record {
        let intent = Intent {
            id: format!("do {nonce}"),
            to: Default::default(),
            input: Bytes::new(),
            value: U256::ZERO,
            until: None,
        };
        let attempt = Attempt { hash: Default::default(), raw: Bytes::new(), price: Price { max_fee: 1, tip: 1 } };
        Record { status, ..new(intent, false, nonce, 1, attempt, Moment { time: 0, block: 0 }) }
    }

    #[test]
    fn a_gap_is_what_no_record_has_before_one_that_waits() {
        let book = |nonces: &[u64]| Book {
            floor: 3,
            records: nonces.iter().map(|nonce| record(*nonce, Status::Pending)).collect(),
        };
        assert_eq!(book(&[]).gaps(0), [0; 0], "nothing waits");
        assert_eq!(book(&[4, 5]).gaps(4), [0; 0]);
        assert_eq!(book(&[4, 5, 7, 9]).gaps(4), [6, 8]);
        assert_eq!(book(&[6]).gaps(4), [4, 5]);
        assert_eq!(book(&[4]).gaps(2), [2, 3], "what was deep was undone");
        assert_eq!(book(&[4]).gaps(5), [0; 0], "it landed");
        let most = MAX_GAP as u64;
        assert_eq!(book(&[4 + most]).gaps(4).len(), MAX_GAP);
        for last in [5 + most, u64::MAX] {
            assert_eq!(book(&[last]).gaps(4), [0; 0], "none of a gap that is too long is filled");
        }
        assert_eq!(book(&[6, 6 + most]).gaps(4), [0; 0], "nor of two that are together");
        let over = Book { floor: 0, records: vec![record(6, Status::Overtaken { seen: 1 })] };
        assert_eq!(over.gaps(4), [0; 0], "it waits for nothing");
    }

    #[test]
    fn a_nonce_is_due_when_it_was_free_at_each_look_of_so_many_blocks() {
        let mut missing = Missing::default();
        assert_eq!(missing.due(&[4, 5], 100), [0; 0]);
        assert_eq!(missing.due(&[4, 5], 99 + GAP_BLOCKS), [0; 0]);
        assert_eq!(missing.due(&[5], 100 + GAP_BLOCKS), [5], "the other one was taken");
        assert_eq!(missing.due(&[4, 5], 101 + GAP_BLOCKS), [5], "and begins anew");
        assert_eq!(missing.due(&[4, 5], 101 + 2 * GAP_BLOCKS), [4, 5]);
    }
}
