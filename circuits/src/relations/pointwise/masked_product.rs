//! The gradient through ReLU.

use super::super::mask::Mask;
use super::super::tensor::Tensor;
use super::relation::Relation;
use crate::field::algebra::Algebra;
use crate::network::architecture::Architecture;

/// `m_l ⊙ V_l`, whose claim comes from the rounding of `G_l`.
pub(super) struct MaskedProduct {
    /// The hidden layer.
    pub layer: usize,
}

impl Relation<2, 0, 1> for MaskedProduct {
    fn vars(&self, architecture: &Architecture) -> (usize, usize) {
        let columns = architecture.width_vars(self.layer);
        (architecture.sample_vars() + columns, columns)
    }

    fn tensors(&self, _: &Architecture) -> [(Tensor, bool); 2] {
        [(Tensor::Derivative(self.layer), false), (Tensor::BackwardProduct(self.layer), false)]
    }

    fn masks(&self, _: &Architecture) -> [Mask; 0] {
        []
    }

    fn values<A: Algebra>(
        &self,
        algebra: &mut A,
        _: &Architecture,
        [derivative, product]: &[A::Element; 2],
        _: &[A::Element; 0],
    ) -> [A::Element; 1] {
        [algebra.mul(derivative, product)]
    }
}
