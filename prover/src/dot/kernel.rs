//! The inner loop: limbs of 32 bits times digits of 23 bits, summed in 64 bits without a carry.

use ark_bn254::Fr;

/// Terms that may be summed before a 64-bit lane could overflow: `2^9 · 2^31 · 2^22 = 2^62`.
pub(super) const BLOCK: usize = 1 << 9;

/// Bits of a digit of a value.
pub(super) const DIGIT_BITS: u32 = 23;

/// Montgomery form of a weight in eight signed 32-bit limbs, two a word, the lower one low.
pub(super) type Weight = [u64; 4];

/// Rewrites the Montgomery form of `w` with limbs in `[-2^31, 2^31)`.
#[inline]
pub(super) fn balance(w: &Fr) -> Weight {
    // Add 2^31 to every limb with carries, then take it off every limb without: an exclusive or.
    const HALVES: u64 = 1 << 63 | 1 << 31;
    let mut carry = false;
    w.0.0.map(|limb| {
        let sum;
        (sum, carry) = limb.carrying_add(HALVES, carry);
        sum ^ HALVES
    })
}

/// `Σ_i weights[i]·digits[i][n]` for every `n`, limb by limb.
///
/// Up to [`BLOCK`] terms with digits of at most [`DIGIT_BITS`] bits, sign included.
#[inline]
pub(super) fn sums<const N: usize>(weights: &[Weight], digits: &[[i32; N]]) -> [[i64; 8]; N] {
    debug_assert!(weights.len() <= BLOCK);
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "half the time of the portable loop; the instructions were just detected")]
        // SAFETY: the only requirement is AVX2.
        return unsafe { avx2::sums(weights, digits) };
    }
    portable(weights, digits)
}

/// The reference for every other kernel, and the one that runs where there is no other.
fn portable<const N: usize>(weights: &[Weight], digits: &[[i32; N]]) -> [[i64; 8]; N] {
    let mut sums = [[0; 8]; N];
    for (weight, digits) in weights.iter().zip(digits) {
        for (sum, &digit) in sums.iter_mut().zip(digits) {
            for (pair, &word) in sum.chunks_exact_mut(2).zip(weight) {
                pair[0] += i64::from(word as i32) * i64::from(digit);
                pair[1] += (word as i64 >> 32) * i64::from(digit);
            }
        }
    }
    sums
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::Weight;
    use std::arch::x86_64::*;

    /// Four limbs a vector, even and odd ones apart; `vpmuldq` reads the lower half of each lane.
    #[target_feature(enable = "avx2")]
    pub(super) fn sums<const N: usize>(weights: &[Weight], digits: &[[i32; N]]) -> [[i64; 8]; N] {
        let mut sums = [[_mm256_setzero_si256(); 2]; N];
        for (weight, digits) in weights.iter().zip(digits) {
            let [a, b, c, d] = weight.map(|word| word as i64);
            let even = _mm256_set_epi64x(d, c, b, a);
            let odd = _mm256_srli_epi64::<32>(even);
            for (sum, &digit) in sums.iter_mut().zip(digits) {
                let digit = _mm256_set1_epi32(digit);
                sum[0] = _mm256_add_epi64(sum[0], _mm256_mul_epi32(even, digit));
                sum[1] = _mm256_add_epi64(sum[1], _mm256_mul_epi32(odd, digit));
            }
        }
        sums.map(|[even, odd]| {
            let pairs = [_mm256_unpacklo_epi64(even, odd), _mm256_unpackhi_epi64(even, odd)];
            // Each 128-bit half of an unpacked vector holds one word's limbs: words 0 and 2, words 1 and 3.
            let limbs = pairs.map(|v| {
                [
                    _mm256_extract_epi64::<0>(v),
                    _mm256_extract_epi64::<1>(v),
                    _mm256_extract_epi64::<2>(v),
                    _mm256_extract_epi64::<3>(v),
                ]
            });
            let ([a, b, e, f], [c, d, g, h]) = (limbs[0], limbs[1]);
            [a, b, c, d, e, f, g, h]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dot::tests::elements;
    use ark_ff::PrimeField;
    use proptest::prelude::*;

    fn digit() -> impl Strategy<Value = i32> {
        let half = 1 << (DIGIT_BITS - 1);
        prop_oneof![-half..half, Just(-half), Just(half - 1)]
    }

    proptest! {
        #[test]
        fn kernels_agree(digits in proptest::collection::vec([digit(), digit(), digit(), digit()], 0..=BLOCK), seed in any::<u64>()) {
            let weights: Vec<Weight> = elements(digits.len(), seed).iter().map(balance).collect();
            prop_assert_eq!(sums(&weights, &digits), portable(&weights, &digits));
            let first: Vec<[i32; 1]> = digits.iter().map(|d| [d[0]]).collect();
            prop_assert_eq!(sums(&weights, &first), portable(&weights, &first));
        }

        #[test]
        fn balancing_keeps_the_value(seed in any::<u64>()) {
            for w in elements(8, seed) {
                let limbs = portable(&[balance(&w)], &[[1]])[0];
                let shift = Fr::from(1u64 << 32);
                let value = limbs.iter().rev().fold(Fr::from(0u64), |sum, &l| sum * shift + Fr::from(l));
                prop_assert_eq!(value.into_bigint(), w.0);
                prop_assert!(limbs.iter().all(|l| i32::try_from(*l).is_ok()));
            }
        }
    }

    #[test]
    fn a_full_block_of_extremes_does_not_overflow() {
        let least = [1u64 << 63 | 1 << 31; 4];
        let sums = sums(&[least; BLOCK], &[[-1 << (DIGIT_BITS - 1)]; BLOCK]);
        assert_eq!(sums, [[1 << 62; 8]]);
    }
}
