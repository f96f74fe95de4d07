//! The committed columns: whole tensors cut into columns, small ones packed side by side.

use std::borrow::Cow;
use std::ops::Range;

use gradproof_circuits::program::Tensor;
use gradproof_circuits::relations::Layout;

use crate::witness::{Values, Witness, WitnessError};

/// One column of `2^n` integers.
#[derive(Clone, Debug)]
pub enum Column<'a> {
    /// Entries of up to 32 bits.
    Small(Cow<'a, [i32]>),
    /// Entries of up to 64 bits.
    Wide(Cow<'a, [i64]>),
}

impl Column<'_> {
    /// Number of entries.
    #[expect(clippy::len_without_is_empty, reason = "no column is empty")]
    pub fn len(&self) -> usize {
        match self {
            Self::Small(values) => values.len(),
            Self::Wide(values) => values.len(),
        }
    }
}

/// Applies a generic function over small integers to a column.
#[macro_export]
#[doc(hidden)]
macro_rules! with_column {
    ($column:expr, $values:ident => $body:expr) => {
        match $column {
            $crate::columns::Column::Small($values) => $body,
            $crate::columns::Column::Wide($values) => $body,
        }
    };
}

/// All columns of a witness in `layout`, in the order of the proof.
///
/// # Errors
/// The witness lacks a tensor, or entries of it.
pub fn columns<'a>(layout: &Layout, witness: &'a Witness) -> Result<Vec<Column<'a>>, WitnessError> {
    (0..layout.columns()).map(|column| assemble(layout, witness, column)).collect()
}

/// The columns of some groups only.
///
/// # Errors
/// The witness lacks a tensor of theirs, or entries of it.
pub fn columns_in<'a>(
    layout: &Layout,
    witness: &'a Witness,
    range: Range<usize>,
) -> Result<Vec<Column<'a>>, WitnessError> {
    range.map(|column| assemble(layout, witness, column)).collect()
}

fn assemble<'a>(layout: &Layout, witness: &'a Witness, column: usize) -> Result<Column<'a>, WitnessError> {
    let size = 1usize << layout.column_vars;
    let held: Vec<(Tensor, Range<usize>)> = layout
        .places()
        .filter(|(_, place)| {
            let count = 1 << place.vars.saturating_sub(layout.column_vars);
            (place.column..place.column + count).contains(&column)
        })
        .map(|(tensor, place)| {
            let first = if place.vars >= layout.column_vars { 0 } else { place.slot << place.vars };
            (tensor, first..first + (1usize << place.vars).min(size))
        })
        .collect();
    if let [(tensor, range)] = &held[..]
        && range.len() == size
        && let Some(place) = layout.place(*tensor)
    {
        let at = (column - place.column) * size;
        let missing = WitnessError::Missing { tensor: *tensor, vars: Some(place.vars) };
        let part = at..at + size;
        return match witness.tensors.get(tensor) {
            Some(Values::Small(values)) => values.get(part).map(|values| Column::Small(values.into())),
            Some(Values::Wide(values)) => values.get(part).map(|values| Column::Wide(values.into())),
            None => None,
        }
        .ok_or(missing);
    }
    let part = |(tensor, range): &(Tensor, Range<usize>)| {
        let values = witness.tensors.get(tensor).filter(|values| values.len() == range.len());
        let missing = WitnessError::Missing { tensor: *tensor, vars: Some(range.len().ilog2() as usize) };
        Ok((values.ok_or(missing)?, range.clone()))
    };
    let parts: Vec<_> = held.iter().map(part).collect::<Result<_, WitnessError>>()?;
    if parts.iter().all(|(values, _)| matches!(values, Values::Small(_))) {
        let mut entries = vec![0i32; size];
        for (values, range) in parts {
            if let Values::Small(values) = values {
                entries[range].copy_from_slice(values);
            }
        }
        Ok(Column::Small(entries.into()))
    } else {
        let mut entries = vec![0i64; size];
        for (values, range) in parts {
            match values {
                Values::Small(values) => {
                    entries[range].iter_mut().zip(values).for_each(|(entry, &value)| *entry = value.into());
                }
                Values::Wide(values) => entries[range].copy_from_slice(values),
            }
        }
        Ok(Column::Wide(entries.into()))
    }
}
