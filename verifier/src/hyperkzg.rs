//! Opening of a committed multilinear polynomial at one point: the verifier.
//!
//! `f` has `n` variables and a table of `2^n` values; bit `n-1` of an index is the first variable. It is committed as the
//! univariate polynomial with the same coefficients, `C = Σ f_i·[τ^i]G`.
//!
//! Write `P = even(X²) + X·odd(X²)`. Setting the last variable to `u` is the fold `fold_u(P) = (1-u)·even + u·odd`. With
//! `P_0 = f`, `P_{i+1} = fold(P_i)` by the variables from the last to the first, `P_n` is the constant `f(point)`. The
//! prover commits to `P_1 … P_{n-1}`; a challenge `r` is drawn, and with `x_i = r^(2^i)` each `P_i` is opened modulo
//! `X² - x_{i+1}`, that is at both roots `±x_i`:
//!
//! ```text
//! P_i ≡ a_i + b_i·X  (mod X² - x_{i+1}),    a_i = even_i(x_{i+1}),  b_i = odd_i(x_{i+1})
//! p_0 = P_0(r) is sent,    a_i = p_i - x_i·b_i,    p_{i+1} = a_i + u·(b_i - a_i),    p_n = f(point)
//! ```
//!
//! so `n + 1` scalars are sent: `p_0` and all `b_i`. There is nothing to invert, whatever `r` is.
//!
//! All openings are one Shplonk argument: with challenges ν and then z,
//!
//! ```text
//! W  = [h(τ)]G,            h = Σ ν^i (P_i - a_i - b_i·X) / (X² - x_{i+1})
//! W' = [L(τ)/(τ-z)]G,      L = Σ ν^i (P_i - a_i - b_i·z) / (z² - x_{i+1}) - h,     L(z) = 0
//! e(L_C + z·W', G2) = e(W', [τ]G2),  L_C the commitment to L
//! ```
//!
//! # Transcript
//! The caller has absorbed everything that fixes the commitment, the point and the value. Then: folds, challenge r; all
//! evaluations, challenge ν; `quotient`, challenge z; `shifted_quotient` is bound by the pairing alone.
//!
//! # Soundness
//! The pairing makes `a_i`, `b_i` the remainders of the committed `P_i` (error at most `(n + deg)/r`). Then `p_{i+1}` is
//! `fold(P_i)(x_{i+1})`, and as the remainder of `P_{i+1}` it is `P_{i+1}(x_{i+1})`: so the committed polynomials are folds of
//! one another, but for an error of `Σ deg/r`. It is essential that the folds are opened at both roots: with
//! `P_i(-x_i)` alone, the polynomial `D = X·((1-u)X - u)·E(X²)` can be taken from a fold unseen, and any value claimed.
//!
//! A committed polynomial may be longer than `2^n`: the statement is about its first `2^n` coefficients.
//!
//! # Paper
//! Bootle, Chiesa, Hu, Orrù, *Gemini: Elastic SNARKs for Diverse Environments*, eprint 2022/420, section 2.4.2;
//! Boneh, Drake, Fisch, Gabizon, *Efficient polynomial commitment schemes for multiple points and polynomials*,
//! eprint 2020/081, section 4; Zhao et al., eprint 2024/2099 (HyperKZG).

use crate::check::{Check, Judge, Rejection};
use crate::keccak::KeccakTranscript;
use crate::setup::SetupKey;
use ark_bn254::{Bn254, Fr, G1Affine, G1Projective};
use ark_ec::pairing::Pairing;
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, Field, batch_inversion};

/// An opening of a polynomial of `n` variables at one point.
///
/// A polynomial of no variable is opened as one of one variable at zero, with the same commitment. Where `n ≤ 1` the
/// honest quotient is the point at infinity, which is fine here and has no canonical encoding in a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Commitments to `P_1 … P_{n-1}`.
    pub folds: Vec<G1Affine>,
    /// `p_0 = P_0(r)`, then `b_0 … b_{n-1}` where `b_i` is the odd part of `P_i` at `r^(2^(i+1))`.
    pub evaluations: Vec<Fr>,
    /// Commitment `W` to `h`.
    pub quotient: G1Affine,
    /// Commitment `W'` to `L / (X - z)`.
    pub shifted_quotient: G1Affine,
}

/// The variables in the order in which they are folded, the last first; one zero if there is none.
pub fn folding_order(point: &[Fr]) -> Vec<Fr> {
    if point.is_empty() { vec![Fr::ZERO] } else { point.iter().rev().copied().collect() }
}

/// Checks that the polynomial behind `commitment` has `value` at `point`, where `point[0]` is the variable of the index's
/// most significant bit.
///
/// The points of `opening` must be on the curve, as [`decode_g1`](crate::points::decode_g1) ensures.
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
        (Check::OpeningFolds, opening.folds.len() + 1 == variables.len()),
        (Check::OpeningEvaluations, opening.evaluations.len() == variables.len() + 1),
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

    // Remainders a + b·X of each polynomial, reduced at z, and the moduli z² - x_{i+1}.
    let mut evaluations = opening.evaluations.iter();
    let mut p = evaluations.next().copied().unwrap_or_default();
    let mut x = r;
    let mut remainders = Vec::with_capacity(variables.len());
    let mut weights = Vec::with_capacity(variables.len());
    for (u, b) in variables.iter().zip(evaluations) {
        let a = p - x * b;
        x.square_in_place();
        p = a + *u * (*b - a);
        remainders.push(a + z * b);
        weights.push(z.square() - x);
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
