//! The kernel for any processor, in plain field arithmetic.

use std::ops::Sub;

use ark_bn254::Fr;
use ark_ff::Field;

use super::LANES;
use crate::kernels::dot::WideAccumulator;

/// Four elements.
#[derive(Clone, Copy, Debug)]
pub struct Packed([Fr; LANES]);

/// Four elements to multiply with.
pub type Loose = Packed;

/// Four elements that products made.
pub type Unsettled = Packed;

/// One element, as it stands in a table.
#[derive(Clone, Copy, Debug)]
pub struct Single(Fr);

impl From<Fr> for Single {
    fn from(x: Fr) -> Self {
        Self(x)
    }
}

impl From<&Single> for Fr {
    fn from(single: &Single) -> Self {
        single.0
    }
}

impl Sub for Packed {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] - other.0[i]))
    }
}

impl Packed {
    /// Four elements.
    pub fn new(elements: [Fr; LANES]) -> Self {
        Self(elements)
    }

    /// One element four times; its size does not matter here.
    pub fn splat(element: Fr) -> Self {
        Self([element; LANES])
    }

    /// Four elements of a table.
    #[inline]
    pub fn gather(singles: [&Single; LANES]) -> Self {
        Self(singles.map(|single| single.0))
    }

    /// The four elements.
    pub fn elements(self) -> [Fr; LANES] {
        self.0
    }

    /// Elements 0, 2, 4, 6 and 1, 3, 5, 7 of `a` and then `b`.
    #[inline]
    pub fn deinterleave(a: Self, b: Self) -> (Self, Self) {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (a.0, b.0);
        (Self([a0, a2, b0, b2]), Self([a1, a3, b1, b3]))
    }

    /// `a[n]·b[n]`, element by element.
    #[inline]
    pub fn of<const N: usize>(a: [Self; N], b: [Self; N]) -> [Self; N] {
        std::array::from_fn(|n| Self(std::array::from_fn(|i| a[n].0[i] * b[n].0[i])))
    }

    /// `a[n]·b[n] + c[n]·d[n]`, element by element.
    #[inline]
    pub fn of_two<const N: usize>(a: [Self; N], b: [Self; N], c: [Self; N], d: [Self; N]) -> [Self; N] {
        std::array::from_fn(|n| {
            Self(std::array::from_fn(|i| Fr::sum_of_products(&[a[n].0[i], c[n].0[i]], &[b[n].0[i], d[n].0[i]])))
        })
    }

    /// Numerator `n0·d1 + n1·d0` and denominator `d0·d1` of a sum of fractions, element by element.
    #[inline]
    pub fn fraction([n0, d0]: [Self; 2], [n1, d1]: [Self; 2]) -> [Self; 2] {
        let ([numerator], [denominator]) = (Self::of_two([n0], [d1], [n1], [d0]), Self::of([d0], [d1]));
        [numerator, denominator]
    }

    /// Sums, element by element.
    #[inline]
    pub fn plus(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }

    /// Something to multiply with.
    #[inline]
    pub fn loose(self) -> Self {
        self
    }

    /// The difference, to multiply with.
    #[inline]
    pub fn minus(self, other: Self) -> Self {
        self - other
    }

    /// Reduced elements.
    #[inline]
    pub fn reduced(self) -> Self {
        self
    }
}

/// `Σ a·b` over products, lanes added up at the end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum(WideAccumulator);

impl Sum {
    /// Adds `a·b`.
    #[inline]
    pub fn add(&mut self, a: impl Into<Loose>, b: impl Into<Loose>) {
        for (a, b) in a.into().0.iter().zip(&b.into().0) {
            self.0.add_product(a, b);
        }
    }

    /// The sum over all products and lanes.
    pub fn finish(self) -> Fr {
        self.0.finish()
    }
}
