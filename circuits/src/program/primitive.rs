//! What a proof is put together from: linear forms that are rounded, contracted with parameters, or hold entry by entry.

use super::form::Form;
use super::formula::Formula;
use super::mask::Mask;
use super::tensor::Tensor;
use crate::network::precision::log2_ceil;

/// An integer that is rounded: `2^shift·quotient + Σ limb·2^(bits below)` is what it was before.
///
/// # Soundness
/// Quotient and limbs are looked up, the limbs in tables exactly as wide as they are, so that there is one way to round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rounding {
    /// What comes out.
    pub quotient: Form,
    /// Binary logarithm of the divisor: the sum of the limbs' widths.
    pub shift: u32,
    /// Limbs of the remainder, lowest first, with their widths.
    pub limbs: Vec<(Tensor, u32)>,
}

/// Polynomials of degree two that are zero at every entry of (sample, column), or whose first one is what a rounding had before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointwise {
    /// Variables of (sample, column).
    pub vars: usize,
    /// Variables of the column alone.
    pub column_vars: usize,
    /// Its operands; true for one that has a value a sample. A tensor that is not committed is a [`Sum`].
    pub tensors: Vec<(Tensor, bool)>,
    /// Its public masks.
    pub masks: Vec<Mask>,
    /// The polynomials, each with a power of the combining challenge.
    pub formula: Formula,
    /// What the first polynomial is before rounding; without it all are zero.
    pub rounding: Option<Rounding>,
}

impl Pointwise {
    /// The largest degree of its polynomials in a variable of the rows or of the columns; none if it does not fit its operands.
    pub fn degree(&self) -> Option<usize> {
        // Rows and columns have variables of their own, and a mask is over one of them.
        let masks = |columns: bool| self.masks.iter().map(move |mask| matches!(mask, Mask::Columns(_)) == columns);
        let degree = |columns: bool| {
            let masks: Vec<usize> = masks(columns).map(usize::from).collect();
            self.formula.degree(&vec![1; self.tensors.len()], &masks)
        };
        Some(degree(true)?.max(degree(false)?))
    }
}

/// What holds at the leaf point of the look-ups because tensors are linear in each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The sum of a tensor over its columns, sample by sample.
    Sum {
        /// The tensor, over (sample, column).
        tensor: Tensor,
        /// Variables of the column.
        column_vars: usize,
        /// Trailing coordinates of the leaf point that are not the sample's.
        skipped: usize,
        /// What the sum is.
        total: Total,
    },
    /// A tensor is put together from limbs that are looked up, lowest first, with their widths.
    Limbs {
        /// The tensor.
        tensor: Tensor,
        /// Its variables.
        vars: usize,
        /// The limbs.
        limbs: Vec<(Tensor, u32)>,
    },
}

/// A value for each sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// The same everywhere.
    Constant(u64),
    /// A tensor that is looked up, and a constant.
    Shifted(Tensor, u64),
    /// One on live samples, zero on others.
    Live,
}

/// A sum of products and forms, at one scale and before rounding, over (step, row, column). It is never committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// What it is called.
    pub tensor: Tensor,
    /// Where it is claimed.
    pub claimed: Claimed,
    /// Columns that are not padded.
    pub columns: usize,
    /// Its products.
    pub contractions: Vec<Contraction>,
    /// What is added to them.
    pub addends: Vec<(Addend, u32)>,
}

/// Where a [`Sum`] is claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// At the leaf point, as what this rounding had before.
    Rounded(Rounding),
    /// Where the sumcheck over the pointwise relations ended, as an operand of one.
    Operand,
}

/// `2^exponent · Σ_n factor(step, row, n) · W(step, n, column)`, or of the transposed `W`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contraction {
    /// What the parameter is multiplied by, over (step, row, inner).
    pub factor: Form,
    /// Variables of the inner index.
    pub inner_vars: usize,
    /// Which of the parameters.
    pub parameter: usize,
    /// Whether the parameter's columns are contracted, not its rows.
    pub transposed: bool,
    /// Power of two that brings it to the scale of the sum.
    pub exponent: u32,
}

/// What is added to products, times a power of two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addend {
    /// A parameter without rows at the step, the same for every row of it.
    Parameter(usize),
    /// A form, over (step, row, column).
    Form(Form),
}

/// A parameter: a matrix, or a vector that has one row, which each step changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Before the first step, and after the last.
    pub ends: [Tensor; 2],
    /// Rows that are not padded; a vector has none.
    pub rows: Option<usize>,
    /// Columns that are not padded.
    pub columns: usize,
    /// What a step takes off, in units of the rate: the sum of these, at least one.
    pub updates: Vec<Update>,
}

impl Sum {
    /// Variables of the column.
    pub fn column_vars(&self) -> usize {
        log2_ceil(self.columns)
    }
}

impl Parameter {
    /// Variables of its rows.
    pub fn row_vars(&self) -> usize {
        self.rows.map_or(0, log2_ceil)
    }

    /// Variables of its columns.
    pub fn column_vars(&self) -> usize {
        log2_ceil(self.columns)
    }

    /// Its entries, without padding.
    pub fn entries(&self) -> usize {
        self.rows.unwrap_or(1) * self.columns
    }

    /// Its variables.
    pub fn vars(&self) -> usize {
        self.row_vars() + self.column_vars()
    }
}

/// `2^exponent · Σ_rows left(row, ·) · right(row, ·)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Over (step, row, row of the parameter); one where there is none.
    pub left: Option<Form>,
    /// Over (step, row, column of the parameter).
    pub right: Form,
    /// Power of two that brings it to the scale of the parameter.
    pub exponent: u32,
}
