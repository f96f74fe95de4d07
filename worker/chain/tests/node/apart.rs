//! Endpoints that are on different forks, do not answer, or come back.

use std::time::Duration;

use gradproof_chain::{Agreement, ChainError, Common, Endpoints, LOCAL_CHAIN, Ring, Step};
use serde_json::json;

use crate::proxy::Proxy;
use crate::scene::{NO_BLOCK, Scene};

#[tokio::test]
async fn endpoints_on_two_forks_are_read_apart() {
    let Some(scene) = Scene::start("endpoints_on_two_forks_are_read_apart").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[&scene.url(), proxy.url()]).await;
    scene.mine(2).await;
    let mut block = scene.ask("eth_getBlockByNumber", json!(["latest", false])).await;
    block["hash"] = json!(NO_BLOCK);
    proxy.lie("eth_getBlockByNumber", block.clone());
    for further in [0, 1] {
        // The fork is seen at the number of the lower head, too.
        scene.mine(further).await;
        let sight = endpoints.look().await.expect("they answer");
        let Common::Apart { heads } = &sight.common else { panic!("a fork: {sight:?}") };
        assert_eq!(heads.len(), 2);
        assert_eq!(sight.common.agreed(), None);
        let times = [sight.common.earliest(), sight.common.latest()].map(|head| head.number);
        assert_eq!(times, [3, 3 + further as u64]);
        let read = endpoints.read(&sight.common, |_| async { Ok(7) }).await.expect("they answer");
        assert!(matches!(&read, Agreement::Disagreed { values } if values.len() == 2), "{read:?}");
    }
    let third = Proxy::start(&scene.url()).await;
    let three = scene.endpoints(&[&scene.url(), proxy.url(), third.url()]).await;
    let sight = three.look().await.expect("they answer");
    let Common::Block { knowing, .. } = sight.common else { panic!("two are on one fork: {sight:?}") };
    assert_eq!(knowing, [0, 2]);
}

#[tokio::test]
async fn one_that_does_not_answer_leaves_the_other_alone() {
    let Some(scene) = Scene::start("one_that_does_not_answer_leaves_the_other_alone").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[proxy.url(), &scene.url()]).await;
    let account = scene.node.signer().address();
    proxy.refuse("eth_getTransactionCount", -32000, "too busy");
    let sight = endpoints.look().await.expect("they answer");
    let read = endpoints.read(&sight.common, |at| async move { at.nonce(account).await }).await;
    assert!(matches!(read, Ok(Agreement::Alone { value: 0, .. })), "{read:?}");

    proxy.fault(|faults| faults.hangs = true);
    let sight = endpoints.look().await.expect("one answers");
    assert_eq!(sight.heads.each[0].behind, None);
    assert!(matches!(sight.heads.each[0].head, Err(ChainError::Late { within: Duration { .. }, .. })));
    assert!(matches!(sight.common, Common::Alone { endpoint: 1, .. }));
    let read = endpoints.read(&sight.common, |at| async move { at.nonce(account).await }).await;
    let Ok(Agreement::Alone { value: 0, endpoint, .. }) = read else { panic!("{read:?}") };
    assert_eq!(endpoint, scene.url());

    proxy.fault(|faults| faults.hangs = false);
    let sight = endpoints.look().await.expect("they answer");
    assert!(matches!(sight.common, Common::Block { .. }), "it is back");
}

#[tokio::test]
async fn one_that_is_silent_at_the_start_is_asked_for_its_chain_later() {
    let Some(scene) = Scene::start("one_that_is_silent_at_the_start_is_asked_for_its_chain_later").await else {
        return;
    };
    let proxy = Proxy::start(&scene.url()).await;
    proxy.refuse("eth_chainId", -32000, "starting");
    let endpoints = scene.endpoints(&[&scene.url(), proxy.url()]).await;
    let sight = endpoints.look().await.expect("one answers");
    assert!(matches!(sight.common, Common::Alone { endpoint: 0, .. }), "its chain is not known");
    proxy.fault(|faults| {
        faults.refusals.clear();
        faults.lies.insert("eth_chainId", json!("0x1"));
    });
    let sight = endpoints.look().await.expect("one answers");
    assert!(matches!(sight.heads.each[1].head, Err(ChainError::OtherChain { got: 1, .. })));
    proxy.fault(|faults| faults.lies.clear());
    let sight = endpoints.look().await.expect("both answer");
    assert!(sight.common.agreed().is_some());
    drop(proxy);
}

#[tokio::test]
async fn where_nobody_answers_each_says_why() {
    let Some(scene) = Scene::start("where_nobody_answers_each_says_why").await else { return };
    let proxies = [Proxy::start(&scene.url()).await, Proxy::start(&scene.url()).await];
    let urls = proxies.each_ref().map(|proxy| proxy.url().to_owned());
    let endpoints = Endpoints::connect(&urls, LOCAL_CHAIN).await.expect("they answer");
    for proxy in &proxies {
        proxy.refuse("eth_getBlockByNumber", -32000, "out of credits");
    }
    let error = endpoints.look().await.expect_err("nobody").to_string();
    assert_eq!(error.matches("out of credits").count(), 2, "{error}");
    assert!(urls.iter().all(|url| error.contains(url)), "{error}");
}

#[tokio::test]
async fn the_ring_is_told_what_a_reorganisation_dropped() {
    let Some(scene) = Scene::start("the_ring_is_told_what_a_reorganisation_dropped").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[&scene.url(), proxy.url()]).await;
    let mut ring = Ring::new();
    let mut advance = async || {
        let sight = endpoints.look().await.expect("they answer");
        let step = endpoints.advance(&mut ring, &sight.common).await.expect("they answer");
        (step, ring.newest().expect("it has one").hash)
    };
    let first = advance().await;
    assert_eq!(first.0, Some(Step::Extended(1)));
    let before = scene.ask("evm_snapshot", json!([])).await;
    scene.mine(3).await;
    let (step, old) = advance().await;
    assert_eq!(step, Some(Step::Extended(3)));
    scene.ask("evm_revert", json!([before])).await;
    scene.ask("evm_increaseTime", json!([100])).await;
    scene.mine(5).await;
    let (Some(Step::Reorganised { ancestor, dropped, added }), new) = advance().await else { panic!("it was") };
    assert_eq!((ancestor, dropped.len(), dropped[0], added), (1, 3, old, 5));
    assert_ne!(old, new);
    scene.mine(2).await;
    let head = scene.ask("eth_getBlockByNumber", json!(["0x8", false])).await;
    proxy.lie("eth_getBlockByNumber", head);
    assert_eq!(advance().await.0, None, "what it asked for is not agreed on");
    proxy.fault(|faults| faults.lies.clear());
    assert_eq!(advance().await.0, Some(Step::Extended(2)));
}
