//! A training job: what is trained, on which data, how long, and how exactly; read from a TOML file.
//!
//! [`example`] has complete, commented files. Everything that can be known to be impossible before training is
//! refused while reading, with the line, the key and the nearest value that works.

mod check;
pub mod example;
mod schema;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::epoch::Epoch;
use gradproof_circuits::network::epoch::Live;

pub use gradproof_verifier::protocol::job::{MAX_RATE, MAX_SEGMENTS, RateChange};
use gradproof_verifier::protocol::key::{MAX_COLUMN_VARS, MIN_COLUMN_VARS};
use gradproof_verifier::protocol::profile::Profile;
use schema::JobFile;

use crate::data::epoch::{SegmentRows, segment_rows};
use crate::data::format::{FORMATS, Format};
use crate::data::{DataError, DataSet};
pub use crate::job_file::JobError;
use crate::job_file::Origin;

/// Shortest and longest committed column, log2.
pub const COLUMN_BITS: std::ops::RangeInclusive<usize> = MIN_COLUMN_VARS..=MAX_COLUMN_VARS;
/// Largest job file, in bytes.
const MAX_JOB_BYTES: u64 = 1 << 20;

/// The job file of the demonstration.
pub const DEMO: &str = include_str!("job/demo.toml");

/// A training job, checked, with its data.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Widths, batch, steps per segment and precision.
    pub architecture: Architecture,
    /// What is trained on.
    pub train: DataSet,
    /// What the accuracy is measured on, if anything.
    pub test: Option<DataSet>,
    /// Steps of the whole job.
    pub steps: usize,
    /// The learning rate from each of these segments on; the first is segment 0, and they ascend.
    pub rates: Vec<RateChange>,
    /// Where the first weights come from.
    pub initial_weights: InitialWeights,
    /// How long committed columns are.
    pub columns: ColumnLength,
    /// What the user should know about what was read: where the job differs from what the file may seem to say.
    pub notes: Vec<String>,
}

/// How long committed columns are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnLength {
    /// As long as suits local use, or as those that the job goes on with: the job file does not say.
    Usual,
    /// As long as suits this purpose.
    For(Profile),
    /// `2^n` entries.
    Bits(usize),
}

/// Where the first weights come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InitialWeights {
    /// Derived from a public seed.
    Seed(u64),
    /// Read from a safetensors file, and committed to anew.
    File(PathBuf),
    /// Those that another job ended with, with its commitments: the folder of that job, of its parent, and so on; at least one.
    Parent(Vec<PathBuf>),
}

/// One segment of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which epoch it is in, from 0.
    pub epoch: usize,
    /// Which segment of its epoch it is, from 0.
    pub position: usize,
    /// Steps and rows that train.
    pub live: Live,
    /// Learning rate over batch, `c`, in units of `2^-k`.
    pub rate: u32,
}

impl Job {
    /// The demonstration: a network of 784-128-128-10 and four epochs over the built-in digits.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn demo() -> Result<Self, JobError> {
        Self::parse(Path::new("demo.toml"), DEMO)
    }

    /// Reads a job file and the data that it names.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn load(path: &Path) -> Result<Self, JobError> {
        Self::parse(path, &text_of(path)?)
    }

    /// Reads a job file whose data are a registered set, of so many rows with so many values each, which are not here.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn load_licensed(path: &Path, rows: usize, width: usize) -> Result<Self, JobError> {
        let text = text_of(path)?;
        Self::parse_on(path, &text, |origin, architecture, _| check::licensed(origin, architecture, rows, width))
    }

    /// The job that `text` describes, and the data that it names; relative paths start at the folder of `file`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(file: &Path, text: &str) -> Result<Self, JobError> {
        Self::parse_with(file, text, FORMATS)
    }

    /// The same with these formats of data.
    pub(crate) fn parse_with(file: &Path, text: &str, formats: &[&dyn Format]) -> Result<Self, JobError> {
        Self::parse_on(file, text, |origin, architecture, notes| check::data(origin, formats, architecture, notes))
    }

    /// The same with the training and the test set that `data` finds.
    fn parse_on(
        file: &Path,
        text: &str,
        data: impl FnOnce(&Origin, &Architecture, &mut Vec<String>) -> Result<(DataSet, Option<DataSet>), JobError>,
    ) -> Result<Self, JobError> {
        let origin = Origin { file, text };
        let job: JobFile = toml::from_str(text).map_err(|error| origin.syntax(&error, &[]))?;
        let architecture = check::architecture(&origin, &job)?;
        let initial_weights = check::initial_weights(&origin, &job)?;
        let columns = check::columns(&origin, &job)?;
        let mut notes = Vec::new();
        let (train, test) = data(&origin, &architecture, &mut notes)?;
        let epoch = architecture.epoch(train.rows);
        let steps = check::steps(&origin, &job, &architecture, &epoch)?;
        let segments = epoch.segments_within(steps);
        let rates = check::rates(&origin, &job, &architecture, &epoch, segments, &mut notes)?;
        Ok(Self { architecture, train, test, steps, rates, initial_weights, columns, notes })
    }

    /// How an epoch is cut into segments.
    pub fn epoch(&self) -> Epoch {
        self.architecture.epoch(self.train.rows)
    }

    /// Segments of the whole job.
    pub fn segments(&self) -> usize {
        self.epoch().segments_within(self.steps)
    }

    /// Segment `index` of the job, from 0; nothing beyond the last one.
    pub fn segment(&self, index: usize) -> Option<Segment> {
        let cut = self.epoch();
        if index >= self.segments() {
            return None;
        }
        let position = cut.position(index);
        let rate = self.rates.iter().rev().find(|change| change.from_segment <= index)?.rate;
        Some(Segment { epoch: index / cut.segments(), position, live: cut.live(position)?, rate })
    }

    /// Steps of the job before segment `index`.
    pub fn steps_before(&self, index: usize) -> usize {
        self.epoch().steps_of(index)
    }

    /// The training data of the segment at `position` of the epoch, as the trace has it.
    ///
    /// # Errors
    /// If the position lies beyond the end of the epoch.
    pub fn segment_rows(&self, position: usize) -> Result<SegmentRows, DataError> {
        segment_rows(&self.architecture, &self.train, position)
    }

    /// The learning rate that `rate` stands for: `rate · 2^-k · batch`.
    pub fn learning_rate(&self, rate: u32) -> f64 {
        f64::from(rate) * rate_unit(&self.architecture)
    }
}

/// The learning rate of `c = 1`.
fn rate_unit(architecture: &Architecture) -> f64 {
    architecture.batch() as f64 / 2f64.powi(architecture.precision().rate_bits as i32)
}

/// The text of a job file.
fn text_of(path: &Path) -> Result<String, JobError> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_JOB_BYTES + 1).read_to_string(&mut text));
    let whole = read.and_then(|bytes| match bytes as u64 {
        0..=MAX_JOB_BYTES => Ok(()),
        _ => Err(std::io::Error::other(format!("a job file has at most {MAX_JOB_BYTES} bytes"))),
    });
    whole.map_err(|source| JobError::Read { file: path.into(), source })?;
    Ok(text)
}

#[cfg(test)]
mod tests;
