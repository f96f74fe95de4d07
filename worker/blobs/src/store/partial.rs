//! An incomplete blob: ranges are checked, written and recorded.
//!
//! # Order of writes
//! A range is checked in memory as a whole. Then its pairs go into the tree, its bytes into the data, and only then its mark
//! *written* into the record. A process that is killed leaves these writes to the system in this order, so that a mark without
//! bytes cannot be seen; a machine that loses its power may keep the mark and lose the bytes. Therefore a mark *written* is only
//! a hint where to look: whoever opens the store compares these ranges with the root again ([`Partial::recheck`]).
//!
//! After every [`SYNC_RANGES`] ranges data and tree are flushed to the disk, and only then do the ranges get the mark *kept*, and the
//! record is flushed. A mark *kept* is believed, so that a large blob need not be read at each start.
//!
//! What is lost: to a killed process, ranges that were in flight, that is, not yet handed to [`Partial::write`] or still inside it.
//! To a power failure, these and at most [`SYNC_RANGES`] more.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::Path;

use bao_tree::io::sync::WriteAt;

use super::names::Names;
use super::record::{Record, State};
use crate::error::at;
use crate::ranges::{self, Checked};
use crate::steps::step;
use crate::{BlobError, Root};

/// Ranges that are written between two flushes: a flush takes milliseconds, and 8 MiB are soon fetched again.
const SYNC_RANGES: usize = 8;

/// An incomplete blob and its open files.
pub(crate) struct Partial {
    root: Root,
    names: Names,
    data: File,
    pairs: File,
    record: Record,
}

impl Partial {
    /// Reserves a blob of which nothing is there.
    ///
    /// # Errors
    /// What the system reports, or if no blob has this size.
    pub fn create(names: Names, root: Root, size: u64) -> Result<Self, BlobError> {
        let record = Record::create(&names.record, size, State::Missing)?;
        Self::with(names, root, record)
    }

    /// The incomplete blob that a process has left, `None` if it left too little to go on from.
    ///
    /// # Errors
    /// What the system reports, or if another version wrote the record.
    pub fn open(names: Names, root: Root) -> Result<Option<Self>, BlobError> {
        let record = match Record::open(&names.record) {
            Ok(Some(record)) => record,
            Ok(None) => return Self::without_record(names, root),
            Err(BlobError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return Self::without_record(names, root);
            }
            Err(error) => return Err(error),
        };
        let mut partial = Self::with(names, root, record)?;
        partial.recheck()?;
        Ok(Some(partial))
    }

    /// Without its record every range is looked at.
    fn without_record(names: Names, root: Root) -> Result<Option<Self>, BlobError> {
        let size = std::fs::metadata(&names.part).map_err(at(&names.part))?.len();
        if ranges::count(size).is_err() {
            return Ok(None);
        }
        let record = Record::create(&names.record, size, State::Written)?;
        let mut partial = Self::with(names, root, record)?;
        partial.recheck()?;
        Ok(Some(partial))
    }

    fn with(names: Names, root: Root, record: Record) -> Result<Self, BlobError> {
        let data = sized(&names.part, record.size)?;
        step("part created");
        let pairs = sized(&names.tree, ranges::tree_bytes(record.size))?;
        step("tree created");
        Ok(Self { root, names, data, pairs, record })
    }

    /// Bytes of the blob.
    pub fn size(&self) -> u64 {
        self.record.size
    }

    /// Ranges that are not there, ascending.
    pub fn missing(&self) -> Vec<u32> {
        self.record.of(State::Missing)
    }

    /// True if a range is there.
    pub fn has(&self, index: u32) -> bool {
        self.record.state(index) != State::Missing
    }

    /// Compares the ranges that a process wrote, and may not have brought to the disk, with the root.
    fn recheck(&mut self) -> Result<(), BlobError> {
        for index in self.record.of(State::Written) {
            let checked = ranges::encode(self.root, self.size(), index, &self.data, &self.pairs, std::io::sink());
            match checked {
                Ok(()) => {}
                Err(Ok(_)) => self.record.set(&[index], State::Missing)?,
                Err(Err(error)) => return Err(at(&self.names.part)(error)),
            }
        }
        self.sync()
    }

    /// Writes a range that was checked. Twice is as once.
    ///
    /// # Errors
    /// What the system reports.
    pub fn write(&mut self, index: u32, range: &Checked) -> Result<(), BlobError> {
        if self.has(index) {
            return Ok(());
        }
        for (offset, run) in range.runs() {
            self.pairs.write_all_at(offset, &run).map_err(at(&self.names.tree))?;
        }
        step("pairs written");
        self.data.write_all_at(range.offset, &range.data).map_err(at(&self.names.part))?;
        step("data written");
        self.record.set(&[index], State::Written)?;
        step("range marked written");
        let due = self.record.of(State::Written).len() >= SYNC_RANGES || self.missing().is_empty();
        if due { self.sync() } else { Ok(()) }
    }

    /// Brings everything that is written to the disk, and then says so in the record.
    ///
    /// # Errors
    /// What the system reports.
    pub fn sync(&mut self) -> Result<(), BlobError> {
        let written = self.record.of(State::Written);
        if written.is_empty() {
            return Ok(());
        }
        self.data.sync_data().map_err(at(&self.names.part))?;
        step("data flushed");
        self.pairs.sync_data().map_err(at(&self.names.tree))?;
        step("tree flushed");
        self.record.set(&written, State::Kept)?;
        step("ranges marked kept");
        self.record.sync()?;
        step("record flushed");
        Ok(())
    }

    /// Gives the blob, of which everything is there, the name of a whole one.
    ///
    /// The name changes after everything under it is on the disk, and the record goes last: with the old name and no record
    /// everything would be checked again, with the new name the record means nothing.
    ///
    /// # Errors
    /// What the system reports.
    pub fn finish(&mut self) -> Result<(), BlobError> {
        self.sync()?;
        std::fs::rename(&self.names.part, &self.names.blob).map_err(at(&self.names.blob))?;
        step("blob named");
        self.names.sync_folder()?;
        step("folder flushed");
        std::fs::remove_file(&self.names.record).map_err(at(&self.names.record))?;
        step("record removed");
        Ok(())
    }
}

/// Opens a file and makes it this long; what it has stays.
fn sized(path: &Path, bytes: u64) -> Result<File, BlobError> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(at(path))?;
    file.set_len(bytes).map_err(at(path))?;
    Ok(file)
}

/// Reads up to `buffer.len()` bytes, fewer only at the end.
pub(crate) fn fill(input: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
