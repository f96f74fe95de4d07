//! Training with the loops of its definition, on padded tensors, that a cheat may interfere with at every point.
//!
//! It shares no code with the kernels or with the prover's witness, so an honest run is a check of both.

use crate::networks::{padded_widths, widths};
use crate::tensors::{
    activation, backward_limb, backward_product, bias, derivative, forward_limb, gradient, negative, softmax, weight,
};
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::arithmetic::{
    SoftmaxRow, exponential_table, relu, round_shift, softmax_row, split_limbs,
};
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::operators::{EXPONENTIAL, LOGIT, MAXIMUM, PROBABILITY, REMAINDER, SELECTOR, SUM};
use gradproof_circuits::program::{End, Table, Tensor};
use gradproof_circuits::trace::{NO_LABEL, Parameters};
use gradproof_prover::witness::{Values, Witness};

/// Which entry of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Layer, from one.
    pub layer: usize,
    /// Step of the segment.
    pub step: usize,
    /// Row of the step, padded ones included.
    pub row: usize,
    /// Neuron of the layer, padded ones included.
    pub column: usize,
}

/// What a dishonest trainer does differently. Every default is honest.
pub trait Cheat {
    /// Quotient and remainder of a forward product.
    fn forward(&self, _: At, product: i64, bits: u32) -> (i64, i64) {
        round_shift(product, bits)
    }
    /// Quotient and remainder of a masked backward product.
    fn backward(&self, _: At, product: i64, bits: u32) -> (i64, i64) {
        round_shift(product, bits)
    }
    /// Activation and derivative.
    fn relu(&self, _: At, h: i64) -> (i64, i64) {
        let (value, derivative) = relu(h as i16);
        (i64::from(value), i64::from(derivative))
    }
    /// Softmax of a row of real classes.
    fn softmax(&self, _: At, logits: &[i16], table: &[u16], gradient_bits: u32) -> SoftmaxRow {
        softmax_row(logits, table, gradient_bits)
    }
    /// Gradient at a logit, from probability and target in the same scale.
    fn loss(&self, _: At, live: bool, probability: i64, target: i64) -> i64 {
        if live { probability - target } else { 0 }
    }
    /// Learning rate of an update.
    fn rate(&self, _layer: usize, _step: usize, rate: i64) -> i64 {
        rate
    }
    /// Changes parameters before a step.
    fn before(&self, _step: usize, _weights: &mut [Vec<i64>], _biases: &mut [Vec<i64>]) {}
}

/// Does nothing differently.
#[derive(Clone, Copy, Debug)]
pub struct Honest;

impl Cheat for Honest {}

/// What is trained, in padded tensors.
#[derive(Clone, Debug)]
pub struct Task {
    /// Shape.
    pub architecture: Architecture,
    /// Live part.
    pub live: Live,
    /// Learning rate over batch.
    pub rate: u32,
    /// First weights of each layer, padded.
    pub weights: Vec<Vec<i64>>,
    /// First biases of each layer, padded.
    pub biases: Vec<Vec<i64>>,
    /// Input, (step, row, column), padded.
    pub input: Vec<i64>,
    /// Labels, one-hot, (step, row, class), padded.
    pub labels: Vec<i64>,
}

/// The first `count` numbers of a fixed generator, below `bound`.
pub fn numbers(seed: u64, bound: u64, count: usize) -> Vec<i64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % bound.max(1)) as i64
    };
    (0..count).map(|_| next()).collect()
}

/// `count` rows of `width` values, each row padded to `padded`, rows for which `keep` is false zero.
fn padded(values: &[i64], width: usize, padded: usize, keep: impl Fn(usize) -> bool) -> Vec<i64> {
    let row = |(n, row): (usize, &[i64])| {
        let kept = if keep(n) { row.to_vec() } else { vec![0; width] };
        kept.into_iter().chain(std::iter::repeat_n(0, padded - width)).collect::<Vec<_>>()
    };
    values.chunks(width).enumerate().flat_map(row).collect()
}

impl Task {
    /// A task with pseudo-random data and parameters. Rows 0 and 1 are equal, and the last neuron of the first layer is zero.
    pub fn new(architecture: &Architecture, live: Live, rate: u32, seed: u64) -> Self {
        let (widths, padded_widths) = (widths(architecture), padded_widths(architecture));
        let (layers, samples) = (widths.len() - 1, architecture.samples());
        let bits = architecture.precision().weight_bits();
        let mut weights = Vec::new();
        let mut biases = Vec::new();
        for l in 1..=layers {
            let (from, to) = (widths[l - 1], widths[l]);
            let bound = (2u64 << bits) / from as u64;
            let centred =
                |list: Vec<i64>, bound: u64| list.into_iter().map(|w| w - bound as i64 / 2).collect::<Vec<_>>();
            let mut weight = centred(numbers(seed + l as u64, bound, from * to), bound);
            let mut bias = centred(numbers(seed + 100 + l as u64, 1 << (bits - 2), to), 1 << (bits - 2));
            if l == 1 && layers > 1 {
                weight.iter_mut().skip(to - 1).step_by(to).for_each(|w| *w = 0);
                bias[to - 1] = 0;
            }
            let mut rows = padded(&weight, to, padded_widths[l], |_| true);
            rows.resize(padded_widths[l - 1] * padded_widths[l], 0);
            weights.push(rows);
            biases.push(padded(&bias, to, padded_widths[l], |_| true));
        }
        let batch = architecture.padded_batch();
        let is_live = |n: usize| n % batch < architecture.live_rows(live, n / batch);
        let width = widths[0];
        let mut input = numbers(seed + 200, 256, samples * width);
        if architecture.batch() > 1 {
            input.copy_within(..width, width);
        }
        let classes = architecture.classes();
        let hot: Vec<i64> = numbers(seed + 300, classes as u64, samples)
            .into_iter()
            .flat_map(|label| (0..classes as i64).map(move |j| i64::from(j == label)))
            .collect();
        Self {
            architecture: architecture.clone(),
            live,
            rate,
            weights,
            biases,
            input: padded(&input, width, padded_widths[0], is_live),
            labels: padded(&hot, classes, padded_widths[layers], is_live),
        }
    }

    /// The first parameters, without their padding.
    pub fn parameters(&self) -> Parameters {
        let layers = || widths(&self.architecture).windows(2).map(|pair| (pair[0], pair[1])).collect::<Vec<_>>();
        let cut = |values: &[i64], rows: usize, width: usize| -> Vec<i64> {
            values.chunks(width.next_power_of_two()).take(rows).flat_map(|row| row[..width].to_vec()).collect()
        };
        Parameters {
            weights: layers().iter().zip(&self.weights).map(|((from, to), values)| cut(values, *from, *to)).collect(),
            biases: layers().iter().zip(&self.biases).map(|((_, to), values)| cut(values, 1, *to)).collect(),
        }
    }

    /// The data of the segment as kernels take them: input without padding, and the class of each row.
    pub fn data(&self) -> (Vec<i16>, Vec<u16>) {
        let (inputs, classes) = (self.architecture.inputs(), self.architecture.classes());
        let rows = self.input.chunks(inputs.next_power_of_two());
        let label = |row: &[i64]| row.iter().position(|y| *y == 1).map_or(NO_LABEL, |j| j as u16);
        (
            rows.flat_map(|row| row[..inputs].iter().map(|&x| x as i16)).collect(),
            self.labels.chunks(classes.next_power_of_two()).map(label).collect(),
        )
    }

    /// Trains, and returns all tensors but the multiplicities.
    pub fn train(&self, cheat: &dyn Cheat) -> Witness {
        let a = &self.architecture;
        let (widths, batch) = (padded_widths(a), a.padded_batch());
        let layers = widths.len() - 1;
        let (bits, scale, fg) =
            (a.precision().weight_bits(), a.precision().activation_bits, a.precision().gradient_bits);
        let table = exponential_table(a.precision());
        let loss = |role| softmax(role, layers);
        let mut store = Store { bits: a.precision().limb_bits(), ..Store::default() };
        store.parameters(End::First, &self.weights, &self.biases);
        let (mut weights, mut biases) = (self.weights.clone(), self.biases.clone());
        store.extend(Tensor::input(), &self.input);
        store.extend(Tensor::labels(), &self.labels);
        store.extend(
            Table::Exponential.column().expect("it has a column"),
            &table.iter().map(|&e| i64::from(e)).collect::<Vec<_>>(),
        );
        for step in 0..a.steps() {
            cheat.before(step, &mut weights, &mut biases);
            let mut activations = vec![self.input[step * batch * widths[0]..][..batch * widths[0]].to_vec()];
            let mut derivatives = Vec::new();
            let mut logits = Vec::new();
            for l in 1..=layers {
                let mut layer = (Vec::new(), Vec::new());
                for (row, column) in grid(batch, widths[l]) {
                    let at = At { layer: l, step, row, column };
                    let inputs = &activations[l - 1][row * widths[l - 1]..][..widths[l - 1]];
                    let sum: i64 =
                        inputs.iter().enumerate().map(|(i, x)| x * weights[l - 1][i * widths[l] + column]).sum();
                    let (h, remainder) = cheat.forward(at, sum + (biases[l - 1][column] << scale), bits);
                    store.limbs(remainder, |i| forward_limb(l, i));
                    if l == layers {
                        logits.push(h);
                        continue;
                    }
                    let (value, derivative) = cheat.relu(at, h);
                    store.push(negative(l), value - h);
                    layer.0.push(value);
                    layer.1.push(derivative);
                }
                if l < layers {
                    store.extend(activation(l), &layer.0);
                    store.extend(derivative(l), &layer.1);
                    activations.push(layer.0);
                    derivatives.push(layer.1);
                }
            }
            store.extend(loss(LOGIT), &logits);
            let mut line = Vec::new();
            for (row, logits) in logits.chunks(widths[layers]).enumerate() {
                let real: Vec<i16> = logits[..a.classes()].iter().map(|&h| h as i16).collect();
                let soft = cheat.softmax(At { layer: layers, step, row, column: 0 }, &real, &table, fg);
                store.push(loss(MAXIMUM), i64::from(soft.maximum));
                store.push(loss(SUM), i64::from(soft.sum));
                for (column, &logit) in logits.iter().enumerate() {
                    let at = At { layer: layers, step, row, column };
                    let p = soft.probabilities.get(column).map_or(0, |&p| i64::from(p));
                    // Honest padding has the logit zero.
                    let padded = || table.get(logit.unsigned_abs() as usize).copied().unwrap_or_default();
                    let e = i64::from(soft.exponentials.get(column).copied().unwrap_or_else(padded));
                    let remainder = soft.remainders.get(column).map_or(0, |&r| i64::from(r as i32));
                    let label = self.labels[(step * batch + row) * widths[layers] + column];
                    let g = cheat.loss(at, row < a.live_rows(self.live, step), p, label << fg);
                    store.push(loss(SELECTOR), i64::from(soft.selected == column));
                    store.push(loss(PROBABILITY), p);
                    store.push(loss(EXPONENTIAL), e);
                    store.push(loss(REMAINDER), remainder);
                    line.push(g);
                }
            }
            let mut gradients = vec![line];
            for l in (1..layers).rev() {
                let mut line = Vec::new();
                for (row, column) in grid(batch, widths[l]) {
                    let above = &gradients[0][row * widths[l + 1]..][..widths[l + 1]];
                    let product: i64 =
                        above.iter().zip(&weights[l][column * widths[l + 1]..]).map(|(g, w)| g * w).sum();
                    let masked = product * derivatives[l - 1][row * widths[l] + column];
                    let (g, remainder) = cheat.backward(At { layer: l, step, row, column }, masked, bits);
                    store.wide(backward_product(l), product);
                    store.limbs(remainder, |i| backward_limb(l, i));
                    line.push(g);
                }
                gradients.insert(0, line);
            }
            for (l, values) in (1..).zip(&gradients) {
                store.extend(gradient(l), values);
                let rate = cheat.rate(l, step, i64::from(self.rate));
                for (row, column) in grid(batch, widths[l]) {
                    let g = values[row * widths[l] + column];
                    for (i, x) in activations[l - 1][row * widths[l - 1]..][..widths[l - 1]].iter().enumerate() {
                        weights[l - 1][i * widths[l] + column] -= rate * x * g;
                    }
                    biases[l - 1][column] -= (rate * g) << scale;
                }
            }
        }
        store.parameters(End::Last, &weights, &biases);
        Witness { tensors: store.tensors }
    }
}

/// All pairs of a row and a column, row by row.
fn grid(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

/// Tensors under construction.
#[derive(Default)]
struct Store {
    bits: Vec<u32>,
    tensors: std::collections::BTreeMap<Tensor, Values>,
}

impl Store {
    fn push(&mut self, tensor: Tensor, value: i64) {
        if let Values::Small(list) = self.tensors.entry(tensor).or_insert(Values::Small(vec![])) {
            list.push(value as i32);
        }
    }

    fn wide(&mut self, tensor: Tensor, value: i64) {
        if let Values::Wide(list) = self.tensors.entry(tensor).or_insert(Values::Wide(vec![])) {
            list.push(value);
        }
    }

    fn extend(&mut self, tensor: Tensor, values: &[i64]) {
        values.iter().for_each(|value| self.push(tensor, *value));
    }

    fn limbs(&mut self, remainder: i64, tensor: impl Fn(usize) -> Tensor) {
        let bits = self.bits.clone();
        for (i, limb) in split_limbs(remainder, &bits).enumerate() {
            self.push(tensor(i), limb);
        }
    }

    fn parameters(&mut self, end: End, weights: &[Vec<i64>], biases: &[Vec<i64>]) {
        for (l, (weights, biases)) in (1..).zip(weights.iter().zip(biases)) {
            self.tensors.insert(weight(end, l), Values::Wide(weights.clone()));
            self.tensors.insert(bias(end, l), Values::Wide(biases.clone()));
        }
    }
}
