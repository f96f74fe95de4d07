//! The digits that come with the repository: part of MNIST, see `worker/training/assets/README.md`.

use serde::Deserialize;

use super::array::Pair;
use super::parts::Parts;
use super::{Format, Sets, idx, two_files};
use crate::data::table::LabelledRows;
use crate::data::{DataError, file};
use crate::job_file::{JobError, Section};

macro_rules! asset {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../assets/", $name)).as_slice())
    };
}

/// Samples and labels of the training set, with the names of their files.
pub(in crate::data) const TRAIN: [(&str, &[u8]); 2] =
    [asset!("train-images-idx3-ubyte.gz"), asset!("train-labels-idx1-ubyte.gz")];
/// The same of the test set.
pub(in crate::data) const TEST: [(&str, &[u8]); 2] =
    [asset!("t10k-images-idx3-ubyte.gz"), asset!("t10k-labels-idx1-ubyte.gz")];

/// The format.
pub(super) struct BuiltIn;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {}

impl Format for BuiltIn {
    fn name(&self) -> &'static str {
        "digits"
    }

    fn about(&self) -> &'static str {
        "the 2,048 + 512 digits of MNIST that are built in, no files needed"
    }

    fn keys(&self) -> &'static [&'static str] {
        &[]
    }

    fn instead_of(&self, key: &str) -> Option<&'static str> {
        two_files::KEYS.contains(&key).then_some("no path: the digits are built in")
    }

    fn example(&self) -> Parts {
        Parts {
            layers: "[784, 32, 10]",
            data: r#"# The 2,048 + 512 digits of MNIST that are built in. The order of the rows is the order of training, unless they are shuffled.
format = "digits""#,
            steps: "32",
            schedule: "[{ from_segment = 0, rate = 0.25 }]",
            ..Parts::IMAGES
        }
    }

    fn sets(&self, section: &Section<'_>) -> Result<Sets, JobError> {
        let Keys {} = section.read()?;
        Ok(Sets { train: Box::new(|| table(TRAIN)), test: Some(Box::new(|| table(TEST))) })
    }
}

/// The set in these files.
///
/// # Errors
/// None that a caller can cause.
pub(in crate::data) fn table([images, labels]: [(&str, &[u8]); 2]) -> Result<Box<dyn LabelledRows>, DataError> {
    let samples = idx::array(images.0.into(), unpacked(images)?)?;
    Ok(Box::new(Pair::new(samples, idx::labels(labels.0.into(), unpacked(labels)?)?)?))
}

fn unpacked((name, compressed): (&str, &[u8])) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    match file::unpack(compressed, &mut bytes) {
        Ok(_) => Ok(bytes),
        Err(source) => Err(DataError::Read { file: name.into(), source }),
    }
}
