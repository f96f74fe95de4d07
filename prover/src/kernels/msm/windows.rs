//! Signed digits of scalars, and how wide a window should be.

use ark_bn254::{G1Affine, G1Projective};
use ark_ff::AdditiveGroup;
use rayon::prelude::*;

use super::buckets::window_sum;

/// Widest window: its counters still fit in the second-level cache.
const MAX_WIDTH: u32 = 18;
/// Cost of what is not an addition, in units of a batch-affine addition: an inversion, and one bucket of a running sum.
const INVERSION: usize = 50;
const RUNNING_SUM: usize = 1 << 10;

/// Scalars cut into `count` windows of `width` bits: `x = Σ_k d_k·2^(width·k)`.
///
/// Digits but the last lie in `[-2^(width-1), 2^(width-1))`. They are read off `x + Σ_{k<count-1} 2^(width·k + width-1)`, the
/// same window of which is `d_k + 2^(width-1)`; so no carry runs from digit to digit. The last one is what remains, at
/// most `2^(width-1)` in absolute value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    width: u32,
    count: u32,
}

impl Windows {
    /// The windows with the fewest additions for `len` scalars below `2^bits` in absolute value.
    pub fn choose(len: usize, bits: u32) -> Self {
        let cost = |width: u32| {
            let buckets = 1usize << (width - 1);
            let additions = len + 2 * buckets.min(len);
            let rounds = 2 * (len.max(1).ilog2() as usize);
            (bits + 1).div_ceil(width) as usize * (additions + buckets / 16 + INVERSION * rounds + RUNNING_SUM)
        };
        let width = (2..=MAX_WIDTH.min(bits + 1).max(2)).min_by_key(|width| cost(*width)).unwrap_or(2);
        Self { width, count: (bits + 1).div_ceil(width).max(1) }
    }

    /// `Σ_{k<count-1} 2^(width·k + width-1)`, 256 bits, lowest limb first.
    pub fn bias(&self) -> [u64; 4] {
        let mut limbs = [0; 4];
        for k in 1..self.count {
            let bit = self.width * k - 1;
            limbs[bit as usize / 64] |= 1 << (bit % 64);
        }
        limbs
    }

    /// Digit `k` of a number to which [`Windows::bias`] was added, given the number shifted right by [`Windows::shift`].
    #[inline(always)]
    pub fn digit(&self, shifted: i64, k: u32) -> i32 {
        if k + 1 == self.count {
            return shifted as i32;
        }
        let half = 1 << (self.width - 1);
        (shifted & (2 * half - 1)) as i32 - half as i32
    }

    /// Position of window `k`, in bits.
    #[inline(always)]
    pub fn shift(&self, k: u32) -> u32 {
        self.width * k
    }

    /// `Σ_k 2^(width·k)·Σ_i digit(i, k)·bases[i]`, on about `threads` threads.
    pub fn sum(&self, bases: &[G1Affine], threads: usize, digit: impl Fn(usize, u32) -> i32 + Sync) -> G1Projective {
        let share = threads.div_ceil(self.count as usize);
        let window = |k| window_sum(bases, self.width - 1, share, |i| digit(i, k));
        let sums: Vec<G1Projective> = if threads > 1 {
            (0..self.count).into_par_iter().with_max_len(1).map(window).collect()
        } else {
            (0..self.count).map(window).collect()
        };
        sums.iter().rev().fold(G1Projective::ZERO, |mut total, sum| {
            for _ in 0..self.width {
                total.double_in_place();
            }
            total + sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_column_of_small_values_takes_one_window() {
        assert_eq!(Windows::choose(1 << 16, 15).count, 1);
        assert_eq!(Windows::choose(1 << 18, 16).count, 1);
        assert_eq!(Windows::choose(1 << 16, 1), Windows { width: 2, count: 1 });
        assert_eq!(Windows::choose(0, 0).count, 1);
    }

    proptest! {
        #[test]
        fn digits_recombine(x in -(1i64 << 62)..(1 << 62), len in 1usize..1 << 20, spare in 0u32..30) {
            let bits = (64 - x.unsigned_abs().leading_zeros() + spare).min(100);
            let windows = Windows::choose(len, bits);
            let bias = i128::from(windows.bias()[0]) | i128::from(windows.bias()[1]) << 64;
            let mut sum = 0i128;
            for k in (0..windows.count).rev() {
                let digit = windows.digit(((i128::from(x) + bias) >> windows.shift(k)) as i64, k);
                prop_assert!(digit.unsigned_abs() <= 1 << (windows.width - 1));
                sum = (sum << windows.width) + i128::from(digit);
            }
            prop_assert_eq!(sum, i128::from(x));
        }
    }
}
