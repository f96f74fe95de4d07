//! The sumcheck over the matrix products.

use ark_bn254::Fr;

use super::lookup::LookedUp;
use super::part::{at, split, tail};
use super::state::Argument;
use super::sumcheck::plain_sumcheck;
use super::transcript::{Ask, Party};
use super::update::WeightClaim;
use crate::field::algebra::Algebra;
use crate::field::check::Check;
use crate::field::multilinear::{eq, power_of_two, powers};
use crate::relations::Tensor;

/// A claim on a matrix product `X·W` at (step, row, column) that the sumcheck over the products reduces.
pub(super) struct ProductClaim<E> {
    pub layer: usize,
    pub backward: bool,
    pub point: Vec<E>,
    pub value: E,
}

impl<A: Algebra, P: Party<A>> Argument<'_, '_, A, P> {
    /// The matrix products, forward at the leaf point and backward where the pointwise sumcheck ended, in one sumcheck over
    /// (step, inner neuron):
    ///
    /// ```text
    /// Ũ_l(τ,β,ρ) - 2^fa·b̃_l(τ,ρ) = Σ eq(τ,t)·Ã_{l-1}(t,β,i)·W̃_l(t,i,ρ)
    /// Ṽ_l(τ,β,ι)                  = Σ eq(τ,t)·G̃_{l+1}(t,β,j)·W̃_{l+1}(t,ι,j)
    /// ```
    pub(super) fn products(
        &mut self,
        looked_up: &LookedUp<A::Element>,
        backward: Vec<ProductClaim<A::Element>>,
    ) -> Result<Vec<WeightClaim<A::Element>>, A::Error> {
        let architecture = &self.relations.architecture;
        let last = architecture.layers();
        let (steps, samples) = (architecture.step_vars(), architecture.sample_vars());
        let biases = self.channel.ask(Ask::BiasEvaluations { point: &looked_up.point }, last)?;
        let bias_scale = power_of_two(i64::from(architecture.precision.activation_bits));
        let mut products = Vec::new();
        for (l, bias) in (1..=last).zip(&biases) {
            let pre_activation = if l == last {
                self.evaluation(looked_up, Tensor::Logit)?
            } else {
                let positive = self.evaluation(looked_up, Tensor::Activation(l))?;
                let negative = self.evaluation(looked_up, Tensor::Negative(l))?;
                self.channel.algebra.sub(&positive, &negative)
            };
            let sum = self.unrounded(looked_up, &pre_activation, |i| Tensor::ForwardLimb(l, i))?;
            let bias = self.channel.algebra.scale(bias, bias_scale);
            let value = self.channel.algebra.sub(&sum, &bias);
            let point = looked_up.suffix(samples + architecture.width_vars(l))?.to_vec();
            products.push(ProductClaim { layer: l, backward: false, point, value });
        }
        products.extend(backward);

        let inner = |product: &ProductClaim<A::Element>| {
            architecture.width_vars(if product.backward { product.layer + 1 } else { product.layer - 1 })
        };
        let vars = steps + products.iter().map(inner).max().unwrap_or(0);
        let combine = self.channel.challenge();
        let weights = powers(self.channel.algebra, &combine, products.len());
        let mut claim = self.channel.algebra.constant(Fr::from(0));
        for (weight, product) in weights.iter().zip(&products) {
            claim = self.channel.algebra.mul_add(weight, &product.value, &claim);
        }
        self.channel.ask(Ask::Product { combine: &combine }, 0)?;
        let (end, claim) = plain_sumcheck(&mut self.channel, vars, 3, claim)?;

        let values = self.channel.ask(Ask::ProductEvaluations { point: &end }, 2 * products.len())?;
        let mut rest = claim;
        let mut matrices = Vec::new();
        for ((product, weight), [factor_value, weight_value]) in
            products.into_iter().zip(&weights).zip(values.as_chunks().0)
        {
            let inner = inner(&product);
            let (step, neuron) = split(tail(&end, steps + inner)?, steps)?;
            let (own_step, rest_of_point) = split(&product.point, steps)?;
            let (row, column) = split(rest_of_point, samples - steps)?;
            let same = eq(self.channel.algebra, own_step, step);
            // The sum does not depend on the variables that this product lacks.
            let weight = self.channel.algebra.scale(weight, power_of_two((steps + inner) as i64 - vars as i64));
            let term = self.channel.algebra.mul(&same, factor_value);
            let term = self.channel.algebra.mul(&term, weight_value);
            let term = self.channel.algebra.mul(&term, &weight);
            rest = self.channel.algebra.sub(&rest, &term);

            let factor = match (product.backward, product.layer) {
                (true, l) => Tensor::Gradient(l + 1),
                (false, 1) => Tensor::Input,
                (false, l) => Tensor::Activation(l - 1),
            };
            self.claim(factor, &[step, row, neuron].concat(), factor_value);
            let (layer, input, output) = if product.backward {
                (product.layer + 1, column.to_vec(), neuron.to_vec())
            } else {
                (product.layer, neuron.to_vec(), column.to_vec())
            };
            let bias = if product.backward { None } else { Some((own_step.to_vec(), at(&biases, layer - 1)?.clone())) };
            matrices.push(WeightClaim {
                layer,
                backward: product.backward,
                step: step.to_vec(),
                input,
                output,
                value: weight_value.clone(),
                bias,
            });
        }
        self.channel.algebra.require_zero(Check::Product, &rest)?;
        Ok(matrices)
    }
}
