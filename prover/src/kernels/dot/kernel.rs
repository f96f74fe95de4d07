//! The inner loop: limbs of 32 bits times digits of 23 bits, summed in 64 bits without a carry.

use ark_bn254::Fr;

/// Terms that may be summed before a 64-bit lane could overflow: `2^9 · 2^32 · 2^22 = 2^63`.
pub(super) const BLOCK: usize = 1 << 9;

/// Bits of a digit of a value, sign included.
pub(super) const DIGIT_BITS: u32 = 23;

/// `Σ_i weights[i]·digits[i][n]` for every `n`, by limbs of the Montgomery form of 32 bits each.
///
/// Up to [`BLOCK`] terms with digits of at most [`DIGIT_BITS`] bits.
#[inline]
pub(super) fn sums<const N: usize>(weights: &[Fr], digits: &[[i32; N]]) -> [[i64; 8]; N] {
    debug_assert!(weights.len() <= BLOCK);
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "half the time of the portable loop")]
        // SAFETY: the function asks for nothing but AVX2, which is there.
        return unsafe { avx2::sums(weights, digits) };
    }
    portable(weights, digits)
}

/// The reference for every other kernel, and the one that runs where there is no other.
fn portable<const N: usize>(weights: &[Fr], digits: &[[i32; N]]) -> [[i64; 8]; N] {
    let mut sums = [[0; 8]; N];
    for (weight, digits) in weights.iter().zip(digits) {
        for (sum, &digit) in sums.iter_mut().zip(digits) {
            for (pair, &limb) in sum.chunks_exact_mut(2).zip(&weight.0.0) {
                pair[0] += i64::from(limb as u32) * i64::from(digit);
                pair[1] += (limb >> 32) as i64 * i64::from(digit);
            }
        }
    }
    sums
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use ark_bn254::Fr;
    use std::arch::x86_64::*;

    /// Four limbs a vector, even and odd ones apart; `vpmuldq` reads the lower half of each lane, signed.
    #[target_feature(enable = "avx2")]
    pub(super) fn sums<const N: usize>(weights: &[Fr], digits: &[[i32; N]]) -> [[i64; 8]; N] {
        // Limbs are not signed: take 2^31 off each, and add 2^31 times the sum of the digits at the end.
        let halves = _mm256_set1_epi32(1 << 31);
        let (mut sums, mut totals) = ([[_mm256_setzero_si256(); 2]; N], [0; N]);
        for (weight, digits) in weights.iter().zip(digits) {
            let [a, b, c, d] = weight.0.0.map(|limb| limb as i64);
            let even = _mm256_xor_si256(_mm256_set_epi64x(d, c, b, a), halves);
            let odd = _mm256_srli_epi64::<32>(even);
            for ((sum, total), &digit) in sums.iter_mut().zip(&mut totals).zip(digits) {
                *total += digit;
                let digit = _mm256_set1_epi32(digit);
                sum[0] = _mm256_add_epi64(sum[0], _mm256_mul_epi32(even, digit));
                sum[1] = _mm256_add_epi64(sum[1], _mm256_mul_epi32(odd, digit));
            }
        }
        let mut result = [[0; 8]; N];
        for ((limbs, sum), total) in result.iter_mut().zip(sums).zip(totals) {
            let correction = i64::from(total) << 31;
            for (i, sum) in sum.into_iter().enumerate() {
                limbs[i] = _mm256_extract_epi64::<0>(sum) + correction;
                limbs[i + 2] = _mm256_extract_epi64::<1>(sum) + correction;
                limbs[i + 4] = _mm256_extract_epi64::<2>(sum) + correction;
                limbs[i + 6] = _mm256_extract_epi64::<3>(sum) + correction;
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::dot::tests::elements;
    use ark_ff::BigInt;
    use proptest::prelude::*;

    fn digit() -> impl Strategy<Value = i32> {
        let half = 1 << (DIGIT_BITS - 1);
        prop_oneof![-half..half, Just(-half), Just(half - 1)]
    }

    proptest! {
        #[test]
        fn kernels_agree(
            digits in proptest::collection::vec([digit(), digit(), digit(), digit()], 0..=BLOCK),
            seed in any::<u64>(),
        ) {
            let weights = elements(digits.len(), seed);
            prop_assert_eq!(sums(&weights, &digits), portable(&weights, &digits));
            let first: Vec<[i32; 1]> = digits.iter().map(|d| [d[0]]).collect();
            prop_assert_eq!(sums(&weights, &first), portable(&weights, &first));
        }
    }

    #[test]
    fn a_full_block_of_extremes_does_not_overflow() {
        let most = Fr::new_unchecked(BigInt([u64::MAX; 4]));
        for digit in [-1 << (DIGIT_BITS - 1), (1 << (DIGIT_BITS - 1)) - 1] {
            let expected = BLOCK as i64 * i64::from(u32::MAX) * i64::from(digit);
            assert_eq!(sums(&[most; BLOCK], &[[digit]; BLOCK]), [[expected; 8]]);
        }
    }
}
