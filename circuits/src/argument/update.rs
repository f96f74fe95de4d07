//! The sumcheck over the updates of the parameters.

use ark_bn254::Fr;

use super::contraction::Products;
use super::part::{at, head};
use super::state::Argument;
use super::sumcheck::plain_sumcheck;
use super::transcript::{Ask, Party};
use crate::field::algebra::Algebra;
use crate::field::check::{Check, Rejection};
use crate::field::multilinear::{less_than, power_of_two, powers};

impl<A: Algebra, P: Party<A>> Argument<'_, '_, A, P> {
    /// Parameters at any step, and after the last one, from the first ones and the updates, in one sumcheck over (step, row),
    /// `s < t` extended by `LT`:
    ///
    /// ```text
    /// W̃(t,i,j)    = W̃_first(i,j) - c·Σ LT(s,t)·2^exponent·L̃(s,r,i)·R̃(s,r,j)
    /// W̃_last(i,j) = W̃_first(i,j) - c·Σ         2^exponent·L̃(s,r,i)·R̃(s,r,j)
    /// ```
    pub(super) fn weights(&mut self, products: &Products<A::Element>, rate: &A::Element) -> Result<(), A::Error> {
        let relations = self.relations;
        let schedule = &relations.schedule;
        let architecture = &relations.architecture;
        let asked = schedule.parameter_evaluations();
        let mut values = self.channel.ask(Ask::ParameterEvaluations, asked)?.into_iter();
        // As many as the schedule asks for.
        let mut next = || values.next().ok_or(Rejection { check: Check::Length });

        // The differences that the sums explain, in the order of their weights.
        let mut differences = Vec::new();
        for (read, (_, value)) in schedule.reads.iter().zip(&products.reads) {
            let row = read.row.map_or(Ok(&[][..]), |place| products.point(place))?;
            let point = [row, products.point(read.column)?].concat();
            let [first_tensor, last_tensor] = at(&relations.parameters, read.parameter)?.ends;
            let first = next()?;
            self.claim(first_tensor, &point, &first);
            differences.push(self.channel.algebra.sub(&first, value));
            if read.first {
                let last = next()?;
                self.claim(last_tensor, &point, &last);
                differences.push(self.channel.algebra.sub(&first, &last));
            }
        }
        let combine = self.channel.challenge();
        let weights = powers(self.channel.algebra, &combine, differences.len());
        let mut claim = self.channel.algebra.constant(Fr::from(0));
        for (weight, difference) in weights.iter().zip(&differences) {
            claim = self.channel.algebra.mul_add(weight, difference, &claim);
        }
        self.channel.ask(Ask::Weight { combine: &combine }, 0)?;
        let (end, claim) = plain_sumcheck(&mut self.channel, architecture.sample_vars(), 3, claim)?;

        let values = self.channel.ask(Ask::WeightEvaluations { point: &end }, schedule.factors.len())?;
        let mut weights = weights.into_iter();
        let at_step = head(&end, architecture.step_vars())?;
        // What each reading's updates are weighted by, as far as it is known.
        let mut shares: Vec<A::Element> = Vec::new();
        let mut sum = self.channel.algebra.constant(Fr::from(0));
        for group in &schedule.groups {
            let algebra = &mut *self.channel.algebra;
            for term in &group.terms {
                while shares.len() <= term.read {
                    let read = at(&schedule.reads, shares.len())?;
                    let (step, _) = at(&products.reads, shares.len())?;
                    let mut next = || weights.next().ok_or(Rejection { check: Check::Length });
                    let before = less_than(algebra, at_step, step);
                    let mut share = algebra.mul(&next()?, &before);
                    if read.first {
                        share = algebra.add(&share, &next()?);
                    }
                    shares.push(share);
                }
            }
            let mut factor: Option<A::Element> = None;
            for term in &group.terms {
                let mut part = at(&shares, term.read)?.clone();
                if term.exponent > 0 {
                    part = algebra.scale(&part, power_of_two(i64::from(term.exponent)));
                }
                if let Some(left) = term.left {
                    part = algebra.mul(&part, at(&values, left)?);
                }
                factor = Some(match factor {
                    Some(factor) => algebra.add(&factor, &part),
                    None => part,
                });
            }
            let factor = factor.ok_or(Rejection { check: Check::Length })?;
            sum = algebra.mul_add(&factor, at(&values, group.right)?, &sum);
        }
        for (factor, value) in schedule.factors.iter().zip(&values) {
            self.claim_form(&factor.form, &[&end[..], products.point(factor.at)?].concat(), value);
        }
        let explained = self.channel.algebra.mul(&sum, rate);
        let rest = self.channel.algebra.sub(&claim, &explained);
        self.channel.algebra.require_zero(Check::Weight, &rest)
    }
}
