//! Call data that no program writes, and calls with too little gas: the verifier of segments with the real one of the circuit.

use ark_bn254::G1Affine;
use ark_ec::AffineRepr;
use gradproof_chain::{Address, Segment, SegmentVerifier, SolCall, U256};
use gradproof_evm::segment;
use gradproof_verifier::protocol::points::encode_g1;

use crate::deployed::{Deployed, proof};
use crate::mutations::expected;
use crate::synthetic::{Shape, offsets_of};

/// Somebody who is not the sender.
const OTHER: Address = Address::new([0x22; 20]);
/// Words of a segment, each a value.
const WORDS: usize = 10;
/// Where the offset of the proof stands, behind selector and segment.
const OFFSET: usize = 4 + WORDS * 32;
/// Selector, segment, offset and length stand before the proof.
const HEAD: usize = OFFSET + 2 * 32;

fn call(segment: &Segment, proof: &[u8]) -> Vec<u8> {
    SegmentVerifier::verifyCall { segment: segment.clone(), proof: proof.to_vec().into() }.abi_encode()
}

#[test]
fn every_word_of_a_call_counts() {
    let Some(deployed) = Deployed::new("every_word_of_a_call_counts") else { return };
    let (forged, proof) = proof(deployed.chain.sender());
    let verifier = deployed.verifier.segment.address;
    let submit = |input: &[u8]| deployed.raw.call(deployed.chain.sender(), verifier, input, None);
    let honest = call(&segment(&forged.statement), &proof);
    let answer = submit(&honest).expect("the proof is right");
    assert_eq!(answer[..], forged.statement.last);

    // To another function, about another segment.
    for at in 0..4 {
        let mut other = honest.clone();
        other[at] ^= 1;
        submit(&other).expect_err("there is no such function");
    }
    for word in 0..WORDS {
        for at in [0, 31] {
            let mut other = honest.clone();
            other[4 + 32 * word + at] ^= 1;
            submit(&other).expect_err("it is another segment, or no number of its kind");
        }
    }
    // Where the proof stands, and how long it is.
    let length = proof.len();
    let words = |offset: U256, length: U256| {
        let mut other = honest.clone();
        other[OFFSET..OFFSET + 32].copy_from_slice(&offset.to_be_bytes::<32>());
        other[OFFSET + 32..HEAD].copy_from_slice(&length.to_be_bytes::<32>());
        submit(&other).expect_err("it is another proof, or none")
    };
    let (at, long) = (U256::from((WORDS + 1) * 32), U256::from(length));
    for offset in [0, 31, 32, 64, HEAD - 5, HEAD - 4, HEAD - 4 + 32, length + HEAD, usize::MAX]
        .map(U256::from)
        .into_iter()
        .chain([U256::MAX])
    {
        words(offset, long);
    }
    for bit in 0..256 {
        words(at ^ U256::from(1) << bit, long);
        words(at, long ^ U256::from(1) << bit);
    }
    assert!(words(at, U256::ZERO).starts_with("ProofTooShort"));
    for cut in [
        0,
        3,
        4,
        35,
        36,
        OFFSET - 1,
        OFFSET,
        OFFSET + 32,
        HEAD - 1,
        HEAD,
        HEAD + 31,
        HEAD + length / 2,
        HEAD + length - 1,
    ] {
        submit(&honest[..cut]).expect_err("it ends too early");
    }

    let shape = Shape::fixture();
    let offsets = offsets_of(&shape, forged.statement.epoch_segments as usize);
    let circuit = offsets[11];
    for word in 0..length / 32 {
        let mut other = honest.clone();
        other[HEAD + 32 * word + 31] ^= 1;
        let refused = submit(&other).expect_err("a changed word is refused");
        if 32 * word < circuit {
            assert!(refused.starts_with(&expected(32 * word, &shape, offsets)), "word {word}: {refused}");
        } else {
            // Off the curve, for a coordinate; for a scalar nothing is wrong but the equation.
            let named = ["PointNotOnCurve", "Pairing"].into_iter().any(|name| refused.starts_with(name));
            assert!(named, "word {word} of the circuit's proof: {refused}");
        }
    }
}

/// The statement names the contract that calls.
#[test]
fn a_proof_is_for_one_caller() {
    let Some(deployed) = Deployed::new("a_proof_is_for_one_caller") else { return };
    let (forged, proof) = proof(deployed.chain.sender());
    let input = call(&segment(&forged.statement), &proof);
    let verify = |caller| deployed.raw.call(caller, deployed.verifier.segment.address, &input, None);
    let answer = verify(deployed.chain.sender()).expect("it may ask");
    assert_eq!(answer[..], forged.statement.last);
    for other in [deployed.verifier.halo2.address, OTHER, Address::ZERO] {
        assert_eq!(verify(other), Err("OpeningValue".into()));
    }
}

/// Some precompiled contracts are called without a look at whether they succeed: they fail for want of gas alone, and then
/// there is none for the rest.
#[test]
fn too_little_gas_lets_nothing_pass() {
    let Some(deployed) = Deployed::new("too_little_gas_lets_nothing_pass") else { return };
    let (forged, proof) = proof(deployed.chain.sender());
    let said = segment(&forged.statement);
    let submit = |proof: &[u8], gas: u64| {
        let input = call(&said, proof);
        deployed.raw.call(deployed.chain.sender(), deployed.verifier.segment.address, &input, Some(gas))
    };
    let (mut little, mut enough) = (21_000, 2_000_000);
    submit(&proof, enough).expect("the proof is right");
    while enough - little > 1 {
        let middle = little.midpoint(enough);
        if submit(&proof, middle).is_ok() { enough = middle } else { little = middle }
    }

    let end = offsets_of(&Shape::fixture(), forged.statement.epoch_segments as usize)[11];
    let generator = encode_g1(&G1Affine::generator());
    let changed = |at: usize, by: &[u8]| {
        let mut other = proof.clone();
        other[at..at + by.len()].copy_from_slice(by);
        other
    };
    // W, W', a commitment of the circuit's proof, its last one, and the blinding of the columns: all are well formed.
    let last = proof.len() - 64;
    let blinding = offsets_of(&Shape::fixture(), forged.statement.epoch_segments as usize)[7];
    let wrong = [(end - 128, &generator[..]), (end - 64, &generator), (end, &generator), (last, &generator)];
    let wrong = wrong.into_iter().chain([(blinding, &[1; 32][..])]).map(|(at, by)| changed(at, by));
    let wrong: Vec<Vec<u8>> = wrong.collect();
    let sweep = (21_000..enough).step_by(4_999).chain((0..17).map(|bit| enough - (1 << bit)));
    for gas in sweep {
        assert!(submit(&proof, gas).is_err(), "the right proof with {gas} gas of {enough}");
        for (i, wrong) in wrong.iter().enumerate() {
            assert!(submit(wrong, gas).is_err(), "wrong proof {i} with {gas} gas of {enough}");
        }
    }
    for wrong in &wrong {
        let reason = submit(wrong, enough + 100_000).expect_err("it is wrong");
        assert!(["Pairing", "OpeningValue"].contains(&reason.as_str()), "{reason}");
    }
}
