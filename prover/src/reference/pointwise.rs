//! The pointwise relations: every tensor and mask as a table over all variables, every relation by its verifier's formula.

use ark_bn254::Fr;
use ark_ff::Field;
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::{Rejection, Strict};
use gradproof_circuits::program::{LiveBits, Pointwise as Relation, Publics};
use gradproof_circuits::relations::Relations;

use super::cube;
use super::sumcheck::Sumcheck;
use crate::witness::Witness;

/// The running sumcheck.
pub struct Pointwise<'a> {
    sum: Sumcheck<'a>,
    /// Which tables are tensors.
    tensors: Vec<bool>,
}

impl<'a> Pointwise<'a> {
    /// `Σ_z eq(point, z)·Σ_k combine^k·relation_k(z)`; a relation of fewer variables has the lowest of them.
    ///
    /// # Errors
    /// The live counts are out of range.
    pub fn new(
        relations: &'a Relations,
        publics: &Publics<Fr>,
        witness: &Witness,
        point: &[Fr],
        combine: Fr,
    ) -> Result<Self, Rejection> {
        let (batch, vars) = (relations.architecture.batch(), relations.architecture.vars());
        let native = &mut Native { judge: Strict };
        let live = LiveBits::new(native, vars, publics)?;
        let size = 1usize << point.len();
        let (mut tables, mut tensors, mut counts) = (vec![], vec![], vec![]);
        for relation in &relations.pointwise {
            let &Relation { vars, column_vars, tensors: ref own_tensors, ref masks, .. } = relation;
            counts.push((own_tensors.len(), masks.len()));
            let own = |z: usize| z % (1 << vars);
            for &(tensor, per_sample) in own_tensors {
                let values = cube::tensor(witness, tensor, if per_sample { vars - column_vars } else { vars });
                let entry = |z: usize| if per_sample { own(z) >> column_vars } else { own(z) };
                tables.push((0..size).map(|z| values[entry(z)]).collect());
                tensors.push(true);
            }
            for mask in masks {
                let mut at = |z: usize| {
                    let corner = cube::corner(own(z), vars);
                    mask.evaluate(native, batch, &live, &corner, column_vars)
                };
                tables.push((0..size).map(&mut at).collect());
                tensors.push(false);
            }
        }
        let sum = Sumcheck::with_eq(tables, point, move |row| {
            let (mut sum, mut power, mut rest) = (Fr::from(0), 0, row);
            for (relation, (tensors, masks)) in relations.pointwise.iter().zip(&counts) {
                let (own, after) = rest.split_at(tensors + masks);
                let (tensors, masks) = own.split_at(*tensors);
                // As many as its shape says, so that there are values.
                let values = relation.formula.values(&mut Native { judge: Strict }, tensors, masks);
                for value in values.into_iter().flatten() {
                    sum += combine.pow([power]) * value;
                    power += 1;
                }
                rest = after;
            }
            sum
        });
        Ok(Self { sum, tensors })
    }

    /// What is claimed.
    pub fn total(&self) -> Fr {
        self.sum.total()
    }

    /// One round.
    pub fn round(&mut self, challenge: Option<Fr>) -> Vec<Fr> {
        self.sum.round(challenge)
    }

    /// The tensors' values after the last challenge, which is none where there are no variables.
    pub fn evaluations(&mut self, challenge: Option<Fr>) -> Vec<Fr> {
        if let Some(challenge) = challenge {
            self.sum.bind(challenge);
        }
        self.sum
            .values()
            .into_iter()
            .zip(&self.tensors)
            .filter(|(_, tensor)| **tensor)
            .map(|(value, _)| value)
            .collect()
    }
}
