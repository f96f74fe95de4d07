//! Every fast kernel against its plain counterpart, piece by piece. The tests across crates compare whole arguments.

mod kernels;
mod lookup;
mod merge;
mod pointwise;
mod products;

use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};
use gradproof_circuits::field::algebra::{Algebra, Native};
use gradproof_circuits::field::check::Strict;
use proptest::prelude::*;

pub(crate) use crate::kernels::dot::tests::elements;

/// Field elements, the smallest and largest among them.
pub fn element() -> impl Strategy<Value = Fr> {
    prop_oneof![
        3 => any::<u64>().prop_map(|seed| elements(1, seed)[0]),
        1 => prop_oneof![Just(Fr::zero()), Just(Fr::one()), Just(-Fr::one())],
        1 => (0u64..254).prop_map(|shift| Fr::from(2u64).pow([shift])),
    ]
}

/// Elements that are not zero: a coordinate of `eq` or a weight that is zero has no inverse, and is not drawn.
pub fn nonzero() -> impl Strategy<Value = Fr> {
    element().prop_map(|x| if x.is_zero() { Fr::from(3) } else { x })
}

/// As many challenges as any sumcheck here has rounds, and points.
pub fn many(strategy: impl Strategy<Value = Fr>) -> impl Strategy<Value = Vec<Fr>> {
    proptest::collection::vec(strategy, 24)
}

/// Runs a sumcheck with a common `eq` at `point` on both sides, and compares every round; what was drawn, lowest variable first.
pub fn eq_rounds(
    point: &[Fr],
    mut claim: Fr,
    challenges: &[Fr],
    mut fast: impl FnMut(Option<Fr>, Fr, Fr) -> Vec<Fr>,
    mut plain: impl FnMut(Option<Fr>) -> Vec<Fr>,
) -> Vec<Fr> {
    let mut drawn: Vec<Fr> = vec![];
    for (w, r) in point.iter().rev().zip(challenges) {
        let last = drawn.last().copied();
        let sent = fast(last, claim, *w);
        assert_eq!(sent, plain(last), "round {}", drawn.len());
        claim = Native { judge: Strict }.eq_round(&claim, w, &[sent[0], sent[1]], r);
        drawn.push(*r);
    }
    drawn
}

/// Runs a sumcheck of `vars` rounds on both sides, and compares every round; the point where it ends, first variable first.
pub fn plain_rounds(
    vars: usize,
    challenges: &[Fr],
    mut fast: impl FnMut(Option<Fr>) -> Vec<Fr>,
    mut plain: impl FnMut(Option<Fr>) -> Vec<Fr>,
) -> Vec<Fr> {
    let mut last = None;
    for (round, r) in challenges[..vars].iter().enumerate() {
        assert_eq!(fast(last), plain(last), "round {round}");
        last = Some(*r);
    }
    challenges[..vars].iter().rev().copied().collect()
}
