//! Blobs that a disk cuts off while the node that made them is down: none of them is handed over, and each is sealed again.

use std::fs;

use gradproof_chain::market::State;

use crate::member::Member;
use crate::trade::Trade;
use crate::workshop::Point;

/// Smaller blobs are manifests.
const LEAST_BYTES: u64 = 1 << 18;

/// Cuts off the end of each large blob of a node that does not run, and says how many there were.
fn cut_off(member: &Member) -> usize {
    let entries = fs::read_dir(member.folder().join("blobs")).expect("they are there");
    let blobs = entries.map(|entry| entry.expect("an entry").path());
    let is_large = |path: &std::path::PathBuf| fs::metadata(path).expect("it is there").len() >= LEAST_BYTES;
    let large = blobs.filter(|path| path.extension().is_some_and(|kind| kind == "blob") && is_large(path));
    let cut = |path: std::path::PathBuf| {
        let file = fs::OpenOptions::new().write(true).open(&path).expect("it is opened");
        file.set_len(LEAST_BYTES / 2).expect("it is cut off");
    };
    large.map(cut).count()
}

#[test]
fn a_delivery_that_was_cut_off_is_made_again_and_paid() {
    let Some(mut trade) = Trade::start("a_delivery_that_was_cut_off") else { return };
    trade.provider.shop.hold(Point::Weights(3));
    let job = trade.post();
    trade.scene.until("it makes the weights", || trade.provider.shop.waits(Point::Weights(3)));
    // So that nobody has fetched them when they are lost.
    trade.requester.kill();
    trade.provider.shop.release(Point::Weights(3));
    trade.scene.until("the batch is closed", || trade.scene.job(job).closed == 3);
    trade.provider.kill();
    assert!(cut_off(&trade.provider) > 0);
    trade.provider.start(&trade.scene);
    trade.requester.start(&trade.scene);
    trade.completes(job);
    assert_eq!(trade.provider.shop.passed(Point::Weights(3)), 2, "once before, and once after");
}

#[test]
fn a_parcel_that_was_cut_off_is_sealed_again_and_trained_on() {
    let Some(mut trade) = Trade::start("a_parcel_that_was_cut_off") else { return };
    let job = trade.post();
    trade.scene.until_without_blocks("the job is taken", || trade.scene.is(job, State::Assigned));
    trade.provider.kill();
    let wrapped = || trade.requester.facts(job).is_some_and(|facts| facts.wrapped_for.is_some());
    trade.scene.until("the data are encrypted", wrapped);
    trade.requester.kill();
    assert!(cut_off(&trade.requester) > 0);
    trade.requester.start(&trade.scene);
    trade.provider.start(&trade.scene);
    trade.completes(job);
}
