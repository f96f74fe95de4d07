//! The sumcheck over the relations that hold entry by entry.

use ark_bn254::Fr;

use super::lookup::LookedUp;
use super::part::{at, head, tail};
use super::state::Argument;
use super::sumcheck::eq_sumcheck;
use super::transcript::{Ask, Party};
use crate::field::algebra::Algebra;
use crate::field::check::{Check, Rejection};
use crate::field::multilinear::powers;
use crate::program::{Pointwise, Tensor};

/// A claim that the pointwise relations leave on a sum.
pub(super) struct OperandClaim<E> {
    /// The operand that is the sum.
    pub tensor: Tensor,
    /// Where, over (step, row, column).
    pub point: Vec<E>,
    /// Its value there.
    pub value: E,
}

impl<A: Algebra, P: Party<A>> Argument<'_, '_, A, P> {
    /// The relations that hold entry by entry, at the leaf point, in one sumcheck. Leaves claims on their tensors, and on sums.
    pub(super) fn pointwise(
        &mut self,
        looked_up: &LookedUp<A::Element>,
    ) -> Result<Vec<OperandClaim<A::Element>>, A::Error> {
        let relations = self.relations;
        let batch = relations.architecture.batch();
        let count = relations.pointwise.iter().map(|relation| relation.formula.count()).sum();
        let vars = relations.pointwise.iter().map(|relation| relation.vars).max().unwrap_or(0);
        // A relation that is zero everywhere may have more variables than the tree: labels of many classes.
        let missing = vars.saturating_sub(looked_up.point.len());
        let mut point: Vec<_> = (0..missing).map(|_| self.channel.challenge()).collect();
        point.extend_from_slice(looked_up.suffix(vars - missing)?);
        let combine = self.channel.challenge();
        let weights = powers(self.channel.algebra, &combine, count);
        let mut claim = self.channel.algebra.constant(Fr::from(0));
        let mut first = 0;
        for relation in &relations.pointwise {
            if let Some(rounding) = &relation.rounding {
                let value = self.unrounded(looked_up, rounding)?;
                claim = self.channel.algebra.mul_add(at(&weights, first)?, &value, &claim);
            }
            first += relation.formula.count();
        }
        self.channel.ask(Ask::Pointwise { point: &point, combine: &combine }, 0)?;
        let (end, claim) = eq_sumcheck(&mut self.channel, &point, claim)?;

        let total = relations.pointwise.iter().map(|relation| relation.tensors.len()).sum();
        let mut values = self.channel.ask(Ask::PointwiseEvaluations { point: &end }, total)?.into_iter();
        let mut weights = weights.iter();
        let mut rest = claim;
        let mut operands = Vec::new();
        for Pointwise { vars, column_vars, tensors, masks, formula, .. } in &relations.pointwise {
            let own = tail(&end, *vars)?;
            let values: Vec<_> = values.by_ref().take(tensors.len()).collect();
            let masks: Vec<_> = masks
                .iter()
                .map(|mask| mask.evaluate(self.channel.algebra, batch, &self.live, own, *column_vars))
                .collect();
            for value in formula.values(self.channel.algebra, &values, &masks)? {
                let weight = weights.next().ok_or(Rejection { check: Check::Length })?;
                let term = self.channel.algebra.mul(weight, &value);
                rest = self.channel.algebra.sub(&rest, &term);
            }
            for ((tensor, per_sample), value) in tensors.iter().zip(&values) {
                if relations.is_sum(*tensor) {
                    operands.push(OperandClaim { tensor: *tensor, point: own.to_vec(), value: value.clone() });
                } else {
                    let point = if *per_sample { head(own, vars - column_vars)? } else { own };
                    self.claim(*tensor, point, value);
                }
            }
        }
        self.channel.algebra.require_zero(Check::Pointwise, &rest)?;
        Ok(operands)
    }
}
