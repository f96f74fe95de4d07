//! Sums of points: one multiplication of a point by a scalar a term.

use ark_bn254::{Fr, G1Affine, G1Projective};

/// `Σ scalars[i]·bases[i]`.
pub fn sum(bases: &[G1Affine], scalars: &[Fr]) -> G1Projective {
    bases.iter().zip(scalars).map(|(base, scalar)| *base * scalar).sum()
}
