//! Proofs of both kinds about every subject, and the circuit's part of a wrapped one.

use std::sync::OnceLock;

use ark_bn254::Fr;
use bolero::check;
use gradproof_circuits::argument::Reduced;
use gradproof_circuits::program::Publics;
use gradproof_circuits::relations::Subject;
use gradproof_tests::forge::{fixture, prove};
use gradproof_tests::fuzz::{bounded, near};
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::proof::{Argument, Proof};

use crate::keys::circuit_key;

const SUBJECTS: [Subject; 3] = [Subject::Segment, Subject::Data, Subject::Parameters];

/// Honest core proofs.
fn honest() -> &'static [Proof; 3] {
    static HONEST: OnceLock<[Proof; 3]> = OnceLock::new();
    HONEST.get_or_init(|| SUBJECTS.map(|subject| prove(subject, &fixture().witness(subject)).proof))
}

/// The key of the fixture for wrapped proofs, with circuits' keys that are in form.
fn wrapped_key() -> VerifyingKey {
    fixture().key.clone().with_wraps([(); 3].map(|()| circuit_key()))
}

fn fuzz_proofs(key: &VerifyingKey, proofs: &[Proof; 3], script: &[u8]) {
    let (first, script) = script.split_first().unwrap_or((&0, &[]));
    let which = usize::from(*first) % 3;
    let (subject, proof) = (SUBJECTS[which], &proofs[which]);
    let depth = proof.paths.first().map_or(0, Vec::len);
    let bytes = near(&[proof.to_bytes(subject)], script);
    if let Ok(proof) = bounded(&bytes, 1 << 12, 8, |bytes| Proof::from_bytes(bytes, key, subject, depth)) {
        assert_eq!(proof.to_bytes(subject), bytes);
    }
}

#[test]
fn core_proofs() {
    let proofs = honest();
    check!().with_iterations(600).for_each(|script| fuzz_proofs(&fixture().key, proofs, script));
}

#[test]
fn wrapped_proofs() {
    let key = wrapped_key();
    let proofs = honest().clone().map(|proof| {
        let [combine, value] = [2, 3].map(Fr::from);
        let reduced = Reduced { point: vec![Fr::from(5); key.column_vars], combine, value };
        Proof { argument: Argument::Wrapped { reduced, halo2: vec![7; 300] }, ..proof }
    });
    check!().with_iterations(600).for_each(|script| fuzz_proofs(&key, &proofs, script));
}

/// No bytes are a proof of a circuit under a key that no circuit has.
#[test]
fn circuit_proofs() {
    let key = circuit_key();
    let zero = Fr::from(0);
    let publics = Publics { digest: [zero; 2], rate: zero, position: zero, live_steps: zero, live_rows: zero };
    let reduced = Reduced { point: vec![zero; 12], combine: zero, value: zero };
    // Points and scalars that are read as such: the generator, and ones.
    let mut generator = [0; 64];
    (generator[31], generator[63]) = (1, 2);
    let one = [&[0; 31][..], &[1]].concat();
    let seeds = [generator.repeat(200), [generator.repeat(13), one.repeat(200)].concat(), one.repeat(200)];
    check!().with_iterations(100).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        assert!(!bounded(&bytes, 1 << 20, 64, |bytes| key.verify(12, &publics, &reduced, bytes)));
    });
}
