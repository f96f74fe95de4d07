//! Adding a blob whose root is not known yet.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use bao_tree::io::sync::outboard_post_order;

use super::partial::fill;
use super::{Blob, Store, cost_bytes, lock, names, record};
use crate::error::at;
use crate::ranges::{self, MAX_BLOB_BYTES, RANGE_BYTES};
use crate::steps::step;
use crate::{BlobError, Root};

/// A blob that is being added. What it has reserved is free again, and its files are gone, when it is dropped.
struct Staged<'a> {
    store: &'a Store,
    data: PathBuf,
    tree: PathBuf,
    reserved_bytes: u64,
}

impl Store {
    /// Adds the bytes that `input` gives until its end, and returns their root.
    ///
    /// Memory is a few MiB whatever the size. A blob that is there already is kept; if it was incomplete it is whole now.
    ///
    /// # Errors
    /// [`BlobError::Full`] as soon as it has more bytes than are free; if it has no byte or too many; if `input` or the system
    /// refuses. Nothing is left of it then.
    pub fn add(&self, input: &mut impl Read) -> Result<Root, BlobError> {
        self.held().refuse_too_many()?;
        let mut staged = self.stage();
        let (data, size) = staged.copy(input, MAX_BLOB_BYTES)?;
        let root = staged.hash(data, size)?;
        staged.keep(root, size)?;
        Ok(root)
    }

    fn stage(&self) -> Staged<'_> {
        let number = self.staged.fetch_add(1, Ordering::Relaxed);
        let named = |kind: &str| self.folder.join(format!(".tmp{number}-{kind}.partial"));
        Staged { store: self, data: named("data"), tree: named("tree"), reserved_bytes: 0 }
    }
}

impl Staged<'_> {
    fn reserve(&mut self, bytes: u64) -> Result<(), BlobError> {
        self.store.held().reserve(bytes, self.store.limit_bytes)?;
        self.reserved_bytes += bytes;
        Ok(())
    }

    /// Copies the input to the disk, if it has `most` bytes or fewer.
    fn copy(&mut self, input: &mut impl Read, most: u64) -> Result<(File, u64), BlobError> {
        let mut options = OpenOptions::new();
        let mut data =
            options.read(true).write(true).create(true).truncate(true).open(&self.data).map_err(at(&self.data))?;
        let mut buffer = vec![0; RANGE_BYTES as usize];
        let mut size = 0;
        loop {
            let bytes = fill(input, &mut buffer).map_err(BlobError::Input)?;
            if bytes == 0 {
                break;
            }
            size += bytes as u64;
            if size > most {
                return Err(BlobError::TooLarge { got: size, limit: most });
            }
            self.reserve(bytes as u64)?;
            data.write_all(buffer.get(..bytes).unwrap_or_default()).map_err(at(&self.data))?;
        }
        ranges::count(size)?;
        data.sync_all().map_err(at(&self.data))?;
        step("added data flushed");
        Ok((data, size))
    }

    /// Writes the tree, and says what the root is.
    fn hash(&mut self, data: File, size: u64) -> Result<Root, BlobError> {
        self.reserve(ranges::tree_bytes(size) + record::record_bytes(size))?;
        let root = write_tree(data, size, &self.tree)?;
        step("added tree flushed");
        Ok(root)
    }

    /// Gives the files the names of the blob, unless it is there.
    fn keep(mut self, root: Root, size: u64) -> Result<(), BlobError> {
        let store = self.store;
        let mut held = store.held();
        let old = held.blobs.get(&root).cloned();
        if old.as_ref().is_some_and(|old| old.partial.is_none()) {
            drop(held);
            return Ok(());
        }
        // Its files are replaced by whole ones, and nobody writes meanwhile.
        let partial = old.as_ref().and_then(|old| old.partial.as_ref());
        let mut partial = partial.map(|partial| lock(partial));
        let names = store.names(root);
        // The tree first: an incomplete blob is none the worse for a whole tree, a whole one needs it.
        std::fs::rename(&self.tree, &names.tree).map_err(at(&names.tree))?;
        step("added tree named");
        std::fs::rename(&self.data, &names.blob).map_err(at(&names.blob))?;
        step("added blob named");
        names.sync_folder()?;
        names::remove(&names.part)?;
        step("replaced part removed");
        names::remove(&names.record)?;
        step("replaced record removed");
        if let Some(partial) = &mut partial {
            // Threads that are about to write find nothing to write to.
            **partial = None;
        }
        held.blobs.insert(root, Blob { size, partial: None });
        // What was reserved for it while it was added is the blob's from now on.
        debug_assert_eq!(self.reserved_bytes, cost_bytes(size));
        self.reserved_bytes = 0;
        let replaced_bytes = old.as_ref().map_or(0, |old| cost_bytes(old.size));
        held.used_bytes = held.used_bytes.saturating_sub(replaced_bytes);
        // Dropping what was staged takes the lock.
        drop(held);
        Ok(())
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        // The next start removes what cannot be removed now.
        let _ = names::remove(&self.data).and_then(|()| names::remove(&self.tree));
        let mut held = self.store.held();
        held.used_bytes = held.used_bytes.saturating_sub(self.reserved_bytes);
    }
}

/// Writes the tree of a file to `path`, brings it to the disk, and returns the root.
pub(super) fn write_tree(mut data: File, size: u64, path: &PathBuf) -> Result<Root, BlobError> {
    let write = || {
        data.rewind()?;
        let data = BufReader::with_capacity(RANGE_BYTES as usize, data);
        let mut tree = BufWriter::new(File::create(path)?);
        let root = outboard_post_order(data, ranges::tree(size), &mut tree)?;
        tree.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        Ok(root)
    };
    write().map(Root::from).map_err(at(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_that_is_too_large_is_refused_while_it_is_copied() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 1 << 30).expect("opened");
        let most = 2 * RANGE_BYTES;
        let copied = |bytes| store.stage().copy(&mut std::io::repeat(1).take(bytes), most).map(|copied| copied.1);
        assert_eq!(copied(most).expect("it is taken"), most);
        assert!(matches!(copied(most + 1), Err(BlobError::TooLarge { limit, .. }) if limit == most));
        assert!(matches!(copied(u64::MAX), Err(BlobError::TooLarge { got, .. }) if got == most + RANGE_BYTES));
        assert_eq!(store.used_bytes(), 0);
    }

    #[test]
    fn blobs_are_added_at_once_and_one_of_them_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 1 << 30).expect("opened");
        std::thread::scope(|scope| {
            for byte in [1, 2, 1] {
                let store = &store;
                scope.spawn(move || store.add(&mut std::io::repeat(byte).take(3 * RANGE_BYTES)).expect("added"));
            }
        });
        assert_eq!((store.list().len(), store.used_bytes()), (2, 2 * cost_bytes(3 * RANGE_BYTES)));
    }
}
