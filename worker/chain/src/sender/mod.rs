//! One sender of transactions for each key.
//!
//! A transaction is stored before it is sent, and what became of it is what the chain says, never what a call returned. A process that
//! ends at any point goes on where the journal and the chain stand.

mod ask;
mod broadcast;
mod fees;
mod gap;
mod journal;
mod judge;
mod record;
mod sign;

pub use journal::{Book, Change, Journal, MemoryJournal};
pub use judge::Update;
pub use record::{Attempt, Intent, Price, Record, Status, Unsigned};

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as Lock, PoisonError};

use alloy::primitives::{Address, Bytes};
use alloy::signers::local::PrivateKeySigner;
use futures::future::join_all;
use tokio::sync::{Mutex, MutexGuard};

use crate::{Agreement, ChainError, Endpoints, Moment, Sight};
use ask::Estimate;
use broadcast::Broadcast;
use gap::Missing;
use record::MAX_ATTEMPTS;

/// Transactions that are sent and in no block: nodes hold sixteen of one account without a word.
const MAX_IN_FLIGHT: usize = 16;
/// Intents that are stored, those that are in a block and not deep among them: a node with eight jobs has some dozens.
const MAX_RECORDS: usize = 256;

/// What a sender may spend, and what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Blocks after which a transaction is not undone any more.
    pub confirmations: u64,
    /// The most that is paid for a unit of gas, in wei.
    pub max_fee: u128,
    /// The most of it that whoever makes the block is offered, in wei.
    pub max_tip: u128,
    /// The most gas that a call is expected to take. Beyond it as many endpoints must say so as must agree.
    pub max_gas: u64,
}

/// A record, and what became of its last broadcast.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The record.
    pub record: Record,
    /// Why no endpoint took it, if none did.
    pub trouble: Option<String>,
}

/// The one sender of an account.
///
/// # Cancel safety
/// Every call can be dropped. What was stored until then is sent by the next [`Self::follow`].
#[derive(Debug)]
pub struct Sender {
    account: Address,
    key: Option<PrivateKeySigner>,
    endpoints: Arc<Endpoints>,
    journal: Arc<dyn Journal>,
    policy: Policy,
    /// Held from reading the journal to writing it: two intents never get one nonce.
    turn: Mutex<()>,
    /// How many transactions of the account are in blocks, by any endpoint's word.
    claimed: AtomicU64,
    /// What this process sent, by intent.
    sent: Lock<BTreeMap<String, Broadcast>>,
    /// Nonces that nothing has, and behind which something waits.
    missing: Lock<Missing>,
}

impl Sender {
    /// The sender of a key that signs here.
    pub fn of(key: PrivateKeySigner, endpoints: Arc<Endpoints>, journal: Arc<dyn Journal>, policy: Policy) -> Self {
        Self { key: Some(key.clone()), ..Self::without_key(key.address(), endpoints, journal, policy) }
    }

    /// The sender of an account whose key is elsewhere: it takes transactions that are signed.
    pub fn without_key(account: Address, endpoints: Arc<Endpoints>, journal: Arc<dyn Journal>, policy: Policy) -> Self {
        let (turn, claimed, sent, missing) = (Mutex::default(), AtomicU64::new(0), Lock::default(), Lock::default());
        Self { account, key: None, endpoints, journal, policy, turn, claimed, sent, missing }
    }

    /// Who pays.
    pub fn account(&self) -> Address {
        self.account
    }

    /// What is stored, and why it is not in a block yet.
    ///
    /// # Errors
    /// [`ChainError::Journal`].
    pub fn list(&self) -> Result<Vec<Listed>, ChainError> {
        let mut records = self.journal.load(self.account)?.records;
        records.sort_by_key(|record| record.nonce);
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let trouble = |record: &Record| sent.get(&record.intent.id).and_then(|broadcast| broadcast.trouble.clone());
        Ok(records.into_iter().map(|record| Listed { trouble: trouble(&record), record }).collect())
    }

    /// Does what `intent` says, once: gives it a nonce, signs it, stores it, and sends it to all endpoints. An id that is stored is not
    /// sent again; where that stands is returned.
    ///
    /// [`Status::Pending`] means that it is stored; [`Status::Refused`] that the contract would refuse, and nothing was sent.
    ///
    /// # Errors
    /// [`ChainError::Busy`] if too many are on their way; [`ChainError::Intent`] if the id stands for something else;
    /// [`ChainError::RefusedByOne`]; [`ChainError::Journal`]; if no endpoint answers. Nothing was sent then.
    pub async fn submit(&self, sight: &Sight, intent: Intent) -> Result<Status, ChainError> {
        intent.check()?;
        let key = self.key.as_ref().ok_or(ChainError::NoKey { account: self.account })?;
        let turn = self.turn.lock().await;
        let book = self.journal.load(self.account)?;
        if let Some(known) = known(&book, &intent)? {
            return Ok(known.status.clone());
        }
        let Unsigned { nonce, gas_limit, price } = match self.next(sight, &book, &intent).await? {
            Ok(unsigned) => unsigned,
            Err(reason) => return Ok(Status::Refused { reason }),
        };
        let attempt = sign::sign(key, self.endpoints.chain(), nonce, gas_limit, price, &intent)?;
        let now = sight.common.earliest().moment();
        let record = new(intent, false, nonce, gas_limit, attempt, now);
        self.begin(&book, record, now, turn).await
    }

    /// What is to be signed elsewhere to do what `intent` says; the inner error says why the contract would refuse it. Nothing is stored
    /// or sent: the next question may have the same nonce.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub async fn unsigned(&self, sight: &Sight, intent: &Intent) -> Result<Result<Unsigned, String>, ChainError> {
        intent.check()?;
        self.next(sight, &self.journal.load(self.account)?, intent).await
    }

    /// Nonce, gas and price of a transaction, by what endpoints say.
    async fn next(&self, sight: &Sight, book: &Book, intent: &Intent) -> Result<Result<Unsigned, String>, ChainError> {
        has_room(book, self.claimed.load(Ordering::Relaxed))?;
        let count = self.count(sight, book).await?;
        let gas_limit = match self.estimate(sight, intent).await? {
            Estimate::Limit(limit) => limit,
            Estimate::Refused(reason) => return Ok(Err(reason)),
        };
        let fees = self.fees(sight).await?;
        let price = fees::first(&fees, &self.policy).ok_or(ChainError::NoEndpoint)?;
        Ok(Ok(Unsigned { nonce: book.next_nonce(count), gas_limit, price }))
    }

    /// The same as [`Self::submit`] for a transaction that was signed elsewhere, whose bytes are sent as they are. Another one with the
    /// same nonce that does the same, and offers more, is sent beside the first.
    ///
    /// # Errors
    /// As [`Self::submit`]; [`ChainError::Foreign`] if the transaction is not one of this account and chain that comes next, or does
    /// something else than `intent` says.
    pub async fn submit_signed(&self, sight: &Sight, intent: &Intent, raw: Bytes) -> Result<Status, ChainError> {
        let signed = sign::read(&raw, self.endpoints.chain(), &intent.id, intent.until)?;
        signed.intent.check()?;
        let refused = |message: String| Err(ChainError::Foreign { id: intent.id.clone(), message });
        if signed.signer != self.account {
            return refused(format!("{} signed it, and not {}", signed.signer, self.account));
        }
        if !signed.intent.does_as(intent) {
            return refused(
                "it does something else: contract, call data and value must be those that were to be signed".into(),
            );
        }
        let now = sight.common.earliest().moment();
        let turn = self.turn.lock().await;
        let book = self.journal.load(self.account)?;
        if let Some(known) = known(&book, &signed.intent)? {
            let is_new = known.attempts.iter().all(|attempt| attempt.hash != signed.attempt.hash);
            if !(is_new && known.is_pending() && known.nonce == signed.nonce) {
                return Ok(known.status.clone());
            }
            let mut record = known.clone();
            if record.attempts.len() >= MAX_ATTEMPTS {
                return refused(format!("{} others do the same already", record.attempts.len()));
            }
            let dearest = record.newest().map(|attempt| attempt.price);
            if dearest.is_some_and(|dearest| !fees::replaces(signed.attempt.price, dearest)) {
                return refused("it offers less than an eighth more than the one before".into());
            }
            record.attempts.push(signed.attempt);
            return self.begin(&book, record, now, turn).await;
        }
        has_room(&book, self.claimed.load(Ordering::Relaxed))?;
        let next = book.next_nonce(self.count(sight, &book).await?);
        if signed.nonce != next {
            return refused(format!("its nonce is {}, the account's next is {next}", signed.nonce));
        }
        if let Estimate::Refused(reason) = self.estimate(sight, &signed.intent).await? {
            return Ok(Status::Refused { reason });
        }
        let record = new(signed.intent, true, next, signed.gas_limit, signed.attempt, now);
        self.begin(&book, record, now, turn).await
    }

    /// Compares what is stored with the chain, sends again what no block has taken, and offers more where time runs out; what changed.
    ///
    /// Whoever has a sender calls this at the start, and after each new block. It costs nothing while nothing is stored. While endpoints
    /// do not agree, everything stays pending, and is sent again: that a transaction landed is never believed of one alone.
    ///
    /// A nonce that is free for long, and behind which something waits, is filled with a transfer of nothing to the account itself, which
    /// is said as a new transaction ([`Update::fills_a_gap`]).
    ///
    /// # Errors
    /// [`ChainError::Journal`]; if no endpoint answers, though what is stored was sent to them.
    pub async fn follow(&self, sight: &Sight) -> Result<Vec<Update>, ChainError> {
        let turn = self.turn.lock().await;
        let mut book = self.journal.load(self.account)?;
        if book.records.is_empty() {
            return Ok(vec![]);
        }
        let records = &book.records;
        let words = self.endpoints.read(&sight.common, |at| async move { self.word(&at, records).await }).await;
        let claimed = words.iter().flat_map(Agreement::values).map(|word| word.count).max();
        self.claimed.store(claimed.unwrap_or(0), Ordering::Relaxed);
        // What is not known to have landed is sent, whatever keeps it from being known.
        let (mut change, updates) = match &words {
            Ok(Agreement::Agreed { value, header }) => {
                let (mut change, mut updates) = judge::judge(&mut book, value, *header, self.policy.confirmations);
                self.fill(&mut book, &mut change, &mut updates, sight, (value, *header)).await?;
                (change, updates)
            }
            _ => (Change { floor: book.floor, ..Change::default() }, vec![]),
        };
        // One endpoint alone makes no fee rise, by saying that it is later than it is.
        self.raise(&mut book, &mut change, sight, sight.common.earliest().moment()).await?;
        let now = sight.common.latest().moment();
        if !(change.put.is_empty() && change.gone.is_empty()) {
            self.journal.store(self.account, &change)?;
        }
        drop(turn);
        self.forget(&book, &updates);
        let unsent = book.records.iter().filter(|record| record.is_pending() && self.is_unsent(record, now));
        join_all(unsent.map(|record| self.broadcast(record, now))).await;
        words.map(|_| updates)
    }

    /// Stores a record, and sends its newest transaction.
    async fn begin(
        &self,
        book: &Book,
        record: Record,
        now: Moment,
        turn: MutexGuard<'_, ()>,
    ) -> Result<Status, ChainError> {
        self.store(book, &record)?;
        drop(turn);
        self.broadcast(&record, now).await;
        Ok(record.status)
    }

    fn store(&self, book: &Book, record: &Record) -> Result<(), ChainError> {
        self.journal.store(self.account, &Change { floor: book.floor, put: vec![record.clone()], gone: vec![] })
    }

    /// Signs dearer transactions where time runs out, and adds them to what is to be stored.
    async fn raise(&self, book: &mut Book, change: &mut Change, sight: &Sight, now: Moment) -> Result<(), ChainError> {
        let Some(key) = &self.key else { return Ok(()) };
        let may = |record: &Record| record.is_pending() && !record.foreign && record.attempts.len() < MAX_ATTEMPTS;
        let due: Vec<bool> =
            book.records.iter().map(|record| may(record) && fees::is_due(record, &book.records, now)).collect();
        if !due.contains(&true) {
            return Ok(());
        }
        // Where nobody says what gas costs, it is raised when somebody does.
        let Ok(market) = self.fees(sight).await else { return Ok(()) };
        for (record, _) in book.records.iter_mut().zip(due).filter(|(_, due)| *due) {
            record.priced = now;
            let before = record.newest().map(|attempt| attempt.price);
            let asked = fees::asked(&market, record.attempts.len(), self.endpoints.needed());
            if let Some(price) = before.and_then(|before| fees::raised(before, asked, &self.policy)) {
                let (nonce, gas_limit) = (record.nonce, record.gas_limit);
                let attempt = sign::sign(key, self.endpoints.chain(), nonce, gas_limit, price, &record.intent)?;
                record.attempts.push(attempt);
            }
            change.put.retain(|other| other.intent.id != record.intent.id);
            change.put.push(record.clone());
        }
        Ok(())
    }
}

/// A record that was just signed.
fn new(intent: Intent, foreign: bool, nonce: u64, gas_limit: u64, attempt: Attempt, now: Moment) -> Record {
    let attempts = vec![attempt];
    Record { intent, foreign, nonce, gas_limit, attempts, since: now, priced: now, status: Status::Pending }
}

/// The record with the id of `intent`.
fn known<'a>(book: &'a Book, intent: &Intent) -> Result<Option<&'a Record>, ChainError> {
    match book.find(&intent.id) {
        Some(record) if !record.intent.does_as(intent) => {
            let message = "its id stands for another call already".into();
            Err(ChainError::Intent { id: intent.id.clone(), message })
        }
        known => Ok(known),
    }
}

/// Refuses more than is bounded; nothing that is stored is forgotten for it.
///
/// A transaction that one endpoint has in a block, by `claimed`, is not on its way: one that lies must not stop the sender.
fn has_room(book: &Book, claimed: u64) -> Result<(), ChainError> {
    let pending = book.records.iter().filter(|record| record.is_pending() && record.nonce >= claimed).count();
    let stored = book.records.len();
    match (pending >= MAX_IN_FLIGHT, stored >= MAX_RECORDS) {
        (true, _) => Err(ChainError::Busy { what: "transactions are in no block yet", got: pending }),
        (_, true) => Err(ChainError::Busy { what: "intents are stored", got: stored }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_bounded() {
        let mut book = Book::default();
        let status = Status::Overtaken { seen: 1 };
        let intent =
            Intent { id: "one".into(), to: Address::ZERO, input: Bytes::new(), value: Default::default(), until: None };
        let price = Price { max_fee: 1, tip: 1 };
        let attempt = Attempt { hash: Default::default(), raw: Bytes::new(), price };
        let record = Record { status, ..new(intent, false, 0, 1, attempt, Moment { time: 0, block: 0 }) };
        book.records = vec![record.clone(); MAX_RECORDS - 1];
        has_room(&book, 0).expect("there is room for one");
        book.records.push(record);
        let error = has_room(&book, 0).expect_err("there is none").to_string();
        assert_eq!(error, "256 intents are stored: nothing is sent until there are fewer");
    }
}
