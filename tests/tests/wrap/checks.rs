//! Every check of the field-side verifier is a row of the circuit: a false argument that only this check refuses does not
//! satisfy it, and does where exactly this row is left out.

use ark_bn254::Fr;
use gradproof_circuits::algebra::Native;
use gradproof_circuits::argument;
use gradproof_circuits::check::{Check, Rejection, Strict};
use gradproof_circuits::relations::{Publics, Subject};
use gradproof_circuits::transcript::Ask;
use gradproof_prover::columns::columns;
use gradproof_prover::party::Secrets;
use gradproof_prover::prove::Careless;
use gradproof_tests::forge::{Witnesses, fixture, meddling, prove};
use gradproof_tests::forgeries::{Forgery, forgery};
use gradproof_tests::leaky::{Leaky, circuit, satisfied};

/// The checks that an argument is refused by.
const CHECKS: [Check; 10] = [
    Check::LookupSum,
    Check::LookupDenominator,
    Check::LookupLayer,
    Check::LookupNumerator,
    Check::LookupFingerprint,
    Check::Pointwise,
    Check::Product,
    Check::Weight,
    Check::Merge,
    Check::PublicRange,
];

/// A false argument: challenges that are chosen, public inputs, messages.
type False = (Vec<Fr>, Publics<Fr>, Vec<Fr>);

fn false_argument(check: Check) -> False {
    if check == Check::PublicRange {
        return too_many_steps();
    }
    match forgery(check).expect("the check is one of an argument") {
        Forgery::Proof(forged) => (vec![], forged.publics(), forged.proof.messages().to_vec()),
        Forgery::Rigged { chosen, publics, messages } => (chosen, *publics, messages),
    }
}

/// Seven live steps of four, argued as three: the low bits of T' - 1 are the same.
fn too_many_steps() -> False {
    let witness = fixture().witness(Subject::Segment);
    let relations = fixture().key.relations(Subject::Segment);
    let honest = prove(Subject::Segment, &witness);
    let mut publics = honest.publics();
    publics.live_steps += Fr::from(4);
    let columns = columns(&relations.layout, &witness);
    let mask = vec![Fr::from(3); 1 << relations.layout.column_vars];
    let mut nothing = |_: Ask<'_, Fr>, _: &mut Vec<Fr>| ();
    let secrets = Secrets { salt: Fr::from(9), mask: &mask };
    let witnesses = Witnesses::same(&witness);
    let mut party = meddling(Subject::Segment, witnesses, &columns, &honest.statement, secrets, &mut nothing);
    argument::verify(&mut Native { judge: Careless }, &mut party, relations, &publics)
        .expect("a careless prover comes to its end");
    (vec![], publics, party.messages)
}

fn accepted((chosen, publics, messages): &False, without: Option<Check>) -> bool {
    let mut leaky = Leaky::default();
    (leaky.without, leaky.chosen) = (without, chosen.clone());
    let built = leaky.build(fixture().key.relations(Subject::Segment), publics, messages, false);
    satisfied(&built.circuit, &built.instances)
}

#[test]
fn each_check_is_in_the_circuit() {
    for check in CHECKS {
        let forged = false_argument(check);
        if forged.0.is_empty() {
            let (circuit, instances) = circuit(Subject::Segment, &forged.1, &forged.2);
            assert!(!satisfied(&circuit, &instances), "{check:?}");
        }
        assert!(!accepted(&forged, None), "{check:?}");
        assert!(accepted(&forged, Some(check)), "accepted without {check:?}");
        for other in CHECKS.into_iter().filter(|other| *other != check) {
            assert!(!accepted(&forged, Some(other)), "{check:?} refuses without {other:?}");
        }
    }
}

/// What the tests of this file leave checks out of is the circuit itself.
#[test]
fn with_no_check_left_out_it_is_the_circuit() {
    for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
        let forged = prove(subject, &fixture().witness(subject));
        let (circuit, instances) = circuit(subject, &forged.publics(), forged.proof.messages());
        let relations = fixture().key.relations(subject);
        let built = Leaky::default().build(relations, &forged.publics(), forged.proof.messages(), false);
        assert!(circuit.table().rows().eq(built.circuit.table().rows()), "{subject:?}");
        assert_eq!(instances, built.instances);
    }
}

/// The circuit bounds the bits of B' - 1, not B' by the batch: that is checked natively, and by the contract.
#[test]
fn live_rows_above_the_batch_are_refused_outside() {
    let Some(Forgery::Proof(forged)) = forgery(Check::PublicRange) else { panic!("it is a whole proof") };
    assert!(forged.statement.live.last_rows > fixture().task.architecture.batch);
    assert_eq!(forged.judged(Strict), Err(Rejection { check: Check::PublicRange }));
    let (circuit, instances) = circuit(Subject::Segment, &forged.publics(), forged.proof.messages());
    assert!(satisfied(&circuit, &instances));
}
