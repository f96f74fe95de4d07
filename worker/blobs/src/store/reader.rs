//! Reading a whole blob, every byte of which is compared with its root.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};

use bao_tree::io::sync::ReadAt;

use crate::error::at;
use crate::ranges::{self, RANGE_BYTES};
use crate::store::names::Names;
use crate::{BlobError, Root};

/// Reads the bytes of a whole blob, a range at a time, and compares each range with the root before it gives any of it.
///
/// # Errors
/// Reading fails with a [`BlobError`] inside the error of the system where the disk has damaged the blob.
pub struct Reader {
    root: Root,
    size: u64,
    data: File,
    pairs: File,
    names: Names,
    at: u64,
    /// The range in `buffer`.
    range: Option<u32>,
    buffer: Vec<u8>,
}

/// Bytes of a blob that were read already, where the blob has them.
struct Placed<'a>(u64, &'a [u8]);

impl ReadAt for Placed<'_> {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let start = at.checked_sub(self.0).and_then(|start| usize::try_from(start).ok());
        let rest = start.and_then(|start| self.1.get(start..)).unwrap_or_default();
        let bytes = rest.len().min(buffer.len());
        let (Some(into), Some(from)) = (buffer.get_mut(..bytes), rest.get(..bytes)) else { return Ok(0) };
        into.copy_from_slice(from);
        Ok(bytes)
    }
}

impl Reader {
    /// A reader at the first byte.
    pub(crate) fn open(names: Names, root: Root, size: u64) -> Result<Self, BlobError> {
        let data = File::open(&names.blob).map_err(at(&names.blob))?;
        let pairs = File::open(&names.tree).map_err(at(&names.tree))?;
        Ok(Self { root, size, data, pairs, names, at: 0, range: None, buffer: Vec::new() })
    }

    /// Bytes of the blob.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads a range into the buffer and checks it.
    fn load(&mut self, index: u32) -> Result<(), BlobError> {
        self.range = None;
        let offset = u64::from(index) * RANGE_BYTES;
        self.buffer.resize(ranges::bytes_of(self.size, index) as usize, 0);
        let read = self.data.read_exact_at(offset, &mut self.buffer);
        match read {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                return Err(BlobError::Damaged { root: self.root, index });
            }
            read => read.map_err(at(&self.names.blob))?,
        }
        let placed = Placed(offset, &self.buffer);
        ranges::encode(self.root, self.size, index, placed, &self.pairs, std::io::sink())
            .map_err(|error| error.unwrap_or_else(at(&self.names.tree)))?;
        self.range = Some(index);
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.at >= self.size || out.is_empty() {
            return Ok(0);
        }
        // Below the largest size of a blob, so that it fits.
        let index = (self.at / RANGE_BYTES) as u32;
        if self.range != Some(index) {
            self.load(index).map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
        }
        let rest = self.buffer.get((self.at % RANGE_BYTES) as usize..).unwrap_or_default();
        let bytes = rest.len().min(out.len());
        if let (Some(into), Some(from)) = (out.get_mut(..bytes), rest.get(..bytes)) {
            into.copy_from_slice(from);
        }
        self.at += bytes as u64;
        Ok(bytes)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = place.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "a place before the first byte"))?;
        Ok(self.at)
    }
}
