//! The primitives of each of the three proofs, their tensors in columns and their look-ups in a tree.

mod contents;
mod layout;
mod registration;
mod tree;

pub use layout::{Group, Layout, Place};
pub use registration::{PARAMETER_LIMB_BITS, PARAMETER_LIMBS, parameter_limbs};
pub use tree::{Evaluated, Slot, Tree};

use contents::Contents;

use crate::architecture::Architecture;
use crate::program::{Claimed, Computation, Identity, Parameter, Pointwise, Program, Schedule, Sum, Tensor};

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

/// Everything that is fixed about a proof: its tensors and their columns, its look-ups, its relations.
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
    /// What holds at the leaf point.
    pub identities: Vec<Identity>,
    /// Products with what is added to them.
    pub sums: Vec<Sum>,
    /// The parameters that they read.
    pub parameters: Vec<Parameter>,
    /// In which order products and updates are asked for.
    pub schedule: Schedule,
}

impl Relations {
    /// The relations of `subject` for an architecture, in columns of `2^column_vars` entries.
    pub fn new(subject: Subject, architecture: &Architecture, column_vars: usize) -> Self {
        let (graph, segment) = (architecture.graph(), architecture.program());
        let samples = architecture.sample_vars();
        let Contents { program, mut groups } = match subject {
            Subject::Segment => {
                let ends = |end: usize| {
                    segment.parameters.iter().map(move |parameter| (parameter.ends[end], parameter.vars()))
                };
                let groups = vec![
                    (Group::Data, graph.data(samples)),
                    (Group::First, ends(0).collect()),
                    (Group::Last, ends(1).collect()),
                    (Group::Trace, segment.committed.clone()),
                ];
                Contents { program: segment.clone(), groups }
            }
            Subject::Data => registration::data(graph, samples),
            Subject::Parameters => registration::parameters(segment),
        };
        let Program { lookups, pointwise, identities, sums, parameters, .. } = program;
        let tree = Tree::new(lookups);
        let known: Vec<Tensor> = groups.iter().flat_map(|(_, tensors)| tensors).map(|(tensor, _)| *tensor).collect();
        let new =
            tree.tensors.iter().map(|part| (part.tensor, part.vars)).filter(|(tensor, _)| !known.contains(tensor));
        let (tables, multiplicities): (Vec<_>, Vec<_>) = new.partition(|(tensor, _)| tensor.is_table());
        if let Some((_, trace)) = groups.iter_mut().find(|(group, _)| *group == Group::Trace) {
            trace.extend(multiplicities);
        }
        if !tables.is_empty() {
            groups.push((Group::Table, tables));
        }
        let layout = Layout::new(column_vars, &groups);
        let schedule = Schedule::new(&sums, &parameters);
        let architecture = architecture.clone();
        Self { subject, architecture, layout, tree, pointwise, identities, sums, parameters, schedule }
    }

    /// True for parameters and sums, which have more than 32 bits.
    pub fn is_wide(&self, tensor: Tensor) -> bool {
        let ends =
            |group| self.layout.place(tensor).is_some_and(|place| self.layout.group(group).contains(&place.column));
        ends(Group::First) || ends(Group::Last) || self.is_sum(tensor)
    }

    /// True for a [`Sum`] that the pointwise relations name: it is not committed.
    pub fn is_sum(&self, tensor: Tensor) -> bool {
        self.sums.iter().any(|sum| sum.tensor == tensor && sum.claimed == Claimed::Operand)
    }
}

/// Column size that suits core proofs of a segment of this shape: short columns, cheap opening; a few hundred of them.
pub fn default_column_vars(architecture: &Architecture) -> usize {
    // About eight tensors for each hidden activation, and the input.
    let program = architecture.program();
    let rounded = program.computations[..program.forward].iter().filter_map(|computation| match computation {
        Computation::Round(round) => Some(round.columns.next_power_of_two()),
        _ => None,
    });
    // The last are the logits.
    let hidden: usize = rounded.rev().skip(1).sum();
    let entries = architecture.samples() * (8 * hidden + architecture.inputs().next_power_of_two());
    (entries.ilog2() as usize).saturating_sub(9).clamp(10, 18)
}
