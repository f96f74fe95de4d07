//! A registered data set: `dataset.json` says which one a folder is of, and what a job on it has to be like.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use gradproof_chain::market::{DatasetRegistry, Deployment, dataset_digest};
use gradproof_chain::{Address, B256};
use gradproof_terminal::atomic;
use gradproof_verifier::protocol::job::JobStatement;
use serde::{Deserialize, Serialize};

use crate::NodeError;

/// Name of the file.
pub const DATASET_FILE: &str = "dataset.json";
/// Version of the file.
const VERSION: u32 = 1;
/// Largest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 12;

/// A registered set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetFile {
    version: u32,
    /// Chain id.
    pub chain: u64,
    /// The register.
    pub register: Address,
    /// Digest of the set.
    pub dataset: B256,
    /// Its owner, who signs licences.
    pub owner: Address,
    /// Root of the tree of the data's columns.
    pub root: B256,
    /// Rows of the data.
    pub rows: u64,
    /// What a job on the set has to be like.
    pub schema: Schema,
}

/// The shape of a set: jobs in another one have another root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// Values of a row.
    pub inputs: usize,
    /// Classes of the labels.
    pub classes: usize,
    /// Rows of a step.
    pub batch: usize,
    /// Steps of a segment.
    pub steps_per_segment: usize,
    /// Fractional bits of a value.
    pub activation_bits: u32,
    /// log2 of the length of a committed column.
    pub column_bits: usize,
    /// Digest of the set-up.
    pub setup: B256,
}

impl Schema {
    /// The shape of the data of `statement`.
    pub fn of(statement: &JobStatement) -> Self {
        let JobStatement { architecture, column_vars, setup, .. } = statement;
        Self {
            inputs: architecture.inputs(),
            classes: architecture.classes(),
            batch: architecture.batch(),
            steps_per_segment: architecture.steps(),
            activation_bits: architecture.precision().activation_bits,
            column_bits: *column_vars,
            setup: setup.digest.into(),
        }
    }
}

impl DatasetFile {
    /// The set that the data of `statement` are, if `owner` registers them.
    pub fn of(chain: u64, register: Address, owner: Address, statement: &JobStatement) -> Self {
        let (root, rows) = (statement.data.root.into(), statement.data.rows as u64);
        Self::new(chain, register, owner, root, rows, Schema::of(statement))
    }

    /// The set of `owner` with this root, in this shape.
    pub fn new(chain: u64, register: Address, owner: Address, root: B256, rows: u64, schema: Schema) -> Self {
        let dataset = dataset_digest(owner, root, rows);
        Self { version: VERSION, chain, register, dataset, owner, root, rows, schema }
    }

    /// The registered set that a folder is of; `None` if it is of none.
    ///
    /// # Errors
    /// As those of [`Self::read`].
    pub fn in_folder(folder: &Path) -> Result<Option<Self>, NodeError> {
        let path = folder.join(DATASET_FILE);
        if path.exists() { Self::read(&path).map(Some) } else { Ok(None) }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, is none of this version, or its digest is of another set.
    pub fn read(path: &Path) -> Result<Self, NodeError> {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
        read.map_err(NodeError::file(path))?;
        let refuse = |message: String| NodeError::Config { path: PathBuf::from(path), key: "the file".into(), message };
        if bytes.len() as u64 > MAX_BYTES {
            return Err(refuse(format!("more than {MAX_BYTES} bytes, which no such file has")));
        }
        let file: Self = serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
        file.check().map_err(refuse)?;
        Ok(file)
    }

    /// Refuses what is of another version, or names another set than its root, rows and owner make.
    ///
    /// # Errors
    /// In words.
    pub fn check(&self) -> Result<(), String> {
        if self.version != VERSION {
            return Err(format!("version is {}, expected {VERSION}", self.version));
        }
        let expected = dataset_digest(self.owner, self.root, self.rows);
        if self.dataset != expected {
            return Err(format!("owner, root and rows are those of data set {expected}, and not of {}", self.dataset));
        }
        Ok(())
    }

    /// Writes the file into a folder.
    ///
    /// # Errors
    /// What the system reports.
    pub fn save(&self, folder: &Path) -> Result<(), NodeError> {
        let path = folder.join(DATASET_FILE);
        let text = serde_json::to_string_pretty(self).map_err(NodeError::storing)? + "\n";
        atomic::write(&path, |file| file.write_all(text.as_bytes())).map_err(NodeError::file(&path))
    }

    /// Whether a node of `owner` in this market can serve the set: it is in its register, as its own.
    pub fn is_here(&self, deployment: &Deployment, owner: Address) -> bool {
        (self.chain, self.register, self.owner) == (deployment.chain, deployment.datasets.address, owner)
    }

    /// Whether the register's entry is this set's.
    pub fn is_of(&self, entry: &DatasetRegistry::Dataset) -> bool {
        (entry.owner, entry.root, entry.rows) == (self.owner, self.root, self.rows)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_set_or_refused(edits in prop::collection::vec((any::<u16>(), any::<u8>()), 0..4), raw: Option<Vec<u8>>) {
            let folder = tempfile::tempdir().expect("a folder");
            good().save(folder.path()).expect("it is written");
            let path = folder.path().join(DATASET_FILE);
            let mut bytes = raw.unwrap_or(std::fs::read(&path).expect("it is read"));
            for (at, byte) in &edits {
                let at = usize::from(*at) % bytes.len().max(1);
                bytes.get_mut(at).into_iter().for_each(|old| *old = *byte);
            }
            std::fs::write(&path, &bytes).expect("it is written");
            if let Ok(read) = DatasetFile::read(&path) {
                read.save(folder.path()).expect("it is written");
                prop_assert_eq!(DatasetFile::read(&path).expect("it is one"), read);
            }
        }
    }

    fn good() -> DatasetFile {
        let schema = Schema {
            inputs: 3,
            classes: 2,
            batch: 4,
            steps_per_segment: 5,
            activation_bits: 8,
            column_bits: 12,
            setup: B256::ZERO,
        };
        let owner = Address::repeat_byte(1);
        DatasetFile::new(1, owner, owner, B256::repeat_byte(2), 7, schema)
    }

    #[test]
    fn a_set_is_what_its_owner_root_and_rows_make() {
        let good = good();
        let folder = tempfile::tempdir().expect("a folder");
        assert!(DatasetFile::in_folder(folder.path()).expect("nothing is there").is_none());
        good.save(folder.path()).expect("it is written");
        assert_eq!(DatasetFile::in_folder(folder.path()).expect("it is read"), Some(good.clone()));
        let refused = |file: &DatasetFile| {
            file.save(folder.path()).expect("it is written");
            DatasetFile::in_folder(folder.path()).expect_err("it is none").to_string()
        };
        assert!(refused(&DatasetFile { rows: 8, ..good.clone() }).contains("and not of"));
        assert!(refused(&DatasetFile { version: 2, ..good }).contains("expected 1"));
        std::fs::write(folder.path().join(DATASET_FILE), vec![b' '; 5000]).expect("it is written");
        assert!(DatasetFile::in_folder(folder.path()).expect_err("it is long").to_string().contains("more than"));
    }
}
