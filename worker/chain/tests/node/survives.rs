//! Restarts, reorganisations, and endpoints that lie about transactions.

use std::sync::Arc;

use gradproof_chain::{Journal, MemoryJournal, Status};
use serde_json::json;

use crate::proxy::Proxy;
use crate::scene::{CONFIRMATIONS, Scene, Sending, is_done};

fn journal() -> Arc<dyn Journal> {
    Arc::new(MemoryJournal::default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_intents_at_once_from_one_key_all_land_with_restarts_between() {
    let Some(scene) = Scene::start("eight_intents_at_once_from_one_key_all_land_with_restarts_between").await else {
        return;
    };
    let endpoints = scene.endpoints(&[&scene.url()]).await;
    let journal = journal();
    for first in [0, 3, 6] {
        // A process that ended: all that is left of it is the journal.
        let sending = Arc::new(Sending::of(scene.node.signer(), &endpoints, &journal));
        sending.follow().await;
        let tasks = (first..(first + 3).min(8)).map(|number| {
            let (sending, intent) = (sending.clone(), scene.one_more(&format!("intent {number}")));
            tokio::spawn(async move { sending.submit(intent).await })
        });
        for task in tasks.collect::<Vec<_>>() {
            assert_eq!(task.await.expect("it ends").expect("it is stored"), Status::Pending);
        }
    }
    let sending = Sending::of(scene.node.signer(), &endpoints, &journal);
    let nonces: Vec<u64> =
        sending.sender.list().expect("the journal").iter().map(|listed| listed.record.nonce).collect();
    assert_eq!(nonces, [0, 1, 2, 3, 4, 5, 6, 7], "each its own, without a gap");
    sending.follow().await;
    scene.mine(1).await;
    let updates = sending.follow().await;
    assert_eq!(updates.iter().filter(|update| is_done(&update.status)).count(), 8, "{updates:?}");
    assert_eq!((scene.counted().await, scene.nonce(sending.sender.account()).await), (8, 8));
}

#[tokio::test]
async fn what_was_stored_and_not_sent_is_sent_after_a_restart() {
    let Some(scene) = Scene::start("what_was_stored_and_not_sent_is_sent_after_a_restart").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[proxy.url()]).await;
    let journal = journal();
    proxy.refuse("eth_sendRawTransaction", -32000, "no");
    let before = Sending::of(scene.node.signer(), &endpoints, &journal);
    before.submit(scene.one_more("one")).await.expect("it is stored");
    let raw = before.attempts("one")[0].raw.clone();
    drop(before);
    proxy.fault(|faults| faults.refusals.clear());
    let after = Sending::of(scene.node.signer(), &endpoints, &journal);
    after.follow().await;
    scene.mine(1).await;
    assert!(is_done(&after.follow().await[0].status));
    assert_eq!(proxy.requests("eth_sendRawTransaction"), [json!([raw]), json!([raw])], "the same bytes");
    assert_eq!(scene.counted().await, 1);
}

#[tokio::test]
async fn what_was_stored_is_sent_even_if_nothing_can_be_read() {
    let Some(scene) = Scene::start("what_was_stored_is_sent_even_if_nothing_can_be_read").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[proxy.url()]).await;
    let journal = journal();
    let before = Sending::of(scene.node.signer(), &endpoints, &journal);
    before.submit(scene.one_more("one")).await.expect("it is stored");
    let after = Sending::of(scene.node.signer(), &endpoints, &journal);
    proxy.refuse("eth_getTransactionCount", -32000, "too busy");
    let sight = endpoints.look().await.expect("it answers");
    after.sender.follow(&sight).await.expect_err("where it stands is not known");
    assert_eq!(proxy.requests("eth_sendRawTransaction").len(), 2);
}

#[tokio::test]
async fn a_reorganisation_that_drops_the_transaction_sends_the_same_bytes_again() {
    let Some(scene) = Scene::start("a_reorganisation_that_drops_the_transaction_sends_the_same_bytes_again").await
    else {
        return;
    };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[proxy.url()]).await;
    let sending = Sending::of(scene.node.signer(), &endpoints, &journal());
    scene.mine(2).await;
    let before = scene.ask("evm_snapshot", json!([])).await;
    sending.submit(scene.one_more("one")).await.expect("it is stored");
    scene.mine(1).await;
    assert!(is_done(&sending.follow().await[0].status));
    scene.ask("evm_revert", json!([before])).await;
    scene.mine(2).await;
    assert_eq!((scene.counted().await, scene.nonce(sending.sender.account()).await), (0, 0), "it is gone");
    let updates = sending.follow().await;
    assert_eq!((&updates[0].status, updates[0].is_final), (&Status::Pending, false));
    let raw = json!([sending.attempts("one")[0].raw]);
    assert_eq!(proxy.requests("eth_sendRawTransaction"), [raw.clone(), raw], "the same bytes");
    scene.mine(1).await;
    assert!(is_done(&sending.follow().await[0].status));
    scene.mine(CONFIRMATIONS as usize).await;
    assert!(sending.follow().await[0].is_final);
    assert_eq!(scene.counted().await, 1);
}

#[tokio::test]
async fn a_forged_receipt_is_not_believed_where_two_must_agree() {
    let Some(scene) = Scene::start("a_forged_receipt_is_not_believed_where_two_must_agree").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[&scene.url(), proxy.url()]).await;
    let sending = Sending::of(scene.node.signer(), &endpoints, &journal());
    sending.submit(scene.one_more("one")).await.expect("it is stored");
    let hash = sending.attempts("one")[0].hash;
    let head = scene.ask("eth_getBlockByNumber", json!(["latest", false])).await;
    let forged = json!({
        "transactionHash": hash, "blockHash": head["hash"], "blockNumber": head["number"], "status": "0x1", "gasUsed": "0x1",
    });
    proxy.fault(|faults| {
        faults.lies.insert("eth_getTransactionReceipt", forged);
        faults.lies.insert("eth_getTransactionCount", json!("0x1"));
    });
    assert_eq!(sending.follow().await, []);
    assert_eq!(sending.status("one"), Status::Pending);
    // A count that is too great leaves no gap, either.
    proxy.lie("eth_getTransactionCount", json!("0x63"));
    sending.submit(scene.one_more("two")).await.expect("it is stored");
    scene.mine(1).await;
    assert_eq!(scene.nonce(sending.sender.account()).await, 2);
    proxy.fault(|faults| faults.lies.clear());
    assert_eq!(sending.follow().await.iter().filter(|update| is_done(&update.status)).count(), 2);
}

#[tokio::test]
async fn an_endpoint_that_hides_transactions_does_not_stop_the_sender() {
    let Some(scene) = Scene::start("an_endpoint_that_hides_transactions_does_not_stop_the_sender").await else {
        return;
    };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[&scene.url(), proxy.url()]).await;
    let sending = Sending::of(scene.node.signer(), &endpoints, &journal());
    proxy.lie("eth_getTransactionCount", json!("0x0"));
    for number in 0..20 {
        sending.submit(scene.one_more(&format!("{number}"))).await.expect("there is room");
        scene.mine(1).await;
        assert_eq!(sending.follow().await, [], "nothing is agreed on");
    }
    assert_eq!(scene.counted().await, 20);
    proxy.fault(|faults| faults.lies.clear());
    assert_eq!(sending.follow().await.iter().filter(|update| is_done(&update.status)).count(), 20);
}

#[tokio::test]
async fn one_endpoint_alone_neither_ends_an_intent_nor_keeps_it_from_being_sent() {
    let test = "one_endpoint_alone_neither_ends_an_intent_nor_keeps_it_from_being_sent";
    let Some(scene) = Scene::start(test).await else { return };
    let (proxy, silent) = (Proxy::start(&scene.url()).await, Proxy::start(&scene.url()).await);
    let endpoints = scene.endpoints(&[proxy.url(), silent.url()]).await;
    let sending = Sending::of(scene.node.signer(), &endpoints, &journal());
    sending.submit(scene.one_more("one")).await.expect("it is stored");
    scene.mine(1).await;
    silent.refuse("eth_getBlockByNumber", -32000, "no");
    proxy.lie("eth_getTransactionReceipt", json!(null));
    assert_eq!(sending.follow().await, []);
    proxy.fault(|faults| faults.lies.clear());
    let sent = proxy.requests("eth_sendRawTransaction").len();
    scene.mine(16).await;
    assert_eq!(sending.follow().await, [], "it may have forged the receipt");
    assert_eq!(proxy.requests("eth_sendRawTransaction").len(), sent + 1, "nobody is hurt by a second time");
    silent.fault(|faults| faults.refusals.clear());
    assert!(sending.follow().await[0].is_final);
}

#[tokio::test]
async fn a_receipt_of_a_block_that_is_not_there_yet_is_none() {
    let Some(scene) = Scene::start("a_receipt_of_a_block_that_is_not_there_yet_is_none").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[proxy.url()]).await;
    let sending = Sending::of(scene.node.signer(), &endpoints, &journal());
    sending.submit(scene.one_more("one")).await.expect("it is stored");
    let sight = endpoints.look().await.expect("it answers");
    scene.mine(1).await;
    // The count is that of a block that was undone, the receipt of the one that replaced it.
    proxy.lie("eth_getTransactionCount", json!("0x1"));
    sending.sender.follow(&sight).await.expect_err("the chain moved on between both questions");
    assert_eq!(sending.status("one"), Status::Pending);
    assert!(is_done(&sending.follow().await[0].status));
}

#[tokio::test]
async fn what_a_node_forgot_or_refused_is_sent_again() {
    let Some(scene) = Scene::start("what_a_node_forgot_or_refused_is_sent_again").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[proxy.url()]).await;
    let sending = Sending::of(scene.node.signer(), &endpoints, &journal());
    let sent = || proxy.requests("eth_sendRawTransaction").len();
    proxy.refuse("eth_sendRawTransaction", -32000, "too busy");
    sending.submit(scene.one_more("one")).await.expect("it is stored");
    proxy.fault(|faults| faults.refusals.clear());
    sending.follow().await;
    assert_eq!(sent(), 1, "not before the next block");
    scene.mine(1).await;
    sending.follow().await;
    assert_eq!(sent(), 2);
    scene.ask("anvil_dropTransaction", json!([sending.attempts("one")[0].hash])).await;
    scene.mine(15).await;
    sending.follow().await;
    assert_eq!(sent(), 2, "nodes are given time");
    scene.mine(1).await;
    sending.follow().await;
    assert_eq!(sent(), 3);
    scene.mine(1).await;
    assert!(is_done(&sending.follow().await[0].status));
    assert_eq!(scene.counted().await, 1);
}

#[tokio::test]
async fn a_nonce_that_a_liar_left_out_is_filled_when_it_was_free_for_long() {
    let Some(scene) = Scene::start("a_nonce_that_a_liar_left_out_is_filled").await else { return };
    let (liar, silent) = (Proxy::start(&scene.url()).await, Proxy::start(&scene.url()).await);
    let endpoints = scene.endpoints(&[liar.url(), silent.url()]).await;
    let sending = Sending::of(scene.node.signer(), &endpoints, &journal());
    // Alone, and asked for the number of transactions of an account about which nothing is stored.
    silent.refuse("eth_getBlockByNumber", -32000, "no");
    liar.lie("eth_getTransactionCount", json!("0x2"));
    sending.submit(scene.one_more("one")).await.expect("it is stored");
    silent.fault(|faults| faults.refusals.clear());
    liar.fault(|faults| faults.lies.clear());
    scene.mine(1).await;
    assert_eq!(sending.follow().await, [], "somebody else may send something");
    scene.mine(15).await;
    assert_eq!((sending.follow().await, scene.counted().await), (vec![], 0));
    scene.mine(1).await;
    let updates = sending.follow().await;
    assert_eq!(updates.len(), 2, "{updates:?}");
    assert!(updates.iter().all(|update| update.fills_a_gap() && update.status == Status::Pending));
    let stored = sending.sender.list().expect("the journal");
    assert_eq!(stored.iter().map(|listed| listed.record.nonce).collect::<Vec<_>>(), [0, 1, 2]);
    let account = sending.sender.account();
    assert!(
        stored[..2].iter().all(|listed| listed.record.intent.to == account && listed.record.intent.input.is_empty())
    );
    scene.mine(1).await;
    assert_eq!((scene.counted().await, scene.nonce(account).await), (1, 3), "what waited behind it landed");
    assert_eq!(sending.follow().await.iter().filter(|update| is_done(&update.status)).count(), 3);
}
