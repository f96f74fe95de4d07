//! Wrapped proofs of a whole job, accepted by the deployed contracts, and refused after any change.

use ark_bn254::G1Affine;
use gradproof_circuits::check::Strict;
use gradproof_circuits::relations::Subject;
use gradproof_circuits::tensor::Group;
use gradproof_tests::forge::{Forged, Witnesses, fixture, forge, wrapped};
use gradproof_verifier::contract::{ChainProof, segment};
use gradproof_worker::chain::{Anvil, Chain, Compiler, Contracts, SegmentVerifier};

use crate::stage::{artifacts, contracts, refusal};
use crate::synthetic::domain;

/// A wrapped proof of the fixture's segment, for a contract that `sender` calls.
fn proof(sender: gradproof_worker::chain::Address) -> (Forged, Vec<u8>) {
    let key = wrapped().1.digest();
    let witness = fixture().witness(Subject::Segment);
    let say = |said: &mut gradproof_verifier::statement::Statement| {
        said.key = key;
        said.domain = domain(sender);
    };
    let forged = forge(Subject::Segment, Witnesses::same(&witness), say, &mut |_, _| ()).wrap();
    forged.judged(Strict).expect("the proof is honest");
    let first: &[G1Affine] = &forged.first;
    let bytes = ChainProof::of(first, &forged.proof).expect("it is wrapped").to_bytes();
    (forged, bytes)
}

#[test]
fn a_wrapped_proof_is_accepted_and_no_word_of_it_is_free() {
    if artifacts("a_wrapped_proof_is_accepted_and_no_word_of_it_is_free").is_none() {
        return;
    }
    let node = Anvil::start(&contracts()).expect("the node starts");
    let chain = Chain::connect(node.url(), Anvil::signer()).expect("the node answers");
    let compiler = Compiler::new(&contracts()).expect("foundry.toml has all settings");
    let deployed = Contracts::deploy(&chain, &compiler, &wrapped().1).expect("they deploy");
    assert!(deployed.halo2_bytes < 22_000, "{} bytes", deployed.halo2_bytes);
    let (forged, bytes) = proof(chain.sender());
    let verify = |proof: &[u8]| {
        let call = SegmentVerifier::verifyCall { segment: segment(&forged.statement), proof: proof.to_vec().into() };
        refusal(chain.call(deployed.verifier.address, &call))
    };
    assert_eq!(verify(&bytes), Ok(forged.statement.last.into()));
    let mut reasons = std::collections::BTreeMap::new();
    for word in 0..bytes.len() / 32 {
        let mut bad = bytes.clone();
        bad[32 * word + 31] ^= 1;
        let reason = verify(&bad).expect_err("every word is bound");
        *reasons.entry(reason.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()).or_insert(0) += 1;
    }
    println!("{} words, refused as {reasons:?}", bytes.len() / 32);
    for length in [0, 32, bytes.len() - 32, bytes.len() - 1] {
        assert!(verify(&bytes[..length]).is_err(), "{length} bytes");
    }
    assert!(verify(&[&bytes[..], &[0; 32]].concat()).is_err());
    // Of another statement: position, live counts, rate, owner, job.
    let honest = segment(&forged.statement);
    let change = |change: &dyn Fn(&mut gradproof_worker::chain::Segment)| {
        let mut other = honest.clone();
        change(&mut other);
        let call = SegmentVerifier::verifyCall { segment: other, proof: bytes.clone().into() };
        refusal(chain.call(deployed.verifier.address, &call)).expect_err("it is for another statement");
    };
    change(&|s| s.position ^= 1);
    change(&|s| s.liveSteps -= 1);
    change(&|s| s.liveRows -= 1);
    change(&|s| s.rate += 1);
    change(&|s| s.index += 1);
    change(&|s| s.job.0[0] ^= 1);
    change(&|s| s.owner.0[0] ^= 1);
    change(&|s| s.dataRoot.0[0] ^= 1);
    change(&|s| s.first.0[0] ^= 1);
    let columns = wrapped().1.relations(Subject::Segment).layout.group(Group::Trace).len();
    assert!(columns > 0);
}
