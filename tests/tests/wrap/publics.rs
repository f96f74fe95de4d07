//! Which public inputs the circuit binds, and which are bound by the digest alone.

use ark_bn254::Fr;
use gradproof_circuits::field::check::{Check, Rejection, Strict};
use gradproof_circuits::program::Publics;
use gradproof_circuits::relations::Subject;
use gradproof_circuits::wrap::circuit::NUMBERS;
use gradproof_tests::forge::{Witnesses, fixture, forge, prove, wrapped};
use gradproof_tests::leaky::{circuit, satisfied};
use gradproof_verifier::protocol::proof::Argument;

/// Names of the public inputs that go in, in their order.
const GIVEN: [&str; 6] = ["digest_hi", "digest_lo", "c", "position", "T'", "B'"];

/// The given public inputs that may be changed alone, each to a value in its range, without a change of the messages.
fn unbound(subject: Subject) -> Vec<&'static str> {
    let forged = prove(subject, &fixture().witness(subject));
    let changed = |i: usize| {
        let mut publics = forged.publics();
        let Publics { digest: [high, low], rate, position, live_steps, live_rows } = &mut publics;
        *[high, low, rate, position, live_steps, live_rows][i] += Fr::from(1);
        let (circuit, instances) = circuit(subject, &publics, forged.proof.messages());
        satisfied(&circuit, &instances)
    };
    (0..GIVEN.len()).filter(|i| changed(*i)).map(|i| GIVEN[i]).collect()
}

#[test]
fn only_the_position_of_a_segment_is_bound_by_the_digest_alone() {
    assert_eq!(unbound(Subject::Segment), ["position"]);
}

/// Registrations train nothing, and parameters belong to no position.
#[test]
fn registrations_bind_less() {
    assert_eq!(unbound(Subject::Data), ["c", "position"]);
    assert_eq!(unbound(Subject::Parameters), ["c", "position", "T'", "B'"]);
}

/// A public input too many would be added to a row of the argument; the native verifier takes the number from its key.
#[test]
fn a_longer_point_has_the_wrong_form() {
    let witness = fixture().witness(Subject::Segment);
    let key = wrapped().1.digest();
    let honest = forge(Subject::Segment, Witnesses::same(&witness), |said| said.key = key, &mut |_, _| ()).wrap();
    assert_eq!(honest.judged(Strict), Ok(()));
    let with = |change: &dyn Fn(&mut Vec<Fr>)| {
        let mut forged = honest.clone();
        let Argument::Wrapped { reduced, .. } = &mut forged.proof.argument else { panic!("it was wrapped") };
        change(&mut reduced.point);
        forged.judged(Strict)
    };
    let refused = Err(Rejection { check: Check::Wrap });
    assert_eq!(with(&|point| point.push(Fr::from(0))), refused);
    assert_eq!(with(&|point| point.push(Fr::from(1))), refused);
    assert_eq!(with(&|point| point.truncate(point.len() - 1)), refused);
}

/// The witness stays as it is: every public input has a cell that it must be equal to.
#[test]
fn every_public_input_is_that_of_the_witness() {
    let subject = Subject::Segment;
    let forged = prove(subject, &fixture().witness(subject));
    let (circuit, instances) = circuit(subject, &forged.publics(), forged.proof.messages());
    assert_eq!(instances.len(), NUMBERS + fixture().key.column_vars);
    assert!(satisfied(&circuit, &instances));
    for i in 0..instances.len() {
        let mut other = instances.clone();
        other[i] += Fr::from(1);
        assert!(!satisfied(&circuit, &other), "public input {i}");
    }
    assert!(!satisfied(&circuit, &instances[..instances.len() - 1]), "one too few");
}
