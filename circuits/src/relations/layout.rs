//! Where each tensor stands in the committed columns.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::program::Tensor;

/// Columns that are committed together, in the order of the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Data of the segment's position in an epoch.
    Data,
    /// Parameters before the first step.
    First,
    /// Parameters after the last step.
    Last,
    /// Everything else that depends on the run.
    Trace,
    /// Public tables, blinding zero.
    Table,
}

/// Where a tensor of `2^vars` entries stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of variables of the tensor.
    pub vars: usize,
    /// First column, counted over all groups.
    pub column: usize,
    /// Which aligned slot of that column, where the tensor is smaller than a column; otherwise zero.
    pub slot: usize,
}

/// The columns of a proof: `2^column_vars` entries each, every tensor whole columns or an aligned slot of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Variables of a column.
    pub column_vars: usize,
    groups: Vec<(Group, Range<usize>)>,
    places: BTreeMap<Tensor, Place>,
}

impl Layout {
    /// Places the tensors of each group, largest first, in columns of their own.
    pub fn new(column_vars: usize, groups: &[(Group, Vec<(Tensor, usize)>)]) -> Self {
        let mut layout = Self { column_vars, groups: Vec::new(), places: BTreeMap::new() };
        let mut column = 0;
        for (group, tensors) in groups {
            let first = column;
            let mut sorted = tensors.clone();
            sorted.sort_by_key(|&(tensor, vars)| (std::cmp::Reverse(vars), tensor));
            // Entries used of the open column; slots stay aligned because sizes only fall.
            let mut used = 0;
            for (tensor, vars) in sorted {
                let place = if vars >= column_vars {
                    let place = Place { vars, column, slot: 0 };
                    column += 1 << (vars - column_vars);
                    place
                } else {
                    if used + (1 << vars) > 1 << column_vars {
                        column += 1;
                        used = 0;
                    }
                    let place = Place { vars, column, slot: used >> vars };
                    used += 1 << vars;
                    place
                };
                layout.places.insert(tensor, place);
            }
            column += usize::from(used > 0);
            layout.groups.push((*group, first..column));
        }
        layout
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.groups.last().map_or(0, |(_, range)| range.end)
    }

    /// Columns of `group`; empty if the proof has no such group.
    pub fn group(&self, group: Group) -> Range<usize> {
        self.groups.iter().find(|(g, _)| *g == group).map_or(0..0, |(_, range)| range.clone())
    }

    /// Where `tensor` stands, if it is committed.
    pub fn place(&self, tensor: Tensor) -> Option<Place> {
        self.places.get(&tensor).copied()
    }

    /// All committed tensors with their places.
    pub fn places(&self) -> impl Iterator<Item = (Tensor, Place)> + '_ {
        self.places.iter().map(|(&tensor, &place)| (tensor, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Role;

    const ROLE: Role = Role::new(0, "test");

    #[test]
    fn slots_do_not_overlap() {
        let tensors = vec![(ROLE.at(0), 6), (ROLE.at(1), 3), (ROLE.at(2), 1), (ROLE.at(3), 3)];
        let layout = Layout::new(4, &[(Group::Data, tensors.clone()), (Group::Trace, vec![(ROLE.at(4), 4)])]);
        let mut taken = std::collections::BTreeSet::new();
        for (_, place) in layout.places() {
            for entry in 0..1usize << place.vars {
                let at = (place.column << 4) + (place.slot << place.vars) + entry;
                assert!(taken.insert(at), "entry {at} is taken twice");
            }
        }
        assert_eq!(layout.group(Group::Data), 0..6);
        assert_eq!(layout.columns(), 7);
    }
}
