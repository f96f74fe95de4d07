//! A real proof of the core: real data, a real argument, and its opening on chain.

use gradproof_circuits::argument;
use gradproof_circuits::argument::transcript::Stored;
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::Strict;
use gradproof_circuits::relations::Subject;
use gradproof_evm::{ChainProof, segment};
use gradproof_tests::forge::{Witnesses, fixture, forge};
use gradproof_verifier::protocol::key::VerifyingKey;

use crate::stage::{Stage, artifacts};
use crate::synthetic::{Shape, domain, instances};

#[test]
fn the_opening_of_a_core_proof_is_accepted() {
    let Some(artifacts) = artifacts("the_opening_of_a_core_proof_is_accepted") else { return };
    let key: &VerifyingKey = &fixture().key;
    let stage = Stage::new(artifacts, &Shape::fixture());
    let witness = fixture().witness(Subject::Segment);
    let forged = forge(
        Subject::Segment,
        Witnesses::same(&witness),
        |said| said.domain = domain(stage.chain.sender()),
        &mut |_, _| (),
    );
    forged.judged(Strict).expect("the proof is right");
    let proof = &forged.proof;
    let points = {
        let layout = &key.relations(Subject::Segment).layout;
        let data = layout.group(gradproof_circuits::relations::Group::Data).len();
        [&proof.columns[..data], &forged.first, &proof.columns[data..], &key.tables].concat()
    };
    let digest = forged.statement.digest(&proof.mask, &points);
    let reduced = argument::verify(
        &mut Native { judge: Strict },
        &mut Stored { rest: proof.messages() },
        key.relations(Subject::Segment),
        &forged.statement.publics(&digest),
    )
    .expect("the argument is right");
    let bytes = ChainProof {
        first: &forged.first,
        mask: &proof.mask,
        columns: &proof.columns,
        paths: &proof.paths,
        combine: &reduced.combine,
        value: &reduced.value,
        point: &reduced.point,
        blinding: &proof.blinding,
        opening: &proof.opening,
        halo2: b"",
    }
    .to_bytes();
    stage.expect(Some((&instances(&forged.statement, &digest, &reduced), b"")));
    assert_eq!(stage.verify(&segment(&forged.statement), &bytes), Ok(forged.statement.last.into()));
}
