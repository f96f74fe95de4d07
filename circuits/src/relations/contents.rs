//! What a proof is made of, before its tensors have places.

use super::layout::Group;
use crate::program::{Program, Tensor};

/// The primitives of a proof, and its tensors.
pub(super) struct Contents {
    /// The primitives.
    pub program: Program,
    /// The tensors of each group with their variables.
    pub groups: Vec<(Group, Vec<(Tensor, usize)>)>,
}
