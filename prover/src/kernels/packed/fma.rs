//! The kernel for AVX2 and FMA.
//!
//! An element `x` is held as `x·R mod r` with `R = 2^255`, in five limbs of 51 bits, each the integer value of an `f64`. With
//! fused multiply-add a product of limbs, below `2^102` in size, splits without error into a multiple of `2^51` and a rest:
//!
//! ```text
//! high = fma(a, b, 1.5·2^103)                            the last place of high is 2^51
//! low  = fma(a, b, 1.5·2^103 + 1.5·2^52 - high)          the last place of low is 1
//! ```
//!
//! The bit patterns of `high` and `low`, as integers, are `constant + a·b / 2^51` (rounded) and `constant + rest`, so both are
//! summed as 64-bit integers, and the constants are taken off in advance. Limbs may be negative, which makes subtraction free.
//!
//! # Bounds
//! `r/R < 0.379`. With `|a|, |b| ≤ r` the product `a·b/R` is below `0.379·r` in size, and the reduction adds less than `0.63·r`.
//! [`Unsettled::reduced`] adds or takes one `r` and so needs a value in `(-r, 2·r)`: products of reduced elements, sums of two
//! of them, and a reduced element plus a difference times a factor of at most `r/2`. [`Unsettled::loose`] needs one below
//! `2^255 > 2.6·r` in size.
//!
//! # Paper
//! Emmart, Zheng, Weems, *Faster Modular Exponentiation Using Double Precision Floating Point Arithmetic on the GPU*, ARITH 2018.

use std::ops::Sub;
use std::sync::LazyLock;

use ark_bn254::{Fr, FrConfig};
use ark_ff::{AdditiveGroup, BigInt, Field, MontConfig};

use super::LANES;
use super::vector::*;

/// Number of limbs.
const LIMBS: usize = 5;
/// Bits of a limb.
const BITS: u32 = 51;
const MASK: u64 = (1 << BITS) - 1;

/// `1.5·2^103`: where the last place is `2^51`.
const HIGH: f64 = 15211807202738752817960438464512.0;
/// `1.5·2^52`: where the last place is 1.
const LOW: f64 = 6755399441055744.0;
/// `2^52`: the bit pattern of `2^52 + x` is that of `2^52` and `x`.
const UNIT: f64 = 4503599627370496.0;
const HIGH_BITS: i64 = HIGH.to_bits() as i64;
const LOW_BITS: i64 = LOW.to_bits() as i64;
/// Added before a logical shift by [`BITS`], so that it shifts a negative number arithmetically.
const SIGN: i64 = 1 << 62;

/// Limbs of the modulus `r`.
const MODULUS: [u64; LIMBS] = split(FrConfig::MODULUS.0);
/// `-1/r mod 2^51`, which is below `2^49`.
const INVERSE: u64 = FrConfig::INV & MASK;
/// `(r·INVERSE + 1) / 2^51`: with it a column is cleared by its own digit, without another product.
const SHIFTED: [u64; LIMBS] = {
    let (mut limbs, mut carry, mut i) = ([0; LIMBS], 1u128, 0);
    while i < LIMBS {
        let sum = MODULUS[i] as u128 * INVERSE as u128 + carry;
        if i > 0 {
            limbs[i - 1] = sum as u64 & MASK;
        }
        carry = sum >> BITS;
        i += 1;
    }
    limbs[LIMBS - 1] = carry as u64;
    limbs
};

const fn split(n: [u64; 4]) -> [u64; LIMBS] {
    [
        n[0] & MASK,
        (n[0] >> 51 | n[1] << 13) & MASK,
        (n[1] >> 38 | n[2] << 26) & MASK,
        (n[2] >> 25 | n[3] << 39) & MASK,
        n[3] >> 12,
    ]
}

/// What bit patterns put into each column besides the products: `products` times those of all pairs of limbs, and once
/// those of [`reduce`].
const fn excess(products: i64, reduction: bool) -> [i64; 2 * LIMBS] {
    let mut excess = [0i64; 2 * LIMBS];
    let mut i = 0;
    while i < LIMBS {
        let mut j = 0;
        while j < LIMBS {
            excess[i + j] = excess[i + j].wrapping_add(LOW_BITS.wrapping_mul(products));
            excess[i + j + 1] = excess[i + j + 1].wrapping_add(HIGH_BITS.wrapping_mul(products));
            let at = if i + 1 < LIMBS { i + j + 1 } else { i + j };
            // The last step takes its own low half into account.
            if reduction && (i + 1 < LIMBS || j > 0) {
                excess[at] = excess[at].wrapping_add(LOW_BITS);
            }
            if reduction {
                excess[at + 1] = excess[at + 1].wrapping_add(HIGH_BITS);
            }
            j += 1;
        }
        if reduction {
            excess[i + 1] = excess[i + 1].wrapping_add(SIGN >> BITS);
        }
        i += 1;
    }
    excess
}

type Limbs = [Floats; LIMBS];

/// High and low half of `a·b`, as bit patterns.
#[inline(always)]
fn halves(a: Floats, b: Floats) -> (Floats, Floats) {
    let high = fused(a, b, floats(HIGH));
    let low = fused(a, b, sub_floats(floats(HIGH + LOW), high));
    (high, low)
}

/// The columns of `N` products, not carried.
type Columns<const N: usize> = [[Integers; 2 * LIMBS]; N];

/// Adds all products of limbs to the columns. The `N` go side by side, so that none waits for itself.
#[inline(always)]
fn multiply<const N: usize>(columns: &mut Columns<N>, a: &[Loose; N], b: &[Loose; N]) {
    for i in 0..LIMBS {
        for j in 0..LIMBS {
            for n in 0..N {
                add_halves(&mut columns[n], i + j, a[n].0[i], b[n].0[j]);
            }
        }
    }
}

/// Adds `a·b` to the columns, its low half to the one at `at`.
#[inline(always)]
fn add_halves(columns: &mut [Integers; 2 * LIMBS], at: usize, a: Floats, b: Floats) {
    let (high, low) = halves(a, b);
    columns[at] = add(columns[at], bits(low));
    columns[at + 1] = add(columns[at + 1], bits(high));
}

/// Montgomery: multiples of `r` clear the five low columns.
///
/// The first four take a multiple of `r·INVERSE`, which is -1 modulo `2^51`, so that the digit is that of the column; digits in
/// `[-2^50, 2^50)` add `0.13·r` to the result. The last takes a multiple of `r`, and adds up to `r/2`.
#[inline(always)]
fn reduce<const N: usize>(mut columns: Columns<N>) -> [Unsettled; N] {
    const HALF: i64 = 1 << (BITS - 1);
    let mut digits = [floats(0.0); N];
    for i in 0..LIMBS - 1 {
        for (columns, digit) in columns.iter_mut().zip(&mut digits) {
            let column = add(columns[i], integers(SIGN + HALF));
            columns[i + 1] = add(columns[i + 1], shifted_right::<{ BITS as i32 }>(column));
            *digit = sub_floats(small(and(column, integers(MASK as i64))), floats(HALF as f64));
        }
        for (j, limb) in SHIFTED.iter().enumerate() {
            for n in 0..N {
                add_halves(&mut columns[n], i + j + 1, digits[n], floats(*limb as f64));
            }
        }
    }
    const LAST: usize = LIMBS - 1;
    for (columns, digit) in columns.iter().zip(&mut digits) {
        let column = small(and(columns[LAST], integers(MASK as i64)));
        *digit = sub_floats(halves(column, floats(INVERSE as f64)).1, floats(LOW));
    }
    for (j, limb) in MODULUS.iter().enumerate() {
        for n in 0..N {
            add_halves(&mut columns[n], LAST + j, digits[n], floats(*limb as f64));
        }
    }
    columns.map(|[.., last, a, b, c, d, e]| {
        let carry = add(last, integers(SIGN.wrapping_sub(LOW_BITS)));
        Unsettled([add(a, shifted_right::<{ BITS as i32 }>(carry)), b, c, d, e])
    })
}

/// Integers in `[0, 2^52)` as floating point.
#[inline(always)]
fn small(x: Integers) -> Floats {
    sub_floats(of_bits(or(x, bits(floats(UNIT)))), floats(UNIT))
}

/// Integers in `[-2^51, 2^51]` as floating point.
#[inline(always)]
fn signed(x: Integers) -> Floats {
    sub_floats(of_bits(add(x, integers(LOW_BITS))), floats(LOW))
}

/// Carries all columns but the last into the next.
#[inline(always)]
fn carried<const N: usize>(columns: &mut [Integers; N]) {
    for i in 0..N - 1 {
        let column = add(columns[i], integers(SIGN));
        let carry = sub(shifted_right::<{ BITS as i32 }>(column), integers(SIGN >> BITS));
        columns[i] = and(column, integers(MASK as i64));
        columns[i + 1] = add(columns[i + 1], carry);
    }
}

/// Four reduced elements: limbs in `[0, 2^51)`, values in `[0, r + 2^210)`.
#[derive(Clone, Copy, Debug)]
pub struct Packed(Limbs);

/// Four elements of at most `2·r` in size, limbs of at most `2^51`.
#[derive(Clone, Copy, Debug)]
pub struct Loose(Limbs);

/// One reduced element, as it stands in a table.
#[derive(Clone, Copy, Debug)]
pub struct Single([f64; LIMBS]);

/// Four products, carries outstanding.
#[derive(Clone, Copy, Debug)]
pub struct Unsettled([Integers; LIMBS]);

impl From<Fr> for Single {
    fn from(x: Fr) -> Self {
        // From x·2^256 to x·2^255.
        let BigInt([a, b, c, d]) = x.0;
        let (mut low, mut high) = (u128::from(a) | u128::from(b) << 64, u128::from(c) | u128::from(d) << 64);
        if low & 1 == 1 {
            let [a, b, c, d] = FrConfig::MODULUS.0;
            let overflow;
            (low, overflow) = low.overflowing_add(u128::from(a) | u128::from(b) << 64);
            high += (u128::from(c) | u128::from(d) << 64) + u128::from(overflow);
        }
        (low, high) = (low >> 1 | high << 127, high >> 1);
        Self(split([low as u64, (low >> 64) as u64, high as u64, (high >> 64) as u64]).map(|limb| limb as f64))
    }
}

impl From<&Single> for Fr {
    fn from(single: &Single) -> Self {
        Packed::gather([single; LANES]).elements()[0]
    }
}

impl From<Packed> for Loose {
    #[inline(always)]
    fn from(packed: Packed) -> Self {
        Self(packed.0)
    }
}

impl Sub for Packed {
    type Output = Loose;

    #[inline(always)]
    fn sub(self, other: Self) -> Loose {
        Loose(std::array::from_fn(|i| sub_floats(self.0[i], other.0[i])))
    }
}

impl Packed {
    /// Four elements.
    pub fn new(elements: [Fr; LANES]) -> Self {
        Self::gather(elements.map(Single::from).each_ref())
    }

    /// One element four times.
    pub fn splat(element: Fr) -> Self {
        Self(Single::from(element).0.map(floats))
    }

    /// Four elements of a table.
    #[inline(always)]
    pub fn gather([a, b, c, d]: [&Single; LANES]) -> Self {
        Self(std::array::from_fn(|i| lanes(a.0[i], b.0[i], c.0[i], d.0[i])))
    }

    /// The four elements.
    pub fn elements(self) -> [Fr; LANES] {
        let limbs = self.0.map(|limb| to_array(sub(bits(add_floats(limb, floats(LOW))), integers(LOW_BITS))));
        std::array::from_fn(|lane| {
            let n = limbs.map(|limb| limb[lane] as u64);
            let mut value =
                BigInt([n[0] | n[1] << 51, n[1] >> 13 | n[2] << 38, n[2] >> 26 | n[3] << 25, n[3] >> 39 | n[4] << 12]);
            if value >= FrConfig::MODULUS {
                ark_ff::BigInteger::sub_with_borrow(&mut value, &FrConfig::MODULUS);
            }
            Fr::new_unchecked(value).double()
        })
    }

    /// Elements 0, 2, 4, 6 and 1, 3, 5, 7 of `a` and then `b`.
    #[inline(always)]
    pub fn deinterleave(a: Self, b: Self) -> (Self, Self) {
        let even = std::array::from_fn(|i| inner_swapped(low_pairs(a.0[i], b.0[i])));
        let odd = std::array::from_fn(|i| inner_swapped(high_pairs(a.0[i], b.0[i])));
        (Self(even), Self(odd))
    }

    /// Sums, element by element.
    #[inline(always)]
    pub fn plus(self, other: Self) -> Self {
        Unsettled(self.0.map(|limb| bits(add_floats(limb, floats(LOW))))).plus(other).less([LOW_BITS; LIMBS]).reduced()
    }
}

impl Loose {
    /// One element four times, at most `r/2` in size.
    pub fn splat(element: Fr) -> Self {
        let (low, high) = (Single::from(element), Single::from(-element));
        // The top limb tells which of x and r - x is smaller, but for a difference that does not matter.
        let negative = low.0[LIMBS - 1] > high.0[LIMBS - 1];
        Self(if negative { high.0.map(|limb| floats(-limb)) } else { low.0.map(floats) })
    }
}

impl Unsettled {
    /// `a[n]·b[n]`, element by element.
    #[inline(always)]
    pub fn of<const N: usize>(a: [Loose; N], b: [Loose; N]) -> [Self; N] {
        const EXCESS: [i64; 2 * LIMBS] = excess(1, true);
        let mut columns = [EXCESS.map(|excess| integers(excess.wrapping_neg())); N];
        multiply(&mut columns, &a, &b);
        reduce(columns)
    }

    /// `a[n]·b[n] + c[n]·d[n]`, element by element.
    #[inline(always)]
    pub fn of_two<const N: usize>(a: [Loose; N], b: [Loose; N], c: [Loose; N], d: [Loose; N]) -> [Self; N] {
        const EXCESS: [i64; 2 * LIMBS] = excess(2, true);
        let mut columns = [EXCESS.map(|excess| integers(excess.wrapping_neg())); N];
        multiply(&mut columns, &a, &b);
        multiply(&mut columns, &c, &d);
        reduce(columns)
    }

    /// Numerator `n0·d1 + n1·d0` and denominator `d0·d1` of a sum of fractions, element by element.
    #[inline(always)]
    pub fn fraction([n0, d0]: [Packed; 2], [n1, d1]: [Packed; 2]) -> [Self; 2] {
        const TWO: [i64; 2 * LIMBS] = excess(2, true);
        const ONE: [i64; 2 * LIMBS] = excess(1, true);
        let [mut numerator, mut denominator] = [TWO, ONE].map(|e| [e.map(|excess| integers(excess.wrapping_neg()))]);
        let [n0, d0, n1, d1] = [n0, d0, n1, d1].map(Loose::from);
        multiply(&mut numerator, &[n0], &[d1]);
        multiply(&mut numerator, &[n1], &[d0]);
        multiply(&mut denominator, &[d0], &[d1]);
        reduce([numerator[0], denominator[0]])
    }

    #[inline(always)]
    fn less(self, excess: [i64; LIMBS]) -> Self {
        Self(std::array::from_fn(|i| sub(self.0[i], integers(excess[i]))))
    }

    /// The sum with reduced elements.
    #[inline(always)]
    pub fn plus(self, other: Packed) -> Self {
        // The bit pattern of 1.5·2^52 + limb is that of 1.5·2^52, plus the limb.
        let limbs = other.0.map(|limb| bits(add_floats(limb, floats(LOW))));
        Self(std::array::from_fn(|i| add(self.0[i], limbs[i]))).less([LOW_BITS; LIMBS])
    }

    /// Something to multiply with.
    #[inline(always)]
    pub fn loose(mut self) -> Loose {
        carried(&mut self.0);
        let [a, b, c, d, e] = self.0;
        Loose([small(a), small(b), small(c), small(d), signed(e)])
    }

    /// The difference to reduced elements, to multiply with.
    #[inline(always)]
    pub fn minus(self, other: Packed) -> Loose {
        let Loose(limbs) = self.loose();
        Loose(std::array::from_fn(|i| sub_floats(limbs[i], other.0[i])))
    }

    /// Reduced elements.
    #[inline(always)]
    pub fn reduced(mut self) -> Packed {
        // The columns below the last are worth a few units of it, and r is about 2^49.6 of them.
        const MARGIN: i64 = 64;
        let below = greater(integers(MARGIN), self.0[LIMBS - 1]);
        let above = greater(self.0[LIMBS - 1], integers(MODULUS[LIMBS - 1] as i64 + MARGIN));
        for (column, modulus) in self.0.iter_mut().zip(MODULUS) {
            let modulus = integers(modulus as i64);
            *column = add(*column, and(below, modulus));
            *column = sub(*column, and(above, modulus));
        }
        carried(&mut self.0);
        Packed(self.0.map(small))
    }
}

/// `Σ a·b` over products, lanes added up at the end.
#[derive(Clone, Copy, Debug)]
pub struct Sum {
    columns: Columns<1>,
    /// Products since the last carry.
    pending: usize,
}

impl Default for Sum {
    #[inline(always)]
    fn default() -> Self {
        Self { columns: [[integers(0); 2 * LIMBS]], pending: 0 }
    }
}

impl Sum {
    /// Products that may be added before the columns, `2^55` each, are carried.
    const BLOCK: usize = 128;

    /// Adds `a·b`.
    #[inline(always)]
    pub fn add(&mut self, a: impl Into<Loose>, b: impl Into<Loose>) {
        multiply(&mut self.columns, &[a.into()], &[b.into()]);
        self.pending += 1;
        if self.pending == Self::BLOCK {
            self.carry();
        }
    }

    fn carry(&mut self) {
        const EXCESS: [i64; 2 * LIMBS] = excess(1, false);
        for (column, excess) in self.columns[0].iter_mut().zip(EXCESS) {
            *column = sub(*column, integers(excess.wrapping_mul(self.pending as i64)));
        }
        carried(&mut self.columns[0]);
        self.pending = 0;
    }

    /// The sum over all products and lanes.
    pub fn finish(mut self) -> Fr {
        /// `2^-510`: two factors `2^255`, and the sum of the columns is a plain integer.
        static SCALE: LazyLock<Fr> = LazyLock::new(|| Fr::from(2u64).pow([510]).inverse().unwrap_or_default());
        static UNIT: LazyLock<Fr> = LazyLock::new(|| Fr::from(1u64 << BITS));
        self.carry();
        let sum = self.columns[0].iter().rev().fold(Fr::ZERO, |sum, column| {
            sum * *UNIT + Fr::from(to_array(*column).iter().map(|&lane| i128::from(lane)).sum::<i128>())
        });
        sum * *SCALE
    }
}
