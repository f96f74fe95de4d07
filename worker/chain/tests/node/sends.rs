//! Transactions that land, once, whatever calls return.

use std::sync::Arc;

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::network::TxSignerSync;
use alloy::primitives::TxKind;
use gradproof_chain::{
    Book, Bytes, ChainError, Change, Intent, Journal, LOCAL_CHAIN, MemoryJournal, Policy, PrivateKeySigner, Sender,
    Status,
};
use serde_json::json;

use crate::proxy::Proxy;
use crate::scene::{CONFIRMATIONS, GWEI, MAX_GAS, REFUSED, Scene, Sending, is_done};

fn journal() -> Arc<dyn Journal> {
    Arc::new(MemoryJournal::default())
}

#[tokio::test]
async fn a_transaction_reported_failed_that_landed_is_done_once() {
    let Some(scene) = Scene::start("a_transaction_reported_failed_that_landed_is_done_once").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[proxy.url()]).await;
    let sending = Sending::of(scene.node.signer(), &endpoints, &journal());
    proxy.fault(|faults| faults.lost = vec!["eth_sendRawTransaction"]);
    assert_eq!(sending.submit(scene.one_more("one")).await.expect("it is stored"), Status::Pending);
    let trouble = sending.sender.list().expect("the journal")[0].trouble.clone().expect("nobody took it, it seems");
    assert!(trouble.contains("eth_sendRawTransaction"), "{trouble}");
    assert_eq!(sending.submit(scene.one_more("one")).await.expect("it is known"), Status::Pending);
    scene.mine(1).await;
    let updates = sending.follow().await;
    assert!(is_done(&updates[0].status) && !updates[0].is_final, "{updates:?}");
    assert!(is_done(&sending.submit(scene.one_more("one")).await.expect("it is known")));
    assert_eq!((scene.counted().await, proxy.requests("eth_sendRawTransaction").len()), (1, 1));

    scene.mine(CONFIRMATIONS as usize).await;
    let updates = sending.follow().await;
    assert!(is_done(&updates[0].status) && updates[0].is_final, "{updates:?}");
    assert!(sending.sender.list().expect("the journal").is_empty(), "what is deep is dropped");
}

#[tokio::test]
async fn an_id_that_stands_for_another_call_is_refused() {
    let Some(scene) = Scene::start("an_id_that_stands_for_another_call_is_refused").await else { return };
    let endpoints = scene.endpoints(&[&scene.url()]).await;
    let sending = Sending::of(scene.node.signer(), &endpoints, &journal());
    sending.submit(scene.one_more("one")).await.expect("it is stored");
    let other = Intent { input: vec![9; 9].into(), ..scene.one_more("one") };
    let error = sending.submit(other).await.expect_err("another call").to_string();
    assert_eq!(error, "the transaction \"one\" cannot be sent: its id stands for another call already");
    for id in [String::new(), "x".repeat(200)] {
        sending.submit(scene.one_more(&id)).await.expect_err("no id");
    }
    let long = Intent { input: vec![9; 1 << 18].into(), ..scene.one_more("long") };
    sending.submit(long).await.expect_err("more than a node takes");
}

#[tokio::test]
async fn what_the_contract_would_refuse_is_never_sent() {
    let Some(scene) = Scene::start("what_the_contract_would_refuse_is_never_sent").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[&scene.url(), proxy.url()]).await;
    let sending = Sending::of(scene.node.signer(), &endpoints, &journal());
    let bad = Intent { input: REFUSED, ..scene.one_more("bad") };
    let refused = sending.submit(bad).await.expect("they answer");
    let Status::Refused { reason } = refused else { panic!("{refused:?}") };
    assert!(reason.contains("error of another contract"), "{reason}");
    assert!(sending.sender.list().expect("the journal").is_empty(), "the same id can be tried again");
    assert!(proxy.requests("eth_sendRawTransaction").is_empty());

    proxy.lie("eth_estimateGas", json!("0x1000001"));
    let one = scene.endpoints(&[proxy.url()]).await;
    let other = Sending::of(scene.node.other_signer(), &one, &journal());
    let error = other.submit(scene.one_more("much")).await.expect_err("no block has so much").to_string();
    assert!(error.contains("would take 16777217 gas"), "{error}");
    proxy.fault(|faults| faults.lies.clear());

    // One that says so falsely does not keep it from being sent, where another gives an estimate.
    proxy.refuse("eth_estimateGas", 3, "execution reverted");
    sending.submit(scene.one_more("good")).await.expect("the other knows better");
    scene.mine(1).await;
    assert!(is_done(&sending.follow().await[0].status));
    // Where it is the only one that answers, nothing is decided.
    let alone = scene.endpoints(&[proxy.url(), &format!("{}/", Proxy::start(&scene.url()).await.url())]).await;
    let sending = Sending::of(scene.node.other_signer(), &alone, &journal());
    let error = sending.submit(scene.one_more("alone")).await.expect_err("one word is not enough");
    assert!(matches!(error, ChainError::RefusedByOne { .. }), "{error}");
}

#[tokio::test]
async fn a_nonce_that_another_transaction_uses_ends_the_intent() {
    let Some(scene) = Scene::start("a_nonce_that_another_transaction_uses_ends_the_intent").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[proxy.url()]).await;
    let sending = Sending::of(scene.node.signer(), &endpoints, &journal());
    proxy.refuse("eth_sendRawTransaction", -32000, "no");
    sending.submit(scene.one_more("one")).await.expect("it is stored");
    scene.add().await;
    let updates = sending.follow().await;
    assert!(matches!(updates[0].status, Status::Overtaken { .. }), "{updates:?}");
    let again = sending.submit(scene.one_more("one")).await.expect("it is known");
    assert!(matches!(again, Status::Overtaken { .. }), "until that is deep, the same id is not sent twice");
    scene.mine(CONFIRMATIONS as usize).await;
    assert!(sending.follow().await[0].is_final);
    proxy.fault(|faults| faults.refusals.clear());
    assert_eq!(sending.submit(scene.one_more("one")).await.expect("it begins anew"), Status::Pending);
    scene.mine(1).await;
    assert!(is_done(&sending.follow().await[0].status));
}

#[tokio::test]
async fn more_than_sixteen_at_once_are_refused_and_none_is_forgotten() {
    let Some(scene) = Scene::start("more_than_sixteen_at_once_are_refused_and_none_is_forgotten").await else { return };
    let endpoints = scene.endpoints(&[&scene.url()]).await;
    let sending = Sending::of(scene.node.signer(), &endpoints, &journal());
    for number in 0..16 {
        sending.submit(scene.one_more(&format!("{number}"))).await.expect("there is room");
    }
    let error = sending.submit(scene.one_more("16")).await.expect_err("there is none").to_string();
    assert_eq!(error, "16 transactions are in no block yet: nothing is sent until there are fewer");
    scene.mine(1).await;
    assert_eq!(sending.follow().await.iter().filter(|update| is_done(&update.status)).count(), 16);
    sending.submit(scene.one_more("16")).await.expect("there is room again");
}

/// A journal that stores nothing.
#[derive(Debug)]
struct Full;

impl Journal for Full {
    fn load(&self, _: gradproof_chain::Address) -> Result<Book, ChainError> {
        Ok(Book::default())
    }

    fn store(&self, _: gradproof_chain::Address, _: &Change) -> Result<(), ChainError> {
        Err(ChainError::Journal("the disk is full".into()))
    }
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_sent() {
    let Some(scene) = Scene::start("what_cannot_be_stored_is_not_sent").await else { return };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[proxy.url()]).await;
    let sending = Sending::of(scene.node.signer(), &endpoints, &(Arc::new(Full) as Arc<dyn Journal>));
    let error = sending.submit(scene.one_more("one")).await.expect_err("it is not stored").to_string();
    assert_eq!(error, "the journal of transactions: the disk is full");
    assert!(proxy.requests("eth_sendRawTransaction").is_empty());
}

/// What a transaction that was signed elsewhere calls.
const INPUT: [u8; 7] = [7; 7];

/// A transaction that was signed elsewhere.
fn signed(key: &PrivateKeySigner, scene: &Scene, nonce: u64, max_fee: u128) -> Bytes {
    let mut transaction = TxEip1559 {
        chain_id: LOCAL_CHAIN,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: max_fee,
        max_priority_fee_per_gas: max_fee / 2,
        to: TxKind::Call(scene.counter),
        input: INPUT.into(),
        ..TxEip1559::default()
    };
    let signature = key.sign_transaction_sync(&mut transaction).expect("it signs");
    TxEnvelope::from(transaction.into_signed(signature)).encoded_2718().into()
}

#[tokio::test]
async fn a_transaction_that_was_signed_elsewhere_is_followed_the_same_way() {
    let Some(scene) = Scene::start("a_transaction_that_was_signed_elsewhere_is_followed_the_same_way").await else {
        return;
    };
    let proxy = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[proxy.url()]).await;
    let (key, other) = (scene.node.signer(), scene.node.other_signer());
    let policy = Policy { confirmations: CONFIRMATIONS, max_fee: GWEI, max_tip: GWEI, max_gas: MAX_GAS };
    let sender = Sender::without_key(key.address(), endpoints.clone(), journal(), policy);
    let accept = Intent { input: INPUT.into(), ..scene.one_more("accept") };
    let submit = async |raw: Bytes| {
        let sight = endpoints.look().await.expect("they answer");
        sender.submit_signed(&sight, &accept, raw).await
    };
    let sight = endpoints.look().await.expect("they answer");
    let error = sender.submit(&sight, scene.one_more("one")).await.expect_err("there is no key").to_string();
    assert!(error.contains("is not here: only transactions that it signed elsewhere"), "{error}");
    let error = submit(signed(&other, &scene, 0, 10 * GWEI)).await.expect_err("another account").to_string();
    assert!(error.contains(&format!("{} signed it", other.address())), "{error}");
    let error = submit(signed(&key, &scene, 1, 10 * GWEI)).await.expect_err("a gap").to_string();
    assert!(error.contains("its nonce is 1, the account's next is 0"), "{error}");
    submit(vec![2, 1, 0].into()).await.expect_err("no transaction");
    let another = scene.one_more("accept");
    let error = sender.submit_signed(&sight, &another, signed(&key, &scene, 0, 10 * GWEI)).await;
    let error = error.expect_err("another call").to_string();
    assert!(error.contains("it does something else"), "{error}");
    let unsigned = sender.unsigned(&sight, &accept).await.expect("they answer").expect("the contract takes it");
    assert_eq!((unsigned.nonce, unsigned.price.max_fee <= GWEI), (0, true));
    assert!(sender.list().expect("the journal").is_empty() && scene.counted().await == 0, "nothing is done");

    let raws = [10, 20].map(|gwei| signed(&key, &scene, 0, gwei * GWEI));
    assert_eq!(submit(raws[0].clone()).await.expect("it is stored"), Status::Pending);
    assert_eq!(submit(raws[0].clone()).await.expect("it is known"), Status::Pending);
    let error = submit(signed(&key, &scene, 0, 11 * GWEI)).await.expect_err("no node takes it").to_string();
    assert!(error.contains("it offers less than an eighth more"), "{error}");
    assert_eq!(submit(raws[1].clone()).await.expect("a dearer one"), Status::Pending);
    let sent: Vec<_> = raws.iter().map(|raw| json!([raw])).collect();
    assert_eq!(proxy.requests("eth_sendRawTransaction"), sent);
    scene.mine(1).await;
    let sight = endpoints.look().await.expect("they answer");
    assert!(is_done(&sender.follow(&sight).await.expect("they answer")[0].status));
    assert_eq!((scene.counted().await, scene.nonce(key.address()).await), (1, 1));
}
