//! What the argument reduces relations to.

use crate::program::{Form, Tensor};

/// A claimed evaluation of a sum of committed tensors of one shape.
#[derive(Clone, Debug)]
pub struct Claim<E> {
    /// The tensors with their factors.
    pub terms: Vec<(Tensor, i64)>,
    /// Where, first variable first.
    pub point: Vec<E>,
    /// The evaluation.
    pub value: E,
}

/// The terms of a form, for a [`Claim`].
pub(super) fn terms(form: &Form) -> Vec<(Tensor, i64)> {
    form.terms.iter().map(|&(tensor, factor, _)| (tensor, factor)).collect()
}

/// What the opening has to show: the columns combined by powers of `combine` take `value` at `point`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reduced<E> {
    /// The common point `r*`.
    pub point: Vec<E>,
    /// `ρ`: column `i`, counted from zero, has weight `ρ^(i+1)`, the random column weight one.
    pub combine: E,
    /// `v = v_mask + Σ ρ^(i+1)·v_i`.
    pub value: E,
}
