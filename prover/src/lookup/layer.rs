//! One layer of the tree of fractions.

use ark_bn254::Fr;
use ark_ff::{One, Zero};
use rayon::prelude::*;

/// Nodes made by one task.
const CHUNK: usize = 1 << 11;

/// Numerator and denominator.
pub type Fraction = [Fr; 2];

/// The nodes of one layer; past the stored ones stand fractions `0 / 1`.
pub struct Layer {
    /// Denominators of the leading nodes, whose numerators are one.
    pub ones: Vec<Fr>,
    /// The nodes after them.
    pub rest: Vec<Fraction>,
}

impl Layer {
    /// Number of stored nodes.
    pub fn len(&self) -> usize {
        self.ones.len() + self.rest.len()
    }

    /// Node `i`.
    pub fn get(&self, i: usize) -> Fraction {
        match self.ones.get(i) {
            Some(d) => [Fr::one(), *d],
            None => self.rest.get(i - self.ones.len()).copied().unwrap_or([Fr::zero(), Fr::one()]),
        }
    }

    /// The layer above: sums of neighbouring fractions.
    pub fn parents(&self) -> Self {
        let whole = self.ones.len() / 2;
        let nodes = (0..self.len().div_ceil(2))
            .into_par_iter()
            .with_min_len(CHUNK)
            .map(|i| {
                if i < whole {
                    let (left, right) = (self.ones[2 * i], self.ones[2 * i + 1]);
                    return [left + right, left * right];
                }
                let ([n0, d0], [n1, d1]) = (self.get(2 * i), self.get(2 * i + 1));
                [Fr::sum_of(n0, d1, n1, d0), d0 * d1]
            })
            .collect();
        Self { ones: vec![], rest: nodes }
    }
}

/// A sum of two products with one reduction.
pub trait SumOfTwo {
    /// `a·b + c·d`.
    fn sum_of(a: Self, b: Self, c: Self, d: Self) -> Self;
}

impl SumOfTwo for Fr {
    #[inline]
    fn sum_of(a: Self, b: Self, c: Self, d: Self) -> Self {
        <Fr as ark_ff::Field>::sum_of_products(&[a, c], &[b, d])
    }
}
