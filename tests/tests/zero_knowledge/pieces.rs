//! The one place where the halo2 proof does not hide by uniform rows alone: the commitments to the pieces of its
//! quotient.
//!
//! A reader who cannot take logarithms can only test linear relations between committed values, with coefficients that
//! may depend on τ. The part of the quotient that is linear in the blinding rows of the permutation product and of
//! every advice column comes from one constraint only, whatever the gates are:
//!
//! ```text
//! (1 - l_last - l_blind)·(z(ωX) - z(X))·Π a_j(X) / (X^n - 1),    z and a_j zero outside of their random rows
//! ```
//!
//! If the six pieces of six such parts are independent, no relation between pieces, advice, product and known
//! polynomials holds for all blindings, and the pieces look like any six points.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use ark_ff::{FftField, Field, One, Zero, batch_inversion};
use gradproof_circuits::wrap::circuit::WrapCircuit;
use gradproof_prover::randomness::fresh;
use gradproof_verifier::protocol::setup::insecure_tau;
use halo2_axiom::plonk::{Circuit, ConstraintSystem};

/// Advice columns, all in one permutation product.
const ADVICE: usize = 5;
/// Random rows at the end of an advice column.
const ADVICE_ROWS: usize = 6;
/// Random rows at the end of the permutation product.
const PRODUCT_ROWS: usize = 5;
/// Pieces of the quotient: the degree of the constraints less one.
const PIECES: usize = ADVICE + 1;
/// Cosets on which a quotient of so many pieces is determined.
const EXTENSION: usize = 8;

/// `X^n - 1` and `1/(X - ω^row)` for the random rows, the last row first.
struct Kernel {
    vanishing: Fr,
    inverses: Vec<Fr>,
}

/// The domain of `2^k` rows.
struct Rows {
    len: usize,
    root: Fr,
}

impl Rows {
    fn new(k: u32) -> Self {
        let len = 1 << k;
        Self { len, root: Fr::get_root_of_unity(len as u64).unwrap() }
    }

    fn kernels(&self, points: &[Fr]) -> Vec<Kernel> {
        let back = self.root.inverse().unwrap();
        let roots: Vec<Fr> = std::iter::successors(Some(back), |root| Some(*root * back)).take(ADVICE_ROWS).collect();
        let mut inverses: Vec<Fr> = points.iter().flat_map(|x| roots.iter().map(move |root| *x - root)).collect();
        batch_inversion(&mut inverses);
        let kernel = |(x, inverses): (&Fr, &[Fr])| Kernel {
            vanishing: x.pow([self.len as u64]) - Fr::one(),
            inverses: inverses.to_vec(),
        };
        points.iter().zip(inverses.chunks(ADVICE_ROWS)).map(kernel).collect()
    }

    /// Weights of random rows, scaled so that a polynomial is `(X^n - 1)·Σ weight/(X - ω^row)`; zero at the points of
    /// `opened`.
    fn blinding(&self, rows: usize, opened: &[Kernel; 2]) -> Vec<Fr> {
        let mut weights = fresh(rows).unwrap();
        weights[..2].fill(Fr::zero());
        let rest = opened.each_ref().map(|kernel| -evaluate(&weights, kernel) / kernel.vanishing);
        let [[a, b], [c, d]] = opened.each_ref().map(|kernel| [kernel.inverses[0], kernel.inverses[1]]);
        let determinant = a * d - b * c;
        weights[0] = (rest[0] * d - rest[1] * b) / determinant;
        weights[1] = (rest[1] * a - rest[0] * c) / determinant;
        assert!(opened.iter().all(|kernel| evaluate(&weights, kernel).is_zero()));
        weights
    }
}

fn evaluate(weights: &[Fr], kernel: &Kernel) -> Fr {
    kernel.vanishing * weights.iter().zip(&kernel.inverses).map(|(weight, inverse)| *weight * inverse).sum::<Fr>()
}

/// Coefficients from the values at the powers of `root`, times powers of `1/shift`.
fn interpolate(values: &[Fr], root: Fr, shift: Fr) -> Vec<Fr> {
    fn transform(values: &[Fr], stride: usize, root: Fr) -> Vec<Fr> {
        let count = values.len().div_ceil(stride);
        if count == 1 {
            return vec![values[0]];
        }
        let even = transform(values, 2 * stride, root.square());
        let odd = transform(&values[stride..], 2 * stride, root.square());
        let mut power = Fr::one();
        let mut all = vec![Fr::zero(); count];
        for i in 0..count / 2 {
            let term = power * odd[i];
            (all[i], all[i + count / 2]) = (even[i] + term, even[i] - term);
            power *= root;
        }
        all
    }
    let mut coefficients = transform(values, 1, root.inverse().unwrap());
    let mut scale = Fr::from(values.len() as u64).inverse().unwrap();
    let back = shift.inverse().unwrap();
    for coefficient in &mut coefficients {
        *coefficient *= scale;
        scale *= back;
    }
    coefficients
}

fn rank(mut rows: Vec<Vec<Fr>>) -> usize {
    let mut rank = 0;
    for column in 0..rows[0].len() {
        let Some(pivot) = (rank..rows.len()).find(|&row| !rows[row][column].is_zero()) else { continue };
        rows.swap(rank, pivot);
        let (above, below) = rows.split_at_mut(rank + 1);
        let pivot = &above[rank];
        for row in below {
            let factor = row[column] / pivot[column];
            row.iter_mut().zip(pivot).for_each(|(entry, pivot)| *entry -= factor * pivot);
        }
        rank += 1;
    }
    rank
}

/// Values at τ of the pieces of one such part, for blindings that leave the opened values as they are.
fn pieces(rows: &Rows, kernels: &[Kernel], opened: &[Kernel; 2], size_root: Fr, shift: Fr) -> Vec<Fr> {
    let product = rows.blinding(PRODUCT_ROWS, opened);
    let advice: Vec<Vec<Fr>> = (0..ADVICE).map(|_| rows.blinding(ADVICE_ROWS, opened)).collect();
    // Each row's Lagrange polynomial is ω^row·(X^n - 1)/(n·(X - ω^row)).
    let back = rows.root.inverse().unwrap();
    let scale = Fr::from(rows.len as u64).inverse().unwrap();
    let lagrange: Vec<Fr> = (1..=ADVICE_ROWS as u64).map(|row| scale * back.pow([row])).collect();
    let values: Vec<Fr> = (0..kernels.len())
        .map(|i| {
            let (here, next) = (&kernels[i], &kernels[(i + EXTENSION) % kernels.len()]);
            let active = Fr::one() - evaluate(&lagrange, here);
            let step = evaluate(&product, next) - evaluate(&product, here);
            active * step * advice.iter().map(|column| evaluate(column, here)).product::<Fr>() / here.vanishing
        })
        .collect();
    let coefficients = interpolate(&values, size_root, shift);
    assert!(coefficients[PIECES * rows.len..].iter().all(Fr::is_zero), "the constraint does not vanish on all rows");
    let tau = insecure_tau();
    let at_tau = |piece: &[Fr]| piece.iter().rev().fold(Fr::zero(), |sum, coefficient| sum * tau + coefficient);
    coefficients[..PIECES * rows.len].chunks(rows.len).map(at_tau).collect()
}

#[test]
fn pieces_of_the_quotient_are_independent() {
    for k in [6, 14, 15] {
        let rows = Rows::new(k);
        let size_root = Fr::get_root_of_unity((rows.len * EXTENSION) as u64).unwrap();
        let shift = Fr::GENERATOR;
        let points: Vec<Fr> =
            std::iter::successors(Some(shift), |x| Some(*x * size_root)).take(rows.len * EXTENSION).collect();
        let kernels = rows.kernels(&points);
        let x = fresh(1).unwrap()[0];
        let opened = [x, x * rows.root].map(|point| rows.kernels(&[point]).remove(0));
        let samples: Vec<Vec<Fr>> = (0..PIECES).map(|_| pieces(&rows, &kernels, &opened, size_root, shift)).collect();
        assert_eq!(rank(samples), PIECES, "2^{k} rows");
    }
}

#[test]
fn the_shape_is_that_of_the_circuit() {
    let mut system = ConstraintSystem::default();
    WrapCircuit::configure(&mut system);
    assert_eq!(system.num_advice_columns(), ADVICE);
    assert_eq!(system.blinding_factors() + 1, ADVICE_ROWS);
    assert_eq!(system.blinding_factors(), PRODUCT_ROWS);
    assert_eq!(system.degree() - 1, PIECES);
    // One product holds all columns that copies tie.
    assert_eq!(system.permutation().get_columns().len(), ADVICE);
    assert!(system.degree() - 2 >= ADVICE);
    // Each advice column is opened at x and ωx.
    let opened: BTreeSet<(usize, i32)> =
        system.advice_queries().iter().map(|(column, rotation)| (column.index(), rotation.0)).collect();
    assert_eq!(opened, (0..ADVICE).flat_map(|column| [(column, 0), (column, 1)]).collect());
    assert!(system.lookups().is_empty(), "a look-up has columns of its own to blind");
}
