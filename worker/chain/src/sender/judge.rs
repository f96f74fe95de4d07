//! What the chain says became of a transaction.

use alloy::primitives::B256;

use super::{Book, Change, Record, Status};
use crate::{Header, Included};

/// What an endpoint says of an account's transactions at a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// How many the account has sent.
    pub count: u64,
    /// Where those of the records stand that are in a block.
    pub found: Vec<(B256, Included)>,
}

/// A change of an intent, for whoever submitted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Id of the intent.
    pub id: String,
    /// What became of it.
    pub status: Status,
    /// Whether that is as deep as is waited for, and the record is gone: the same id is a new transaction from now on.
    pub is_final: bool,
}

/// What is to be stored, and said, about all records of `book`; records become what the chain says in `book`, too.
///
/// # Soundness
/// `word` is agreed on. Who is alone, or one of two that differ, could say that something landed that was never sent: it would not be
/// sent again then, and its deadline be missed.
pub(super) fn judge(book: &mut Book, word: &Word, header: Header, confirmations: u64) -> (Change, Vec<Update>) {
    let mut change = Change { floor: book.floor, ..Change::default() };
    let mut updates = vec![];
    for record in &mut book.records {
        let status = status(record, word, header);
        let is_final = is_deep(&status, header, confirmations);
        let id = record.intent.id.clone();
        if is_final {
            change.floor = change.floor.max(record.nonce.saturating_add(1));
            change.gone.push(id.clone());
        } else if status != record.status {
            record.status = status.clone();
            change.put.push(record.clone());
        } else {
            continue;
        }
        updates.push(Update { id, status, is_final });
    }
    book.floor = change.floor;
    book.records.retain(|record| !change.gone.contains(&record.intent.id));
    (change, updates)
}

/// What became of a record.
fn status(record: &Record, word: &Word, header: Header) -> Status {
    if word.count <= record.nonce {
        return Status::Pending;
    }
    let mine = |(hash, _): &&(B256, Included)| record.attempts.iter().any(|attempt| attempt.hash == *hash);
    match (word.found.iter().find(mine), &record.status) {
        (Some((transaction, place)), _) => Status::Included { transaction: *transaction, place: *place },
        (None, Status::Overtaken { seen }) => Status::Overtaken { seen: *seen },
        (None, _) => Status::Overtaken { seen: header.number },
    }
}

fn is_deep(status: &Status, header: Header, confirmations: u64) -> bool {
    let since = match status {
        Status::Included { place, .. } => place.number,
        Status::Overtaken { seen } => *seen,
        Status::Pending | Status::Refused { .. } => return false,
    };
    header.number >= since.saturating_add(confirmations)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, Bytes, U256};

    use super::super::{Attempt, Intent, Price};
    use super::*;
    use crate::Moment;

    const NOW: Moment = Moment { time: 0, block: 0 };
    const CONFIRMATIONS: u64 = 3;

    /// The transaction of a nonce.
    fn hash(nonce: u64) -> B256 {
        B256::repeat_byte(nonce as u8 + 1)
    }

    fn record(nonce: u64) -> Record {
        let attempt = |hash| Attempt { hash, raw: Bytes::new(), price: Price { max_fee: 1, tip: 1 } };
        Record {
            intent: Intent {
                id: format!("do {nonce}"),
                to: Address::ZERO,
                input: Bytes::new(),
                value: U256::ZERO,
                until: None,
            },
            foreign: false,
            nonce,
            gas_limit: 1,
            attempts: vec![attempt(hash(nonce)), attempt(hash(nonce + 100))],
            since: NOW,
            priced: NOW,
            status: Status::Pending,
        }
    }

    fn place(number: u64) -> Included {
        Included { block: B256::repeat_byte(number as u8), number, success: true, gas: 1, price: 2 }
    }

    fn at(number: u64) -> Header {
        Header { number, hash: B256::ZERO, parent: B256::ZERO, time: 0, base: 0 }
    }

    /// What becomes of `book` if this is said at the block `number`.
    fn said(book: &mut Book, count: u64, found: &[(B256, Included)], number: u64) -> (Change, Vec<Update>) {
        judge(book, &Word { count, found: found.to_vec() }, at(number), CONFIRMATIONS)
    }

    #[test]
    fn a_transaction_is_included_again_pending_and_dropped_when_it_is_deep() {
        let mut book = Book { floor: 0, records: vec![record(0)] };
        let found = [(hash(100), place(5))];
        let (change, updates) = said(&mut book, 1, &found, 5);
        let included = Status::Included { transaction: hash(100), place: place(5) };
        assert_eq!(updates, [Update { id: "do 0".into(), status: included.clone(), is_final: false }]);
        assert_eq!(change.put, book.records);
        let (change, updates) = said(&mut book, 1, &found, 6);
        assert_eq!((change, updates), (Change::default(), vec![]), "nothing new");

        let (_, updates) = said(&mut book, 0, &[], 6);
        assert_eq!(updates[0].status, Status::Pending, "the block was dropped");
        let (_, updates) = said(&mut book, 1, &[(hash(100), place(7))], 9);
        assert!(!updates[0].is_final, "another block, which is not deep");
        let (change, updates) = said(&mut book, 1, &[(hash(100), place(7))], 10);
        assert_eq!((change.floor, change.gone), (1, vec!["do 0".to_owned()]));
        assert!(updates[0].is_final && book.records.is_empty() && book.floor == 1);
    }

    #[test]
    fn a_nonce_that_another_transaction_used_ends_the_intent() {
        let mut book = Book { floor: 0, records: vec![record(0)] };
        said(&mut book, 1, &[], 5);
        assert_eq!(book.records[0].status, Status::Overtaken { seen: 5 });
        said(&mut book, 0, &[], 6);
        assert_eq!(book.records[0].status, Status::Pending, "the other one's block was dropped");
        said(&mut book, 1, &[], 7);
        let (change, updates) = said(&mut book, 1, &[], 10);
        assert!(updates[0].is_final && change.gone == ["do 0"]);
    }

    #[test]
    fn nonces_have_no_gap_and_what_was_deep_is_used() {
        let mut book = Book { floor: 0, records: vec![record(4), record(5), record(7)] };
        assert_eq!(book.next_nonce(4), 6, "a gap is filled first");
        assert_eq!(book.next_nonce(8), 8);
        assert_eq!(book.next_nonce(3), 3);
        assert_eq!(book.explained(), Some(8), "behind all that are promised");
        book.floor = 5;
        assert_eq!(book.next_nonce(3), 6, "the count of an endpoint that lags");
        assert_eq!(Book { floor: 5, records: vec![] }.explained(), Some(5));
        assert_eq!(Book::default().explained(), None);
    }
}
