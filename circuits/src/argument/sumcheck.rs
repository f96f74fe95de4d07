//! The verifier's side of the two kinds of sumcheck.

use super::transcript::{Ask, Channel, Party};
use crate::field::algebra::Algebra;

/// Where a sumcheck ended, first variable first, and what is claimed there.
pub type Ended<E> = (Vec<E>, E);

/// Verifies `claim = Σ_z eq(point, z) · g(z)` for a `g` of degree two in each variable, lowest variable first: the
/// point `z` where it ends (highest variable first), and the claim on `g` there.
///
/// A round sends two coefficients of `q`, where the round polynomial is `eq(w, X) · q(X)`; the third follows from the claim
/// ([`Algebra::eq_round`]). The `eq` never enters the claim.
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
        let sent = channel.ask_array(Ask::Round { challenge: end.last(), claim: &claim, eq: Some(w) })?;
        let r = channel.challenge();
        claim = channel.algebra.eq_round(&claim, w, &sent, &r);
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
        claim = channel.algebra.plain_round(&claim, &sent, &r);
        end.push(r);
    }
    end.reverse();
    Ok((end, claim))
}
