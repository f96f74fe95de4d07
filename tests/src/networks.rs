//! Perceptrons of tests, and what their layers have.

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::precision::Precision;

/// A perceptron.
///
/// # Panics
/// If it is not possible.
pub fn perceptron(widths: &[usize], batch: usize, steps: usize, precision: Precision) -> Architecture {
    Architecture::perceptron(widths, batch, steps, precision).expect("it is possible")
}

/// The widths of a perceptron: of the input, of each hidden layer, and the number of classes.
///
/// # Panics
/// If it is none.
pub fn widths(architecture: &Architecture) -> Vec<usize> {
    architecture.widths().expect("it is a perceptron")
}

/// The same, padded.
///
/// # Panics
/// If it is none.
pub fn padded_widths(architecture: &Architecture) -> Vec<usize> {
    widths(architecture).into_iter().map(usize::next_power_of_two).collect()
}
