//! Multilinear extensions that a verifier evaluates by itself. Points stand most significant variable first.

use ark_bn254::Fr;
use ark_ff::Field;

use crate::field::algebra::Algebra;

/// `eq(a, b) = Π (a_i b_i + (1 - a_i)(1 - b_i))`.
pub fn eq<A: Algebra>(algebra: &mut A, a: &[A::Element], b: &[A::Element]) -> A::Element {
    let mut product = algebra.constant(Fr::from(1));
    for (a, b) in a.iter().zip(b) {
        let factor = eq_one(algebra, a, b);
        product = algebra.mul(&product, &factor);
    }
    product
}

/// `ab + (1 - a)(1 - b) = 1 - a - b + 2ab`.
fn eq_one<A: Algebra>(algebra: &mut A, a: &A::Element, b: &A::Element) -> A::Element {
    let sum = algebra.add(a, b);
    let product = algebra.mul(a, b);
    let double = algebra.add(&product, &product);
    let rest = algebra.sub(&double, &sum);
    let one = algebra.constant(Fr::from(1));
    algebra.add(&rest, &one)
}

/// `eq(point, index)` for a constant index.
pub fn eq_index<A: Algebra>(algebra: &mut A, point: &[A::Element], index: usize) -> A::Element {
    let mut product = algebra.constant(Fr::from(1));
    for (i, x) in point.iter().rev().enumerate().rev() {
        let factor = if index >> i & 1 == 1 { x.clone() } else { algebra.complement(x) };
        product = algebra.mul(&product, &factor);
    }
    product
}

/// `[a < b]` extended to field elements, `O(n)`.
///
/// One pass over the variables, the prefix equal so far.
pub fn less_than<A: Algebra>(algebra: &mut A, a: &[A::Element], b: &[A::Element]) -> A::Element {
    let mut sum = algebra.constant(Fr::from(0));
    let mut prefix = algebra.constant(Fr::from(1));
    for (a, b) in a.iter().zip(b) {
        let not_a = algebra.complement(a);
        let term = algebra.mul(&not_a, b);
        sum = algebra.mul_add(&prefix, &term, &sum);
        let same = eq_one(algebra, a, b);
        prefix = algebra.mul(&prefix, &same);
    }
    sum
}

/// `[a ≤ b]` extended to field elements.
pub fn at_most<A: Algebra>(algebra: &mut A, a: &[A::Element], b: &[A::Element]) -> A::Element {
    let less = less_than(algebra, a, b);
    let same = eq(algebra, a, b);
    algebra.add(&less, &same)
}

/// `[a ≤ last]` for a constant.
pub fn at_most_index<A: Algebra>(algebra: &mut A, a: &[A::Element], last: usize) -> A::Element {
    let bits: Vec<_> = (0..a.len()).rev().map(|i| algebra.constant(Fr::from((last >> i & 1) as u64))).collect();
    at_most(algebra, a, &bits)
}

/// The integer whose bits are `point`: `Σ 2^i x_i`.
pub fn integer<A: Algebra>(algebra: &mut A, point: &[A::Element]) -> A::Element {
    let mut sum = algebra.constant(Fr::from(0));
    for x in point {
        let double = algebra.add(&sum, &sum);
        sum = algebra.add(&double, x);
    }
    sum
}

/// `1, x, x², …`, `count` of them.
pub fn powers<A: Algebra>(algebra: &mut A, x: &A::Element, count: usize) -> Vec<A::Element> {
    let mut list = Vec::with_capacity(count);
    let mut power = algebra.constant(Fr::from(1));
    for _ in 0..count {
        list.push(power.clone());
        power = algebra.mul(&power, x);
    }
    list
}

/// `2^exponent` in the field, also for negative exponents.
pub fn power_of_two(exponent: i64) -> Fr {
    let power = Fr::from(2).pow([exponent.unsigned_abs()]);
    if exponent < 0 { power.inverse().unwrap_or(power) } else { power }
}
