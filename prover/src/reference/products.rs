//! The matrix products and the updates of the weights: every weight and bias at every step, as training has them.

use ark_bn254::Fr;
use ark_ff::{Field, Zero};
use gradproof_circuits::network::architecture::Architecture;
use gradproof_circuits::relations::{End, Tensor};

use super::cube;
use super::sumcheck::Sumcheck;
use crate::witness::Witness;

/// A product `X·W` through the weights of a layer, and where it is claimed.
struct Matrix {
    layer: usize,
    backward: bool,
    step: Vec<Fr>,
    row: Vec<Fr>,
    column: Vec<Fr>,
    /// After the products: where their sumcheck ended.
    end_step: Vec<Fr>,
    /// After the products: the inner neuron there.
    neuron: Vec<Fr>,
}

/// The state through both sumchecks.
pub struct Products<'a> {
    architecture: &'a Architecture,
    witness: &'a Witness,
    rate: Fr,
    matrices: Vec<Matrix>,
    running: Option<Sumcheck<'a>>,
}

/// `A_{l-1}`, by which the weights of layer `l` are multiplied.
fn factor_of(layer: usize) -> Tensor {
    if layer == 1 { Tensor::Input } else { Tensor::Activation(layer - 1) }
}

impl<'a> Products<'a> {
    /// All products of a segment: forward at the leaf point, backward where the pointwise sumcheck ended.
    pub fn new(architecture: &'a Architecture, witness: &'a Witness, rate: Fr, leaf: &[Fr], pointwise: &[Fr]) -> Self {
        let claimed = |layer: usize, backward: bool, point: &[Fr], column_layer: usize| {
            let own = &point[point.len() - architecture.sample_vars() - architecture.width_vars(column_layer)..];
            let (step, rest) = own.split_at(architecture.step_vars());
            let (row, column) = rest.split_at(architecture.row_vars());
            let (step, row, column) = (step.to_vec(), row.to_vec(), column.to_vec());
            Matrix { layer, backward, step, row, column, end_step: vec![], neuron: vec![] }
        };
        let forward = (1..=architecture.layers()).map(|l| claimed(l, false, leaf, l));
        let backward = (1..architecture.layers()).map(|l| claimed(l + 1, true, pointwise, l));
        let matrices = forward.chain(backward).collect();
        Self { architecture, witness, rate, matrices, running: None }
    }

    /// A tensor of a value for each (step, row, neuron of layer `l`).
    fn layer_values(&self, tensor: Tensor, l: usize) -> Vec<Fr> {
        cube::tensor(self.witness, tensor, self.architecture.sample_vars() + self.architecture.width_vars(l))
    }

    /// `W_l` before every step: `W(t+1) = W(t) - c·A(t)ᵀ·G(t)`.
    fn weights(&self, l: usize) -> Vec<Vec<Fr>> {
        let a = self.architecture;
        let (inputs, outputs, batch) = (a.padded_width(l - 1), a.padded_width(l), a.padded_batch());
        let activations = self.layer_values(factor_of(l), l - 1);
        let gradients = self.layer_values(Tensor::Gradient(l), l);
        let mut current =
            cube::tensor(self.witness, Tensor::Weight(End::First, l), a.width_vars(l - 1) + a.width_vars(l));
        let mut all = vec![];
        for t in 0..a.steps {
            all.push(current.clone());
            for r in t * batch..(t + 1) * batch {
                for (i, activation) in activations[r * inputs..(r + 1) * inputs].iter().enumerate() {
                    for (j, gradient) in gradients[r * outputs..(r + 1) * outputs].iter().enumerate() {
                        current[i * outputs + j] -= self.rate * activation * gradient;
                    }
                }
            }
        }
        all
    }

    fn bias_scale(&self) -> Fr {
        Fr::from(2).pow([u64::from(self.architecture.precision.activation_bits)])
    }

    /// `b̃_l(τ, ρ)` of every layer, from the biases before every step: `b(t+1) = b(t) - c·2^fa·Σ_r G(t, r)`.
    pub fn biases(&self) -> Vec<Fr> {
        let (a, batch) = (self.architecture, self.architecture.padded_batch());
        let one = |matrix: &Matrix| {
            let l = matrix.layer;
            let width = a.padded_width(l);
            let gradients = self.layer_values(Tensor::Gradient(l), l);
            let mut current = cube::tensor(self.witness, Tensor::Bias(End::First, l), a.width_vars(l));
            let mut sum = Fr::zero();
            for t in 0..a.steps {
                sum += cube::eq(&matrix.step, t) * cube::extension(&current, &matrix.column);
                for r in t * batch..(t + 1) * batch {
                    for (j, gradient) in gradients[r * width..(r + 1) * width].iter().enumerate() {
                        current[j] -= self.rate * self.bias_scale() * gradient;
                    }
                }
            }
            sum
        };
        self.matrices.iter().filter(|matrix| !matrix.backward).map(one).collect()
    }

    /// The layer whose neurons a product sums over.
    fn inner(matrix: &Matrix) -> usize {
        if matrix.backward { matrix.layer } else { matrix.layer - 1 }
    }

    /// Begins `Σ combine^k·eq(τ, t)·X(t, β, n)·W(t, n, ρ)`, over all variables that any product has; a product that lacks
    /// some is divided by the number of times that it is summed.
    pub fn begin_products(&mut self, combine: Fr) {
        let a = self.architecture;
        let own_vars = |matrix: &Matrix| a.step_vars() + a.width_vars(Self::inner(matrix));
        let vars = self.matrices.iter().map(own_vars).max().unwrap_or(0);
        let (mut tables, mut factors) = (vec![], vec![]);
        for (k, matrix) in self.matrices.iter().enumerate() {
            let inner = Self::inner(matrix);
            let width = a.padded_width(inner);
            let tensor = if matrix.backward { Tensor::Gradient(matrix.layer) } else { factor_of(matrix.layer) };
            let values = self.layer_values(tensor, inner);
            let weights = self.weights(matrix.layer);
            let outputs = a.padded_width(matrix.layer);
            let spread = |at: &dyn Fn(usize, usize) -> Fr| -> Vec<Fr> {
                let own: Vec<Fr> = (0..1 << own_vars(matrix)).map(|z| at(z / width, z % width)).collect();
                (0..1 << vars).map(|z: usize| own[z % own.len()]).collect()
            };
            tables.push(spread(&|t, _| cube::eq(&matrix.step, t)));
            tables.push(spread(&|t, n| {
                let at = |r: usize| cube::eq(&matrix.row, r) * values[(t * a.padded_batch() + r) * width + n];
                (0..a.padded_batch()).map(at).sum()
            }));
            tables.push(spread(&|t, n| {
                let at = |c: usize| weights[t][if matrix.backward { c * outputs + n } else { n * outputs + c }];
                (0..1 << matrix.column.len()).map(|c| cube::eq(&matrix.column, c) * at(c)).sum()
            }));
            let times = Fr::from(2).pow([(vars - own_vars(matrix)) as u64]);
            factors.push(combine.pow([k as u64]) * times.inverse().unwrap_or_default());
        }
        self.running = Some(Sumcheck::plain(tables, 3, move |row| {
            row.chunks(3).zip(&factors).map(|(product, factor)| *factor * product[0] * product[1] * product[2]).sum()
        }));
    }

    /// One round of the running sumcheck.
    pub fn round(&mut self, challenge: Option<Fr>) -> Vec<Fr> {
        self.running.as_mut().map(|running| running.round(challenge)).unwrap_or_default()
    }

    fn finished(&mut self, point: &[Fr]) -> Vec<Fr> {
        let Some(mut running) = self.running.take() else { return vec![] };
        if let Some(challenge) = point.first() {
            running.bind(*challenge);
        }
        running.values()
    }

    /// Both factors of every product where the sumcheck ended.
    pub fn product_evaluations(&mut self, point: &[Fr]) -> Vec<Fr> {
        let values = self.finished(point);
        let steps = self.architecture.step_vars();
        for matrix in &mut self.matrices {
            let own = &point[point.len() - steps - self.architecture.width_vars(Self::inner(matrix))..];
            (matrix.end_step, matrix.neuron) = (own[..steps].to_vec(), own[steps..].to_vec());
        }
        values.chunks(3).flat_map(|product| [product[1], product[2]]).collect()
    }

    /// Input and output neuron where a matrix is read.
    fn ends(matrix: &Matrix) -> (&[Fr], &[Fr]) {
        if matrix.backward { (&matrix.column, &matrix.neuron) } else { (&matrix.neuron, &matrix.column) }
    }

    /// First and last weights and biases where the products ended, in the order of the argument.
    pub fn parameters(&self) -> Vec<Fr> {
        let mut values = vec![];
        for matrix in &self.matrices {
            let (input, output) = Self::ends(matrix);
            let at =
                |tensor: Tensor, point: &[Fr]| cube::extension(&cube::tensor(self.witness, tensor, point.len()), point);
            let both = [input, output].concat();
            values.push(at(Tensor::Weight(End::First, matrix.layer), &both));
            if !matrix.backward {
                values.push(at(Tensor::Weight(End::Last, matrix.layer), &both));
                values.push(at(Tensor::Bias(End::First, matrix.layer), output));
                values.push(at(Tensor::Bias(End::Last, matrix.layer), output));
            }
        }
        values
    }

    /// Begins the sumcheck over (step, row) of all updates, weighted by powers of `combine`:
    /// `c·(λ·LT(s, t) + λ')·A·G` of the weights, and `c·2^fa·(λ·LT(s, τ) + λ')·G` of the biases.
    pub fn begin_weights(&mut self, combine: Fr) {
        let a = self.architecture;
        let samples = 1usize << a.sample_vars();
        let (mut tables, mut backward) = (vec![], vec![]);
        for matrix in &self.matrices {
            let (input, output) = Self::ends(matrix);
            let l = matrix.layer;
            let at = |values: &[Fr], width: usize, point: &[Fr]| -> Vec<Fr> {
                values.chunks(width).map(|row| cube::extension(row, point)).collect()
            };
            tables.push(at(&self.layer_values(factor_of(l), l - 1), a.padded_width(l - 1), input));
            tables.push(at(&self.layer_values(Tensor::Gradient(l), l), a.padded_width(l), output));
            let before = |step: &[Fr]| (0..samples).map(|s| cube::less_than(s / a.padded_batch(), step)).collect();
            tables.push(before(&matrix.end_step));
            tables.push(before(&matrix.step));
            backward.push(matrix.backward);
        }
        let (rate, scale) = (self.rate, self.bias_scale());
        self.running = Some(Sumcheck::plain(tables, 3, move |row| {
            let (mut sum, mut power) = (Fr::zero(), 0);
            let mut next = || {
                power += 1;
                combine.pow([power - 1])
            };
            for (values, backward) in row.chunks(4).zip(&backward) {
                let (activation, gradient, before_end, before_claim) = (values[0], values[1], values[2], values[3]);
                sum += rate * next() * before_end * activation * gradient;
                if !backward {
                    sum += rate * next() * activation * gradient;
                    sum += rate * scale * next() * before_claim * gradient;
                    sum += rate * scale * next() * gradient;
                }
            }
            sum
        }));
    }

    /// Activation and gradient of every update where the sumcheck ended.
    pub fn weight_evaluations(&mut self, point: &[Fr]) -> Vec<Fr> {
        self.finished(point).chunks(4).flat_map(|values| [values[0], values[1]]).collect()
    }
}
