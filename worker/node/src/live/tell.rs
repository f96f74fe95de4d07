//! Writes down what the node says of its jobs, when it changed.

use std::collections::{BTreeMap, BTreeSet};

use gradproof_chain::{B256, Status, Update};

use super::desk::Desk;
use super::locked::locked;
use super::shared::Shared;
use crate::NodeError;
use crate::told::{MAX_TOLD, Told, Transaction, jobs, remove};

/// A transaction was sent, or something became of it: the last one of the job that its words name.
pub(super) fn sent(shared: &Desk, what: &str, status: Status, is_final: bool) {
    if let Some(id) = job_in(what) {
        let transaction = Transaction { what: what.to_owned(), status, is_final };
        locked(&shared.transactions).insert(id, transaction);
    }
}

/// What became of a transaction.
pub(super) fn updated(shared: &Desk, update: &Update) {
    sent(shared, &update.id, update.status.clone(), update.is_final);
}

/// Writes what changed since the last time.
pub(super) fn all(shared: &Shared) -> Result<(), NodeError> {
    let mut said = BTreeMap::<B256, BTreeMap<String, String>>::new();
    for (about, what) in shared.all_said() {
        if let Some(id) = job_in(&about) {
            said.entry(id).or_default().insert(about, what);
        }
    }
    let facts: BTreeMap<B256, _> = shared.store.jobs()?.into_iter().collect();
    let ids: BTreeSet<B256> = facts.keys().chain(said.keys()).copied().collect();
    let mut wrote = false;
    let mut written = locked(&shared.written);
    let mut transactions = locked(&shared.transactions);
    for id in &ids {
        let transaction = transactions.remove(id);
        let before = match written.get(id) {
            Some(before) => Some(before.clone()),
            // Of the process before this one. What another version wrote counts as nothing.
            None => Told::read(&shared.home, *id).unwrap_or_default(),
        };
        let told = Told {
            account: shared.me,
            facts: facts.get(id).cloned(),
            said: said.remove(id).unwrap_or_default(),
            transaction: transaction.or_else(|| before.as_ref()?.transaction.clone()),
        };
        if before.as_ref() != Some(&told) {
            told.write(&shared.home, *id)?;
            wrote = true;
        }
        written.insert(*id, told);
    }
    // What is neither followed nor spoken of makes room.
    written.retain(|id, _| ids.contains(id));
    transactions.clear();
    drop(transactions);
    let kept = if wrote { jobs(&shared.home)? } else { vec![] };
    for id in kept.iter().filter(|id| !ids.contains(*id)).take(kept.len().saturating_sub(MAX_TOLD)) {
        remove(&shared.home, *id)?;
    }
    Ok(())
}

/// The job that a sentence names.
fn job_in(text: &str) -> Option<B256> {
    text.split_whitespace().rev().find_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_job_of_a_sentence_is_found() {
        let id = B256::repeat_byte(0xab);
        assert_eq!(job_in(&format!("close batch 2 of job {id}")), Some(id));
        assert_eq!(job_in(&format!("offer {id}")), Some(id));
        assert_eq!(job_in("withdraw of 0x0101010101010101010101010101010101010101"), None);
        assert_eq!(job_in(""), None);
    }
}
