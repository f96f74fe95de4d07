//! What the prover is given of a segment: parameters at its two ends, data, and the products before rounding.

use crate::architecture::Architecture;
use crate::network::epoch::Live;
use crate::program::{Parameter, Program};

/// Weights and biases of every layer, integers of scale `2^-F`.
///
/// # Shapes
/// `weights[l]`: `d_l × d_{l+1}`, row-major; `biases[l]`: `d_{l+1}`; `l = 0 .. L`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Weight matrices.
    pub weights: Vec<Vec<i64>>,
    /// Bias vectors.
    pub biases: Vec<Vec<i64>>,
}

impl Parameters {
    /// The tensors in the order of a program: each layer's weights, then its biases.
    pub fn tensors(&self) -> impl Iterator<Item = &Vec<i64>> {
        self.weights.iter().zip(&self.biases).flat_map(|(weights, biases)| [weights, biases])
    }

    /// True if every tensor has the shape that a program gives it.
    pub fn fits(&self, program: &Program) -> bool {
        self.weights.len() == self.biases.len()
            && self.tensors().map(Vec::len).eq(program.parameters.iter().map(Parameter::entries))
    }
}

/// Label of a padded row.
pub const NO_LABEL: u16 = u16::MAX;

/// One segment of training. Everything else the prover commits to is a function of it.
///
/// Rows are indexed by (step, row), `N = T · padded batch` of them; widths are the real ones, not padded.
/// Padded rows have input zero and label [`NO_LABEL`]; their products are those of the bias alone. Steps after the last
/// live one repeat the forward pass with the last weights and change nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentTrace {
    /// Live steps and rows.
    pub live: Live,
    /// Learning rate over batch, in units of `2^-k`.
    pub rate: u32,
    /// Parameters before the first step.
    pub first: Parameters,
    /// Parameters after the last live step.
    pub last: Parameters,
    /// Input, `N × d_0`, scale `2^-fa`.
    pub input: Vec<i16>,
    /// Class of each row, `N`.
    pub labels: Vec<u16>,
    /// The sums that are claimed at the leaf point: of a perceptron `U_l = A_{l-1}·W_l + 2^fa·b_l` for `l = 1 ..= L`, each `N × d_l`.
    pub forward: Vec<Vec<i64>>,
    /// The sums that are operands of pointwise relations: of a perceptron `V_l = G_{l+1}·W_{l+1}ᵀ` for `l = 1 .. L`, each `N × d_l`.
    pub backward: Vec<Vec<i64>>,
}

impl SegmentTrace {
    /// True if every tensor has the shape that the program of `architecture` gives it.
    pub fn fits(&self, architecture: &Architecture) -> bool {
        let (samples, program) = (architecture.samples(), architecture.program());
        let sums = self.forward.iter().chain(&self.backward).map(Vec::len);
        self.first.fits(program)
            && self.last.fits(program)
            && self.input.len() == samples * architecture.inputs()
            && self.labels.len() == samples
            && sums.eq(program.sums.iter().map(|sum| samples * sum.columns))
    }
}
