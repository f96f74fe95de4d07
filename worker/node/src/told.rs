//! What a node says of its jobs, for whoever reads it in another process: the store is open in one at a time.
//!
//! A file for each job, `told/<id>.json`, which the running node replaces when something changed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use gradproof_chain::{Address, B256, Status};
use gradproof_terminal::atomic;
use serde::{Deserialize, Serialize};

use crate::NodeError;
use crate::facts::Facts;
use crate::home::Home;

/// Bytes of a file that are read, at most: facts of 65,535 segments, and a hundred sentences.
const MAX_BYTES: u64 = 16 << 20;
/// Jobs of which something is kept, at most: those that are followed, and as many that were looked at and refused.
pub const MAX_TOLD: usize = 2 * crate::store::MAX_JOBS;

/// What a node says of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The account whose node it is.
    pub account: Address,
    /// What it knows of the job; `None` if it does not follow it.
    pub facts: Option<Facts>,
    /// What it said last, by what it is about: what is not done and why, in the words of the log.
    pub said: BTreeMap<String, String>,
    /// The last transaction about the job.
    pub transaction: Option<Transaction>,
}

/// A transaction, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// What it is for.
    pub what: String,
    /// What became of it.
    pub status: Status,
    /// Whether that is as deep as is waited for.
    pub is_final: bool,
}

impl Told {
    /// What the node in `home` says of a job; `None` if it never said anything.
    ///
    /// # Errors
    /// The file cannot be read, or another version wrote it.
    pub fn read(home: &Home, id: B256) -> Result<Option<Self>, NodeError> {
        let path = home.told(id);
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(NodeError::file(&path)(error)),
            Ok(metadata) if metadata.len() > MAX_BYTES => {
                return Err(wrong(&path, format!("more than {MAX_BYTES} bytes")));
            }
            Ok(_) => (),
        }
        let bytes = std::fs::read(&path).map_err(NodeError::file(&path))?;
        serde_json::from_slice(&bytes).map(Some).map_err(|error| wrong(&path, error.to_string()))
    }

    /// Writes it, readable by its owner only: facts may have secrets that draw.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, home: &Home, id: B256) -> Result<(), NodeError> {
        let path = home.told(id);
        let folder = home.all_told();
        std::fs::create_dir_all(&folder).map_err(NodeError::file(&folder))?;
        let bytes = serde_json::to_vec(self).map_err(|error| NodeError::Store(error.to_string()))?;
        atomic::write_private(&path, |file| file.write_all(&bytes)).map_err(NodeError::file(&path))
    }
}

/// The jobs of which something is kept.
///
/// # Errors
/// The folder cannot be read.
pub fn jobs(home: &Home) -> Result<Vec<B256>, NodeError> {
    let folder = home.all_told();
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        entries => entries.map_err(NodeError::file(&folder))?,
    };
    let id = |name: std::ffi::OsString| name.to_str()?.strip_suffix(".json")?.parse().ok();
    Ok(entries.flatten().filter_map(|entry| id(entry.file_name())).collect())
}

/// Removes what is kept of a job, if anything is.
///
/// # Errors
/// The file cannot be removed.
pub fn remove(home: &Home, id: B256) -> Result<(), NodeError> {
    let path = home.told(id);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(NodeError::file(&path)(error)),
        _ => Ok(()),
    }
}

fn wrong(path: &Path, message: String) -> NodeError {
    NodeError::file(path)(std::io::Error::other(format!("not what this version writes: {message}; remove it")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Role;

    #[test]
    fn what_was_told_is_read_by_another_process_and_garbage_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let (home, id) = (Home::at(folder.path()), B256::repeat_byte(7));
        assert_eq!(Told::read(&home, id).expect("there is none"), None);
        let told = Told {
            account: Address::repeat_byte(1),
            facts: Some(Facts::new(Role::Provider)),
            said: [("close batch 0".to_owned(), "WrongState { .. }".to_owned())].into(),
            transaction: Some(Transaction { what: "start".into(), status: Status::Pending, is_final: false }),
        };
        told.write(&home, id).expect("it is written");
        assert_eq!(Told::read(&home, id).expect("it is read"), Some(told));
        assert_eq!(jobs(&home).expect("they are listed"), [id]);
        std::fs::write(home.told(id), "{}").expect("written");
        let error = Told::read(&home, id).expect_err("it is none").to_string();
        assert!(error.contains(&id.to_string()) && error.contains("remove it"), "{error}");
        remove(&home, id).expect("it is removed");
        remove(&home, id).expect("it is gone");
        assert!(jobs(&home).expect("they are listed").is_empty());
    }
}
