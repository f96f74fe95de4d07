//! All claims on tensors to one evaluation of all columns at one point.
//!
//! # Paper
//! Thaler, *Proofs, Arguments, and Zero-Knowledge*, section 4.5.2. With `λ` a challenge and `E_c` the weight polynomial of
//! column `c`, `Σ_k λ^k·value_k = Σ_x Σ_c P_c(x)·E_c(x)`. A tensor of several columns contributes `eq` of its leading
//! coordinates to each; one that fills a slot is the column at (bits of the slot, point).

use ark_bn254::Fr;

use super::claim::{Claim, Reduced};
use super::part::{at, head, split};
use super::sumcheck::plain_sumcheck;
use super::transcript::{Ask, Channel, Party};
use crate::field::algebra::Algebra;
use crate::field::check::{Check, Rejection};
use crate::field::multilinear::{eq, eq_index, powers};
use crate::relations::{Layout, Place};

/// Verifies the merging of `claims`, then receives the columns' evaluations and combines them.
///
/// # Errors
/// The check that failed.
pub fn verify<A: Algebra, P: Party<A>>(
    channel: &mut Channel<'_, A, P>,
    layout: &Layout,
    claims: &[Claim<A::Element>],
) -> Result<Reduced<A::Element>, A::Error> {
    let combine = channel.challenge();
    let weights = powers(channel.algebra, &combine, claims.len());
    let mut sum = channel.algebra.constant(Fr::from(0));
    for (weight, claim) in weights.iter().zip(claims) {
        sum = channel.algebra.mul_add(weight, &claim.value, &sum);
    }
    channel.ask(Ask::Merge { combine: &combine, claims }, 0)?;
    let (point, mut rest) = plain_sumcheck(channel, layout.column_vars, 2, sum)?;

    // The random column's evaluation stands last and is absorbed before ρ like the others.
    let values = channel.ask(Ask::ColumnEvaluations { point: &point }, layout.columns() + 1)?;
    for (weight, claim) in weights.iter().zip(claims) {
        let algebra = &mut *channel.algebra;
        let mut sum: Option<A::Element> = None;
        for &(tensor, factor) in &claim.terms {
            let place = layout.place(tensor).ok_or(Rejection { check: Check::Length })?;
            let mut value = evaluation(algebra, layout, place, &claim.point, &point, &values)?;
            if factor != 1 {
                value = algebra.scale(&value, Fr::from(factor));
            }
            sum = Some(match sum {
                Some(sum) => algebra.add(&sum, &value),
                None => value,
            });
        }
        // A form has terms: a claim of none says nothing that could be left out.
        let value = sum.ok_or(Rejection { check: Check::Length })?;
        let term = algebra.mul(weight, &value);
        rest = algebra.sub(&rest, &term);
    }
    channel.algebra.require_zero(Check::Merge, &rest)?;

    let combine = channel.challenge();
    let mut value = channel.algebra.constant(Fr::from(0));
    let (columns, mask) = split(&values, layout.columns())?;
    for column in columns.iter().rev() {
        let sum = channel.algebra.add(&value, column);
        value = channel.algebra.mul(&sum, &combine);
    }
    value = channel.algebra.add(&value, at(mask, 0)?);
    Ok(Reduced { point, combine, value })
}

/// What the columns' `values` at `point` say of a tensor at its own point, times `eq` of both.
///
/// # Errors
/// The points do not have the shape of the place.
fn evaluation<A: Algebra>(
    algebra: &mut A,
    layout: &Layout,
    place: Place,
    own: &[A::Element],
    point: &[A::Element],
    values: &[A::Element],
) -> Result<A::Element, Rejection> {
    if own.len() != place.vars {
        return Err(Rejection { check: Check::Length });
    }
    if place.vars >= layout.column_vars {
        let (high, low) = split(own, place.vars - layout.column_vars)?;
        let mut value = algebra.constant(Fr::from(0));
        for (i, column) in head(split(values, place.column)?.1, 1 << high.len())?.iter().enumerate() {
            let part = eq_index(algebra, high, i);
            value = algebra.mul_add(&part, column, &value);
        }
        let same = eq(algebra, low, point);
        Ok(algebra.mul(&value, &same))
    } else {
        let (high, low) = split(point, layout.column_vars - place.vars)?;
        let slot = eq_index(algebra, high, place.slot);
        let same = eq(algebra, low, own);
        let same = algebra.mul(&slot, &same);
        Ok(algebra.mul(&same, at(values, place.column)?))
    }
}
