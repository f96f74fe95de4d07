//! Public polynomials that are one on part of a tensor.

use super::publics::LiveBits;
use crate::field::algebra::Algebra;
use crate::field::multilinear::{at_most, at_most_index, eq, less_than};

/// A public multilinear polynomial over (sample, column) that a pointwise relation uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// `μ`: one on live samples.
    Live,
    /// `κ`: one on columns below the bound.
    Columns(usize),
    /// One on the first so many rows.
    Rows(usize),
}

impl Mask {
    /// The mask at a field point over (row, column), the column of `column_vars` variables, for steps of `batch` rows.
    pub fn evaluate<A: Algebra>(
        &self,
        algebra: &mut A,
        batch: usize,
        live: &LiveBits<A::Element>,
        point: &[A::Element],
        column_vars: usize,
    ) -> A::Element {
        let (rows, columns) = point.split_at(point.len() - column_vars);
        match self {
            Self::Columns(count) => at_most_index(algebra, columns, count - 1),
            Self::Rows(count) => at_most_index(algebra, rows, count - 1),
            Self::Live => {
                let (step, row) = rows.split_at(live.last_step.len());
                let before = less_than(algebra, step, &live.last_step);
                let full = at_most_index(algebra, row, batch - 1);
                let last = eq(algebra, step, &live.last_step);
                let part = at_most(algebra, row, &live.last_row);
                let last = algebra.mul(&last, &part);
                algebra.mul_add(&before, &full, &last)
            }
        }
    }
}
