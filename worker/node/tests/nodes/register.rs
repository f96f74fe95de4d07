//! What a node reads of the register and of events: once, undone with the blocks that they stand in, and little while nothing happens.

use std::time::Duration;

use gradproof_chain::market::State;
use gradproof_chain::{Address, B256, PrivateKeySigner};
use tokio::runtime::Runtime;

use crate::member::Member;
use crate::proxy::Proxy;
use crate::scene::{PRICE, Scene};

/// Blocks after which a node stores where it stands, and more.
const LONG: u32 = 150;
/// Blocks in which a node at rest is watched.
const WATCHED: usize = 10;

/// A provider whose only endpoint is a proxy. The proxy lives with the threads.
fn behind_a_proxy(scene: &Scene) -> (Member, Proxy, Runtime) {
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let threads = threads.expect("there are threads");
    let proxy = threads.block_on(Proxy::start(scene.url()));
    let provider = Member::provider_at(scene, 0x21, vec![proxy.url().to_owned()]);
    (provider, proxy, threads)
}

/// Another peer, and its address.
fn other(seed: u8) -> (PrivateKeySigner, Address) {
    let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(seed)).expect("a key");
    (key.clone(), key.address())
}

/// The number in a parameter.
fn number(value: &serde_json::Value) -> u64 {
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x")).expect("a number");
    u64::from_str_radix(digits, 16).expect("a number")
}

#[test]
fn a_start_goes_on_where_the_last_one_stopped_and_looks_at_refused_jobs_again() {
    let Some(scene) = Scene::start("a_start_goes_on_where_the_last_one_stopped") else { return };
    let (mut provider, proxy, threads) = behind_a_proxy(&scene);
    let mut requester = Member::requester(&scene, 0x11);
    requester.start(&scene);
    let peer = requester.peer_signer().address();
    requester.kill();
    provider.take_for(PRICE + 1);
    provider.start(&scene);
    let job = requester.post_alone(&scene, scene.terms());
    scene.until("it refuses the job", || provider.shared().said_of(&format!("offer {job}")).is_some());
    scene.mine(LONG);
    let reached = scene.block();
    let logs = || proxy.requests("eth_getLogs").iter().map(|filter| filter[0].clone()).collect::<Vec<_>>();
    scene.until("it reads so far", || logs().last().is_some_and(|filter| number(&filter["toBlock"]) >= reached));
    provider.kill();

    let before = logs().len();
    provider.take_for(PRICE);
    provider.start(&scene);
    assert!(provider.shared().entry(peer).is_some(), "what it knew it knows at once");
    scene.until("it takes the job", || scene.is(job, State::Assigned));
    for filter in &logs()[before..] {
        let from = number(&filter["fromBlock"]);
        assert!(from + u64::from(LONG) > reached, "it reads again what it has read: from {from}, it had {reached}");
    }
    drop(proxy);
    threads.shutdown_timeout(Duration::from_secs(1));
}

#[test]
fn what_the_register_said_in_a_dropped_block_is_undone_running_or_not() {
    let Some(scene) = Scene::start("what_the_register_said_in_a_dropped_block") else { return };
    let (requester, mut provider) = (Member::requester(&scene, 0x11), Member::provider(&scene, 0x21));
    let [(kept, kept_peer), (new, new_peer)] = [other(0x31), other(0x32)];
    requester.enter_other(&scene, &kept, B256::repeat_byte(1), "/ip4/127.0.0.1/tcp/1");
    provider.start(&scene);
    let key_of = |provider: &Member, peer| provider.shared().entry(peer).map(|entry| entry.encryption_key);
    for is_running in [true, false] {
        let first = Some(B256::repeat_byte(1));
        scene.until("it reads the entry", || key_of(&provider, kept_peer) == first);
        let before = scene.snapshot();
        requester.enter_other(&scene, &kept, B256::repeat_byte(2), "/ip4/127.0.0.1/tcp/2");
        requester.enter_other(&scene, &new, B256::repeat_byte(3), "/ip4/127.0.0.1/tcp/3");
        scene.until("it reads the new entry", || key_of(&provider, new_peer).is_some());
        assert_ne!(key_of(&provider, kept_peer), first);
        if !is_running {
            provider.kill();
        }
        scene.back_to(&before);
        scene.mine(5);
        if !is_running {
            provider.start(&scene);
        }
        scene.until("the new entry is gone", || key_of(&provider, new_peer).is_none());
        scene.until("the other is what it was", || key_of(&provider, kept_peer) == first);
    }
}

#[test]
fn at_rest_a_node_asks_for_the_head_and_one_thing_a_block() {
    let Some(scene) = Scene::start("at_rest_a_node_asks_for_the_head") else { return };
    let (mut provider, proxy, threads) = behind_a_proxy(&scene);
    provider.start(&scene);
    let logs = || proxy.requests("eth_getLogs").len();
    let read = |what: &str| {
        let before = logs();
        scene.mine(1);
        scene.until_without_blocks(what, || logs() > before);
    };
    read("it has read what there was");
    read("it follows");
    let before = proxy.methods().len();
    for _ in 0..WATCHED {
        read("it follows");
    }
    let asked = proxy.methods().split_off(before);
    let others = asked.iter().filter(|method| *method != "eth_getBlockByNumber").count();
    println!("{} requests in {WATCHED} blocks, {others} of them beside the head", asked.len());
    assert!(others <= WATCHED, "{asked:?}");
    // A look more may fall between two blocks.
    assert!(asked.len() <= 3 * WATCHED, "{asked:?}");
    drop(proxy);
    threads.shutdown_timeout(Duration::from_secs(1));
}
