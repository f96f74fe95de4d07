//! A provider that asks two endpoints of the chain, one of which lies or lags.

use std::time::Duration;

use gradproof_chain::market::{State, TrainingMarket};
use gradproof_chain::{LOCAL_CHAIN, SolCall};
use tokio::runtime::Runtime;

use crate::member::Member;
use crate::proxy::Proxy;
use crate::scene::Scene;
use crate::trade::Trade;
use crate::workshop::Point;

/// Blocks by which an endpoint may lag until its block is in common no more, and some.
const BEHIND: u32 = 40;
/// More blocks than a node asks for a second time.
const READ_AGAIN: u32 = 64;
/// Blocks whose events an endpoint tells at once that tells few.
const FEW: u32 = 20;
/// Lies that a provider is told before the test believes that it does not act on them.
const LIES: usize = 12;

/// A trade whose provider asks the node, and a proxy before it. The proxy lives with the threads.
fn with_two_endpoints(test: &str) -> Option<(Trade, Proxy, Runtime)> {
    let scene = Scene::start(test)?;
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let threads = threads.expect("there are threads");
    let proxy = threads.block_on(Proxy::start(scene.url()));
    let mut requester = Member::requester(&scene, 0x11);
    let mut provider = Member::provider_at(&scene, 0x21, vec![scene.url().to_owned(), proxy.url().to_owned()]);
    assert_eq!(scene.chain.id(), LOCAL_CHAIN);
    requester.start(&scene);
    provider.start(&scene);
    Some((Trade { scene, requester, provider }, proxy, threads))
}

#[test]
fn on_the_word_of_one_endpoint_no_job_is_taken_and_none_is_started() {
    let Some((trade, proxy, threads)) = with_two_endpoints("on_the_word_of_one_endpoint") else { return };
    proxy.lie_of(&TrainingMarket::jobOfCall::SELECTOR);
    let job = trade.post();
    trade.scene.until("the job is posted", || trade.scene.is(job, State::Open));
    trade.scene.until("the provider is lied to", || proxy.lies_told() >= LIES);
    assert!(trade.scene.is(job, State::Open));
    assert!(trade.provider.shared().account.list().expect("it is read").is_empty(), "nothing is signed");

    // The block that says that the job is open is none of those that are read again.
    trade.scene.mine(READ_AGAIN + 1);
    let told = proxy.lies_told();
    trade.scene.until("the provider is lied to", || proxy.lies_told() > told);
    trade.provider.shop.hold(Point::Train);
    proxy.fault(|faults| faults.lie_of = None);
    trade.scene.until("the provider trains", || trade.provider.shop.waits(Point::Train));
    proxy.lie_of(&TrainingMarket::jobOfCall::SELECTOR);
    trade.provider.shop.release_all();
    let trained = || trade.provider.facts(job).is_some_and(|facts| !facts.ends.is_empty());
    trade.scene.until("the provider has trained", trained);
    let told = proxy.lies_told();
    trade.scene.until("the provider is lied to", || proxy.lies_told() >= told + LIES);
    assert!(trade.scene.is(job, State::Assigned) && trade.scene.sent_by(trade.provider.hot()) == 0);
    proxy.fault(|faults| faults.lie_of = None);
    trade.completes(job);
    drop(proxy);
    threads.shutdown_timeout(Duration::from_secs(1));
}

#[test]
fn a_proof_does_not_wait_longer_than_half_of_its_time_for_an_endpoint_that_lags() {
    let Some((trade, proxy, threads)) = with_two_endpoints("a_proof_does_not_wait") else { return };
    let Trade { scene, provider, .. } = &trade;
    provider.shop.hold(Point::Prove(2));
    let job = trade.post();
    scene.until("it proves the third segment", || provider.shop.waits(Point::Prove(2)));
    scene.until("two segments are claimed", || scene.job(job).claimed == 2);
    let sees = || provider.shared().view(job).is_some_and(|view| view.job.job.claimed == 2);
    scene.until("the provider sees it", sees);
    proxy.fault(|faults| faults.ceiling = Some(scene.block()));
    scene.mine(BEHIND);
    provider.shop.release_all();
    scene.until("the proof is made", || provider.facts(job).is_some_and(|facts| facts.proven.contains(&2)));
    let asked = proxy.requests("eth_getBlockByNumber").len();
    scene.until("the provider looks around", || proxy.requests("eth_getBlockByNumber").len() >= asked + LIES);
    assert!(
        !provider.has_pending("claimProven segment 2") && scene.job(job).claimed == 2,
        "it waits for the other one"
    );

    scene.pass(scene.terms().times.batchSecs / 2 + 1);
    scene.until("the proof goes out", || scene.job(job).claimed > 2);
    proxy.fault(|faults| faults.ceiling = None);
    trade.completes(job);
    drop(proxy);
    threads.shutdown_timeout(Duration::from_secs(1));
}

#[test]
fn an_endpoint_that_tells_the_events_of_few_blocks_is_asked_for_fewer() {
    let Some(scene) = Scene::start("an_endpoint_that_tells_the_events_of_few_blocks") else { return };
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let threads = threads.expect("there are threads");
    let proxy = threads.block_on(Proxy::start(scene.url()));
    let mut requester = Member::requester(&scene, 0x11);
    let mut provider = Member::provider_at(&scene, 0x21, vec![scene.url().to_owned(), proxy.url().to_owned()]);
    requester.start(&scene);
    // More than it is asked for a second time, and many times what it tells.
    scene.mine(10 * FEW);
    proxy.fault(|faults| faults.most_blocks = Some(FEW.into()));
    provider.start(&scene);
    let trade = Trade { scene, requester, provider };
    let job = trade.post();
    trade.scene.until("the provider takes the job", || trade.scene.is(job, State::Assigned));
    let asked = proxy.requests("eth_getLogs");
    let blocks = |request: &serde_json::Value| {
        let number = |name: &str| u64::from_str_radix(request[0][name].as_str()?.trim_start_matches("0x"), 16).ok();
        Some(number("toBlock")? - number("fromBlock")? + 1)
    };
    assert!(asked.iter().filter_map(blocks).any(|blocks| blocks > FEW.into()), "it begins with many");
    trade.completes(job);
    drop(proxy);
    threads.shutdown_timeout(Duration::from_secs(1));
}
