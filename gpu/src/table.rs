//! Commitments to columns of small integers, by tables of multiples of fixed bases.

use ark_bn254::{Fq, G1Affine};
use ark_ec::AffineRepr;
use ark_ff::{Field, Zero, batch_inversion};

use crate::bytes::Sum;
use crate::device::Given::{Held, Kept, Number};
use crate::device::{self, Scope};
use crate::error::expect_size;
use crate::field::blocks;
use crate::{Buffer, Device, Driver, Error, Kernel, Result};

/// The widest digits: `2^15` multiples a window.
const MOST_BITS: u32 = 16;
/// Threads of a block that sums columns.
const COLUMNS: usize = 128;
/// Blocks that fill a large device.
const BLOCKS: usize = 2048;
/// Bases that a thread sums at least: the sum of its sum costs about as much as two of them.
const CHUNK: usize = 16;

/// Multiples of fixed bases on a device. Give it back with [`Device::drop_table`].
#[derive(Debug)]
pub struct Table {
    buffer: Buffer,
    bases: usize,
    width_bits: u32,
    windows: u32,
}

impl Table {
    /// Bytes of a table: 64 for each of `2^(width_bits - 1)` multiples, `windows` times a base. None if that does not fit.
    pub fn bytes(bases: usize, width_bits: u32, windows: u32) -> Option<usize> {
        let multiples = 1usize.checked_shl(width_bits.checked_sub(1)?)?;
        bases.checked_mul(windows as usize)?.checked_mul(multiples)?.checked_mul(64)
    }
}

/// How the bases are cut for a commitment.
pub(crate) struct Cut {
    /// Bases of a chunk.
    pub chunk: usize,
    /// Chunks.
    pub chunks: usize,
    across: usize,
}

impl Cut {
    /// A cut that fills a device. Both numbers are at least 1.
    pub(crate) fn new(bases: usize, columns: usize) -> Self {
        let across = columns.div_ceil(COLUMNS);
        let chunks = (BLOCKS / across).clamp(1, bases.div_ceil(CHUNK));
        let chunk = bases.div_ceil(chunks);
        Self { chunk, chunks: bases.div_ceil(chunk), across }
    }

    /// Blocks of a launch.
    pub(crate) const fn blocks(&self) -> [usize; 3] {
        [self.across, self.chunks, 1]
    }
}

/// Digits of `width_bits` bits, from 1 to 16, that hold every value from `-largest` to `largest`.
pub fn windows(largest: u64, width_bits: u32) -> u32 {
    let mut windows = 1;
    // They hold up to 2^(width windows - 1).
    while u128::from(largest) > 1 << (width_bits.clamp(1, MOST_BITS) * windows - 1) {
        windows += 1;
    }
    windows
}

/// Values of columns, base by base: value `base * columns + column`.
#[derive(Clone, Copy, Debug)]
pub enum Columns<'v> {
    /// Values of 16 bits.
    I16(&'v [i16]),
    /// Values of 64 bits.
    I64(&'v [i64]),
}

impl<D: Driver> Device<D> {
    /// A table for `windows` digits of `width_bits` bits a value: see [`windows`] and [`Table::bytes`].
    ///
    /// # Errors
    ///
    /// [`Error::Infinity`] if a base is infinite, [`Error::Shape`] without bases, for a width that is not 1 to 16, or digits of more
    /// than 65 bits in all. See [`Device`].
    pub fn table(&mut self, bases: &[G1Affine], width_bits: u32, windows: u32) -> Result<Table> {
        if bases.is_empty() || !(1..=MOST_BITS).contains(&width_bits) {
            return Err(Error::Shape { what: "bits of a digit", expected: 8, got: width_bits as usize });
        }
        // 64 bits and a carry.
        let most = 65u32.div_ceil(width_bits);
        if !(1..=most).contains(&windows) {
            return Err(Error::Shape { what: "digits of a value", expected: most as usize, got: windows as usize });
        }
        if let Some(place) = bases.iter().position(AffineRepr::is_zero) {
            return Err(Error::Infinity(place));
        }
        let count = bases.len();
        let bytes = Table::bytes(count, width_bits, windows);
        let bytes = bytes.ok_or(Error::Shape { what: "bases", expected: usize::MAX, got: count })?;
        let buffer = self.driver().allocate(bytes)?;
        let built = self.scope(|scope| {
            let bases = scope.put(bases)?;
            let [width_bits, windows] = [width_bits, windows].map(|number| Number(number as usize));
            let given = [Held(bases), Kept(&buffer), Number(count), width_bits, windows];
            scope.launch(Kernel::TableBuild, blocks(Kernel::TableBuild, count), &given)?;
            scope.driver.wait()
        });
        match built {
            Ok(()) => Ok(Table { buffer, bases: count, width_bits, windows }),
            Err(error) => self.driver().free(buffer).and(Err(error)),
        }
    }

    /// Commitments to `columns` columns of as many values as the table has bases: for each the sum of its values times the bases.
    ///
    /// # Errors
    ///
    /// [`Error::Range`] with the least index of a value that the table's digits do not hold; [`Error::Answer`] if what the device says is
    /// no point. See [`Device`].
    pub fn commit(&mut self, table: &Table, values: Columns<'_>, columns: usize) -> Result<Vec<G1Affine>> {
        let (kernel, count) = match values {
            Columns::I16(values) => (Kernel::TableCommitI16, values.len()),
            Columns::I64(values) => (Kernel::TableCommitI64, values.len()),
        };
        let expected = table.bases.checked_mul(columns).ok_or(Error::Shape {
            what: "columns",
            expected: usize::MAX,
            got: columns,
        })?;
        expect_size("values of the columns", expected, count)?;
        if columns == 0 {
            return Ok(vec![]);
        }
        let cut = Cut::new(table.bases, columns);
        let (sums, status) = self.scope(|scope| {
            let values = match values {
                Columns::I16(values) => scope.put(values)?,
                Columns::I64(values) => scope.put(values)?,
            };
            let (partial, status) = (scope.room::<Sum>(columns * cut.chunks)?, scope.room::<u64>(1)?);
            let out = scope.room::<Sum>(columns)?;
            scope.fill(status, 0xff)?;
            launch(scope, kernel, table, &Sums { values, partial, status, out, columns })?;
            Ok((scope.take::<Sum>(out, columns)?, scope.take::<u64>(status, 1)?))
        })?;
        match status[..] {
            [u64::MAX] => points(&sums),
            [place] => Err(Error::Range(place)),
            _ => Err(Error::Answer("no status")),
        }
    }

    /// Gives a table back.
    ///
    /// # Errors
    ///
    /// See [`Device`].
    pub fn drop_table(&mut self, table: Table) -> Result<()> {
        self.driver().free(table.buffer)
    }
}

/// The buffers of a commitment.
pub(crate) struct Sums {
    pub values: device::Held,
    pub partial: device::Held,
    pub status: device::Held,
    pub out: device::Held,
    pub columns: usize,
}

/// Starts the two kernels of a commitment.
pub(crate) fn launch<D: Driver>(scope: &mut Scope<'_, D>, kernel: Kernel, table: &Table, sums: &Sums) -> Result<()> {
    let Sums { values, partial, status, out, columns } = *sums;
    let cut = Cut::new(table.bases, columns);
    let numbers = [columns, table.bases, cut.chunk, table.width_bits as usize, table.windows as usize].map(Number);
    let mut given = vec![Kept(&table.buffer), Held(values), Held(partial), Held(status)];
    given.extend(numbers);
    scope.launch(kernel, cut.blocks(), &given)?;
    let given = [Held(partial), Held(out), Number(columns), Number(cut.chunks)];
    scope.launch(Kernel::ColumnSum, [columns, 1, 1], &given)
}

/// Sums as points: one inversion for all.
fn points(sums: &[Sum]) -> Result<Vec<G1Affine>> {
    let mut inverses: Vec<Fq> = sums.iter().map(|sum| sum.zzz).collect();
    batch_inversion(&mut inverses);
    let point = |(sum, inverse): (&Sum, Fq)| {
        if sum.zz.is_zero() {
            return Ok(G1Affine::zero());
        }
        // 1 / zz = (zz / zzz)^2, since zz^3 = zzz^2.
        let point = G1Affine::new_unchecked(sum.x * (sum.zz * inverse).square(), sum.y * inverse);
        if point.is_on_curve() { Ok(point) } else { Err(Error::Answer("a point that is not on the curve")) }
    };
    sums.iter().zip(inverses).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::windows;

    #[test]
    fn digits_hold_the_largest_value() {
        for (largest, width_bits, expected) in [
            (0, 8, 1),
            (1, 1, 1),
            (2, 1, 2),
            (128, 8, 1),
            (129, 8, 2),
            (32_768, 8, 2),
            (32_769, 8, 3),
            (65_535, 8, 3),
            (1 << 20, 8, 3),
            (1 << 63, 8, 8),
            (u64::MAX, 8, 9),
            (32_768, 4, 4),
            (32_768, 16, 1),
        ] {
            assert_eq!(windows(largest, width_bits), expected, "{largest} in digits of {width_bits} bits");
        }
    }
}
