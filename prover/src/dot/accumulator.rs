//! Exact integer sums over the Montgomery forms of field elements.

use ark_bn254::{Fr, FrConfig};
use ark_ff::{BigInt, MontConfig, PrimeField};

/// `Σ v·w` over small signed integers `v` and field elements `w`, exact for up to 2^32 terms.
///
/// A 384-bit integer in two's complement: 254 bits of a weight, 63 of a value, 32 of the count and a sign.
#[derive(Clone, Copy, Debug, Default)]
pub struct Accumulator([u64; 6]);

impl Accumulator {
    /// Adds `v·w`.
    #[inline]
    pub fn add(&mut self, w: &Fr, v: i32) {
        self.add_wide(w, v.into());
    }

    /// Adds `v·w`.
    #[inline]
    pub fn add_wide(&mut self, w: &Fr, v: i64) {
        // v = (v mod 2^64) - 2^64·[v < 0], so the weight is taken off one limb higher where v is negative.
        let (limbs, mask) = (w.0.0, (v >> 63) as u64);
        let (mut carry, mut borrow) = (0, false);
        let mut above = 0;
        for i in 0..4 {
            let (low, high) = limbs[i].carrying_mul_add(v as u64, self.0[i], carry);
            carry = high;
            (self.0[i], borrow) = low.borrowing_sub(above, borrow);
            above = limbs[i] & mask;
        }
        let (sum, overflow) = self.0[4].overflowing_add(carry);
        (self.0[4], borrow) = sum.borrowing_sub(above, borrow);
        self.0[5] = self.0[5].wrapping_add(overflow.into()).wrapping_sub(borrow.into());
    }

    /// Adds `limb·2^shift`, for a shift below 320.
    #[inline]
    pub(super) fn add_shifted(&mut self, limb: i64, shift: u32) {
        let (start, wide) = ((shift / 64) as usize, i128::from(limb) << (shift % 64));
        let fill = (wide >> 127) as u64;
        let mut carry = false;
        for (i, limb) in self.0[start..].iter_mut().enumerate() {
            let part = [wide as u64, (wide >> 64) as u64].get(i).copied().unwrap_or(fill);
            (*limb, carry) = limb.carrying_add(part, carry);
        }
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
    pub fn finish(&self) -> Fr {
        let [a, b, c, d, e, f] = self.0;
        // The Montgomery form of an integer h is h·2^256 mod r.
        from_montgomery([a, b, c, d]) + Fr::from((u128::from(e) | u128::from(f) << 64) as i128)
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
        for (i, &digit) in b.0.0.iter().enumerate() {
            let mut carry = 0;
            for (limb, &a) in self.0[i..].iter_mut().zip(&a.0.0) {
                (*limb, carry) = a.carrying_mul_add(digit, *limb, carry);
            }
            let mut overflow;
            (self.0[i + 4], overflow) = self.0[i + 4].overflowing_add(carry);
            for limb in &mut self.0[i + 5..] {
                (*limb, overflow) = limb.overflowing_add(overflow.into());
            }
        }
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
    pub fn finish(&self) -> Fr {
        let [a, b, c, d, e, f, g, h, top] = self.0;
        // The sum carries 2^512; what stands above 2^256 needs no reduction but modulo r.
        let low = Fr::new_unchecked(from_montgomery([a, b, c, d]).into_bigint());
        low + from_montgomery([e, f, g, h]) + Fr::from(top)
    }
}

/// The field element whose Montgomery form is `limbs` modulo r.
fn from_montgomery(mut limbs: [u64; 4]) -> Fr {
    // r is between 2^253 and 2^254: at most five times.
    while BigInt(limbs) >= FrConfig::MODULUS {
        let mut borrow = false;
        for (limb, m) in limbs.iter_mut().zip(FrConfig::MODULUS.0) {
            (*limb, borrow) = limb.borrowing_sub(m, borrow);
        }
    }
    Fr::new_unchecked(BigInt(limbs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dot::tests::elements;
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
        fn shifted_limbs_are_exact(limbs in proptest::collection::vec((any::<i64>(), 0u32..280), 0..40)) {
            let mut sum = Accumulator::default();
            let mut expected = Fr::zero();
            // One in Montgomery form is 2^256 mod r, so a plain 1 stands for 2^-256.
            let unit = from_montgomery([1, 0, 0, 0]);
            for (limb, shift) in limbs {
                sum.add_shifted(limb, shift);
                expected += Fr::from(limb) * Fr::from(2u64).pow([shift.into()]) * unit;
            }
            prop_assert_eq!(sum.finish(), expected);
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
    fn limbs_beyond_the_modulus_are_reduced() {
        let most = [u64::MAX; 4];
        let expected = Fr::from(2u64).pow([256]) * from_montgomery([1, 0, 0, 0]) - from_montgomery([1, 0, 0, 0]);
        assert_eq!(from_montgomery(most), expected);
    }

    #[test]
    fn many_extreme_products_carry_to_the_top_limb() {
        let most = from_montgomery((-Fr::from(1u64)).0.0);
        let mut sum = WideAccumulator::default();
        for _ in 0..5000 {
            sum.add_product(&most, &most);
        }
        assert_eq!(sum.finish(), Fr::from(5000u64));
    }
}
