//! The client of a chain, from asynchronous code and from code that waits.

use gradproof_chain::{Address, Anvil, Chain, ChainError, Client, SegmentVerifier, SolValue, U256};

use crate::stage::{artifacts, contracts};

/// What the stand-in is made with.
const POINTS: [U256; 4] = [U256::ZERO; 4];

/// Deploys a stand-in with the client that waits, and asks it for what it does not have.
fn waits(test: &str) {
    let Some(artifacts) = artifacts(test) else { return };
    let node = Anvil::start(&contracts()).expect("the node starts");
    let chain = Chain::connect(node.url(), node.signer()).expect("the node answers");
    assert_eq!(chain.block().expect("the node answers"), 0);
    let mock = chain.deploy(&artifacts.mock, &POINTS.abi_encode()).expect("it deploys").address;
    assert_eq!(chain.block().expect("the node answers"), 1);
    let none = SegmentVerifier::keyCall {};
    assert!(matches!(chain.send(mock, &none), Err(ChainError::Reverted { .. })));
    drop(chain);
}

#[test]
fn waiting_clients_wait() {
    waits("waiting_clients_wait");
}

#[tokio::test]
async fn waiting_clients_wait_on_a_runtime_of_one_thread() {
    waits("waiting_clients_wait_on_a_runtime_of_one_thread");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_clients_wait_on_a_runtime_of_many_threads() {
    waits("waiting_clients_wait_on_a_runtime_of_many_threads");
}

#[tokio::test]
async fn asynchronous_clients_go_on_beside_each_other() {
    let Some(artifacts) = artifacts("asynchronous_clients_go_on_beside_each_other") else { return };
    let node = Anvil::start(&contracts()).expect("the node starts");
    let client = Client::connect(node.url(), node.signer()).await.expect("the node answers");
    let word = (Address::repeat_byte(1), U256::ZERO).abi_encode();
    let points = POINTS.abi_encode();
    let (mock, refused, block) = tokio::join!(
        client.deploy(&artifacts.mock, &points),
        client.deploy(&artifacts.verifier, &word),
        client.block()
    );
    let mock = mock.expect("it deploys");
    assert!(matches!(refused, Err(ChainError::Reverted { .. })));
    assert!(block.expect("the node answers") <= 1);
    let (address, code) = client.creation(mock.transaction).await.expect("the node knows it");
    assert_eq!((address, &code[..]), (mock.address, &[&artifacts.mock.bytecode[..], &points].concat()[..]));
    assert!(!client.code_hash(address).await.expect("the node answers").is_zero());
    let (url, signer) = (node.url().to_owned(), node.signer());
    drop(node);
    let gone = Client::connect(&url, signer).await.expect_err("the node ends with its value");
    assert!(matches!(gone, ChainError::Node(_)), "{gone}");
}
