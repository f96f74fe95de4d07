//! Formats of data. A new one is one file here, and its line in [`FORMATS`].
//!
//! A format has its word in `data.format`, its own keys in `[data]`, its example, and how the files that the keys name become a
//! [`LabelledRows`] of plain numbers. What is done to the numbers is the same for all: see [`super::transform`].

mod array;
mod csv;
mod csv_lines;
pub(in crate::data) mod digits;
mod idx;
mod npy;
mod npz;
pub(crate) mod parts;
#[cfg(test)]
mod testing;
mod two_files;

/// The digits that are built in.
pub(in crate::data) use digits as built_in;

use super::DataError;
use super::table::LabelledRows;
use crate::job_file::{JobError, Section};
use parts::Parts;

/// Every format; the first is that of an example for which none is named.
pub(crate) static FORMATS: &[&dyn Format] = &[&digits::BuiltIn, &idx::Idx, &npy::Npy, &npz::Npz, &csv::Csv];

/// A format of data.
pub(crate) trait Format: Sync {
    /// Its word in `data.format`.
    fn name(&self) -> &'static str;

    /// What it is, in a line.
    fn about(&self) -> &'static str;

    /// Its keys in `[data]`.
    fn keys(&self) -> &'static [&'static str];

    /// What is expected instead of `key`, which is another format's.
    fn instead_of(&self, key: &str) -> Option<&'static str> {
        let _ = key;
        None
    }

    /// What is special in an example.
    fn example(&self) -> Parts;

    /// The data sets that the keys name. Every key is checked, and every file looked for, before the first is read.
    ///
    /// # Errors
    /// The first key that cannot work, or the first file that is not there.
    fn sets(&self, section: &Section<'_>) -> Result<Sets, JobError>;
}

/// Reads a data set.
pub(crate) type Reader = Box<dyn FnOnce() -> Result<Box<dyn LabelledRows>, DataError>>;

/// The data sets of a job.
pub(crate) struct Sets {
    /// What is trained on.
    pub train: Reader,
    /// What the accuracy is measured on.
    pub test: Option<Reader>,
}

/// The one of `formats` whose name is the value of `format`, once no key in `section` is one of another format only.
///
/// # Errors
/// If there is no such format, or such a key.
pub(crate) fn chosen<'a>(
    section: &Section<'_>,
    name: &str,
    formats: &[&'a dyn Format],
) -> Result<&'a dyn Format, JobError> {
    let Some(&format) = formats.iter().find(|format| format.name() == name) else {
        let names: Vec<&str> = formats.iter().map(|format| format.name()).collect();
        return Err(section.unknown("format", name, &names));
    };
    for key in section.keys().filter(|key| !format.keys().contains(key)) {
        let of: Vec<String> = formats
            .iter()
            .filter(|other| other.keys().contains(&key))
            .map(|other| format!("\"{}\"", other.name()))
            .collect();
        if !of.is_empty() {
            let expected = format.instead_of(key).map(str::to_owned);
            let none = || format!("no such key: it is of format {} only", of.join(", "));
            return Err(section.presence(key, true, expected.unwrap_or_else(none)));
        }
    }
    Ok(format)
}

#[cfg(test)]
mod tests;
