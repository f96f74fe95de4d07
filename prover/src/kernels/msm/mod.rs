//! Multi-scalar multiplication `Σ x_i·P_i` over G1 of BN254, for small, wide and full scalars.
//!
//! Pippenger's algorithm with signed digits and batch-affine additions. The width of the windows follows from a count of
//! additions; where scalars are small that is one window, see `buckets`. Many columns are best summed at once
//! ([`small_many`]), one a thread. The endomorphism of the curve is not used: with signed windows of 16 bits it halves the
//! windows and doubles their entries, which saves less than a tenth.
//!
//! # Paper
//! Bernstein, Doumen, Lange, Oosterwijk, *Faster batch forgery identification*, eprint 2012/549, section 4 (Pippenger).

mod affine;
mod buckets;
mod windows;

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, PrimeField};
use rayon::prelude::*;

use windows::Windows;

/// Fewer points than this are summed by doubling and adding.
const SHORT: usize = 24;

/// There are more scalars than bases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{scalars} scalars for {bases} bases; use a set-up that is at least as long as the column")]
pub struct TooFewBases {
    /// Number of bases.
    pub bases: usize,
    /// Number of scalars.
    pub scalars: usize,
}

/// `Σ scalars[i]·bases[i]`; fastest below 2^17, correct for every value.
///
/// # Errors
/// [`TooFewBases`] if there are more scalars than bases; more bases are fine.
pub fn small(bases: &[G1Affine], scalars: &[i32]) -> Result<G1Projective, TooFewBases> {
    Ok(small_sum(trim(bases, scalars.len())?, scalars, rayon::current_num_threads()))
}

/// [`small`] of many columns over the same bases, one column a thread as long as there are columns enough.
///
/// # Errors
/// [`TooFewBases`] if a column is too long.
pub fn small_many<C: AsRef<[i32]> + Sync>(bases: &[G1Affine], columns: &[C]) -> Result<Vec<G1Projective>, TooFewBases> {
    let threads = rayon::current_num_threads().div_ceil(columns.len().max(1));
    let sum = |column: &C| {
        let column = column.as_ref();
        Ok(small_sum(trim(bases, column.len())?, column, threads))
    };
    columns.par_iter().with_max_len(1).map(sum).collect()
}

/// `Σ scalars[i]·bases[i]` for scalars of any width up to 64 bits.
///
/// # Errors
/// As [`small`].
pub fn wide(bases: &[G1Affine], scalars: &[i64]) -> Result<G1Projective, TooFewBases> {
    Ok(wide_sum(trim(bases, scalars.len())?, scalars, rayon::current_num_threads()))
}

/// [`wide`] of many columns over the same bases, one column a thread as long as there are columns enough.
///
/// # Errors
/// As [`small_many`].
pub fn wide_many<C: AsRef<[i64]> + Sync>(bases: &[G1Affine], columns: &[C]) -> Result<Vec<G1Projective>, TooFewBases> {
    let threads = rayon::current_num_threads().div_ceil(columns.len().max(1));
    let sum = |column: &C| {
        let column = column.as_ref();
        Ok(wide_sum(trim(bases, column.len())?, column, threads))
    };
    columns.par_iter().with_max_len(1).map(sum).collect()
}

/// `Σ scalars[i]·bases[i]` for scalars of any size; if all are near zero or the modulus, it costs less.
///
/// # Errors
/// As [`small`].
pub fn full(bases: &[G1Affine], scalars: &[Fr]) -> Result<G1Projective, TooFewBases> {
    let bases = trim(bases, scalars.len())?;
    let mut values: Vec<[u64; 4]> = scalars.par_iter().map(centred).collect();
    let bits = values.par_iter().map(magnitude_bits).max().unwrap_or(0);
    if bases.len() < SHORT {
        return Ok(double_and_add(bases, bits, |i| values[i]));
    }
    let windows = Windows::choose(bases.len(), bits);
    let bias = BigInt(windows.bias());
    values.par_iter_mut().for_each(|value| {
        let mut sum = BigInt(*value);
        sum.add_with_carry(&bias);
        *value = sum.0;
    });
    let digit = |i: usize, k| windows.digit(shifted(&values[i], windows.shift(k)), k);
    Ok(windows.sum(bases, rayon::current_num_threads(), digit))
}

fn trim(bases: &[G1Affine], scalars: usize) -> Result<&[G1Affine], TooFewBases> {
    bases.get(..scalars).ok_or(TooFewBases { bases: bases.len(), scalars })
}

fn small_sum(bases: &[G1Affine], scalars: &[i32], threads: usize) -> G1Projective {
    let bits = u32::BITS - scalars.iter().fold(0, |all, x| all | x.unsigned_abs()).leading_zeros();
    if bases.len() < SHORT {
        return double_and_add(bases, bits, |i| sign_extended(scalars[i].into()));
    }
    let windows = Windows::choose(bases.len(), bits);
    let bias = windows.bias()[0] as i64;
    windows.sum(bases, threads, |i, k| windows.digit((i64::from(scalars[i]) + bias) >> windows.shift(k), k))
}

fn wide_sum(bases: &[G1Affine], scalars: &[i64], threads: usize) -> G1Projective {
    let bits = u64::BITS - scalars.iter().fold(0, |all, x| all | x.unsigned_abs()).leading_zeros();
    if bases.len() < SHORT {
        return double_and_add(bases, bits, |i| sign_extended(scalars[i]));
    }
    let windows = Windows::choose(bases.len(), bits);
    let [low, high, ..] = windows.bias();
    let bias = i128::from(low) | i128::from(high) << 64;
    windows.sum(bases, threads, |i, k| windows.digit(((i128::from(scalars[i]) + bias) >> windows.shift(k)) as i64, k))
}

/// The representative in `(-r/2, r/2)` as two's complement of 256 bits, lowest limb first.
fn centred(scalar: &Fr) -> [u64; 4] {
    let mut value = scalar.into_bigint();
    if value > Fr::MODULUS_MINUS_ONE_DIV_TWO {
        value.sub_with_borrow(&Fr::MODULUS);
    }
    value.0
}

fn sign_extended(value: i64) -> [u64; 4] {
    let sign = (value >> 63) as u64;
    [value as u64, sign, sign, sign]
}

/// Least `b` with `|value| ≤ 2^b`, of two's complement.
fn magnitude_bits(value: &[u64; 4]) -> u32 {
    let sign = ((value[3] as i64) >> 63) as u64;
    BigInt(value.map(|limb| limb ^ sign)).num_bits()
}

/// The low 64 bits of `value >> shift`, of two's complement, `shift < 256`.
#[inline(always)]
fn shifted(value: &[u64; 4], shift: u32) -> i64 {
    let (limb, bit) = (shift as usize / 64, shift % 64);
    let above = if limb < 3 { value[limb + 1] } else { ((value[3] as i64) >> 63) as u64 };
    ((u128::from(above) << 64 | u128::from(value[limb])) >> bit) as i64
}

/// `Σ value(i)·bases[i]` bit by bit; `value` is two's complement and at most `2^bits` in absolute value.
fn double_and_add(bases: &[G1Affine], bits: u32, value: impl Fn(usize) -> [u64; 4]) -> G1Projective {
    let mut sum = G1Projective::ZERO;
    for bit in (0..=bits).rev() {
        sum.double_in_place();
        for (i, base) in bases.iter().enumerate() {
            if shifted(&value(i), bit) & 1 == 1 {
                // The top bit of two's complement has negative weight.
                if bit == bits { sum -= base } else { sum += base }
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::G1Projective as G;
    use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// Distinct points, and among them equal, opposite and infinite ones.
    fn bases(len: usize) -> Vec<G1Affine> {
        let mut point = G1Affine::generator().into_group();
        let points: Vec<G> = (0..len)
            .map(|i| match i % 7 {
                3 => -point,
                4 => point,
                5 if i % 2 == 0 => G::ZERO,
                _ => {
                    point.double_in_place();
                    point
                }
            })
            .collect();
        G::normalize_batch(&points)
    }

    fn reference(bases: &[G1Affine], scalars: &[Fr]) -> G {
        bases.iter().zip(scalars).map(|(base, scalar)| *base * scalar).sum()
    }

    fn full_scalar() -> impl Strategy<Value = Fr> {
        (any::<u64>(), 0u32..5).prop_map(|(seed, kind)| match kind {
            0 => Fr::from(seed % 3),
            1 => -Fr::from(seed % 3),
            2 => Fr::from(seed),
            3 => (Fr::from(2u64) * Fr::from(seed | 1)).inverse_or_zero(),
            _ => -Fr::from(seed),
        })
    }

    trait InverseOrZero {
        fn inverse_or_zero(self) -> Self;
    }

    impl InverseOrZero for Fr {
        fn inverse_or_zero(self) -> Self {
            ark_ff::Field::inverse(&self).unwrap_or_default()
        }
    }

    fn small_scalar() -> impl Strategy<Value = i32> {
        prop_oneof![Just(0), Just(1), Just(-1), -70000..70000i32, any::<i32>(), Just(i32::MIN), Just(i32::MAX)]
    }

    fn wide_scalar() -> impl Strategy<Value = i64> {
        prop_oneof![Just(0), any::<i64>(), -(1i64 << 40)..1 << 40, Just(i64::MIN), Just(i64::MAX)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn small_is_the_naive_sum(scalars in vec(small_scalar(), 0..150), mask: i32) {
            let scalars: Vec<i32> = scalars.iter().map(|x| x & mask).collect();
            let bases = bases(scalars.len() + 3);
            let expected = reference(&bases, &scalars.iter().map(|x| Fr::from(*x)).collect::<Vec<_>>());
            prop_assert_eq!(small(&bases, &scalars).unwrap(), expected);
            prop_assert_eq!(small_many(&bases, &[&scalars, &scalars]).unwrap(), vec![expected; 2]);
        }

        #[test]
        fn wide_is_the_naive_sum(scalars in vec(wide_scalar(), 0..150)) {
            let bases = bases(scalars.len());
            let expected = reference(&bases, &scalars.iter().map(|x| Fr::from(*x)).collect::<Vec<_>>());
            prop_assert_eq!(wide(&bases, &scalars).unwrap(), expected);
            prop_assert_eq!(wide_many(&bases, &[&scalars, &scalars]).unwrap(), vec![expected; 2]);
        }

        #[test]
        fn full_is_the_naive_sum(scalars in vec(full_scalar(), 0..150)) {
            let bases = bases(scalars.len());
            prop_assert_eq!(full(&bases, &scalars).unwrap(), reference(&bases, &scalars));
        }
    }

    /// Long enough for tiles, batches and every kind of window.
    #[test]
    fn long_columns_agree_with_the_generic_sum() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let bases = bases(20_000);
        for bits in [1, 2, 8, 15, 17, 18, 24, 31, 32] {
            let scalars: Vec<i32> = (0..20_000).map(|_| rng.random::<i32>() >> (32 - bits)).collect();
            let expected = G::msm_unchecked(&bases, &scalars.iter().map(|x| Fr::from(*x)).collect::<Vec<_>>());
            assert_eq!(small(&bases, &scalars), Ok(expected), "{bits} bits");
        }
        for bits in [1, 33, 45, 64] {
            let scalars: Vec<i64> = (0..20_000).map(|_| rng.random::<i64>() >> (64 - bits)).collect();
            let expected = G::msm_unchecked(&bases, &scalars.iter().map(|x| Fr::from(*x)).collect::<Vec<_>>());
            assert_eq!(wide(&bases, &scalars), Ok(expected), "{bits} bits");
        }
        let scalars: Vec<Fr> = (0..20_000).map(|_| Fr::from_le_bytes_mod_order(&rng.random::<[u8; 32]>())).collect();
        assert_eq!(full(&bases, &scalars), Ok(G::msm_unchecked(&bases, &scalars)));
        // One bucket for all.
        assert_eq!(small(&bases, &vec![-5; 20_000]), Ok(bases.iter().sum::<G>() * Fr::from(-5)));
    }

    #[test]
    fn too_few_bases() {
        let error = TooFewBases { bases: 2, scalars: 3 };
        let bases = bases(2);
        assert_eq!(small(&bases, &[0; 3]), Err(error));
        assert_eq!(small_many(&bases, &[vec![1; 2], vec![0; 3]]), Err(error));
        assert_eq!(wide(&bases, &[0; 3]), Err(error));
        assert_eq!(wide_many(&bases, &[[0; 3]]), Err(error));
        assert_eq!(full(&bases, &[Fr::ZERO; 3]), Err(error));
    }
}
