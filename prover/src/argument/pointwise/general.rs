//! Any pointwise relation, by the same source that verifies it.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, Zero};
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::{Rejection, Strict};
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::program::{Mask, Pointwise};
use rayon::prelude::*;

use crate::kernels::eq::EqPrefixes;
use crate::kernels::tables::bound;
use crate::witness::{Values, Witness, WitnessError};

/// The sum of one relation with its tables.
pub struct GeneralSum<'a> {
    relation: &'a Pointwise,
    weights: Vec<Fr>,
    tensors: Vec<Vec<Fr>>,
    masks: Vec<Vec<Fr>>,
    eq: EqPrefixes,
    vars: usize,
}

fn field_table(values: &Values, repeat: usize) -> Vec<Fr> {
    let spread = |v: Fr| std::iter::repeat_n(v, repeat);
    match values {
        Values::Small(values) => values.par_iter().map(|&v| Fr::from(v)).flat_map_iter(spread).collect(),
        Values::Wide(values) => values.par_iter().map(|&v| Fr::from(v)).flat_map_iter(spread).collect(),
    }
}

/// The entries of a public mask over (row, column).
fn mask_table(mask: Mask, architecture: &Architecture, live: Live, vars: usize, column_vars: usize) -> Vec<Fr> {
    let batch = architecture.row_vars();
    (0..1usize << vars)
        .map(|entry| {
            let (row, column) = (entry >> column_vars, entry & ((1 << column_vars) - 1));
            Fr::from(match mask {
                Mask::Columns(count) => column < count,
                Mask::Rows(count) => row < count,
                Mask::Live => (row & ((1 << batch) - 1)) < architecture.live_rows(live, row >> batch),
            })
        })
        .collect()
}

impl<'a> GeneralSum<'a> {
    /// The sum of `relation`, its parts weighted, at the part of the point that it has variables for.
    ///
    /// # Errors
    /// The witness lacks a tensor.
    pub fn new(
        architecture: &Architecture,
        live: Live,
        relation: &'a Pointwise,
        weights: Vec<Fr>,
        witness: &Witness,
        point: &[Fr],
    ) -> Result<Self, WitnessError> {
        let &Pointwise { vars, column_vars, ref tensors, ref masks, .. } = relation;
        let tensors = tensors
            .iter()
            .map(|&(tensor, per_sample)| {
                let values = witness.tensors.get(&tensor).ok_or(WitnessError::Missing { tensor, vars: None })?;
                Ok(field_table(values, if per_sample { 1 << column_vars } else { 1 }))
            })
            .collect::<Result<_, WitnessError>>()?;
        let masks = masks.iter().map(|mask| mask_table(*mask, architecture, live, vars, column_vars)).collect();
        Ok(Self { relation, weights, tensors, masks, eq: EqPrefixes::new(point), vars })
    }

    /// Sums of `eq · q(0)` and `eq · (leading coefficient of q)`; the value alone when all variables are bound.
    ///
    /// # Errors
    /// The relation does not take these tables.
    pub fn sums(&self) -> Result<[Fr; 2], Rejection> {
        if self.vars == 0 {
            return Ok([self.value(|table| table[0])?, Fr::zero()]);
        }
        let eq = self.eq.first(self.vars - 1);
        let inner = eq.inner.len();
        let half = Fr::from(2).inverse().unwrap_or_default();
        eq.outer
            .par_iter()
            .enumerate()
            .map(|(block, outer)| {
                let mut sums = [Fr::zero(); 2];
                for (j, e) in (block * inner..).zip(eq.inner) {
                    let at_zero = self.value(|table| table[2 * j])?;
                    let at_one = self.value(|table| table[2 * j + 1])?;
                    let at_two = self.value(|table| table[2 * j + 1].double() - table[2 * j])?;
                    sums[0] += *e * at_zero;
                    sums[1] += *e * (at_two - at_one.double() + at_zero);
                }
                Ok([*outer * sums[0], *outer * half * sums[1]])
            })
            .try_reduce(|| [Fr::zero(); 2], |a, b| Ok([a[0] + b[0], a[1] + b[1]]))
    }

    /// The weighted sum of the relation's values, where `at` reads each table.
    fn value(&self, at: impl Fn(&[Fr]) -> Fr) -> Result<Fr, Rejection> {
        let tensors: Vec<Fr> = self.tensors.iter().map(|table| at(table)).collect();
        let masks: Vec<Fr> = self.masks.iter().map(|table| at(table)).collect();
        let values = self.relation.formula.values(&mut Native { judge: Strict }, &tensors, &masks)?;
        Ok(values.iter().zip(&self.weights).map(|(value, weight)| *value * weight).sum())
    }

    /// Binds the lowest variable that is left, if any is.
    pub fn bind(&mut self, r: Fr) {
        if self.vars > 0 {
            self.vars -= 1;
            for table in self.tensors.iter_mut().chain(&mut self.masks) {
                *table = bound(table, r);
            }
        }
    }

    /// The tensors' values when all variables are bound.
    pub fn values(&self) -> Vec<Fr> {
        self.tensors.iter().map(|table| table.first().copied().unwrap_or_default()).collect()
    }
}
