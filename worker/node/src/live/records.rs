//! What the store has of what is handed over: the keys of sealed manifests, and which blobs a job needs.

use std::collections::BTreeSet;
use std::path::Path;

use gradproof_blobs::Root;
use gradproof_chain::{Address, B256};
use serde::{Deserialize, Serialize};

use super::shared::Shared;
use super::trouble::Trouble;
use crate::NodeError;
use crate::retention::job_key;

/// A sealed manifest, as the store of the node keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    pub root: B256,
    pub size: u64,
    pub key: B256,
}

pub(super) fn given_key(job: B256, owner: Address) -> String {
    job_key(job, &format!("given/parcel/{owner}"))
}

pub(super) fn delivery_key(job: B256, batch: u64) -> String {
    job_key(job, &format!("given/delivery/{batch}"))
}

/// Removes the blobs that a job needed for a purpose, but for those that are `kept` or needed for something else.
pub(super) fn let_go(shared: &Shared, job: B256, purpose: &str, kept: &BTreeSet<B256>) -> Result<(), NodeError> {
    for root in shared.store.need_no_more_than(job, purpose, kept)? {
        // What is gone already is gone.
        let _ = shared.blobs.remove(Root::new(root.0));
    }
    Ok(())
}

/// A record of the store, read.
pub(super) fn kept<T: serde::de::DeserializeOwned>(shared: &Shared, key: &str) -> Result<Option<T>, Trouble> {
    let record = shared.store.record(key)?;
    let read = |bytes: Vec<u8>| serde_json::from_slice(&bytes).map_err(|error| Trouble(format!("{key}: {error}")));
    record.map(read).transpose()
}

/// Makes the folder of a file.
pub(super) fn make_folder(path: &Path) -> Result<(), Trouble> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(at(folder))
}

pub(super) fn at(path: &Path) -> impl Fn(std::io::Error) -> Trouble {
    |error| Trouble(format!("{}: {error}", path.display()))
}

/// Writes a file of a job's secrets, and the folder that it lies in.
pub(super) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    make_folder(path)?;
    let write = |file: &mut std::io::BufWriter<std::fs::File>| std::io::Write::write_all(file, bytes);
    gradproof_terminal::atomic::write_private(path, write).map_err(at(path))
}
