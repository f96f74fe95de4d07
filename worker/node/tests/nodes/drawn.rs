//! A job of which one segment of each batch is drawn and proven.

use gradproof_chain::market::State;

use crate::scene::EVERY;
use crate::trade::{Trade, completed, paid_out};
use crate::workshop::{Point, SEGMENTS};

/// Batches of the job.
const BATCHES: u64 = SEGMENTS / EVERY as u64;

#[test]
fn of_each_batch_what_the_secret_draws_is_proven_and_nothing_else() {
    let Some(trade) = Trade::start("of_each_batch_what_the_secret_draws") else { return };
    let Trade { scene, requester, provider } = &trade;
    let (terms, secrets) = scene.drawn_terms();
    requester.allow(scene, &terms);
    let job = requester.post_with(scene, terms, Some(secrets));
    paid_out(scene, job, State::Completed, &[requester, provider]);
    scene.balances(&completed(requester, provider), 0);
    let proven = |batch: u64| {
        let segments = batch * u64::from(EVERY)..(batch + 1) * u64::from(EVERY);
        segments.map(|index| provider.shop.passed(Point::Prove(index))).sum::<usize>()
    };
    assert_eq!((0..BATCHES).map(proven).collect::<Vec<_>>(), [1, 1], "proofs of each batch");
}
