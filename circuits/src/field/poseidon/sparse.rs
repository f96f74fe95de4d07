//! Partial rounds with a sparse matrix and one constant each, equal to the plain ones.
//!
//! Write `M = [[a, v], [w, N]]` with a scalar `a`. The S-box of a partial round leaves all elements but the first alone, so
//! - constants of the others pass through it, and through M into the next round;
//! - `D = diag(1, N)` commutes with it. With `M·Dᵏ = Dᵏ⁺¹·[[a, v·Nᵏ], [N⁻ᵏ⁻¹·w, 1]]` the k-th round needs a sparse matrix
//!   only, and one power of D is left at the end.

use std::sync::LazyLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::parameters::{Constants, constants};
use super::{FULL_ROUNDS, PARTIAL_ROUNDS, RATE, WIDTH};

/// The matrix `[[row], [column, 1]]` and the constant of the first element.
pub(super) struct PartialRound {
    pub(super) constant: Fr,
    pub(super) row: [Fr; WIDTH],
    pub(super) column: [Fr; RATE],
}

/// Constants of the fast permutation.
pub(super) struct Sparse {
    pub(super) full: [[Fr; WIDTH]; FULL_ROUNDS],
    pub(super) partial: Vec<PartialRound>,
    /// The power of N after the partial rounds.
    pub(super) last: Square,
}

type Square = [[Fr; RATE]; RATE];

pub(super) fn sparse() -> &'static Sparse {
    static SPARSE: LazyLock<Sparse> = LazyLock::new(|| derive(constants()));
    &SPARSE
}

fn derive(Constants { round, mds }: &Constants) -> Sparse {
    let [[a, mut row @ ..], below @ ..] = *mds;
    let mut column = below.map(|[w, ..]| w);
    let inner: Square = below.map(|[_, rest @ ..]| rest);
    let (inverse, transposed) = (invert(inner), transpose(inner));
    let mut last = std::array::from_fn(|i| std::array::from_fn(|j| Fr::from(i == j)));
    let mut passed = [Fr::ZERO; WIDTH];
    let partial = round[FULL_ROUNDS / 2..][..PARTIAL_ROUNDS].iter().map(|constants| {
        let [constant, others @ ..]: [Fr; WIDTH] = std::array::from_fn(|i| constants[i] + passed[i]);
        passed = mds.map(|[_, m @ ..]| product(&m, &others));
        column = inverse.map(|r| product(&r, &column));
        let [b, c, d, e] = row;
        let round = PartialRound { constant, row: [a, b, c, d, e], column };
        row = transposed.map(|c| product(&c, &row));
        last = inner.map(|r| transpose(last).map(|c| product(&r, &c)));
        round
    });
    let partial = partial.collect();
    let mut full = std::array::from_fn(|r| round[if r < FULL_ROUNDS / 2 { r } else { r + PARTIAL_ROUNDS }]);
    full[FULL_ROUNDS / 2].iter_mut().zip(passed).for_each(|(c, p)| *c += p);
    Sparse { full, partial, last }
}

fn product(a: &[Fr; RATE], b: &[Fr; RATE]) -> Fr {
    a.iter().zip(b).map(|(a, b)| *a * b).sum()
}

fn transpose(matrix: Square) -> Square {
    std::array::from_fn(|i| matrix.map(|row| row[i]))
}

/// The inverse of a matrix whose leading minors are not zero, as those of a Cauchy matrix, by Gauss-Jordan elimination.
fn invert(mut matrix: Square) -> Square {
    for k in 0..RATE {
        let pivot = matrix[k][k].inverse().unwrap_or_default();
        matrix[k][k] = Fr::ONE;
        matrix[k] = matrix[k].map(|x| x * pivot);
        let pivot_row = matrix[k];
        for (_, row) in matrix.iter_mut().enumerate().filter(|(i, _)| *i != k) {
            let factor = std::mem::take(&mut row[k]);
            row.iter_mut().zip(pivot_row).for_each(|(x, p)| *x -= factor * p);
        }
    }
    matrix
}
