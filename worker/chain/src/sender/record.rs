//! What is stored of a transaction: what it is for, its signed bytes, and what became of it.

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use serde::{Deserialize, Serialize};

use crate::market::When;
use crate::{ChainError, Included, Moment};

/// Version of a stored record.
const VERSION: u32 = 1;
/// Bytes of an intent's id: a call's name, and a job's and a batch's number.
const MAX_ID: usize = 160;
/// Bytes of call data: nodes take transactions of 128 KiB, of which signature and fees are a few hundred.
const MAX_INPUT: usize = 126 << 10;
/// Signed transactions of one intent: a fee that is raised by an eighth so often is six times what it was.
pub(super) const MAX_ATTEMPTS: usize = 16;
/// Bytes of a stored record: its transactions, in hexadecimal, and the call data once more.
const MAX_RECORD_BYTES: usize = 2 * (MAX_ATTEMPTS + 1) * (128 << 10) + (16 << 10);

/// Something that a transaction is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// What it is for, in words: "accept 0x…". The same id is the same transaction.
    pub id: String,
    /// The contract.
    pub to: Address,
    /// The call data.
    pub input: Bytes,
    /// What is sent along, in wei.
    pub value: U256,
    /// When it is too late for it.
    pub until: Option<When>,
}

/// A signed transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// Its hash.
    pub hash: B256,
    /// Its bytes.
    pub raw: Bytes,
    /// What it costs.
    pub price: Price,
}

/// What a transaction offers.
///
/// # Units
/// Wei for a unit of gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The most that is paid.
    pub max_fee: u128,
    /// What of it whoever makes the block is offered, on top of the base fee.
    pub tip: u128,
}

/// What a transaction has beside what it does, before it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Unsigned {
    /// Its nonce.
    pub nonce: u64,
    /// Gas that it may take.
    pub gas_limit: u64,
    /// What it offers.
    pub price: Price,
}

/// What became of an intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is signed and sent, and in no block.
    Pending,
    /// It is in a block. It goes back to [`Self::Pending`] if a reorganisation drops that.
    Included {
        /// The transaction.
        transaction: B256,
        /// Where it is.
        place: Included,
    },
    /// Another transaction of the account used its nonce, so that it can never land. Whether it is still to be done is decided again,
    /// from what the chain holds.
    Overtaken {
        /// Number of the block at which that was seen.
        seen: u64,
    },
    /// The contract would refuse it: it was never sent. This is not stored, and the same id can be tried again.
    Refused {
        /// Why, in words.
        reason: String,
    },
}

/// An intent that has a nonce and signed bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// What it is to do.
    pub intent: Intent,
    /// Whether it was signed elsewhere. Its fee cannot be raised here.
    pub foreign: bool,
    /// Its nonce, that of all its attempts.
    pub nonce: u64,
    /// Gas that it may take.
    pub gas_limit: u64,
    /// Its signed transactions, the dearest last. At most one of them lands.
    pub attempts: Vec<Attempt>,
    /// When it was signed first.
    pub since: Moment,
    /// When its fee was set last.
    pub priced: Moment,
    /// What became of it.
    pub status: Status,
}

/// The version alone, for a message that names it.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Versioned<R> {
    version: u32,
    record: R,
}

impl Intent {
    /// Refuses what no node takes, or what could not be stored.
    pub(super) fn check(&self) -> Result<(), ChainError> {
        let wrong = |message: String| Err(ChainError::Intent { id: self.id.chars().take(MAX_ID).collect(), message });
        if self.id.is_empty() || self.id.len() > MAX_ID {
            return wrong(format!("its id has {} bytes, possible are 1 to {MAX_ID}", self.id.len()));
        }
        if self.input.len() > MAX_INPUT {
            return wrong(format!("its call data have {} bytes, nodes take {MAX_INPUT}", self.input.len()));
        }
        Ok(())
    }

    /// Whether it does the same.
    pub(super) fn does_as(&self, other: &Self) -> bool {
        (self.to, self.value, &self.input) == (other.to, other.value, &other.input)
    }
}

impl Record {
    /// Bytes to store.
    ///
    /// # Errors
    /// [`ChainError::Journal`] if there is no JSON of it, which does not happen.
    pub fn encode(&self) -> Result<Vec<u8>, ChainError> {
        serde_json::to_vec(&Versioned { version: VERSION, record: self }).map_err(unreadable)
    }

    /// A record of stored bytes.
    ///
    /// # Errors
    /// [`ChainError::Journal`] if they are no record, or one of another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, ChainError> {
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(unreadable(format!("a record of {} bytes, the most are {MAX_RECORD_BYTES}", bytes.len())));
        }
        let Version { version } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if version != VERSION {
            return Err(unreadable(format!("a record of version {version}, this program knows {VERSION}")));
        }
        let Versioned::<Self> { record, .. } = serde_json::from_slice(bytes).map_err(unreadable)?;
        record.intent.check()?;
        let whole = record.attempts.iter().all(|attempt| keccak256(&attempt.raw) == attempt.hash);
        if !whole || record.attempts.is_empty() || record.attempts.len() > MAX_ATTEMPTS {
            return Err(unreadable(format!("the transactions of {} are not what was stored", record.intent.id)));
        }
        Ok(record)
    }

    /// The dearest of its transactions.
    pub fn newest(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// Whether it is sent and in no block.
    pub fn is_pending(&self) -> bool {
        self.status == Status::Pending
    }
}

fn unreadable(error: impl ToString) -> ChainError {
    ChainError::Journal(error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A record with these contents.
    fn record(id: String, raws: Vec<Vec<u8>>, max_fee: u128, status: Status) -> Record {
        let attempt = |raw: Vec<u8>| {
            let price = Price { max_fee, tip: max_fee / 3 };
            Attempt { hash: keccak256(&raw), raw: raw.into(), price }
        };
        let until = Some(When::Block(max_fee as u64));
        let to = Address::repeat_byte(7);
        Record {
            intent: Intent { id, to, input: vec![1, 2].into(), value: U256::MAX, until },
            foreign: max_fee.is_multiple_of(2),
            nonce: u64::MAX,
            gas_limit: 21_000,
            attempts: raws.into_iter().map(attempt).collect(),
            since: Moment { time: 5, block: 6 },
            priced: Moment { time: 7, block: 8 },
            status,
        }
    }

    fn statuses() -> impl Strategy<Value = Status> {
        let place = Included { block: B256::repeat_byte(9), number: 3, success: false, gas: 4, price: 5 };
        prop_oneof![
            Just(Status::Pending),
            Just(Status::Included { transaction: B256::repeat_byte(8), place }),
            Just(Status::Overtaken { seen: 5 }),
        ]
    }

    proptest! {
        #[test]
        fn a_record_is_what_was_stored(
            id in "[ -~]{1,160}",
            raws in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..=MAX_ATTEMPTS),
            max_fee: u128,
            status in statuses(),
        ) {
            let record = record(id, raws, max_fee, status);
            prop_assert_eq!(Record::decode(&record.encode().expect("encodes")).expect("decodes"), record);
        }

        #[test]
        fn decoding_any_bytes_never_panics(bytes: Vec<u8>, at: usize, byte: u8) {
            let _ = Record::decode(&bytes);
            let mut near = record("close".into(), vec![vec![1]], 9, Status::Pending).encode().expect("encodes");
            let at = at % near.len();
            near[at] = byte;
            let _ = Record::decode(&near);
        }
    }

    #[test]
    fn what_is_not_as_it_was_stored_is_refused() {
        let stored = |record: &Record| record.encode().expect("encodes");
        let good = record("close".into(), vec![vec![1]], 9, Status::Pending);
        let other = String::from_utf8(stored(&good)).expect("text").replace("\"version\":1", "\"version\":2");
        let error = Record::decode(other.as_bytes()).expect_err("another version").to_string();
        assert!(error.contains("a record of version 2, this program knows 1"), "{error}");
        let mut bad = good.clone();
        bad.attempts[0].raw = vec![2].into();
        Record::decode(&stored(&bad)).expect_err("other bytes than were signed");
        bad.attempts.clear();
        Record::decode(&stored(&bad)).expect_err("no transaction");
        bad.attempts = vec![good.attempts[0].clone(); MAX_ATTEMPTS + 1];
        Record::decode(&stored(&bad)).expect_err("too many");
        bad.attempts.truncate(1);
        bad.intent.id = "x".repeat(MAX_ID + 1);
        Record::decode(&stored(&bad)).expect_err("an id that is too long");
        Record::decode(&vec![b' '; MAX_RECORD_BYTES + 1]).expect_err("too long");
    }
}
