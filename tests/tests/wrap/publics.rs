//! Which public inputs the circuit binds, and which are bound by the digest alone.

use ark_bn254::Fr;
use gradproof_circuits::relations::{Publics, Subject};
use gradproof_circuits::wrap::circuit::NUMBERS;
use gradproof_tests::forge::{fixture, prove};

use crate::leaky::{circuit, satisfied};

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
