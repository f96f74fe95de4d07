//! A provider's machine that computes wrongly once: what it came to is on no chain.

use gradproof_chain::market::{State, TrainingMarket};
use gradproof_chain::{B256, U256};
use gradproof_node::live::FAILURE;

use crate::trade::{Trade, completed, paid_out};
use crate::workshop::{Point, SEGMENTS, digest};

/// Waits until the provider's machine has come to something wrong, and the node has noticed; then it was looked into.
#[track_caller]
fn noticed(trade: &Trade) {
    let store = &trade.provider.shared().store;
    let failed = || store.record(FAILURE).expect("the store is read").is_some();
    trade.scene.until("the node counts as failed", failed);
    assert!(!trade.provider.shop.will_miscompute());
    store.put(FAILURE, None).expect("the store is written");
}

/// What was claimed, at the end of each segment.
fn claims(trade: &Trade, job: B256) -> Vec<B256> {
    let call = TrainingMarket::claimsOfCall { id: job, from: U256::ZERO, count: U256::from(SEGMENTS) };
    trade.scene.ask(trade.scene.market(), &call)
}

#[test]
fn what_two_trainings_do_not_agree_on_is_not_claimed() {
    let Some(trade) = Trade::start("what_two_trainings_do_not_agree_on") else { return };
    let Trade { scene, requester, provider } = &trade;
    let (terms, secrets) = scene.drawn_terms();
    requester.allow(scene, &terms);
    // The first training of the last segment of a batch; then the second one of the last segment of the other.
    provider.shop.miscompute(2);
    provider.shop.hold(Point::Repeat);
    let job = requester.post_with(scene, terms, Some(secrets));
    scene.until("it trains again", || provider.shop.waits(Point::Repeat));
    assert!(!provider.shop.will_miscompute());
    assert_ne!(provider.facts(job).expect("it has the job").ends[2], digest(job, 3));
    provider.shop.release_all();
    noticed(&trade);
    scene.until("a batch is claimed", || scene.job(job).claimed == 3);
    provider.shop.miscompute(5);
    noticed(&trade);
    paid_out(scene, job, State::Completed, &[requester, provider]);
    assert_eq!(claims(&trade, job), (1..=SEGMENTS).map(|segments| digest(job, segments)).collect::<Vec<_>>());
    scene.balances(&completed(requester, provider), 0);
}

#[test]
fn where_all_is_proven_a_wrong_training_is_found_by_the_proof() {
    let Some(trade) = Trade::start("where_all_is_proven_a_wrong_training") else { return };
    trade.provider.shop.miscompute(1);
    let job = trade.post();
    noticed(&trade);
    trade.completes(job);
    assert_eq!(claims(&trade, job), (1..=SEGMENTS).map(|segments| digest(job, segments)).collect::<Vec<_>>());
}

#[test]
fn a_job_whose_training_is_too_long_is_started_after_its_first_segment() {
    let Some(trade) = Trade::start("a_job_whose_training_is_too_long") else { return };
    trade.provider.shop.hold(Point::Train);
    let job = trade.post();
    trade.scene.until("it begins to train", || trade.provider.shop.waits(Point::Train));
    let store = &trade.provider.shared().store;
    store.change(job, |facts| facts.training_ms = Some(u64::MAX)).expect("it has the job");
    trade.provider.shop.hold(Point::Prove(0));
    trade.provider.shop.release(Point::Train);
    trade.scene.until("it proves", || trade.provider.shop.waits(Point::Prove(0)));
    assert!(trade.scene.is(job, State::Running));
    assert_eq!(trade.provider.facts(job).expect("it has the job").trained(), 1);
    trade.provider.shop.release_all();
    trade.completes(job);
    assert_eq!(trade.provider.shop.passed(Point::Train), 3, "the first segment, and each batch");
}
