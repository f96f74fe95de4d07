//! The sumcheck over the products.

use ark_bn254::Fr;

use super::lookup::LookedUp;
use super::part::{at, head, split, tail};
use super::pointwise::OperandClaim;
use super::state::Argument;
use super::sumcheck::plain_sumcheck;
use super::transcript::{Ask, Party};
use crate::field::algebra::Algebra;
use crate::field::check::{Check, Rejection};
use crate::field::multilinear::{eq, power_of_two, powers};
use crate::program::{Addend, At, Claimed, Contraction, Reader, Sum};

/// A claim on a [`Sum`], its point in parts.
struct SumClaim<'r, E> {
    sum: &'r Sum,
    step: Vec<E>,
    row: Vec<E>,
    column: Vec<E>,
    value: E,
}

/// What the products leave: values of parameters at steps, and the points where their indices are read.
pub(super) struct Products<E> {
    /// Step and value of each reading of the schedule.
    pub reads: Vec<(Vec<E>, E)>,
    columns: Vec<Vec<E>>,
    inner: Vec<Vec<E>>,
}

impl<E> Products<E> {
    /// The part of a point that an index is read at.
    ///
    /// # Errors
    /// There is none.
    pub fn point(&self, place: At) -> Result<&[E], Rejection> {
        Ok(match place {
            At::Column(sum) => at(&self.columns, sum)?,
            At::Inner(product) => at(&self.inner, product)?,
        })
    }
}

impl<'r, A: Algebra, P: Party<A>> Argument<'_, 'r, A, P> {
    /// All contractions, of sums that are claimed at the leaf point and of those that the pointwise relations left, in one
    /// sumcheck over (step, inner index):
    ///
    /// ```text
    /// Ũ(τ,β,ρ) - addends = Σ 2^exponent·eq(τ,t)·X̃(t,β,n)·W̃(t,n,ρ)
    /// ```
    pub(super) fn products(
        &mut self,
        looked_up: &LookedUp<A::Element>,
        operands: &[OperandClaim<A::Element>],
    ) -> Result<Products<A::Element>, A::Error> {
        let relations = self.relations;
        let schedule = &relations.schedule;
        let architecture = &relations.architecture;
        let steps = architecture.step_vars();
        let addends = self.channel.ask(Ask::AddendEvaluations { point: &looked_up.point }, schedule.addends.len())?;
        let sums = self.sums(looked_up, operands, &addends)?;

        let vars =
            steps + relations.sums.iter().flat_map(|sum| &sum.contractions).map(|c| c.inner_vars).max().unwrap_or(0);
        let combine = self.channel.challenge();
        let weights = powers(self.channel.algebra, &combine, sums.len());
        let mut claim = self.channel.algebra.constant(Fr::from(0));
        for (weight, claimed) in weights.iter().zip(&sums) {
            claim = self.channel.algebra.mul_add(weight, &claimed.value, &claim);
        }
        self.channel.ask(Ask::Product { combine: &combine }, 0)?;
        let (end, claim) = plain_sumcheck(&mut self.channel, vars, 3, claim)?;

        let values = self.channel.ask(Ask::ProductEvaluations { point: &end }, 2 * schedule.products.len())?;
        let mut rest = claim;
        let (mut inner, mut parameters) = (Vec::new(), Vec::new());
        for (product, [factor_value, parameter_value]) in schedule.products.iter().zip(values.as_chunks().0) {
            let SumClaim { sum, step: own_step, row, .. } = at(&sums, product.sum)?;
            let Contraction { factor, inner_vars, exponent, .. } = at(&sum.contractions, product.index)?;
            let (step, index) = split(tail(&end, steps + inner_vars)?, steps)?;
            let same = eq(self.channel.algebra, own_step, step);
            // The sum does not depend on the variables that this product lacks.
            let scale = i64::from(*exponent) + (steps + inner_vars) as i64 - vars as i64;
            let weight = self.channel.algebra.scale(at(&weights, product.sum)?, power_of_two(scale));
            let term = self.channel.algebra.mul(&same, factor_value);
            let term = self.channel.algebra.mul(&term, parameter_value);
            let term = self.channel.algebra.mul(&term, &weight);
            rest = self.channel.algebra.sub(&rest, &term);
            self.claim_form(factor, &[step, row, index].concat(), factor_value);
            inner.push(index.to_vec());
            parameters.push((step.to_vec(), parameter_value.clone()));
        }
        self.channel.algebra.require_zero(Check::Product, &rest)?;

        let mut reads = Vec::new();
        for read in &schedule.reads {
            reads.push(match read.reader {
                Reader::Product(product) => at(&parameters, product)?.clone(),
                Reader::Addend { index, sum } => (at(&sums, sum)?.step.clone(), at(&addends, index)?.clone()),
            });
        }
        Ok(Products { reads, columns: sums.into_iter().map(|claimed| claimed.column).collect(), inner })
    }

    /// The claims on all sums, less what is added to their products.
    fn sums(
        &mut self,
        looked_up: &LookedUp<A::Element>,
        operands: &[OperandClaim<A::Element>],
        addends: &[A::Element],
    ) -> Result<Vec<SumClaim<'r, A::Element>>, Rejection> {
        let relations = self.relations;
        let architecture = &relations.architecture;
        let (steps, samples) = (architecture.step_vars(), architecture.sample_vars());
        let mut addends = addends.iter();
        let mut sums = Vec::new();
        for sum in &relations.sums {
            let (point, mut value) = match &sum.claimed {
                Claimed::Rounded(rounding) => {
                    let value = self.unrounded(looked_up, rounding)?;
                    (looked_up.suffix(samples + sum.column_vars())?, value)
                }
                Claimed::Operand => {
                    let claimed = operands.iter().find(|claimed| claimed.tensor == sum.tensor);
                    let claimed = claimed.ok_or(Rejection { check: Check::Length })?;
                    (&claimed.point[..], claimed.value.clone())
                }
            };
            let (sample, column) = split(point, samples)?;
            for (addend, exponent) in &sum.addends {
                let evaluation = addends.next().ok_or(Rejection { check: Check::Length })?;
                if let Addend::Form(form) = addend {
                    self.claim_form(form, point, evaluation);
                }
                let scaled = self.channel.algebra.scale(evaluation, power_of_two(i64::from(*exponent)));
                value = self.channel.algebra.sub(&value, &scaled);
            }
            let (step, row) = (head(sample, steps)?.to_vec(), split(sample, steps)?.1.to_vec());
            sums.push(SumClaim { sum, step, row, column: column.to_vec(), value });
        }
        Ok(sums)
    }
}
