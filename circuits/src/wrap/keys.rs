//! Keys of the circuit from a structured reference string.

use std::io::{self, Read};

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::scalar_mul::ScalarMul;
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{Field, One, batch_inversion};
use halo2_axiom::SerdeFormat;
use halo2_axiom::halo2curves::bn256::{self, Bn256};
use halo2_axiom::halo2curves::ff::PrimeField as _;
use halo2_axiom::plonk::{Error, ProvingKey, VerifyingKey, keygen_pk, keygen_vk};
use halo2_axiom::poly::kzg::commitment::ParamsKZG;
use rand_core::OsRng;

use super::circuit::WrapCircuit;
use super::convert::{from_halo2, g1_to_halo2, g2_to_halo2};

/// The reference string as halo2 takes it.
pub type Params = ParamsKZG<Bn256>;
/// What verifies proofs of the circuit.
pub type WrapVerifyingKey = VerifyingKey<bn256::G1Affine>;
/// What makes proofs of the circuit.
pub type WrapProvingKey = ProvingKey<bn256::G1Affine>;

/// The reference string for circuits of `2^k` rows from powers of τ, of which there must be `2^k`.
///
/// Takes seconds: the Lagrange basis needs `k·2^(k-1)` multiplications of points.
pub fn params(k: u32, powers: &[G1Affine], tau_g2: &G2Affine) -> Params {
    let points: Vec<G1Projective> = powers.iter().map(|point| point.into_group()).collect();
    let inverse = root_of_unity(k).inverse().unwrap_or_default();
    let size = Fr::from(1u64 << k).inverse().unwrap_or_default();
    let scaled: Vec<G1Projective> = transform(&points, inverse).into_iter().map(|point| point * size).collect();
    assembled(k, powers, &G1Projective::normalize_batch(&scaled), tau_g2)
}

/// The reference string of a τ that is known, so that anyone can forge under it.
pub fn params_of_tau(k: u32, tau: Fr) -> Params {
    let size = 1usize << k;
    let geometric = |x: Fr| std::iter::successors(Some(Fr::one()), move |power| Some(*power * x)).take(size);
    let powers: Vec<Fr> = geometric(tau).collect();
    // l_i(τ) = (τ^n - 1)/n · ω^i/(τ - ω^i)
    let roots: Vec<Fr> = geometric(root_of_unity(k)).collect();
    let mut lagrange: Vec<Fr> = roots.iter().map(|root| tau - root).collect();
    batch_inversion(&mut lagrange);
    let factor = (tau.pow([size as u64]) - Fr::one()) / Fr::from(size as u64);
    lagrange.iter_mut().zip(&roots).for_each(|(x, root)| *x *= factor * root);
    let generator = G1Projective::generator();
    let tau_g2 = (G2Affine::generator() * tau).into_affine();
    assembled(k, &generator.batch_mul(&powers), &generator.batch_mul(&lagrange), &tau_g2)
}

/// What a verifier needs of the reference string.
pub fn verifier_params(k: u32, tau_g2: &G2Affine) -> Params {
    assembled(k, &[G1Affine::generator()], &[], tau_g2)
}

fn assembled(k: u32, powers: &[G1Affine], lagrange: &[G1Affine], tau_g2: &G2Affine) -> Params {
    let [powers, lagrange] = [powers, lagrange].map(|points| points.iter().copied().map(g1_to_halo2).collect());
    let (g2, tau_g2) = (g2_to_halo2(G2Affine::generator()), g2_to_halo2(*tau_g2));
    // The library puts parts together with the help of a reference string, of which it uses nothing.
    ParamsKZG::<Bn256>::setup(0, OsRng).from_parts(k, powers, Some(lagrange), g2, tau_g2)
}

/// The root of unity of order `2^k` that halo2 takes.
fn root_of_unity(k: u32) -> Fr {
    (k..bn256::Fr::S).fold(from_halo2(bn256::Fr::ROOT_OF_UNITY), |root, _| root.square())
}

/// `Σ_j root^(i·j)·P_j` for each i: the Fourier transform of points.
fn transform(points: &[G1Projective], root: Fr) -> Vec<G1Projective> {
    if points.len() <= 1 {
        return points.to_vec();
    }
    let half = |first: usize| -> Vec<G1Projective> { points.iter().skip(first).step_by(2).copied().collect() };
    let (even, odd) = rayon::join(|| transform(&half(0), root.square()), || transform(&half(1), root.square()));
    let mut twiddle = Fr::one();
    let odd: Vec<G1Projective> = odd
        .into_iter()
        .map(|point| {
            let term = if twiddle.is_one() { point } else { point * twiddle };
            twiddle *= root;
            term
        })
        .collect();
    let sums = even.iter().zip(&odd).map(|(a, b)| a + b);
    sums.chain(even.iter().zip(&odd).map(|(a, b)| a - b)).collect()
}

/// The verifying key of `circuit`.
///
/// # Errors
/// If the circuit has more rows than the reference string has powers.
pub fn verifying_key(params: &Params, circuit: &WrapCircuit) -> Result<WrapVerifyingKey, Error> {
    keygen_vk(params, circuit)
}

/// The proving key of `circuit` for its verifying key.
///
/// # Errors
/// If the circuit has more rows than the reference string has powers.
pub fn proving_key(params: &Params, key: WrapVerifyingKey, circuit: &WrapCircuit) -> Result<WrapProvingKey, Error> {
    keygen_pk(params, key, circuit)
}

/// The verifying key in `bytes`, in the form of `format`.
///
/// # Errors
/// If they are no such key.
pub fn read_verifying_key(bytes: &[u8], format: SerdeFormat) -> io::Result<WrapVerifyingKey> {
    WrapVerifyingKey::from_bytes::<WrapCircuit>(
        bytes,
        format,
        #[cfg(feature = "circuit-params")]
        (),
    )
}

/// The proving key that `reader` gives next, in the form of `format`.
///
/// # Errors
/// If it is no such key.
pub fn read_proving_key(reader: &mut impl Read, format: SerdeFormat) -> io::Result<WrapProvingKey> {
    WrapProvingKey::read::<_, WrapCircuit>(
        reader,
        format,
        #[cfg(feature = "circuit-params")]
        (),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use halo2_axiom::halo2curves::ff::Field as _;
    use halo2_axiom::poly::commitment::{Blind, Params as _, ParamsProver as _};

    #[test]
    fn both_ways_to_the_reference_string_agree() {
        let (k, tau) = (4, Fr::from(12345u64));
        let powers: Vec<Fr> = (0..1u64 << k).map(|i| tau.pow([i])).collect();
        let powers = G1Projective::generator().batch_mul(&powers);
        let tau_g2 = (G2Affine::generator() * tau).into_affine();
        let (one, other) = (params(k, &powers, &tau_g2), params_of_tau(k, tau));
        assert_eq!(one.get_g(), other.get_g());
        assert_eq!(one.s_g2(), other.s_g2());
        // A polynomial has one commitment, by coefficients and by values.
        let domain = halo2_axiom::poly::EvaluationDomain::<bn256::Fr>::new(1, k);
        let values: Vec<bn256::Fr> = (0..1u64 << k).map(|i| bn256::Fr::from(i * i + 7)).collect();
        let values = domain.lagrange_from_vec(values);
        let coefficients = domain.lagrange_to_coeff(values.clone());
        let blind = Blind(bn256::Fr::ZERO);
        for params in [one, other] {
            assert_eq!(params.commit_lagrange(&values, blind), params.commit(&coefficients, blind));
        }
    }
}
