//! The one inner loop of the processor's kernels: sparse rows times a dense panel.
//!
//! All three products have a left operand with many zeros (pixels, ReLU, masked gradients). It is compressed to the list
//! of its nonzero entries, and each entry adds a multiple of one contiguous row of a panel, [`LANES`] columns wide, of the
//! right operand to sums that stay in registers.

use rayon::prelude::*;

/// Columns of a panel: its sums fill eight vector registers of 256 bits.
pub(super) const LANES: usize = 32;
/// Multiplications below which a product stays on the calling thread.
const PARALLEL: usize = 1 << 17;

/// One row of a panel.
pub(super) type Lanes<T> = [T; LANES];

/// The nonzero entries of a matrix, row by row.
pub(super) struct Sparse {
    starts: Vec<usize>,
    entries: Vec<Entry>,
}

/// A nonzero entry: its column and value.
#[derive(Clone, Copy, Default)]
pub(super) struct Entry {
    column: u32,
    value: i32,
}

impl Sparse {
    /// Compresses a row-major matrix.
    pub(super) fn rows(matrix: &[i16], columns: usize) -> Self {
        let mut entries = vec![Entry::default(); matrix.len() + 1];
        let (mut starts, mut count) = (vec![0], 0);
        for row in matrix.chunks_exact(columns) {
            // Write always and advance on a nonzero: a branch here would be mispredicted half of the time.
            for (column, &value) in row.iter().enumerate() {
                entries[count] = Entry { column: column as u32, value: i32::from(value) };
                count += usize::from(value != 0);
            }
            starts.push(count);
        }
        Self { starts, entries }
    }

    /// Compresses the transpose of a row-major matrix.
    pub(super) fn columns(matrix: &[i16], columns: usize) -> Self {
        let rows = matrix.len() / columns;
        let mut transposed = vec![0; matrix.len()];
        for (j, line) in transposed.chunks_exact_mut(rows.max(1)).enumerate() {
            for (r, value) in line.iter_mut().enumerate() {
                *value = matrix[r * columns + j];
            }
        }
        Self::rows(&transposed, rows.max(1))
    }

    /// The nonzero entries of a row.
    pub(super) fn row(&self, row: usize) -> &[Entry] {
        &self.entries[self.starts[row]..self.starts[row + 1]]
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }
}

/// A right operand: how it is multiplied by 16 bits into 64.
pub(super) trait Word: Copy + Default + Send + Sync {
    /// `self · value`, modulo `2^64`.
    fn times(self, value: i32) -> i64;
    /// The low bits of a weight.
    fn of(weight: i64) -> Self;
}

impl Word for i32 {
    #[inline(always)]
    fn times(self, value: i32) -> i64 {
        i64::from(self) * i64::from(value)
    }
    #[inline(always)]
    fn of(weight: i64) -> Self {
        weight as i32
    }
}

impl Word for i64 {
    #[inline(always)]
    fn times(self, value: i32) -> i64 {
        self.wrapping_mul(i64::from(value))
    }
    #[inline(always)]
    fn of(weight: i64) -> Self {
        weight
    }
}

/// `sums + Σ entry.value · panel[entry.column]`, modulo `2^64`.
#[inline]
pub(super) fn accumulate<W: Word>(entries: &[Entry], panel: &[Lanes<W>], mut sums: Lanes<i64>) -> Lanes<i64> {
    for entry in entries {
        let words = &panel[entry.column as usize];
        for lane in 0..LANES {
            sums[lane] = sums[lane].wrapping_add(words[lane].times(entry.value));
        }
    }
    sums
}

/// `Σ entry.value · panel[entry.column]`, where `burst` products in a row always fit in 32 bits.
///
/// Twice as many lanes fit in a register as in [`accumulate`].
#[inline]
pub(super) fn accumulate_short(entries: &[Entry], panel: &[Lanes<i16>], burst: usize) -> Lanes<i64> {
    let mut sums = [0i64; LANES];
    for entries in entries.chunks(burst) {
        let mut short = [0i32; LANES];
        for entry in entries {
            let words = &panel[entry.column as usize];
            for lane in 0..LANES {
                short[lane] = short[lane].wrapping_add(i32::from(words[lane]).wrapping_mul(entry.value));
            }
        }
        for (sum, short) in sums.iter_mut().zip(short) {
            *sum += i64::from(short);
        }
    }
    sums
}

/// Runs `task` for `0..count`, on the thread pool if the work is worth it.
pub(super) fn run_tasks<T: Send>(count: usize, work: usize, task: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
    if work < PARALLEL { (0..count).map(task).collect() } else { (0..count).into_par_iter().map(task).collect() }
}

/// `product = left · right + start`, modulo `2^64`, where `pack(p)` returns panel `p` of the right operand.
///
/// # Shapes
/// `start`: one entry a panel, added to every row; `product`: rows of `left` × `columns`.
pub(super) fn multiply<W: Word>(
    left: &Sparse,
    start: &[Lanes<i64>],
    pack: impl Fn(usize) -> Vec<Lanes<W>> + Sync,
    product: &mut [i64],
    columns: usize,
) {
    let (rows, panels) = (left.len(), start.len());
    let work = left.starts[rows] * columns;
    // Each panel is packed where it is used, while it is in the cache; few panels are shared by splitting the rows.
    let threads = rayon::current_num_threads();
    let splits = if work < PARALLEL { 1 } else { threads.div_ceil(panels).min(rows.max(1)) };
    let span = rows.div_ceil(splits).max(1);
    let blocks = run_tasks(panels * splits, work, |task| {
        let (p, first) = (task / splits, task % splits * span);
        let panel = pack(p);
        let last = (first + span).min(rows);
        (first..last.max(first)).map(|r| accumulate(left.row(r), &panel, start[p])).collect::<Vec<_>>()
    });
    for (r, line) in product.chunks_exact_mut(columns).enumerate() {
        for (p, lanes) in line.chunks_mut(LANES).enumerate() {
            lanes.copy_from_slice(&blocks[p * splits + r / span][r % span][..lanes.len()]);
        }
    }
}
