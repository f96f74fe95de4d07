//! The tensors of a proof.

use std::fmt::{Debug, Display, Formatter};

use super::table::Table;

/// An end of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// Before the first step.
    First,
    /// After the last step.
    Last,
}

/// What a tensor is to the operator that declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role {
    order: u8,
    name: &'static str,
}

impl Role {
    /// A role; of tensors of one size, those with the smaller `order` stand first in the columns.
    pub const fn new(order: u8, name: &'static str) -> Self {
        Self { order, name }
    }

    /// The tensor with this role at a node.
    pub fn at(self, node: usize) -> Tensor {
        self.part(node, 0)
    }

    /// One of several tensors with this role at a node.
    pub fn part(self, node: usize, part: usize) -> Tensor {
        Tensor { role: self, node: node as u32, part: part as u32 }
    }

    /// The role of the limbs of a parameter with this role, for its registration.
    pub const fn limb(self) -> Self {
        Self { order: self.order + 18, name: self.name }
    }

    /// The tensor with this role at an end of the segment.
    pub fn end(self, node: usize, end: End) -> Tensor {
        self.part(node, end as usize)
    }
}

/// A multilinear polynomial that the proof speaks of: opaque, but for its name in messages.
///
/// Shapes are (step, row, column) with padded sizes, or (step, row), or those of a parameter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tensor {
    role: Role,
    node: u32,
    part: u32,
}

/// Input rows of the graph.
pub const INPUT: Role = Role::new(0, "input");
/// Labels, one-hot.
pub const LABELS: Role = Role::new(1, "labels");
/// How often each key of a table is looked up.
pub const MULTIPLICITY: Role = Role::new(18, "multiplicity");
/// Values of a table that no formula gives; public.
pub const COLUMN: Role = Role::new(19, "table");

impl Table {
    /// The tensor that holds the values, where they are a public column.
    pub fn column(&self) -> Option<Tensor> {
        (*self == Self::Exponential).then(|| COLUMN.part(0, self.number() as usize))
    }
}

impl Tensor {
    /// Input rows of the graph.
    pub fn input() -> Self {
        INPUT.at(0)
    }

    /// Labels, one-hot.
    pub fn labels() -> Self {
        LABELS.at(0)
    }

    /// How often each key of a table is looked up.
    pub fn multiplicity(table: Table) -> Self {
        MULTIPLICITY.part(0, table.number() as usize)
    }

    /// True for the values of a table.
    pub fn is_table(&self) -> bool {
        self.role == COLUMN
    }

    /// What it is to its operator.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Which of several with this role at its node.
    pub fn index(&self) -> usize {
        self.part as usize
    }

    /// The node that it belongs to.
    pub fn node(&self) -> usize {
        self.node as usize
    }
}

impl Display for Tensor {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}.{}", self.role.name, self.node, self.part)
    }
}

impl Debug for Tensor {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        Display::fmt(self, f)
    }
}
