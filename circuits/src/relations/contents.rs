//! What a proof is made of, before its tensors have places.

use super::layout::Group;
use super::lookup::LookUp;
use super::pointwise::Pointwise;
use super::tensor::Tensor;

/// The look-ups, pointwise relations and committed tensors of a proof.
pub(super) struct Contents {
    /// What is looked up.
    pub lookups: Vec<LookUp>,
    /// What holds entry by entry, in the order of the challenges.
    pub pointwise: Vec<Pointwise>,
    /// The tensors of each group with their variables.
    pub groups: Vec<(Group, Vec<(Tensor, usize)>)>,
}
