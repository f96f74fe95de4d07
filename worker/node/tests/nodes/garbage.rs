//! Nodes in the register that answer with garbage on every protocol, one of the requester's and one of the provider's, asked first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alloy::primitives::keccak256;
use gradproof_chain::PrivateKeySigner;
use gradproof_chain::market::State;
use gradproof_network::{Config, Event, Events, Identity, Network, PeerId, Protocol, Verdict};
use tokio::runtime::Runtime;

use crate::member::Member;
use crate::scene::Scene;
use crate::trade::Trade;
use crate::workshop::SEGMENTS;

/// Answers to ranges: of no hash tree.
const RANGE_BYTES: usize = 4096;
/// How long it waits for an answer.
const WITHIN: Duration = Duration::from_secs(20);

/// A node that speaks the protocols, and says nothing right.
struct Garbage {
    network: Network,
    counts: Arc<Counts>,
}

/// What it was asked.
#[derive(Default)]
struct Counts {
    requests: AtomicUsize,
    ranges: AtomicUsize,
}

/// A key, from a seed on, whose address comes before another one: nodes of an account are asked in this order.
fn key_before(other: &PrivateKeySigner, from: u8) -> PrivateKeySigner {
    let keys = (from..=255).map(|byte| PrivateKeySigner::from_bytes(&[byte; 32].into()).expect("a valid key"));
    keys.into_iter().find(|key| key.address() < other.address()).expect("most keys are")
}

impl Garbage {
    /// Starts it, as a node of `member`'s account, which is known to `others`.
    fn start(scene: &Scene, threads: &Runtime, member: &Member, others: &[PeerId], seed: u8) -> Self {
        let key = key_before(&member.peer_signer(), seed);
        let identity = Identity::from_secret(key.to_bytes().0).expect("a valid key");
        let (network, events) =
            threads.block_on(Network::start(Config::local(identity, "garbage"))).expect("it listens");
        let addresses = threads.block_on(network.listening()).expect("it listens");
        let named = |address: &_| format!("{address}/p2p/{}", network.peer_id());
        let addresses: Vec<String> = addresses.iter().map(named).collect();
        for other in others {
            threads.block_on(network.admit(*other)).expect("there is room");
        }
        let counts = Arc::new(Counts::default());
        threads.spawn(answer(network.clone(), events, counts.clone()));
        member.enter_other(scene, &key, keccak256("a key that nobody has"), &addresses.join(" "));
        Self { network, counts }
    }

    /// Asks a node on both protocols: what it is answered.
    fn asks(&self, threads: &Runtime, peer: PeerId, address: &str) -> [String; 2] {
        let address = address.parse().expect("an address");
        self.network.set_chain_addresses(peer, vec![address]).expect("it has an address");
        [Protocol::Party, Protocol::Open].map(|protocol| {
            let garbage = b"{\"parcel\":{\"job\":\"\xff\xfe";
            let answer = threads.block_on(self.network.ask(peer, protocol, garbage, WITHIN)).expect("it answers");
            String::from_utf8(answer).expect("it answers with text")
        })
    }
}

/// Answers everything with garbage.
async fn answer(network: Network, mut events: Events, counts: Arc<Counts>) {
    while let Some(event) = events.next().await {
        match event {
            Event::Request { reply, .. } => {
                counts.requests.fetch_add(1, Ordering::Relaxed);
                reply.answer(b"{\"sealed\":\xff}".to_vec()).expect("it is short");
            }
            Event::Range { reply, .. } => {
                counts.ranges.fetch_add(1, Ordering::Relaxed);
                reply.answer(vec![7; RANGE_BYTES]).expect("it is short");
            }
            Event::Gossip { id, .. } => drop(network.judge(id, Verdict::Accept).await),
            _ => (),
        }
    }
}

#[test]
fn data_and_weights_are_got_from_honest_nodes_where_others_answer_with_garbage() {
    let Some(trade) = Trade::start("data_and_weights_are_got_from_honest_nodes") else { return };
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let threads = threads.expect("there are threads");
    let Trade { scene, requester, provider } = &trade;
    let peers = [requester.peer(), provider.peer()];
    let of_requester = Garbage::start(scene, &threads, requester, &peers, 0x31);
    let of_provider = Garbage::start(scene, &threads, provider, &peers, 0x81);
    // Nodes in the register may ask as parties do, once it was read.
    let seen = scene.block();
    scene.until("a block later", || scene.block() > seen + 4);
    let job = trade.post();
    for (garbage, member) in [(&of_requester, provider), (&of_provider, requester)] {
        for answer in garbage.asks(&threads, member.peer(), member.address()) {
            assert!(answer.contains("not a message of this version"), "{answer}");
        }
    }
    let is_trained = || provider.facts(job).is_some_and(|facts| facts.trained() == SEGMENTS);
    scene.until("the provider is ready", is_trained);
    // The turn to start is that of its account's other node, which does nothing for a minute.
    scene.until("it starts all the same", || {
        scene.pass(5);
        scene.is(job, State::Running)
    });
    trade.completes(job);
    for (garbage, of) in [(&of_requester, "requester"), (&of_provider, "provider")] {
        let Counts { requests, ranges } = &*garbage.counts;
        assert!(requests.load(Ordering::Relaxed) > 0, "the {of}'s other node is asked where things are");
        assert!(ranges.load(Ordering::Relaxed) > 0, "the {of}'s other node is asked for ranges");
    }
    threads.shutdown_timeout(Duration::from_secs(1));
}
