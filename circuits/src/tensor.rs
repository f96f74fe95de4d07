//! The tensors of a proof, and where each stands in the committed columns.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::architecture::Architecture;
use crate::lookup::Table;

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

/// Columns that are committed together, in the order of the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Data of the segment's position in an epoch.
    Data,
    /// Parameters before the first step.
    First,
    /// Parameters after the last step.
    Last,
    /// Everything else that depends on the run.
    Trace,
    /// Public tables, blinding zero.
    Table,
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

/// Where a tensor of `2^vars` entries stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of variables of the tensor.
    pub vars: usize,
    /// First column, counted over all groups.
    pub column: usize,
    /// Which aligned slot of that column, where the tensor is smaller than a column; otherwise zero.
    pub slot: usize,
}

/// The columns of a proof: `2^column_vars` entries each, every tensor whole columns or an aligned slot of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Variables of a column.
    pub column_vars: usize,
    groups: Vec<(Group, Range<usize>)>,
    places: BTreeMap<Tensor, Place>,
}

impl Layout {
    /// Places the tensors of each group, largest first, in columns of their own.
    pub fn new(column_vars: usize, groups: &[(Group, Vec<(Tensor, usize)>)]) -> Self {
        let mut layout = Self { column_vars, groups: Vec::new(), places: BTreeMap::new() };
        let mut column = 0;
        for (group, tensors) in groups {
            let first = column;
            let mut sorted = tensors.clone();
            sorted.sort_by_key(|&(tensor, vars)| (std::cmp::Reverse(vars), tensor));
            // Entries used of the open column; slots stay aligned because sizes only fall.
            let mut used = 0;
            for (tensor, vars) in sorted {
                let place = if vars >= column_vars {
                    let place = Place { vars, column, slot: 0 };
                    column += 1 << (vars - column_vars);
                    place
                } else {
                    if used + (1 << vars) > 1 << column_vars {
                        column += 1;
                        used = 0;
                    }
                    let place = Place { vars, column, slot: used >> vars };
                    used += 1 << vars;
                    place
                };
                layout.places.insert(tensor, place);
            }
            column += usize::from(used > 0);
            layout.groups.push((*group, first..column));
        }
        layout
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.groups.last().map_or(0, |(_, range)| range.end)
    }

    /// Columns of `group`; empty if the proof has no such group.
    pub fn group(&self, group: Group) -> Range<usize> {
        self.groups.iter().find(|(g, _)| *g == group).map_or(0..0, |(_, range)| range.clone())
    }

    /// Where `tensor` stands, if it is committed.
    pub fn place(&self, tensor: Tensor) -> Option<Place> {
        self.places.get(&tensor).copied()
    }

    /// All committed tensors with their places.
    pub fn places(&self) -> impl Iterator<Item = (Tensor, Place)> + '_ {
        self.places.iter().map(|(&tensor, &place)| (tensor, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_do_not_overlap() {
        let tensors = vec![(Tensor::Input, 6), (Tensor::Labels, 3), (Tensor::Sum, 1), (Tensor::Maximum, 3)];
        let layout = Layout::new(4, &[(Group::Data, tensors.clone()), (Group::Trace, vec![(Tensor::Logit, 4)])]);
        let mut taken = std::collections::BTreeSet::new();
        for (_, place) in layout.places() {
            for entry in 0..1usize << place.vars {
                let at = (place.column << 4) + (place.slot << place.vars) + entry;
                assert!(taken.insert(at), "entry {at} is taken twice");
            }
        }
        assert_eq!(layout.group(Group::Data), 0..6);
        assert_eq!(layout.columns(), 7);
    }
}
