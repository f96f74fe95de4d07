//! Tables of field elements over the cube, bound variable by variable.

use ark_bn254::Fr;
use ark_ff::Field;
use rayon::prelude::*;

/// Entries made by one task.
const CHUNK: usize = 1 << 11;

/// The table with its lowest variable bound to `r`.
pub fn bound(table: &[Fr], r: Fr) -> Vec<Fr> {
    (0..table.len() / 2)
        .into_par_iter()
        .with_min_len(CHUNK)
        .map(|i| table[2 * i] + r * (table[2 * i + 1] - table[2 * i]))
        .collect()
}

/// The two coefficients that a round with a common `eq` sends, from `q(0)` and the leading coefficient.
///
/// `claim = q(0) + w·(a1 + a2)` gives `a1`.
pub fn linear_form(claim: Fr, w: Fr, at_zero: Fr, leading: Fr) -> Vec<Fr> {
    let slope = (claim - at_zero) * w.inverse().unwrap_or_default() - leading;
    vec![slope, leading]
}
