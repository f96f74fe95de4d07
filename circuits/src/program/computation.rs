//! How the tensors of a program are filled, in exact integers: the order in which trainer and witness go.

use std::borrow::Cow;
use std::fmt::Debug;
use std::panic::RefUnwindSafe;
use std::sync::Arc;

use rayon::prelude::*;

use super::form::Form;
use super::tensor::Tensor;

/// An exact integer function of rows.
pub trait RowFunction: Debug + Send + Sync + RefUnwindSafe {
    /// Fills the outputs of a row from its inputs: the columns that are not padded, one value where there is one a sample.
    fn apply(&self, inputs: &[&[i32]], outputs: &mut [&mut [i32]]);
}

/// A tensor that a [`RowFunction`] fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// The tensor.
    pub tensor: Tensor,
    /// Its columns; one value a sample where there are none.
    pub columns: Option<usize>,
    /// What stands in padded columns.
    pub fill: i32,
}

impl Output {
    /// A tensor of `columns` columns.
    pub fn entries(tensor: Tensor, columns: usize, fill: i32) -> Self {
        Self { tensor, columns: Some(columns), fill }
    }

    /// A tensor of one value a sample.
    pub fn sample(tensor: Tensor) -> Self {
        Self { tensor, columns: None, fill: 0 }
    }
}

/// What a function makes of rows: every output for all of them. Inputs are given with their columns, padded or not.
///
/// # Shapes
/// Each input: `rows × padded(columns)`; each output likewise, with its own columns.
pub fn fill(
    rows: usize,
    function: &dyn RowFunction,
    inputs: &[(Cow<'_, [i32]>, usize)],
    outputs: &[Output],
    padded: fn(usize) -> usize,
) -> Vec<(Tensor, Vec<i32>)> {
    let width = |output: &Output| output.columns.map_or(1, padded);
    let mut filled: Vec<Vec<i32>> = outputs.iter().map(|output| vec![output.fill; rows * width(output)]).collect();
    let mut targets: Vec<Vec<&mut [i32]>> = (0..rows).map(|_| Vec::with_capacity(outputs.len())).collect();
    for (values, output) in filled.iter_mut().zip(outputs) {
        for (target, values) in targets.iter_mut().zip(values.chunks_mut(width(output))) {
            target.push(&mut values[..output.columns.unwrap_or(1)]);
        }
    }
    targets.par_iter_mut().enumerate().for_each(|(row, targets)| {
        let inputs: Vec<&[i32]> =
            inputs.iter().map(|(values, columns)| &values[row * padded(*columns)..][..*columns]).collect();
        function.apply(&inputs, targets);
    });
    outputs.iter().map(|output| output.tensor).zip(filled).collect()
}

/// One thing to compute.
#[derive(Clone, Debug)]
pub enum Computation {
    /// A sum of products and forms, before rounding.
    Sum(Tensor),
    /// The rounded quotient of a sum by a power of two, and the limbs of its remainder.
    Round(Round),
    /// A function of rows.
    Rows {
        /// The function.
        function: Arc<dyn RowFunction>,
        /// What it takes, with the columns that are not padded.
        inputs: Vec<(Form, usize)>,
        /// What it fills.
        outputs: Vec<Output>,
    },
}

/// A sum that is rounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// The sum.
    pub sum: Tensor,
    /// Bits that it is multiplied by, if any.
    pub mask: Option<Tensor>,
    /// Binary logarithm of the divisor.
    pub shift: u32,
    /// Columns that are not padded.
    pub columns: usize,
    /// What comes out, 16 bits.
    pub quotient: Tensor,
    /// Limbs of the remainder, lowest first, with their widths.
    pub limbs: Vec<(Tensor, u32)>,
}
