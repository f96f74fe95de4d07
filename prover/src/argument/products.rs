//! The prover of the products and of the updates that tie the parameters together.
//!
//! No table has more than `T · d` or `T · B` entries: a parameter at a step is followed through a vector at a time, in
//! `O(B·(d_in + d_out))` a step, whatever the number of parameters.
//!
//! # Paper
//! Thaler, *Proofs, Arguments, and Zero-Knowledge*, section 4.4; how the weights are left out: `docs/protocol.md`, The argument, 4 and 5.

use std::borrow::Cow;

use ark_bn254::Fr;
use ark_ff::One;
use gradproof_circuits::field::check::{Check, Rejection};
use gradproof_circuits::field::multilinear::power_of_two;
use gradproof_circuits::program::{Addend, At, Claimed, Contraction, Form, Parameter, Reader, Schedule, Sum, Update};
use gradproof_circuits::relations::Relations;
use rayon::prelude::*;

use crate::kernels::dot::{dot, fold_columns, fold_rows};
use crate::kernels::eq::eq_table;
use crate::kernels::sums::{Product, ProductSum};
use crate::witness::Witness;

/// Where a sum is claimed.
struct Point {
    step: Vec<Fr>,
    row: Vec<Fr>,
    /// `eq` of the column's part.
    column: Vec<Fr>,
}

/// A contraction whose sumcheck is run.
struct Matrix<'a> {
    sum: usize,
    contraction: &'a Contraction,
    /// `X̃(t, β, ·)`, step by step.
    factor: Vec<Fr>,
    /// `W̃(t, ·, ρ)`, step by step.
    weights: Vec<Fr>,
    /// The fixed side of the parameter at the first step.
    first: Vec<Fr>,
    /// After the products: the step, and `eq` of the inner index.
    end: (Vec<Fr>, Vec<Fr>),
}

/// The state of the prover through both sumchecks.
pub struct ProductProver<'a> {
    relations: &'a Relations,
    witness: &'a Witness,
    rate: Fr,
    points: Vec<Point>,
    /// Folds of the factors that are read at a column, by their place in the schedule.
    folds: Vec<Option<Vec<Fr>>>,
    matrices: Vec<Matrix<'a>>,
    sum: Option<ProductSum>,
    /// Where each factor of the updates stands in the running sumcheck: product and table.
    places: Vec<(usize, usize)>,
}

impl<'a> ProductProver<'a> {
    /// Evaluates what the products need: sums at the leaf point, or where the pointwise sumcheck ended.
    ///
    /// # Errors
    /// The witness lacks a tensor.
    pub fn new(
        relations: &'a Relations,
        witness: &'a Witness,
        rate: Fr,
        leaf: &[Fr],
        pointwise: &[Fr],
    ) -> Result<Self, Rejection> {
        let architecture = &relations.architecture;
        let point = |sum: &Sum| {
            let whole = if let Claimed::Rounded(_) = sum.claimed { leaf } else { pointwise };
            let own = &whole[whole.len() - architecture.sample_vars() - sum.column_vars()..];
            let (sample, column) = own.split_at(architecture.sample_vars());
            let (step, row) = sample.split_at(architecture.step_vars());
            Point { step: step.to_vec(), row: row.to_vec(), column: eq_table(column) }
        };
        let points: Vec<Point> = relations.sums.iter().map(point).collect();
        let fold = |place: At, form: &Form| match place {
            At::Column(sum) => folded(witness, form, &points[sum].column).map(Some),
            At::Inner(_) => Ok(None),
        };
        let factors = &relations.schedule.factors;
        let folds = factors.iter().map(|factor| fold(factor.at, &factor.form)).collect::<Result<_, _>>()?;
        let mut prover = Self { relations, witness, rate, points, folds, matrices: vec![], sum: None, places: vec![] };
        let products = &relations.schedule.products;
        prover.matrices =
            products.iter().map(|product| prover.matrix(product.sum, product.index)).collect::<Result<_, _>>()?;
        Ok(prover)
    }

    fn schedule(&self) -> &'a Schedule {
        &self.relations.schedule
    }

    fn parameter(&self, index: usize) -> &'a Parameter {
        &self.relations.parameters[index]
    }

    fn matrix(&self, sum: usize, index: usize) -> Result<Matrix<'a>, Rejection> {
        let contraction = &self.relations.sums[sum].contractions[index];
        let Contraction { factor, inner_vars, parameter, transposed, .. } = contraction;
        let point = &self.points[sum];
        let outer = &point.column;
        let parameter = self.parameter(*parameter);
        let values = self.witness.wide(parameter.ends[0])?;
        let width = 1 << inner_vars;
        let first =
            if *transposed { fold_rows(values, width, outer) } else { fold_columns(values, outer.len(), outer) };
        let weights = self.follow(&first, sum, parameter, *transposed)?;
        let eq = eq_table(&point.row);
        let factor = by_step(self.witness, factor, width, &eq)?;
        Ok(Matrix { sum, contraction, factor, weights, first, end: Default::default() })
    }

    /// The fold of an update's factor at the column of a sum.
    fn fold(&self, form: &Form, sum: usize) -> Result<&[Fr], Rejection> {
        let factors = self.schedule().factors.iter().zip(&self.folds);
        let mut known = factors.filter(|(factor, _)| factor.at == At::Column(sum) && factor.form == *form);
        // The schedule has every factor of every update that a sum reads.
        known.next().and_then(|(_, fold)| fold.as_deref()).ok_or(Rejection { check: Check::Length })
    }

    /// The vector `first` before each step, with `rate · Σ_r (fold of the one factor)(t, r) · (the other)(t, r, ·)` of every
    /// update taken off after step `t`.
    fn follow(&self, first: &[Fr], sum: usize, parameter: &Parameter, transposed: bool) -> Result<Vec<Fr>, Rejection> {
        let batch = self.relations.architecture.padded_batch();
        let width = first.len();
        let mut changes = vec![vec![]; self.relations.architecture.steps()];
        for Update { left, right, exponent } in &parameter.updates {
            let Some(left) = left else { continue };
            let (fixed, free) = if transposed { (left, right) } else { (right, left) };
            let samples = self.fold(fixed, sum)?;
            let scale = power_of_two(i64::from(*exponent));
            for &(tensor, factor, _) in &free.terms {
                let factor = scale * Fr::from(factor);
                let part: Vec<Vec<Fr>> = self
                    .witness
                    .small(tensor)?
                    .par_chunks(batch * width)
                    .zip(samples.par_chunks(batch))
                    .map(|(values, weights)| scaled(fold_rows(values, width, weights), factor))
                    .collect();
                for (sum, part) in changes.iter_mut().zip(part) {
                    add(sum, part);
                }
            }
        }
        let mut current = first.to_vec();
        let mut all = Vec::with_capacity(changes.len() * width);
        for change in &changes {
            all.extend_from_slice(&current);
            for (value, change) in current.iter_mut().zip(change) {
                *value -= self.rate * change;
            }
        }
        Ok(all)
    }

    /// `LT(s, step)` for every sample `(s, r)`.
    fn before(&self, step: &[Fr]) -> Vec<Fr> {
        let eq = eq_table(step);
        let mut after = Fr::one();
        let batch = self.relations.architecture.padded_batch();
        eq.iter()
            .flat_map(|e| {
                after -= e;
                std::iter::repeat_n(after, batch)
            })
            .collect()
    }

    /// What is added to products, each where its sum is claimed.
    ///
    /// # Errors
    /// The witness lacks a tensor.
    pub fn addends(&self) -> Result<Vec<Fr>, Rejection> {
        let evaluation = |&(sum, index): &(usize, usize)| {
            let point = &self.points[sum];
            match &self.relations.sums[sum].addends[index].0 {
                Addend::Parameter(parameter) => self.vector(self.parameter(*parameter), sum),
                Addend::Form(form) => {
                    let rows = folded(self.witness, form, &point.column)?;
                    let eq = eq_table(&[&point.step[..], &point.row].concat());
                    Ok(rows.iter().zip(&eq).map(|(value, e)| *value * e).sum())
                }
            }
        };
        self.schedule().addends.iter().map(evaluation).collect()
    }

    /// A parameter of one row at the step of a sum, from its first value and its updates.
    fn vector(&self, parameter: &Parameter, sum: usize) -> Result<Fr, Rejection> {
        let point = &self.points[sum];
        let mut value = dot(&point.column, self.witness.wide(parameter.ends[0])?);
        let before = self.before(&point.step);
        for update in &parameter.updates {
            let samples = self.fold(&update.right, sum)?;
            let change: Fr = before.iter().zip(samples.iter()).map(|(b, g)| *b * g).sum();
            value -= self.rate * power_of_two(i64::from(update.exponent)) * change;
        }
        Ok(value)
    }

    /// Begins the sumcheck over the products.
    pub fn begin_products(&mut self, combine: Fr) {
        let powers: Vec<Fr> =
            std::iter::successors(Some(Fr::one()), |power| Some(*power * combine)).take(self.points.len()).collect();
        let mut products = Vec::new();
        for matrix in &self.matrices {
            let width = matrix.first.len();
            let eq = eq_table(&self.points[matrix.sum].step);
            let eq = eq.into_iter().flat_map(|e| std::iter::repeat_n(e, width)).collect();
            let coefficient = powers[matrix.sum] * power_of_two(i64::from(matrix.contraction.exponent));
            products.push(Product { coefficient, tables: vec![eq, matrix.factor.clone(), matrix.weights.clone()] });
        }
        let inner = self.matrices.iter().map(|matrix| matrix.contraction.inner_vars).max().unwrap_or(0);
        self.sum = Some(ProductSum::new(self.relations.architecture.step_vars() + inner, 3, products));
    }

    /// One round of the running sumcheck.
    pub fn round(&mut self, challenge: Option<Fr>) -> Vec<Fr> {
        self.sum.as_mut().map(|sum| sum.round(challenge)).unwrap_or_default()
    }

    /// Both factors of every product where the sumcheck ended.
    pub fn product_evaluations(&mut self, point: &[Fr]) -> Vec<Fr> {
        let Some(sum) = self.finished(point) else { return vec![] };
        let steps = self.relations.architecture.step_vars();
        for matrix in &mut self.matrices {
            let at = &point[point.len() - matrix.contraction.inner_vars - steps..];
            let (step, index) = at.split_at(steps);
            matrix.end = (step.to_vec(), eq_table(index));
        }
        sum.values().flat_map(|values| values.into_iter().skip(1)).collect()
    }

    /// Takes the running sumcheck with its last challenge bound.
    fn finished(&mut self, point: &[Fr]) -> Option<ProductSum> {
        let mut sum = self.sum.take()?;
        if let Some(challenge) = point.first() {
            sum.bind(*challenge);
        }
        Some(sum)
    }

    /// First and last parameters where they were read, as the argument asks for them.
    ///
    /// # Errors
    /// The witness lacks one of them.
    pub fn parameters(&self) -> Result<Vec<Fr>, Rejection> {
        let mut values = Vec::new();
        for read in &self.schedule().reads {
            let ends = self.parameter(read.parameter).ends;
            let [first, last] = [self.witness.wide(ends[0])?, self.witness.wide(ends[1])?];
            match read.reader {
                Reader::Product(product) => {
                    let matrix = &self.matrices[product];
                    let eq = &matrix.end.1;
                    let at = |line: &[Fr]| line.iter().zip(eq).map(|(w, e)| *w * e).sum();
                    values.push(at(&matrix.first));
                    if read.first {
                        let outer = &self.points[matrix.sum].column;
                        let line = if matrix.contraction.transposed {
                            fold_rows(last, eq.len(), outer)
                        } else {
                            fold_columns(last, outer.len(), outer)
                        };
                        values.push(at(&line));
                    }
                }
                Reader::Addend { sum, .. } => {
                    let column = &self.points[sum].column;
                    values.push(dot(column, first));
                    if read.first {
                        values.push(dot(column, last));
                    }
                }
            }
        }
        Ok(values)
    }

    /// Begins the sumcheck over the updates.
    ///
    /// # Errors
    /// The witness lacks a tensor.
    pub fn begin_weights(&mut self, combine: Fr) -> Result<(), Rejection> {
        let mut powers = std::iter::successors(Some(Fr::one()), |power| Some(*power * combine));
        let mut next = || powers.next().unwrap_or_default();
        let schedule = self.schedule();
        let mut shares: Vec<Vec<Fr>> = Vec::with_capacity(schedule.reads.len());
        for read in &schedule.reads {
            let step = match read.reader {
                Reader::Product(product) => &self.matrices[product].end.0,
                Reader::Addend { sum, .. } => &self.points[sum].step,
            };
            let weight = next();
            let whole = read.first.then(&mut next).unwrap_or_default();
            shares.push(self.before(step).iter().map(|before| weight * before + whole).collect());
        }
        let tables: Vec<Cow<'_, [Fr]>> = schedule
            .factors
            .iter()
            .zip(&self.folds)
            .map(|(factor, fold)| match factor.at {
                At::Inner(product) => folded(self.witness, &factor.form, &self.matrices[product].end.1).map(Cow::Owned),
                At::Column(_) => fold.as_deref().map(Cow::Borrowed).ok_or(Rejection { check: Check::Length }),
            })
            .collect::<Result<_, Rejection>>()?;
        let mut products = Vec::new();
        let mut places = vec![None; schedule.factors.len()];
        for group in &schedule.groups {
            for term in &group.terms {
                let coefficient = self.rate * power_of_two(i64::from(term.exponent));
                let factors: Vec<usize> = term.left.into_iter().chain([group.right]).collect();
                for (table, factor) in factors.iter().enumerate() {
                    places[*factor].get_or_insert((products.len(), table));
                }
                let own = factors.iter().map(|factor| tables[*factor].to_vec());
                products.push(Product { coefficient, tables: own.chain([shares[term.read].clone()]).collect() });
            }
        }
        self.places = places.into_iter().flatten().collect();
        self.sum = Some(ProductSum::new(self.relations.architecture.sample_vars(), 3, products));
        Ok(())
    }

    /// The factors of the updates where the sumcheck ended.
    pub fn weight_evaluations(&mut self, point: &[Fr]) -> Vec<Fr> {
        let Some(sum) = self.finished(point) else { return vec![] };
        let values: Vec<Vec<Fr>> = sum.values().collect();
        self.places.iter().map(|&(product, table)| values[product][table]).collect()
    }
}

fn scaled(mut values: Vec<Fr>, factor: Fr) -> Vec<Fr> {
    if !factor.is_one() {
        values.iter_mut().for_each(|value| *value *= factor);
    }
    values
}

/// Adds `part` to `sum`, which is empty at first.
fn add(sum: &mut Vec<Fr>, part: Vec<Fr>) {
    if sum.is_empty() {
        *sum = part;
    } else {
        sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
}

/// `Σ_n weights(n)·form(sample, n)` for every sample. Forms that are factors have no constant.
fn folded(witness: &Witness, form: &Form, weights: &[Fr]) -> Result<Vec<Fr>, Rejection> {
    let mut sum = Vec::new();
    for &(tensor, factor, _) in &form.terms {
        let part = fold_columns(witness.small(tensor)?, weights.len(), weights);
        add(&mut sum, scaled(part, Fr::from(factor)));
    }
    Ok(sum)
}

/// `Σ_r eq(r)·form(step, r, ·)`, a row of `width` a step.
fn by_step(witness: &Witness, form: &Form, width: usize, eq: &[Fr]) -> Result<Vec<Fr>, Rejection> {
    let mut sum = Vec::new();
    for &(tensor, factor, _) in &form.terms {
        let steps = witness.small(tensor)?.par_chunks(eq.len() * width);
        let part = steps.flat_map_iter(|step| fold_rows(step, width, eq)).collect();
        add(&mut sum, scaled(part, Fr::from(factor)));
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::Zero;

    #[test]
    fn less_than_is_one_minus_the_running_sum_of_eq() {
        // Σ_t [s < t]·eq(t, step) = 1 - Σ_{t ≤ s} eq(t, step).
        let step: Vec<Fr> = (5..8u64).map(Fr::from).collect();
        let eq = eq_table(&step);
        let mut after = Fr::one();
        for (s, e) in eq.iter().enumerate() {
            after -= e;
            let sum: Fr = eq.iter().skip(s + 1).sum();
            assert_eq!(after, sum);
        }
        assert!(after.is_zero());
    }
}
