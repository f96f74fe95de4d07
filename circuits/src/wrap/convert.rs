//! The same field elements and points in the two libraries: arkworks, in which gradproof is written, and halo2curves.
//!
//! Both keep an element as Montgomery limbs; the way from one to the other goes through the integer, so that it depends
//! on neither's inner form.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ff::{BigInt, PrimeField};
use halo2_axiom::halo2curves::{bn256, ff::PrimeField as _};

/// Limbs of 64 bits, the lowest first, of the 32 bytes in which halo2curves writes an integer.
fn limbs(bytes: &[u8; 32]) -> BigInt<4> {
    let mut limbs = [0; 4];
    let (words, _) = bytes.as_chunks::<8>();
    for (limb, word) in limbs.iter_mut().zip(words) {
        *limb = u64::from_le_bytes(*word);
    }
    BigInt(limbs)
}

/// A scalar, for halo2.
pub fn to_halo2(value: Fr) -> bn256::Fr {
    bn256::Fr::from_raw(value.into_bigint().0)
}

/// A scalar, from halo2.
pub fn from_halo2(value: bn256::Fr) -> Fr {
    Fr::new(limbs(&value.to_repr()))
}

/// A coordinate, for halo2.
pub fn base_to_halo2(value: Fq) -> bn256::Fq {
    bn256::Fq::from_raw(value.into_bigint().0)
}

/// A coordinate, from halo2.
pub fn base_from_halo2(value: bn256::Fq) -> Fq {
    Fq::new(limbs(&value.to_repr()))
}

/// A point of G1, for halo2, which writes infinity as zeros.
pub fn g1_to_halo2(point: G1Affine) -> bn256::G1Affine {
    bn256::G1Affine { x: base_to_halo2(point.x), y: base_to_halo2(point.y) }
}

/// A point of G1, from halo2; zeros are infinity.
pub fn g1_from_halo2(point: bn256::G1Affine) -> G1Affine {
    G1Affine::new_unchecked(base_from_halo2(point.x), base_from_halo2(point.y))
}

/// A point of G2, for halo2, which writes infinity as zeros.
pub fn g2_to_halo2(point: G2Affine) -> bn256::G2Affine {
    let extension = |value: Fq2| bn256::Fq2::new(base_to_halo2(value.c0), base_to_halo2(value.c1));
    bn256::G2Affine { x: extension(point.x), y: extension(point.y) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::g2;
    use ark_ff::{AdditiveGroup, Field};
    use halo2_axiom::halo2curves::group::{Curve, prime::PrimeCurveAffine};
    use proptest::prelude::*;

    #[test]
    fn generators_and_infinity_are_the_same() {
        let ark_g1 = G1Affine::new_unchecked(Fq::from(1u64), Fq::from(2u64));
        assert_eq!(g1_to_halo2(ark_g1), bn256::G1Affine::generator());
        assert_eq!(g1_to_halo2(G1Affine::identity()), bn256::G1Affine::identity());
        assert_eq!(g1_from_halo2(bn256::G1Affine::identity()), G1Affine::identity());
        let x = Fq2::new(g2::G2_GENERATOR_X_C0, g2::G2_GENERATOR_X_C1);
        let g2 = G2Affine::new_unchecked(x, Fq2::new(g2::G2_GENERATOR_Y_C0, g2::G2_GENERATOR_Y_C1));
        assert_eq!(g2_to_halo2(g2), bn256::G2Affine::generator());
    }

    proptest! {
        #[test]
        fn scalars_and_points_go_there_and_back(a in 1u64.., b in 1u64..) {
            let (a, b) = (Fr::from(a).inverse().unwrap_or(Fr::ZERO), Fr::from(b).inverse().unwrap_or(Fr::ZERO));
            prop_assert_eq!(from_halo2(to_halo2(a)), a);
            prop_assert_eq!(to_halo2(a) * to_halo2(b) + to_halo2(a), to_halo2(a * b + a));
            let point = (bn256::G1Affine::generator() * to_halo2(a)).to_affine();
            let ark = g1_from_halo2(point);
            prop_assert!(ark.is_on_curve());
            prop_assert_eq!(g1_to_halo2(ark), point);
        }
    }
}
