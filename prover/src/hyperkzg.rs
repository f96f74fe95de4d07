//! Opening of a committed multilinear polynomial at one point: the prover. See [`gradproof_verifier::hyperkzg`].

use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};
use gradproof_verifier::hyperkzg::{Opening, folding_order};
use gradproof_verifier::keccak::KeccakTranscript;
use rayon::prelude::*;

use crate::commit::commit_full;
use gradproof_verifier::powers::{Setup, SetupError};

/// Opens the polynomial whose table is `polynomial` at `point`.
///
/// # Errors
/// If the set-up is shorter than the table.
pub fn open(
    setup: &Setup,
    polynomial: Vec<Fr>,
    point: &[Fr],
    transcript: &mut KeccakTranscript,
) -> Result<Opening, SetupError> {
    let variables = folding_order(point);
    let size = polynomial.len();
    let mut layers = vec![polynomial];
    for u in &variables[..variables.len() - 1] {
        let fold = |pair: &[Fr]| pair[0] + *u * (pair[1] - pair[0]);
        let next = layers[layers.len() - 1].par_chunks(2).map(fold).collect();
        layers.push(next);
    }
    let folds = layers[1..].iter().map(|layer| commit_full(setup, layer, Fr::zero())).collect::<Result<Vec<_>, _>>()?;
    transcript.absorb_points(&folds);
    let r = transcript.challenge();

    let squares: Vec<Fr> = layers
        .iter()
        .scan(r, |x, _| {
            x.square_in_place();
            Some(*x)
        })
        .collect();
    let halves: Vec<(Fr, Fr)> = layers.par_iter().zip(&squares).map(|(layer, s)| remainder(layer, *s)).collect();
    let (a, b) = halves[0];
    let evaluations: Vec<Fr> = std::iter::once(a + r * b).chain(halves.iter().map(|(_, b)| *b)).collect();
    transcript.absorb_scalars(&evaluations);
    let nu = transcript.challenge();

    let mut h = vec![Fr::zero(); size];
    let mut power = Fr::one();
    for (layer, s) in layers.iter().zip(&squares) {
        add_quotient(&mut h, layer, *s, power);
        power *= nu;
    }
    let quotient = commit_full(setup, &h, Fr::zero())?;
    transcript.absorb_point(&quotient);
    let z = transcript.challenge();

    let mut shifted: Vec<Fr> = h.par_iter().map(|h| -*h).collect();
    let mut power = Fr::one();
    for ((layer, s), (a, b)) in layers.iter().zip(&squares).zip(&halves) {
        let weight = power * (z.square() - s).inverse().unwrap_or_default();
        shifted.par_iter_mut().zip(layer).for_each(|(sum, p)| *sum += weight * p);
        shifted[0] -= weight * (*a + z * b);
        power *= nu;
    }
    // Division by X - z: the coefficients from the top, each carried down.
    let mut carry = Fr::zero();
    for coefficient in shifted.iter_mut().rev() {
        let next = *coefficient + z * carry;
        *coefficient = carry;
        carry = next;
    }
    let shifted_quotient = commit_full(setup, &shifted, Fr::zero())?;
    transcript.absorb_point(&shifted_quotient);
    Ok(Opening { folds, evaluations, quotient, shifted_quotient })
}

/// `(even(s), odd(s))`: the remainder modulo `X² - s`.
fn remainder(polynomial: &[Fr], s: Fr) -> (Fr, Fr) {
    polynomial.chunks(2).rev().fold((Fr::zero(), Fr::zero()), |(a, b), pair| {
        (a * s + pair[0], b * s + pair.get(1).copied().unwrap_or_default())
    })
}

/// Adds `weight · (P - remainder) / (X² - s)` to `sum`.
fn add_quotient(sum: &mut [Fr], polynomial: &[Fr], s: Fr, weight: Fr) {
    let mut carry = [Fr::zero(); 2];
    for j in (2..polynomial.len()).rev() {
        let value = polynomial[j] + s * carry[j % 2];
        carry[j % 2] = value;
        sum[j - 2] += weight * value;
    }
}
