//! What a node at rest asks.

use std::sync::Arc;

use gradproof_chain::{Endpoint, Endpoints, HttpEndpoint, Journal, LOCAL_CHAIN, MemoryJournal, Ring, Step};

use crate::proxy::Proxy;
use crate::scene::{Scene, Sending};

/// What a node that has nothing to do asks in some blocks, of which the second endpoint lacks the newest `lag`.
async fn at_rest(test: &str, lag: u64) {
    let Some(scene) = Scene::start(test).await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let urls = [scene.url(), proxy.url().to_owned()];
    let asked = urls.map(|url| Arc::new(HttpEndpoint::new(&url).expect("an address")));
    let endpoints = asked.iter().map(|endpoint| endpoint.clone() as Arc<dyn Endpoint>).collect();
    let endpoints = Arc::new(Endpoints::of(endpoints, LOCAL_CHAIN).await.expect("they answer"));
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::default());
    let sending = Sending::of(scene.node.signer(), &endpoints, &journal);
    scene.mine(lag as usize).await;
    proxy.fault(|faults| faults.ceiling = Some(1));
    let first = endpoints.look().await.expect("they answer").common.agreed().expect("they agree");
    let (mut ring, before) = (Ring::new(), asked.each_ref().map(|endpoint| endpoint.requests()));
    const BLOCKS: u64 = 20;
    ring.push(first);
    for block in 0..BLOCKS {
        scene.mine(1).await;
        proxy.fault(|faults| faults.ceiling = Some(block + 2));
        let sight = endpoints.look().await.expect("they answer");
        let head = sight.common.agreed().expect("they agree");
        assert_eq!(ring.push(head), Step::Extended(1));
        let counter = [scene.counter];
        let logs = endpoints.read(&sight.common, |at| async move { at.logs(&counter).await }).await;
        assert_eq!(logs.expect("they answer").agreed(), Some(vec![]));
        sending.sender.follow(&sight).await.expect("there is nothing to do");
    }
    for (endpoint, before) in asked.iter().zip(before) {
        let requests = endpoint.requests() - before;
        println!("{}: {requests} requests in {BLOCKS} blocks", endpoint.name());
        assert!(requests <= 3 * BLOCKS, "{requests} requests in {BLOCKS} blocks");
    }
}

#[tokio::test]
async fn at_rest_no_endpoint_is_asked_more_than_three_times_a_block() {
    at_rest("at_rest_no_endpoint_is_asked_more_than_three_times_a_block", 0).await;
}

#[tokio::test]
async fn nor_is_it_where_the_other_is_always_a_block_behind() {
    at_rest("nor_is_it_where_the_other_is_always_a_block_behind", 1).await;
}
