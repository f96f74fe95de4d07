//! The opening of a committed polynomial, by the formulas of [`gradproof_verifier::protocol::hyperkzg`] and division as in school.

use ark_bn254::{Fr, G1Affine};
use ark_ec::CurveGroup;
use ark_ff::{Field, One, Zero};
use gradproof_verifier::protocol::hyperkzg::{FOLDED, Opening};
use gradproof_verifier::protocol::keccak::KeccakTranscript;
use gradproof_verifier::protocol::powers::Setup;

use super::points;

/// Quotient and remainder of a polynomial by another whose leading coefficient is one; lowest coefficients first.
fn divided(polynomial: &[Fr], by: &[Fr]) -> (Vec<Fr>, Vec<Fr>) {
    let (mut rest, degree) = (polynomial.to_vec(), by.len() - 1);
    let mut quotient = vec![Fr::zero(); polynomial.len()];
    for i in (degree..polynomial.len()).rev() {
        quotient[i - degree] = rest[i];
        for (j, coefficient) in by.iter().enumerate() {
            let part = quotient[i - degree] * coefficient;
            rest[i - degree + j] -= part;
        }
    }
    rest.resize(degree, Fr::zero());
    (quotient, rest)
}

/// `Σ coefficients[i]·x^i`.
fn at(coefficients: &[Fr], x: Fr) -> Fr {
    coefficients.iter().enumerate().map(|(i, coefficient)| x.pow([i as u64]) * coefficient).sum()
}

/// `Σ_j eq_j·part_j` where `P = Σ_j X^j·part_j(X^w)`, the variable `i` of the step at bit `i` of `j`.
fn folded(polynomial: &[Fr], step: &[Fr]) -> Vec<Fr> {
    let width = 1 << step.len();
    let eq = |j: usize| -> Fr {
        step.iter().enumerate().map(|(i, u)| if j >> i & 1 == 1 { *u } else { Fr::one() - u }).product()
    };
    polynomial.chunks(width).map(|parts| parts.iter().enumerate().map(|(j, part)| eq(j) * part).sum()).collect()
}

/// Opens the polynomial whose table is `polynomial`, of at least one variable, at `point`. The set-up is long enough.
pub fn open(setup: &Setup, polynomial: &[Fr], point: &[Fr], transcript: &mut KeccakTranscript) -> Opening {
    let commit = |column: &[Fr]| -> G1Affine { points::sum(&setup.powers, column).into_affine() };
    let variables: Vec<Fr> = point.iter().rev().copied().collect();
    let steps: Vec<&[Fr]> = variables.chunks(FOLDED).collect();
    let mut layers = vec![polynomial.to_vec()];
    for step in &steps[..steps.len() - 1] {
        layers.push(folded(&layers[layers.len() - 1], step));
    }
    let folds: Vec<G1Affine> = layers[1..].iter().map(|layer| commit(layer)).collect();
    transcript.absorb_points(&folds);
    let r = transcript.challenge();

    // X^w - x_{i+1}, where x_0 = r and x_{i+1} = x_i^w.
    let mut x = r;
    let mut moduli = vec![];
    for step in &steps {
        let width = 1usize << step.len();
        x = x.pow([width as u64]);
        let mut modulus = vec![Fr::zero(); width + 1];
        (modulus[0], modulus[width]) = (-x, Fr::one());
        moduli.push(modulus);
    }
    let divisions: Vec<_> = layers.iter().zip(&moduli).map(|(layer, modulus)| divided(layer, modulus)).collect();
    let mut evaluations = vec![at(polynomial, r)];
    evaluations.extend(divisions.iter().flat_map(|(_, remainder)| &remainder[1..]));
    transcript.absorb_scalars(&evaluations);
    let nu = transcript.challenge();

    let mut h = vec![Fr::zero(); polynomial.len()];
    for (i, (quotient, _)) in divisions.iter().enumerate() {
        h.iter_mut().zip(quotient).for_each(|(h, part)| *h += nu.pow([i as u64]) * part);
    }
    let quotient = commit(&h);
    transcript.absorb_point(&quotient);
    let z = transcript.challenge();

    // L = Σ ν^i (P_i - R_i(z)) / (z^w - x_{i+1}) - h, divided by X - z.
    let mut l: Vec<Fr> = h.iter().map(|h| -*h).collect();
    for (i, ((layer, modulus), (_, remainder))) in layers.iter().zip(&moduli).zip(&divisions).enumerate() {
        let weight = nu.pow([i as u64]) * at(modulus, z).inverse().unwrap_or_default();
        l.iter_mut().zip(layer).for_each(|(l, p)| *l += weight * p);
        l[0] -= weight * at(remainder, z);
    }
    let (shifted, _) = divided(&l, &[-z, Fr::one()]);
    Opening { folds, evaluations, quotient, shifted_quotient: commit(&shifted) }
}
