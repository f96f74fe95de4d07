//! The built-in digits as data sets.

use super::format::built_in::{TEST, TRAIN, table};
use super::read::data_set;
use super::transform::Transformations;
use super::{DataError, DataSet, Scaling};

/// Training and test digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digits {
    /// The first 2,048 training digits of MNIST.
    pub train: DataSet,
    /// The first 512 test digits of MNIST.
    pub test: DataSet,
}

/// The built-in digits, 784 inputs a sample and 10 classes.
///
/// # Errors
/// If `scaling` takes a pixel out of 16 bits.
pub fn digits(scaling: &Scaling) -> Result<Digits, DataError> {
    let set = |assets| Ok::<_, DataError>(data_set(table(assets)?, &Transformations::none(*scaling), None)?.0);
    Ok(Digits { train: set(TRAIN)?, test: set(TEST)? })
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
