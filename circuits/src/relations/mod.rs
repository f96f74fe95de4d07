//! Which tensors, look-ups and pointwise relations make up each of the three proofs.

mod contents;
mod layout;
mod lookup;
mod mask;
mod pointwise;
mod publics;
mod registration;
mod segment;
mod table;
mod tensor;

pub use layout::{Group, Layout, Place};
pub use lookup::{Evaluated, Expression, LookUp, Slot, Spread, Tree};
pub use mask::Mask;
pub use pointwise::{Pointwise, PointwiseShape};
pub use publics::{LiveBits, Publics};
pub use registration::{PARAMETER_LIMB_BITS, PARAMETER_LIMBS};
pub use table::{KEY_VARS, Table};
pub use tensor::{End, Tensor, data_tensors, parameter_tensors};

use crate::network::architecture::Architecture;
use contents::Contents;

/// What a proof is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The steps of one segment were done right.
    Segment,
    /// The data of one position of an epoch are in range, padded with zeros and labelled one-hot.
    Data,
    /// The first parameters are in range and padded with zeros.
    Parameters,
}

/// Everything that is fixed about a proof: its tensors and their columns, its look-ups, its pointwise relations.
#[derive(Clone, Debug)]
pub struct Relations {
    /// What is proved.
    pub subject: Subject,
    /// The shape.
    pub architecture: Architecture,
    /// Where the tensors stand.
    pub layout: Layout,
    /// The look-ups.
    pub tree: Tree,
    /// The pointwise relations, in the order of their challenges.
    pub pointwise: Vec<Pointwise>,
}

impl Relations {
    /// The relations of `subject` for an architecture, in columns of `2^column_vars` entries.
    pub fn new(subject: Subject, architecture: &Architecture, column_vars: usize) -> Self {
        let Contents { lookups, pointwise, mut groups } = match subject {
            Subject::Segment => segment::segment(architecture),
            Subject::Data => registration::data(architecture),
            Subject::Parameters => registration::parameters(architecture),
        };
        let tree = Tree::new(lookups);
        let known: Vec<Tensor> = groups.iter().flat_map(|(_, tensors)| tensors).map(|(tensor, _)| *tensor).collect();
        let new =
            tree.tensors.iter().map(|part| (part.tensor, part.vars)).filter(|(tensor, _)| !known.contains(tensor));
        let (tables, multiplicities): (Vec<_>, Vec<_>) =
            new.partition(|(tensor, _)| *tensor == Tensor::ExponentialTable);
        if let Some((_, trace)) = groups.iter_mut().find(|(group, _)| *group == Group::Trace) {
            trace.extend(multiplicities);
        }
        if !tables.is_empty() {
            groups.push((Group::Table, tables));
        }
        let layout = Layout::new(column_vars, &groups);
        Self { subject, architecture: architecture.clone(), layout, tree, pointwise }
    }
}

/// Column size that suits core proofs of a segment of this shape: short columns, cheap opening; a few hundred of them.
pub fn default_column_vars(architecture: &Architecture) -> usize {
    // About eight tensors for each hidden activation, and the input.
    let hidden: usize = (1..architecture.layers()).map(|l| architecture.padded_width(l)).sum();
    let entries = architecture.samples() * (8 * hidden + architecture.padded_width(0));
    (entries.ilog2() as usize).saturating_sub(9).clamp(10, 18)
}
