//! The prover of the merging of all claims, by folds of the integer columns.
//!
//! Every claim's weight `eq(point, ·)` is a product of a part over the low variables and one over the high ones. While the
//! low variables are bound, a claim needs its columns folded over the high ones, `2^q` values; afterwards each column needs
//! its fold over the low ones at the bound point. So a column costs one pass of small multiplications a claim and one more,
//! and no table of the full size is ever made.

use ark_bn254::Fr;
use ark_ff::{One, Zero};
use gradproof_circuits::argument::Claim;
use gradproof_circuits::program::Tensor;
use gradproof_circuits::relations::Layout;
use rayon::prelude::*;

use crate::columns::Column;
use crate::kernels::dot::{fold_columns, fold_rows};
use crate::kernels::eq::eq_table;
use crate::kernels::sums::{Product, ProductSum};
use crate::with_column;

/// A claim as a claim on columns: `Σ_c shares[c]·P_c` at `point` of a whole column.
struct ColumnClaim {
    weight: Fr,
    first: usize,
    shares: Vec<Fr>,
    point: Vec<Fr>,
}

/// The running sumcheck.
pub struct MergeProver<'a> {
    columns: &'a [Column<'a>],
    claims: Vec<ColumnClaim>,
    low_vars: usize,
    high_vars: usize,
    sum: ProductSum,
    /// Challenges so far, lowest variable first.
    bound: Vec<Fr>,
    folded: bool,
}

fn column_claim(layout: &Layout, claim: &Claim<Fr>, tensor: Tensor, weight: Fr) -> Option<ColumnClaim> {
    let place = layout.place(tensor)?;
    Some(if place.vars >= layout.column_vars {
        let (high, low) = claim.point.split_at(place.vars - layout.column_vars);
        ColumnClaim { weight, first: place.column, shares: eq_table(high), point: low.to_vec() }
    } else {
        let bits = layout.column_vars - place.vars;
        let slot = (0..bits).rev().map(|i| Fr::from((place.slot >> i & 1) as u64));
        let point = slot.chain(claim.point.iter().copied()).collect();
        ColumnClaim { weight, first: place.column, shares: vec![Fr::one()], point }
    })
}

impl<'a> MergeProver<'a> {
    /// Begins to merge `claims`, weighted by powers of `combine`.
    pub fn new(layout: &Layout, columns: &'a [Column<'a>], claims: &[Claim<Fr>], combine: Fr) -> Self {
        let mut weight = Fr::one();
        let mut list = Vec::with_capacity(claims.len());
        for claim in claims {
            for &(tensor, factor) in &claim.terms {
                list.extend(column_claim(layout, claim, tensor, weight * Fr::from(factor)));
            }
            weight *= combine;
        }
        let low_vars = layout.column_vars.div_ceil(2);
        let high_vars = layout.column_vars - low_vars;
        let products = list
            .iter()
            .map(|claim| {
                let (high, low) = claim.point.split_at(high_vars);
                let eq_high = eq_table(high);
                let mut folded = vec![Fr::zero(); 1 << low_vars];
                for (share, column) in claim.shares.iter().zip(&columns[claim.first..]) {
                    let weights: Vec<Fr> = eq_high.iter().map(|e| *e * share).collect();
                    let part = with_column!(column, values => fold_some_rows(values, 1 << low_vars, &weights));
                    for (sum, part) in folded.iter_mut().zip(part) {
                        *sum += part;
                    }
                }
                Product { coefficient: claim.weight, tables: vec![eq_table(low), folded] }
            })
            .collect();
        let sum = ProductSum::new(low_vars, 2, products);
        Self { columns, claims: list, low_vars, high_vars, sum, bound: vec![], folded: false }
    }

    /// One round.
    pub fn round(&mut self, challenge: Option<Fr>) -> Vec<Fr> {
        let challenge = self.take(challenge);
        self.sum.round(challenge)
    }

    /// Notes a challenge; turns to the high variables when the low ones are bound.
    fn take(&mut self, challenge: Option<Fr>) -> Option<Fr> {
        self.bound.extend(challenge);
        if self.folded || self.bound.len() < self.low_vars {
            return challenge;
        }
        self.fold_low();
        None
    }

    fn fold_low(&mut self) {
        self.folded = true;
        let at: Vec<Fr> = self.bound.iter().rev().copied().collect();
        let eq_low = eq_table(&at);
        let size = 1usize << self.high_vars;
        let mut weights = vec![vec![Fr::zero(); size]; self.columns.len()];
        for claim in &self.claims {
            let (high, low) = claim.point.split_at(self.high_vars);
            let same: Fr = low.iter().zip(&at).map(|(a, b)| (*a * b) + (Fr::one() - a) * (Fr::one() - b)).product();
            let eq_high = eq_table(high);
            for (share, column) in claim.shares.iter().zip(&mut weights[claim.first..]) {
                let factor = claim.weight * same * share;
                for (weight, e) in column.iter_mut().zip(&eq_high) {
                    *weight += factor * e;
                }
            }
        }
        let products = self
            .columns
            .par_iter()
            .zip(weights)
            .map(|(column, weights)| {
                let folded = with_column!(column, values => fold_columns(values, eq_low.len(), &eq_low));
                Product { coefficient: Fr::one(), tables: vec![weights, folded] }
            })
            .collect();
        self.sum = ProductSum::new(self.high_vars, 2, products);
    }

    /// The columns' values at `point`, where the sumcheck ended.
    pub fn evaluations(&mut self, point: &[Fr]) -> Vec<Fr> {
        if let Some(challenge) = self.take(point.first().copied()) {
            self.sum.bind(challenge);
        }
        self.sum.values().map(|values| values[1]).collect()
    }
}

/// [`fold_rows`] that skips leading and trailing rows of weight zero: a slot of a column has few rows.
fn fold_some_rows<V: crate::kernels::dot::SmallInt>(values: &[V], width: usize, weights: &[Fr]) -> Vec<Fr> {
    let first = weights.iter().position(|w| !w.is_zero()).unwrap_or(0);
    let end = weights.iter().rposition(|w| !w.is_zero()).map_or(0, |last| last + 1);
    if end <= first {
        return vec![Fr::zero(); width];
    }
    fold_rows(&values[first * width..end * width], width, &weights[first..end])
}
