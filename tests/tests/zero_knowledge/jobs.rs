//! A reader who has the commitments of two jobs and a guess of how their weights or data differ learns nothing, and would if
//! blindings did not depend on what they do.
//!
//! `C - C'` of two columns with one blinding is `[(P - P')(τ)]G`: whoever guesses the difference sees that it fits.

use ark_bn254::G1Affine;
use ark_ec::CurveGroup;
use gradproof_circuits::program::{End, Tensor};
use gradproof_circuits::relations::{Group, Subject};
use gradproof_prover::columns::{Column, columns_in};
use gradproof_prover::commit::commit;
use gradproof_prover::randomness::{Use, blindings, derived, opening_seed};
use gradproof_prover::registration::{Blinding, commit_data, commit_parameters, digest_of};
use gradproof_prover::witness::{Values, Witness};
use gradproof_tests::curious::{bare, entries};
use gradproof_tests::forge::{Fixture, fixture};
use gradproof_tests::tensors::weight;

/// A seed that requester and provider share.
const SEED: [u8; 32] = [0x11; 32];
/// Digests of the statements of two jobs.
const JOBS: [[u8; 32]; 2] = [[0xaa; 32], [0xbb; 32]];

/// Parameters of the fixture, and the same with one weight one unit more.
fn parameters() -> [Witness; 2] {
    let one = fixture().parameters_of(&fixture().witness(Subject::Segment));
    let mut other = one.clone();
    if let Some(Values::Wide(weights)) = other.tensors.get_mut(&weight(End::First, 1)) {
        weights[3] += 1;
    }
    assert_ne!(one, other);
    [one, other]
}

/// Data of the fixture, and the same with one input one unit more.
fn data() -> [Witness; 2] {
    let one = fixture().data_of(&fixture().witness(Subject::Segment));
    let mut other = one.clone();
    if let Some(Values::Small(inputs)) = other.tensors.get_mut(&Tensor::input()) {
        inputs[1] += 1;
    }
    assert_ne!(one, other);
    [one, other]
}

fn parameter_columns(witness: &Witness) -> Vec<Column<'_>> {
    let layout = &fixture().key.relations(Subject::Parameters).layout;
    columns_in(layout, witness, layout.group(Group::First)).expect("the witness has all tensors")
}

fn data_columns(witness: &Witness) -> Vec<Column<'_>> {
    let layout = &fixture().key.relations(Subject::Data).layout;
    columns_in(layout, witness, layout.group(Group::Data)).expect("the witness has all tensors")
}

/// True if the difference of any two commitments in one place is that of the guessed columns, without a blinding.
fn confirmed(seen: [&[G1Affine]; 2], guess: [&[Column<'_>]; 2]) -> bool {
    let columns = guess[0].iter().zip(guess[1]);
    seen[0].iter().zip(seen[1]).zip(columns).any(|((one, other), (guess, than))| {
        let difference: Vec<_> = entries(guess).iter().zip(entries(than)).map(|(a, b)| *a - b).collect();
        (*one - *other).into_affine() == bare(&difference)
    })
}

/// Commitments to `columns` under `secret`.
fn committed(columns: &[Column<'_>], purpose: Use<'_>) -> Vec<G1Affine> {
    let blindings = derived(&SEED, purpose, columns.len());
    commit(&fixture().setup, columns, blindings).expect("the set-up is long enough").points
}

/// What two jobs have in common, and what tells their blindings apart.
#[derive(Clone, Copy, Debug)]
enum Pair {
    /// First weights of two jobs under one seed: the digest of the weights.
    First,
    /// Last weights of two jobs that train on: the digest of the statement.
    Last,
    /// The weights after two segments of a job: the segment.
    Segments,
    /// The first and the last weights of a job: the purpose.
    FirstAndLast,
    /// The weights that a parent left and those that its child leaves: the statement, as for any two jobs.
    ParentAndChild,
    /// One statement, bound for two owners: the digest of the bound statement.
    BoundTwice,
}

impl Pair {
    const ALL: [Self; 6] =
        [Self::First, Self::Last, Self::Segments, Self::FirstAndLast, Self::ParentAndChild, Self::BoundTwice];

    /// The commitments of both as the programs make them.
    fn commitments(self, one: &[Column<'_>], other: &[Column<'_>]) -> [Vec<G1Affine>; 2] {
        let setup = &fixture().key.setup;
        let digests = [digest_of(setup, one), digest_of(setup, other)];
        let last = |columns: &[Column<'_>], job: usize, segment: u64| {
            committed(columns, Use::LastParameters { statement: &JOBS[job], segment })
        };
        let first =
            |columns: &[Column<'_>], job: usize| committed(columns, Use::FirstParameters { digest: &digests[job] });
        match self {
            Self::First => [first(one, 0), first(other, 1)],
            Self::Last | Self::ParentAndChild | Self::BoundTwice => [last(one, 0, 3), last(other, 1, 3)],
            Self::Segments => [last(one, 0, 0), last(other, 0, 1)],
            Self::FirstAndLast => [first(one, 0), last(other, 0, 0)],
        }
    }

    /// The same without what tells the two apart.
    fn undistinguished(self, one: &[Column<'_>], other: &[Column<'_>]) -> [Vec<G1Affine>; 2] {
        let purpose = match self {
            Self::First => Use::FirstParameters { digest: &JOBS[0] },
            _ => Use::LastParameters { statement: &JOBS[0], segment: 3 },
        };
        [committed(one, purpose), committed(other, purpose)]
    }
}

#[test]
fn commitments_of_two_jobs_confirm_no_difference_of_weights() {
    let [one, other] = parameters();
    let (one, other) = (parameter_columns(&one), parameter_columns(&other));
    for pair in Pair::ALL {
        // The same first weights under one seed have the same commitments, as they should: there is nothing to guess.
        let guesses = [[&one, &other], [&one, &one]];
        for guess in &guesses[..if matches!(pair, Pair::First) { 1 } else { 2 }] {
            let [a, b] = pair.commitments(&one, guess[1]);
            assert!(!confirmed([&a, &b], guess.map(Vec::as_slice)), "{pair:?}");
            // Without what tells them apart the right guess is confirmed, to the unit, and no other.
            let [a, b] = pair.undistinguished(&one, guess[1]);
            assert!(confirmed([&a, &b], guess.map(Vec::as_slice)), "{pair:?}");
        }
        let [a, b] = pair.undistinguished(&one, &other);
        let layout = &fixture().key.relations(Subject::Parameters).layout;
        let place = layout.place(weight(End::First, 1)).expect("it is committed").column;
        let at = place - layout.group(Group::First).start;
        assert!(!confirmed([&a[at..=at], &b[at..=at]], [&one[at..=at], &one[at..=at]]), "{pair:?}: one unit off");
    }
}

/// The functions that the programs call are those whose commitments the reader saw.
#[test]
fn first_parameters_under_one_seed_are_blinded_by_what_they_are() {
    let Fixture { key, setup, .. } = fixture();
    let [one, other] = parameters();
    let commitments =
        |witness: &Witness| commit_parameters(key, setup, witness, Blinding::Seed(&SEED)).expect("committed");
    let columns = parameter_columns(&one);
    assert_eq!(commitments(&one).points, Pair::First.commitments(&columns, &columns)[0]);
    let (a, b) = (commitments(&one), commitments(&other));
    assert!(a.blindings.iter().all(|blinding| !b.blindings.contains(blinding)));
    assert!(!confirmed([&a.points, &b.points], [&columns, &parameter_columns(&other)]));
    // A parent's last ones are opened by the secret of that commitment.
    let secret = opening_seed(&SEED, Use::LastParameters { statement: &JOBS[0], segment: 3 });
    let inherited = commit_parameters(key, setup, &one, Blinding::Opening(&secret)).expect("committed");
    assert_eq!(inherited.points, Pair::Last.commitments(&columns, &columns)[0]);
}

/// The same parameters under other powers of τ, or in other columns, have another digest: the difference would speak of them.
#[test]
fn the_digest_of_parameters_depends_on_how_they_are_committed_to() {
    let [one, _] = parameters();
    let columns = parameter_columns(&one);
    let key = &fixture().key;
    let mut other_setup = key.setup;
    other_setup.tau_g2 = key.setup.g2;
    let digest = digest_of(&key.setup, &columns);
    assert_ne!(digest, digest_of(&other_setup, &columns));
    let halves: Vec<Column<'_>> = columns
        .iter()
        .flat_map(|column| match column {
            Column::Small(values) => {
                values.chunks(values.len() / 2).map(|half| Column::Small(half.to_vec().into())).collect()
            }
            Column::Wide(values) => {
                values.chunks(values.len() / 2).map(|half| Column::Wide(half.to_vec().into())).collect::<Vec<_>>()
            }
        })
        .collect();
    assert_ne!(digest, digest_of(&key.setup, &halves));
}

/// Data are committed to once for every job on the set, by design: the same columns, the same commitments. Other data under
/// the set's seed would be told apart, which is why `requester commit --same-data` takes one root only.
#[test]
fn a_set_has_one_commitment_and_other_data_need_another_seed() {
    let Fixture { key, setup, .. } = fixture();
    let [one, other] = data();
    let (guess, than) = (data_columns(&one), data_columns(&other));
    let of = |witness: &Witness, seed: &[u8; 32], position| {
        commit_data(key, setup, witness, seed, position).expect("committed").points
    };
    assert_eq!(of(&one, &SEED, 0), of(&one, &SEED, 0));
    assert!(confirmed([&of(&one, &SEED, 0), &of(&other, &SEED, 0)], [&guess, &than]), "what is to be refused");
    assert!(!confirmed([&of(&one, &SEED, 0), &of(&other, &[0x22; 32], 0)], [&guess, &than]));
    assert!(!confirmed([&of(&one, &SEED, 0), &of(&other, &SEED, 1)], [&guess, &than]));
    // Nor do data and parameters of a job share a blinding.
    let all: Vec<_> =
        [Use::Data { position: 0 }, Use::Data { position: 1 }].map(|purpose| derived(&SEED, purpose, 4)).concat();
    let parameters = derived(&SEED, Use::FirstParameters { digest: &[0; 32] }, 4);
    assert!(all.iter().all(|blinding| !parameters.contains(blinding) && !blindings(&SEED, 4).contains(blinding)));
}
