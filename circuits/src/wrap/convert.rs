//! The same numbers and points in both libraries.

use ark_bn254::{Fq, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::PrimeField;
use halo2_axiom::halo2curves::bn256;
use halo2_axiom::halo2curves::ff::PrimeField as _;

/// A scalar for halo2.
pub fn to_halo2(scalar: &Fr) -> bn256::Fr {
    bn256::Fr::from_raw(scalar.into_bigint().0)
}

/// A scalar from halo2.
pub fn from_halo2(scalar: &bn256::Fr) -> Fr {
    Fr::from_le_bytes_mod_order(scalar.to_repr().as_ref())
}

fn coordinate(value: &Fq) -> bn256::Fq {
    bn256::Fq::from_raw(value.into_bigint().0)
}

/// A point of G1 for halo2.
pub fn g1_to_halo2(point: &G1Affine) -> bn256::G1Affine {
    match point.xy() {
        Some((x, y)) => bn256::G1Affine { x: coordinate(&x), y: coordinate(&y) },
        None => bn256::G1Affine::default(),
    }
}

/// A point of G1 from halo2.
pub fn g1_from_halo2(point: &bn256::G1Affine) -> G1Affine {
    let coordinate = |value: &bn256::Fq| Fq::from_le_bytes_mod_order(value.to_repr().as_ref());
    if *point == bn256::G1Affine::default() {
        return G1Affine::identity();
    }
    G1Affine::new_unchecked(coordinate(&point.x), coordinate(&point.y))
}

/// A point of G2 for halo2.
pub fn g2_to_halo2(point: &G2Affine) -> bn256::G2Affine {
    match point.xy() {
        Some((x, y)) => bn256::G2Affine {
            x: bn256::Fq2 { c0: coordinate(&x.c0), c1: coordinate(&x.c1) },
            y: bn256::Fq2 { c0: coordinate(&y.c0), c1: coordinate(&y.c1) },
        },
        None => bn256::G2Affine::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::BigInt;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn scalars_and_points_come_back(limbs in any::<[u64; 4]>()) {
            let scalar = Fr::from_bigint(BigInt(limbs)).unwrap_or(-Fr::from(limbs[0]));
            prop_assert_eq!(from_halo2(&to_halo2(&scalar)), scalar);
            let point: G1Affine = (G1Affine::generator() * scalar).into();
            prop_assert_eq!(g1_from_halo2(&g1_to_halo2(&point)), point);
            let expected: bn256::G1Affine = (bn256::G1Affine::generator() * to_halo2(&scalar)).into();
            prop_assert_eq!(g1_to_halo2(&point), expected);
            let point: G2Affine = (G2Affine::generator() * scalar).into();
            let expected: bn256::G2Affine = (bn256::G2Affine::generator() * to_halo2(&scalar)).into();
            prop_assert_eq!(g2_to_halo2(&point), expected);
        }
    }
}
