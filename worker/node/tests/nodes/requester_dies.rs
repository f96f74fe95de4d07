//! A requester's node that is dropped, as by kill -9, at each point of its way, and started again on the same home.

use gradproof_chain::market::State;

use crate::member::Member;
use crate::scene::Scene;
use crate::trade::Trade;
use crate::workshop::Point;

#[test]
fn a_requester_that_dies_after_it_posted_hands_over_afterwards() {
    let Some(scene) = Scene::start("a_requester_that_dies_after_it_posted") else { return };
    let (mut requester, mut provider) = (Member::requester(&scene, 0x11), Member::provider(&scene, 0x21));
    requester.start(&scene);
    requester.allow(&scene, &scene.terms());
    let job = requester.post(&scene, scene.terms());
    scene.until_without_blocks("the job is posted", || scene.is(job, State::Open));
    requester.kill();
    provider.start(&scene);
    scene.until("the job is taken", || scene.is(job, State::Assigned));
    scene.mine(5);
    assert!(!provider.facts(job).expect("it has the job").parcel);
    requester.start(&scene);
    Trade { scene, requester, provider }.completes(job);
}

#[test]
fn a_requester_that_dies_before_it_encrypts_the_data_does_so_afterwards() {
    let Some(mut trade) = Trade::start("a_requester_that_dies_before_it_encrypts") else { return };
    let job = trade.post();
    trade.scene.until_without_blocks("the job is taken", || trade.scene.is(job, State::Assigned));
    assert_eq!(trade.requester.facts(job).expect("it has the job").wrapped_for, None);
    trade.requester.kill();
    trade.scene.mine(5);
    trade.requester.start(&trade.scene);
    trade.completes(job);
}

#[test]
fn a_requester_that_dies_with_a_delivery_acknowledges_it_afterwards() {
    let Some(mut trade) = Trade::start("a_requester_that_dies_with_a_delivery") else { return };
    trade.requester.shop.hold(Point::Open(3));
    let job = trade.post();
    trade.scene.until("it has the weights", || trade.requester.shop.waits(Point::Open(3)));
    assert_eq!(trade.scene.job(job).settled, 0);
    trade.requester.kill();
    trade.requester.shop.release_all();
    trade.requester.start(&trade.scene);
    trade.completes(job);
}
