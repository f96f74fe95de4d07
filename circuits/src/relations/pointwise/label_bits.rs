//! Registered labels are one-hot but for their sum.

use super::super::mask::Mask;
use super::super::tensor::Tensor;
use super::relation::{Relation, bit, outside};
use crate::field::algebra::Algebra;
use crate::network::architecture::Architecture;

/// Labels are bits, zero on padded classes: `y² - y` and `(1 - κ)·y`.
pub(super) struct LabelBits;

impl Relation<1, 1, 2> for LabelBits {
    fn vars(&self, architecture: &Architecture) -> (usize, usize) {
        let columns = architecture.width_vars(architecture.layers());
        (architecture.sample_vars() + columns, columns)
    }

    fn tensors(&self, _: &Architecture) -> [(Tensor, bool); 1] {
        [(Tensor::Labels, false)]
    }

    fn masks(&self, architecture: &Architecture) -> [Mask; 1] {
        [Mask::Columns(architecture.classes())]
    }

    fn values<A: Algebra>(
        &self,
        algebra: &mut A,
        _: &Architecture,
        [y]: &[A::Element; 1],
        [classes]: &[A::Element; 1],
    ) -> [A::Element; 2] {
        [bit(algebra, y), outside(algebra, classes, y)]
    }
}
