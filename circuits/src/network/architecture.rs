//! What is trained: widths, batch, steps per segment and precision, and which rows of a segment are live.

use super::precision::{Precision, log2_ceil};

/// Most dense layers a network may have.
pub const MAX_LAYERS: usize = 16;
/// Widest layer, in neurons.
pub const MAX_WIDTH: usize = 1 << 14;
/// Most rows a step may have.
pub const MAX_BATCH: usize = 1 << 12;
/// Most steps a segment may have.
pub const MAX_STEPS: usize = 1 << 12;
/// Most bits of learning rate over batch after the binary point.
pub const MAX_RATE_BITS: u32 = 20;

/// A multilayer perceptron with ReLU between dense layers, softmax cross-entropy at the end, and the shape of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Width of the input, of each hidden layer, and the number of classes: `d_0 … d_L`.
    pub widths: Vec<usize>,
    /// Rows of a step, `1 ..= MAX_BATCH`; padded to a power of two in the proof.
    pub batch: usize,
    /// Steps of a segment, `T`; a power of two.
    pub steps: usize,
    /// Scales of the fixed-point tensors.
    pub precision: Precision,
}

/// Live part of a segment: the steps that train, and the rows of the last of them.
///
/// Every live step but the last has [`Architecture::batch`] rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// Steps that train, `T'` in `1 ..= T`.
    pub steps: usize,
    /// Rows of the last live step, `B'` in `1 ..= batch`.
    pub last_rows: usize,
}

/// Why an architecture or a live count is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchitectureError {
    /// A number lies outside of its range.
    #[error("{name} is {got}, expected {least} to {most}")]
    OutOfRange {
        /// Which number.
        name: &'static str,
        /// The value given.
        got: usize,
        /// Smallest value that works.
        least: usize,
        /// Largest value that works.
        most: usize,
    },
    /// A number must be a power of two.
    #[error("{name} is {got}, which is not a power of two; the nearest that works is {nearest}")]
    NotPowerOfTwo {
        /// Which number.
        name: &'static str,
        /// The value given.
        got: usize,
        /// Nearest power of two.
        nearest: usize,
    },
}

fn within(name: &'static str, got: usize, least: usize, most: usize) -> Result<(), ArchitectureError> {
    if (least..=most).contains(&got) { Ok(()) } else { Err(ArchitectureError::OutOfRange { name, got, least, most }) }
}

impl Architecture {
    /// Checks every number against its range.
    ///
    /// # Errors
    /// The first number that is out of range, with the range.
    pub fn validate(&self) -> Result<(), ArchitectureError> {
        within("number of layers", self.widths.len().saturating_sub(1), 1, MAX_LAYERS)?;
        for &width in &self.widths {
            within("width of a layer", width, 1, MAX_WIDTH)?;
        }
        within("batch", self.batch, 1, MAX_BATCH)?;
        within("steps per segment", self.steps, 1, MAX_STEPS)?;
        if !self.steps.is_power_of_two() {
            return Err(ArchitectureError::NotPowerOfTwo {
                name: "steps per segment",
                got: self.steps,
                nearest: self.steps.next_power_of_two(),
            });
        }
        let p = &self.precision;
        within("activation_bits", p.activation_bits as usize, 1, 14)?;
        within("gradient_bits", p.gradient_bits as usize, 1, 14)?;
        within("rate_bits", p.rate_bits as usize, 0, MAX_RATE_BITS as usize)?;
        // 2·C·2^fe ≤ 2^16, so that softmax remainders fit in the 16-bit table.
        let most = 15 - log2_ceil(self.classes()).min(15);
        within("exponential_bits", p.exponential_bits as usize, 0, most)
    }

    /// Number of dense layers `L`.
    pub fn layers(&self) -> usize {
        self.widths.len() - 1
    }

    /// Number of classes `d_L`.
    pub fn classes(&self) -> usize {
        self.widths[self.layers()]
    }

    /// Variables that index the steps of a segment.
    pub fn step_vars(&self) -> usize {
        log2_ceil(self.steps)
    }

    /// Variables that index the rows of a step.
    pub fn row_vars(&self) -> usize {
        log2_ceil(self.batch)
    }

    /// Variables that index (step, row).
    pub fn sample_vars(&self) -> usize {
        self.step_vars() + self.row_vars()
    }

    /// Rows of a step in the proof, padded to a power of two.
    pub fn padded_batch(&self) -> usize {
        1 << self.row_vars()
    }

    /// Rows of a segment in the proof: steps × padded batch.
    pub fn samples(&self) -> usize {
        self.steps << self.row_vars()
    }

    /// Variables that index the neurons of layer `l`, `0` for the input.
    pub fn width_vars(&self, l: usize) -> usize {
        log2_ceil(self.widths[l])
    }

    /// Neurons of layer `l` in the proof, padded to a power of two.
    pub fn padded_width(&self, l: usize) -> usize {
        1 << self.width_vars(l)
    }

    /// Number of weights and biases.
    pub fn parameters(&self) -> usize {
        self.widths.windows(2).map(|w| (w[0] + 1) * w[1]).sum()
    }

    /// Checks live counts against this shape.
    ///
    /// # Errors
    /// The count that is out of range, with the range.
    pub fn validate_live(&self, live: Live) -> Result<(), ArchitectureError> {
        within("live steps", live.steps, 1, self.steps)?;
        within("rows of the last live step", live.last_rows, 1, self.batch)
    }

    /// Number of live rows of step `step`.
    pub fn live_rows(&self, live: Live, step: usize) -> usize {
        match (step + 1).cmp(&live.steps) {
            std::cmp::Ordering::Less => self.batch,
            std::cmp::Ordering::Equal => live.last_rows,
            std::cmp::Ordering::Greater => 0,
        }
    }
}
