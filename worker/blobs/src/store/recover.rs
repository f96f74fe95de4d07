//! What an earlier process has left in the folder.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};

use gradproof_terminal::atomic::is_unfinished;

use super::add::write_tree;
use super::names::{Kind, Names, remove};
use super::partial::Partial;
use super::{Blob, Held, cost_bytes};
use crate::error::at;
use crate::ranges;
use crate::{BlobError, Root};

/// The blobs in the folder, if they are `most` or fewer. Files that belong to none are removed, unless they have a name that no
/// blob's file has.
pub(super) fn recover(folder: &Path, most: usize) -> Result<Held, BlobError> {
    let (mut whole, mut parts, mut beside) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for entry in std::fs::read_dir(folder).map_err(at(folder))? {
        let name = entry.map_err(at(folder))?.file_name();
        match Names::parse(&name) {
            Some(Kind::Blob(root)) => whole.insert(root),
            Some(Kind::Part(root)) => parts.insert(root),
            Some(Kind::Beside(root)) => beside.insert(root),
            None if is_unfinished(&name) => {
                remove(&folder.join(&name))?;
                continue;
            }
            None => continue,
        };
        if whole.len() + parts.len() > most {
            return Err(BlobError::TooMany { what: "blobs", limit: most });
        }
    }
    let mut held = Held::default();
    for root in &whole {
        held.insert(*root, recover_whole(&Names::new(folder, *root), *root)?);
    }
    for root in parts.difference(&whole) {
        held.insert(*root, recover_part(Names::new(folder, *root), *root)?);
    }
    for root in beside.iter().filter(|root| !held.blobs.contains_key(root)) {
        Names::new(folder, *root).remove()?;
    }
    Ok(held)
}

impl Held {
    fn insert(&mut self, root: Root, blob: Option<Blob>) {
        if let Some(blob) = blob {
            self.used_bytes += cost_bytes(blob.size);
            self.blobs.insert(root, blob);
        }
    }
}

/// A whole blob. Its name says that it is: the name was given last.
fn recover_whole(names: &Names, root: Root) -> Result<Option<Blob>, BlobError> {
    remove(&names.part)?;
    remove(&names.record)?;
    let data = File::open(&names.blob).map_err(at(&names.blob))?;
    let size = data.metadata().map_err(at(&names.blob))?.len();
    let stored = std::fs::metadata(&names.tree).map(|tree| tree.len());
    let fits = ranges::count(size).is_ok()
        && (stored.is_ok_and(|bytes| bytes == ranges::tree_bytes(size))
            // The tree follows from the bytes.
            || write_tree(data, size, &names.tree)? == root);
    if !fits {
        names.remove()?;
        return Ok(None);
    }
    Ok(Some(Blob { size, partial: None }))
}

/// An incomplete blob, or one that became whole just before the process ended.
fn recover_part(names: Names, root: Root) -> Result<Option<Blob>, BlobError> {
    let Some(mut partial) = Partial::open(names.clone(), root)? else {
        names.remove()?;
        return Ok(None);
    };
    let size = partial.size();
    if partial.missing().is_empty() {
        partial.finish()?;
        return Ok(Some(Blob { size, partial: None }));
    }
    Ok(Some(Blob { size, partial: Some(Arc::new(Mutex::new(Some(partial)))) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[test]
    fn a_folder_of_too_many_blobs_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 1 << 30).expect("opened");
        store.add(&mut [1].as_slice()).expect("added");
        store.add(&mut [2].as_slice()).expect("added");
        store.begin(Root::of(b"begun"), 7).expect("reserved");
        drop(store);
        assert_eq!(recover(folder.path(), 3).expect("taken").blobs.len(), 3);
        assert!(matches!(recover(folder.path(), 2), Err(BlobError::TooMany { limit: 2, .. })));
    }
}
