//! Softmax with the cross-entropy of labels: a loss.

use std::sync::Arc;

use super::operator::{Backward, Operator, Settings};
use super::relu::{FORWARD_LIMB, GRADIENT};
use crate::network::arithmetic::{SoftmaxRow, exponential_table, softmax_row};
use crate::program::{
    Builder, Edge, Form, Formula, GraphError, Mask, Output, Pointwise, Role, Rounded, RowFunction, Signal, Spread,
    Table, Tensor, Total, Unrounded,
};

/// Gradient at the logits.
pub const LOGIT_GRADIENT: Role = GRADIENT;
/// Logits `h`.
pub const LOGIT: Role = Role::new(11, "logit");
/// One-hot choice `s` of a largest logit.
pub const SELECTOR: Role = Role::new(12, "selector");
/// Exponentials `e`.
pub const EXPONENTIAL: Role = Role::new(13, "exponential");
/// Probabilities `p`.
pub const PROBABILITY: Role = Role::new(14, "probability");
/// Remainder `ρ` of the division that rounds `p`.
pub const REMAINDER: Role = Role::new(15, "remainder");
/// Largest logit `M` of each row.
pub const MAXIMUM: Role = Role::new(16, "maximum");
/// Sum `S` of the exponentials of each row.
pub const SUM: Role = Role::new(17, "sum of exponentials");
const PRODUCT: Role = Role::new(22, "unrounded logit");

/// `p = exp(h - M) / S`, and the gradient `G = p - y` of the cross-entropy on live samples, which the backward pass begins with.
///
/// With `κ` the classes, `μ` the live samples, `y` the labels:
///
/// ```text
/// s² - s                              s is a bit
/// (1 - κ)·s                           no padded class is selected
/// s·(M - h)                           M is the selected logit
/// (1 - κ)·h                           a padded class has the logit zero: its e is exp(0)
/// κ·(2^(fg+1)·e + S) - 2·S·p - ρ      p = e / S to the nearest
/// y² - y                              y is a bit
/// (1 - κ)·y                           no padded class is a label
/// G - μ·(p - 2^fg·y)                  the gradient of the cross-entropy
/// ```
///
/// # Soundness
/// With the mean of the labels, the relations about padding make a segment mean the same whatever labels were committed to,
/// and whatever stands in its first parameters for padded neurons and classes: a verifier that sees only the segment needs
/// no registrations for that. That padded inputs are zero, and with them the weights of padded inputs of no effect, only the
/// registrations say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoftmaxCrossEntropy;

/// The tensors of the forward pass.
struct Softmax {
    table: Vec<u16>,
    gradient_bits: u32,
}

impl std::fmt::Debug for Softmax {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Softmax")
    }
}

impl RowFunction for Softmax {
    fn apply(&self, inputs: &[&[i32]], outputs: &mut [&mut [i32]]) {
        let ([logits], [selector, e, p, remainder, maximum, sum]) = (inputs, outputs) else { return };
        let logits: Vec<i16> = logits.iter().map(|&h| h as i16).collect();
        let SoftmaxRow { selected, maximum: largest, exponentials, sum: total, probabilities, remainders } =
            softmax_row(&logits, &self.table, self.gradient_bits);
        for i in 0..logits.len() {
            selector[i] = i32::from(i == selected);
            (e[i], p[i], remainder[i]) =
                (i32::from(exponentials[i]), i32::from(probabilities[i]), remainders[i] as i32);
        }
        (maximum[0], sum[0]) = (i32::from(largest), total as i32);
    }
}

/// The gradient at the logits: zero on rows without a label.
#[derive(Debug)]
struct Loss {
    gradient_bits: u32,
}

impl RowFunction for Loss {
    fn apply(&self, inputs: &[&[i32]], outputs: &mut [&mut [i32]]) {
        let ([p, y], [gradient]) = (inputs, outputs) else { return };
        let live = y.iter().any(|&y| y != 0);
        for (i, gradient) in gradient.iter_mut().enumerate() {
            *gradient = if live { p[i] - (y[i] << self.gradient_bits) } else { 0 };
        }
    }
}

impl Operator for SoftmaxCrossEntropy {
    fn name(&self) -> &'static str {
        "softmax_cross_entropy"
    }

    fn settings(&self) -> Settings {
        Settings::new()
    }

    fn lower(&self, builder: &mut Builder, inputs: Vec<Edge>) -> Result<(Edge, Backward), GraphError> {
        let [x, labels] = builder.inputs(inputs)?;
        let labels = builder.signal(labels)?;
        let classes = x.columns();
        let tensor = |role| builder.tensor(role);
        let [h, s, e, p, remainder] = [LOGIT, SELECTOR, EXPONENTIAL, PROBABILITY, REMAINDER].map(tensor);
        let [maximum, sum, gradient] = [MAXIMUM, SUM, LOGIT_GRADIENT].map(tensor);
        if (labels.columns, labels.scale) != (classes, 0) {
            return Err(builder.refused(format!("{} labels for {classes} logits", labels.columns)));
        }
        let Some(y) = labels.form.tensor() else { return Err(builder.refused("labels are no form")) };
        let shape @ [_, column_vars] = builder.shape(classes);

        let logits = Form::of(h);
        builder.range(h, 16, 1 << 15, classes);
        let Edge::Sum(unrounded) = x else { return Err(builder.refused("logits are those of a layer")) };
        let names = Rounded { product: PRODUCT, quotient: LOGIT, limb: FORWARD_LIMB };
        let logits = builder.round(unrounded, names, logits, builder.activation_bits())?;
        let below = Form {
            terms: vec![(maximum, 1, Spread::Sample { columns: classes }), (h, -1, Spread::Entry)],
            constant: 0,
        };
        builder.lookup(Table::Exponential, classes, vec![below, Form::of(e)]);
        builder.range(p, 16, 0, classes);
        builder.range(remainder, 16, 0, classes);
        let all = 1usize << column_vars;
        let complement = Form {
            terms: vec![(sum, 2, Spread::Sample { columns: all }), (remainder, -1, Spread::Entry)],
            constant: -1,
        };
        builder.lookup(Table::Range(16), classes, vec![complement]);
        builder.commit(s, classes);

        let precision = *builder.precision();
        let one = 1u64 << precision.exponential_bits;
        builder.sum(s, column_vars, Total::Constant(1));
        // Padded classes look up key zero and hold exp(0).
        builder.sum(e, column_vars, Total::Shifted(sum, (all - classes) as u64 * one));
        builder.sum(y, column_vars, Total::Live);
        let table = exponential_table(&precision);
        let softmax = Softmax { table, gradient_bits: precision.gradient_bits };
        let entries = move |tensor, fill| Output::entries(tensor, classes, fill);
        let outputs = vec![
            entries(s, 0),
            entries(e, one as i32),
            entries(p, 0),
            entries(remainder, 0),
            Output::sample(maximum),
            Output::sample(sum),
        ];
        builder.compute(Arc::new(softmax), vec![(logits, classes)], outputs);

        builder.classify(s, p);
        let backward = move |builder: &mut Builder, _: Unrounded| {
            builder.commit(gradient, classes);
            builder.pointwise(relations(
                classes,
                shape,
                precision.gradient_bits,
                [s, h, e, p, remainder, y, maximum, sum, gradient],
            ));
            let loss = Loss { gradient_bits: precision.gradient_bits };
            builder.compute(
                Arc::new(loss),
                vec![(Form::of(p), classes), (Form::of(y), classes)],
                vec![entries(gradient, 0)],
            );
            Ok(vec![Unrounded::of(Signal {
                form: Form::of(gradient),
                columns: classes,
                scale: precision.gradient_bits,
            })])
        };
        Ok((Edge::Signal(Signal::default()), Box::new(backward)))
    }
}

/// The polynomials of the operator.
fn relations(
    classes: usize,
    [row_vars, column_vars]: [usize; 2],
    gradient_bits: u32,
    [s, h, e, p, remainder, y, maximum, sum, gradient]: [Tensor; 9],
) -> Pointwise {
    let entry = |tensor| (tensor, false);
    let tensors = [s, h, e, p, remainder, y].map(entry).into_iter();
    let tensors = tensors.chain([(maximum, true), (sum, true), (gradient, false)]).collect();
    let mut f = Formula::default();
    let [s, h, e, p, remainder, y, maximum, sum, gradient] = std::array::from_fn(|_| f.operand());
    let [classes_mask, live] = std::array::from_fn(|_| f.mask());
    let selector = [f.bit(s), f.outside(classes_mask, s)];
    let below = f.sub(maximum, h);
    let selected = f.mul(s, below);
    let padded = f.outside(classes_mask, h);
    let scaled = f.scale(e, 1 << (gradient_bits + 1));
    let scaled = f.add(scaled, sum);
    let left = f.mul(classes_mask, scaled);
    let twice = f.add(sum, sum);
    let right = f.mul(twice, p);
    let right = f.add(right, remainder);
    let division = f.sub(left, right);
    let label = [f.bit(y), f.outside(classes_mask, y)];
    let target = f.scale(y, 1 << gradient_bits);
    let error = f.sub(p, target);
    let error = f.mul(live, error);
    let loss = f.sub(gradient, error);
    let ([is_bit, chosen], [label_bit, label_class]) = (selector, label);
    for value in [is_bit, chosen, selected, padded, division, label_bit, label_class, loss] {
        f.result(value);
    }
    let masks = vec![Mask::Columns(classes), Mask::Live];
    Pointwise { vars: row_vars + column_vars, column_vars, tensors, masks, formula: f, rounding: None }
}
