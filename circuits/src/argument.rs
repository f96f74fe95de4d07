//! The whole field-side argument: from the digest of statement and commitments to one evaluation at one point.
//!
//! Every relation is reduced to claims on committed tensors, and all claims to evaluations of the columns at a common
//! point. What is left, one opening of the combined columns, is curve work and is checked natively.

use ark_bn254::Fr;

use crate::algebra::Algebra;
use crate::check::Check;
use crate::lookup::{self, LookedUp};
use crate::merge;
use crate::multilinear::{eq, less_than, power_of_two, powers};
use crate::relations::{LiveBits, Mask, PARAMETER_LIMB_BITS, PARAMETER_LIMBS, Pointwise, Publics, Relations, Subject};
use crate::sumcheck::{eq_sumcheck, plain_sumcheck};
use crate::tensor::{End, Tensor};
use crate::transcript::{Ask, Channel, Party};

/// Version of the argument: the domain of its transcript.
pub const VERSION: u64 = 2;

/// A claimed evaluation of a committed tensor.
#[derive(Clone, Debug)]
pub struct Claim<E> {
    /// The tensor.
    pub tensor: Tensor,
    /// Where, first variable first.
    pub point: Vec<E>,
    /// The evaluation.
    pub value: E,
}

/// What the opening has to show: the columns combined by powers of `combine` take `value` at `point`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reduced<E> {
    /// The common point `r*`.
    pub point: Vec<E>,
    /// `ρ`: column `i`, counted from zero, has weight `ρ^(i+1)`, the random column weight one.
    pub combine: E,
    /// `v = v_mask + Σ ρ^(i+1)·v_i`.
    pub value: E,
}

/// Runs the argument as its verifier: the native check of a proof, the circuit, and the guide of the prover.
///
/// # Transcript
/// digest, salt; look-ups; pointwise relations; products; weights; merging; all evaluations of columns and the random
/// column's; only then `ρ`.
///
/// # Errors
/// The check that failed.
pub fn verify<A: Algebra, P: Party<A>>(
    algebra: &mut A,
    party: &mut P,
    relations: &Relations,
    publics: &Publics<A::Element>,
) -> Result<Reduced<A::Element>, A::Error> {
    let live = LiveBits::new(algebra, &relations.architecture, publics)?;
    let mut channel = Channel::new(algebra, party, VERSION, &publics.digest);
    channel.ask(Ask::Salt, 1)?;
    let mut argument = Argument { channel, relations, live, claims: Vec::new() };
    let looked_up = lookup::verify(&mut argument.channel, &relations.tree)?;
    argument.looked_up(&looked_up);
    let products = argument.pointwise(&looked_up)?;
    if relations.subject == Subject::Segment {
        let matrices = argument.products(&looked_up, products)?;
        argument.weights(matrices, &publics.rate)?;
    }
    merge::verify(&mut argument.channel, &relations.layout, &argument.claims)
}

/// A claim on a matrix product `X·W` at (step, row, column) that the sumcheck over the products reduces.
struct Product<E> {
    layer: usize,
    backward: bool,
    point: Vec<E>,
    value: E,
}

/// A claim on the weights of a layer at a step: `W̃_l(step, input, output)`.
struct Matrix<E> {
    layer: usize,
    backward: bool,
    step: Vec<E>,
    input: Vec<E>,
    output: Vec<E>,
    value: E,
    /// In the forward direction: where the bias is read, and its value there.
    bias: Option<(Vec<E>, E)>,
}

struct Argument<'a, 'b, A: Algebra, P> {
    channel: Channel<'a, A, P>,
    relations: &'b Relations,
    live: LiveBits<A::Element>,
    claims: Vec<Claim<A::Element>>,
}

impl<A: Algebra, P: Party<A>> Argument<'_, '_, A, P> {
    fn claim(&mut self, tensor: Tensor, point: &[A::Element], value: &A::Element) {
        self.claims.push(Claim { tensor, point: point.to_vec(), value: value.clone() });
    }

    /// Claims that the look-ups leave, and those that hold at the leaf point because the tensors are linear in each other.
    fn looked_up(&mut self, looked_up: &LookedUp<A::Element>) {
        for (part, value) in &looked_up.values {
            self.claim(part.tensor, part.of(&looked_up.point), value);
        }
        let architecture = &self.relations.architecture;
        let last = architecture.layers();
        match self.relations.subject {
            Subject::Segment => {
                // The mean over the classes, at the point (x_n, ½ … ½): one selected class a sample, and S the sum of e.
                let vars = architecture.width_vars(last);
                let mut point = looked_up.suffix(architecture.sample_vars() + vars).to_vec();
                let samples = architecture.sample_vars();
                let half = self.channel.algebra.constant(power_of_two(-1));
                point[samples..].fill(half);
                let mean = power_of_two(-(vars as i64));
                let one = self.channel.algebra.constant(mean);
                self.claim(Tensor::Selector, &point, &one);
                // Padded classes look up key zero and hold exp(0).
                let padded = (1usize << vars) - architecture.classes();
                let padded = padded as u64 * (1u64 << architecture.precision.exponential_bits);
                let padded = self.channel.algebra.constant(Fr::from(padded) * mean);
                if let Some(sum) = looked_up.value(Tensor::Sum) {
                    let sum = self.channel.algebra.scale(sum, mean);
                    let total = self.channel.algebra.add(&sum, &padded);
                    self.claim(Tensor::Exponential, &point, &total);
                }
                self.labelled(&point[..samples]);
            }
            Subject::Data => {
                let samples = architecture.sample_vars();
                self.labelled(&looked_up.suffix(samples + architecture.width_vars(0))[..samples]);
            }
            Subject::Parameters => {
                for l in 1..=last {
                    let (input, output) = (architecture.width_vars(l - 1), architecture.width_vars(l));
                    let weight = self
                        .recombined(looked_up, &[PARAMETER_LIMB_BITS; PARAMETER_LIMBS], |i| Tensor::WeightLimb(l, i));
                    self.claim(Tensor::Weight(End::First, l), looked_up.suffix(input + output), &weight);
                    let bias =
                        self.recombined(looked_up, &[PARAMETER_LIMB_BITS; PARAMETER_LIMBS], |i| Tensor::BiasLimb(l, i));
                    self.claim(Tensor::Bias(End::First, l), looked_up.suffix(output), &bias);
                }
            }
        }
    }

    /// Every live sample has one label, every other none: the mean over the classes, at the samples' part of the leaf point.
    fn labelled(&mut self, sample: &[A::Element]) {
        let architecture = &self.relations.architecture;
        let vars = architecture.width_vars(architecture.layers());
        let live = Mask::Live.evaluate(self.channel.algebra, architecture, &self.live, sample, 0);
        let mean = self.channel.algebra.scale(&live, power_of_two(-(vars as i64)));
        let half = self.channel.algebra.constant(power_of_two(-1));
        let point = [sample, &vec![half; vars]].concat();
        self.claim(Tensor::Labels, &point, &mean);
    }

    /// `Σ limb_i · 2^(bits below)` at the leaf point.
    fn recombined(
        &mut self,
        looked_up: &LookedUp<A::Element>,
        widths: &[u32],
        limb: impl Fn(usize) -> Tensor,
    ) -> A::Element {
        let algebra = &mut *self.channel.algebra;
        let mut sum = algebra.constant(Fr::from(0));
        let mut shift = 0;
        for (i, &bits) in widths.iter().enumerate() {
            if let Some(value) = looked_up.value(limb(i)) {
                let term = algebra.scale(value, power_of_two(shift));
                sum = algebra.add(&sum, &term);
            }
            shift += i64::from(bits);
        }
        sum
    }

    /// `2^F·quotient + remainder` at the leaf point: the product before rounding.
    fn unrounded(
        &mut self,
        looked_up: &LookedUp<A::Element>,
        quotient: &A::Element,
        limb: impl Fn(usize) -> Tensor,
    ) -> A::Element {
        let precision = &self.relations.architecture.precision;
        let remainder = self.recombined(looked_up, &precision.limb_bits(), limb);
        let scaled = self.channel.algebra.scale(quotient, power_of_two(i64::from(precision.weight_bits())));
        self.channel.algebra.add(&scaled, &remainder)
    }

    fn evaluation(&mut self, looked_up: &LookedUp<A::Element>, tensor: Tensor) -> A::Element {
        looked_up.value(tensor).cloned().unwrap_or_else(|| self.channel.algebra.constant(Fr::from(0)))
    }

    /// The relations that hold entry by entry, at the leaf point, in one sumcheck. Leaves claims on their tensors, and on the
    /// backward products.
    fn pointwise(&mut self, looked_up: &LookedUp<A::Element>) -> Result<Vec<Product<A::Element>>, A::Error> {
        let relations = self.relations;
        let architecture = &relations.architecture;
        let count = relations.pointwise.iter().map(Pointwise::count).sum();
        let vars = relations.pointwise.iter().map(|relation| relation.vars(architecture).0).max().unwrap_or(0);
        // A relation that is zero everywhere may have more variables than the tree: labels of many classes.
        let missing = vars.saturating_sub(looked_up.point.len());
        let mut point: Vec<_> = (0..missing).map(|_| self.channel.challenge()).collect();
        point.extend_from_slice(looked_up.suffix(vars - missing));
        let combine = self.channel.challenge();
        let weights = powers(self.channel.algebra, &combine, count);
        let mut claim = self.channel.algebra.constant(Fr::from(0));
        let mut first = 0;
        for relation in &relations.pointwise {
            if let Pointwise::MaskedProduct(l) = relation {
                let gradient = self.evaluation(looked_up, Tensor::Gradient(*l));
                let value = self.unrounded(looked_up, &gradient, |i| Tensor::BackwardLimb(*l, i));
                claim = self.channel.algebra.mul_add(&weights[first], &value, &claim);
            }
            first += relation.count();
        }
        self.channel.ask(Ask::Pointwise { point: &point, combine: &combine }, 0)?;
        let (end, claim) = eq_sumcheck(&mut self.channel, &point, claim)?;

        let tensors: Vec<_> = relations.pointwise.iter().map(|relation| relation.tensors(architecture)).collect();
        let total = tensors.iter().map(Vec::len).sum();
        let mut values = self.channel.ask(Ask::PointwiseEvaluations { point: &end }, total)?.into_iter();
        let mut weights = weights.iter();
        let mut rest = claim;
        let mut products = Vec::new();
        for (relation, tensors) in relations.pointwise.iter().zip(&tensors) {
            let (vars, column_vars) = relation.vars(architecture);
            let at = &end[end.len() - vars..];
            let values: Vec<_> = values.by_ref().take(tensors.len()).collect();
            let masks: Vec<_> = relation
                .masks(architecture)
                .iter()
                .map(|mask| mask.evaluate(self.channel.algebra, architecture, &self.live, at, column_vars))
                .collect();
            for value in relation.values(self.channel.algebra, architecture, &values, &masks) {
                if let Some(weight) = weights.next() {
                    let term = self.channel.algebra.mul(weight, &value);
                    rest = self.channel.algebra.sub(&rest, &term);
                }
            }
            for ((tensor, per_sample), value) in tensors.iter().zip(&values) {
                if let Tensor::BackwardProduct(layer) = *tensor {
                    products.push(Product { layer, backward: true, point: at.to_vec(), value: value.clone() });
                } else {
                    let point = if *per_sample { &at[..vars - column_vars] } else { at };
                    self.claim(*tensor, point, value);
                }
            }
        }
        self.channel.algebra.require_zero(Check::Pointwise, &rest)?;
        Ok(products)
    }

    /// The matrix products, forward at the leaf point and backward where the pointwise sumcheck ended, in one sumcheck over
    /// (step, inner neuron):
    ///
    /// ```text
    /// Ũ_l(τ,β,ρ) - 2^fa·b̃_l(τ,ρ) = Σ eq(τ,t)·Ã_{l-1}(t,β,i)·W̃_l(t,i,ρ)
    /// Ṽ_l(τ,β,ι)                  = Σ eq(τ,t)·G̃_{l+1}(t,β,j)·W̃_{l+1}(t,ι,j)
    /// ```
    fn products(
        &mut self,
        looked_up: &LookedUp<A::Element>,
        backward: Vec<Product<A::Element>>,
    ) -> Result<Vec<Matrix<A::Element>>, A::Error> {
        let architecture = &self.relations.architecture;
        let last = architecture.layers();
        let (steps, samples) = (architecture.step_vars(), architecture.sample_vars());
        let biases = self.channel.ask(Ask::BiasEvaluations { point: &looked_up.point }, last)?;
        let bias_scale = power_of_two(i64::from(architecture.precision.activation_bits));
        let mut products = Vec::new();
        for (l, bias) in (1..=last).zip(&biases) {
            let pre_activation = if l == last {
                self.evaluation(looked_up, Tensor::Logit)
            } else {
                let positive = self.evaluation(looked_up, Tensor::Activation(l));
                let negative = self.evaluation(looked_up, Tensor::Negative(l));
                self.channel.algebra.sub(&positive, &negative)
            };
            let sum = self.unrounded(looked_up, &pre_activation, |i| Tensor::ForwardLimb(l, i));
            let bias = self.channel.algebra.scale(bias, bias_scale);
            let value = self.channel.algebra.sub(&sum, &bias);
            let point = looked_up.suffix(samples + architecture.width_vars(l)).to_vec();
            products.push(Product { layer: l, backward: false, point, value });
        }
        products.extend(backward);

        let inner = |product: &Product<A::Element>| {
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
        for ((product, weight), values) in products.into_iter().zip(&weights).zip(values.chunks_exact(2)) {
            let inner = inner(&product);
            let at = &end[vars - steps - inner..];
            let (step, neuron) = at.split_at(steps);
            let (own_step, rest_of_point) = product.point.split_at(steps);
            let (row, column) = rest_of_point.split_at(samples - steps);
            let same = eq(self.channel.algebra, own_step, step);
            // The sum does not depend on the variables that this product lacks.
            let weight = self.channel.algebra.scale(weight, power_of_two((steps + inner) as i64 - vars as i64));
            let term = self.channel.algebra.mul(&same, &values[0]);
            let term = self.channel.algebra.mul(&term, &values[1]);
            let term = self.channel.algebra.mul(&term, &weight);
            rest = self.channel.algebra.sub(&rest, &term);

            let factor = match (product.backward, product.layer) {
                (true, l) => Tensor::Gradient(l + 1),
                (false, 1) => Tensor::Input,
                (false, l) => Tensor::Activation(l - 1),
            };
            self.claim(factor, &[step, row, neuron].concat(), &values[0]);
            let (layer, input, output) = if product.backward {
                (product.layer + 1, column.to_vec(), neuron.to_vec())
            } else {
                (product.layer, neuron.to_vec(), column.to_vec())
            };
            let bias = (!product.backward).then(|| (own_step.to_vec(), biases[layer - 1].clone()));
            matrices.push(Matrix {
                layer,
                backward: product.backward,
                step: step.to_vec(),
                input,
                output,
                value: values[1].clone(),
                bias,
            });
        }
        self.channel.algebra.require_zero(Check::Product, &rest)?;
        Ok(matrices)
    }

    /// Weights and biases at any step, and after the last one, from the first ones and the updates, in one sumcheck over
    /// (step, row), `s < t` extended by `LT`:
    ///
    /// ```text
    /// W̃_l(t,i,j)   = W̃_first(i,j) - c·Σ LT(s,t)·Ã_{l-1}(s,r,i)·G̃_l(s,r,j)
    /// W̃_last(i,j)  = W̃_first(i,j) - c·Σ         Ã_{l-1}(s,r,i)·G̃_l(s,r,j)
    /// b̃_l(t,j)     = b̃_first(j)   - c·2^fa·Σ LT(s,t)·G̃_l(s,r,j)         b̃_last likewise
    /// ```
    fn weights(&mut self, matrices: Vec<Matrix<A::Element>>, rate: &A::Element) -> Result<(), A::Error> {
        let architecture = &self.relations.architecture;
        let (steps, samples) = (architecture.step_vars(), architecture.sample_vars());
        let asked = matrices.iter().map(|matrix| if matrix.backward { 1 } else { 4 }).sum();
        let mut values = self.channel.ask(Ask::ParameterEvaluations, asked)?.into_iter();
        let zero = self.channel.algebra.constant(Fr::from(0));
        let mut next = || values.next().unwrap_or_else(|| zero.clone());

        // The differences that the sums explain, in the order of their weights.
        let mut differences = Vec::new();
        for matrix in &matrices {
            let at = [matrix.input.clone(), matrix.output.clone()].concat();
            let first = next();
            self.claim(Tensor::Weight(End::First, matrix.layer), &at, &first);
            differences.push(self.channel.algebra.sub(&first, &matrix.value));
            if let Some((_, bias)) = &matrix.bias {
                let last = next();
                self.claim(Tensor::Weight(End::Last, matrix.layer), &at, &last);
                differences.push(self.channel.algebra.sub(&first, &last));
                let (first_bias, last_bias) = (next(), next());
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
        let mut next = || weights.next().unwrap_or_else(|| zero.clone());
        let mut sum = zero.clone();
        for (matrix, values) in matrices.iter().zip(values.chunks_exact(2)) {
            let algebra = &mut *self.channel.algebra;
            let before = less_than(algebra, &end[..steps], &matrix.step);
            let mut factor = algebra.mul(&next(), &before);
            let mut bias_factor = None;
            if let Some((step, _)) = &matrix.bias {
                factor = algebra.add(&factor, &next());
                let before = less_than(algebra, &end[..steps], step);
                let partial = algebra.mul(&next(), &before);
                let all = algebra.add(&partial, &next());
                bias_factor = Some(algebra.scale(&all, bias_scale));
            }
            let mut factor = algebra.mul(&factor, &values[0]);
            if let Some(bias_factor) = bias_factor {
                factor = algebra.add(&factor, &bias_factor);
            }
            sum = algebra.mul_add(&factor, &values[1], &sum);

            let activation = if matrix.layer == 1 { Tensor::Input } else { Tensor::Activation(matrix.layer - 1) };
            self.claim(activation, &[&end[..], &matrix.input[..]].concat(), &values[0]);
            self.claim(Tensor::Gradient(matrix.layer), &[&end[..], &matrix.output[..]].concat(), &values[1]);
        }
        let explained = self.channel.algebra.mul(&sum, rate);
        let rest = self.channel.algebra.sub(&claim, &explained);
        self.channel.algebra.require_zero(Check::Weight, &rest)
    }
}
