//! Points and scalars of BN254 as bytes: uncompressed, big-endian, as the precompiled contracts of the EVM take them.
//!
//! Decoding is canonical: each value has exactly one accepted encoding, and nothing is read beyond it.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ff::{BigInt, PrimeField};

/// Bytes of a field element.
pub const SCALAR_BYTES: usize = 32;
/// Bytes of a point of G1: `x ‖ y`.
pub const G1_BYTES: usize = 64;
/// Bytes of a point of G2: `x.c1 ‖ x.c0 ‖ y.c1 ‖ y.c0`, the imaginary part first as in EIP-197.
pub const G2_BYTES: usize = 128;

/// Why bytes are not a point or a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PointError {
    /// Too many or too few bytes.
    #[error("{got} bytes, expected {expected}")]
    Length {
        /// Bytes of the encoding.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// A coordinate is not below the modulus of the base field.
    #[error("a coordinate is not below the modulus of the base field")]
    CoordinateNotReduced,
    /// A scalar is not below the order of the group.
    #[error("a scalar is not below the order of the group")]
    ScalarNotReduced,
    /// All coordinates are zero, which is how the EVM writes the point at infinity.
    #[error("the point at infinity is not accepted")]
    Infinity,
    /// The coordinates do not satisfy the equation of the curve.
    #[error("the point is not on the curve")]
    NotOnCurve,
    /// The point is on the curve of G2 but its order is not that of the group.
    #[error("the point is not in the subgroup")]
    NotInSubgroup,
}

fn write<F: PrimeField<BigInt = BigInt<4>>>(value: &F) -> [u8; SCALAR_BYTES] {
    let mut bytes = [0; SCALAR_BYTES];
    for (chunk, limb) in bytes.chunks_exact_mut(8).zip(value.into_bigint().0.iter().rev()) {
        chunk.copy_from_slice(&limb.to_be_bytes());
    }
    bytes
}

/// `None` if the bytes are not 32 or the integer is not below the modulus.
fn read<F: PrimeField<BigInt = BigInt<4>>>(bytes: &[u8]) -> Option<F> {
    let mut limbs = [0; 4];
    let (words, rest) = bytes.as_chunks::<8>();
    if words.len() != limbs.len() || !rest.is_empty() {
        return None;
    }
    for (limb, word) in limbs.iter_mut().rev().zip(words) {
        *limb = u64::from_be_bytes(*word);
    }
    F::from_bigint(BigInt(limbs))
}

fn coordinates<const N: usize>(bytes: &[u8]) -> Result<[Fq; N], PointError> {
    let expected = N * SCALAR_BYTES;
    if bytes.len() != expected {
        return Err(PointError::Length { expected, got: bytes.len() });
    }
    let mut out = [Fq::from(0u64); N];
    for (value, word) in out.iter_mut().zip(bytes.chunks_exact(SCALAR_BYTES)) {
        *value = read(word).ok_or(PointError::CoordinateNotReduced)?;
    }
    Ok(out)
}

/// A scalar, big-endian.
pub fn encode_scalar(scalar: &Fr) -> [u8; SCALAR_BYTES] {
    write(scalar)
}

/// The scalar that [`encode_scalar`] wrote.
///
/// # Errors
/// [`PointError::Length`] and [`PointError::ScalarNotReduced`].
pub fn decode_scalar(bytes: &[u8]) -> Result<Fr, PointError> {
    if bytes.len() != SCALAR_BYTES {
        return Err(PointError::Length { expected: SCALAR_BYTES, got: bytes.len() });
    }
    read(bytes).ok_or(PointError::ScalarNotReduced)
}

/// `x ‖ y`; the point at infinity is written as zeros, which [`decode_g1`] refuses.
pub fn encode_g1(point: &G1Affine) -> [u8; G1_BYTES] {
    let mut bytes = [0; G1_BYTES];
    let (x, y) = bytes.split_at_mut(SCALAR_BYTES);
    x.copy_from_slice(&write(&point.x));
    y.copy_from_slice(&write(&point.y));
    bytes
}

/// The point of G1 that [`encode_g1`] wrote.
///
/// # Errors
/// A length other than [`G1_BYTES`], a coordinate that is not reduced, infinity, a point that is not on the curve.
pub fn decode_g1(bytes: &[u8]) -> Result<G1Affine, PointError> {
    let [x, y] = coordinates(bytes)?;
    let point = G1Affine::new_unchecked(x, y);
    if point == G1Affine::identity() {
        return Err(PointError::Infinity);
    }
    // G1 is the whole curve, so there is no subgroup to check.
    if point.is_on_curve() { Ok(point) } else { Err(PointError::NotOnCurve) }
}

/// `x.c1 ‖ x.c0 ‖ y.c1 ‖ y.c0`; the point at infinity is written as zeros, which [`decode_g2`] refuses.
pub fn encode_g2(point: &G2Affine) -> [u8; G2_BYTES] {
    let mut bytes = [0; G2_BYTES];
    let coordinates = [&point.x.c1, &point.x.c0, &point.y.c1, &point.y.c0];
    for (word, value) in bytes.chunks_exact_mut(SCALAR_BYTES).zip(coordinates) {
        word.copy_from_slice(&write(value));
    }
    bytes
}

/// The point of G2 that [`encode_g2`] wrote.
///
/// # Errors
/// As [`decode_g1`], and a point outside of the subgroup of order r.
pub fn decode_g2(bytes: &[u8]) -> Result<G2Affine, PointError> {
    let [x1, x0, y1, y0] = coordinates(bytes)?;
    let point = G2Affine::new_unchecked(Fq2::new(x0, x1), Fq2::new(y0, y1));
    if point == G2Affine::identity() {
        return Err(PointError::Infinity);
    }
    if !point.is_on_curve() {
        return Err(PointError::NotOnCurve);
    }
    if point.is_in_correct_subgroup_assuming_on_curve() { Ok(point) } else { Err(PointError::NotInSubgroup) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ec::{AffineRepr, CurveGroup};
    use ark_ff::{BigInteger, Field};
    use proptest::prelude::*;

    /// The modulus added to a reduced value: the same residue in another encoding.
    fn not_reduced<F: PrimeField<BigInt = BigInt<4>>>(value: &F) -> Vec<u8> {
        let mut sum = value.into_bigint();
        sum.add_with_carry(&F::MODULUS);
        sum.to_bytes_be()
    }

    #[test]
    fn encodings_are_those_of_the_evm() {
        let mut expected = [0; G1_BYTES];
        (expected[31], expected[63]) = (1, 2);
        assert_eq!(encode_g1(&G1Affine::generator()), expected);
        // The first word of G2's generator as EIP-197 gives it.
        let c1 = "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2";
        let hex: String = encode_g2(&G2Affine::generator())[..32].iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, c1);
    }

    #[test]
    fn bad_points_are_named() {
        let g = encode_g1(&G1Affine::generator());
        assert_eq!(decode_g1(&[0; 64]), Err(PointError::Infinity));
        assert_eq!(decode_g1(&[0xff; 64]), Err(PointError::CoordinateNotReduced));
        assert_eq!(decode_g1(&g[..63]), Err(PointError::Length { expected: 64, got: 63 }));
        assert_eq!(decode_g1(&[&g[..], &[0]].concat()), Err(PointError::Length { expected: 64, got: 65 }));
        assert_eq!(decode_g1(&[&g[..63], &[3]].concat()), Err(PointError::NotOnCurve));
        let shifted = [&not_reduced(&Fq::from(1u64))[..], &g[32..]].concat();
        assert_eq!(decode_g1(&shifted), Err(PointError::CoordinateNotReduced));
        assert_eq!(decode_scalar(&not_reduced(&Fr::from(5u64))), Err(PointError::ScalarNotReduced));
        assert_eq!(decode_scalar(&[]), Err(PointError::Length { expected: 32, got: 0 }));
        assert_eq!(decode_g2(&[0; 128]), Err(PointError::Infinity));
    }

    #[test]
    fn a_point_outside_of_the_subgroup_of_g2_is_refused() {
        let outside = (1u64..)
            .find_map(|i| G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(i), Fq::ONE), true))
            .expect("half of the x coordinates are on the curve");
        assert_eq!(decode_g2(&encode_g2(&outside)), Err(PointError::NotInSubgroup));
    }

    proptest! {
        #[test]
        fn decoding_inverts_encoding(k in 1u64..) {
            let k = Fr::from(k).inverse().expect("k is not zero");
            prop_assert_eq!(decode_scalar(&encode_scalar(&k)), Ok(k));
            let p = (G1Affine::generator() * k).into_affine();
            prop_assert_eq!(decode_g1(&encode_g1(&p)), Ok(p));
            let q = (G2Affine::generator() * k).into_affine();
            prop_assert_eq!(decode_g2(&encode_g2(&q)), Ok(q));
        }

        #[test]
        fn decoding_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (decode_scalar(&bytes), decode_g1(&bytes), decode_g2(&bytes));
        }
    }
}
