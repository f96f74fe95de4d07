//! Circuit and native verifier accept and refuse the same arguments, and reduce them to the same opening.

use std::sync::OnceLock;

use ark_bn254::Fr;
use gradproof_circuits::argument;
use gradproof_circuits::argument::transcript::Stored;
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::{Check, Judge, Rejection, Strict};
use gradproof_circuits::program::Publics;
use gradproof_circuits::relations::Subject;
use gradproof_circuits::wrap::circuit::{WrapCircuit, instances};
use gradproof_tests::forge::{Forged, fixture, prove};
use gradproof_tests::judges::Careless;
use gradproof_tests::leaky::{circuit, satisfied};
use proptest::prelude::*;

fn honest(subject: Subject) -> &'static Forged {
    static PROOFS: [OnceLock<Forged>; 3] = [const { OnceLock::new() }; 3];
    PROOFS[subject as usize].get_or_init(|| prove(subject, &fixture().witness(subject)))
}

fn native(subject: Subject, publics: &Publics<Fr>, messages: &[Fr], judge: impl Judge) -> Result<Vec<Fr>, Rejection> {
    let mut stored = Stored { rest: messages };
    let relations = fixture().key.relations(subject);
    let reduced = argument::verify(&mut Native { judge }, &mut stored, relations, publics)?;
    Ok(instances(publics, &reduced))
}

/// What both say: true if they accept.
fn verdict(subject: Subject, publics: &Publics<Fr>, messages: &[Fr]) -> Result<bool, TestCaseError> {
    let (circuit, instances) = circuit(subject, publics, messages);
    let careless = native(subject, publics, messages, Careless).expect("a careless judge accepts");
    prop_assert_eq!(&careless, &instances, "what it is reduced to");
    let accepted = native(subject, publics, messages, Strict).is_ok();
    prop_assert_eq!(satisfied(&circuit, &instances), accepted);
    Ok(accepted)
}

fn subjects() -> impl Strategy<Value = Subject> {
    // Segments have most messages by far.
    prop_oneof![4 => Just(Subject::Segment), 1 => Just(Subject::Data), 1 => Just(Subject::Parameters)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_changed_message_is_refused_by_both(
        subject in subjects(),
        at in any::<prop::sample::Index>(),
        by in prop_oneof![Just(-1i64), Just(1), any::<i64>()].prop_filter("a change", |by| *by != 0),
    ) {
        let forged = honest(subject);
        let mut messages = forged.proof.messages().to_vec();
        // All but the last: see the next test.
        let at = at.index(messages.len() - 1);
        messages[at] += Fr::from(by);
        prop_assert!(!verdict(subject, &forged.publics(), &messages)?);
    }

    #[test]
    fn arbitrary_messages_are_reduced_alike(subject in subjects(), seed in any::<u64>()) {
        let forged = honest(subject);
        let messages: Vec<Fr> =
            (1..=forged.proof.messages().len() as u64).map(|i| Fr::from(seed.wrapping_mul(i).wrapping_add(i))).collect();
        verdict(subject, &forged.publics(), &messages)?;
    }

    #[test]
    fn changed_public_inputs_are_judged_alike(
        subject in subjects(),
        at in 0usize..6,
        to in prop_oneof![0u64..20, any::<u64>()],
    ) {
        let forged = honest(subject);
        let mut publics = forged.publics();
        let Publics { digest: [high, low], rate, position, live_steps, live_rows } = &mut publics;
        *[high, low, rate, position, live_steps, live_rows][at] = Fr::from(to);
        verdict(subject, &publics, forged.proof.messages())?;
    }
}

/// The random column's evaluation stands last. No relation speaks of it: it changes what the opening has to show, and nothing else.
#[test]
fn the_last_message_changes_the_opening_alone() {
    let forged = honest(Subject::Segment);
    let (publics, mut messages) = (forged.publics(), forged.proof.messages().to_vec());
    let reduced = |messages: &[Fr]| native(Subject::Segment, &publics, messages, Strict).expect("the argument accepts");
    let honest = reduced(&messages);
    *messages.last_mut().expect("there are messages") += Fr::from(1);
    assert!(verdict(Subject::Segment, &publics, &messages).expect("both say the same"));
    assert_ne!(reduced(&messages), honest);
}

#[test]
fn another_number_of_messages_has_no_circuit() {
    let forged = honest(Subject::Segment);
    let relations = fixture().key.relations(Subject::Segment);
    let messages = forged.proof.messages();
    for messages in [&messages[1..], &messages[..0], &[messages, &[Fr::from(0)]].concat()] {
        let refused = WrapCircuit::new(relations, &forged.publics(), messages).map(|_| ());
        assert_eq!(refused, Err(Rejection { check: Check::Length }));
    }
}
