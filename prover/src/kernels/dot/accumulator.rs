//! Exact integer sums over the Montgomery forms of field elements.

use ark_bn254::{Fr, FrConfig};
use ark_ff::{BigInt, MontConfig};

/// The modulus r.
const MODULUS: [u64; 4] = FrConfig::MODULUS.0;

/// `2^36·r`, the multiple by which the longest sums are first shortened.
const SHIFTED_MODULUS: [u64; 5] = {
    let mut shifted = [0; 5];
    let mut i = 0;
    while i < 4 {
        shifted[i] |= MODULUS[i] << 36;
        shifted[i + 1] = MODULUS[i] >> 28;
        i += 1;
    }
    shifted
};

/// Just below `2^316 / r`.
const INVERSE: u64 = ((1u128 << 124) / (MODULUS[3] as u128 + 1)) as u64;

/// `Σ v·w` over small signed integers `v` and field elements `w`, exact for up to 2^32 terms.
///
/// A 384-bit integer in two's complement: 254 bits of a weight, 63 of a value, 32 of the count and a sign.
#[derive(Clone, Copy, Debug, Default)]
pub struct Accumulator([u64; 6]);

impl Accumulator {
    /// Adds `v·w`.
    #[inline]
    pub fn add(&mut self, w: &Fr, v: i32) {
        self.add_multiple(&w.0.0, v.into());
    }

    /// Adds `v·w`.
    #[inline]
    pub fn add_wide(&mut self, w: &Fr, v: i64) {
        self.add_multiple(&w.0.0, v);
    }

    /// Adds `v·w` for an integer `w` of `L` limbs, four or five.
    #[inline(always)]
    fn add_multiple<const L: usize>(&mut self, w: &[u64; L], v: i64) {
        // v = (v mod 2^64) - 2^64·[v < 0], so w is taken off one limb higher where v is negative.
        let (mut above, mut carry, mut borrow) = (0, 0, false);
        for (limb, &w) in self.0.iter_mut().zip(w) {
            let (sum, high) = w.carrying_mul_add(v as u64, *limb, carry);
            (*limb, borrow) = sum.borrowing_sub(above, borrow);
            (above, carry) = (w & (v >> 63) as u64, high);
        }
        let (sum, overflow) = self.0[L].overflowing_add(carry);
        (self.0[L], borrow) = sum.borrowing_sub(above, borrow);
        if L < 5 {
            self.0[5] = self.0[5].wrapping_add(overflow.into()).wrapping_sub(borrow.into());
        }
    }

    /// Adds `2^shift·Σ limbs[k]·2^32k`, for a shift below 64.
    #[inline]
    pub(super) fn add_limbs(&mut self, limbs: &[i64; 8], shift: u32) {
        let (mut carry, mut overflow) = (0i128, false);
        let mut push = |limb: &mut u64, low: i64, high: i64| {
            // The part that the shift moves out of a limb goes up with the carry.
            let sum = i128::from(low) + (i128::from(high) << 32);
            let part = (sum << shift) as u64;
            let total = carry + i128::from(part);
            carry = (total >> 64) + (sum >> (64 - shift));
            (*limb, overflow) = limb.carrying_add(total as u64, overflow);
        };
        for k in 0..4 {
            push(&mut self.0[k], limbs[2 * k], limbs[2 * k + 1]);
        }
        push(&mut self.0[4], 0, 0);
        push(&mut self.0[5], 0, 0);
    }

    /// Adds another sum.
    #[inline]
    pub fn merge(&mut self, other: &Self) {
        let mut carry = false;
        for (a, b) in self.0.iter_mut().zip(other.0) {
            (*a, carry) = a.carrying_add(b, carry);
        }
    }

    /// The sum modulo r.
    #[inline]
    pub fn finish(mut self) -> Fr {
        // Barrett: leading bits times the inverse of r are the quotient, or in one case of some thousand next to it.
        let quotient = |leading: i64, shift: u32| ((i128::from(leading) * i128::from(INVERSE)) >> shift) as i64;
        let top = (u128::from(self.0[4]) | u128::from(self.0[5]) << 64) as i128;
        if !(-(1 << 47)..1 << 47).contains(&top) {
            self.add_multiple(&SHIFTED_MODULUS, -quotient((top >> 32) as i64, 64));
        }
        let leading = (self.0[4] << 16 | self.0[3] >> 48) as i64;
        self.add_multiple(&MODULUS, -quotient(leading, 76));
        while (self.0[5] as i64) < 0 {
            self.add_multiple(&MODULUS, 1);
        }
        while self.0[4] != 0 || BigInt([self.0[0], self.0[1], self.0[2], self.0[3]]) >= FrConfig::MODULUS {
            self.add_multiple(&MODULUS, -1);
        }
        Fr::new_unchecked(BigInt([self.0[0], self.0[1], self.0[2], self.0[3]]))
    }
}

/// `Σ a·b` over field elements, exact for up to 2^32 terms.
///
/// A 576-bit integer, of which one Montgomery reduction is taken at the end.
#[derive(Clone, Copy, Debug, Default)]
pub struct WideAccumulator([u64; 9]);

impl WideAccumulator {
    /// Adds `a·b`.
    #[inline]
    pub fn add_product(&mut self, a: &Fr, b: &Fr) {
        let mut overflow = false;
        for (i, &digit) in b.0.0.iter().enumerate() {
            let mut carry = 0;
            for (limb, &a) in self.0[i..].iter_mut().zip(&a.0.0) {
                (*limb, carry) = a.carrying_mul_add(digit, *limb, carry);
            }
            (self.0[i + 4], overflow) = self.0[i + 4].carrying_add(carry, overflow);
        }
        self.0[8] += u64::from(overflow);
    }

    /// Adds another sum.
    #[inline]
    pub fn merge(&mut self, other: &Self) {
        let mut carry = false;
        for (a, b) in self.0.iter_mut().zip(other.0) {
            (*a, carry) = a.carrying_add(b, carry);
        }
    }

    /// The sum modulo r.
    #[inline]
    pub fn finish(self) -> Fr {
        // Montgomery: a multiple of r clears each of the four low limbs, and the rest is the sum over 2^256.
        let mut limbs = self.0;
        let mut overflow = false;
        for i in 0..4 {
            let (factor, mut carry) = (limbs[i].wrapping_mul(FrConfig::INV), 0);
            for (limb, m) in limbs[i..].iter_mut().zip(MODULUS) {
                (*limb, carry) = factor.carrying_mul_add(m, *limb, carry);
            }
            (limbs[i + 4], overflow) = limbs[i + 4].carrying_add(carry, overflow);
        }
        let [_, _, _, _, a, b, c, d, top] = limbs;
        Accumulator([a, b, c, d, top + u64::from(overflow), 0]).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::dot::tests::elements;
    use ark_ff::{Field, Zero};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn small_sums_are_exact(
            terms in proptest::collection::vec((any::<i32>(), prop_oneof![any::<i64>(), Just(i64::MIN), Just(-1)]), 0..40),
            cut in 0usize..40,
            seed in any::<u64>(),
        ) {
            let w = elements(terms.len(), seed);
            let mut parts = [Accumulator::default(); 2];
            let mut expected = Fr::zero();
            for (i, (w, &(small, wide))) in w.iter().zip(&terms).enumerate() {
                parts[usize::from(i < cut)].add(w, small);
                parts[usize::from(i < cut)].add_wide(w, wide);
                expected += Fr::from(small) * w + Fr::from(wide) * w;
            }
            let [mut sum, other] = parts;
            sum.merge(&other);
            prop_assert_eq!(sum.finish(), expected);
        }

        #[test]
        fn limbs_are_exact(parts in proptest::collection::vec((any::<[i64; 8]>(), 0u32..48), 0..40)) {
            let mut sum = Accumulator::default();
            let mut expected = Fr::zero();
            for (limbs, shift) in parts {
                sum.add_limbs(&limbs, shift);
                let power = |bits: u64| Fr::from(2u64).pow([bits]);
                let value: Fr = (0..8).map(|k| Fr::from(limbs[k]) * power(32 * k as u64)).sum();
                // A plain integer stands for itself over 2^256.
                expected += value * power(shift.into()) / power(256);
            }
            prop_assert_eq!(sum.finish(), expected);
        }

        #[test]
        fn any_sum_within_the_bound_is_reduced(low in any::<[u64; 4]>(), high in prop_oneof![
            -(1i128 << 93)..(1 << 93), -(1i128 << 60)..(1 << 60), -4i128..4, Just(1 << 93), Just(-(1 << 93)),
        ]) {
            let [a, b, c, d] = low;
            let sum = Accumulator([a, b, c, d, high as u64, (high >> 64) as u64]);
            let unit = Fr::from(2u64).pow([64]);
            let low = low.iter().rev().fold(Fr::zero(), |sum, &l| sum * unit + Fr::from(l));
            prop_assert_eq!(sum.finish(), Fr::from(high) + low / unit.pow([4]));
        }

        #[test]
        fn product_sums_are_exact(count in 0usize..60, cut in 0usize..60, seed in any::<u64>()) {
            let (a, b) = (elements(count, seed), elements(count, !seed));
            let mut parts = [WideAccumulator::default(); 2];
            for (i, (a, b)) in a.iter().zip(&b).enumerate() {
                parts[usize::from(i < cut)].add_product(a, b);
            }
            let [mut sum, other] = parts;
            sum.merge(&other);
            prop_assert_eq!(sum.finish(), a.iter().zip(&b).map(|(a, b)| *a * b).sum::<Fr>());
        }
    }

    #[test]
    fn many_extreme_products_carry_to_the_top_limb() {
        let most = -Fr::from(1u64);
        let mut sum = WideAccumulator::default();
        for _ in 0..5000 {
            sum.add_product(&most, &most);
        }
        assert_eq!(sum.finish(), Fr::from(5000u64));
    }
}
