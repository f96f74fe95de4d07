//! The cube of all indices, bit by bit. The first coordinate of a point belongs to the most significant bit of an index.

use ark_bn254::Fr;
use ark_ff::{One, Zero};
use gradproof_circuits::program::Tensor;

use crate::witness::Witness;

/// The bits of `index`, most significant first, as field elements.
pub fn corner(index: usize, vars: usize) -> Vec<Fr> {
    (0..vars).rev().map(|i| Fr::from((index >> i & 1) as u64)).collect()
}

/// `eq(point, index) = Π (x_i where bit i is set, else 1 - x_i)`.
pub fn eq(point: &[Fr], index: usize) -> Fr {
    let mut product = Fr::one();
    for (i, x) in point.iter().rev().enumerate() {
        product *= if index >> i & 1 == 1 { *x } else { Fr::one() - x };
    }
    product
}

/// `LT(index, point) = Σ_t [index < t]·eq(point, t)`.
pub fn less_than(index: usize, point: &[Fr]) -> Fr {
    (index + 1..1 << point.len()).map(|t| eq(point, t)).sum()
}

/// The multilinear extension of `values` at `point`: `Σ_i eq(point, i)·values[i]`.
pub fn extension(values: &[Fr], point: &[Fr]) -> Fr {
    values.iter().enumerate().map(|(i, value)| eq(point, i) * value).sum()
}

/// The entries of a tensor as field elements; zeros, `2^vars` of them, where the witness lacks it.
pub fn tensor(witness: &Witness, tensor: Tensor, vars: usize) -> Vec<Fr> {
    match witness.tensors.get(&tensor) {
        Some(values) => (0..values.len()).map(|i| Fr::from(values.get(i))).collect(),
        None => vec![Fr::zero(); 1 << vars],
    }
}
