//! The leaves of the look-ups, by reference.

use ark_bn254::Fr;
use rayon::prelude::*;

use crate::kernels::packed::{LANES, Packed, Single};

/// Denominators of look-ups. There are few different ones, so that each stands once and is referred to.
#[derive(Default)]
pub struct Leaves {
    /// For each leaf, which value; whole groups.
    rows: Vec<u32>,
    values: Vec<Single>,
}

impl Leaves {
    /// Whole groups of leaves, each a row of `values`.
    pub fn new(rows: Vec<u32>, values: &[Fr]) -> Self {
        Self { rows, values: values.par_iter().map(|&value| Single::from(value)).collect() }
    }

    /// Number of groups of [`LANES`] leaves.
    pub fn groups(&self) -> usize {
        self.rows.len() / LANES
    }

    /// Group `g`.
    #[inline]
    pub fn group(&self, g: usize) -> Packed {
        let rows = &self.rows[LANES * g..LANES * (g + 1)];
        Packed::gather(std::array::from_fn(|lane| &self.values[rows[lane] as usize]))
    }

    /// The leaves plus `shift`.
    pub fn shifted(self, shift: Fr) -> Self {
        let values = self.values.par_iter().map(|value| Single::from(Fr::from(value) + shift)).collect();
        Self { rows: self.rows, values }
    }
}
