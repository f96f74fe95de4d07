//! Sums of small integers times field elements, and of products of field elements, reduced once at the end.
//!
//! The Montgomery form of `Σ v·w` is the sum of the `v` times the Montgomery forms of the `w`, so the sums run over plain
//! integers and only their end is taken modulo r. Values are cut into digits of 23 bits, of which most have one.

use ark_bn254::Fr;
use rayon::prelude::*;

use kernel::{BLOCK, DIGIT_BITS};

mod accumulator;
mod kernel;

pub use accumulator::{Accumulator, WideAccumulator};

/// Sums that one pass over a block of weights serves.
const LANES: usize = 4;

/// Columns that [`fold_rows`] reads at once: a cache line of `i32`.
const PANEL: usize = 16;

mod sealed {
    pub trait Sealed: Sized {
        /// Lowest digit, in `[-2^22, 2^22)`, and what is left above it.
        fn split(self) -> (i32, Self);
    }
}
use sealed::Sealed;

/// The integers that a tensor may hold: `i16`, `i32` and `i64`.
pub trait SmallInt: Sealed + Copy + Default + Eq + Send + Sync + Into<i64> + std::ops::BitOr<Output = Self> {}
impl SmallInt for i16 {}
impl SmallInt for i32 {}
impl SmallInt for i64 {}

impl Sealed for i16 {
    #[inline]
    fn split(self) -> (i32, Self) {
        (self.into(), 0)
    }
}

impl Sealed for i32 {
    #[inline]
    fn split(self) -> (i32, Self) {
        let digit = self << (32 - DIGIT_BITS) >> (32 - DIGIT_BITS);
        (digit, (self >> DIGIT_BITS) + (self >> (DIGIT_BITS - 1) & 1))
    }
}

impl Sealed for i64 {
    #[inline]
    fn split(self) -> (i32, Self) {
        let digit = (self as i32) << (32 - DIGIT_BITS) >> (32 - DIGIT_BITS);
        (digit, (self >> DIGIT_BITS) + (self >> (DIGIT_BITS - 1) & 1))
    }
}

/// Up to [`BLOCK`] terms of `N` sums with common weights.
struct Tile<V, const N: usize> {
    values: [[V; N]; BLOCK],
    digits: [[i32; N]; BLOCK],
}

impl<V: SmallInt, const N: usize> Tile<V, N> {
    fn new() -> Self {
        Self { values: [[V::default(); N]; BLOCK], digits: [[0; N]; BLOCK] }
    }

    /// Adds `weights[i]·values[i][n]` to the `n`th of `sums`, and uses the values up.
    fn add_to(&mut self, sums: &mut [Accumulator], weights: &[Fr]) {
        let (values, digits) = (&mut self.values[..weights.len()], &mut self.digits[..weights.len()]);
        let values = values.as_flattened_mut();
        let mut shift = 0;
        loop {
            let mut left = V::default();
            for (digit, value) in digits.as_flattened_mut().iter_mut().zip(values.iter()) {
                let rest;
                (*digit, rest) = value.split();
                left = left | rest;
            }
            for (sum, limbs) in sums.iter_mut().zip(kernel::sums(weights, digits)) {
                sum.add_limbs(&limbs, shift);
            }
            if left == V::default() {
                return;
            }
            values.iter_mut().for_each(|value| *value = value.split().1);
            shift += DIGIT_BITS;
        }
    }
}

/// `Σ weights[i]·values[i]` over small or wide integers.
///
/// # Shapes
/// Two slices of one length; entries beyond the shorter one do not count.
pub fn dot<V: SmallInt>(weights: &[Fr], values: &[V]) -> Fr {
    debug_assert_eq!(weights.len(), values.len());
    let (mut tile, mut sums) = (Tile::<V, 1>::new(), [Accumulator::default()]);
    for (weights, values) in weights.chunks(BLOCK).zip(values.chunks(BLOCK)) {
        let count = weights.len().min(values.len());
        tile.values.iter_mut().zip(values).for_each(|(tile, v)| *tile = [*v]);
        tile.add_to(&mut sums, &weights[..count]);
    }
    sums[0].finish()
}

/// `Σ_column values[row][column]·weights[column]` for every row.
///
/// # Shapes
/// `values`: rows × `width`, row-major; `weights`: `width`; the result: rows.
pub fn fold_columns<V: SmallInt>(values: &[V], width: usize, weights: &[Fr]) -> Vec<Fr> {
    debug_assert_eq!(weights.len(), width);
    if width == 0 {
        return Vec::new();
    }
    let weights = &weights[..weights.len().min(width)];
    let zeros = vec![V::default(); width];
    let mut result = vec![Fr::default(); values.len() / width];
    let groups = result.par_chunks_mut(LANES).zip(values.par_chunks(LANES * width));
    groups.with_min_len((4 * BLOCK).div_ceil(width)).for_each_init(Tile::new, |tile, (result, values)| {
        let row = |n: usize| values.chunks_exact(width).nth(n).unwrap_or(&zeros);
        let rows: [&[V]; LANES] = std::array::from_fn(row);
        let mut sums = [Accumulator::default(); LANES];
        for (start, weights) in (0..).step_by(BLOCK).zip(weights.chunks(BLOCK)) {
            let [a, b, c, d] = rows.map(|row| &row[start..start + weights.len()]);
            for (i, tile) in tile.values[..weights.len()].iter_mut().enumerate() {
                *tile = [a[i], b[i], c[i], d[i]];
            }
            tile.add_to(&mut sums, weights);
        }
        result.iter_mut().zip(sums).for_each(|(result, sum)| *result = sum.finish());
    });
    result
}

/// `Σ_row weights[row]·values[row][column]` for every column.
///
/// # Shapes
/// `values`: rows × `width`, row-major; `weights`: rows; the result: `width`.
pub fn fold_rows<V: SmallInt>(values: &[V], width: usize, weights: &[Fr]) -> Vec<Fr> {
    debug_assert_eq!(weights.len() * width, values.len());
    let weights = &weights[..weights.len().min(values.len() / width.max(1))];
    // One task sums a panel of columns over a block of rows; neighbouring tasks share the rows.
    let panels = width.div_ceil(PANEL);
    let new_tiles = || (0..PANEL / LANES).map(|_| Tile::<V, LANES>::new()).collect::<Vec<_>>();
    let sum_panel = |tiles: &mut Vec<Tile<V, LANES>>, task: usize| {
        let (start, first) = (task / panels * BLOCK, task % panels * PANEL);
        let weights = &weights[start..weights.len().min(start + BLOCK)];
        let columns = first..width.min(first + PANEL);
        for (i, row) in values[start * width..].chunks_exact(width).take(weights.len()).enumerate() {
            let (groups, last) = row[columns.clone()].as_chunks();
            tiles.iter_mut().zip(groups).for_each(|(tile, group)| tile.values[i] = *group);
            if !last.is_empty() {
                tiles[groups.len()].values[i][..last.len()].copy_from_slice(last);
            }
        }
        let mut sums = [Accumulator::default(); PANEL];
        let tiles = tiles[..columns.len().div_ceil(LANES)].iter_mut();
        tiles.zip(sums.chunks_mut(LANES)).for_each(|(tile, sums)| tile.add_to(sums, weights));
        sums
    };
    let tasks = (0..panels * weights.len().div_ceil(BLOCK)).into_par_iter().with_min_len(8);
    let parts: Vec<[Accumulator; PANEL]> = tasks.map_init(new_tiles, sum_panel).collect();
    let column = |c: usize| {
        let mut sum = Accumulator::default();
        parts.iter().skip(c / PANEL).step_by(panels).for_each(|part| sum.merge(&part[c % PANEL]));
        sum.finish()
    };
    (0..width).into_par_iter().map(column).collect()
}

/// `target[i] += weight·values[i]`.
///
/// # Shapes
/// Two slices of one length; entries beyond the shorter one do not count.
pub fn accumulate<V: SmallInt>(target: &mut [Fr], weight: Fr, values: &[V]) {
    debug_assert_eq!(target.len(), values.len());
    target.par_iter_mut().zip(values).with_min_len(1 << 10).for_each(|(t, &v)| {
        let mut product = Accumulator::default();
        product.add_wide(&weight, v.into());
        *t += product.finish();
    });
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::reference::integers::accumulated;
    use ark_ff::{PrimeField, Zero};
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};

    /// Random elements, with the largest one (both as a number and in Montgomery form) among them.
    pub(crate) fn elements(count: usize, seed: u64) -> Vec<Fr> {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(seed);
        let most = -Fr::from(1u64);
        let element = |i| match i % 5 {
            2 => Fr::new_unchecked(most.into_bigint()),
            3 => most,
            _ => Fr::from_le_bytes_mod_order(&rng.random::<[u8; 32]>()),
        };
        (0..count).map(element).collect()
    }

    fn naive<V: SmallInt>(weights: &[Fr], values: impl IntoIterator<Item = V>) -> Fr {
        weights.iter().zip(values).map(|(w, v)| Fr::from(v.into()) * w).sum()
    }

    fn check<V: SmallInt>(values: &[V], width: usize, seed: u64) {
        let rows = values.len() / width;
        let values = &values[..rows * width];
        let (across, down) = (elements(width, seed), elements(rows, seed + 1));
        let columns = |c: usize| values[c..].iter().step_by(width).copied();
        let expected: Vec<Fr> = values.chunks(width).map(|row| naive(&across, row.iter().copied())).collect();
        assert_eq!(fold_columns(values, width, &across), expected);
        let expected: Vec<Fr> = (0..width).map(|c| naive(&down, columns(c))).collect();
        assert_eq!(fold_rows(values, width, &down), expected);
        let all = elements(values.len(), seed);
        assert_eq!(dot(&all, values), naive(&all, values.iter().copied()));
        let mut target = all.clone();
        accumulate(&mut target, down[0], values);
        assert_eq!(target, accumulated(&all, down[0], values));
    }

    fn small() -> impl Strategy<Value = i32> {
        prop_oneof![4 => -(1i32 << 17)..(1 << 17), 4 => Just(0), 1 => any::<i32>(), 1 => Just(i32::MIN), 1 => Just(i32::MAX)]
    }

    fn wide() -> impl Strategy<Value = i64> {
        prop_oneof![2 => -(1i64 << 17)..(1 << 17), 1 => any::<i64>(), 1 => Just(i64::MIN), 1 => Just(i64::MAX)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn sums_equal_the_naive_ones(
            narrow in proptest::collection::vec(any::<i16>(), 1..400),
            small in proptest::collection::vec(small(), 1..400),
            wide in proptest::collection::vec(wide(), 1..400),
            width in 1usize..40,
            seed in any::<u32>(),
        ) {
            check(&narrow, width.min(narrow.len()), seed.into());
            check(&small, width.min(small.len()), seed.into());
            check(&wide, width.min(wide.len()), seed.into());
            prop_assert_eq!(dot(&elements(small.len(), 1), &small), naive(&elements(small.len(), 1), small));
            prop_assert_eq!(dot(&elements(wide.len(), 1), &wide), naive(&elements(wide.len(), 1), wide));
        }
    }

    #[test]
    fn blocks_and_panels_have_ragged_ends() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(7);
        for width in [5, 16, 21, 1100] {
            let values: Vec<i64> = (0..width * (9 + 22_000 / width)).map(|_| rng.random()).collect();
            // One digit in most blocks, several in a few.
            let small: Vec<i32> = values.iter().map(|&v| (v >> if v % 4096 == 0 { 32 } else { 46 }) as i32).collect();
            check(&values, width, 1);
            check(&small, width, 2);
        }
    }

    #[test]
    fn extreme_values_over_many_blocks_do_not_overflow() {
        let count = 5000;
        let most = vec![-Fr::from(1u64); count];
        for v in [i64::MIN, i64::MAX, -(1 << 21), 1 << 21, (1 << 21) - 1, i64::from(i32::MIN)] {
            let values = vec![v; count];
            let expected = -Fr::from(v) * Fr::from(count as u64);
            assert_eq!(dot(&most, &values), expected, "value {v}");
            assert_eq!(fold_columns(&values, count, &most), [expected], "value {v}");
            assert_eq!(fold_rows(&values, 1, &most), [expected], "value {v}");
        }
    }

    #[test]
    fn empty_tensors_fold_to_nothing() {
        assert!(fold_columns::<i32>(&[], 0, &[]).is_empty());
        assert!(fold_rows::<i32>(&[], 0, &[]).is_empty());
        assert_eq!(fold_rows::<i32>(&[], 2, &[]), [Fr::zero(); 2]);
        assert_eq!(dot::<i32>(&[], &[]), Fr::zero());
    }
}
