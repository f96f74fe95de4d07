//! Fees that are raised where time runs out.

use std::sync::Arc;

use gradproof_chain::market::When;
use gradproof_chain::{Intent, Journal, MemoryJournal, Status};
use serde_json::json;

use crate::proxy::Proxy;
use crate::scene::{GWEI, MAX_GAS, Scene, Sending, is_done};

/// Seconds that an intent has.
const HAS: u64 = 3000;

/// A scene, and an intent that has [`HAS`] seconds and was sent.
async fn begun(test: &str, max_fee: u128) -> Option<(Scene, Sending, Intent)> {
    let scene = Scene::start(test).await?;
    let endpoints = scene.endpoints(&[&scene.url()]).await;
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::default());
    let sending = Sending::with(scene.node.signer(), &endpoints, &journal, max_fee);
    let now = endpoints.look().await.expect("they answer").common.latest().time;
    let intent = Intent { until: Some(When::Time(now + HAS)), ..scene.one_more("prove") };
    assert_eq!(sending.submit(intent.clone()).await.expect("it is stored"), Status::Pending);
    Some((scene, sending, intent))
}

impl Scene {
    /// Makes a block so much later, in which gas is too dear for anything that was sent before.
    async fn dear_block(&self, seconds: u64, base: u128) {
        self.ask("anvil_setNextBlockBaseFeePerGas", json!([format!("0x{base:x}")])).await;
        self.ask("evm_increaseTime", json!([seconds])).await;
        self.mine(1).await;
    }
}

#[tokio::test]
async fn the_fee_is_raised_after_a_third_and_after_two_and_one_of_them_lands() {
    let test = "the_fee_is_raised_after_a_third_and_after_two_and_one_of_them_lands";
    let Some((scene, sending, intent)) = begun(test, 1000 * GWEI).await else { return };
    scene.dear_block(HAS / 4, 50 * GWEI).await;
    sending.follow().await;
    assert_eq!(sending.attempts("prove").len(), 1, "there is time");
    scene.dear_block(HAS / 6, 60 * GWEI).await;
    sending.follow().await;
    sending.follow().await;
    let attempts = sending.attempts("prove");
    assert_eq!(attempts.len(), 2, "a third is gone, and it is raised once");
    assert_eq!(sending.submit(intent).await.expect("it is known"), Status::Pending);
    scene.dear_block(HAS / 3, 500 * GWEI).await;
    sending.follow().await;
    let attempts = sending.attempts("prove");
    assert_eq!(attempts.len(), 3, "two thirds are gone");
    for pair in attempts.windows(2) {
        assert!(pair[1].price.max_fee * 8 >= pair[0].price.max_fee * 9, "{pair:?}");
        assert!(pair[1].price.tip * 8 >= pair[0].price.tip * 9, "{pair:?}");
    }
    scene.mine(1).await;
    let updates = sending.follow().await;
    let Status::Included { transaction, .. } = updates[0].status else { panic!("{updates:?}") };
    assert_eq!(transaction, attempts[2].hash, "the node took the dearest");
    assert!(is_done(&updates[0].status));
    assert_eq!((scene.counted().await, scene.nonce(sending.sender.account()).await), (1, 1));
}

#[tokio::test]
async fn the_fee_is_never_raised_above_the_maximum() {
    let Some((scene, sending, _)) = begun("the_fee_is_never_raised_above_the_maximum", 3 * GWEI).await else { return };
    for _ in 0..6 {
        scene.dear_block(HAS / 3, 50 * GWEI).await;
        sending.follow().await;
    }
    let attempts = sending.attempts("prove");
    assert!(attempts.iter().all(|attempt| attempt.price.max_fee <= 3 * GWEI), "{attempts:?}");
    assert_eq!(sending.status("prove"), Status::Pending);
}

#[tokio::test]
async fn who_waits_behind_a_transaction_raises_its_fee() {
    let Some((scene, sending, _)) = begun("who_waits_behind_a_transaction_raises_its_fee", 1000 * GWEI).await else {
        return;
    };
    let now = sending.endpoints.look().await.expect("they answer").common.latest().time;
    let hurried = Intent { until: Some(When::Time(now + HAS / 10)), ..scene.one_more("close") };
    sending.submit(hurried).await.expect("it is stored");
    scene.dear_block(HAS / 20, 50 * GWEI).await;
    sending.follow().await;
    assert_eq!((sending.attempts("prove").len(), sending.attempts("close").len()), (2, 2));
}

#[tokio::test]
async fn a_fee_is_raised_so_often_and_no_more() {
    let Some((scene, sending, _)) = begun("a_fee_is_raised_so_often_and_no_more", 1_000_000 * GWEI).await else {
        return;
    };
    for _ in 0..20 {
        scene.dear_block(HAS / 3, 20_000 * GWEI).await;
        sending.follow().await;
        // What was sent is dropped, so that no block takes it.
        let hashes: Vec<_> = sending.attempts("prove").iter().map(|attempt| attempt.hash).collect();
        for hash in hashes {
            scene.ask("anvil_dropTransaction", json!([hash])).await;
        }
    }
    assert_eq!(sending.attempts("prove").len(), 16);
}

/// Gas of the contract's call, with the margin.
const CALL: u64 = 60_000;

#[tokio::test]
async fn a_liar_among_two_endpoints_costs_no_fee_while_something_else_helps() {
    let test = "a_liar_among_two_endpoints_costs_no_fee_while_something_else_helps";
    let Some(scene) = Scene::start(test).await else { return };
    let liar = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[&scene.url(), liar.url()]).await;
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::default());
    let most = 200 * GWEI;
    let tip = scene.ask("eth_maxPriorityFeePerGas", json!([])).await;
    let tip: u128 = serde_json::from_value::<gradproof_chain::U256>(tip).expect("a number").to();
    let sending = Sending::with(scene.node.signer(), &endpoints, &journal, most);
    liar.lie("eth_maxPriorityFeePerGas", json!(format!("{most:#x}")));
    liar.lie("eth_feeHistory", json!({ "baseFeePerGas": [format!("{most:#x}"), format!("{most:#x}")] }));
    liar.lie("eth_estimateGas", json!("0x1000000"));
    let head = endpoints.look().await.expect("they answer").common.agreed().expect("they agree");
    let intent = |id| Intent { until: Some(When::Time(head.time + HAS)), ..scene.one_more(id) };
    assert_eq!(sending.submit(intent("prove")).await.expect("it is stored"), Status::Pending);
    let record = &sending.sender.list().expect("the journal")[0].record;
    let (gas, price) = (record.gas_limit, record.attempts[0].price);
    println!(
        "to be held: {} wei, and {} where estimates and fees of one are believed",
        u128::from(gas) * price.max_fee,
        (1u128 << 24) * most
    );
    assert_eq!(gas, MAX_GAS + MAX_GAS / 4);
    assert_eq!((price.tip, price.max_fee), (tip, 2 * head.base + tip));

    // What it pays is what the honest one asks for, until that has not helped twice.
    scene.dear_block(HAS / 3, 50 * GWEI).await;
    sending.follow().await;
    scene.dear_block(HAS / 3, 400 * GWEI).await;
    sending.follow().await;
    let tips: Vec<u128> = sending.attempts("prove").iter().map(|attempt| attempt.price.tip).collect();
    assert_eq!(tips, [tip, tip + tip.div_ceil(8), 100 * GWEI]);
}

#[tokio::test]
async fn a_liar_that_says_too_little_burns_no_gas() {
    let Some(scene) = Scene::start("a_liar_that_says_too_little_burns_no_gas").await else { return };
    let liar = Proxy::start(&scene.url()).await;
    let endpoints = scene.endpoints(&[&scene.url(), liar.url()]).await;
    let sending =
        Sending::of(scene.node.signer(), &endpoints, &(Arc::new(MemoryJournal::default()) as Arc<dyn Journal>));
    for (number, lie) in ["0x0", "0x5208", "0xffff"].into_iter().enumerate() {
        liar.lie("eth_estimateGas", json!(lie));
        liar.lie("eth_maxPriorityFeePerGas", json!("0x0"));
        sending.submit(scene.one_more(&format!("{number}"))).await.expect("it is stored");
        scene.mine(1).await;
        assert!(sending.follow().await.iter().all(|update| is_done(&update.status)));
        assert!(sending.sender.list().expect("the journal").iter().all(|listed| listed.record.gas_limit < 2 * CALL));
    }
    assert_eq!(scene.counted().await, 3);
}
