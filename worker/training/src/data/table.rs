//! What a format finds in the files of one data set, before anything is done to it.

use std::path::PathBuf;

use super::{DataError, FilePlace};

/// What stands in a file for a value that is missing.
const MISSING: [&str; 9] = ["", "na", "n/a", "nan", "null", "none", "?", "-", "#n/a"];

/// Whether `text` stands for a value that is missing, in upper or lower case.
pub(crate) fn is_missing(text: &str) -> bool {
    MISSING.iter().any(|missing| text.eq_ignore_ascii_case(missing))
}

/// The label of a row as it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label<'a> {
    /// A number; of 64 bits, with a sign or without.
    Integer(i128),
    /// A text, which may be that of a number.
    Text(&'a str),
}

/// What takes the rows of a table, one after the other: the values of the columns that were asked for, and the label.
pub(crate) type TakeRow<'a> = dyn FnMut(&[f64], Label<'_>) -> Result<(), DataError> + 'a;

/// Rows of numbers, each with a label. The files' headers have been checked against their sizes; values are looked at row by row.
pub(crate) trait LabelledRows {
    /// Number of rows, at least one.
    fn rows(&self) -> usize;

    /// Number of columns, at least one besides the label's.
    fn columns(&self) -> usize;

    /// The column of these that is the label, and no number to train on.
    fn label_column(&self) -> Option<usize> {
        None
    }

    /// Names of the columns; empty if they have none.
    fn names(&self) -> &[String] {
        &[]
    }

    /// True if the values are bytes, whose scale is another unless one is given.
    fn bytes(&self) -> bool {
        false
    }

    /// Takes every row in the order of the file, its values in the order of `columns`, which exist and are not the label's.
    /// Only their values are looked at. A value is exact if it is an integer of at most 53 bits, and else the nearest double.
    ///
    /// # Errors
    /// Those of `take`, or a value that is no number.
    fn each_row(&self, columns: &[usize], take: &mut TakeRow<'_>) -> Result<(), DataError>;

    /// Where a part of the table stands, for an error.
    fn spot(&self, part: TablePart) -> Spot;
}

/// A part of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TablePart {
    /// What says which columns there are.
    Header,
    /// What says of which type the values are.
    Type,
    /// A value.
    Value {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
    },
    /// The label of this row, from 0.
    Label(usize),
}

/// Where a part of a table stands in a file, and how it looks there.
pub(crate) struct Spot {
    pub file: PathBuf,
    pub place: FilePlace,
    /// What it is called.
    pub what: String,
    /// What stands there, if it is text.
    pub got: Option<String>,
}

impl Spot {
    /// The error that `expected` does not stand here, but `got`, or what the text says.
    pub fn malformed(self, expected: impl Into<String>, got: impl ToString) -> DataError {
        let got = self.got.unwrap_or_else(|| got.to_string());
        DataError::Malformed { file: self.file, place: self.place, what: self.what, expected: expected.into(), got }
    }
}
