//! Every check of the field-side verifier is a row of the circuit: a false argument that only this check refuses does not
//! satisfy it, and does where exactly this row is left out.

use ark_bn254::Fr;
use gradproof_circuits::argument;
use gradproof_circuits::argument::transcript::Ask;
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::{Check, Kind, Rejection, Strict};
use gradproof_circuits::program::{End, Publics, Tensor};
use gradproof_circuits::relations::Subject;
use gradproof_prover::argument::party::Secrets;
use gradproof_prover::columns::columns;
use gradproof_tests::cheats::cheated;
use gradproof_tests::forge::{Forged, Witnesses, fixture, meddling, prove, registered};
use gradproof_tests::forgeries::{Forgery, forgery};
use gradproof_tests::judges::Careless;
use gradproof_tests::leaky::{Leaky, circuit, satisfied};
use gradproof_tests::reference::{Honest, Task};
use gradproof_tests::tensors::{bias, weight};

/// The checks of a forgery that are made outside of the circuit. A new check is one of the circuit unless it is named here.
const OUTSIDE: [Check; 5] = [Check::Wrap, Check::OpeningValue, Check::OpeningPairing, Check::DataLeaf, Check::Key];

/// The checks that an argument is refused by.
fn checks() -> impl Iterator<Item = Check> {
    Check::ALL.into_iter().filter(|check| check.kind() == Kind::Argument && !OUTSIDE.contains(check))
}

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
    let columns = columns(&relations.layout, &witness).expect("the witness has all tensors");
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
    assert_eq!(checks().count(), 10);
    for check in checks() {
        let forged = false_argument(check);
        if forged.0.is_empty() {
            let (circuit, instances) = circuit(Subject::Segment, &forged.1, &forged.2);
            assert!(!satisfied(&circuit, &instances), "{check:?}");
        }
        assert!(!accepted(&forged, None), "{check:?}");
        assert!(accepted(&forged, Some(check)), "accepted without {check:?}");
        for other in checks().filter(|other| *other != check) {
            assert!(!accepted(&forged, Some(other)), "{check:?} refuses without {other:?}");
        }
    }
}

fn is_satisfied(forged: &Forged) -> bool {
    let (circuit, instances) = circuit(forged.statement.subject, &forged.publics(), forged.proof.messages());
    satisfied(&circuit, &instances)
}

/// Each subject has a circuit of its own.
#[test]
fn what_must_not_be_registered_satisfies_no_circuit() {
    let weight = |l| weight(End::First, l);
    for (subject, tensor, entry, by) in [
        (Subject::Data, Tensor::input(), 0, 1 << 16),
        (Subject::Data, Tensor::input(), 6, 1),
        (Subject::Data, Tensor::labels(), 3, 1),
        (Subject::Data, Tensor::labels(), 3 * 4, 1),
        (Subject::Parameters, weight(1), 0, 1 << 48),
        (Subject::Parameters, weight(1), 5, 1),
        (Subject::Parameters, weight(1), 6 * 8, 1),
        (Subject::Parameters, bias(End::First, 1), 5, 1),
    ] {
        assert!(!is_satisfied(&registered(subject, tensor, entry, by)), "{tensor:?}, {entry}");
        assert!(is_satisfied(&registered(subject, tensor, entry, 0)), "{tensor:?}");
    }
}

/// A segment whose data and first parameters nobody registered, as a contract may see it.
#[test]
fn padding_and_labels_are_checked_in_the_circuit() {
    let changes: [fn(&mut Task); 3] = [
        |task| task.biases[0][5] = 1 << task.architecture.precision().weight_bits(),
        |task| task.labels[..4].copy_from_slice(&[1, 1, 0, 0]),
        |task| task.labels[..4].copy_from_slice(&[2, -1, 0, 0]),
    ];
    for (i, change) in changes.iter().enumerate() {
        let mut task = fixture().task.clone();
        change(&mut task);
        assert!(!is_satisfied(&prove(Subject::Segment, &cheated(&task, &Honest))), "change {i}");
    }
    assert!(is_satisfied(&prove(Subject::Segment, &cheated(&fixture().task, &Honest))));
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
    assert!(forged.statement.live.last_rows > fixture().task.architecture.batch());
    assert_eq!(forged.judged(Strict), Err(Rejection { check: Check::PublicRange }));
    let (circuit, instances) = circuit(Subject::Segment, &forged.publics(), forged.proof.messages());
    assert!(satisfied(&circuit, &instances));
}
