//! A provider's node that is dropped, as by kill -9, at each point of its way, and started again on the same home.

use gradproof_chain::B256;
use gradproof_chain::market::State;

use crate::trade::Trade;
use crate::workshop::{Point, parcel};

/// Drops the provider's node and starts it again; then the job goes its way.
#[track_caller]
fn goes_on(mut trade: Trade, job: B256) {
    trade.provider.kill();
    trade.provider.shop.release_all();
    trade.requester.shop.release_all();
    trade.scene.automine(true);
    trade.provider.start(&trade.scene);
    trade.completes(job);
}

#[test]
fn a_provider_that_dies_before_it_has_the_data_gets_them_afterwards() {
    let Some(trade) = Trade::start("a_provider_that_dies_before_it_has_the_data") else { return };
    let job = trade.post();
    // Without a block after the acceptance nothing is handed over.
    trade.scene.until_without_blocks("the job is taken", || trade.scene.is(job, State::Assigned));
    assert!(!trade.provider.facts(job).expect("it has the job").parcel);
    goes_on(trade, job);
}

#[test]
fn a_provider_that_dies_with_the_data_trains_afterwards() {
    let Some(trade) = Trade::start("a_provider_that_dies_with_the_data") else { return };
    trade.provider.shop.hold(Point::Train);
    let job = trade.post();
    trade.scene.until("it begins to train", || trade.provider.shop.waits(Point::Train));
    assert!(trade.provider.facts(job).expect("it has the job").parcel);
    assert!(trade.scene.is(job, State::Assigned));
    goes_on(trade, job);
}

#[test]
fn a_provider_that_dies_while_it_proves_goes_on_with_the_next_segment() {
    let Some(trade) = Trade::start("a_provider_that_dies_while_it_proves") else { return };
    trade.provider.shop.hold(Point::Prove(2));
    let job = trade.post();
    trade.scene.until("two segments are claimed", || trade.scene.job(job).claimed == 2);
    trade.scene.until("it proves the third one", || trade.provider.shop.waits(Point::Prove(2)));
    let shop = trade.provider.shop.clone();
    goes_on(trade, job);
    assert_eq!(
        (shop.passed(Point::Prove(0)), shop.passed(Point::Prove(1))),
        (1, 1),
        "what is proven is not proven again"
    );
}

/// A provider whose second proof is sent and in no block.
fn with_a_proof_on_its_way(test: &str) -> Option<(Trade, B256)> {
    let trade = Trade::start(test)?;
    trade.provider.shop.hold(Point::Prove(1));
    let job = trade.post();
    trade.scene.until("a segment is claimed", || trade.scene.job(job).claimed == 1);
    trade.scene.until("it proves the second one", || trade.provider.shop.waits(Point::Prove(1)));
    trade.scene.automine(false);
    trade.provider.shop.release(Point::Prove(1));
    trade.scene.until_without_blocks("the proof is sent", || trade.provider.has_pending("claimProven segment 1"));
    assert_eq!(trade.scene.job(job).claimed, 1);
    Some((trade, job))
}

#[test]
fn a_proof_that_landed_while_its_sender_was_dead_is_not_sent_again() {
    let Some((mut trade, job)) = with_a_proof_on_its_way("a_proof_that_landed_while_its_sender_was_dead") else {
        return;
    };
    trade.provider.kill();
    trade.scene.until("the proof lands", || trade.scene.job(job).claimed == 2);
    goes_on(trade, job);
}

#[test]
fn a_proof_that_was_lost_with_its_sender_is_sent_again() {
    let Some((mut trade, job)) = with_a_proof_on_its_way("a_proof_that_was_lost_with_its_sender") else { return };
    trade.provider.kill();
    trade.scene.drop_transactions();
    trade.scene.mine(3);
    assert_eq!(trade.scene.job(job).claimed, 1);
    goes_on(trade, job);
}

#[test]
fn a_provider_that_comes_back_late_claims_and_closes_as_long_as_nobody_ends_the_job() {
    let Some(mut trade) = Trade::start("a_provider_that_comes_back_late") else { return };
    trade.provider.shop.hold(Point::Prove(2));
    let job = trade.post();
    trade.scene.until("two segments are claimed", || trade.scene.job(job).claimed == 2);
    trade.scene.until("it proves the third one", || trade.provider.shop.waits(Point::Prove(2)));
    trade.provider.kill();
    // Who would end the job is away as well.
    trade.requester.kill();
    trade.scene.pass(trade.scene.terms().times.batchSecs + 1);
    trade.provider.shop.release_all();
    trade.provider.start(&trade.scene);
    trade.scene.until("the batch is closed", || trade.scene.job(job).closed == 3);
    trade.requester.start(&trade.scene);
    trade.completes(job);
}

#[test]
fn a_provider_that_dies_after_it_closed_a_batch_delivers_it_afterwards() {
    let Some(mut trade) = Trade::start("a_provider_that_dies_after_it_closed_a_batch") else { return };
    trade.provider.shop.hold(Point::Weights(3));
    let job = trade.post();
    trade.scene.until("it makes the weights", || trade.provider.shop.waits(Point::Weights(3)));
    // So that nobody has fetched them when their sender dies.
    trade.requester.kill();
    trade.provider.shop.release(Point::Weights(3));
    trade.scene.until("the batch is closed", || trade.scene.job(job).closed == 3);
    trade.provider.kill();
    trade.requester.start(&trade.scene);
    trade.scene.mine(3);
    assert_eq!(trade.scene.job(job).settled, 0);
    goes_on(trade, job);
}

#[test]
fn a_provider_that_lost_a_file_of_the_parcel_fetches_it_again() {
    let Some(mut trade) = Trade::start("a_provider_that_lost_a_file_of_the_parcel") else { return };
    trade.provider.shop.hold(Point::Prove(2));
    let job = trade.post();
    trade.scene.until("it proves the third one", || trade.provider.shop.waits(Point::Prove(2)));
    let folder = trade.provider.job_folder(job);
    trade.provider.kill();
    for (path, _) in parcel() {
        std::fs::remove_file(folder.join(path)).expect("it was there");
    }
    goes_on(trade, job);
}
