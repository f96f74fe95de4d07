//! The sumcheck over the updates of the weights.

use ark_bn254::Fr;

use super::part::head;
use super::state::Argument;
use super::sumcheck::plain_sumcheck;
use super::transcript::{Ask, Party};
use crate::field::algebra::Algebra;
use crate::field::check::{Check, Rejection};
use crate::field::multilinear::{less_than, power_of_two, powers};
use crate::relations::{End, Tensor};

/// A claim on the weights of a layer at a step: `W̃_l(step, input, output)`.
pub(super) struct WeightClaim<E> {
    pub layer: usize,
    pub backward: bool,
    pub step: Vec<E>,
    pub input: Vec<E>,
    pub output: Vec<E>,
    pub value: E,
    /// In the forward direction: where the bias is read, and its value there.
    pub bias: Option<(Vec<E>, E)>,
}

impl<A: Algebra, P: Party<A>> Argument<'_, '_, A, P> {
    /// Weights and biases at any step, and after the last one, from the first ones and the updates, in one sumcheck over
    /// (step, row), `s < t` extended by `LT`:
    ///
    /// ```text
    /// W̃_l(t,i,j)   = W̃_first(i,j) - c·Σ LT(s,t)·Ã_{l-1}(s,r,i)·G̃_l(s,r,j)
    /// W̃_last(i,j)  = W̃_first(i,j) - c·Σ         Ã_{l-1}(s,r,i)·G̃_l(s,r,j)
    /// b̃_l(t,j)     = b̃_first(j)   - c·2^fa·Σ LT(s,t)·G̃_l(s,r,j)         b̃_last likewise
    /// ```
    pub(super) fn weights(
        &mut self,
        matrices: Vec<WeightClaim<A::Element>>,
        rate: &A::Element,
    ) -> Result<(), A::Error> {
        let architecture = &self.relations.architecture;
        let (steps, samples) = (architecture.step_vars(), architecture.sample_vars());
        let asked = matrices.iter().map(|matrix| if matrix.backward { 1 } else { 4 }).sum();
        let mut values = self.channel.ask(Ask::ParameterEvaluations, asked)?.into_iter();
        // As many as the matrices asked for.
        let mut next = || values.next().ok_or(Rejection { check: Check::Length });

        // The differences that the sums explain, in the order of their weights.
        let mut differences = Vec::new();
        for matrix in &matrices {
            let at = [matrix.input.clone(), matrix.output.clone()].concat();
            let first = next()?;
            self.claim(Tensor::Weight(End::First, matrix.layer), &at, &first);
            differences.push(self.channel.algebra.sub(&first, &matrix.value));
            if let Some((_, bias)) = &matrix.bias {
                let last = next()?;
                self.claim(Tensor::Weight(End::Last, matrix.layer), &at, &last);
                differences.push(self.channel.algebra.sub(&first, &last));
                let (first_bias, last_bias) = (next()?, next()?);
                self.claim(Tensor::Bias(End::First, matrix.layer), &matrix.output, &first_bias);
                self.claim(Tensor::Bias(End::Last, matrix.layer), &matrix.output, &last_bias);
                differences.push(self.channel.algebra.sub(&first_bias, bias));
                differences.push(self.channel.algebra.sub(&first_bias, &last_bias));
            }
        }
        let combine = self.channel.challenge();
        let weights = powers(self.channel.algebra, &combine, differences.len());
        let mut claim = self.channel.algebra.constant(Fr::from(0));
        for (weight, difference) in weights.iter().zip(&differences) {
            claim = self.channel.algebra.mul_add(weight, difference, &claim);
        }
        self.channel.ask(Ask::Weight { combine: &combine }, 0)?;
        let (end, claim) = plain_sumcheck(&mut self.channel, samples, 3, claim)?;

        let values = self.channel.ask(Ask::WeightEvaluations { point: &end }, 2 * matrices.len())?;
        let bias_scale = power_of_two(i64::from(architecture.precision.activation_bits));
        let mut weights = weights.into_iter();
        let mut next = || weights.next().ok_or(Rejection { check: Check::Length });
        let at_step = head(&end, steps)?;
        let mut sum = self.channel.algebra.constant(Fr::from(0));
        for (matrix, [activation_value, gradient_value]) in matrices.iter().zip(values.as_chunks().0) {
            let algebra = &mut *self.channel.algebra;
            let before = less_than(algebra, at_step, &matrix.step);
            let mut factor = algebra.mul(&next()?, &before);
            let mut bias_factor = None;
            if let Some((step, _)) = &matrix.bias {
                factor = algebra.add(&factor, &next()?);
                let before = less_than(algebra, at_step, step);
                let partial = algebra.mul(&next()?, &before);
                let all = algebra.add(&partial, &next()?);
                bias_factor = Some(algebra.scale(&all, bias_scale));
            }
            let mut factor = algebra.mul(&factor, activation_value);
            if let Some(bias_factor) = bias_factor {
                factor = algebra.add(&factor, &bias_factor);
            }
            sum = algebra.mul_add(&factor, gradient_value, &sum);

            let activation = if matrix.layer == 1 { Tensor::Input } else { Tensor::Activation(matrix.layer - 1) };
            self.claim(activation, &[&end[..], &matrix.input[..]].concat(), activation_value);
            self.claim(Tensor::Gradient(matrix.layer), &[&end[..], &matrix.output[..]].concat(), gradient_value);
        }
        let explained = self.channel.algebra.mul(&sum, rate);
        let rest = self.channel.algebra.sub(&claim, &explained);
        self.channel.algebra.require_zero(Check::Weight, &rest)
    }
}
