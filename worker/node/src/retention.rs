//! What is kept for a job beside its facts, and for how long: as long as the job is there, decided in one transaction with it.
//!
//! All records of a job lie under `job/<id>/`, so that they go with it. The roots of the blobs that it needs are some of them: one for each
//! purpose. What is needed for one, a delivery that turned out to be wrong say, can be let go without a look at the others.

use std::collections::BTreeSet;

use gradproof_chain::B256;
use redb::ReadableTable;

use crate::NodeError;
use crate::store::{Store, beginning_with};

/// What the keys of all records of jobs begin with.
const JOBS: &str = "job/";
/// What the keys of records with the roots that a job needs end with.
const BLOBS: &str = "blobs";

/// The key of a record of a job: it goes when the job is forgotten.
pub fn job_key(id: B256, name: &str) -> String {
    format!("{JOBS}{id}/{name}")
}

/// The key of the record with the roots that a job needs for a purpose; of none in particular where that is empty.
fn blobs_key(id: B256, purpose: &str) -> String {
    if purpose.is_empty() { job_key(id, BLOBS) } else { job_key(id, &format!("{purpose}/{BLOBS}")) }
}

/// Whether a record has roots that a job needs.
fn has_roots(key: &str) -> bool {
    key.rsplit('/').next() == Some(BLOBS)
}

impl Store {
    /// Notes that a job needs a blob, for no purpose that ends before the job, and stores other records of it in the same transaction.
    ///
    /// # Errors
    /// [`NodeError::UnknownJob`] if the job was forgotten: what it needs nobody would remove. If the file cannot be written.
    pub fn need(&self, id: B256, root: B256, records: &[(String, Vec<u8>)]) -> Result<(), NodeError> {
        self.need_for(id, "", root, records)
    }

    /// The same for a purpose.
    ///
    /// # Errors
    /// As [`Self::need`].
    pub fn need_for(
        &self,
        id: B256,
        purpose: &str,
        root: B256,
        records: &[(String, Vec<u8>)],
    ) -> Result<(), NodeError> {
        self.write(|jobs, table| {
            if jobs.get(id.0).map_err(NodeError::storing)?.is_none() {
                return Err(NodeError::UnknownJob(id));
            }
            let key = blobs_key(id, purpose);
            let mut roots =
                roots(table.get(key.as_str()).map_err(NodeError::storing)?.map(|held| held.value().to_vec()))?;
            if roots.insert(root) {
                let bytes = serde_json::to_vec(&roots).map_err(NodeError::storing)?;
                table.insert(key.as_str(), bytes.as_slice()).map_err(NodeError::storing)?;
            }
            for (key, bytes) in records {
                table.insert(key.as_str(), bytes.as_slice()).map_err(NodeError::storing)?;
            }
            Ok(())
        })
    }

    /// The roots of the blobs that a job needs.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn needed_by(&self, id: B256) -> Result<BTreeSet<B256>, NodeError> {
        let mut needed = BTreeSet::new();
        for (_, bytes) in self.records(&job_key(id, ""))?.into_iter().filter(|(key, _)| has_roots(key)) {
            needed.append(&mut roots(Some(bytes))?);
        }
        Ok(needed)
    }

    /// The roots of the blobs that the jobs of this store need. Records of jobs that are not there go.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn needed(&self) -> Result<BTreeSet<B256>, NodeError> {
        self.write(|jobs, table| {
            let mut needed = BTreeSet::new();
            for (key, bytes) in beginning_with(table, JOBS)? {
                let id = key.split('/').nth(1).and_then(|id| id.parse::<B256>().ok());
                let held = match id {
                    Some(id) => jobs.get(id.0).map_err(NodeError::storing)?.is_some(),
                    None => false,
                };
                if !held {
                    table.remove(key.as_str()).map(drop).map_err(NodeError::storing)?;
                } else if has_roots(&key) {
                    needed.append(&mut roots(Some(bytes))?);
                }
            }
            Ok(needed)
        })
    }

    /// A job needs these blobs at most for a purpose from now on: the roots that it named before, and that nothing needs any more.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn need_no_more_than(
        &self,
        id: B256,
        purpose: &str,
        kept: &BTreeSet<B256>,
    ) -> Result<BTreeSet<B256>, NodeError> {
        self.write(|_, table| {
            let key = blobs_key(id, purpose);
            let before = roots(table.get(key.as_str()).map_err(NodeError::storing)?.map(|held| held.value().to_vec()))?;
            let after: BTreeSet<B256> = before.intersection(kept).copied().collect();
            if after.is_empty() {
                table.remove(key.as_str()).map(drop).map_err(NodeError::storing)?;
            } else {
                let bytes = serde_json::to_vec(&after).map_err(NodeError::storing)?;
                table.insert(key.as_str(), bytes.as_slice()).map_err(NodeError::storing)?;
            }
            let needed = all_needed(table)?;
            Ok(before.difference(&needed).copied().collect())
        })
    }

    /// Forgets a job and all its records in one transaction: the roots of the blobs that it needed, and that no other job needs.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn forget(&self, id: B256) -> Result<BTreeSet<B256>, NodeError> {
        self.write(|jobs, table| {
            jobs.remove(id.0).map(drop).map_err(NodeError::storing)?;
            let mut needed = BTreeSet::new();
            for (key, bytes) in beginning_with(table, &job_key(id, ""))? {
                table.remove(key.as_str()).map(drop).map_err(NodeError::storing)?;
                if has_roots(&key) {
                    needed.append(&mut roots(Some(bytes))?);
                }
            }
            // A root is what the other side says: two jobs may name one.
            let others = all_needed(table)?;
            Ok(needed.difference(&others).copied().collect())
        })
    }
}

/// The roots that the records of all jobs name.
fn all_needed(table: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<BTreeSet<B256>, NodeError> {
    let mut needed = BTreeSet::new();
    for (key, bytes) in beginning_with(table, JOBS)? {
        if has_roots(&key) {
            needed.append(&mut roots(Some(bytes))?);
        }
    }
    Ok(needed)
}

/// The roots in a record.
fn roots(record: Option<Vec<u8>>) -> Result<BTreeSet<B256>, NodeError> {
    record.map_or_else(|| Ok(BTreeSet::new()), |bytes| serde_json::from_slice(&bytes).map_err(NodeError::storing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, Role};

    const JOB: B256 = B256::repeat_byte(1);
    const OTHER: B256 = B256::repeat_byte(2);

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("node.redb")).expect("it opens");
        for id in [JOB, OTHER] {
            store.begin(id, &Facts::new(Role::Provider)).expect("it is stored");
        }
        (folder, store)
    }

    #[test]
    fn what_a_job_needs_goes_with_it_and_with_nothing_else() {
        let (_folder, store) = store();
        let root = B256::repeat_byte;
        store.need(JOB, root(7), &[(job_key(JOB, "parcel"), vec![1])]).expect("the job is there");
        store.need(JOB, root(8), &[]).expect("the job is there");
        store.need(JOB, root(8), &[]).expect("once");
        store.need(OTHER, root(9), &[]).expect("the job is there");
        assert_eq!(store.needed().expect("read"), [root(7), root(8), root(9)].into());
        assert_eq!(store.needed_by(OTHER).expect("read"), [root(9)].into());
        store.need(OTHER, root(7), &[]).expect("two jobs may name one blob");
        store.need(JOB, root(6), &[]).expect("the job is there");
        assert_eq!(
            store.need_no_more_than(JOB, "", &[root(7), root(8)].into()).expect("it is stored"),
            [root(6)].into()
        );
        assert_eq!(store.forget(JOB).expect("it is forgotten"), [root(8)].into(), "the other job needs the other one");
        assert_eq!(store.need_no_more_than(OTHER, "", &[root(9)].into()).expect("it is stored"), [root(7)].into());
        assert_eq!(store.record(&job_key(JOB, "parcel")).expect("read"), None);
        assert_eq!(store.needed().expect("read"), [root(9)].into());
        assert!(store.job(OTHER).expect("read").is_some());
    }

    #[test]
    fn what_one_purpose_lets_go_another_keeps() {
        let (_folder, store) = store();
        let root = B256::repeat_byte;
        let let_go = |purpose| store.need_no_more_than(JOB, purpose, &[].into()).expect("it is stored");
        store.need(JOB, root(1), &[]).expect("the job is there");
        store.need_for(JOB, "first", root(1), &[]).expect("the job is there");
        store.need_for(JOB, "first", root(2), &[]).expect("the job is there");
        store.need_for(JOB, "second", root(2), &[]).expect("the job is there");
        store.need_for(OTHER, "first", root(3), &[]).expect("the job is there");
        store.need_for(JOB, "first", root(3), &[]).expect("the job is there");
        store.need_for(JOB, "first", root(4), &[]).expect("the job is there");
        assert_eq!(store.needed_by(JOB).expect("read"), [root(1), root(2), root(3), root(4)].into());
        assert_eq!(let_go("first"), [root(4)].into(), "the job, another purpose and another job need the others");
        assert_eq!(let_go("first"), [].into());
        assert_eq!(let_go("second"), [root(2)].into());
        assert_eq!(store.needed().expect("read"), [root(1), root(3)].into());
        store.need_for(JOB, "second", root(5), &[]).expect("the job is there");
        assert_eq!(store.forget(JOB).expect("it is forgotten"), [root(1), root(5)].into(), "for whatever purpose");
    }

    #[test]
    fn a_job_that_is_forgotten_needs_nothing_any_more() {
        let (_folder, store) = store();
        store.forget(JOB).expect("it is forgotten");
        let late = store.need(JOB, B256::repeat_byte(7), &[(job_key(JOB, "parcel"), vec![1])]);
        assert!(matches!(late, Err(NodeError::UnknownJob(JOB))), "{late:?}");
        assert_eq!(store.record(&job_key(JOB, "parcel")).expect("read"), None, "all of it, or nothing");
        assert_eq!(store.needed().expect("read"), [].into());
    }

    #[test]
    fn records_of_a_job_that_is_not_there_keep_no_blob() {
        let (_folder, store) = store();
        let bytes = serde_json::to_vec(&[B256::repeat_byte(7)]).expect("it is written");
        let stray = job_key(B256::repeat_byte(3), BLOBS);
        store.put(&stray, Some(&bytes)).expect("it is stored");
        assert_eq!(store.needed().expect("read"), [].into());
        assert_eq!(store.record(&stray).expect("read"), None);
    }
}
