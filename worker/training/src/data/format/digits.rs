//! The digits that come with the repository: part of MNIST, see `worker/assets/README.md`.

use serde::Deserialize;

use super::array::Pair;
use super::{Format, Sets, idx, two_files};
use crate::data::read::data_set;
use crate::data::table::Table;
use crate::data::transform::Transformations;
use crate::data::{DataError, DataSet, Scaling, file};
use crate::job::JobError;
use crate::job::example::Parts;
use crate::job::section::Section;

/// Training and test digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digits {
    /// The first 2,048 training digits of MNIST.
    pub train: DataSet,
    /// The first 512 test digits of MNIST.
    pub test: DataSet,
}

macro_rules! asset {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../assets/", $name)).as_slice())
    };
}

const TRAIN: [(&str, &[u8]); 2] = [asset!("train-images-idx3-ubyte.gz"), asset!("train-labels-idx1-ubyte.gz")];
const TEST: [(&str, &[u8]); 2] = [asset!("t10k-images-idx3-ubyte.gz"), asset!("t10k-labels-idx1-ubyte.gz")];

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

/// The built-in digits, 784 inputs a sample and 10 classes.
///
/// # Errors
/// If `scaling` takes a pixel out of 16 bits.
pub fn digits(scaling: &Scaling) -> Result<Digits, DataError> {
    let set = |assets| Ok::<_, DataError>(data_set(table(assets)?, &Transformations::none(*scaling), None)?.0);
    Ok(Digits { train: set(TRAIN)?, test: set(TEST)? })
}

fn table([images, labels]: [(&str, &[u8]); 2]) -> Result<Box<dyn Table>, DataError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_and_classes() {
        let Digits { train, test } = digits(&Scaling { activation_bits: 8, factor: None }).unwrap();
        assert_eq!((train.rows, train.width, train.classes), (2048, 784, 10));
        assert_eq!((test.rows, test.width, test.classes), (512, 784, 10));
        for set in [train, test] {
            assert_eq!((set.inputs.len(), set.labels.len()), (set.rows * set.width, set.rows));
            assert_eq!(set.inputs.iter().max(), Some(&255));
            assert!((0..10).all(|digit| set.labels.iter().filter(|&&label| label == digit).count() > set.rows / 16));
        }
    }
}
