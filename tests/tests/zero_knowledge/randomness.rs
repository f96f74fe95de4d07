//! Everything random is fresh in each attempt, though witness, statement and job are the same.

use std::collections::BTreeSet;

use ark_ff::{BigInt, PrimeField};
use gradproof_circuits::relations::{Group, Subject};
use gradproof_prover::prove::Proved;
use gradproof_tests::curious::{Reuse, confirmed_by_two};
use gradproof_tests::forge::fixture;
use gradproof_tests::published::{Published, proved};

/// Attempts that are compared.
const ATTEMPTS: usize = 4;

#[test]
fn every_attempt_is_hidden_afresh() {
    let witness = fixture().witness(Subject::Segment);
    let attempts: Vec<(Proved, Published)> = (0..ATTEMPTS)
        .map(|_| {
            let (proved, first) = proved(&witness);
            let published = Published::of(&proved.statement, &first, &proved.proof);
            (proved, published)
        })
        .collect();

    let mut salts: BTreeSet<BigInt<4>> = BTreeSet::new();
    let mut masks = BTreeSet::new();
    for (proved, published) in &attempts {
        published.verify().unwrap();
        let messages = proved.proof.messages();
        salts.insert(messages[0].into_bigint());
        masks.insert(messages[messages.len() - 1].into_bigint());
    }
    assert_eq!(salts.len(), ATTEMPTS, "a salt is used twice");
    assert_eq!(masks.len(), ATTEMPTS, "a random column is used twice");

    for (i, (_, one)) in attempts.iter().enumerate() {
        for (_, two) in &attempts[i + 1..] {
            assert_eq!(one.statement, two.statement);
            for group in [Group::Data, Group::First, Group::Last] {
                assert_eq!(one.group(group), two.group(group), "{group:?} is not what its owners can open");
            }
            assert!(one.fresh_points().is_disjoint(&two.fresh_points()), "a commitment is made twice");
            assert!(one.scalars().is_disjoint(&two.scalars()), "a scalar is said twice");
            for reuse in Reuse::ALL {
                assert!(!confirmed_by_two(one, two, &witness, reuse), "{reuse:?} is used twice");
            }
        }
    }
}
