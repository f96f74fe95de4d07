//! A simulator without a witness makes what an honest prover makes.

use std::sync::OnceLock;

use ark_bn254::{Fr, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::One;
use gradproof_circuits::field::check::Check;
use gradproof_circuits::relations::{Group, Subject};
use gradproof_tests::curious::{Suspicion, confirmed};
use gradproof_tests::forge::fixture;
use gradproof_tests::published::{Published, published};
use gradproof_tests::simulator::{Posted, simulate};
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::powers::Setup;

/// Runs of each kind that are compared.
const RUNS: usize = 3;

/// Key and powers of τ, all that the simulator knows besides the statement.
fn keys() -> (&'static VerifyingKey, &'static Setup) {
    (&fixture().key, &fixture().setup)
}

fn real() -> &'static [Published] {
    static REAL: OnceLock<Vec<Published>> = OnceLock::new();
    let witness = || fixture().witness(Subject::Segment);
    REAL.get_or_init(|| (0..RUNS).map(|_| published(&witness())).collect())
}

fn simulated(posted: &Posted) -> Vec<Published> {
    let (key, setup) = keys();
    (0..RUNS).map(|_| simulate(key, setup, posted)).collect()
}

#[test]
fn real_and_simulated_proofs_are_accepted_alike() {
    let posted = Posted::of(&real()[0]);
    for published in real().iter().chain(&simulated(&posted)) {
        assert_eq!(published.verify(), Ok(()));
        assert_eq!(published.statement, posted.statement);
    }
    // Nor does it take data and parameters for there to be a statement.
    let (key, setup) = keys();
    let nothing = Posted::about_nothing(key, &posted.statement);
    assert_eq!(simulate(key, setup, &nothing).verify(), Ok(()));
}

#[test]
fn real_and_simulated_proofs_look_alike() {
    let posted = Posted::of(&real()[0]);
    let simulated = simulated(&posted);
    let all: Vec<&Published> = real().iter().chain(&simulated).collect();
    for (i, one) in all.iter().enumerate() {
        assert_eq!(one.shape(), all[0].shape());
        assert_eq!(one.fresh_points().len(), all[0].fresh_points().len(), "a commitment is there twice");
        assert_eq!(one.scalars().len(), all[0].scalars().len(), "a scalar is there twice");
        for two in &all[i + 1..] {
            for group in [Group::Data, Group::First, Group::Last, Group::Table] {
                assert_eq!(one.group(group), two.group(group));
            }
            assert!(one.fresh_points().is_disjoint(&two.fresh_points()));
            assert!(one.scalars().is_disjoint(&two.scalars()));
        }
    }
}

/// A reader is as far from confirming a guess as it is where there is nothing to guess.
#[test]
fn a_simulated_proof_confirms_no_guess() {
    let guess = fixture().witness(Subject::Segment);
    let posted = Posted::of(&real()[0]);
    for published in real().iter().chain(&simulated(&posted)) {
        for suspicion in Suspicion::ALL {
            assert_eq!(confirmed(published, &guess, suspicion), [].into(), "{suspicion:?}");
        }
    }
}

/// A change of a proof, and its name.
type Change<'a> = (&'a str, &'a dyn Fn(&mut Published));

/// What accepts simulated proofs is not blind: each value counts.
#[test]
fn a_simulated_proof_with_any_other_value_is_refused() {
    let next = |point: G1Affine| (point + G1Affine::generator()).into_affine();
    let trace = fixture().key.relations(Subject::Segment).layout.group(Group::Trace).start;
    let changes: [Change<'_>; 14] = [
        ("mask", &|p| p.mask = next(p.mask)),
        ("data", &|p| p.columns[0] = next(p.columns[0])),
        ("trace", &|p| p.columns[trace] = next(p.columns[trace])),
        ("rho", &|p| p.reduced.combine += Fr::one()),
        ("first coordinate", &|p| p.reduced.point[0] += Fr::one()),
        ("last coordinate", &|p| p.reduced.point.iter_mut().last().into_iter().for_each(|u| *u += Fr::one())),
        ("v", &|p| p.reduced.value += Fr::one()),
        ("s", &|p| p.blinding += Fr::one()),
        ("fold", &|p| p.opening.folds[3] = next(p.opening.folds[3])),
        ("first evaluation", &|p| p.opening.evaluations[0] += Fr::one()),
        ("other evaluation", &|p| p.opening.evaluations[5] += Fr::one()),
        ("quotient", &|p| p.opening.quotient = next(p.opening.quotient)),
        ("shifted quotient", &|p| p.opening.shifted_quotient = next(p.opening.shifted_quotient)),
        ("position", &|p| p.statement.position += 1),
    ];
    for published in [&real()[0], &simulated(&Posted::of(&real()[0]))[0]] {
        for (name, change) in changes {
            let mut other = published.clone();
            change(&mut other);
            let refused = other.verify().expect_err(name).check;
            let known = [Check::DataLeaf, Check::OpeningValue, Check::OpeningPairing];
            assert!(known.contains(&refused), "{name}: {refused:?}");
        }
    }
}
