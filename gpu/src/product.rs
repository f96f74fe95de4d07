//! Integer matrix products modulo `2^64`.

use crate::device::Given::{Held, Number};
use crate::device::{self, Scope};
use crate::error::expect_size;
use crate::{Device, Driver, Error, Kernel, Result};

/// Rows and columns of a block's results.
const TILE: usize = 64;
/// Terms of a sum between two loads.
const DEPTH: usize = 16;
/// Blocks that fill a large device; fewer leave it waiting.
const BLOCKS: usize = 512;

/// Shapes of a product of `rows x inputs` by `inputs x outputs` values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of the left factor.
    pub rows: usize,
    /// Columns of the left factor, terms of a sum.
    pub inputs: usize,
    /// Columns of the right factor.
    pub outputs: usize,
    /// Parts that each sum is cut into, which the device adds in any order: from 1 to 65,535.
    pub parts: usize,
}

impl Shape {
    /// A shape, cut into as many parts as fill a device.
    pub fn new(rows: usize, inputs: usize, outputs: usize) -> Self {
        let tiles = (rows.div_ceil(TILE) * outputs.div_ceil(TILE)).max(1);
        let parts = (BLOCKS / tiles).clamp(1, inputs.div_ceil(4 * DEPTH).max(1));
        Self { rows, inputs, outputs, parts }
    }

    /// Blocks of a launch.
    pub(crate) const fn blocks(self) -> [usize; 3] {
        [self.outputs.div_ceil(TILE), self.rows.div_ceil(TILE), self.parts]
    }
}

/// What a product is made of, on the device.
pub(crate) struct Factors {
    pub left: device::Held,
    pub right: device::Held,
    pub out: device::Held,
    pub kernel: Kernel,
}

/// Both factors, and room for the results.
pub(crate) fn factors<D: Driver>(
    scope: &mut Scope<'_, D>,
    left: &[i16],
    weights: Weights<'_>,
    shape: Shape,
) -> Result<Factors> {
    let left = scope.put(left)?;
    let (right, kernel) = match weights {
        Weights::Narrow(weights) => (scope.put(weights)?, Kernel::ProductNarrow),
        Weights::Wide(weights) => (scope.put(weights)?, Kernel::ProductWide),
    };
    let out = scope.room::<i64>(shape.rows * shape.outputs)?;
    Ok(Factors { left, right, out, kernel })
}

/// The right factor, row by row.
#[derive(Clone, Copy, Debug)]
pub enum Weights<'w> {
    /// Weights that fit 32 bits: the fast kernel.
    Narrow(&'w [i32]),
    /// Weights of 64 bits.
    Wide(&'w [i64]),
}

impl<D: Driver> Device<D> {
    /// The `rows x outputs` products of 16-bit values and weights, row by row, each modulo `2^64`.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] also if a side is 0. See [`Device`].
    pub fn product(&mut self, left: &[i16], weights: Weights<'_>, shape: Shape) -> Result<Vec<i64>> {
        let Shape { rows, inputs, outputs, parts } = shape;
        if let Some(side) = [rows, inputs, outputs, parts].into_iter().find(|side| *side == 0) {
            return Err(Error::Shape { what: "a side of a product", expected: 1, got: side });
        }
        let area = |a: usize, b: usize| {
            a.checked_mul(b).ok_or(Error::Shape { what: "a product's area", expected: usize::MAX, got: a })
        };
        expect_size("values of the left factor", area(rows, inputs)?, left.len())?;
        let count = match weights {
            Weights::Narrow(weights) => weights.len(),
            Weights::Wide(weights) => weights.len(),
        };
        expect_size("weights", area(inputs, outputs)?, count)?;
        let results = area(rows, outputs)?;
        self.scope(|scope| {
            let Factors { left, right, out, kernel } = factors(scope, left, weights, shape)?;
            if parts > 1 {
                // The parts are added to what stands there.
                scope.fill(out, 0)?;
            }
            let given = [Held(left), Held(right), Held(out), Number(rows), Number(inputs), Number(outputs)];
            scope.launch(kernel, shape.blocks(), &given)?;
            scope.take(out, results)
        })
    }
}
