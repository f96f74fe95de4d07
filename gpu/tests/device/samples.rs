//! Values at the edges, and random ones from fixed seeds.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{PrimeField, Zero};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

pub fn random(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub fn element<F: PrimeField>(random: &mut ChaCha20Rng) -> F {
    let mut bytes = [0; 64];
    random.fill_bytes(&mut bytes);
    F::from_le_bytes_mod_order(&bytes)
}

/// Elements whose forms in memory are at the edges: 0, 1, the modulus less 1, words of zeros and of ones.
pub fn extreme_elements<F: PrimeField>() -> Vec<F> {
    let modulus = F::MODULUS.as_ref().to_vec();
    // A form in memory is the element times 2^256: dividing by that gives the element with a chosen form.
    let power = F::from(2u64).pow([256]);
    let of_form = |limbs: [u64; 4]| {
        let bytes: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
        F::from_le_bytes_mod_order(&bytes) / power
    };
    let mut forms = vec![[0; 4], [1, 0, 0, 0], [u64::MAX, 0, 0, 0], [0, u64::MAX, 0, 0], [0, 0, 0, modulus[3]]];
    forms.push([u64::MAX, u64::MAX, u64::MAX, modulus[3] - 1]);
    // A highest word of 1, times words of ones: a low half of ones that a carry fills up.
    forms.push([u64::MAX, u64::MAX, u64::MAX, 0x1_ffff_ffff]);
    forms.push([modulus[0] - 1, modulus[1], modulus[2], modulus[3]]);
    forms.push([modulus[0] - 2, modulus[1], modulus[2], modulus[3]]);
    forms.push([0xffff_ffff, 0xffff_ffff_0000_0000, 0xffff_ffff, 0]);
    // Half of the modulus, and one more.
    let half = F::MODULUS_MINUS_ONE_DIV_TWO.as_ref().to_vec();
    forms.push([half[0], half[1], half[2], half[3]]);
    forms.push([half[0] + 1, half[1], half[2], half[3]]);
    let one = F::one();
    forms.into_iter().map(of_form).chain([one, -one, one + one]).collect()
}

/// Multiples of the generator: different points, none infinite.
pub fn bases(seed: u64, count: usize) -> Vec<G1Affine> {
    let mut random = random(seed);
    let points: Vec<G1Projective> = (0..count).map(|_| G1Affine::generator() * element::<Fr>(&mut random)).collect();
    G1Projective::normalize_batch(&points)
}

/// What a commitment is, by the definition.
pub fn commitments(bases: &[G1Affine], values: &[i64], columns: usize) -> Vec<G1Affine> {
    let column = |column: usize| {
        let mut sum = G1Projective::zero();
        for (base, row) in bases.iter().zip(values.chunks(columns)) {
            sum += *base * Fr::from(row[column]);
        }
        sum.into_affine()
    };
    (0..columns).map(column).collect()
}
