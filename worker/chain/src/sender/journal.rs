//! Where transactions are stored before they are sent.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use alloy::primitives::Address;

use super::Record;
use crate::ChainError;

/// What is stored for one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// Every nonce below is used by a transaction that is as deep as is waited for.
    pub floor: u64,
    /// The intents that are not over, in any order; each id once.
    pub records: Vec<Record>,
}

/// A change of what is stored for one account: all of it happens, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The new floor.
    pub floor: u64,
    /// Records that are new, or replace the one with their id.
    pub put: Vec<Record>,
    /// Ids of records that go.
    pub gone: Vec<String>,
}

/// Where transactions are stored.
///
/// # Soundness
/// [`Self::store`] returns when the change outlives the process, and makes all of it or nothing. A transaction is sent only afterwards:
/// what was sent is therefore never unknown.
pub trait Journal: Debug + Send + Sync {
    /// What is stored for an account; nothing for one that is not known.
    ///
    /// # Errors
    /// [`ChainError::Journal`] if it cannot be read.
    fn load(&self, account: Address) -> Result<Book, ChainError>;

    /// Stores a change.
    ///
    /// # Errors
    /// [`ChainError::Journal`] if it is not stored.
    fn store(&self, account: Address, change: &Change) -> Result<(), ChainError>;
}

/// A journal that ends with the process: for tests, and for programs that send what nobody would miss.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    books: Mutex<BTreeMap<Address, Stored>>,
}

/// A floor, and records by their ids as bytes, as others store them.
#[derive(Debug, Default)]
struct Stored {
    floor: u64,
    records: BTreeMap<String, Vec<u8>>,
}

impl Journal for MemoryJournal {
    fn load(&self, account: Address) -> Result<Book, ChainError> {
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Stored { floor, records }) = books.get(&account) else { return Ok(Book::default()) };
        let records = records.values().map(|bytes| Record::decode(bytes)).collect::<Result<_, _>>()?;
        Ok(Book { floor: *floor, records })
    }

    fn store(&self, account: Address, change: &Change) -> Result<(), ChainError> {
        let put = change.put.iter().map(|record| Ok((record.intent.id.clone(), record.encode()?)));
        let put = put.collect::<Result<Vec<_>, ChainError>>()?;
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let Stored { floor, records } = books.entry(account).or_default();
        *floor = change.floor;
        records.extend(put);
        records.retain(|id, _| !change.gone.contains(id));
        Ok(())
    }
}

impl Book {
    /// The record of an intent.
    pub fn find(&self, id: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.intent.id == id)
    }

    /// The nonce behind all that are known to be used or promised; `None` if nothing is stored.
    pub(super) fn explained(&self) -> Option<u64> {
        let promised = self.records.iter().map(|record| record.nonce.saturating_add(1)).max();
        Some(self.floor.max(promised.unwrap_or(0))).filter(|nonce| *nonce > 0)
    }

    /// The first nonce that is neither used, by the chain's `count`, nor promised to a record.
    ///
    /// The chain's count may be that of an endpoint that lags: what was deep is used, whatever it says.
    pub(super) fn next_nonce(&self, count: u64) -> u64 {
        let mut nonce = count.max(self.floor);
        while self.records.iter().any(|record| record.nonce == nonce) {
            nonce = nonce.saturating_add(1);
        }
        nonce
    }
}
