//! The circuit's proof is blinded afresh each time, even around one core proof.

use std::collections::BTreeSet;

use gradproof_circuits::field::check::Strict;
use gradproof_circuits::relations::Subject;
use gradproof_tests::forge::{Witnesses, fixture, forge, wrapped};
use gradproof_verifier::protocol::proof::Argument;

#[test]
fn two_wraps_of_one_core_proof_have_no_number_in_common() {
    let key = wrapped().1.digest();
    let witness = fixture().witness(Subject::Segment);
    let core = forge(Subject::Segment, Witnesses::same(&witness), |said| said.key = key, &mut |_, _| ());
    let halo2 = || {
        let wrapped = core.clone().wrap();
        wrapped.judged(Strict).expect("the proof is honest");
        let Argument::Wrapped { halo2, .. } = wrapped.proof.argument else { panic!("it was wrapped") };
        halo2
    };
    let [one, two] = [halo2(), halo2()];
    assert_eq!(one.len(), two.len());
    let words = |proof: &[u8]| -> BTreeSet<Vec<u8>> { proof.chunks(32).map(<[u8]>::to_vec).collect() };
    // Evaluations of fixed columns and of the permutation differ too, because the point where they are taken does.
    assert!(words(&one).is_disjoint(&words(&two)));
}
