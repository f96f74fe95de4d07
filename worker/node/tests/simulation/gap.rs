//! What the sender does about the number of an account's transactions, exactly: a rule that seeds found broken.

use std::sync::{Arc, Mutex};
use std::task::Poll;

use alloy::primitives::{Address, U256};
use gradproof_chain::market::ComputeToken::approveCall;
use gradproof_chain::{
    ChainError, Change, Endpoint, Endpoints, Intent, Journal, LOCAL_CHAIN, MemoryJournal, Policy, Sender, SolCall,
    Status,
};
use gradproof_node::store::Store;

use crate::chance::Chance;
use crate::gate::{Door, locked};
use crate::ledger::{Founded, founded};
use crate::party::poll_once;
use crate::plan::{Lie, Plan};
use crate::stage::{Stage, Watched};

/// Transactions that are sent: the sender has sixteen on their way at most.
const SENT: u64 = 12;

/// Sends by two endpoints, of which one lies about the number of transactions, and the other does not answer that question: what came of
/// the first, and the nonces of all, beside the one that comes next.
fn sent(founded: &Founded, knows: bool) -> (Result<Status, ChainError>, Vec<u64>, u64) {
    let mut chance = Chance::of(1);
    let ledger = founded.ledger.clone();
    let mut plan = Plan::of(ledger.head().header.time, &mut chance);
    (plan.calm_at, plan.lies_end) = (0, false);
    let keys = &founded.accounts[1];
    let next = ledger.head().state.nonce(keys.owner());
    let mut stage = Stage::new(plan, chance, ledger, founded.deployment.market.address);
    stage.watched.push(Watched { disk: Arc::new(Store::in_memory().expect("there is memory")), dies_after: None });
    let stage = Arc::new(Mutex::new(stage));
    let doors = [None, Some(Lie::Nonce)].map(|lie| Arc::new(Door::new(&stage, 0, lie)) as Arc<dyn Endpoint>);
    locked(&stage).gates[0].silent_about = "nonce";
    let journal = Arc::new(MemoryJournal::default());
    if knows {
        let change = Change { floor: next, ..Change::default() };
        journal.store(keys.owner(), &change).expect("it is stored");
    }
    let Poll::Ready(endpoints) = poll_once(Endpoints::of(doors.to_vec(), LOCAL_CHAIN)) else { panic!("it waits") };
    let policy = Policy { confirmations: 1, max_fee: 1 << 40, max_tip: 1 << 40, max_gas: 1 << 22 };
    let endpoints = Arc::new(endpoints.expect("both answer"));
    let sender = Sender::of(keys.account().expect("it has one").clone(), endpoints.clone(), journal.clone(), policy);
    let mut first = None;
    for number in 0..SENT {
        let input = approveCall { spender: Address::repeat_byte(1), value: U256::from(number) }.abi_encode().into();
        let to = founded.deployment.token.address;
        let intent = Intent { id: format!("allow {number}"), to, input, value: U256::ZERO, until: None };
        let submitted = poll_once(async { sender.submit(&endpoints.look().await?, intent).await });
        let Poll::Ready(submitted) = submitted else { panic!("it waits") };
        first = first.or(Some(submitted));
    }
    let mut nonces: Vec<u64> =
        journal.load(keys.owner()).expect("it is read").records.iter().map(|record| record.nonce).collect();
    nonces.sort_unstable();
    (first.expect("one was submitted"), nonces, next)
}

#[test]
fn a_liar_that_is_alone_for_a_moment_leaves_no_gap() {
    let Some(founded) = founded() else { return crate::seeds::skip("a_liar_that_is_alone_for_a_moment") };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _inside = runtime.enter();
    let (first, nonces, next) = sent(founded, true);
    assert!(matches!(first, Ok(Status::Pending)), "{first:?}");
    assert!(nonces.iter().all(|nonce| *nonce < next + SENT), "beyond what the journal explains: {nonces:?}");
    assert!(nonces.windows(2).all(|pair| pair[0] + 1 == pair[1]), "there are gaps: {nonces:?}");
    let (first, nonces, _) = sent(founded, false);
    assert!(matches!(first, Err(ChainError::NotCounted { .. })), "{first:?}");
    assert!(nonces.is_empty(), "a journal that is empty explains no number: {nonces:?}");
}
