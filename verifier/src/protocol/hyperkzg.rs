//! Opening of a committed multilinear polynomial at one point: the verifier.
//!
//! `f` has `n` variables and a table of `2^n` values; bit `n-1` of an index is the first variable. It is committed as the
//! univariate polynomial with the same coefficients, `C = Σ f_i·[τ^i]G`.
//!
//! Variables are folded from the last to the first, [`FOLDED`] in a step; the last step folds what is left. A step of `k`
//! variables has the width `w = 2^k`. Write `P = Σ_{j<w} X^j·part_j(X^w)`, so that bit `i` of `j` is the `i`-th variable of
//! the step, `u_i`. Setting these variables is the fold
//!
//! ```text
//! fold(P) = Σ_j eq_j·part_j,    eq_j = Π_i (u_i where bit i of j is set, else 1 - u_i)
//! ```
//!
//! With `P_0 = f` and `P_{i+1} = fold(P_i)`, after `m` steps `P_m` is the constant `f(point)`. The prover commits to
//! `P_1 … P_{m-1}`; a challenge `r` is drawn, and with `x_0 = r`, `x_{i+1} = x_i^w` each `P_i` is opened modulo
//! `X^w - x_{i+1}`, that is at all `w` roots: `x_i` times the `w`-th roots of unity.
//!
//! ```text
//! P_i ≡ R_i = Σ_j b_{i,j}·X^j  (mod X^w - x_{i+1}),    b_{i,j} = part_j(x_{i+1})
//! p_0 = P_0(r) is sent,    b_{i,0} = p_i - Σ_{j≥1} b_{i,j}·x_i^j,    p_{i+1} = Σ_j eq_j·b_{i,j},    p_m = f(point)
//! ```
//!
//! so `p_0` and all `b_{i,j}` but the lowest are sent, `w - 1` a step. There is nothing to invert, whatever `r` is.
//!
//! All openings are one Shplonk argument: with challenges ν and then z,
//!
//! ```text
//! W  = [h(τ)]G,            h = Σ ν^i (P_i - R_i) / (X^w - x_{i+1})
//! W' = [L(τ)/(τ-z)]G,      L = Σ ν^i (P_i - R_i(z)) / (z^w - x_{i+1}) - h,     L(z) = 0
//! e(L_C + z·W', G2) = e(W', [τ]G2),  L_C the commitment to L
//! ```
//!
//! # Transcript
//! The caller has absorbed everything that fixes the commitment, the point and the value. Then: folds, challenge r; all
//! evaluations, challenge ν; `quotient`, challenge z; `shifted_quotient` is bound by the pairing alone.
//!
//! # Soundness
//! The pairing makes `R_i` the remainder of the committed `P_i` (error at most `(m + deg + 2·Σw)/r`: powers of ν, the degree
//! of the identity in z, and the zeros of the moduli). A polynomial of degree below `w` has one remainder, so the
//! `b_{i,j}` are `part_j(x_{i+1})`, and `p_{i+1}` is `fold(P_i)(x_{i+1})`. As `R_{i+1}(x_{i+1})` it is also `P_{i+1}(x_{i+1})`: so the
//! committed polynomials are folds of one another, but for an error of `Σ deg·2^(variables folded so far)/r`.
//!
//! It is essential that the folds are opened at all `w` roots. Leave out one that is not `x_i`: then `R_i` is free by a multiple
//! of a polynomial that is zero at the others, and `p_{i+1}` can be taken to the value of whatever was committed as
//! `P_{i+1}`. Leave out `x_i` itself, at which `p_i` says what the chain needs: then with `g = Π_i (1 - u_i + u_i·X^(-2^i))`, by which the root counts in the fold, and ω of order `w`, the
//! polynomial `D = Π_{1≤j<w} X^w·g(ω^j·X)` can be added to a fold unseen. At the other roots it is what it is; that nothing is
//! said of `D(x_i)` shifts `p_{i+1}` by `-1/w·D(x_i)·g(x_i)`, which is a polynomial in `x_i^w`, so that it can be added to the next
//! fold before `r` is known; and any value can be claimed. (For `w = 2` it is `D = X·((1-u)X - u)`.)
//!
//! A committed polynomial may be longer than `2^n`: the statement is about its first `2^n` coefficients.
//!
//! # Paper
//! Bootle, Chiesa, Hu, Orrù, *Gemini: Elastic SNARKs for Diverse Environments*, eprint 2022/420, section 2.4.2;
//! Boneh, Drake, Fisch, Gabizon, *Efficient polynomial commitment schemes for multiple points and polynomials*,
//! eprint 2020/081, section 4; Zhao et al., eprint 2024/2099 (HyperKZG).

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective};
use ark_ec::pairing::Pairing;
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, Field, batch_inversion};
use gradproof_circuits::field::check::{Check, Judge, Rejection};

use crate::protocol::keccak::KeccakTranscript;
use crate::protocol::setup::SetupKey;

/// An opening of a polynomial of `n` variables at one point.
///
/// A polynomial of no variable is opened as one of one variable at zero, with the same commitment. Where one step folds all
/// variables the honest quotient is the point at infinity, which is fine here and has no canonical encoding in a proof:
/// columns have more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Commitments to `P_1 … P_{m-1}`, one less than [`steps`].
    pub folds: Vec<G1Affine>,
    /// `p_0 = P_0(r)`, then of each step `b_{i,1} … b_{i,w-1}`, in all [`evaluations`].
    pub evaluations: Vec<Fr>,
    /// Commitment `W` to `h`.
    pub quotient: G1Affine,
    /// Commitment `W'` to `L / (X - z)`.
    pub shifted_quotient: G1Affine,
}

/// Variables that a step folds, the last one perhaps fewer: each step but the last costs a commitment, each variable of a
/// step doubles its evaluations.
pub const FOLDED: usize = 2;

/// The number of variables of each step, for a polynomial of `vars` variables.
pub fn steps(vars: usize) -> impl ExactSizeIterator<Item = usize> {
    let vars = vars.max(1);
    (0..vars).step_by(FOLDED).map(move |done| FOLDED.min(vars - done))
}

/// The number of commitments to folds in an opening.
pub fn folds(vars: usize) -> usize {
    steps(vars).len() - 1
}

/// The number of evaluations in an opening: one, and of each step those of all roots but one.
pub fn evaluations(vars: usize) -> usize {
    1 + steps(vars).map(|step| (1 << step) - 1).sum::<usize>()
}

/// The variables in the order in which they are folded, the last first; one zero if there is none. Chunks of [`FOLDED`] are
/// steps.
pub fn folding_order(point: &[Fr]) -> Vec<Fr> {
    if point.is_empty() { vec![Fr::ZERO] } else { point.iter().rev().copied().collect() }
}

/// `Σ_j eq_j·parts[j]` for the variables of a step, the lowest bit of `j` for the first of them.
///
/// # Shapes
/// `2^variables` parts.
pub fn fold(parts: &[Fr], variables: &[Fr]) -> Fr {
    let Some((u, rest)) = variables.split_last() else { return parts.first().copied().unwrap_or_default() };
    let (low, high) = parts.split_at(parts.len() / 2);
    let (low, high) = (fold(low, rest), fold(high, rest));
    low + *u * (high - low)
}

/// The polynomial with these coefficients, the lowest first, at `x`.
pub fn evaluate(coefficients: &[Fr], x: Fr) -> Fr {
    coefficients.iter().rev().fold(Fr::ZERO, |sum, coefficient| sum * x + coefficient)
}

/// The whole remainder of a step, of which `sent` is all but the lowest coefficient, and whose value at `x` is `p`.
pub fn remainder(p: Fr, x: Fr, sent: &[Fr]) -> Vec<Fr> {
    [&[p - x * evaluate(sent, x)], sent].concat()
}

/// Checks that the polynomial behind `commitment` has `value` at `point`, where `point[0]` is the variable of the index's
/// most significant bit.
///
/// The points of `opening` must be on the curve, as [`decode_g1`](crate::protocol::points::decode_g1) ensures.
///
/// # Transcript
/// `transcript` must have absorbed `point`, `value` and `commitment`, or what fixes them.
///
/// # Errors
/// A [`Rejection`] by `judge`, which is asked about value and pairing, or for a wrong number of folds or evaluations.
pub fn verify(
    key: &SetupKey,
    commitment: &G1Affine,
    point: &[Fr],
    value: &Fr,
    opening: &Opening,
    transcript: &mut KeccakTranscript,
    judge: &mut impl Judge,
) -> Result<(), Rejection> {
    let variables = folding_order(point);
    for (check, fits) in [
        (Check::OpeningFolds, opening.folds.len() == folds(point.len())),
        (Check::OpeningEvaluations, opening.evaluations.len() == evaluations(point.len())),
    ] {
        if !fits {
            return Err(Rejection { check });
        }
    }

    transcript.absorb_points(&opening.folds);
    let r = transcript.challenge();
    transcript.absorb_scalars(&opening.evaluations);
    let nu = transcript.challenge();
    transcript.absorb_point(&opening.quotient);
    let z = transcript.challenge();

    // The remainders at z, and the moduli z^w - x_{i+1}.
    let mut evaluations = opening.evaluations.iter().copied();
    let mut p = evaluations.next().unwrap_or_default();
    let mut x = r;
    let (mut remainders, mut weights) = (Vec::new(), Vec::new());
    for step in variables.chunks(FOLDED) {
        let width = 1 << step.len();
        let sent: Vec<Fr> = evaluations.by_ref().take(width - 1).collect();
        let remainder = remainder(p, x, &sent);
        p = fold(&remainder, step);
        x = x.pow([width as u64]);
        remainders.push(evaluate(&remainder, z));
        weights.push(z.pow([width as u64]) - x);
    }
    judge.require(Check::OpeningValue, p == *value)?;

    // A zero modulus stays zero: z is then one of the bad challenges that the soundness error counts.
    batch_inversion(&mut weights);
    let mut power = Fr::ONE;
    let mut constant = Fr::ZERO;
    for (weight, remainder) in weights.iter_mut().zip(&remainders) {
        *weight *= power;
        power *= nu;
        constant -= *weight * remainder;
    }
    let bases: Vec<G1Affine> = std::iter::once(commitment).chain(&opening.folds).copied().collect();
    let mut left: G1Projective = G1Projective::msm_unchecked(&bases, &weights);
    left += key.g1 * constant + opening.shifted_quotient * z - opening.quotient;
    let pairs = Bn254::multi_pairing([left.into_affine(), -opening.shifted_quotient], [key.g2, key.tau_g2]);
    judge.require(Check::OpeningPairing, pairs.0 == <Bn254 as Pairing>::TargetField::ONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn steps_fold_every_variable_once() {
        for vars in 0..=28 {
            let all: Vec<usize> = steps(vars).collect();
            assert_eq!(all.iter().sum::<usize>(), vars.max(1));
            assert!(
                all.iter().rev().skip(1).all(|&step| step == FOLDED),
                "only the last step may be a short one: {all:?}"
            );
            assert_eq!(folds(vars) + 1, vars.max(1).div_ceil(FOLDED));
            // As the contract counts.
            let (whole, left) = (vars.max(1) / FOLDED, vars.max(1) % FOLDED);
            assert_eq!(evaluations(vars), whole * ((1 << FOLDED) - 1) + (1 << left));
        }
    }

    fn scalars(count: usize) -> impl Strategy<Value = Vec<Fr>> {
        proptest::collection::vec(any::<u64>().prop_map(Fr::from), count)
    }

    proptest! {
        #[test]
        fn a_fold_weighs_the_parts((parts, variables) in (0usize..5).prop_flat_map(|vars| (scalars(1 << vars), scalars(vars)))) {
            let weight = |j: usize| -> Fr {
                let bits = variables.iter().enumerate();
                bits.map(|(i, u)| if j >> i & 1 == 1 { *u } else { Fr::ONE - u }).product()
            };
            let expected: Fr = parts.iter().enumerate().map(|(j, part)| weight(j) * part).sum();
            prop_assert_eq!(fold(&parts, &variables), expected);
        }

        #[test]
        fn a_remainder_has_the_value_that_it_is_derived_from(coefficients in scalars(1 << FOLDED), x in any::<u64>()) {
            let x = Fr::from(x);
            prop_assert_eq!(&remainder(evaluate(&coefficients, x), x, &coefficients[1..]), &coefficients);
        }
    }
}
