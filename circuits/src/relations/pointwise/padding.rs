//! A tensor is zero outside of a mask.

use super::super::mask::Mask;
use super::super::tensor::Tensor;
use super::relation::{Relation, outside};
use crate::field::algebra::Algebra;
use crate::network::architecture::Architecture;

/// `(1 - κ)·x`: a tensor is zero on padded columns.
pub(super) struct ColumnPadding {
    /// The tensor.
    pub tensor: Tensor,
    /// Variables of its rows.
    pub row_vars: usize,
    /// The layer whose neurons are its columns.
    pub layer: usize,
}

impl Relation<1, 1, 1> for ColumnPadding {
    fn vars(&self, architecture: &Architecture) -> (usize, usize) {
        let columns = architecture.width_vars(self.layer);
        (self.row_vars + columns, columns)
    }

    fn tensors(&self, _: &Architecture) -> [(Tensor, bool); 1] {
        [(self.tensor, false)]
    }

    fn masks(&self, architecture: &Architecture) -> [Mask; 1] {
        [Mask::Columns(architecture.widths[self.layer])]
    }

    fn values<A: Algebra>(
        &self,
        algebra: &mut A,
        _: &Architecture,
        [x]: &[A::Element; 1],
        [columns]: &[A::Element; 1],
    ) -> [A::Element; 1] {
        [outside(algebra, columns, x)]
    }
}

/// `(1 - κ·μ)·x`: a tensor is zero on padded rows and columns.
pub(super) struct Padding {
    /// Its columns.
    pub columns: ColumnPadding,
    /// The rows that are not padded.
    pub rows: Mask,
}

impl Relation<1, 2, 1> for Padding {
    fn vars(&self, architecture: &Architecture) -> (usize, usize) {
        self.columns.vars(architecture)
    }

    fn tensors(&self, architecture: &Architecture) -> [(Tensor, bool); 1] {
        self.columns.tensors(architecture)
    }

    fn masks(&self, architecture: &Architecture) -> [Mask; 2] {
        let [columns] = self.columns.masks(architecture);
        [columns, self.rows]
    }

    fn values<A: Algebra>(
        &self,
        algebra: &mut A,
        _: &Architecture,
        [x]: &[A::Element; 1],
        [columns, rows]: &[A::Element; 2],
    ) -> [A::Element; 1] {
        let mask = algebra.mul(columns, rows);
        [outside(algebra, &mask, x)]
    }
}
