//! Sums of integers times field elements: each integer as a field element, one multiplication a term.

use ark_bn254::Fr;

/// `Σ weights[i]·values[i]`.
pub fn dot<V: Copy + Into<i64>>(weights: &[Fr], values: &[V]) -> Fr {
    weights.iter().zip(values).map(|(weight, value)| Fr::from((*value).into()) * weight).sum()
}

/// `Σ_column values[row][column]·weights[column]` for every row.
pub fn fold_columns<V: Copy + Into<i64>>(values: &[V], width: usize, weights: &[Fr]) -> Vec<Fr> {
    values.chunks(width).map(|row| dot(weights, row)).collect()
}

/// `Σ_row weights[row]·values[row][column]` for every column.
pub fn fold_rows<V: Copy + Into<i64>>(values: &[V], width: usize, weights: &[Fr]) -> Vec<Fr> {
    let column = |c: usize| values.chunks(width).map(|row| row[c]).collect::<Vec<V>>();
    (0..width).map(|c| dot(weights, &column(c))).collect()
}

/// `target[i] + weight·values[i]`.
pub fn accumulated<V: Copy + Into<i64>>(target: &[Fr], weight: Fr, values: &[V]) -> Vec<Fr> {
    target.iter().zip(values).map(|(target, value)| *target + weight * Fr::from((*value).into())).collect()
}
