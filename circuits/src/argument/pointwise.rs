//! The sumcheck over the relations that hold entry by entry.

use ark_bn254::Fr;

use super::contraction::ProductClaim;
use super::lookup::LookedUp;
use super::part::{at, head, tail};
use super::state::Argument;
use super::sumcheck::eq_sumcheck;
use super::transcript::{Ask, Party};
use crate::field::algebra::Algebra;
use crate::field::check::{Check, Rejection};
use crate::field::multilinear::powers;
use crate::relations::{Pointwise, PointwiseShape, Tensor};

impl<A: Algebra, P: Party<A>> Argument<'_, '_, A, P> {
    /// The relations that hold entry by entry, at the leaf point, in one sumcheck. Leaves claims on their tensors, and on the
    /// backward products.
    pub(super) fn pointwise(
        &mut self,
        looked_up: &LookedUp<A::Element>,
    ) -> Result<Vec<ProductClaim<A::Element>>, A::Error> {
        let relations = self.relations;
        let architecture = &relations.architecture;
        let shapes: Vec<_> = relations.pointwise.iter().map(|relation| relation.shape(architecture)).collect();
        let count = shapes.iter().map(|shape| shape.count).sum();
        let vars = shapes.iter().map(|shape| shape.vars).max().unwrap_or(0);
        // A relation that is zero everywhere may have more variables than the tree: labels of many classes.
        let missing = vars.saturating_sub(looked_up.point.len());
        let mut point: Vec<_> = (0..missing).map(|_| self.channel.challenge()).collect();
        point.extend_from_slice(looked_up.suffix(vars - missing)?);
        let combine = self.channel.challenge();
        let weights = powers(self.channel.algebra, &combine, count);
        let mut claim = self.channel.algebra.constant(Fr::from(0));
        let mut first = 0;
        for (relation, shape) in relations.pointwise.iter().zip(&shapes) {
            if let Pointwise::MaskedProduct(l) = relation {
                let gradient = self.evaluation(looked_up, Tensor::Gradient(*l))?;
                let value = self.unrounded(looked_up, &gradient, |i| Tensor::BackwardLimb(*l, i))?;
                claim = self.channel.algebra.mul_add(at(&weights, first)?, &value, &claim);
            }
            first += shape.count;
        }
        self.channel.ask(Ask::Pointwise { point: &point, combine: &combine }, 0)?;
        let (end, claim) = eq_sumcheck(&mut self.channel, &point, claim)?;

        let total = shapes.iter().map(|shape| shape.tensors.len()).sum();
        let mut values = self.channel.ask(Ask::PointwiseEvaluations { point: &end }, total)?.into_iter();
        let mut weights = weights.iter();
        let mut rest = claim;
        let mut products = Vec::new();
        for (relation, shape) in relations.pointwise.iter().zip(&shapes) {
            let PointwiseShape { vars, column_vars, tensors, masks, .. } = shape;
            let own = tail(&end, *vars)?;
            let values: Vec<_> = values.by_ref().take(tensors.len()).collect();
            let masks: Vec<_> = masks
                .iter()
                .map(|mask| mask.evaluate(self.channel.algebra, architecture, &self.live, own, *column_vars))
                .collect();
            for value in relation.values(self.channel.algebra, architecture, &values, &masks)? {
                let weight = weights.next().ok_or(Rejection { check: Check::Length })?;
                let term = self.channel.algebra.mul(weight, &value);
                rest = self.channel.algebra.sub(&rest, &term);
            }
            for ((tensor, per_sample), value) in tensors.iter().zip(&values) {
                if let Tensor::BackwardProduct(layer) = *tensor {
                    products.push(ProductClaim { layer, backward: true, point: own.to_vec(), value: value.clone() });
                } else {
                    let point = if *per_sample { head(own, vars - column_vars)? } else { own };
                    self.claim(*tensor, point, value);
                }
            }
        }
        self.channel.algebra.require_zero(Check::Pointwise, &rest)?;
        Ok(products)
    }
}
