//! What the argument reduces relations to.

use crate::relations::Tensor;

/// A claimed evaluation of a committed tensor.
#[derive(Clone, Debug)]
pub struct Claim<E> {
    /// The tensor.
    pub tensor: Tensor,
    /// Where, first variable first.
    pub point: Vec<E>,
    /// The evaluation.
    pub value: E,
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
