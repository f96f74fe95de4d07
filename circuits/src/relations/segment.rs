//! What is proved of a segment: its look-ups, pointwise relations and tensors.

use super::contents::Contents;
use super::layout::Group;
use super::lookup::{Expression, LookUp, Spread};
use super::pointwise::Pointwise;
use super::table::Table;
use super::tensor::{End, Tensor, data_tensors, parameter_tensors};
use crate::network::architecture::Architecture;

/// `tensor + shift` lies in `[0, 2^bits)`.
pub(super) fn range(tensor: Tensor, bits: u32, shift: i64, vars: usize) -> LookUp {
    LookUp { table: Table::Range(bits), vars, column_vars: 0, tuple: vec![Expression::shifted(tensor, shift)] }
}

/// The look-ups of a signed number's limbs: all but the last unsigned.
pub(super) fn limbs(widths: &[u32], vars: usize, tensor: impl Fn(usize) -> Tensor) -> Vec<LookUp> {
    let last = widths.len() - 1;
    widths
        .iter()
        .enumerate()
        .map(|(i, &bits)| range(tensor(i), bits, if i == last { 1 << (bits - 1) } else { 0 }, vars))
        .collect()
}

/// The relations of a segment.
pub(super) fn segment(architecture: &Architecture) -> Contents {
    let last = architecture.layers();
    let samples = architecture.sample_vars();
    let widths = architecture.precision.limb_bits();
    let (mut lookups, mut pointwise, mut trace) = (Vec::new(), Vec::new(), Vec::new());
    for l in 1..last {
        let vars = samples + architecture.width_vars(l);
        let pre_activation = Expression {
            terms: vec![(Tensor::Activation(l), 1, Spread::Entry), (Tensor::Negative(l), -1, Spread::Entry)],
            constant: 1 << 15,
        };
        let value = Expression::shifted(Tensor::Activation(l), 0);
        let derivative = Expression::shifted(Tensor::Derivative(l), 0);
        lookups.push(LookUp {
            table: Table::Relu,
            vars,
            column_vars: 0,
            tuple: vec![pre_activation, value, derivative],
        });
        lookups.extend(limbs(&widths, vars, |i| Tensor::ForwardLimb(l, i)));
        lookups.push(range(Tensor::Gradient(l), 16, 1 << 15, vars));
        lookups.extend(limbs(&widths, vars, |i| Tensor::BackwardLimb(l, i)));
        pointwise.push(Pointwise::MaskedProduct(l));
        if architecture.widths[l] < architecture.padded_width(l) {
            pointwise.push(Pointwise::NeuronPadding(l));
        }
    }
    let column_vars = architecture.width_vars(last);
    let vars = samples + column_vars;
    lookups.push(range(Tensor::Logit, 16, 1 << 15, vars));
    lookups.extend(limbs(&widths, vars, |i| Tensor::ForwardLimb(last, i)));
    let below = Expression {
        terms: vec![
            (Tensor::Maximum, 1, Spread::Sample { columns: architecture.classes() }),
            (Tensor::Logit, -1, Spread::Entry),
        ],
        constant: 0,
    };
    let exponential = Expression::shifted(Tensor::Exponential, 0);
    lookups.push(LookUp { table: Table::Exponential, vars, column_vars, tuple: vec![below, exponential] });
    lookups.push(range(Tensor::Probability, 16, 0, vars));
    lookups.push(range(Tensor::Remainder, 16, 0, vars));
    let all = 1 << column_vars;
    let complement = Expression {
        terms: vec![(Tensor::Sum, 2, Spread::Sample { columns: all }), (Tensor::Remainder, -1, Spread::Entry)],
        constant: -1,
    };
    lookups.push(LookUp { table: Table::Range(16), vars, column_vars, tuple: vec![complement] });
    pointwise.push(Pointwise::Softmax);

    for lookup in &lookups {
        for (tensor, _, spread) in lookup.tuple.iter().flat_map(|expression| &expression.terms) {
            let vars = if *spread == Spread::Entry { lookup.vars } else { samples };
            if !trace.contains(&(*tensor, vars)) {
                trace.push((*tensor, vars));
            }
        }
    }
    trace.extend([(Tensor::Selector, vars), (Tensor::Gradient(last), vars)]);
    let groups = vec![
        (Group::Data, data_tensors(architecture)),
        (Group::First, parameter_tensors(architecture, End::First)),
        (Group::Last, parameter_tensors(architecture, End::Last)),
        (Group::Trace, trace),
    ];
    Contents { lookups, pointwise, groups }
}
