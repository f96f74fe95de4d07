//! Training in exact integers: the step, a segment of steps with or without its trace, and evaluation.
//!
//! Every number is the same on every backend, thread count and order of summation. A value that leaves its range ends
//! the run with an error; nothing is clamped.

mod evaluate;
mod network;
mod segment;

use gradproof_circuits::architecture::ArchitectureError;
use gradproof_circuits::program::Tensor;

pub use evaluate::{Evaluation, evaluate};
pub use network::{Network, StepTensors};
pub use segment::{SegmentPlan, StepReport, train, train_segment};

use crate::kernels::KernelError;

/// Where in a run a forward or backward pass happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// A step of training, counted from the first of the job.
    Step(u64),
    /// The evaluation of rows from this one on.
    Evaluation(usize),
}

impl std::fmt::Display for Pass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Step(step) => write!(f, "training diverged at step {step}"),
            Self::Evaluation(row) => write!(f, "evaluation from row {row} on left the range"),
        }
    }
}

/// Why training or evaluation ended. Layers count from 1 to `L`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The live counts are refused.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// A tensor is read before it is filled.
    #[error("nothing has filled {tensor}, which is read")]
    Tensor {
        /// The tensor.
        tensor: Tensor,
    },
    /// It is no perceptron.
    #[error("this network is no perceptron, and has no twin in floating point to compare it with")]
    NoFloat,
    /// Kernels take a matrix and a vector after it, changed alike.
    #[error("layer {layer}: no kernel trains such parameters")]
    Parameters {
        /// The layer, from 1.
        layer: usize,
    },
    /// A tensor has another length than the architecture gives it.
    #[error("{tensor} has {got} values, expected {expected}")]
    Length {
        /// Which tensor.
        tensor: &'static str,
        /// Values it should have.
        expected: usize,
        /// Values it has.
        got: usize,
    },
    /// A label is not a class.
    #[error("row {row} has label {label}, expected 0 to {}", classes - 1)]
    Label {
        /// Row of the input.
        row: usize,
        /// Its label.
        label: u16,
        /// Number of classes.
        classes: usize,
    },
    /// A padded row is not empty.
    #[error("row {row} is padding but has an input or a label")]
    Padding {
        /// Row of the input.
        row: usize,
    },
    /// The learning rate is zero.
    #[error("the rate is 0, expected at least 1 (the learning rate over the batch is rate · 2^-rate_bits)")]
    Rate,
    /// A pre-activation or gradient does not fit in 16 bits.
    #[error(
        "{pass}, layer {layer}: a {tensor} is {value}, outside of -32768 to 32767; \
         use a smaller learning rate (a smaller rate, or more rate_bits) or fewer {bits}"
    )]
    OutOfRange {
        /// Where it happened.
        pass: Pass,
        /// The layer, from 1.
        layer: usize,
        /// `pre-activation` or `gradient`.
        tensor: &'static str,
        /// The value, in units of the tensor's scale.
        value: i64,
        /// The scale bits that would make it smaller.
        bits: &'static str,
    },
    /// Parameters are so large that a product could leave 64 bits.
    #[error(
        "{pass}, layer {layer}: the largest weight or bias is {magnitude}, at most {most} keeps the {product} product in \
         64 bits; use a smaller learning rate or fewer scale bits"
    )]
    Magnitude {
        /// Where it happened.
        pass: Pass,
        /// The layer, from 1.
        layer: usize,
        /// `forward` or `backward`.
        product: &'static str,
        /// Largest absolute value, in units of `2^-F`.
        magnitude: u64,
        /// Largest that works.
        most: u64,
    },
    /// A kernel failed.
    #[error("{pass}, layer {layer}: {source}")]
    Kernel {
        /// Where it happened.
        pass: Pass,
        /// The layer, from 1.
        layer: usize,
        /// What the kernel reported.
        source: KernelError,
    },
    /// A layer could not be given to a backend or read back.
    #[error("layer {layer}: {source}")]
    Transfer {
        /// The layer, from 1.
        layer: usize,
        /// What the backend reported.
        source: KernelError,
    },
}

/// Cross-entropy of one row in nats, from its integer probability; one that rounds to zero counts as a half.
fn cross_entropy(probability: u16, gradient_bits: u32) -> f64 {
    let scale = f64::from(1u32 << gradient_bits);
    -(f64::from(probability).max(0.5) / scale).ln()
}

pub(crate) fn expect_length(tensor: &'static str, got: usize, expected: usize) -> Result<(), TrainError> {
    if got == expected { Ok(()) } else { Err(TrainError::Length { tensor, expected, got }) }
}

#[cfg(test)]
mod tests;
