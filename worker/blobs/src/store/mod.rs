//! Blobs in a folder: what is there, and what it may take of the disk.

mod add;
mod names;
mod partial;
mod reader;
mod record;
mod recover;

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::names::Names;
use self::partial::Partial;
pub use self::reader::Reader;
use crate::error::at;
use crate::ranges::{self, Checked};
use crate::{BlobError, Root};

/// Most blobs of a store, whole and incomplete. A job has a few for each batch; this is hundreds of jobs.
pub const MAX_BLOBS: usize = 1 << 16;
/// Most incomplete blobs: each keeps three files open, and a process may usually have 1024.
pub const MAX_INCOMPLETE: usize = 64;

/// The blobs of a folder, which no other process uses at the same time.
///
/// All methods block on the disk, and may be called from several threads.
///
/// # Soundness
/// No byte counts that was not compared with the root of its blob, and every byte is compared again whenever it leaves the store.
pub struct Store {
    folder: PathBuf,
    limit_bytes: u64,
    held: Mutex<Held>,
    /// Numbers the files of blobs that are being added.
    staged: AtomicU64,
    /// Locked as long as it is open.
    _lock: File,
}

/// What there is. Locked before any [`Blob::partial`].
#[derive(Default)]
struct Held {
    blobs: BTreeMap<Root, Blob>,
    /// Bytes of all blobs and of what is being added.
    used_bytes: u64,
}

/// A blob of the store.
#[derive(Clone)]
struct Blob {
    size: u64,
    /// `None` for a whole blob. Inside, `None` once the blob is whole or removed.
    partial: Option<Arc<Mutex<Option<Partial>>>>,
}

/// A blob, as [`Store::list`] has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its address.
    pub root: Root,
    /// Its bytes.
    pub size: u64,
    /// Ranges that are not there yet.
    pub missing: u32,
}

impl Store {
    /// The blobs in `folder`, which is made if it is not there; together they take at most `limit_bytes` of the disk.
    ///
    /// Reads what an earlier process has left: removes what belongs to no blob, and checks the ranges that it may not have brought
    /// to the disk. A folder that already has more than the limit keeps it, and takes nothing new.
    ///
    /// # Errors
    /// If another process has the folder, another version has written it, or the system refuses.
    pub fn open(folder: &Path, limit_bytes: u64) -> Result<Self, BlobError> {
        std::fs::create_dir_all(folder).map_err(at(folder))?;
        let path = folder.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(at(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(BlobError::Locked { folder: folder.to_owned() }),
            Err(std::fs::TryLockError::Error(error)) => return Err(at(&path)(error)),
        }
        let held = Mutex::new(recover::recover(folder, MAX_BLOBS)?);
        Ok(Self { folder: folder.to_owned(), limit_bytes, held, staged: AtomicU64::new(0), _lock: lock })
    }

    /// Reserves a blob of `size` bytes, of which nothing is there. A blob that is there already is left as it is, but for an incomplete one
    /// that was begun with another size: nobody has shown that size, so that it begins anew with this one.
    ///
    /// # Errors
    /// [`BlobError::Full`] if it does not fit beside what other blobs have reserved; [`BlobError::AnotherSize`] if it is whole and has
    /// another size; if no blob has this size, or there are too many.
    pub fn begin(&self, root: Root, size: u64) -> Result<(), BlobError> {
        ranges::count(size)?;
        let mut held = self.held();
        match held.blobs.get(&root) {
            Some(blob) if blob.size == size => return Ok(()),
            Some(Blob { size: expected, partial: None }) => {
                return Err(BlobError::AnotherSize { root, expected: *expected, got: size });
            }
            Some(_) => {
                held.reserve(cost_bytes(size), self.limit_bytes)?;
                if let Err(error) = self.take_out(&mut held, root) {
                    held.used_bytes = held.used_bytes.saturating_sub(cost_bytes(size));
                    return Err(error);
                }
            }
            None => {
                held.refuse_too_many()?;
                let incomplete = held.blobs.values().filter(|blob| blob.partial.is_some()).count();
                if incomplete >= MAX_INCOMPLETE {
                    return Err(BlobError::TooMany { what: "incomplete blobs", limit: MAX_INCOMPLETE });
                }
                held.reserve(cost_bytes(size), self.limit_bytes)?;
            }
        }
        let names = self.names(root);
        let partial = Partial::create(names.clone(), root, size).inspect_err(|_| {
            // What was made of it would be removed at the next start, too.
            let _ = names.remove();
            held.used_bytes = held.used_bytes.saturating_sub(cost_bytes(size));
        })?;
        held.blobs.insert(root, Blob { size, partial: Some(Arc::new(Mutex::new(Some(partial)))) });
        Ok(())
    }

    /// Ranges of a blob that are not there, ascending; none if it is whole.
    ///
    /// # Errors
    /// If there is no such blob.
    pub fn missing(&self, root: Root) -> Result<Vec<u32>, BlobError> {
        Ok(self.blob(root)?.missing())
    }

    /// Bytes of a blob.
    ///
    /// # Errors
    /// If there is no such blob.
    pub fn size(&self, root: Root) -> Result<u64, BlobError> {
        Ok(self.blob(root)?.size)
    }

    /// Range `index` of a blob as it travels, at most [`ranges::MAX_RANGE_BYTES`], also of an incomplete blob that has it.
    ///
    /// # Errors
    /// If the store does not have the range, or the disk has damaged it.
    pub fn read_range(&self, root: Root, index: u32) -> Result<Vec<u8>, BlobError> {
        let (size, data, pairs) = self.files(root, index)?;
        let mut bytes = Vec::with_capacity(ranges::encoded_bytes(size, index)?);
        ranges::encode(root, size, index, &data, &pairs, &mut bytes)
            .map_err(|error| error.unwrap_or_else(at(&self.names(root).tree)))?;
        Ok(bytes)
    }

    /// Writes what travelled as range `index` of a blob. True once the blob is whole. A range that is there already is not written again.
    ///
    /// # Soundness
    /// All of it is compared with the root before any of it is written.
    ///
    /// # Errors
    /// [`BlobError::Wrong`] if these bytes are not the range: whoever sent them lies. If the blob was not begun, or the system
    /// refuses.
    pub fn write_range(&self, root: Root, index: u32, bytes: &[u8]) -> Result<bool, BlobError> {
        let blob = self.blob(root)?;
        let checked = Checked::decode(root, blob.size, index, bytes)?;
        let Some(partial) = &blob.partial else { return Ok(true) };
        let whole = match lock(partial).as_mut() {
            Some(partial) => {
                partial.write(index, &checked)?;
                partial.missing().is_empty()
            }
            // Another thread finished or removed it.
            None => return self.blob(root).map(|blob| blob.partial.is_none()),
        };
        if whole { self.finish(root, partial).map(|()| true) } else { Ok(false) }
    }

    /// Makes an incomplete blob a whole one.
    fn finish(&self, root: Root, finished: &Arc<Mutex<Option<Partial>>>) -> Result<(), BlobError> {
        let mut held = self.held();
        let mut partial = lock(finished);
        // Another thread may have done it, or removed the blob.
        let Some(whole) = partial.as_mut() else { return Ok(()) };
        whole.finish()?;
        *partial = None;
        if let Some(blob) = held.blobs.get_mut(&root) {
            blob.partial = None;
        }
        Ok(())
    }

    /// Reads a whole blob.
    ///
    /// # Errors
    /// If there is no such blob, or it lacks ranges.
    pub fn reader(&self, root: Root) -> Result<Reader, BlobError> {
        let blob = self.blob(root)?;
        match blob.missing().len() {
            0 => Reader::open(self.names(root), root, blob.size),
            missing => Err(BlobError::Incomplete { root, missing: missing as u32 }),
        }
    }

    /// Removes a blob, whole or not.
    ///
    /// # Errors
    /// If there is no such blob, or the system refuses.
    pub fn remove(&self, root: Root) -> Result<(), BlobError> {
        self.take_out(&mut self.held(), root)
    }

    fn take_out(&self, held: &mut Held, root: Root) -> Result<(), BlobError> {
        let Some(blob) = held.blobs.get(&root) else { return Err(BlobError::Unknown(root)) };
        let mut partial = blob.partial.as_ref().map(|partial| lock(partial));
        self.names(root).remove()?;
        if let Some(partial) = &mut partial {
            // Threads that are about to write find nothing to write to.
            **partial = None;
        }
        drop(partial);
        let freed = cost_bytes(blob.size);
        held.blobs.remove(&root);
        held.used_bytes = held.used_bytes.saturating_sub(freed);
        Ok(())
    }

    /// Removes every blob that is not `needed`, whole or not, and says which these were.
    ///
    /// The store knows no jobs. Its owner decides what is needed together with the state of the jobs, and must let no blob be
    /// added or begun between that decision and this call, or name it as needed.
    ///
    /// # Errors
    /// What the system reports; blobs after the one that it refuses to remove are kept.
    pub fn retain(&self, needed: &HashSet<Root>) -> Result<Vec<Root>, BlobError> {
        let unneeded: Vec<Root> = self.held().blobs.keys().filter(|root| !needed.contains(root)).copied().collect();
        for root in &unneeded {
            match self.remove(*root) {
                Err(BlobError::Unknown(_)) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(unneeded)
    }

    /// Brings every range that was written to the disk, and says so in the records: for a process that is about to stop.
    ///
    /// # Errors
    /// What the system reports.
    pub fn sync(&self) -> Result<(), BlobError> {
        let blobs: Vec<Blob> = self.held().blobs.values().cloned().collect();
        for partial in blobs.iter().filter_map(|blob| blob.partial.as_ref()) {
            if let Some(partial) = lock(partial).as_mut() {
                partial.sync()?;
            }
        }
        Ok(())
    }

    /// All blobs, ascending by root.
    pub fn list(&self) -> Vec<Listed> {
        let blobs: Vec<(Root, Blob)> = self.held().blobs.iter().map(|(root, blob)| (*root, blob.clone())).collect();
        let listed = blobs.iter().map(|(root, blob)| Listed {
            root: *root,
            size: blob.size,
            missing: blob.missing().len() as u32,
        });
        listed.collect()
    }

    /// Bytes of the disk that blobs take or have reserved.
    pub fn used_bytes(&self) -> u64 {
        self.held().used_bytes
    }

    /// Bytes of the disk that nothing has reserved.
    pub fn free_bytes(&self) -> u64 {
        self.limit_bytes.saturating_sub(self.used_bytes())
    }

    /// Size and open files of a blob that has this range.
    fn files(&self, root: Root, index: u32) -> Result<(u64, File, File), BlobError> {
        let blob = self.blob(root)?;
        let ranges = ranges::count(blob.size)?;
        if index >= ranges {
            return Err(BlobError::NoSuchRange { index, ranges });
        }
        let names = self.names(root);
        let open = |path: &Path| File::open(path).map_err(at(path));
        let data = match &blob.partial {
            None => open(&names.blob)?,
            Some(partial) => match lock(partial).as_ref() {
                Some(partial) if !partial.has(index) => return Err(BlobError::Missing { root, index }),
                // Opened under the lock: the name changes under it.
                Some(_) => open(&names.part)?,
                None => open(&names.blob)?,
            },
        };
        Ok((blob.size, data, open(&names.tree)?))
    }

    fn blob(&self, root: Root) -> Result<Blob, BlobError> {
        self.held().blobs.get(&root).cloned().ok_or(BlobError::Unknown(root))
    }

    fn names(&self, root: Root) -> Names {
        Names::new(&self.folder, root)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        lock(&self.held)
    }
}

impl Blob {
    fn missing(&self) -> Vec<u32> {
        let partial = self.partial.as_ref().map(|partial| lock(partial));
        partial.and_then(|partial| Some(partial.as_ref()?.missing())).unwrap_or_default()
    }
}

impl Held {
    /// Takes bytes of the disk for something new.
    fn reserve(&mut self, needed_bytes: u64, limit_bytes: u64) -> Result<(), BlobError> {
        let free_bytes = limit_bytes.saturating_sub(self.used_bytes);
        if needed_bytes > free_bytes {
            return Err(BlobError::Full { needed_bytes, free_bytes, limit_bytes });
        }
        self.used_bytes += needed_bytes;
        Ok(())
    }

    fn refuse_too_many(&self) -> Result<(), BlobError> {
        if self.blobs.len() >= MAX_BLOBS {
            return Err(BlobError::TooMany { what: "blobs", limit: MAX_BLOBS });
        }
        Ok(())
    }
}

/// Bytes of the disk for a blob of this size: its own, its tree's, its record's.
fn cost_bytes(size: u64) -> u64 {
    size + ranges::tree_bytes(size) + record::record_bytes(size)
}

/// A lock is only poisoned by a panic of a thread that held it; what it guards is whole at every step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod crash_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_blobs_than_are_kept_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 1 << 30).expect("opened");
        let root = |number: usize| Root::of(&number.to_be_bytes());
        let blob = |number| (root(number), Blob { size: 1, partial: None });
        store.held().blobs = (0..MAX_BLOBS).map(blob).collect();
        let refused = |done: Result<(), BlobError>| matches!(done, Err(BlobError::TooMany { .. }));
        assert!(refused(store.begin(Root::of(b"x"), 1)));
        assert!(refused(store.add(&mut b"x".as_slice()).map(drop)));
        store.held().blobs.remove(&root(0));
        store.begin(Root::of(b"x"), 1).expect("there is room for one");
    }
}
