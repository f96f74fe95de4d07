//! Keys of formats whose samples lie in one file and labels in another.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::array::{Array, Pair};
use super::{Reader, Sets};
use crate::data::{DataError, file};
use crate::job_file::{JobError, Section};

pub(super) const KEYS: &[&str] = &["images", "labels", "test_images", "test_labels"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    images: Option<PathBuf>,
    labels: Option<PathBuf>,
    test_images: Option<PathBuf>,
    test_labels: Option<PathBuf>,
}

/// Finds the array in the bytes of a file.
type Decode = fn(PathBuf, Vec<u8>) -> Result<Array, DataError>;

/// The sets of a format with these keys.
pub(super) fn sets(section: &Section<'_>, samples: Decode, labels: Decode) -> Result<Sets, JobError> {
    let keys: Keys = section.read()?;
    let set = |names: [&str; 2], paths: [Option<&Path>; 2]| -> Result<Reader, JobError> {
        let [samples_file, labels_file] = [section.file(names[0], paths[0])?, section.file(names[1], paths[1])?];
        Ok(Box::new(move || {
            let bytes = file::read(&samples_file)?;
            let samples = samples(samples_file, bytes)?;
            let bytes = file::read(&labels_file)?;
            Ok(Box::new(Pair::new(samples, labels(labels_file, bytes)?)?))
        }))
    };
    let train = set(["images", "labels"], [keys.images.as_deref(), keys.labels.as_deref()])?;
    let given = keys.test_images.is_some() || keys.test_labels.is_some();
    let paths = [keys.test_images.as_deref(), keys.test_labels.as_deref()];
    let test = given.then(|| set(["test_images", "test_labels"], paths)).transpose()?;
    Ok(Sets { train, test })
}
