//! Sums of affine points that share one inversion: about six field multiplications an addition.
//!
//! Adding two affine points takes one inversion and three multiplications. Hundreds of additions that do not depend on
//! one another share one inversion at three multiplications each (Montgomery's trick), which beats the ten to eleven
//! multiplications of a mixed addition in projective coordinates.

use ark_bn254::{Fq, G1Affine};
use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField, Zero};

/// Additions that share one inversion: enough to make it cheap, few enough to stay in the second-level cache.
const BATCH: usize = 1024;
/// Independent chains of products in a batch inversion, since a chain alone waits for each multiplication to end.
const LANES: usize = 4;

/// Points with keys, in the order of their keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Keyed {
    pub keys: Vec<u32>,
    pub points: Vec<G1Affine>,
}

/// `a - b` without the branch on the borrow, which random values make unpredictable.
#[inline(always)]
fn sub(a: &Fq, b: &Fq) -> Fq {
    let mut limbs = [0u64; 4];
    let mut borrow = false;
    for (out, (x, y)) in limbs.iter_mut().zip(a.0.0.iter().zip(&b.0.0)) {
        let (difference, under) = x.overflowing_sub(*y);
        let (difference, under_again) = difference.overflowing_sub(u64::from(borrow));
        *out = difference;
        borrow = under | under_again;
    }
    let mask = u64::from(borrow).wrapping_neg();
    let mut carry = false;
    for (out, modulus) in limbs.iter_mut().zip(&Fq::MODULUS.0) {
        let (sum, over) = out.overflowing_add(modulus & mask);
        let (sum, over_again) = sum.overflowing_add(u64::from(carry));
        *out = sum;
        carry = over | over_again;
    }
    Fq::new_unchecked(BigInt(limbs))
}

/// Replaces each value by its inverse; none may be zero. `scratch` is only there to be allocated once.
fn invert_all(values: &mut [Fq], scratch: &mut Vec<Fq>) {
    scratch.clear();
    let mut products = [Fq::ONE; LANES];
    for lane_values in values.chunks(LANES) {
        for (product, value) in products.iter_mut().zip(lane_values) {
            scratch.push(*product);
            *product *= value;
        }
    }
    // One inversion for all lanes.
    let mut prefixes = [Fq::ONE; LANES];
    let mut all = Fq::ONE;
    for (prefix, product) in prefixes.iter_mut().zip(&products) {
        *prefix = all;
        all *= product;
    }
    let mut inverse = all.inverse().unwrap_or_default();
    debug_assert!(!inverse.is_zero(), "a zero among the denominators");
    let mut inverses = [Fq::ONE; LANES];
    for ((out, prefix), product) in inverses.iter_mut().zip(&prefixes).zip(&products).rev() {
        *out = inverse * prefix;
        inverse *= product;
    }
    for (lane_values, prefixes) in values.chunks_mut(LANES).zip(scratch.chunks(LANES)).rev() {
        for ((inverse, value), prefix) in inverses.iter_mut().zip(lane_values).zip(prefixes) {
            let result = *inverse * prefix;
            *inverse *= *value;
            *value = result;
        }
    }
}

/// The denominator of the slope of the line through `p` and `q`, or one where there is no such line.
#[inline(always)]
fn denominator(p: &G1Affine, q: &G1Affine) -> Fq {
    let difference = sub(&q.x, &p.x);
    if !difference.is_zero() {
        return difference;
    }
    // No point of G1 has y = 0, as its order is odd; infinity is written (0, 0).
    if p.y == q.y && !p.y.is_zero() { p.y.double() } else { Fq::ONE }
}

/// `p + q`, given the inverse of their [`denominator`].
#[inline(always)]
fn add(p: &G1Affine, q: &G1Affine, inverse: &Fq) -> G1Affine {
    if p.y.is_zero() {
        return *q;
    }
    if q.y.is_zero() {
        return *p;
    }
    let slope = if p.x != q.x {
        sub(&q.y, &p.y) * inverse
    } else if p.y == q.y {
        let square = p.x.square();
        (square.double() + square) * inverse
    } else {
        return G1Affine::identity();
    };
    let x = sub(&sub(&slope.square(), &p.x), &q.x);
    let y = sub(&(slope * sub(&p.x, &x)), &p.y);
    G1Affine::new_unchecked(x, y)
}

impl Keyed {
    /// Adds points of equal keys, in rounds of pairs, until fewer than `least_pairs` pairs are left (1: until none is).
    pub fn merge(&mut self, least_pairs: usize) {
        let mut scratch = Scratch::default();
        while self.pairs() >= least_pairs.max(1) {
            self.merge_round(&mut scratch);
        }
    }

    /// Number of pairs of neighbours with equal keys, each point in one pair at most.
    fn pairs(&self) -> usize {
        let (mut pairs, mut at) = (0, 0);
        while at + 1 < self.keys.len() {
            let equal = self.keys[at] == self.keys[at + 1];
            pairs += usize::from(equal);
            at += 1 + usize::from(equal);
        }
        pairs
    }

    /// Replaces each pair of neighbours with equal keys by its sum.
    fn merge_round(&mut self, scratch: &mut Scratch) {
        let (mut read, mut written) = (0, 0);
        let len = self.keys.len();
        while read < len {
            // Which additions the batch makes, and their denominators.
            let start = read;
            scratch.denominators.clear();
            while read < len && scratch.denominators.len() < BATCH {
                if read + 1 < len && self.keys[read] == self.keys[read + 1] {
                    scratch.denominators.push(denominator(&self.points[read], &self.points[read + 1]));
                    read += 2;
                } else {
                    read += 1;
                }
            }
            invert_all(&mut scratch.denominators, &mut scratch.products);
            // The same walk again; results never overtake what is still to be read.
            let mut inverses = scratch.denominators.iter();
            let mut at = start;
            while at < read {
                self.keys[written] = self.keys[at];
                if at + 1 < len && self.keys[at] == self.keys[at + 1] {
                    let Some(inverse) = inverses.next() else { break };
                    self.points[written] = add(&self.points[at], &self.points[at + 1], inverse);
                    at += 2;
                } else {
                    self.points[written] = self.points[at];
                    at += 1;
                }
                written += 1;
            }
        }
        self.keys.truncate(written);
        self.points.truncate(written);
    }
}

/// Memory of a round.
#[derive(Default)]
struct Scratch {
    denominators: Vec<Fq>,
    products: Vec<Fq>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{Fr, G1Projective};
    use ark_ec::{AffineRepr, CurveGroup};
    use proptest::prelude::*;

    fn point(k: i64) -> G1Affine {
        (G1Affine::generator() * Fr::from(k)).into_affine()
    }

    proptest! {
        /// Few different points, so that doublings, opposites and infinity all occur.
        #[test]
        fn merging_adds_points_of_equal_keys(mut entries in proptest::collection::vec((0u32..4, -3i64..4), 0..80)) {
            entries.sort_by_key(|e| e.0);
            let mut keyed = Keyed {
                keys: entries.iter().map(|e| e.0).collect(),
                points: entries.iter().map(|e| point(e.1)).collect(),
            };
            keyed.merge(1);
            prop_assert!(keyed.keys.windows(2).all(|w| w[0] < w[1]));
            for (key, p) in keyed.keys.iter().zip(&keyed.points) {
                let sum: i64 = entries.iter().filter(|e| e.0 == *key).map(|e| e.1).sum();
                prop_assert_eq!(*p, point(sum));
                prop_assert!(p.is_on_curve());
            }
        }
    }

    #[test]
    fn many_batches_in_a_round() {
        let count = 5 * BATCH as i64 + 7;
        let points: Vec<G1Affine> = (1..=count).map(|k| point(k % 50 + 1)).collect();
        let sum: G1Projective = points.iter().sum();
        let mut keyed = Keyed { keys: vec![9; points.len()], points };
        keyed.merge(1);
        assert_eq!(keyed.points, vec![sum.into_affine()]);
    }

    proptest! {
        #[test]
        fn inverses_in_lanes(values in proptest::collection::vec(1u64.., 0..20)) {
            let values: Vec<Fq> = values.into_iter().map(Fq::from).collect();
            let mut inverses = values.clone();
            invert_all(&mut inverses, &mut Vec::new());
            prop_assert!(values.iter().zip(&inverses).all(|(a, b)| *a * b == Fq::ONE));
        }

        #[test]
        fn branchless_subtraction(a: u64, b: u64) {
            let (a, b) = (Fq::from(a).square().square(), Fq::from(b).square().square());
            prop_assert_eq!(sub(&a, &b), a - b);
        }
    }
}
