//! A wrapped proof that is changed anywhere, or taken for one of another kind, is refused.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};
use gradproof_circuits::argument::Reduced;
use gradproof_circuits::field::check::{Check, Rejection, Strict};
use gradproof_circuits::relations::Subject;
use gradproof_evm::ChainProof;
use gradproof_tests::forge::{Forged, Witnesses, fixture, forge, prove, wrapped};
use gradproof_tests::judges::Except;
use gradproof_verifier::protocol::points::decode_scalar;
use gradproof_verifier::protocol::proof::{Argument, MAGIC, Proof, VERSION};
use gradproof_verifier::verify::verify;

use crate::fields::{SCALAR_MUTATIONS, refuses_other_points, statements};

const SUBJECTS: [Subject; 3] = [Subject::Segment, Subject::Data, Subject::Parameters];

/// An honest core proof by the key for wrapped ones.
fn core(subject: Subject) -> Forged {
    let key = wrapped().1.digest();
    forge(subject, Witnesses::same(&fixture().witness(subject)), |said| said.key = key, &mut |_, _| ())
}

/// An honest wrapped proof about `subject`, made once.
fn honest(subject: Subject) -> &'static Forged {
    static HONEST: OnceLock<[Forged; 3]> = OnceLock::new();
    let all = HONEST.get_or_init(|| {
        SUBJECTS.map(|subject| {
            let forged = core(subject).wrap();
            assert_eq!(forged.judged(Strict), Ok(()), "{subject:?}");
            forged
        })
    });
    &all[subject as usize]
}

fn decoded(subject: Subject, bytes: &[u8]) -> Result<Proof, Rejection> {
    let depth = honest(subject).proof.paths.first().map_or(0, Vec::len);
    Proof::from_bytes(bytes, &wrapped().1, subject, depth)
}

/// Where ρ, v and r* begin in the bytes of a proof, and where the length of the circuit's proof stands after them.
fn argument_at(Proof { columns, paths, .. }: &Proof) -> (usize, usize) {
    let nodes: usize = paths.iter().map(Vec::len).sum();
    let begin = MAGIC.len() + 3 + 64 * (1 + columns.len()) + 32 * nodes;
    (begin, begin + 32 * (2 + fixture().key.column_vars))
}

fn argument(forged: &mut Forged) -> (&mut Reduced<Fr>, &mut Vec<u8>) {
    match &mut forged.proof.argument {
        Argument::Wrapped { reduced, halo2 } => (reduced, halo2),
        Argument::Core(_) => panic!("the proof is wrapped"),
    }
}

#[test]
fn every_word_of_a_wrapped_proof() {
    for subject in SUBJECTS {
        let honest = honest(subject);
        let bytes = honest.proof.to_bytes(subject);
        assert_eq!(decoded(subject, &bytes), Ok(honest.proof.clone()));
        assert_eq!(bytes[MAGIC.len()], VERSION);
        let header = MAGIC.len() + 3;
        for at in (0..header).chain((header..bytes.len()).step_by(32)) {
            let mut other = bytes.clone();
            let last = if at < header { at } else { (at + 31).min(bytes.len() - 1) };
            other[last] ^= 1;
            let verdict = decoded(subject, &other).and_then(|proof| Forged { proof, ..honest.clone() }.judged(Strict));
            assert!(verdict.is_err(), "{subject:?}: byte {last} of {}", bytes.len());
        }
    }
}

#[test]
fn every_scalar_and_point_of_a_wrapped_proof() {
    for subject in SUBJECTS {
        let honest = honest(subject);
        let scalars = 2 + fixture().key.column_vars;
        for i in 0..scalars {
            for (kind, mutation) in SCALAR_MUTATIONS.iter().enumerate() {
                let mut forged = honest.clone();
                let (reduced, _) = argument(&mut forged);
                let mut list = [&[reduced.combine, reduced.value], &reduced.point[..]].concat();
                mutation(&mut list, i);
                (reduced.combine, reduced.value) = (list[0], list[1]);
                reduced.point = list[2..].to_vec();
                let changed = forged.proof != honest.proof;
                let refused = Err(Rejection { check: Check::Wrap });
                assert!(!changed || forged.judged(Strict) == refused, "{subject:?}: {i}, mutation {kind}");
            }
        }
        refuses_other_points(honest);
    }
}

#[test]
fn every_field_of_the_statement_of_a_wrapped_proof() {
    for subject in SUBJECTS {
        for (name, statement) in statements(&honest(subject).statement) {
            let forged = Forged { statement, ..honest(subject).clone() };
            assert!(forged.judged(Strict).is_err(), "{subject:?}: {name}");
        }
    }
}

#[test]
fn what_the_argument_comes_to_has_one_encoding() {
    for subject in SUBJECTS {
        let bytes = honest(subject).proof.to_bytes(subject);
        let (begin, end) = argument_at(&honest(subject).proof);
        for at in (begin..end).step_by(32) {
            let mut unreduced = decode_scalar(&bytes[at..at + 32]).expect("a scalar stands here").into_bigint();
            unreduced.add_with_carry(&Fr::MODULUS);
            let mut other = bytes.clone();
            other[at..at + 32].copy_from_slice(&unreduced.to_bytes_be());
            assert_eq!(decoded(subject, &other), Err(Rejection { check: Check::Encoding }), "{subject:?}: at {at}");
        }
    }
}

#[test]
fn the_circuits_proof_has_one_length() {
    let subject = Subject::Segment;
    let honest = honest(subject);
    let bytes = honest.proof.to_bytes(subject);
    let (_, at) = argument_at(&honest.proof);
    let length = argument(&mut honest.clone()).1.len();
    assert_eq!(bytes[at..at + 4], (length as u32).to_be_bytes());
    // A count that does not fit what follows.
    for count in [0, 1, length as u32 - 1, length as u32 + 1, u32::MAX] {
        let mut other = bytes.clone();
        other[at..at + 4].copy_from_slice(&count.to_be_bytes());
        assert_eq!(decoded(subject, &other), Err(Rejection { check: Check::Encoding }), "{count} bytes");
    }
    // A proof of another length, rightly counted.
    let changes: [fn(&mut Vec<u8>); 6] = [
        |halo2| halo2.clear(),
        |halo2| halo2.truncate(1),
        |halo2| halo2.truncate(halo2.len() - 1),
        |halo2| halo2.push(0),
        |halo2| halo2.extend([0; 32]),
        |halo2| halo2.extend_from_within(..),
    ];
    for change in changes {
        let mut forged = honest.clone();
        change(argument(&mut forged).1);
        let proof = decoded(subject, &forged.proof.to_bytes(subject)).expect("the form is right");
        assert_eq!(proof, forged.proof);
        assert_eq!(forged.judged(Strict), Err(Rejection { check: Check::Wrap }));
        assert_eq!(forged.judged(Except(Check::Wrap)), Ok(()), "nothing else is wrong");
    }
}

#[test]
fn a_key_is_for_one_kind_of_proofs() {
    let refused = Err(Rejection { check: Check::Key });
    for subject in SUBJECTS {
        // A core proof by the key for wrapped ones, which shows what those hide.
        let Forged { statement, first, proof } = core(subject);
        let key = &wrapped().1;
        assert_eq!(statement.key, key.digest(), "the statement is for this key");
        assert_eq!(verify(key, &statement, &first, &proof, Strict), refused);
        assert_eq!(verify(key, &statement, &first, &proof, Except(Check::Key)), Ok(()), "nothing else is wrong");
        assert!(ChainProof::of(&first, &proof).is_none(), "no contract takes it");

        // A wrapped proof by the key for core ones, which knows no circuit.
        let Forged { statement, first, proof } = prove(subject, &fixture().witness(subject)).wrap();
        let key = &fixture().key;
        assert_eq!(statement.key, key.digest(), "the statement is for this key");
        assert_eq!(verify(key, &statement, &first, &proof, Strict), refused);
        let no_circuit = Err(Rejection { check: Check::Wrap });
        assert_eq!(verify(key, &statement, &first, &proof, Except(Check::Key)), no_circuit);

        // Nor is the encoding of one read as that of the other.
        let encoding = Err(Rejection { check: Check::Encoding });
        let depth = proof.paths.first().map_or(0, Vec::len);
        assert_eq!(Proof::from_bytes(&proof.to_bytes(subject), key, subject, depth), encoding);
        assert_eq!(decoded(subject, &core(subject).proof.to_bytes(subject)), encoding);
    }
}
