//! Arithmetic of field elements on a device: what the other kernels are made of, for tests and measurements of it, and folds.

use ark_bn254::{Fq, Fr};

use crate::bytes::Answer;
use crate::device::Given::{Held, Number};
use crate::error::expect_size;
use crate::{Device, Driver, Kernel, Result};

impl<D: Driver> Device<D> {
    /// `x[i] y[i]^times`, for `x` and `y` of the same length.
    ///
    /// # Errors
    ///
    /// See [`Device`].
    pub fn fr_products(&mut self, x: &[Fr], y: &[Fr], times: usize) -> Result<Vec<Fr>> {
        self.products(Kernel::FrProduct, x, y, times)
    }

    /// As [`Device::fr_products`], of coordinates.
    ///
    /// # Errors
    ///
    /// See [`Device`].
    pub fn fq_products(&mut self, x: &[Fq], y: &[Fq], times: usize) -> Result<Vec<Fq>> {
        self.products(Kernel::FqProduct, x, y, times)
    }

    /// All `x[i] + y[i]`, and all `x[i] - y[i]`, for `x` and `y` of the same length.
    ///
    /// # Errors
    ///
    /// See [`Device`].
    pub fn fr_sums(&mut self, x: &[Fr], y: &[Fr]) -> Result<(Vec<Fr>, Vec<Fr>)> {
        self.sums(Kernel::FrSums, x, y)
    }

    /// As [`Device::fr_sums`], of coordinates.
    ///
    /// # Errors
    ///
    /// See [`Device`].
    pub fn fq_sums(&mut self, x: &[Fq], y: &[Fq]) -> Result<(Vec<Fq>, Vec<Fq>)> {
        self.sums(Kernel::FqSums, x, y)
    }

    /// The table with its first variable bound to `challenge`: `t[2 i] + challenge (t[2 i + 1] - t[2 i])`.
    ///
    /// The table's length must be even.
    ///
    /// # Errors
    ///
    /// See [`Device`].
    pub fn fold(&mut self, table: &[Fr], challenge: Fr) -> Result<Vec<Fr>> {
        expect_size("a table's length modulo 2", 0, table.len() % 2)?;
        let count = table.len() / 2;
        if count == 0 {
            return Ok(vec![]);
        }
        self.scope(|scope| {
            let (table, challenge, out) = (scope.put(table)?, scope.put(&[challenge])?, scope.room::<Fr>(count)?);
            let given = [Held(table), Held(out), Held(challenge), Number(count)];
            scope.launch(Kernel::FrFold, blocks(Kernel::FrFold, count), &given)?;
            scope.take(out, count)
        })
    }

    fn products<F: Answer>(&mut self, kernel: Kernel, x: &[F], y: &[F], times: usize) -> Result<Vec<F>> {
        expect_size("second factors", x.len(), y.len())?;
        if x.is_empty() {
            return Ok(vec![]);
        }
        let count = x.len();
        self.scope(|scope| {
            let (x, y, out) = (scope.put(x)?, scope.put(y)?, scope.room::<F>(count)?);
            let given = [Held(x), Held(y), Held(out), Number(count), Number(times)];
            scope.launch(kernel, blocks(kernel, count), &given)?;
            scope.take(out, count)
        })
    }

    fn sums<F: Answer>(&mut self, kernel: Kernel, x: &[F], y: &[F]) -> Result<(Vec<F>, Vec<F>)> {
        expect_size("second addends", x.len(), y.len())?;
        if x.is_empty() {
            return Ok((vec![], vec![]));
        }
        let count = x.len();
        self.scope(|scope| {
            let (x, y) = (scope.put(x)?, scope.put(y)?);
            let (sum, difference) = (scope.room::<F>(count)?, scope.room::<F>(count)?);
            let given = [Held(x), Held(y), Held(sum), Held(difference), Number(count)];
            scope.launch(kernel, blocks(kernel, count), &given)?;
            Ok((scope.take(sum, count)?, scope.take(difference, count)?))
        })
    }
}

/// Blocks for `count` threads of a kernel.
pub(crate) const fn blocks(kernel: Kernel, count: usize) -> [usize; 3] {
    [count.div_ceil(kernel.threads() as usize), 1, 1]
}
