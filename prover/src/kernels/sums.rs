//! The prover of a sumcheck over a sum of products of multilinear tables.

use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};
use rayon::prelude::*;

use crate::kernels::tables::bound;

/// `coefficient · Π tables`, all tables over the same variables.
pub struct Product {
    /// Coefficient.
    pub coefficient: Fr,
    /// Factors; at most as many as the degree of the sumcheck.
    pub tables: Vec<Vec<Fr>>,
}

/// A sum of products over at most `vars` variables, bound lowest variable first.
///
/// A product of fewer variables does not depend on the leading ones; it is scaled so that its sum stays the same.
pub struct ProductSum {
    vars: usize,
    degree: usize,
    products: Vec<(Product, usize)>,
    round: usize,
}

impl ProductSum {
    /// The sum over `vars` variables, of a degree that bounds the factors of each product.
    pub fn new(vars: usize, degree: usize, products: Vec<Product>) -> Self {
        let products = products
            .into_iter()
            .map(|product| {
                let own = product.tables.first().map_or(0, |table| table.len().trailing_zeros() as usize);
                (product, own)
            })
            .collect();
        Self { vars, degree, products, round: 0 }
    }

    /// One round: coefficients of the round polynomial but the linear one, constant first.
    pub fn round(&mut self, challenge: Option<Fr>) -> Vec<Fr> {
        if let Some(challenge) = challenge {
            self.bind(challenge);
        }
        let mut sums = vec![Fr::zero(); self.degree + 1];
        let left = self.vars - self.round - 1;
        for (product, own) in &self.products {
            if self.round < *own {
                for (sum, part) in sums.iter_mut().zip(coefficients(&product.tables, self.degree)) {
                    *sum += product.coefficient * part;
                }
            } else {
                let shrink = self.vars - own - left;
                let value: Fr = product.tables.iter().map(|table| table[0]).product();
                sums[0] += product.coefficient * value * Fr::from(2).pow([shrink as u64]).inverse().unwrap_or_default();
            }
        }
        sums.remove(1);
        sums
    }

    /// Binds the lowest variable that is left.
    pub fn bind(&mut self, r: Fr) {
        for (product, own) in &mut self.products {
            if self.round < *own {
                for table in &mut product.tables {
                    *table = bound(table, r);
                }
            }
        }
        self.round += 1;
    }

    /// The values of a product's tables when all variables are bound.
    pub fn values(&self) -> impl Iterator<Item = Vec<Fr>> + '_ {
        self.products.iter().map(|(product, _)| product.tables.iter().map(|table| table[0]).collect())
    }
}

/// Coefficients of `Σ Π (low + X·(high - low))` over all pairs.
fn coefficients(tables: &[Vec<Fr>], degree: usize) -> Vec<Fr> {
    let pairs = tables.first().map_or(0, |table| table.len() / 2);
    (0..pairs)
        .into_par_iter()
        .with_min_len(256)
        .fold(
            || vec![Fr::zero(); degree + 1],
            |mut sums, j| {
                let mut product = [Fr::zero(); 4];
                product[0] = Fr::one();
                for (used, table) in tables.iter().enumerate() {
                    let (low, step) = (table[2 * j], table[2 * j + 1] - table[2 * j]);
                    for i in (0..=used + 1).rev() {
                        let below = if i == 0 { Fr::zero() } else { product[i - 1] * step };
                        product[i] = product[i] * low + below;
                    }
                }
                for (sum, part) in sums.iter_mut().zip(product) {
                    *sum += part;
                }
                sums
            },
        )
        .reduce(
            || vec![Fr::zero(); degree + 1],
            |mut a, b| {
                for (a, b) in a.iter_mut().zip(b) {
                    *a += b;
                }
                a
            },
        )
}
