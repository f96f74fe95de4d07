//! Which tuples of forms are looked up in which table.

use super::form::Form;
use super::table::Table;
use super::tensor::Tensor;

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

/// The ranges of a signed number's limbs, lowest first, with their widths: `limb + shift` lies in `[0, 2^bits)`. All but the last
/// are unsigned.
pub(crate) fn limb_ranges(limbs: &[(Tensor, u32)]) -> impl Iterator<Item = (Tensor, u32, i64)> + '_ {
    let shift = |i: usize, bits: u32| if i + 1 == limbs.len() { 1 << (bits - 1) } else { 0 };
    limbs.iter().enumerate().map(move |(i, &(limb, bits))| (limb, bits, shift(i, bits)))
}
