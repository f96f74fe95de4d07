//! Sums of small integers times field elements, and of products of field elements, reduced once at the end.
//!
//! The Montgomery form of `Σ v·w` is the sum of the `v` times the Montgomery forms of the `w`, so the sums run over plain
//! integers and only their end is taken modulo r.

use ark_bn254::Fr;
use rayon::prelude::*;

mod accumulator;

pub use accumulator::{Accumulator, WideAccumulator};

mod sealed {
    pub trait Sealed {}
    impl Sealed for i16 {}
    impl Sealed for i32 {}
    impl Sealed for i64 {}
}

/// The integers that a tensor may hold: `i16`, `i32` and `i64`.
pub trait SmallInt: sealed::Sealed + Copy + Send + Sync + Into<i64> {}
impl SmallInt for i16 {}
impl SmallInt for i32 {}
impl SmallInt for i64 {}

/// `Σ weights[i]·values[i]`.
///
/// # Shapes
/// Two slices of one length; entries beyond the shorter one do not count.
pub fn dot_small(weights: &[Fr], values: &[i32]) -> Fr {
    dot(weights, values)
}

/// `Σ weights[i]·values[i]` over wide integers; see [`dot_small`].
pub fn dot_wide(weights: &[Fr], values: &[i64]) -> Fr {
    dot(weights, values)
}

/// `Σ weights[i]·values[i]` over any small integers; see [`dot_small`].
pub fn dot<V: SmallInt>(weights: &[Fr], values: &[V]) -> Fr {
    debug_assert_eq!(weights.len(), values.len());
    let mut sum = Accumulator::default();
    for (w, &v) in weights.iter().zip(values) {
        sum.add_wide(w, v.into());
    }
    sum.finish()
}

/// `Σ_column values[row][column]·weights[column]` for every row.
///
/// # Shapes
/// `values`: rows × `width`, row-major; `weights`: `width`; the result: rows.
pub fn fold_columns<V: SmallInt>(values: &[V], width: usize, weights: &[Fr]) -> Vec<Fr> {
    debug_assert_eq!(weights.len(), width);
    values.par_chunks_exact(width.max(1)).map(|row| dot(weights, row)).collect()
}

/// `Σ_row weights[row]·values[row][column]` for every column.
///
/// # Shapes
/// `values`: rows × `width`, row-major; `weights`: rows; the result: `width`.
pub fn fold_rows<V: SmallInt>(values: &[V], width: usize, weights: &[Fr]) -> Vec<Fr> {
    debug_assert_eq!(weights.len() * width, values.len());
    let sums = values
        .par_chunks_exact(width.max(1))
        .zip(weights)
        .fold(
            || vec![Accumulator::default(); width],
            |mut sums, (row, w)| {
                sums.iter_mut().zip(row).for_each(|(sum, &v)| sum.add_wide(w, v.into()));
                sums
            },
        )
        .reduce(
            || vec![Accumulator::default(); width],
            |mut left, right| {
                left.iter_mut().zip(&right).for_each(|(l, r)| l.merge(r));
                left
            },
        );
    sums.into_par_iter().map(|sum| sum.finish()).collect()
}

/// `target[i] += weight·values[i]`.
///
/// # Shapes
/// Two slices of one length; entries beyond the shorter one do not count.
pub fn accumulate<V: SmallInt>(target: &mut [Fr], weight: Fr, values: &[V]) {
    debug_assert_eq!(target.len(), values.len());
    target.par_iter_mut().zip(values).for_each(|(t, &v)| *t += weight * Fr::from(v.into()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{PrimeField, Zero};
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};

    /// Random elements, with the largest one (both as a number and in Montgomery form) among them.
    pub(super) fn elements(count: usize, seed: u64) -> Vec<Fr> {
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
        let expected: Vec<Fr> = all.iter().zip(values).map(|(t, &v)| down[0] * Fr::from(v.into()) + t).collect();
        assert_eq!(target, expected);
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
            prop_assert_eq!(dot_small(&elements(small.len(), 1), &small), naive(&elements(small.len(), 1), small));
            prop_assert_eq!(dot_wide(&elements(wide.len(), 1), &wide), naive(&elements(wide.len(), 1), wide));
        }
    }

    #[test]
    fn extreme_values_over_many_blocks_do_not_overflow() {
        let count = 5000;
        let most = vec![-Fr::from(1u64); count];
        for v in [i64::MIN, i64::MAX, -(1 << 21), 1 << 21, (1 << 21) - 1, i64::from(i32::MIN)] {
            let values = vec![v; count];
            let expected = -Fr::from(v) * Fr::from(count as u64);
            assert_eq!(dot_wide(&most, &values), expected, "value {v}");
            assert_eq!(fold_columns(&values, count, &most), [expected], "value {v}");
            assert_eq!(fold_rows(&values, 1, &most), [expected], "value {v}");
        }
    }

    #[test]
    fn empty_tensors_fold_to_nothing() {
        assert!(fold_columns::<i32>(&[], 0, &[]).is_empty());
        assert!(fold_rows::<i32>(&[], 0, &[]).is_empty());
        assert_eq!(fold_rows::<i32>(&[], 2, &[]), [Fr::zero(); 2]);
        assert_eq!(dot_small(&[], &[]), Fr::zero());
    }
}
