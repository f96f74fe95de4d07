//! The digits that come with the repository: part of MNIST, see `worker/assets/README.md`.

use std::path::Path;

use super::{DataError, DataSet, Scaling, Source, file, format_idx};

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
        ($name, include_bytes!(concat!("../../assets/", $name)).as_slice())
    };
}

const TRAIN: [(&str, &[u8]); 2] = [asset!("train-images-idx3-ubyte.gz"), asset!("train-labels-idx1-ubyte.gz")];
const TEST: [(&str, &[u8]); 2] = [asset!("t10k-images-idx3-ubyte.gz"), asset!("t10k-labels-idx1-ubyte.gz")];

/// The built-in digits, 784 inputs a sample and 10 classes.
///
/// # Errors
/// If `scaling` takes a pixel out of 16 bits.
pub fn digits(scaling: &Scaling) -> Result<Digits, DataError> {
    let set = |[images, labels]: [(&str, &[u8]); 2]| {
        let samples = format_idx::samples(&Source::new(Path::new(images.0), &unpacked(images)?), scaling)?;
        let classes = format_idx::labels(&Source::new(Path::new(labels.0), &unpacked(labels)?))?;
        Ok(DataSet::new(samples, classes))
    };
    Ok(Digits { train: set(TRAIN)?, test: set(TEST)? })
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
