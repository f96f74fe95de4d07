//! A provider whose weights differ from the claim at one place, in a job without a committee.

use gradproof_chain::B256;
use gradproof_chain::market::State;
use gradproof_node::facts::Opened;

use crate::scene::{Balance, FEE, FORTUNE, PRICE, STAKE};
use crate::trade::{Trade, completed, paid_out};
use crate::workshop::Point;

/// Segments that are claimed when the requester finds out.
const CLAIMED: u64 = 4;

/// A trade whose first delivery is wrong, and known to be.
fn with_a_wrong_delivery(test: &str) -> Option<(Trade, B256)> {
    let trade = Trade::start(test)?;
    trade.provider.shop.spoil(3);
    // Not the next one: the delivery waits until the trainer is free.
    trade.provider.shop.hold(Point::Prove(CLAIMED));
    let job = trade.post();
    let opened = || trade.requester.facts(job).and_then(|facts| facts.opened.get(&0).cloned());
    trade.scene.until("the requester has opened the delivery", || opened().is_some());
    let Some(Opened::Wrong { why: reason, .. }) = opened() else { panic!("it says that the weights are right") };
    assert!(reason.starts_with("the weights differ from the claim at byte "), "{reason}");
    let seen = trade.scene.block() + 4;
    let claimed = || u64::from(trade.scene.job(job).claimed) == CLAIMED;
    trade.scene.until("the provider goes on", claimed);
    let looked = || trade.requester.shared().view(job).is_some_and(|view| view.job.now.block >= seen);
    trade.scene.until("the requester has had its time", looked);
    let view = trade.requester.shared().view(job).expect("it sees the job");
    assert!(view.job.batches.iter().all(|(_, batch)| !batch.record.acknowledged), "nothing is acknowledged");
    assert_eq!(trade.scene.sent_by(trade.requester.hot()), 0);
    Some((trade, job))
}

#[test]
fn silence_pays_for_weights_that_are_wrong() {
    let Some((trade, job)) = with_a_wrong_delivery("silence_pays_for_weights_that_are_wrong") else { return };
    let complain = trade.scene.terms().times.complainSecs;
    trade.provider.shop.release_all();
    trade.scene.until("the second batch is opened", || trade.requester.shop.passed(Point::Open(6)) > 0);
    assert_eq!(trade.scene.job(job).settled, 0, "the first batch is not paid before its time");
    trade.scene.pass(complain + 1);
    let Trade { scene, requester, provider } = &trade;
    paid_out(scene, job, State::Completed, &[requester, provider]);
    scene.balances(&completed(requester, provider), 0);
}

#[test]
fn a_requester_that_got_wrong_weights_can_stop() {
    let Some((trade, job)) = with_a_wrong_delivery("a_requester_that_got_wrong_weights_can_stop") else { return };
    let Trade { scene, requester, provider } = &trade;
    let complain = scene.terms().times.complainSecs;
    requester.shared().store.change(job, |facts| facts.stop_at = Some(3)).expect("it is stored");
    scene.until("the job ends with what is claimed", || u64::from(scene.job(job).total) == CLAIMED);
    provider.shop.release_all();
    scene.until("the second batch is opened", || requester.shop.passed(Point::Open(CLAIMED)) > 0);
    scene.pass(complain + 1);
    paid_out(scene, job, State::Stopped, &[requester, provider]);
    let paid = CLAIMED * PRICE + FEE;
    let balances = [
        Balance { who: "requester", account: requester.account(), tokens: FORTUNE - paid, stake: 0 },
        Balance { who: "provider", account: provider.account(), tokens: FORTUNE - STAKE + paid, stake: STAKE },
    ];
    scene.balances(&balances, 0);
}
