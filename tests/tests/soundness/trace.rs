//! A trace that is wrong anywhere is refused, although the rest of the proof is made with care.

use std::collections::BTreeSet;

use gradproof_circuits::field::check::Check;
use gradproof_circuits::operators::{
    ACTIVATION, BACKWARD_LIMB, BIAS, DERIVATIVE, EXPONENTIAL, FORWARD_LIMB, GRADIENT, LOGIT, MAXIMUM, NEGATIVE,
    PROBABILITY, REMAINDER, SELECTOR, SUM, WEIGHT,
};
use gradproof_circuits::program::{COLUMN, INPUT, LABELS, MULTIPLICITY, Tensor};
use gradproof_circuits::relations::Subject;
use gradproof_prover::witness::Witness;
use gradproof_tests::forge::{Witnesses, alter, count, fixture, forge, prove};
use gradproof_verifier::protocol::statement::Statement;

/// The check that tells a wrong entry of `tensor`; others may fail beside it.
fn guard(subject: Subject, tensor: Tensor, live: bool) -> Check {
    match (subject, tensor.role()) {
        (Subject::Parameters, MULTIPLICITY) => Check::LookupSum,
        // Limbs and value do not agree: a false claim at the leaf point.
        (Subject::Parameters, _) => Check::Merge,
        (Subject::Data, INPUT) if !live => Check::Pointwise,
        // Padded data have no part in a segment; that they are zero is registered.
        (Subject::Segment, INPUT | LABELS) if !live => Check::DataLeaf,
        (Subject::Data, INPUT) => Check::LookupSum,
        (_, LABELS) => Check::Pointwise,
        (_, INPUT | ACTIVATION | NEGATIVE | FORWARD_LIMB | LOGIT) => Check::Product,
        (_, WEIGHT | BIAS) => Check::Weight,
        (_, DERIVATIVE | MAXIMUM | MULTIPLICITY) => Check::LookupSum,
        (_, GRADIENT | BACKWARD_LIMB) => Check::Pointwise,
        (_, SELECTOR | PROBABILITY | REMAINDER) => Check::Pointwise,
        // A false claim on the sum of the row, at the leaf point.
        (_, EXPONENTIAL | SUM) => Check::Merge,
        // Its commitment is the verifier's own.
        (_, COLUMN) => Check::OpeningPairing,
        (_, role) => panic!("nothing guards {role:?}"),
    }
}

/// Alters the first and the last entry of every committed tensor, the last a padded one, and counts the look-ups again.
fn every_tensor_altered(subject: Subject) {
    let relations = fixture().key.relations(subject);
    let honest = fixture().witness(subject);
    let registered = fixture().data_root();
    let failures = |witness: &Witness| {
        let say = |said: &mut Statement| {
            if subject == Subject::Segment {
                said.data_root = registered;
            }
        };
        forge(subject, Witnesses::same(witness), say, &mut |_, _| ()).failures()
    };
    assert_eq!(failures(&honest), BTreeSet::new(), "the honest proof is accepted");
    for (tensor, place) in relations.layout.places() {
        for (entry, live) in [(0, true), ((1 << place.vars) - 1, false)] {
            let mut witness: Witness = honest.clone();
            // Any data in range are as good as others: leave the range.
            let by = if (subject, tensor, live) == (Subject::Data, Tensor::input(), true) { 1 << 16 } else { 1 };
            alter(&mut witness, tensor, entry, by);
            if tensor.role() != MULTIPLICITY {
                count(&mut witness, &relations.tree);
            }
            let failures = failures(&witness);
            let guard = guard(subject, tensor, live);
            assert!(failures.contains(&guard), "{tensor:?} at {entry}: {failures:?}, not {guard:?}");
        }
    }
}

#[test]
fn every_tensor_of_a_segment_altered() {
    every_tensor_altered(Subject::Segment);
}

#[test]
fn every_tensor_of_registered_data_altered() {
    every_tensor_altered(Subject::Data);
}

#[test]
fn every_tensor_of_registered_parameters_altered() {
    every_tensor_altered(Subject::Parameters);
}

#[test]
fn a_multiplicity_that_is_negative() {
    let mut witness = fixture().witness(Subject::Segment);
    let table = fixture().key.relations(Subject::Segment).tree.tables[0].0;
    alter(&mut witness, Tensor::multiplicity(table), 7, -1_000_000);
    assert_eq!(prove(Subject::Segment, &witness).failures(), [Check::LookupSum].into());
}
