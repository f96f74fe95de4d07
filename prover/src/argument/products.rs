//! The prover of the matrix products and of the updates that tie the weights together.
//!
//! No table has more than `T · d` or `T · B` entries: the weights at a step are followed through a vector at a time, in
//! `O(B·(d_in + d_out))` a step, whatever the number of parameters.
//!
//! # Paper
//! Thaler, *Proofs, Arguments, and Zero-Knowledge*, section 4.4; how the weights are left out: `docs/protocol.md`, The argument, 4 and 5.

use ark_bn254::Fr;
use ark_ff::One;
use gradproof_circuits::field::multilinear::power_of_two;
use gradproof_circuits::network::architecture::Architecture;
use gradproof_circuits::relations::{End, Tensor};
use rayon::prelude::*;

use crate::kernels::dot::{dot, fold_columns, fold_rows};
use crate::kernels::eq::eq_table;
use crate::kernels::sums::{Product, ProductSum};
use crate::witness::Witness;

/// One matrix product whose sumcheck is run: forward of layer `l`, or backward through the weights of layer `l`.
struct Matrix {
    layer: usize,
    backward: bool,
    /// Step part of the point where the product is claimed.
    step: Vec<Fr>,
    /// `Ã(t, β, ·)` or `G̃(t, β, ·)`, step by step.
    factor: Vec<Fr>,
    /// `W̃(t, ·, ρ)` or `W̃(t, ι, ·)`, step by step.
    weights: Vec<Fr>,
    /// The fixed side of the weights at the first step.
    first: Vec<Fr>,
    /// `G̃_l(s, r, ρ)` or `Ã_{l-1}(s, r, ι)`: the fixed side's fold, sample by sample.
    samples: Vec<Fr>,
    /// The column part of the point where the product is claimed.
    column: Vec<Fr>,
}

/// The state of the prover through both sumchecks.
pub struct ProductProver<'a> {
    architecture: &'a Architecture,
    witness: &'a Witness,
    rate: Fr,
    matrices: Vec<Matrix>,
    biases: Vec<Fr>,
    sum: Option<ProductSum>,
    /// After the products: (step, neuron) of each matrix.
    ends: Vec<(Vec<Fr>, Vec<Fr>)>,
}

/// `A_{l-1}` of layer `l`.
fn activations(layer: usize) -> Tensor {
    if layer == 1 { Tensor::Input } else { Tensor::Activation(layer - 1) }
}

impl<'a> ProductProver<'a> {
    /// Evaluates what the products need, forward at the leaf point, backward at the end of the pointwise sumcheck.
    pub fn new(architecture: &'a Architecture, witness: &'a Witness, rate: Fr, leaf: &[Fr], pointwise: &[Fr]) -> Self {
        let mut prover =
            Self { architecture, witness, rate, matrices: vec![], biases: vec![], sum: None, ends: vec![] };
        let last = architecture.layers();
        for l in 1..=last {
            let matrix = prover.forward(l, leaf);
            prover.biases.push(prover.bias(l, &matrix));
            prover.matrices.push(matrix);
        }
        for l in 1..last {
            let matrix = prover.backward(l, pointwise);
            prover.matrices.push(matrix);
        }
        prover
    }

    fn split<'p>(&self, point: &'p [Fr], layer: usize) -> (&'p [Fr], &'p [Fr], &'p [Fr]) {
        let vars = self.architecture.sample_vars() + self.architecture.width_vars(layer);
        let (samples, column) = point[point.len() - vars..].split_at(self.architecture.sample_vars());
        let (step, row) = samples.split_at(self.architecture.step_vars());
        (step, row, column)
    }

    fn forward(&self, l: usize, leaf: &[Fr]) -> Matrix {
        let (step, row, column) = self.split(leaf, l);
        let inner = self.architecture.padded_width(l - 1);
        let outer = eq_table(column);
        let samples = fold_columns(self.witness.small(Tensor::Gradient(l)), outer.len(), &outer);
        let first = fold_columns(self.witness.wide(Tensor::Weight(End::First, l)), outer.len(), &outer);
        let input = self.witness.small(activations(l));
        let weights = self.follow(&first, input, inner, &samples);
        let factor = self.by_step(input, inner, row);
        Matrix {
            layer: l,
            backward: false,
            step: step.to_vec(),
            factor,
            weights,
            first,
            samples,
            column: column.to_vec(),
        }
    }

    /// The product `V_l`, through the weights of layer `l + 1`.
    fn backward(&self, l: usize, point: &[Fr]) -> Matrix {
        let (step, row, column) = self.split(point, l);
        let inner = self.architecture.padded_width(l + 1);
        let outer = eq_table(column);
        let samples = fold_columns(self.witness.small(Tensor::Activation(l)), outer.len(), &outer);
        let first = fold_rows(self.witness.wide(Tensor::Weight(End::First, l + 1)), inner, &outer);
        let gradient = self.witness.small(Tensor::Gradient(l + 1));
        let weights = self.follow(&first, gradient, inner, &samples);
        let factor = self.by_step(gradient, inner, row);
        Matrix {
            layer: l + 1,
            backward: true,
            step: step.to_vec(),
            factor,
            weights,
            first,
            samples,
            column: column.to_vec(),
        }
    }

    /// One row of values a step, each `Σ_r eq(row, r) · values(t, r, ·)`.
    fn by_step(&self, values: &[i32], width: usize, row: &[Fr]) -> Vec<Fr> {
        let eq = eq_table(row);
        values.par_chunks(eq.len() * width).flat_map_iter(|step| fold_rows(step, width, &eq)).collect()
    }

    /// The vector `first` before each step, `c · Σ_r samples(t, r) · values(t, r, ·)` taken off after step `t`.
    fn follow(&self, first: &[Fr], values: &[i32], width: usize, samples: &[Fr]) -> Vec<Fr> {
        let batch = self.architecture.padded_batch();
        let changes: Vec<Vec<Fr>> = values
            .par_chunks(batch * width)
            .zip(samples.par_chunks(batch))
            .map(|(values, weights)| fold_rows(values, width, weights))
            .collect();
        let mut current = first.to_vec();
        let mut all = Vec::with_capacity(changes.len() * width);
        for change in &changes {
            all.extend_from_slice(&current);
            for (value, change) in current.iter_mut().zip(change) {
                *value -= self.rate * change;
            }
        }
        all
    }

    fn bias_scale(&self) -> Fr {
        power_of_two(i64::from(self.architecture.precision.activation_bits))
    }

    /// `b̃_l(τ, ρ)` from the first biases and the gradients.
    fn bias(&self, l: usize, matrix: &Matrix) -> Fr {
        let first = dot(&eq_table(&matrix.column), self.witness.wide(Tensor::Bias(End::First, l)));
        let before = self.before(&matrix.step);
        let sum: Fr = before.iter().zip(&matrix.samples).map(|(b, g)| *b * g).sum();
        first - self.rate * self.bias_scale() * sum
    }

    /// `LT(s, step)` for every sample `(s, r)`.
    fn before(&self, step: &[Fr]) -> Vec<Fr> {
        let eq = eq_table(step);
        let mut after = Fr::one();
        let batch = self.architecture.padded_batch();
        eq.iter()
            .flat_map(|e| {
                after -= e;
                std::iter::repeat_n(after, batch)
            })
            .collect()
    }

    /// `b̃_l(τ, ρ)` of every layer.
    pub fn biases(&self) -> Vec<Fr> {
        self.biases.clone()
    }

    /// Begins the sumcheck over the products.
    pub fn begin_products(&mut self, combine: Fr) {
        let mut coefficient = Fr::one();
        let mut products = Vec::new();
        for matrix in &self.matrices {
            let width = matrix.first.len();
            let eq = eq_table(&matrix.step).into_iter().flat_map(|e| std::iter::repeat_n(e, width)).collect();
            products.push(Product { coefficient, tables: vec![eq, matrix.factor.clone(), matrix.weights.clone()] });
            coefficient *= combine;
        }
        let inner = |matrix: &Matrix| matrix.first.len().trailing_zeros() as usize;
        let vars = self.architecture.step_vars() + self.matrices.iter().map(inner).max().unwrap_or(0);
        self.sum = Some(ProductSum::new(vars, 3, products));
    }

    /// One round of the running sumcheck.
    pub fn round(&mut self, challenge: Option<Fr>) -> Vec<Fr> {
        self.sum.as_mut().map(|sum| sum.round(challenge)).unwrap_or_default()
    }

    /// Both factors of every product where the sumcheck ended.
    pub fn product_evaluations(&mut self, point: &[Fr]) -> Vec<Fr> {
        let Some(sum) = self.finished(point) else { return vec![] };
        for matrix in &self.matrices {
            let inner = matrix.first.len().trailing_zeros() as usize;
            let at = &point[point.len() - inner - self.architecture.step_vars()..];
            let (step, neuron) = at.split_at(self.architecture.step_vars());
            self.ends.push((step.to_vec(), neuron.to_vec()));
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

    /// First and last weights and biases where the products ended, as the argument asks for them.
    pub fn parameters(&self) -> Vec<Fr> {
        let mut values = Vec::new();
        for (matrix, (_, neuron)) in self.matrices.iter().zip(&self.ends) {
            let eq = eq_table(neuron);
            values.push(matrix.first.iter().zip(&eq).map(|(w, e)| *w * e).sum());
            if matrix.backward {
                continue;
            }
            let outer = eq_table(&matrix.column);
            let last = fold_columns(self.witness.wide(Tensor::Weight(End::Last, matrix.layer)), outer.len(), &outer);
            values.push(last.iter().zip(&eq).map(|(w, e)| *w * e).sum());
            for end in [End::First, End::Last] {
                values.push(dot(&outer, self.witness.wide(Tensor::Bias(end, matrix.layer))));
            }
        }
        values
    }

    /// Begins the sumcheck over the updates.
    pub fn begin_weights(&mut self, combine: Fr) {
        let mut power = Fr::one();
        let mut next = || {
            let current = power;
            power *= combine;
            current
        };
        let mut products = Vec::new();
        for (matrix, (step, neuron)) in self.matrices.iter().zip(&self.ends) {
            let eq = eq_table(neuron);
            let before = self.before(step);
            let width = eq.len();
            let (activation, gradient, factor) = if matrix.backward {
                let weight = next();
                let gradient = fold_columns(self.witness.small(Tensor::Gradient(matrix.layer)), width, &eq);
                (matrix.samples.clone(), gradient, before.iter().map(|b| weight * b).collect::<Vec<_>>())
            } else {
                let (partial, whole) = (next(), next());
                let activation = fold_columns(self.witness.small(activations(matrix.layer)), width, &eq);
                (activation, matrix.samples.clone(), before.iter().map(|b| partial * b + whole).collect())
            };
            if !matrix.backward {
                let (partial, whole) = (next(), next());
                let factor = self.before(&matrix.step).iter().map(|b| partial * b + whole).collect();
                let coefficient = self.rate * self.bias_scale();
                products.push(Product { coefficient, tables: vec![factor, gradient.clone()] });
            }
            products.push(Product { coefficient: self.rate, tables: vec![activation, gradient, factor] });
        }
        self.sum = Some(ProductSum::new(self.architecture.sample_vars(), 3, products));
    }

    /// Activation and gradient of every update where the sumcheck ended.
    pub fn weight_evaluations(&mut self, point: &[Fr]) -> Vec<Fr> {
        let Some(sum) = self.finished(point) else { return vec![] };
        sum.values().filter(|values| values.len() == 3).flat_map(|values| [values[0], values[1]]).collect()
    }
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
