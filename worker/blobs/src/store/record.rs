//! What is there of an incomplete blob: a file of one byte a range.
//!
//! # Layout
//! `GPRANGES` 8 ‖ version 4 ‖ size of the blob 8, both big-endian ‖ a byte for each range, a [`State`].
//!
//! A byte and not a bit: the system writes a byte as one, so that no mark is lost when a neighbour is written.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use bao_tree::io::sync::WriteAt;
use gradproof_terminal::atomic;

use crate::BlobError;
use crate::error::at;
use crate::ranges;
use crate::steps::step;

/// Begins the file.
const MAGIC: [u8; 8] = *b"GPRANGES";
/// Version of the layout.
const VERSION: u32 = 1;
/// Bytes before the first range's.
const HEADER_BYTES: usize = 20;

/// What the disk has of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing that counts.
    Missing = 0,
    /// It was checked and written, and the system may not have brought it to the disk yet. A process that dies does not lose it; a
    /// machine that loses its power may. So whoever opens the record checks such a range again.
    Written = 1,
    /// It was on the disk before this mark was made.
    Kept = 2,
}

/// The record of an incomplete blob.
pub(crate) struct Record {
    path: PathBuf,
    file: File,
    /// Bytes of the blob.
    pub size: u64,
    states: Vec<State>,
}

/// Bytes of the record of a blob of this size.
pub(crate) fn record_bytes(size: u64) -> u64 {
    HEADER_BYTES as u64 + size.div_ceil(ranges::RANGE_BYTES)
}

impl Record {
    /// Writes a record of which every range has this state.
    ///
    /// # Errors
    /// What the system reports, or if no blob has this size.
    pub fn create(path: &Path, size: u64, state: State) -> Result<Self, BlobError> {
        let states = vec![state; ranges::count(size)? as usize];
        atomic::write(path, |file| {
            file.write_all(&MAGIC)?;
            file.write_all(&VERSION.to_be_bytes())?;
            file.write_all(&size.to_be_bytes())?;
            file.write_all(&states.iter().map(|state| *state as u8).collect::<Vec<_>>())
        })
        .map_err(at(path))?;
        step("record created");
        let file = OpenOptions::new().write(true).open(path).map_err(at(path))?;
        Ok(Self { path: path.to_owned(), file, size, states })
    }

    /// Reads a record; `None` if the file is not a whole one.
    ///
    /// # Errors
    /// If another version wrote it, or the system refuses.
    pub fn open(path: &Path) -> Result<Option<Self>, BlobError> {
        // One more than a record has: whatever is longer is none, and is not read.
        let most = record_bytes(ranges::MAX_BLOB_BYTES) + 1;
        let mut bytes = Vec::new();
        File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(at(path))?;
        let Some((size, states)) =
            decode(&bytes).map_err(|got| BlobError::Version { path: path.to_owned(), expected: VERSION, got })?
        else {
            return Ok(None);
        };
        let file = OpenOptions::new().write(true).open(path).map_err(at(path))?;
        Ok(Some(Self { path: path.to_owned(), file, size, states }))
    }

    /// What the disk has of a range.
    pub fn state(&self, index: u32) -> State {
        self.states.get(index as usize).copied().unwrap_or(State::Missing)
    }

    /// Ranges in this state, ascending.
    pub fn of(&self, state: State) -> Vec<u32> {
        (0u32..).zip(&self.states).filter(|(_, is)| **is == state).map(|(index, _)| index).collect()
    }

    /// Gives ranges a state, which the system may bring to the disk later.
    ///
    /// # Errors
    /// What the system reports.
    pub fn set(&mut self, indices: &[u32], state: State) -> Result<(), BlobError> {
        for index in indices {
            let Some(place) = self.states.get_mut(*index as usize) else { continue };
            let offset = HEADER_BYTES as u64 + u64::from(*index);
            self.file.write_all_at(offset, &[state as u8]).map_err(at(&self.path))?;
            *place = state;
        }
        Ok(())
    }

    /// Brings the record to the disk.
    ///
    /// # Errors
    /// What the system reports.
    pub fn sync(&self) -> Result<(), BlobError> {
        self.file.sync_data().map_err(at(&self.path))
    }
}

/// Size and states in the bytes of a record, `None` if they are not one; another version is the error.
fn decode(bytes: &[u8]) -> Result<Option<(u64, Vec<State>)>, u32> {
    let Some((header, states)) = bytes.split_first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    let Some(rest) = header.strip_prefix(&MAGIC) else { return Ok(None) };
    let Some((version, size)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    match u32::from_be_bytes(*version) {
        VERSION => {}
        other => return Err(other),
    }
    let Ok(size) = size.try_into().map(u64::from_be_bytes) else { return Ok(None) };
    let states = states.iter().map(|byte| match byte {
        2 => State::Kept,
        1 => State::Written,
        _ => State::Missing,
    });
    let states: Vec<State> = states.collect();
    let whole = ranges::count(size).is_ok_and(|count| count as usize == states.len());
    Ok(whole.then_some((size, states)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bolero::check;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r");
        let mut record = Record::create(&path, (5 << 20) + 1, State::Missing).expect("created");
        record.set(&[0, 4], State::Written).expect("set");
        record.set(&[4, 5, 9], State::Kept).expect("set");
        let record = Record::open(&path).expect("read").expect("whole");
        assert_eq!((record.of(State::Written), record.of(State::Kept)), (vec![0], vec![4, 5]));
        assert_eq!((record.size, record.of(State::Missing)), ((5 << 20) + 1, vec![1, 2, 3]));
        assert_eq!(std::fs::metadata(&path).expect("there").len(), record_bytes(record.size));
    }

    #[test]
    fn a_record_of_another_version_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r");
        drop(Record::create(&path, 9, State::Missing).expect("created"));
        let mut bytes = std::fs::read(&path).expect("read");
        bytes[11] = 7;
        std::fs::write(&path, &bytes).expect("written");
        let error = Record::open(&path).err().expect("another version");
        assert!(error.to_string().ends_with("version is 7, expected 1"), "{error}");
    }

    #[test]
    fn any_bytes_are_a_record_or_none() {
        check!().with_iterations(2000).with_type::<(bool, u8, Vec<u8>)>().for_each(|(headed, size, raw)| {
            let mut bytes = Vec::new();
            if *headed {
                bytes.extend_from_slice(&MAGIC);
                bytes.extend_from_slice(&VERSION.to_be_bytes());
                bytes.extend_from_slice(&(u64::from(*size) << 19).to_be_bytes());
            }
            bytes.extend_from_slice(raw);
            if let Ok(Some((size, states))) = decode(&bytes) {
                assert_eq!(ranges::count(size).expect("a size") as usize, states.len());
            }
        });
    }
}
