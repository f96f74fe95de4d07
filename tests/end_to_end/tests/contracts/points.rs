//! Points that are none, wherever a point may stand.

use ark_bn254::G1Affine;
use ark_ec::{AffineRepr, CurveGroup};
use gradproof_evm::segment;
use gradproof_verifier::protocol::keccak::keccak256;
use gradproof_verifier::protocol::points::{decode_g1, decode_scalar, encode_g1, encode_scalar};
use gradproof_verifier::verify::combined;

use crate::stage::{Stage, artifacts};
use crate::synthetic::{Job, Proved, Shape, consistent_evaluations, domain, offsets};

/// 64 bytes that no point has, and the name of what is wrong.
fn bad() -> [(Vec<u8>, &'static str); 3] {
    let mut off = encode_g1(&G1Affine::generator()).to_vec();
    off[63] = 3;
    let mut unreduced = ark_ff::BigInteger::to_bytes_be(&<ark_bn254::Fq as ark_ff::PrimeField>::MODULUS);
    // x = p + 1 for the generator's 1, y = 2.
    unreduced[31] += 1;
    unreduced.extend([0; 31]);
    unreduced.push(2);
    [(off, "PointNotOnCurve"), (unreduced, "PointNotOnCurve"), (vec![0; 64], "PointAtInfinity")]
}

#[test]
fn columns_are_points() {
    let Some(artifacts) = artifacts("columns_are_points") else { return };
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    let job = Job::new(&shape);
    let position = 1;
    let proved = job.prove(job.statement(domain(stage.chain.sender()), position, &job.first), &job.first);
    let [_, mask, data, last, _, paths, scalars, ..] = offsets(&shape);
    for (point, name) in bad() {
        for at in (0..paths).step_by(64) {
            let mut bytes = proved.bytes.clone();
            let mut segment = segment(&proved.statement);
            bytes[at..at + 64].copy_from_slice(&point);
            // Whoever registered such a point gets past the digest, and the leaf.
            segment.first = keccak256(&[&bytes[..mask]]).into();
            if (data..last).contains(&at) {
                let index = (at - data) / 64;
                let tree = job.tree_with(position, index, &point);
                segment.dataRoot = tree.root().into();
                let places = 0..shape.data;
                let all = places.flat_map(|i| tree.path(position as usize * shape.data + i)).flatten();
                bytes.splice(paths..scalars, all);
            }
            let refused = stage.verify(&segment, &bytes);
            assert_eq!(refused, Err(format!("{name} {{ offset: {at} }}")));
        }
    }
}

#[test]
fn points_of_the_opening_are_points() {
    let Some(artifacts) = artifacts("points_of_the_opening_are_points") else { return };
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    let job = Job::new(&shape);
    let proved = job.prove(job.statement(domain(stage.chain.sender()), 1, &job.first), &job.first);
    let segment = segment(&proved.statement);
    let [.., folds, evaluations, quotient, halo2] = offsets(&shape);
    let mut bytes = proved.bytes.clone();
    // Right whatever the folds are, so that only pairing and points are left to refuse it.
    let scalars = consistent_evaluations(&proved.reduced);
    bytes.splice(evaluations..quotient, scalars.iter().flat_map(encode_scalar));
    assert_eq!(stage.verify(&segment, &bytes), Err("Pairing".into()));
    for (point, name) in bad() {
        for at in (folds..evaluations).chain(quotient..halo2).step_by(64) {
            let mut bytes = bytes.clone();
            bytes[at..at + 64].copy_from_slice(&point);
            assert_eq!(stage.verify(&segment, &bytes), Err(format!("{name} {{ offset: {at} }}")));
        }
    }
}

fn point(bytes: &[u8], at: usize) -> G1Affine {
    decode_g1(&bytes[at..at + 64]).expect("it is a point")
}

/// C, as the contract combines it.
pub fn combination(shape: &Shape, proved: &Proved) -> G1Affine {
    let [_, mask, data, last, _, paths, _, blinding, ..] = offsets(shape);
    let places = [data..last, 0..mask, last..paths].into_iter().flat_map(|part| part.step_by(64));
    let columns: Vec<G1Affine> =
        places.map(|at| point(&proved.bytes, at)).chain(shape.tables.iter().copied()).collect();
    let s = decode_scalar(&proved.bytes[blinding..blinding + 32]).expect("it is reduced");
    combined(&shape.setup.key, &point(&proved.bytes, mask), &columns, &proved.reduced.combine, &s)
}

/// All columns together may be nothing only where somebody knew the factor before the random column.
#[test]
fn columns_do_not_combine_to_infinity() {
    let Some(artifacts) = artifacts("columns_do_not_combine_to_infinity") else { return };
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    let job = Job::new(&shape);
    let proved = job.prove(job.statement(domain(stage.chain.sender()), 1, &job.first), &job.first);
    let segment = segment(&proved.statement);
    let [_, mask, .., evaluations, quotient, _] = offsets(&shape);
    let mut bytes = proved.bytes.clone();
    let less = point(&bytes, mask) - combination(&shape, &proved);
    bytes[mask..mask + 64].copy_from_slice(&encode_g1(&less.into_affine()));
    let scalars = consistent_evaluations(&proved.reduced);
    bytes.splice(evaluations..quotient, scalars.iter().flat_map(encode_scalar));
    assert_eq!(stage.verify(&segment, &bytes), Err(format!("PointAtInfinity {{ offset: {mask} }}")));
}

#[test]
fn other_points_do_not_pair() {
    let Some(artifacts) = artifacts("other_points_do_not_pair") else { return };
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    let job = Job::new(&shape);
    let proved = job.prove(job.statement(domain(stage.chain.sender()), 1, &job.first), &job.first);
    let segment = segment(&proved.statement);
    let [.., quotient, halo2] = offsets(&shape);
    for at in (quotient..halo2).step_by(64) {
        let mut bytes = proved.bytes.clone();
        bytes[at..at + 64].copy_from_slice(&encode_g1(&G1Affine::generator()));
        assert_eq!(stage.verify(&segment, &bytes), Err("Pairing".into()));
    }
    // What a circuit's verifier leaves to the pairing counts as well, and must be points.
    let [left, right] = crate::stage::accumulator().map(|point| encode_g1(&point).to_vec());
    let generator = encode_g1(&G1Affine::generator()).to_vec();
    let [(off, _), ..] = bad();
    for (accumulator, expected) in [
        ([&left[..], &generator].concat(), "Pairing"),
        ([&generator[..], &right].concat(), "Pairing"),
        ([&right[..], &left].concat(), "Pairing"),
        ([&off[..], &right].concat(), "Halo2Answer"),
        ([&left[..], &off].concat(), "Halo2Answer"),
    ] {
        let stage = Stage::on(artifacts, &shape, gradproof_chain::LOCAL_CHAIN, &accumulator);
        assert_eq!(stage.verify(&segment, &proved.bytes), Err(expected.into()));
    }
}
