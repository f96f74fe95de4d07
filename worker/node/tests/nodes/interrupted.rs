//! A download that is interrupted, as by kill -9: the next start asks for what is missing, and for little of what came.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use alloy::primitives::keccak256;
use gradproof_blobs::{Root, Store};
use gradproof_chain::{B256, PrivateKeySigner};
use gradproof_network::{Config, Event, Events, Identity, Network, Verdict};
use gradproof_node::facts::{Facts, Role};
use gradproof_node::live::{Shared, download};
use tokio::runtime::{Builder, Runtime};

use crate::member::Member;
use crate::scene::Scene;

/// Ranges of the blob, of 1 MiB each.
const RANGES: usize = 24;
/// Ranges that are there when the process ends.
const BEFORE: usize = 10;
/// Ranges that may be sent twice: those that were under way.
const IN_FLIGHT: usize = 8;
/// How long a range takes, so that a process can end between two of them.
const PAUSE: Duration = Duration::from_millis(20);

/// Answers questions for ranges from a store, and counts them.
async fn answer(network: Network, mut events: Events, store: Arc<Store>, sent: Arc<AtomicUsize>) {
    while let Some(event) = events.next().await {
        match event {
            Event::Range { root, index, reply, .. } => {
                tokio::time::sleep(PAUSE).await;
                sent.fetch_add(1, Ordering::Relaxed);
                // Whoever asked may be gone.
                let _ = reply.answer(store.read_range(Root::new(root), index).expect("it has the blob"));
            }
            Event::Gossip { id, .. } => drop(network.judge(id, Verdict::Accept).await),
            _ => (),
        }
    }
}

fn threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("there are threads")
}

#[test]
fn a_restart_fetches_at_most_what_was_in_flight_again() {
    let Some(scene) = Scene::start("a_restart_fetches_at_most_what_was_in_flight") else { return };
    let (mut node, other) = (Member::provider(&scene, 0x21), Member::requester(&scene, 0x11));
    node.start(&scene);
    let (folder, serving, sent) = (tempfile::tempdir().expect("a folder"), threads(), Arc::new(AtomicUsize::new(0)));
    let store = Arc::new(Store::open(folder.path(), 1 << 30).expect("it is opened"));
    let content: Vec<u8> = (0..RANGES << 20).map(|place| (place >> 9) as u8 ^ place as u8).collect();
    let root = store.add(&mut content.as_slice()).expect("it is added");
    let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(0x71)).expect("a valid key");
    let identity = Identity::from_secret(key.to_bytes().0).expect("a valid key");
    let (network, events) = serving.block_on(Network::start(Config::local(identity, "ranges"))).expect("it listens");
    let addresses = serving.block_on(network.listening()).expect("it listens");
    let named: Vec<String> = addresses.iter().map(|address| format!("{address}/p2p/{}", network.peer_id())).collect();
    serving.block_on(network.admit(node.peer())).expect("there is room");
    serving.spawn(answer(network.clone(), events, store, sent.clone()));
    other.enter_other(&scene, &key, keccak256("a key that nobody has"), &named.join(" "));
    let peer = network.peer_id();
    let knows = |node: &Member| {
        let shared = node.shares();
        scene.until("it is connected", || {
            let connected = scene.chain.wait(shared.network.connected()).expect("the network runs");
            connected.iter().any(|connected| connected.peer == peer)
        });
    };
    knows(&node);
    // A job needs the blob: else the next start removes what is there.
    let job = B256::repeat_byte(9);
    node.shared().store.begin(job, &Facts { had: true, ..Facts::new(Role::Provider) }).expect("it is stored");
    node.shared().store.need_for(job, "parcel", B256::from(*root.bytes()), &[]).expect("it is stored");
    let fetch = |shared: Arc<Shared>| async move { download(&shared, root, (RANGES << 20) as u64, &[peer]).await };
    let missing = |node: &Member| node.shared().blobs.missing(root).map_or(RANGES, |missing| missing.len());

    let fetching = threads();
    fetching.spawn(fetch(node.shares()));
    while missing(&node) > RANGES - BEFORE {
        thread::sleep(PAUSE / 4);
    }
    fetching.shutdown_timeout(Duration::ZERO);
    node.kill();
    node.start(&scene);
    knows(&node);
    let left = missing(&node);
    assert!(left <= RANGES - BEFORE, "{left} of {RANGES} ranges are missing");
    let fetching = threads();
    fetching.block_on(fetch(node.shares())).expect("it comes");
    assert_eq!(missing(&node), 0);
    let twice = sent.load(Ordering::Relaxed) - RANGES;
    assert!(twice <= IN_FLIGHT, "{twice} ranges were sent twice");
    // What another process of the machine reads is what was added.
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut node.shared().blobs.reader(root).expect("it is whole"), &mut read)
        .expect("it is read");
    assert!(read == content);
}
