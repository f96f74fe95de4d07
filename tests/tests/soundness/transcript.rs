//! Fiat-Shamir: every challenge depends on everything said before it; and nothing random is used twice.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use ark_ff::{BigInteger, One, PrimeField};
use gradproof_circuits::argument;
use gradproof_circuits::argument::transcript::{Ask, Party, Stored};
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::Rejection;
use gradproof_circuits::program::Publics;
use gradproof_circuits::relations::{Group, Subject};
use gradproof_prover::prove::Proved;
use gradproof_tests::forge::fixture;
use gradproof_tests::judges::Careless;
use gradproof_tests::published::proved;
use gradproof_tests::rigged::{Replayed, Rigged};

/// A stored proof that notes how many permutations were made before each answer, and how many elements it has.
struct Noting<'a> {
    stored: Replayed<'a>,
    asks: Vec<(usize, usize)>,
}

impl Party<Rigged<Careless>> for Noting<'_> {
    fn answer(&mut self, algebra: &mut Rigged<Careless>, ask: Ask<'_, Fr>, count: usize) -> Result<Vec<Fr>, Rejection> {
        self.asks.push((algebra.outputs.len(), count));
        self.stored.answer(algebra, ask, count)
    }
}

/// Outputs of all permutations, and the asks.
fn outputs(subject: Subject, publics: &Publics<Fr>, messages: &[Fr]) -> (Vec<Fr>, Vec<(usize, usize)>) {
    let mut rigged = Rigged { native: Native { judge: Careless }, chosen: vec![], outputs: vec![] };
    let mut party = Noting { stored: Replayed(Stored { rest: messages }), asks: vec![] };
    argument::verify(&mut rigged, &mut party, fixture().key.relations(subject), publics).unwrap();
    assert!(party.stored.0.rest.is_empty());
    (rigged.outputs, party.asks)
}

/// The permutation from which on all outputs differ; those before are equal.
fn divergence(one: &[Fr], two: &[Fr]) -> usize {
    assert_eq!(one.len(), two.len());
    let first = one.iter().zip(two).take_while(|(a, b)| a == b).count();
    assert!(one[first..].iter().zip(&two[first..]).all(|(a, b)| a != b), "a challenge does not depend on the message");
    first
}

#[test]
fn every_challenge_depends_on_all_messages_before_it() {
    for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
        let honest = gradproof_tests::forge::prove(subject, &fixture().witness(subject));
        let publics = honest.statement.publics(&[7; 32]);
        let messages = honest.proof.messages();
        let (known, asks) = outputs(subject, &publics, messages);
        let mut at = 0;
        for (before, count) in asks {
            for i in at..at + count {
                let mut other = messages.to_vec();
                other[i] += Fr::one();
                let first = divergence(&known, &outputs(subject, &publics, &other).0);
                // Four elements a permutation, up to three of them from the ask before; one more for the challenge.
                assert!(first >= before, "message {i} is known before it is sent");
                assert!(first <= before + count.div_ceil(4) + 1, "message {i} is absorbed late");
                assert!(first < known.len(), "message {i} is not absorbed before the last challenge");
            }
            at += count;
        }
        assert_eq!(at, messages.len());
        for limb in 0..2 {
            let mut other = publics.clone();
            other.digest[limb] += Fr::one();
            assert_eq!(divergence(&known, &outputs(subject, &other, messages).0), 0);
        }
    }
}

#[test]
fn two_proofs_of_one_witness_have_nothing_random_in_common() {
    let witness = fixture().witness(Subject::Segment);
    let [one, two] = [proved(&witness).0, proved(&witness).0];
    assert_eq!(one.statement, two.statement);
    let layout = &fixture().key.relations(Subject::Segment).layout;
    let kept = layout.group(Group::Data).len() + layout.group(Group::Last).len();
    // Data and last parameters have blindings that their owners know; nothing else is the same.
    assert_eq!(one.proof.columns[..kept], two.proof.columns[..kept]);
    let points = |proved: &Proved| {
        let opening = &proved.proof.opening;
        let fresh = &proved.proof.columns[kept..];
        let list =
            [&[proved.proof.mask], fresh, &opening.folds, &[opening.quotient, opening.shifted_quotient]].concat();
        list.into_iter().map(|point| point.x.into_bigint()).collect::<BTreeSet<_>>()
    };
    assert!(points(&one).is_disjoint(&points(&two)), "a commitment is used twice");
    let scalars = |proved: &Proved| {
        let list = [proved.proof.messages(), &[proved.proof.blinding], &proved.proof.opening.evaluations].concat();
        list.into_iter().map(|scalar| scalar.into_bigint()).collect::<BTreeSet<_>>()
    };
    // Zeros are those of neurons that are padding; nothing else is said twice.
    let common: Vec<_> = scalars(&one).intersection(&scalars(&two)).copied().collect();
    assert!(common.iter().all(|scalar| scalar.is_zero()), "{common:?} is the same in both");
    // Within a proof all commitments to columns differ, although some columns are equal: each has its own blinding.
    let columns: BTreeSet<_> = one.proof.columns.iter().map(|point| point.x.into_bigint()).collect();
    assert_eq!(columns.len(), one.proof.columns.len());
}
