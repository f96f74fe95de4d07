//! What a node must not forget: its jobs with their facts, and what it is about to send. One file, of `redb`.
//!
//! All of it can be lost but for the secrets of draws: chain, keys and the blobs of peers bring the rest back.

use std::path::Path;

use gradproof_chain::B256;
use redb::backends::InMemoryBackend;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};

use crate::NodeError;
use crate::facts::Facts;

/// A change of what is stored: a key with its record, or without if that is gone.
pub type Record = (String, Option<Vec<u8>>);

/// Jobs with their facts, as JSON.
const JOBS: TableDefinition<'_, [u8; 32], &[u8]> = TableDefinition::new("jobs");
/// Records of other parts of the node, by their keys.
const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");
/// Most jobs that are kept: those that have ended and are paid leave.
pub const MAX_JOBS: usize = 1024;

/// The node's store. It is open in one process at a time.
#[derive(Debug)]
pub struct Store {
    database: Database,
}

impl Store {
    /// Opens the store at `path`, or makes it.
    ///
    /// # Errors
    /// Another process has it, or the file is damaged.
    pub fn open(path: &Path) -> Result<Self, NodeError> {
        let database = Database::create(path).map_err(|error| NodeError::store(path, error))?;
        let store = Self { database };
        // Tables are there from now on, so that reading needs not ask.
        store.write(|_, _| Ok(()))?;
        Ok(store)
    }

    /// Opens the store at `path`, or makes it; `None` while another process has it, which is a node that runs.
    ///
    /// # Errors
    /// The file is damaged, or cannot be made.
    pub fn open_unless_taken(path: &Path) -> Result<Option<Self>, NodeError> {
        match Database::create(path) {
            Err(DatabaseError::DatabaseAlreadyOpen) => Ok(None),
            Err(error) => Err(NodeError::store(path, error)),
            Ok(database) => {
                let store = Self { database };
                store.write(|_, _| Ok(()))?;
                Ok(Some(store))
            }
        }
    }

    /// A store that ends with the process, for simulations.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn in_memory() -> Result<Self, NodeError> {
        let database = Database::builder().create_with_backend(InMemoryBackend::new()).map_err(NodeError::storing)?;
        let store = Self { database };
        store.write(|_, _| Ok(()))?;
        Ok(store)
    }

    /// All jobs, with their facts.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn jobs(&self) -> Result<Vec<(B256, Facts)>, NodeError> {
        let reading = self.database.begin_read().map_err(NodeError::storing)?;
        let table = reading.open_table(JOBS).map_err(NodeError::storing)?;
        let mut jobs = Vec::new();
        for entry in table.iter().map_err(NodeError::storing)? {
            let (id, facts) = entry.map_err(NodeError::storing)?;
            let facts = serde_json::from_slice(facts.value()).map_err(NodeError::storing)?;
            jobs.push((B256::from(id.value()), facts));
        }
        Ok(jobs)
    }

    /// The facts of a job.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn job(&self, id: B256) -> Result<Option<Facts>, NodeError> {
        let reading = self.database.begin_read().map_err(NodeError::storing)?;
        let table = reading.open_table(JOBS).map_err(NodeError::storing)?;
        let held = table.get(id.0).map_err(NodeError::storing)?;
        held.map(|facts| serde_json::from_slice(facts.value()).map_err(NodeError::storing)).transpose()
    }

    /// Changes the facts of a job, which is there, in one transaction; they are on the disk when this returns.
    ///
    /// # Errors
    /// The job is not known, or the file cannot be written.
    pub fn change(&self, id: B256, change: impl FnOnce(&mut Facts)) -> Result<Facts, NodeError> {
        self.write(|jobs, _| {
            let held = jobs.get(id.0).map_err(NodeError::storing)?;
            let held = held.ok_or(NodeError::UnknownJob(id))?;
            let mut facts: Facts = serde_json::from_slice(held.value()).map_err(NodeError::storing)?;
            drop(held);
            change(&mut facts);
            let bytes = serde_json::to_vec(&facts).map_err(NodeError::storing)?;
            jobs.insert(id.0, bytes.as_slice()).map_err(NodeError::storing)?;
            Ok(facts)
        })
    }

    /// Puts a job in, unless it is there.
    ///
    /// # Errors
    /// There are [`MAX_JOBS`], or the file cannot be written.
    pub fn begin(&self, id: B256, facts: &Facts) -> Result<(), NodeError> {
        self.write(|jobs, _| {
            if jobs.get(id.0).map_err(NodeError::storing)?.is_some() {
                return Ok(());
            }
            let count = jobs.iter().map_err(NodeError::storing)?.count();
            if count >= MAX_JOBS {
                return Err(NodeError::TooManyJobs { most: MAX_JOBS });
            }
            let bytes = serde_json::to_vec(facts).map_err(NodeError::storing)?;
            jobs.insert(id.0, bytes.as_slice()).map_err(NodeError::storing)?;
            Ok(())
        })
    }

    /// A job by its id, or by that of another of its offers: its id now, and its facts.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn find(&self, id: B256) -> Result<Option<(B256, Facts)>, NodeError> {
        if let Some(facts) = self.job(id)? {
            return Ok(Some((id, facts)));
        }
        let of = |facts: &Facts| facts.offers.as_ref().is_some_and(|offers| offers.of(id).is_some());
        Ok(self.jobs()?.into_iter().find(|(_, facts)| of(facts)))
    }

    /// Gives a job's facts the id of another of its offers, in one transaction.
    ///
    /// # Errors
    /// The job is not known, or the file cannot be written.
    pub fn rename(&self, old: B256, new: B256, facts: &Facts) -> Result<(), NodeError> {
        self.write(|jobs, _| {
            if jobs.remove(old.0).map_err(NodeError::storing)?.is_none() {
                return Err(NodeError::UnknownJob(old));
            }
            let bytes = serde_json::to_vec(facts).map_err(NodeError::storing)?;
            jobs.insert(new.0, bytes.as_slice()).map_err(NodeError::storing)?;
            Ok(())
        })
    }

    /// A record of another part of the node.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn record(&self, key: &str) -> Result<Option<Vec<u8>>, NodeError> {
        let reading = self.database.begin_read().map_err(NodeError::storing)?;
        let table = reading.open_table(RECORDS).map_err(NodeError::storing)?;
        let held = table.get(key).map_err(NodeError::storing)?;
        Ok(held.map(|bytes| bytes.value().to_vec()))
    }

    /// The records whose keys begin with `prefix`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn records(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, NodeError> {
        let reading = self.database.begin_read().map_err(NodeError::storing)?;
        beginning_with(&reading.open_table(RECORDS).map_err(NodeError::storing)?, prefix)
    }

    /// Stores a record, or removes it; it is on the disk when this returns.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put(&self, key: &str, record: Option<&[u8]>) -> Result<(), NodeError> {
        self.put_all(&[(key.to_owned(), record.map(<[u8]>::to_vec))])
    }

    /// Stores or removes several records: all of them, or none.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put_all(&self, records: &[Record]) -> Result<(), NodeError> {
        self.write(|_, table| {
            for (key, record) in records {
                match record {
                    Some(bytes) => table.insert(key.as_str(), bytes.as_slice()).map(drop),
                    None => table.remove(key.as_str()).map(drop),
                }
                .map_err(NodeError::storing)?;
            }
            Ok(())
        })
    }

    /// Changes jobs and records in one transaction, which is on the disk when this returns.
    pub(crate) fn write<T>(
        &self,
        change: impl FnOnce(
            &mut redb::Table<'_, [u8; 32], &[u8]>,
            &mut redb::Table<'_, &'static str, &'static [u8]>,
        ) -> Result<T, NodeError>,
    ) -> Result<T, NodeError> {
        let writing = self.database.begin_write().map_err(NodeError::storing)?;
        let done = {
            let mut jobs = writing.open_table(JOBS).map_err(NodeError::storing)?;
            let mut records = writing.open_table(RECORDS).map_err(NodeError::storing)?;
            change(&mut jobs, &mut records)?
        };
        writing.commit().map_err(NodeError::storing)?;
        Ok(done)
    }
}

/// The records of a table whose keys begin with `prefix`.
pub(crate) fn beginning_with(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    prefix: &str,
) -> Result<Vec<(String, Vec<u8>)>, NodeError> {
    let mut records = Vec::new();
    for entry in table.range(prefix..).map_err(NodeError::storing)? {
        let (key, bytes) = entry.map_err(NodeError::storing)?;
        if !key.value().starts_with(prefix) {
            break;
        }
        records.push((key.value().to_owned(), bytes.value().to_vec()));
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use gradproof_chain::Address;

    use super::*;
    use crate::facts::Role;
    use crate::matching::Candidate;
    use crate::offers::Offers;

    #[test]
    fn what_was_stored_is_there_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("node.redb");
        let id = B256::repeat_byte(1);
        let store = Store::open(&path).expect("it opens");
        assert!(Store::open(&path).is_err(), "another process would find it taken");
        assert!(Store::open_unless_taken(&path).expect("that is no error").is_none());
        store.begin(id, &Facts::new(Role::Provider)).expect("it is stored");
        store.change(id, |facts| facts.proven = [7].into()).expect("it is changed");
        store.put("a/1", Some(b"one")).expect("it is stored");
        store.put("b", Some(b"other")).expect("it is stored");
        drop(store);
        let store = Store::open_unless_taken(&path).expect("it opens again").expect("nobody has it");
        // A second time is no new beginning.
        store.begin(id, &Facts::new(Role::Provider)).expect("nothing happens");
        assert!(store.job(id).expect("read").expect("it is there").proven.contains(&7));
        assert_eq!(store.records("a/").expect("read"), [("a/1".to_owned(), b"one".to_vec())]);
        let candidate = |byte| Candidate { owner: Address::repeat_byte(byte), price: byte.into(), jobs: 0, failed: 0 };
        let job = |candidate: &Candidate| B256::repeat_byte(candidate.price as u8);
        let offers = Offers::new(B256::ZERO, &[candidate(8), candidate(9)], job);
        let offered = Facts { offers: Some(offers), ..Facts::new(Role::Requester) };
        let (first, second) = (B256::repeat_byte(8), B256::repeat_byte(9));
        store.begin(first, &offered).expect("it is stored");
        store.begin(second, &Facts::new(Role::Requester)).expect("it is stored");
        store.rename(first, second, &offered).expect("it goes on under the other id");
        assert_eq!((store.job(first).expect("read"), store.job(second).expect("read")), (None, Some(offered.clone())));
        assert_eq!(store.find(first).expect("read"), Some((second, offered.clone())), "found by either");
        assert!(store.rename(first, second, &offered).is_err(), "it is not there");
        store.forget(second).expect("it is forgotten");
        store.put("a/1", None).expect("it is removed");
        assert_eq!(store.record("a/1").expect("read"), None);
        store.forget(id).expect("it is forgotten");
        assert_eq!(store.jobs().expect("read"), []);
        let error = store.change(id, |_| ()).expect_err("nobody knows it").to_string();
        assert!(error.contains(&id.to_string()), "{error}");
    }
}
