//! Every column with mean 0 and standard deviation 1 in the training set: `standardise = true`.
//!
//! With `n` rows `x_0 … x_{n-1}` of the training set, in the order of the file, each column has
//!
//! 1. `mean = (x_0 + x_1 + … + x_{n-1}) / n`, summed from left to right;
//! 2. `deviation = √(((x_0 - mean)² + … + (x_{n-1} - mean)²) / n)`, summed from left to right;
//! 3. `x ↦ (x - mean) / deviation`, in the training and in the test set.
//!
//! Every operation is rounded once, to an IEEE 754 double, and none are fused.

use crate::data::DataError;
use crate::data::table::{LabelledRows, TablePart};

pub(crate) const EXAMPLE: &str = "\
# Every column less its mean, divided by its standard deviation, both of the training set.
# standardise = true";

/// Means and standard deviations of columns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moments {
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl Moments {
    /// Those of `columns` of a training set, whose `names` they are.
    ///
    /// # Errors
    /// If a value is no finite number, or a column has the same value in every row.
    pub fn new(table: &dyn LabelledRows, columns: &[usize], names: &[String]) -> Result<Self, DataError> {
        let rows = table.rows() as f64;
        let mut means = vec![0.0; columns.len()];
        let mut ranges = vec![[f64::INFINITY, f64::NEG_INFINITY]; columns.len()];
        let mut row = 0;
        table.each_row(columns, &mut |values, _| {
            for (i, &value) in values.iter().enumerate() {
                if !value.is_finite() {
                    let spot = table.spot(TablePart::Value { row, column: columns[i] });
                    let expected = "a finite number; a value that is missing must be filled in, or its row left out";
                    return Err(spot.malformed(expected, value));
                }
                means[i] += value;
                let [least, most] = ranges[i];
                ranges[i] = [least.min(value), most.max(value)];
            }
            row += 1;
            Ok(())
        })?;
        means.iter_mut().for_each(|mean| *mean /= rows);
        let mut deviations = vec![0.0; columns.len()];
        table.each_row(columns, &mut |values, _| {
            for ((deviation, mean), value) in deviations.iter_mut().zip(&means).zip(values) {
                *deviation += (value - mean) * (value - mean);
            }
            Ok(())
        })?;
        deviations.iter_mut().for_each(|deviation| *deviation = (*deviation / rows).sqrt());
        let usable = |i: usize| ranges[i][0] < ranges[i][1] && deviations[i].is_normal() && means[i].is_finite();
        let unusable: Vec<usize> = (0..columns.len()).filter(|&i| !usable(i)).collect();
        if unusable.is_empty() {
            return Ok(Self { means, deviations });
        }
        let name = |&i: &usize| names.get(i).map_or_else(|| columns[i].to_string(), |name| format!("{name:?}"));
        let listed: Vec<String> = unusable.iter().map(name).collect();
        let listed = listed.join(", ");
        let mut spot = table.spot(TablePart::Header);
        spot.got = None;
        spot.what = "the standard deviation of a column".into();
        let expected = format!(
            "another number than that of a column with one value in every row; leave such columns out, \
             data.columns = {{ except = [{listed}] }}, or do without data.standardise"
        );
        Err(spot.malformed(expected, format!("{}, of column {listed}", deviations[unusable[0]])))
    }

    /// What a value of column `i` becomes.
    pub fn apply(&self, i: usize, value: f64) -> f64 {
        (value - self.means[i]) / self.deviations[i]
    }
}
