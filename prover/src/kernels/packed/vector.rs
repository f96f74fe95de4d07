//! Vectors of four 64-bit lanes: the instructions that the kernel uses, as safe functions.
//!
//! # Soundness
//! This module is compiled only where AVX2 and FMA are enabled for the whole program, which is all that they ask for.
#![expect(
    unsafe_code,
    reason = "an intrinsic is safe to call where its instructions are, which the compiler does not see here"
)]

use std::arch::x86_64::*;

/// Four floating-point numbers.
pub type Floats = __m256d;
/// Four integers.
pub type Integers = __m256i;

/// Safe functions around intrinsics.
macro_rules! instructions {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $result:ty = $body:expr;)*) => {
        $(
            $(#[$doc])*
            #[inline(always)]
            pub fn $name($($arg: $type),*) -> $result {
                // SAFETY: the instructions are there, see the module.
                unsafe { $body }
            }
        )*
    };
}

instructions! {
    /// The same number four times.
    floats(x: f64) -> Floats = _mm256_set1_pd(x);
    /// The same integer four times.
    integers(x: i64) -> Integers = _mm256_set1_epi64x(x);
    /// Four numbers, the first lane first.
    lanes(a: f64, b: f64, c: f64, d: f64) -> Floats = _mm256_set_pd(d, c, b, a);
    /// `a·b + c`, rounded once.
    fused(a: Floats, b: Floats, c: Floats) -> Floats = _mm256_fmadd_pd(a, b, c);
    /// `a + b`.
    add_floats(a: Floats, b: Floats) -> Floats = _mm256_add_pd(a, b);
    /// `a - b`.
    sub_floats(a: Floats, b: Floats) -> Floats = _mm256_sub_pd(a, b);
    /// `a + b` modulo `2^64`.
    add(a: Integers, b: Integers) -> Integers = _mm256_add_epi64(a, b);
    /// `a - b` modulo `2^64`.
    sub(a: Integers, b: Integers) -> Integers = _mm256_sub_epi64(a, b);
    /// Bits that both have.
    and(a: Integers, b: Integers) -> Integers = _mm256_and_si256(a, b);
    /// Bits that either has.
    or(a: Integers, b: Integers) -> Integers = _mm256_or_si256(a, b);
    /// All bits where `a > b`.
    greater(a: Integers, b: Integers) -> Integers = _mm256_cmpgt_epi64(a, b);
    /// The bits of floating-point numbers.
    bits(x: Floats) -> Integers = _mm256_castpd_si256(x);
    /// Floating-point numbers of these bits.
    of_bits(x: Integers) -> Floats = _mm256_castsi256_pd(x);
    /// The first and third lanes: `a0 b0 a2 b2`.
    low_pairs(a: Floats, b: Floats) -> Floats = _mm256_unpacklo_pd(a, b);
    /// The second and fourth lanes: `a1 b1 a3 b3`.
    high_pairs(a: Floats, b: Floats) -> Floats = _mm256_unpackhi_pd(a, b);
    /// Lanes 0, 2, 1, 3.
    inner_swapped(x: Floats) -> Floats = _mm256_permute4x64_pd::<0b11_01_10_00>(x);
    /// The lanes.
    to_array(x: Integers) -> [i64; 4] = std::mem::transmute::<Integers, [i64; 4]>(x);
}

/// A logical shift.
#[inline(always)]
pub fn shifted_right<const BITS: i32>(x: Integers) -> Integers {
    // SAFETY: the instructions are there, see the module.
    unsafe { _mm256_srli_epi64::<BITS>(x) }
}
