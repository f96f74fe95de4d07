//! The verifier's side of the two kinds of sumcheck.

use ark_bn254::Fr;

use crate::algebra::Algebra;
use crate::transcript::{Ask, Channel, Party};

/// Where a sumcheck ended, first variable first, and what is claimed there.
pub type Ended<E> = (Vec<E>, E);

/// Verifies `claim = Σ_z eq(point, z) · g(z)` for a `g` of degree two in each variable, lowest variable first: the
/// point `z` where it ends (highest variable first), and the claim on `g` there.
///
/// A round sends two coefficients of `q`, where the round polynomial is `eq(w, X) · q(X)`: with
/// `q = q0 + a1 X + a2 X²` and `claim = (1 - w) q(0) + w q(1)`, `q0 = claim - w (a1 + a2)`. The `eq` never enters the claim.
///
/// # Paper
/// Gruen, *Some improvements for the PIOP for ZeroCheck*, eprint 2024/108, section 3.
///
/// # Errors
/// If the party has no answer.
pub fn eq_sumcheck<A: Algebra, P: Party<A>>(
    channel: &mut Channel<'_, A, P>,
    point: &[A::Element],
    mut claim: A::Element,
) -> Result<Ended<A::Element>, A::Error> {
    let mut end: Vec<A::Element> = Vec::with_capacity(point.len());
    for w in point.iter().rev() {
        let [linear, square] = channel.ask_array(Ask::Round { challenge: end.last(), claim: &claim, eq: Some(w) })?;
        let algebra = &mut *channel.algebra;
        let sum = algebra.add(&linear, &square);
        let rise = algebra.mul(w, &sum);
        let constant = algebra.sub(&claim, &rise);
        let r = channel.challenge();
        let algebra = &mut *channel.algebra;
        let slope = algebra.mul_add(&square, &r, &linear);
        claim = algebra.mul_add(&slope, &r, &constant);
        end.push(r);
    }
    end.reverse();
    Ok((end, claim))
}

/// Verifies `claim = Σ_z g(z)` over `vars` variables for a `g` of degree `degree` in each, lowest variable first: the point
/// (highest variable first) and the claim on `g` there.
///
/// A round sends the coefficients but the linear one, which follows from the claim.
///
/// # Errors
/// If the party has no answer.
pub fn plain_sumcheck<A: Algebra, P: Party<A>>(
    channel: &mut Channel<'_, A, P>,
    vars: usize,
    degree: usize,
    mut claim: A::Element,
) -> Result<Ended<A::Element>, A::Error> {
    let mut end: Vec<A::Element> = Vec::with_capacity(vars);
    for _ in 0..vars {
        let sent = channel.ask(Ask::Round { challenge: end.last(), claim: &claim, eq: None }, degree)?;
        let r = channel.challenge();
        let algebra = &mut *channel.algebra;
        // q(0) + q(1) = claim, so q1 = claim - 2 q0 - q2 - q3 …
        let mut linear = claim.clone();
        for (i, coefficient) in sent.iter().enumerate() {
            linear = algebra.sub(&linear, coefficient);
            if i == 0 {
                linear = algebra.sub(&linear, coefficient);
            }
        }
        let mut value = algebra.constant(Fr::from(0));
        for coefficient in sent.iter().skip(1).rev().chain(std::iter::once(&linear)).chain(sent.first()) {
            value = algebra.mul_add(&value, &r, coefficient);
        }
        claim = value;
        end.push(r);
    }
    end.reverse();
    Ok((end, claim))
}
