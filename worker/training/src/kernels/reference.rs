//! The products of a dense layer as written in the definition: the oracle of every fast kernel.

use super::{Dense, DenseShape, KernelError, Kernels};

/// Naive loops on one thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

struct Layer {
    shape: DenseShape,
    weights: Vec<i64>,
    biases: Vec<i64>,
}

impl Kernels for Reference {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn dense(&self, shape: DenseShape, weights: &[i64], biases: &[i64]) -> Result<Box<dyn Dense>, KernelError> {
        shape.expect_parameters(weights, biases)?;
        Ok(Box::new(Layer { shape, weights: weights.to_vec(), biases: biases.to_vec() }))
    }
}

impl Dense for Layer {
    fn magnitude(&self) -> u64 {
        self.weights.iter().chain(&self.biases).map(|w| w.unsigned_abs()).max().unwrap_or(0)
    }

    fn forward(&mut self, input: &[i16], product: &mut [i64]) -> Result<(), KernelError> {
        let DenseShape { inputs, outputs, activation_bits } = self.shape;
        let rows = self.shape.expect_rows(("input", input.len()), ("product", product.len()))?;
        for (r, j) in (0..rows).flat_map(|r| (0..outputs).map(move |j| (r, j))) {
            let bias = self.biases[j].wrapping_mul(1 << activation_bits);
            product[r * outputs + j] = (0..inputs).fold(bias, |sum, i| {
                sum.wrapping_add(i64::from(input[r * inputs + i]).wrapping_mul(self.weights[i * outputs + j]))
            });
        }
        Ok(())
    }

    fn backward(&mut self, gradient: &[i16], product: &mut [i64]) -> Result<(), KernelError> {
        let DenseShape { inputs, outputs, .. } = self.shape;
        let rows = self.shape.expect_rows(("product", product.len()), ("gradient", gradient.len()))?;
        for (r, i) in (0..rows).flat_map(|r| (0..inputs).map(move |i| (r, i))) {
            product[r * inputs + i] = (0..outputs).fold(0i64, |sum, j| {
                sum.wrapping_add(i64::from(gradient[r * outputs + j]).wrapping_mul(self.weights[i * outputs + j]))
            });
        }
        Ok(())
    }

    fn update(&mut self, input: &[i16], gradient: &[i16], rate: u32) -> Result<(), KernelError> {
        let DenseShape { inputs, outputs, activation_bits } = self.shape;
        let rows = self.shape.expect_rows(("input", input.len()), ("gradient", gradient.len()))?;
        for (index, weight) in self.weights.iter_mut().enumerate() {
            let (i, j) = (index / outputs, index % outputs);
            let sum: i64 =
                (0..rows).map(|r| i64::from(input[r * inputs + i]) * i64::from(gradient[r * outputs + j])).sum();
            let change = sum.checked_mul(i64::from(rate));
            *weight = change
                .and_then(|change| weight.checked_sub(change))
                .ok_or(KernelError::Overflow { parameter: "weight", index })?;
        }
        update_biases(&mut self.biases, gradient, rate, activation_bits)
    }

    fn read(&self, weights: &mut [i64], biases: &mut [i64]) -> Result<(), KernelError> {
        self.shape.expect_parameters(weights, biases)?;
        weights.copy_from_slice(&self.weights);
        biases.copy_from_slice(&self.biases);
        Ok(())
    }
}

/// `b ← b - rate·2^activation_bits·Σ_rows G`.
pub(super) fn update_biases(
    biases: &mut [i64],
    gradient: &[i16],
    rate: u32,
    activation_bits: u32,
) -> Result<(), KernelError> {
    let mut sums = vec![0i64; biases.len()];
    for row in gradient.chunks_exact(biases.len()) {
        for (sum, &g) in sums.iter_mut().zip(row) {
            *sum += i64::from(g);
        }
    }
    let factor = i64::from(rate) << activation_bits;
    for (index, (bias, sum)) in biases.iter_mut().zip(sums).enumerate() {
        *bias = factor
            .checked_mul(sum)
            .and_then(|change| bias.checked_sub(change))
            .ok_or(KernelError::Overflow { parameter: "bias", index })?;
    }
    Ok(())
}
