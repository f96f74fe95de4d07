//! Data sets: fixed-point inputs and labels, read from files or built in.
//!
//! A [format](format) reads the bytes of whole files and checks what a header says against them before it allocates, so that
//! memory is proportional to the files: numbers are decoded a row at a time, as often as they are needed. What the job asks for is
//! [done](transform) to them, and then they are rounded. Compressed files (gzip) are recognised by their first bytes.

pub mod epoch;
mod file;
pub(crate) mod format;
mod losses;
pub(crate) mod read;
mod scaling;
pub(crate) mod table;
pub(crate) mod transform;

use std::path::PathBuf;

pub use file::MAX_FILE_BYTES;
pub use format::{Digits, digits};
pub use losses::Losses;
pub use scaling::Scaling;

/// Samples and their classes, in the order in which training takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataSet {
    /// Number of samples.
    pub rows: usize,
    /// Values of a sample.
    pub width: usize,
    /// Samples, `rows × width`, row-major, scale `2^-fa`.
    pub inputs: Vec<i16>,
    /// Class of each sample, `rows`.
    pub labels: Vec<u16>,
    /// Number of classes: the largest label and one.
    pub classes: usize,
    /// Names of the values of a sample, where the file has them.
    pub names: Vec<String>,
    /// True if the values in the file are bytes, whose scale is another unless one is given: see [`Scaling`].
    pub bytes: bool,
    /// True if the rows are not in the order of their file.
    pub shuffled: bool,
    /// True if classes are not the numbers that the file has as labels.
    pub renamed: bool,
    /// What was lost by rounding.
    pub losses: Losses,
}

/// Where in a file something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilePlace {
    /// Offset in bytes, after decompression.
    Byte(usize),
    /// Line, from 1.
    Line(u64),
}

impl std::fmt::Display for FilePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FilePlace::Byte(offset) => write!(f, "byte {offset}"),
            FilePlace::Line(line) => write!(f, "line {line}"),
        }
    }
}

/// Why a data set cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file cannot be read or decompressed.
    #[error("cannot read {}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the operating system or the decompressor says.
        source: std::io::Error,
    },
    /// The contents are not what the format or the job requires.
    #[error("{}, {place}: {what} is {got}, expected {expected}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// Where in it.
        place: FilePlace,
        /// What is wrong.
        what: String,
        /// What would be right.
        expected: String,
        /// What is there.
        got: String,
    },
    /// Samples and labels are not of the same number.
    #[error("{} has {got} labels, expected {expected}, one for each sample of {}", labels.display(), images.display())]
    Count {
        /// File of the samples.
        images: PathBuf,
        /// File of the labels.
        labels: PathBuf,
        /// Number of samples.
        expected: usize,
        /// Number of labels.
        got: usize,
    },
    /// The position lies beyond the last segment of the epoch, or its live part is not one of that position.
    #[error("{what} is {got}, expected {expected}")]
    Segment {
        /// What is wrong.
        what: &'static str,
        /// What would be right.
        expected: String,
        /// What was asked for.
        got: usize,
    },
}

impl DataSet {
    /// Values of sample `row`; empty beyond the last one.
    pub fn row(&self, row: usize) -> &[i16] {
        self.inputs.get(row * self.width..(row + 1) * self.width).unwrap_or_default()
    }
}
