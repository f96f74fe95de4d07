//! Why a blob, or a range of one, is not there.

use std::path::{Path, PathBuf};

use crate::Root;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// The system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Whoever gives the bytes of a new blob fails.
    #[error("cannot read what is to be added: {0}")]
    Input(std::io::Error),
    /// Another process has the folder.
    #[error("{}: another process uses these blobs; stop it, or choose another folder", folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// A record was written by another version of this program.
    #[error("{}: version is {got}, expected {expected}", path.display())]
    Version {
        /// The record.
        path: PathBuf,
        /// Version of this program.
        expected: u32,
        /// Version of the file.
        got: u32,
    },
    /// The blob does not fit into what the store may use.
    #[error("the store is full: {needed_bytes} bytes are needed, {free_bytes} of {limit_bytes} are free")]
    Full {
        /// Bytes of the blob and its tree.
        needed_bytes: u64,
        /// Bytes that nothing has reserved.
        free_bytes: u64,
        /// Bytes that the store may use.
        limit_bytes: u64,
    },
    /// More blobs than the store keeps.
    #[error("{limit} {what} are the most that are kept")]
    TooMany {
        /// Which blobs.
        what: &'static str,
        /// The most.
        limit: usize,
    },
    /// A blob without a byte.
    #[error("a blob has at least one byte")]
    Empty,
    /// A blob that is larger than any may be.
    #[error("the blob has {got} bytes, at most {limit} are taken")]
    TooLarge {
        /// Bytes of the blob, as far as they were counted.
        got: u64,
        /// The most.
        limit: u64,
    },
    /// A root is not spelled as one.
    #[error("not the root of a blob: expected 0x and 64 digits 0 to 9 and a to f")]
    NotARoot,
    /// The store has no such blob.
    #[error("there is no blob {0}")]
    Unknown(Root),
    /// The store has the blob under another size.
    #[error("blob {root} has {expected} bytes, not {got}")]
    AnotherSize {
        /// The blob.
        root: Root,
        /// Bytes that it has here.
        expected: u64,
        /// Bytes that were said.
        got: u64,
    },
    /// The blob has no such range.
    #[error("a blob of {ranges} ranges has no range {index}")]
    NoSuchRange {
        /// The range.
        index: u32,
        /// Ranges of the blob.
        ranges: u32,
    },
    /// The range is not here yet.
    #[error("range {index} of blob {root} is not here yet")]
    Missing {
        /// The blob.
        root: Root,
        /// The range.
        index: u32,
    },
    /// The blob is not whole yet.
    #[error("blob {root} lacks {missing} of its ranges")]
    Incomplete {
        /// The blob.
        root: Root,
        /// Ranges that it lacks.
        missing: u32,
    },
    /// Bytes from outside are not the range of the blob: whoever sent them lies, or means another blob.
    #[error("these bytes are not range {index} of blob {root}: {reason}")]
    Wrong {
        /// The blob.
        root: Root,
        /// The range.
        index: u32,
        /// In what they differ.
        reason: &'static str,
    },
    /// Bytes on this disk are no longer those of the blob.
    #[error("range {index} of blob {root} was damaged on this disk: remove the blob and fetch it again")]
    Damaged {
        /// The blob.
        root: Root,
        /// The range.
        index: u32,
    },
}

/// Makes an error of the system one that names the path.
pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> BlobError {
    move |source| BlobError::Io { path: path.to_owned(), source }
}
