//! A provider whose account's key is on another machine than its node.

use gradproof_chain::market::State;
use gradproof_node::live::accept_call;
use gradproof_node::message::LicencePath;

use crate::member::Member;
use crate::scene::{PRICE, Scene, tokens};
use crate::trade::Trade;

#[test]
fn a_job_that_was_accepted_elsewhere_is_done_with_the_hot_key_alone() {
    let Some(scene) = Scene::start("a_job_that_was_accepted_elsewhere") else { return };
    let mut requester = Member::requester(&scene, 0x11);
    let mut provider = Member::provider(&scene, 0x21).without_account();
    requester.start(&scene);
    provider.start(&scene);
    let trade = Trade { scene, requester, provider };
    let Trade { scene, provider, .. } = &trade;
    let job = trade.post();
    let would = || provider.shared().said_of(&format!("offer {job}")).is_some();
    scene.until("the provider says that it would take the job", would);
    assert!(scene.is(job, State::Open));
    assert_eq!(provider.facts(job), None, "what somebody else signs is no promise");
    provider.send(scene.market(), &accept_call(job, tokens(PRICE).to(), &LicencePath::default()));
    trade.completes(job);
}
