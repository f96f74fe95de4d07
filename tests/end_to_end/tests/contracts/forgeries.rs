//! What the cheating prover forges, brought to the contracts with the real verifier of the circuit.

use std::collections::BTreeSet;

use gradproof_chain::{SegmentVerifier, SolValue};
use gradproof_circuits::field::check::{Check, Kind};
use gradproof_evm::{segment, segment_key};
use gradproof_tests::forge::wrapped;
use gradproof_tests::forgeries::{Forgery, forgery_for};
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::points::encode_g1;
use gradproof_verifier::protocol::proof::Argument;
use gradproof_verifier::protocol::statement::Statement;

use crate::deployed::{Deployed, bytes};
use crate::stage::{accumulator, artifacts, deploy_mock, refusal};
use crate::synthetic::domain;

/// What the contract says of a forgery, and whether it is the circuit's proof alone that is wrong.
fn expected(check: Check) -> (&'static str, bool) {
    match check {
        Check::PublicRange => ("LiveRows { got: 4, most: 3 }", false),
        Check::DataLeaf => ("DataLeaf { column: 0 }", false),
        // The digest of the last parameters is the contract's own, so that the proof is one of another statement.
        Check::Key | Check::OpeningValue => ("OpeningValue", false),
        Check::OpeningPairing => ("Pairing", false),
        _ => ("Pairing", true),
    }
}

#[test]
fn every_forgery_is_refused() {
    let test = "every_forgery_is_refused";
    let Some((deployed, artifacts)) = Deployed::new(test).zip(artifacts(test)) else { return };
    let chain = &deployed.chain;
    let honest = crate::deployed::proof(chain.sender());
    assert_eq!(deployed.verify(&segment(&honest.0.statement), &honest.1), Ok(honest.0.statement.last.into()));
    // The same verifier with a circuit that everything satisfies.
    let mock = deploy_mock(chain, artifacts, &accumulator().map(|point| encode_g1(&point)).concat());
    let arguments = segment_key(&wrapped().1, mock).abi_encode();
    let lenient = chain.deploy(&artifacts.verifier, &arguments).expect("it deploys").address;

    let key = wrapped().1.digest();
    let settle = |said: &mut Statement| {
        said.key = key;
        said.domain = domain(chain.sender());
    };
    let mut tested = BTreeSet::new();
    for check in Check::ALL {
        let Some(Forgery::Proof(forged)) = forgery_for(check, &settle) else { continue };
        let forged = match forged.proof.argument.kind() {
            ProofKind::Core => forged.wrap(),
            ProofKind::Wrapped => *forged,
        };
        let (segment, proof) = (segment(&forged.statement), bytes(&forged));
        let (reason, by_the_circuit) = expected(check);
        assert_eq!(deployed.verify(&segment, &proof), Err(reason.into()), "{check:?}");
        let call = SegmentVerifier::verifyCall { segment, proof: proof.into() };
        let verdict = refusal(chain.call(lenient, &call));
        let without = if by_the_circuit { Ok(forged.statement.last.into()) } else { Err(reason.into()) };
        assert_eq!(verdict, without, "{check:?} without the circuit's proof");
        assert!(matches!(forged.proof.argument, Argument::Wrapped { .. }));
        tested.insert(check);
    }
    // No prover can choose the challenges that zero denominators take.
    let all = Check::ALL.into_iter().filter(|check| check.kind() == Kind::Argument);
    assert!(all.filter(|check| *check != Check::LookupDenominator).eq(tested));
}
