//! The same training in double precision, to compare accuracy with that of the integers.

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::trace::{NO_LABEL, Parameters};
use rayon::prelude::*;

use crate::train::{TrainError, expect_length};

/// A network in double precision that takes the inputs, labels and rates of the integer run.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatNetwork {
    widths: Vec<usize>,
    /// Each `d_l × d_{l+1}`, row-major.
    weights: Vec<Vec<f64>>,
    biases: Vec<Vec<f64>>,
    input_scale: f64,
    rate_scale: f64,
}

/// What a step or an evaluation tells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FloatReport {
    /// Labelled rows.
    pub rows: usize,
    /// Rows whose largest logit is that of their label.
    pub correct: usize,
    /// Mean cross-entropy in nats.
    pub loss: f64,
}

impl FloatReport {
    /// Share of the rows that are classified correctly.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.rows.max(1) as f64
    }
}

impl FloatNetwork {
    /// The network of integer `parameters` divided by `2^F`.
    ///
    /// # Errors
    /// If it is no perceptron, or the parameters do not fit it.
    pub fn new(architecture: &Architecture, parameters: &Parameters) -> Result<Self, TrainError> {
        let widths = architecture.widths().ok_or(TrainError::NoFloat)?;
        expect_length("list of weight matrices", parameters.weights.len(), widths.len() - 1)?;
        expect_length("list of bias vectors", parameters.biases.len(), widths.len() - 1)?;
        let tensors = parameters.weights.iter().zip(&parameters.biases);
        for (widths, (weights, biases)) in widths.windows(2).zip(tensors) {
            expect_length("weights", weights.len(), widths[0] * widths[1])?;
            expect_length("biases", biases.len(), widths[1])?;
        }
        let precision = architecture.precision();
        let unit = (-f64::from(precision.weight_bits())).exp2();
        let float = |tensors: &[Vec<i64>]| -> Vec<Vec<f64>> {
            tensors.iter().map(|values| values.iter().map(|&v| v as f64 * unit).collect()).collect()
        };
        Ok(Self {
            widths,
            weights: float(&parameters.weights),
            biases: float(&parameters.biases),
            input_scale: (-f64::from(precision.activation_bits)).exp2(),
            rate_scale: (-f64::from(precision.rate_bits)).exp2(),
        })
    }

    /// One step of stochastic gradient descent with learning rate over batch `rate · 2^-k`; rows with [`NO_LABEL`] train
    /// nothing.
    ///
    /// # Shapes
    /// `input`: `rows × d_0`, scale `2^-fa`; `labels`: `rows`, classes or [`NO_LABEL`].
    ///
    /// # Errors
    /// If the input has the wrong length or a label is not a class.
    pub fn step(&mut self, input: &[i16], labels: &[u16], rate: u32) -> Result<FloatReport, TrainError> {
        self.check(input, labels)?;
        let (activations, report) = self.forward(input, labels);
        let classes = self.widths[self.weights.len()];
        let mut gradient = activations[self.weights.len()].clone();
        gradient.par_chunks_mut(classes).zip(labels).for_each(|(row, &label)| loss_gradient(row, label));
        let rate = f64::from(rate) * self.rate_scale;
        for l in (0..self.weights.len()).rev() {
            let next = if l > 0 { self.backward(l, &gradient, &activations[l]) } else { Vec::new() };
            self.update(l, &activations[l], &gradient, rate);
            gradient = next;
        }
        Ok(report)
    }

    /// Classifies rows without training.
    ///
    /// # Shapes
    /// As those of [`step`](Self::step).
    ///
    /// # Errors
    /// As those of [`step`](Self::step).
    pub fn evaluate(&self, input: &[i16], labels: &[u16]) -> Result<FloatReport, TrainError> {
        const ROWS: usize = 512;
        self.check(input, labels)?;
        let mut total = FloatReport::default();
        for (input, labels) in input.chunks(ROWS * self.widths[0]).zip(labels.chunks(ROWS)) {
            let (_, report) = self.forward(input, labels);
            total.rows += report.rows;
            total.correct += report.correct;
            total.loss += report.loss * report.rows as f64;
        }
        total.loss /= total.rows.max(1) as f64;
        Ok(total)
    }

    fn check(&self, input: &[i16], labels: &[u16]) -> Result<(), TrainError> {
        expect_length("input", input.len(), labels.len() * self.widths[0])?;
        let classes = self.widths[self.weights.len()];
        let wrong = labels.iter().position(|&label| label != NO_LABEL && usize::from(label) >= classes);
        wrong.map_or(Ok(()), |row| Err(TrainError::Label { row, label: labels[row], classes }))
    }

    /// Input, activations of the hidden layers, and logits; and how well the logits fit the labels.
    fn forward(&self, input: &[i16], labels: &[u16]) -> (Vec<Vec<f64>>, FloatReport) {
        let mut activations = vec![input.iter().map(|&x| f64::from(x) * self.input_scale).collect::<Vec<_>>()];
        for (l, (weights, biases)) in self.weights.iter().zip(&self.biases).enumerate() {
            let (inputs, outputs) = (self.widths[l], self.widths[l + 1]);
            let mut sums = biases.repeat(labels.len());
            sums.par_chunks_mut(outputs).zip(activations[l].par_chunks(inputs)).for_each(|(sums, row)| {
                for (weights, &a) in weights.chunks_exact(outputs).zip(row).filter(|(_, a)| **a != 0.0) {
                    sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += a * w);
                }
                if l + 1 < self.weights.len() {
                    sums.iter_mut().for_each(|h| *h = h.max(0.0));
                }
            });
            activations.push(sums);
        }
        let classes = self.widths[self.weights.len()];
        let mut report = FloatReport::default();
        for (row, &label) in activations[self.weights.len()].chunks_exact(classes).zip(labels) {
            if label == NO_LABEL {
                continue;
            }
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            report.rows += 1;
            report.correct += usize::from(row.iter().position(|&h| h == largest) == Some(usize::from(label)));
            report.loss +=
                row.iter().map(|h| (h - largest).exp()).sum::<f64>().ln() + largest - row[usize::from(label)];
        }
        report.loss /= report.rows.max(1) as f64;
        (activations, report)
    }

    /// Gradient at the pre-activations before layer `l`, whose activations are given.
    fn backward(&self, l: usize, gradient: &[f64], activations: &[f64]) -> Vec<f64> {
        let (inputs, outputs) = (self.widths[l], self.widths[l + 1]);
        let mut product = vec![0.0; activations.len()];
        let rows = product.par_chunks_mut(inputs).zip(gradient.par_chunks(outputs)).zip(activations.par_chunks(inputs));
        rows.for_each(|((product, gradient), activations)| {
            for ((v, weights), &a) in product.iter_mut().zip(self.weights[l].chunks_exact(outputs)).zip(activations) {
                if a > 0.0 {
                    *v = weights.iter().zip(gradient).map(|(w, g)| w * g).sum();
                }
            }
        });
        product
    }

    fn update(&mut self, l: usize, activations: &[f64], gradient: &[f64], rate: f64) {
        let (inputs, outputs) = (self.widths[l], self.widths[l + 1]);
        self.weights[l].par_chunks_mut(outputs).enumerate().for_each(|(i, weights)| {
            for (row, gradient) in activations.chunks_exact(inputs).zip(gradient.chunks_exact(outputs)) {
                let factor = rate * row[i];
                if factor != 0.0 {
                    weights.iter_mut().zip(gradient).for_each(|(w, g)| *w -= factor * g);
                }
            }
        });
        for gradient in gradient.chunks_exact(outputs) {
            self.biases[l].iter_mut().zip(gradient).for_each(|(b, g)| *b -= rate * g);
        }
    }
}

/// Replaces the logits of a row by the gradient of its cross-entropy, zero without a label.
fn loss_gradient(row: &mut [f64], label: u16) {
    if label == NO_LABEL {
        return row.fill(0.0);
    }
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.iter_mut().for_each(|h| *h = (*h - largest).exp());
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|p| *p /= sum);
    row[usize::from(label)] -= 1.0;
}
