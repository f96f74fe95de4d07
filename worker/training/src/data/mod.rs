//! Data sets: fixed-point inputs and labels, read from IDX, NumPy and CSV files or built in.
//!
//! Every reader works on the bytes of a whole file and checks what the header says against them before it allocates,
//! so that memory is proportional to the file. Compressed files (gzip) are recognised by their first bytes.

mod digits;
pub mod epoch;
mod file;
mod format_csv;
mod format_idx;
mod format_npy;
mod losses;
mod scaling;

use std::path::{Path, PathBuf};

pub use digits::{Digits, digits};
pub use file::MAX_FILE_BYTES;
use file::Source;
use gradproof_circuits::network::architecture::MAX_WIDTH;
pub use losses::Losses;
use losses::Watch;
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
    /// What was lost by rounding.
    pub losses: Losses,
}

/// Where the samples and labels of a data set lie, and in which format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Files {
    /// Two IDX files (MNIST and its kin), bytes only: samples of any rank, labels of rank one.
    Idx {
        /// Samples; the first dimension counts them.
        images: PathBuf,
        /// Labels.
        labels: PathBuf,
    },
    /// Two NumPy `.npy` files: samples of any rank and numeric type, labels of rank one and an integer type.
    Npy {
        /// Samples; the first dimension counts them.
        images: PathBuf,
        /// Labels.
        labels: PathBuf,
    },
    /// One CSV file, a sample a line, one column of which is the label.
    Csv {
        /// The table.
        table: PathBuf,
        /// Which column is the label.
        label: Column,
        /// Whether the first line names the columns.
        header: bool,
    },
}

/// A column of a CSV file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// By its place, from 0.
    Index(usize),
    /// By its name in the header.
    Name(String),
}

/// Where in a file something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Offset in bytes, after decompression.
    Byte(usize),
    /// Line, from 1.
    Line(u64),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Byte(offset) => write!(f, "byte {offset}"),
            Place::Line(line) => write!(f, "line {line}"),
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
        place: Place,
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

/// Samples as a reader returns them.
struct Samples {
    rows: usize,
    width: usize,
    inputs: Vec<i16>,
    bytes: bool,
    losses: Losses,
}

impl DataSet {
    /// Reads a data set from files; one that belongs to the set `like` has values of a type that is scaled like that set's.
    ///
    /// # Errors
    /// The first thing that is wrong, with file and place.
    pub fn read(files: &Files, scaling: &Scaling, like: Option<&Self>) -> Result<Self, DataError> {
        let pair = |images: &Path, labels: &Path, samples: Samples, classes: Vec<u16>| {
            if samples.rows != classes.len() {
                return Err(DataError::Count {
                    images: images.into(),
                    labels: labels.into(),
                    expected: samples.rows,
                    got: classes.len(),
                });
            }
            Ok(Self::new(samples, classes))
        };
        match files {
            Files::Idx { images, labels } => {
                let samples = format_idx::samples(&Source::new(images, &file::read(images)?), scaling)?;
                let classes = format_idx::labels(&Source::new(labels, &file::read(labels)?))?;
                pair(images, labels, samples, classes)
            }
            Files::Npy { images, labels } => {
                let bytes = like.map(|set| set.bytes);
                let samples = format_npy::samples(&Source::new(images, &file::read(images)?), scaling, bytes)?;
                let classes = format_npy::labels(&Source::new(labels, &file::read(labels)?))?;
                pair(images, labels, samples, classes)
            }
            Files::Csv { table, label, header } => {
                let bytes = file::read(table)?;
                let source = Source::new(table, &bytes);
                let (samples, classes, names) = format_csv::table(&source, label, *header, scaling)?;
                // Columns are taken by their places: another order would be another meaning.
                if let Some(like) =
                    like.filter(|like| like.names != names && !like.names.is_empty() && !names.is_empty())
                {
                    let expected = format!("the columns of the training set in their order, {:?}", like.names);
                    return Err(source.malformed(Place::Line(1), "the header", expected, format!("{names:?}")));
                }
                Ok(Self { names, ..Self::new(samples, classes) })
            }
        }
    }

    fn new(samples: Samples, labels: Vec<u16>) -> Self {
        let Samples { rows, width, inputs, bytes, losses } = samples;
        let classes = labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
        Self { rows, width, inputs, labels, classes, names: vec![], bytes, losses }
    }

    /// Values of sample `row`; empty beyond the last one.
    pub fn row(&self, row: usize) -> &[i16] {
        self.inputs.get(row * self.width..(row + 1) * self.width).unwrap_or_default()
    }
}

/// Checks the shape that a header gives, `[rows, …]`: `(rows, width)`, neither of them zero.
fn rows_and_width(source: &Source, place: Place, shape: &[usize]) -> Result<(usize, usize), DataError> {
    let malformed = |expected: String| source.malformed(place, "shape", expected, format!("{shape:?}"));
    let [rows, inner @ ..] = shape else { return Err(malformed("at least one dimension".into())) };
    let width = inner.iter().try_fold(1usize, |width, &size| width.checked_mul(size));
    match width {
        Some(width @ 1..=MAX_WIDTH) if *rows > 0 => Ok((*rows, width)),
        _ => Err(malformed(format!("at least one row, of 1 to {MAX_WIDTH} values"))),
    }
}

/// Checks that exactly `rows × width` items of `item_bytes` follow a header of `header_bytes`: those bytes.
fn payload<'a>(
    source: &Source<'a>,
    header_bytes: usize,
    (rows, width): (usize, usize),
    item_bytes: usize,
) -> Result<&'a [u8], DataError> {
    let expected = rows.checked_mul(width).and_then(|items| items.checked_mul(item_bytes));
    let body = source.bytes.get(header_bytes..).unwrap_or_default();
    if expected == Some(body.len()) {
        return Ok(body);
    }
    let expected = format!("{rows} × {width} × {item_bytes} bytes, as the header says");
    Err(source.malformed(Place::Byte(header_bytes), "the data", expected, format!("{} bytes", body.len())))
}

/// Checks a label; `place` is called only if it is wrong.
fn label(source: &Source, value: i64, place: impl FnOnce() -> Place) -> Result<u16, DataError> {
    match u16::try_from(value) {
        Ok(label) if usize::from(label) < MAX_WIDTH => Ok(label),
        _ => Err(source.malformed(place(), "a label", format!("0 to {}", MAX_WIDTH - 1), value)),
    }
}
