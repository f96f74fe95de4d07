//! The tree of fractions that holds all look-ups.

use crate::field::check::{Check, Rejection};
use crate::program::{LookUp, Spread, Table, Tensor};

/// A leaf range of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// First leaf; a multiple of the size.
    pub offset: usize,
    /// Variables of the slot.
    pub vars: usize,
}

/// The batched tree: which leaves hold what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Look-ups, largest first, without gaps from leaf zero.
    pub lookups: Vec<(LookUp, Slot)>,
    /// Tables, after the look-ups.
    pub tables: Vec<(Table, Slot)>,
    /// Variables of the leaves; leaves outside of any slot are `0 / 1`.
    pub vars: usize,
    /// Tensors whose evaluations the leaves need, each once.
    pub tensors: Vec<Evaluated>,
}

/// A tensor that the leaves need, and the part of the leaf point where it is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// The tensor.
    pub tensor: Tensor,
    /// Its variables.
    pub vars: usize,
    /// Trailing coordinates of the leaf point that it does not have: the column's, for one value a sample.
    pub skipped: usize,
}

impl Evaluated {
    /// The part of the leaf point `point`.
    ///
    /// # Errors
    /// The point is shorter.
    pub fn of<'p, E>(&self, point: &'p [E]) -> Result<&'p [E], Rejection> {
        let end = point.len().checked_sub(self.skipped);
        let part = end.and_then(|end| point.get(end.checked_sub(self.vars)?..end));
        part.ok_or(Rejection { check: Check::Length })
    }
}

impl Tree {
    /// Arranges look-ups and every table they use.
    pub fn new(mut lookups: Vec<LookUp>) -> Self {
        lookups.sort_by_key(|lookup| std::cmp::Reverse(lookup.vars));
        let mut tables: Vec<Table> = lookups.iter().map(|lookup| lookup.table).collect();
        tables.sort_by_key(|table| (std::cmp::Reverse(table.vars()), *table));
        tables.dedup();
        let mut end = 0usize;
        let mut place = |vars: usize| {
            let offset = end.next_multiple_of(1 << vars);
            end = offset + (1 << vars);
            Slot { offset, vars }
        };
        let lookups: Vec<_> =
            lookups.into_iter().map(|lookup| (place(lookup.vars), lookup)).map(|(s, l)| (l, s)).collect();
        let tables: Vec<_> = tables.into_iter().map(|table| (table, place(table.vars()))).collect();
        let vars = end.next_power_of_two().trailing_zeros() as usize;

        let mut tensors: Vec<Evaluated> = Vec::new();
        let mut add = |tensor: Tensor, vars: usize, skipped: usize| {
            if !tensors.iter().any(|known| known.tensor == tensor) {
                tensors.push(Evaluated { tensor, vars, skipped });
            }
        };
        for (lookup, _) in &lookups {
            for (tensor, _, spread) in lookup.tuple.iter().flat_map(|form| &form.terms) {
                match spread {
                    Spread::Entry => add(*tensor, lookup.vars, 0),
                    Spread::Sample { .. } => add(*tensor, lookup.vars - lookup.column_vars, lookup.column_vars),
                }
            }
        }
        for (table, _) in &tables {
            add(Tensor::multiplicity(*table), table.vars(), 0);
            if let Some(column) = table.column() {
                add(column, table.vars(), 0);
            }
        }
        Self { lookups, tables, vars, tensors }
    }

    /// Number of leaves that are look-ups: they come first and have numerator one.
    pub fn lookup_leaves(&self) -> usize {
        self.lookups.iter().map(|(_, slot)| 1 << slot.vars).sum()
    }
}
