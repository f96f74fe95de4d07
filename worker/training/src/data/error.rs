//! Why a data set cannot be used.

use std::path::PathBuf;

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
