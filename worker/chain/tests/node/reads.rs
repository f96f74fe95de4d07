//! What endpoints agree on.

use alloy::primitives::U256;
use gradproof_chain::{Agreement, ChainError, Common, Endpoint, Endpoints, HttpEndpoint, LOCAL_CHAIN, Reader};
use serde_json::json;

use crate::proxy::Proxy;
use crate::scene::{GWEI, NO_BLOCK, Scene, countCall};

async fn refused(urls: &[&str], chain: u64) -> String {
    let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
    Endpoints::connect(&urls, chain).await.expect_err("it is refused").to_string()
}

#[tokio::test]
async fn none_one_twice_and_one_of_another_chain_are_refused() {
    let Some(scene) = Scene::start("none_one_twice_and_one_of_another_chain_are_refused").await else { return };
    assert_eq!(refused(&[], LOCAL_CHAIN).await, "there is no endpoint of the chain");
    let url = scene.url();
    let again = url.replace("http://", "HTTP://me@") + "/";
    assert!(refused(&[&url, &again], LOCAL_CHAIN).await.ends_with("is named twice; two that agree must be two"));
    let error = refused(&[&url], 1).await;
    assert!(error.ends_with("is of chain 31337, not of 1"), "{error}");
    let many: Vec<String> = (0..9).map(|port| format!("http://127.0.0.1:{}", port + 1)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(refused(&many, LOCAL_CHAIN).await, "9 endpoints are named, the most are 8");
    refused(&["http://127.0.0.1:1"], LOCAL_CHAIN).await;
    assert_eq!(scene.endpoints(&[&url]).await.needed(), 1, "one is enough on this machine");
}

#[tokio::test]
async fn a_liar_among_two_endpoints_is_no_agreement() {
    let Some(scene) = Scene::start("a_liar_among_two_endpoints_is_no_agreement").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[&scene.url(), proxy.url()]).await;
    let read = async || {
        let sight = endpoints.look().await.expect("they answer");
        let counter = scene.counter;
        endpoints.read(&sight.common, |at| async move { at.ask(counter, &countCall {}).await }).await
    };
    let Ok(Agreement::Agreed { value, header }) = read().await else { panic!("two equal answers") };
    assert_eq!((value, header.number), (U256::ZERO, 1));

    proxy.lie("eth_call", json!(format!("0x{:064x}", 7)));
    let disagreed = read().await.expect("both answer");
    assert_eq!(disagreed.values(), [&U256::ZERO, &U256::from(7)]);
    assert!(matches!(disagreed, Agreement::Disagreed { .. }));

    let third = Proxy::start(&scene.url()).await;
    let three = scene.endpoints(&[&scene.url(), proxy.url(), third.url()]).await;
    let sight = three.look().await.expect("they answer");
    let counter = scene.counter;
    let read = three.read(&sight.common, |at| async move { at.ask(counter, &countCall {}).await }).await;
    assert_eq!(read.expect("they answer").agreed(), Some(U256::ZERO), "a liar among three does not matter");
}

#[tokio::test]
async fn logs_that_one_endpoint_omits_are_no_agreement() {
    let Some(scene) = Scene::start("logs_that_one_endpoint_omits_are_no_agreement").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[&scene.url(), proxy.url()]).await;
    scene.add().await;
    let read = async || {
        let sight = endpoints.look().await.expect("they answer");
        let counter = [scene.counter];
        let read = endpoints.read(&sight.common, |at| async move { at.logs(&counter).await }).await;
        read.expect("they answer")
    };
    let logs = read().await.agreed().expect("both have them");
    assert_eq!((logs.len(), logs[0].address()), (1, scene.counter));
    // A node that does not say the block's time says the same.
    let said = serde_json::to_value(&logs).expect("JSON");
    assert!(said[0].get("blockTimestamp").is_none());
    proxy.lie("eth_getLogs", said);
    assert!(read().await.agreed().is_some());
    proxy.lie("eth_getLogs", json!([]));
    assert!(matches!(read().await, Agreement::Disagreed { .. }));
    let mut forged = serde_json::to_value(&logs).expect("JSON");
    forged[0]["blockHash"] = json!(NO_BLOCK);
    proxy.lie("eth_getLogs", forged);
    assert!(matches!(read().await, Agreement::Alone { .. }), "logs of another block are no answer");
}

#[tokio::test]
async fn a_lagging_endpoint_is_read_at_its_own_head() {
    let Some(scene) = Scene::start("a_lagging_endpoint_is_read_at_its_own_head").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[&scene.url(), proxy.url()]).await;
    let account = scene.node.signer().address();
    scene.mine(5).await;
    proxy.fault(|faults| faults.ceiling = Some(4));
    scene.add().await;
    let sight = endpoints.look().await.expect("they answer");
    let behind: Vec<_> = sight.heads.each.iter().map(|seen| seen.behind).collect();
    assert_eq!(behind, [Some(0), Some(3)]);
    assert_eq!(sight.common.agreed().expect("they agree").number, 4);
    let read = endpoints.read(&sight.common, |at| async move { at.nonce(account).await }).await;
    let Ok(Agreement::Agreed { value: 0, header }) = read else { panic!("both at the lower block: {read:?}") };
    assert_eq!(header.number, 4);

    scene.mine(60).await;
    let sight = endpoints.look().await.expect("they answer");
    assert!(matches!(sight.common, Common::Apart { .. }), "a stuck endpoint holds nobody in the past");
    let read = endpoints.read(&sight.common, |at| async move { at.nonce(account).await }).await;
    assert_eq!(read.expect("they answer").values(), [&1, &0]);
}

#[tokio::test]
async fn an_endpoint_that_lacks_the_block_fails() {
    let Some(scene) = Scene::start("an_endpoint_that_lacks_the_block_fails").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    scene.mine(3).await;
    let node = HttpEndpoint::new(&scene.url()).expect("an address");
    let head = node.head().await.expect("it answers");
    proxy.fault(|faults| faults.ceiling = Some(2));
    let behind = HttpEndpoint::new(proxy.url()).expect("an address");
    let account = scene.node.signer().address();
    let counter = scene.counter;
    for (endpoint, at) in [(&node, NO_BLOCK), (&behind, head.hash)] {
        assert_eq!(endpoint.header_by_hash(at).await.expect("it answers"), None);
        endpoint.logs(at, &[counter]).await.expect_err("logs");
        endpoint.call(at, account, counter, vec![1, 2, 3, 4].into()).await.expect_err("call");
        endpoint.nonce(account, at).await.expect_err("nonce");
        endpoint.balance(account, at).await.expect_err("balance");
        endpoint.code_hash(counter, at).await.expect_err("code");
    }
    proxy.lie("eth_getLogs", json!([]));
    let error = behind.logs(head.hash, &[counter]).await.expect_err("nothing is no answer about a block it lacks");
    assert!(matches!(error, ChainError::NoBlock { .. }), "{error}");
    assert_eq!(node.logs(head.hash, &[counter]).await.expect("it has the block"), []);
    node.logs(head.hash, &[]).await.expect_err("of no contract is of all");
    assert!(!node.code_hash(counter, head.hash).await.expect("it has the block").is_zero());
    assert!(node.code_hash(account, head.hash).await.expect("it has the block").is_zero());
    assert!(node.balance(account, head.hash).await.expect("it has the block") > U256::from(GWEI));
}

#[tokio::test]
async fn answers_about_something_else_are_none() {
    let Some(scene) = Scene::start("answers_about_something_else_are_none").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    scene.mine(3).await;
    let endpoint = HttpEndpoint::new(proxy.url()).expect("an address");
    let block = scene.ask("eth_getBlockByNumber", json!(["0x2", false])).await;
    proxy.fault(|faults| {
        faults.lies.insert("eth_getBlockByNumber", block.clone());
        faults.lies.insert("eth_getBlockByHash", block);
    });
    endpoint.header_by_number(3).await.expect_err("another block");
    endpoint.header_by_hash(NO_BLOCK).await.expect_err("another block");
    let hash = scene.add().await;
    let receipt = scene.ask("eth_getTransactionReceipt", json!([hash])).await;
    proxy.lie("eth_getTransactionReceipt", receipt);
    endpoint.receipt(NO_BLOCK).await.expect_err("another transaction");
    for words in [json!("x"), json!({}), json!("0x"), json!(null), json!([1])] {
        proxy.lie("eth_getTransactionCount", words.clone());
        endpoint.nonce(scene.counter, NO_BLOCK).await.expect_err("no number");
    }
    proxy.lie("eth_getTransactionCount", json!("0".repeat(17 << 20)));
    let error = endpoint.nonce(scene.counter, NO_BLOCK).await.expect_err("too long").to_string();
    assert!(error.ends_with("an answer of more than 16777216 bytes"), "{error}");
}
