//! Look-ups by logup-GKR: every range, the activation and the exponential, in one batched tree of fractions.
//!
//! # Paper
//! Papini and Haböck, *Improving logarithmic derivative lookups using GKR*, eprint 2023/1284. With
//! `f = key + η·second + η²·third + η³·table`, the leaves are `1 / (γ - f)` for every look-up and
//! `-multiplicity / (γ - f)` for every key of every table; all together sum to zero.
//!
//! # Soundness
//! The commitments, multiplicities included, are absorbed before γ and η. Each table has its own number inside of the
//! fingerprint, so that no look-up is answered by another table.

use ark_bn254::Fr;

use super::part::{at, head, tail};
use super::sumcheck::eq_sumcheck;
use super::transcript::{Ask, Channel, Party};
use crate::field::algebra::Algebra;
use crate::field::check::{Check, Rejection};
use crate::field::multilinear::{at_most_index, eq_index, integer, powers};
use crate::program::{Spread, Table, Tensor};
use crate::relations::{Evaluated, Tree};

/// What the look-up argument leaves: the leaf point and the evaluations of [`Tree::tensors`] there.
pub struct LookedUp<E> {
    /// Leaf point.
    pub point: Vec<E>,
    /// Evaluations in the order of [`Tree::tensors`].
    pub values: Vec<(Evaluated, E)>,
}

impl<E: Clone> LookedUp<E> {
    /// The evaluation of `tensor`, if it is looked up.
    pub fn value(&self, tensor: Tensor) -> Option<&E> {
        self.values.iter().find(|(known, _)| known.tensor == tensor).map(|(_, value)| value)
    }

    /// The last `vars` coordinates of the leaf point.
    ///
    /// # Errors
    /// It has fewer.
    pub fn suffix(&self, vars: usize) -> Result<&[E], Rejection> {
        tail(&self.point, vars)
    }
}

/// Verifies the look-up argument of `tree`.
///
/// # Transcript
/// γ, η ← challenge; root fractions; then for each layer: weight ← challenge, its rounds, the children, one challenge;
/// last the evaluations of the tensors.
///
/// # Errors
/// The check that failed.
pub fn verify<A: Algebra, P: Party<A>>(
    channel: &mut Channel<'_, A, P>,
    tree: &Tree,
) -> Result<LookedUp<A::Element>, A::Error> {
    let offset = channel.challenge();
    let combine = channel.challenge();
    let [n0, n1, d0, d1] = channel.ask_array(Ask::LookupRoot { offset: &offset, combine: &combine })?;
    let root = cross_sum(channel.algebra, &n0, &n1, &d0, &d1);
    channel.algebra.require_zero(Check::LookupSum, &root)?;
    let denominator = channel.algebra.mul(&d0, &d1);
    channel.algebra.require_nonzero(Check::LookupDenominator, &denominator)?;

    let last = channel.challenge();
    let mut numerator = channel.algebra.interpolate(&n0, &n1, &last);
    let mut denominator = channel.algebra.interpolate(&d0, &d1, &last);
    let mut point = vec![last];
    while point.len() < tree.vars {
        let weight = channel.challenge();
        channel.ask(Ask::LookupLayer { point: &point, weight: &weight }, 0)?;
        let claim = channel.algebra.mul_add(&weight, &numerator, &denominator);
        let (mut next, claim) = eq_sumcheck(channel, &point, claim)?;
        let [n0, n1, d0, d1] = channel.ask_array(Ask::LookupChildren { challenge: at(&next, 0)? })?;
        let cross = cross_sum(channel.algebra, &n0, &n1, &d0, &d1);
        let product = channel.algebra.mul(&d0, &d1);
        let fraction = channel.algebra.mul_add(&weight, &cross, &product);
        let difference = channel.algebra.sub(&claim, &fraction);
        channel.algebra.require_zero(Check::LookupLayer, &difference)?;
        let last = channel.challenge();
        numerator = channel.algebra.interpolate(&n0, &n1, &last);
        denominator = channel.algebra.interpolate(&d0, &d1, &last);
        next.push(last);
        point = next;
    }

    let values = channel.ask(Ask::LookupEvaluations { point: &point }, tree.tensors.len())?;
    leaves(channel.algebra, tree, point, values, &offset, &combine, numerator, denominator)
}

/// `n0·d1 + n1·d0`, the numerator of the sum of two fractions.
fn cross_sum<A: Algebra>(
    algebra: &mut A,
    n0: &A::Element,
    n1: &A::Element,
    d0: &A::Element,
    d1: &A::Element,
) -> A::Element {
    let right = algebra.mul(n1, d0);
    algebra.mul_add(n0, d1, &right)
}

/// Checks the claims on the leaves against the evaluations of the tensors.
#[expect(clippy::too_many_arguments, reason = "the whole state of the argument meets here, once")]
fn leaves<A: Algebra>(
    algebra: &mut A,
    tree: &Tree,
    point: Vec<A::Element>,
    values: Vec<A::Element>,
    offset: &A::Element,
    combine: &A::Element,
    numerator: A::Element,
    denominator: A::Element,
) -> Result<LookedUp<A::Element>, A::Error> {
    let values = tree.tensors.iter().copied().zip(values).collect();
    let looked_up = LookedUp { point, values };
    let combines = powers(algebra, combine, 4);
    let [.., of_table] = &combines[..] else { return Err(Rejection { check: Check::Length }.into()) };

    // Starts from the padding 0/1 everywhere and replaces it slot by slot.
    let mut rest_numerator = numerator;
    let one = algebra.constant(Fr::from(1));
    let mut rest_denominator = algebra.sub(&denominator, &one);
    for (lookup, slot) in &tree.lookups {
        let prefix = eq_index(algebra, head(&looked_up.point, tree.vars - slot.vars)?, slot.offset >> slot.vars);
        let column = looked_up.suffix(lookup.column_vars)?;
        let mut tuple = Vec::with_capacity(lookup.tuple.len());
        for form in &lookup.tuple {
            let mut sum = algebra.constant(Fr::from(form.constant));
            for (tensor, factor, spread) in &form.terms {
                let value = looked_up.value(*tensor).ok_or(Rejection { check: Check::Length })?;
                let mut term = value.clone();
                if let Spread::Sample { columns } = spread {
                    let mask = at_most_index(algebra, column, columns - 1);
                    term = algebra.mul(&term, &mask);
                }
                let term = algebra.scale(&term, Fr::from(*factor));
                sum = algebra.add(&sum, &term);
            }
            tuple.push(sum);
        }
        let fingerprint = fingerprint(algebra, &tuple, lookup.table, &combines, of_table);
        let leaf = algebra.sub(offset, &fingerprint);
        let leaf = algebra.sub(&leaf, &one);
        let term = algebra.mul(&prefix, &leaf);
        rest_denominator = algebra.sub(&rest_denominator, &term);
        rest_numerator = algebra.sub(&rest_numerator, &prefix);
    }
    for (table, slot) in &tree.tables {
        let prefix = eq_index(algebra, head(&looked_up.point, tree.vars - slot.vars)?, slot.offset >> slot.vars);
        let column = table.column().and_then(|column| looked_up.value(column));
        let entry = entry(algebra, *table, looked_up.suffix(slot.vars)?, column)?;
        let fingerprint = fingerprint(algebra, &entry, *table, &combines, of_table);
        let leaf = algebra.sub(offset, &fingerprint);
        let leaf = algebra.sub(&leaf, &one);
        let term = algebra.mul(&prefix, &leaf);
        rest_denominator = algebra.sub(&rest_denominator, &term);
        let multiplicity = looked_up.value(Tensor::multiplicity(*table)).ok_or(Rejection { check: Check::Length })?;
        rest_numerator = algebra.mul_add(&prefix, multiplicity, &rest_numerator);
    }
    algebra.require_zero(Check::LookupNumerator, &rest_numerator)?;
    algebra.require_zero(Check::LookupFingerprint, &rest_denominator)?;
    Ok(looked_up)
}

/// `Σ η^i · tuple_i + η³ · table`.
fn fingerprint<A: Algebra>(
    algebra: &mut A,
    tuple: &[A::Element],
    table: Table,
    combines: &[A::Element],
    of_table: &A::Element,
) -> A::Element {
    let mut sum = algebra.scale(of_table, Fr::from(table.number()));
    for (part, power) in tuple.iter().zip(combines) {
        sum = algebra.mul_add(part, power, &sum);
    }
    sum
}

/// Multilinear extensions of a table's key and values at `point`; `column` is the evaluation of [`Table::column`].
///
/// # Errors
/// The point has no coordinates.
fn entry<A: Algebra>(
    algebra: &mut A,
    table: Table,
    point: &[A::Element],
    column: Option<&A::Element>,
) -> Result<Vec<A::Element>, Rejection> {
    let key = integer(algebra, point);
    Ok(match table {
        Table::Range(_) => vec![key],
        Table::Exponential => std::iter::once(key).chain(column.cloned()).collect(),
        Table::Relu => {
            // The top bit is [h ≥ 0]; the rest is h where it is set. The derivative excludes h = 0.
            let (top, rest) = (at(point, 0)?, tail(point, point.len() - 1)?);
            let low = integer(algebra, rest);
            let value = algebra.mul(top, &low);
            let at_zero = eq_index(algebra, rest, 0);
            let positive = algebra.complement(&at_zero);
            let derivative = algebra.mul(top, &positive);
            vec![key, value, derivative]
        }
    })
}
