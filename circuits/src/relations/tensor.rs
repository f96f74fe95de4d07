//! The tensors of a proof.

use super::table::Table;
use crate::network::architecture::Architecture;

/// An end of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// Before the first step.
    First,
    /// After the last step.
    Last,
}

/// A multilinear polynomial that the proof speaks of. Layers count from 1; 0 is the input.
///
/// Shapes are (step, row, column) with padded sizes; `Maximum` and `Sum` are (step, row).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tensor {
    /// Input rows `A_0`.
    Input,
    /// Labels, one-hot.
    Labels,
    /// Weights `W_l` at an end of the segment, (input neuron, output neuron).
    Weight(End, usize),
    /// Biases `b_l` at an end of the segment.
    Bias(End, usize),
    /// Positive part `A_l = max(H_l, 0)` of a hidden pre-activation.
    Activation(usize),
    /// Negative part `max(-H_l, 0)`; `H_l` is the difference.
    Negative(usize),
    /// Derivative `m_l = [H_l > 0]`.
    Derivative(usize),
    /// Gradient `G_l` at the pre-activation.
    Gradient(usize),
    /// Limb of the rounding remainder of the forward product.
    ForwardLimb(usize, usize),
    /// Limb of the rounding remainder of the backward product.
    BackwardLimb(usize, usize),
    /// `V_l = G_{l+1} W_{l+1}ᵀ`; never committed.
    BackwardProduct(usize),
    /// Pre-activation `H_L` of the last layer.
    Logit,
    /// One-hot choice `s` of a largest logit.
    Selector,
    /// Exponentials `e`.
    Exponential,
    /// Probabilities `p`.
    Probability,
    /// Remainder of the division that rounds `p`.
    Remainder,
    /// Largest logit `M` of each row.
    Maximum,
    /// Sum `S` of the exponentials of each row.
    Sum,
    /// How often each key of a table is looked up.
    Multiplicity(Table),
    /// Values of the exponential table; public.
    ExponentialTable,
    /// Limb of a first weight, for its registration.
    WeightLimb(usize, usize),
    /// Limb of a first bias, for its registration.
    BiasLimb(usize, usize),
}

/// Tensors that the requester registers for each position of an epoch, with their variables.
pub fn data_tensors(architecture: &Architecture) -> Vec<(Tensor, usize)> {
    let samples = architecture.sample_vars();
    vec![
        (Tensor::Input, samples + architecture.width_vars(0)),
        (Tensor::Labels, samples + architecture.width_vars(architecture.layers())),
    ]
}

/// Weights and biases at an end of a segment, with their variables: the same layout for the whole job.
pub fn parameter_tensors(architecture: &Architecture, end: End) -> Vec<(Tensor, usize)> {
    (1..=architecture.layers())
        .flat_map(|l| {
            let (from, to) = (architecture.width_vars(l - 1), architecture.width_vars(l));
            [(Tensor::Weight(end, l), from + to), (Tensor::Bias(end, l), to)]
        })
        .collect()
}
