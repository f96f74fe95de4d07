//! Products of a dense layer on the processor's cores.
//!
//! Weights are stored as panels of [`LANES`] columns, so that every product reads them contiguously. While they fit in 32
//! bits, which is the rule (`2^31 · 2^-28 = 8`), panels are packed to 32 bits and a product is one instruction for four
//! weights (`vpmuldq`); wider weights take the slower path of 64-bit products. An update sums products of 16 bits in 32 bits
//! as long as the operands' largest values allow, eight lanes to a register, before it adds them to 64 bits.

use rayon::prelude::*;

use super::panels::{LANES, Lanes, Sparse, Word, accumulate_short, multiply};
use super::reference::update_biases;
use super::{Dense, DenseShape, KernelError, Kernels};

/// Weight rows of an update task.
const UPDATE_ROWS: usize = 64;

/// Blocked kernels on all threads of the current rayon pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

struct Layer {
    shape: DenseShape,
    /// Weight `(i, j)` is `weights[(j / LANES)·inputs + i][j % LANES]`; lanes beyond the last column are zero.
    weights: Vec<Lanes<i64>>,
    biases: Vec<i64>,
    extremes: Extremes,
}

/// Smallest and largest weight.
#[derive(Clone, Copy, Default)]
struct Extremes {
    least: i64,
    most: i64,
}

impl Extremes {
    #[inline(always)]
    fn include(&mut self, value: i64) {
        self.least = self.least.min(value);
        self.most = self.most.max(value);
    }

    fn merge(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }

    fn magnitude(self) -> u64 {
        self.least.unsigned_abs().max(self.most.unsigned_abs())
    }

    /// True if every weight fits in 32 bits.
    fn narrow(self) -> bool {
        i32::try_from(self.least).is_ok() && i32::try_from(self.most).is_ok()
    }
}

impl Kernels for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn dense(&self, shape: DenseShape, weights: &[i64], biases: &[i64]) -> Result<Box<dyn Dense>, KernelError> {
        shape.expect_parameters(weights, biases)?;
        let mut panels = vec![[0; LANES]; shape.outputs.div_ceil(LANES) * shape.inputs];
        let mut extremes = Extremes::default();
        for (i, row) in weights.chunks_exact(shape.outputs).enumerate() {
            for (p, values) in row.chunks(LANES).enumerate() {
                panels[p * shape.inputs + i][..values.len()].copy_from_slice(values);
                values.iter().for_each(|&w| extremes.include(w));
            }
        }
        Ok(Box::new(Layer { shape, weights: panels, biases: biases.to_vec(), extremes }))
    }
}

impl Layer {
    fn forward_as<W: Word>(&self, left: &Sparse, start: &[Lanes<i64>], product: &mut [i64]) {
        let inputs = self.shape.inputs;
        let pack = |p: usize| self.weights[p * inputs..][..inputs].iter().map(|w| w.map(W::of)).collect();
        multiply::<W>(left, start, pack, product, self.shape.outputs);
    }

    fn backward_as<W: Word>(&self, left: &Sparse, product: &mut [i64]) {
        let DenseShape { inputs, outputs, .. } = self.shape;
        let start = vec![[0; LANES]; inputs.div_ceil(LANES)];
        let pack = |q: usize| {
            let mut panel = vec![[W::default(); LANES]; outputs];
            for (p, columns) in panel.chunks_mut(LANES).enumerate() {
                let rows = q * LANES..((q + 1) * LANES).min(inputs);
                for (lane, weights) in self.weights[p * inputs..][rows].iter().enumerate() {
                    for (column, &weight) in columns.iter_mut().zip(weights) {
                        column[lane] = W::of(weight);
                    }
                }
            }
            panel
        };
        multiply::<W>(left, &start, pack, product, inputs);
    }

    /// Row-major index of a lane of `weights`.
    fn index(&self, line: usize, lane: usize) -> usize {
        let (p, i) = (line / self.shape.inputs, line % self.shape.inputs);
        i * self.shape.outputs + p * LANES + lane
    }
}

/// Splits a row-major matrix into panels, one after the other.
fn panels_of(matrix: &[i16], columns: usize) -> Vec<Lanes<i16>> {
    let rows = matrix.len() / columns;
    let mut panels = vec![[0; LANES]; columns.div_ceil(LANES) * rows];
    for (r, row) in matrix.chunks_exact(columns).enumerate() {
        for (p, values) in row.chunks(LANES).enumerate() {
            panels[p * rows + r][..values.len()].copy_from_slice(values);
        }
    }
    panels
}

fn largest(values: &[i16]) -> usize {
    values.iter().fold(0, |most, value| most.max(value.unsigned_abs())).into()
}

/// `weights - rate·sums`; false if a lane overflows. `bounded`: the caller knows that `rate·sums` does not.
#[inline(always)]
fn subtract(weights: &mut Lanes<i64>, sums: &Lanes<i64>, rate: i64, bounded: bool, extremes: &mut Extremes) -> bool {
    if !bounded && sums.iter().any(|sum| sum.checked_mul(rate).is_none()) {
        return false;
    }
    let mut overflow = 0;
    for (weight, sum) in weights.iter_mut().zip(sums) {
        let change = sum.wrapping_mul(rate);
        let next = weight.wrapping_sub(change);
        // The sign of a difference is wrong only if the operands differ in sign and the result differs from the first.
        overflow |= (*weight ^ change) & (*weight ^ next);
        extremes.include(next);
        *weight = next;
    }
    overflow >= 0
}

impl Dense for Layer {
    fn magnitude(&self) -> u64 {
        self.biases.iter().map(|b| b.unsigned_abs()).fold(self.extremes.magnitude(), u64::max)
    }

    fn forward(&mut self, input: &[i16], product: &mut [i64]) -> Result<(), KernelError> {
        self.shape.expect_rows(("input", input.len()), ("product", product.len()))?;
        let left = Sparse::rows(input, self.shape.inputs);
        let mut start = vec![[0; LANES]; self.shape.outputs.div_ceil(LANES)];
        for (lanes, biases) in start.iter_mut().zip(self.biases.chunks(LANES)) {
            for (lane, bias) in lanes.iter_mut().zip(biases) {
                *lane = bias.wrapping_mul(1 << self.shape.activation_bits);
            }
        }
        if self.extremes.narrow() {
            self.forward_as::<i32>(&left, &start, product);
        } else {
            self.forward_as::<i64>(&left, &start, product);
        }
        Ok(())
    }

    fn backward(&mut self, gradient: &[i16], product: &mut [i64]) -> Result<(), KernelError> {
        self.shape.expect_rows(("product", product.len()), ("gradient", gradient.len()))?;
        let left = Sparse::rows(gradient, self.shape.outputs);
        if self.extremes.narrow() {
            self.backward_as::<i32>(&left, product);
        } else {
            self.backward_as::<i64>(&left, product);
        }
        Ok(())
    }

    fn update(&mut self, input: &[i16], gradient: &[i16], rate: u32) -> Result<(), KernelError> {
        let DenseShape { inputs, outputs, activation_bits } = self.shape;
        let rows = self.shape.expect_rows(("input", input.len()), ("gradient", gradient.len()))?;
        if rows == 0 {
            return Ok(());
        }
        let left = Sparse::columns(input, inputs);
        let right = panels_of(gradient, outputs);
        // A product has at most 31 bits with its sign, so that a burst is at least one.
        let burst = (i32::MAX as usize / (largest(input) * largest(gradient)).max(1)).max(1);
        // |sums| ≤ rows·2^30.
        let bounded = u64::from(rate).saturating_mul(rows as u64) <= 1 << 32;
        let task = |p: usize, first: usize, lines: &mut [Lanes<i64>]| {
            let panel = &right[p * rows..][..rows];
            let mut extremes = Extremes::default();
            for (offset, weights) in lines.iter_mut().enumerate() {
                let sums = accumulate_short(left.row(first + offset), panel, burst);
                let before = *weights;
                if !subtract(weights, &sums, i64::from(rate), bounded, &mut extremes) {
                    let lane = (0..LANES).find(|&lane| {
                        let change = sums[lane].checked_mul(i64::from(rate));
                        change.and_then(|change| before[lane].checked_sub(change)).is_none()
                    });
                    return Err((p * inputs + first + offset, lane.unwrap_or(0)));
                }
            }
            Ok(extremes)
        };
        let updated = self
            .weights
            .par_chunks_mut(inputs)
            .enumerate()
            .flat_map(|(p, panel)| {
                panel.par_chunks_mut(UPDATE_ROWS).enumerate().map(move |(block, lines)| (p, block * UPDATE_ROWS, lines))
            })
            .map(|(p, first, lines)| task(p, first, lines))
            .try_reduce(Extremes::default, |a, b| Ok(a.merge(b)));
        self.extremes = updated
            .map_err(|(line, lane)| KernelError::Overflow { parameter: "weight", index: self.index(line, lane) })?;
        update_biases(&mut self.biases, gradient, rate, activation_bits)
    }

    fn read(&self, weights: &mut [i64], biases: &mut [i64]) -> Result<(), KernelError> {
        self.shape.expect_parameters(weights, biases)?;
        for (i, row) in weights.chunks_exact_mut(self.shape.outputs).enumerate() {
            for (p, values) in row.chunks_mut(LANES).enumerate() {
                values.copy_from_slice(&self.weights[p * self.shape.inputs + i][..values.len()]);
            }
        }
        biases.copy_from_slice(&self.biases);
        Ok(())
    }
}
