//! Which tuples of forms are looked up in which table.

use super::form::Form;
use super::table::Table;

/// Tuples of one shape looked up in one table, one tuple an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookUp {
    /// Where.
    pub table: Table,
    /// Variables of an entry, (sample, column).
    pub vars: usize,
    /// Variables of the column alone; zero where no part of the tuple has one value a sample.
    pub column_vars: usize,
    /// The key, then the values.
    pub tuple: Vec<Form>,
}
