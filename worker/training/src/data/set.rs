//! A data set, as training takes it.

use super::losses::Losses;

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
    /// True if the values in the file are bytes, whose scale is another unless one is given: see [`Scaling`](super::Scaling).
    pub bytes: bool,
    /// True if the rows are not in the order of their file.
    pub shuffled: bool,
    /// True if classes are not the numbers that the file has as labels.
    pub renamed: bool,
    /// What was lost by rounding.
    pub losses: Losses,
}

impl DataSet {
    /// Values of sample `row`; empty beyond the last one.
    pub fn row(&self, row: usize) -> &[i16] {
        self.inputs.get(row * self.width..(row + 1) * self.width).unwrap_or_default()
    }
}
