//! Every word of a proof, changed.

use ark_bn254::{Fq, Fr};
use ark_ff::{BigInteger, PrimeField};
use gradproof_chain::U256;
use gradproof_evm::segment;

use crate::stage::{Artifacts, Stage, artifacts};
use crate::synthetic::{HALO2, Job, Shape, domain, offsets};

/// The reason for which a proof is refused in which the word at `at` is another number that could stand there, if the parts of
/// the proof begin at `offsets`.
pub fn expected(at: usize, shape: &Shape, offsets: [usize; 12]) -> String {
    let [_, mask, data, last, _, paths, scalars, _, _, evaluations, quotient, halo2] = offsets;
    let point = at / 64 * 64;
    match at {
        _ if at < mask => "FirstCommitments".into(),
        _ if at >= data && at < last => format!("DataLeaf {{ column: {} }}", (at - data) / 64),
        _ if at < paths => format!("PointNotOnCurve {{ offset: {point} }}"),
        _ if at < scalars => format!("DataLeaf {{ column: {} }}", (at - paths) * shape.data / (scalars - paths)),
        // Folds are absorbed before the challenge that the evaluations must fit.
        _ if at < quotient => "OpeningValue".into(),
        _ if at < halo2 => {
            let start = quotient + (at - quotient) / 64 * 64;
            assert!(at >= evaluations);
            format!("PointNotOnCurve {{ offset: {start} }}")
        }
        _ => "another contract".into(),
    }
}

#[test]
fn every_word_counts() {
    let Some(artifacts) = artifacts("every_word_counts") else { return };
    // The second with two data columns, and a last step of the opening that folds one variable.
    for shape in [Shape::fixture(), Shape::new(13, [2, 1, 3], [9; 32])] {
        every_word_of(artifacts, &shape);
    }
}

fn every_word_of(artifacts: &Artifacts, shape: &Shape) {
    let stage = Stage::new(artifacts, shape);
    let job = Job::new(shape);
    let proved = job.prove(job.statement(domain(stage.chain.sender()), 1, &job.first), &job.first);
    let segment = segment(&proved.statement);
    assert_eq!(stage.verify(&segment, &proved.bytes), Ok(proved.statement.last.into()));

    let halo2 = offsets(shape)[11];
    assert_eq!(proved.bytes.len(), halo2 + HALO2.len());
    for at in (0..halo2).step_by(32) {
        let mut changed = proved.bytes.clone();
        changed[at + 31] ^= 1;
        let refused = stage.verify(&segment, &changed).expect_err("a changed word is refused");
        assert!(refused.starts_with(&expected(at, shape, offsets(shape))), "word at {at}: {refused}");
    }
    stage.expect(Some((&proved.instances, HALO2)));
    assert_eq!(stage.verify(&segment, &proved.bytes), Ok(proved.statement.last.into()));
    for at in halo2..proved.bytes.len() {
        let mut changed = proved.bytes.clone();
        changed[at] ^= 1;
        let refused = stage.verify(&segment, &changed).expect_err("a changed byte is refused");
        assert!(refused.contains("another contract"), "byte at {at}: {refused}");
    }
}

#[test]
fn encodings_are_canonical() {
    let Some(artifacts) = artifacts("encodings_are_canonical") else { return };
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    let job = Job::new(&shape);
    let proved = job.prove(job.statement(domain(stage.chain.sender()), 1, &job.first), &job.first);
    let segment = segment(&proved.statement);
    let [_, _, data, last, _, paths, scalars, _, folds, evaluations, quotient, halo2] = offsets(&shape);
    let order = U256::from_be_slice(&Fr::MODULUS.to_bytes_be());
    let modulus = U256::from_be_slice(&Fq::MODULUS.to_bytes_be());
    let plus = |at: usize, by: U256| {
        let mut changed = proved.bytes.clone();
        let word = U256::from_be_slice(&changed[at..at + 32]) + by;
        changed[at..at + 32].copy_from_slice(&word.to_be_bytes::<32>());
        stage.verify(&segment, &changed).expect_err("another encoding of the same number is refused")
    };
    for at in (scalars..folds).chain(evaluations..quotient).step_by(32) {
        assert_eq!(plus(at, order), format!("ScalarNotReduced {{ offset: {at} }}"));
    }
    for at in (64 * shape.parameters..data).chain(last..paths).chain(quotient..halo2).step_by(32) {
        let point = if at < quotient { at / 64 * 64 } else { quotient + (at - quotient) / 64 * 64 };
        assert_eq!(plus(at, modulus), format!("PointNotOnCurve {{ offset: {point} }}"));
    }
}

#[test]
fn lengths_are_exact() {
    let Some(artifacts) = artifacts("lengths_are_exact") else { return };
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    let job = Job::new(&shape);
    let proved = job.prove(job.statement(domain(stage.chain.sender()), 1, &job.first), &job.first);
    let segment = segment(&proved.statement);
    let least = offsets(&shape)[11];
    for got in [0, 31, least / 2, least - 1] {
        let refused = stage.verify(&segment, &proved.bytes[..got]);
        assert_eq!(refused, Err(format!("ProofTooShort {{ least: {least}, got: {got} }}")));
    }
    // The rest is the circuit's proof, exactly as it stands.
    stage.expect(Some((&proved.instances, HALO2)));
    for other in [&proved.bytes[..least], &[&proved.bytes[..], &[0]].concat()] {
        assert!(stage.verify(&segment, other).expect_err("it is another proof").contains("another contract"));
    }
}
