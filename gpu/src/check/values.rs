//! Values to compute with: the edges, and others that look random. Nothing here is secret.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::PrimeField;

/// Numbers that look random: `SplitMix64`, "Fast splittable pseudorandom number generators", section 2.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Values of `from`, or random ones, in equal parts.
    pub fn mixed<T: Copy>(&mut self, count: usize, from: &[T], random: impl Fn(u64) -> T) -> Vec<T> {
        let mut value = || {
            let (choice, word) = (self.next(), self.next());
            let edge = from.get((choice >> 1) as usize % from.len().max(1)).filter(|_| choice & 1 == 0);
            edge.copied().unwrap_or_else(|| random(word))
        };
        (0..count).map(|_| value()).collect()
    }

    pub fn element<F: PrimeField>(&mut self) -> F {
        let bytes: Vec<u8> = (0..5).flat_map(|_| self.next().to_le_bytes()).collect();
        F::from_le_bytes_mod_order(&bytes)
    }

    /// Different points, none of them infinite: multiples of one by consecutive numbers.
    pub fn bases(&mut self, count: usize) -> Vec<G1Affine> {
        let step = G1Affine::generator() * self.element::<Fr>();
        let mut point = G1Affine::generator() * self.element::<Fr>();
        let mut points = Vec::with_capacity(count);
        for _ in 0..count {
            points.push(point);
            point += step;
        }
        G1Projective::normalize_batch(&points)
    }
}

/// Elements at the edges of their form in memory and of their own.
pub fn edges<F: PrimeField>() -> Vec<F> {
    let half = F::from(2u64).inverse().unwrap_or_default();
    // An element of form `f` is `f / 2^256`.
    let scale = half.pow([256]);
    let ones = F::from(u64::MAX);
    let top = F::from(2u64).pow([192]);
    let mut edges = vec![F::zero(), F::one(), -F::one(), F::from(2u64), half, -half];
    for form in
        [F::one(), -F::one(), ones, ones * top.inverse().unwrap_or_default(), top, top - F::one(), top + top - F::one()]
    {
        edges.push(form * scale);
    }
    edges
}

/// 16-bit values at the edges of digits.
pub const SMALL: [i16; 12] = [0, 1, -1, 127, 128, -128, -129, 255, 256, i16::MAX, i16::MIN, i16::MIN + 1];
/// 64-bit values at the edges of digits.
pub const LARGE: [i64; 12] =
    [0, 1, -1, 32_768, -32_769, 65_535, 1 << 20, u32::MAX as i64, i64::MAX, i64::MIN, i64::MIN + 1, 1 << 62];
