//! Accuracy of parameters on labelled rows, in the integers of training.

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::trace::Parameters;

use super::{Network, Pass, TrainError, cross_entropy, expect_length};
use crate::kernels::Kernels;

/// Rows of one forward pass.
const ROWS: usize = 512;

/// How well parameters classify a data set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Rows classified.
    pub rows: usize,
    /// Rows whose largest logit (the first among equals) is that of their label.
    pub correct: usize,
    /// Mean cross-entropy in nats, from the integer probabilities.
    pub loss: f64,
}

impl Evaluation {
    /// Share of the rows that are classified correctly.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.rows.max(1) as f64
    }
}

/// Classifies every row of `input` and compares with `labels`.
///
/// # Shapes
/// `input`: `rows × d_0`; `labels`: `rows`; any number of rows.
///
/// # Errors
/// If a tensor does not fit the architecture, a label is not a class, a value leaves its range, or the device fails.
pub fn evaluate(
    architecture: &Architecture,
    backend: &dyn Kernels,
    parameters: &Parameters,
    input: &[i16],
    labels: &[u16],
) -> Result<Evaluation, TrainError> {
    let mut network = Network::new(architecture, backend, parameters)?;
    let (width, classes) = (architecture.inputs(), architecture.classes());
    expect_length("input", input.len(), labels.len() * width)?;
    let mut evaluation = Evaluation { rows: labels.len(), correct: 0, loss: 0.0 };
    for (block, (input, labels)) in input.chunks(ROWS * width).zip(labels.chunks(ROWS)).enumerate() {
        let tensors = network.forward(Pass::Evaluation(block * ROWS), input)?;
        for (offset, &label) in labels.iter().enumerate() {
            let label_error = TrainError::Label { row: block * ROWS + offset, label, classes };
            let (selected, probability) = network.classified(&tensors, offset, label).ok_or(label_error)?;
            evaluation.correct += usize::from(selected == usize::from(label));
            evaluation.loss += cross_entropy(probability, architecture.precision().gradient_bits);
        }
    }
    evaluation.loss /= labels.len().max(1) as f64;
    Ok(evaluation)
}
