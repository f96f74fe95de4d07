//! What a pointwise relation says of itself.

use super::super::mask::Mask;
use super::super::tensor::Tensor;
use crate::field::algebra::Algebra;
use crate::network::architecture::Architecture;

/// A relation between `T` tensors and `M` public masks: `N` polynomials of degree two that are zero at every entry of
/// (sample, column).
///
/// The three numbers are part of the type, so that a formula that takes another number of tensors, or gives another number of
/// values, does not compile.
pub(super) trait Relation<const T: usize, const M: usize, const N: usize> {
    /// Variables of (sample, column) and of the column alone.
    fn vars(&self, architecture: &Architecture) -> (usize, usize);
    /// Its tensors; true for one that has a value a sample.
    fn tensors(&self, architecture: &Architecture) -> [(Tensor, bool); T];
    /// Its public masks.
    fn masks(&self, architecture: &Architecture) -> [Mask; M];
    /// The values of the polynomials from those of the tensors and masks at any point.
    fn values<A: Algebra>(
        &self,
        algebra: &mut A,
        architecture: &Architecture,
        tensors: &[A::Element; T],
        masks: &[A::Element; M],
    ) -> [A::Element; N];
}

/// `x² - x`: zero for bits.
pub(super) fn bit<A: Algebra>(algebra: &mut A, x: &A::Element) -> A::Element {
    let square = algebra.mul(x, x);
    algebra.sub(&square, x)
}

/// `(1 - mask)·x`: what stands outside of the mask.
pub(super) fn outside<A: Algebra>(algebra: &mut A, mask: &A::Element, x: &A::Element) -> A::Element {
    let kept = algebra.mul(mask, x);
    algebra.sub(x, &kept)
}
