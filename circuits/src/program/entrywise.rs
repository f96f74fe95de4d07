//! Small relations that hold entry by entry: padding, bits, and the gradient through a mask.

use super::formula::Formula;
use super::mask::Mask;
use super::primitive::{Pointwise, Rounding};
use super::tensor::Tensor;

impl Pointwise {
    /// `mask·x`, which is what `rounding` had before.
    pub(crate) fn masked(mask: Tensor, x: Tensor, [row_vars, column_vars]: [usize; 2], rounding: Rounding) -> Self {
        let mut formula = Formula::default();
        let (m, v) = (formula.operand(), formula.operand());
        let product = formula.mul(m, v);
        formula.result(product);
        Self {
            vars: row_vars + column_vars,
            column_vars,
            tensors: vec![(mask, false), (x, false)],
            masks: vec![],
            formula,
            rounding: Some(rounding),
        }
    }

    /// `(1 - κ)·x`: a tensor is zero but for its first `columns` columns; and `(1 - κ·μ)·x` with a mask `μ` of rows.
    pub(crate) fn padding(
        tensor: Tensor,
        [row_vars, column_vars]: [usize; 2],
        columns: usize,
        rows: Option<Mask>,
    ) -> Self {
        let mut formula = Formula::default();
        let x = formula.operand();
        let mut mask = formula.mask();
        if rows.is_some() {
            let rows = formula.mask();
            mask = formula.mul(mask, rows);
        }
        let outside = formula.outside(mask, x);
        formula.result(outside);
        let masks = std::iter::once(Mask::Columns(columns)).chain(rows).collect();
        let tensors = vec![(tensor, false)];
        Self { vars: row_vars + column_vars, column_vars, tensors, masks, formula, rounding: None }
    }

    /// `y² - y` and `(1 - κ)·y`: a tensor of bits, zero but for its first `columns` columns.
    pub(crate) fn bits(tensor: Tensor, [row_vars, column_vars]: [usize; 2], columns: usize) -> Self {
        let mut formula = Formula::default();
        let (y, mask) = (formula.operand(), formula.mask());
        for value in [formula.bit(y), formula.outside(mask, y)] {
            formula.result(value);
        }
        let (tensors, masks) = (vec![(tensor, false)], vec![Mask::Columns(columns)]);
        Self { vars: row_vars + column_vars, column_vars, tensors, masks, formula, rounding: None }
    }
}
