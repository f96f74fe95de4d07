//! Fields: every pair of extremes, lengths beside the size of a block, random elements.

use ark_bn254::{Fq, Fr};
use ark_ff::{Field, PrimeField};
use proptest::prelude::*;

use crate::emulated::device;
use crate::samples::{element, extreme_elements, random};

/// Every extreme beside every extreme.
fn pairs<F: PrimeField>() -> (Vec<F>, Vec<F>) {
    let values = extreme_elements::<F>();
    values.iter().flat_map(|x| values.iter().map(move |y| (*x, *y))).unzip()
}

fn products<F: Field>(x: &[F], y: &[F], times: u64) -> Vec<F> {
    x.iter().zip(y).map(|(x, y)| *x * y.pow([times])).collect()
}

fn sums<F: Field>(x: &[F], y: &[F]) -> (Vec<F>, Vec<F>) {
    x.iter().zip(y).map(|(x, y)| (*x + y, *x - y)).unzip()
}

#[test]
pub fn extremes_have_the_products_of_the_cpu() {
    let (x, y) = pairs::<Fr>();
    assert_eq!(device().fr_products(&x, &y, 1).expect("products"), products(&x, &y, 1));
    let (x, y) = pairs::<Fq>();
    assert_eq!(device().fq_products(&x, &y, 1).expect("products"), products(&x, &y, 1));
}

#[test]
pub fn extremes_have_the_sums_of_the_cpu() {
    let (x, y) = pairs::<Fr>();
    assert_eq!(device().fr_sums(&x, &y).expect("sums"), sums(&x, &y));
    let (x, y) = pairs::<Fq>();
    assert_eq!(device().fq_sums(&x, &y).expect("sums"), sums(&x, &y));
}

#[test]
pub fn lengths_beside_a_block_are_computed_to_the_end() {
    let mut random = random(1);
    for length in [1, 127, 128, 129, 257] {
        let x: Vec<Fr> = (0..length).map(|_| element(&mut random)).collect();
        let y: Vec<Fr> = (0..length).map(|_| element(&mut random)).collect();
        assert_eq!(device().fr_products(&x, &y, 3).expect("products"), products(&x, &y, 3), "{length}");
        assert_eq!(device().fr_sums(&x, &y).expect("sums"), sums(&x, &y), "{length}");
    }
    assert_eq!(device().fr_products(&[], &[], 3).expect("none"), vec![]);
}

#[test]
pub fn a_fold_binds_the_first_variable() {
    let extremes = extreme_elements::<Fr>();
    for (seed, length) in [(1, 2), (2, 254), (3, 256), (4, 258)] {
        let mut random = random(seed);
        let table: Vec<Fr> = extremes
            .iter()
            .copied()
            .cycle()
            .take(length / 2)
            .chain((length / 2..length).map(|_| element(&mut random)))
            .collect();
        for challenge in [Fr::from(0), Fr::from(1), Fr::from(-1), element(&mut random)] {
            let expected: Vec<Fr> = table.chunks(2).map(|pair| pair[0] + challenge * (pair[1] - pair[0])).collect();
            assert_eq!(device().fold(&table, challenge).expect("a fold"), expected, "{length}");
        }
    }
    assert!(device().fold(&[Fr::from(1)], Fr::from(1)).is_err(), "an odd length");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn random_elements_are_computed_as_on_the_cpu(seed: u64, length in 1usize..40, times in 0u64..4) {
        let mut random = random(seed);
        let x: Vec<Fr> = (0..length).map(|_| element(&mut random)).collect();
        let y: Vec<Fr> = (0..length).map(|_| element(&mut random)).collect();
        prop_assert_eq!(device().fr_products(&x, &y, times as usize).expect("products"), products(&x, &y, times));
        prop_assert_eq!(device().fr_sums(&x, &y).expect("sums"), sums(&x, &y));
        let x: Vec<Fq> = (0..length).map(|_| element(&mut random)).collect();
        let y: Vec<Fq> = (0..length).map(|_| element(&mut random)).collect();
        prop_assert_eq!(device().fq_products(&x, &y, times as usize).expect("products"), products(&x, &y, times));
        prop_assert_eq!(device().fq_sums(&x, &y).expect("sums"), sums(&x, &y));
    }
}
