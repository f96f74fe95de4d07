//! Whether the files of a parcel that was fetched are still in the folder of its job: disks lose files, and users remove them.

use std::path::{Path, PathBuf};

use gradproof_chain::B256;
use gradproof_handover::Entry;

use super::desk::Desk;
use super::trouble::Trouble;
use crate::NodeError;
use crate::message::written;
use crate::retention::job_key;
use crate::workshop::{DATA_OPENING_FILE, OPENINGS_FILE, PARCEL, PRIVATE, ROWS_FILE};

fn key(job: B256) -> String {
    job_key(job, "paths")
}

/// Keeps which files the parcel of a job has: those of the requester's manifest, and those of the owner of the data, if rows came from it.
pub(super) fn keep(shared: &Desk, job: B256, parcel: &[Entry], rows: Option<&[Entry]>) -> Result<(), NodeError> {
    let names = parcel.iter().chain(rows.unwrap_or_default()).map(|entry| entry.name.as_str());
    shared.store.put(&key(job), Some(&written(&paths(names, rows.is_some()))))
}

/// The paths of a parcel's files in the folder of its job; `of_owner`: whether rows came from the owner of the data, with what opens their
/// commitments. Without that the rows are those of another set.
fn paths<'a>(names: impl IntoIterator<Item = &'a str>, of_owner: bool) -> Vec<PathBuf> {
    let parcel = names.into_iter().map(|name| Path::new(PARCEL).join(name));
    let opening = of_owner.then_some(DATA_OPENING_FILE);
    let private = [OPENINGS_FILE].into_iter().chain(opening).map(|name| Path::new(PRIVATE).join(name));
    parcel.chain(private).collect()
}

/// Forgets that the parcel of a job is here, if a file of it is gone: it is fetched again.
///
/// # Errors
/// A file is gone, which the error names; or the store fails.
pub(super) fn require(shared: &Desk, job: B256) -> Result<(), Trouble> {
    let stored = shared.store.record(&key(job))?;
    let stored = stored.and_then(|bytes| serde_json::from_slice::<Vec<PathBuf>>(&bytes).ok());
    // Files that every parcel has, for a job of which nothing else is known.
    let paths = stored.unwrap_or_else(|| paths(["statement.json", ROWS_FILE], false));
    let Some(path) = lost(&shared.home.job(job), &paths) else { return Ok(()) };
    shared.store.change(job, |facts| facts.parcel = false)?;
    shared.changed();
    Err(Trouble(format!("{} is gone: the parcel is fetched again", path.display())))
}

/// The first of these files that is not in a folder.
fn lost(folder: &Path, paths: &[PathBuf]) -> Option<PathBuf> {
    paths.iter().map(|path| folder.join(path)).find(|path| !path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_gone_is_noticed_also_the_opening_of_rows_that_came_from_their_owner() {
        let folder = tempfile::tempdir().expect("a folder");
        let of_owner = paths(["statement.json", ROWS_FILE], true);
        for path in &of_owner {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder");
            std::fs::write(path, "").expect("it is written");
        }
        assert_eq!(lost(folder.path(), &of_owner), None);
        let files =
            [(PARCEL, "statement.json"), (PARCEL, ROWS_FILE), (PRIVATE, OPENINGS_FILE), (PRIVATE, DATA_OPENING_FILE)];
        for (place, name) in files {
            let path = folder.path().join(place).join(name);
            std::fs::remove_file(&path).expect("it was there");
            assert_eq!(lost(folder.path(), &of_owner), Some(path.clone()));
            let of_requester = lost(folder.path(), &paths(["statement.json", ROWS_FILE], false));
            assert_eq!(
                of_requester,
                Some(path.clone()).filter(|_| name != DATA_OPENING_FILE),
                "nobody else hands that over"
            );
            std::fs::write(path, "").expect("it is written");
        }
    }
}
