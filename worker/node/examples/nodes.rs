//! What a whole node takes at rest, and how fast a blob of 1 GiB comes from three nodes, checked and on the disk.
//!
//! `cargo run --release -p gradproof-node --example nodes`; it needs the tools of the contracts, and 5 GB of disk.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this program measures, and prints a table"
)]

#[path = "../../network/examples/plain/mod.rs"]
mod plain;
#[path = "../../network/examples/process/mod.rs"]
mod process;
#[expect(dead_code, reason = "tests use the rest")]
#[path = "../tests/nodes/scene.rs"]
mod scene;
#[expect(dead_code, reason = "tests use the rest")]
#[path = "../tests/nodes/workshop.rs"]
mod workshop;

use std::error::Error;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gradproof_blobs::Root;
use gradproof_chain::market::Deployment;
use gradproof_chain::market::account::{Node as Entry, register, roles};
use gradproof_chain::{B256, PrivateKeySigner};
use gradproof_node::config::{Config, Datasets, ProviderConfig};
use gradproof_node::facts::Role;
use gradproof_node::home::{Accounts, Home};
use gradproof_node::live::{Node, Setup, download, encryption_public_key, peer_id};

use crate::scene::Scene;
use crate::workshop::Shop;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const GIB: u64 = 1 << 30;
/// Nodes that have the blob.
const SERVING: u8 = 3;
/// How long a node rests before it is measured, and how long it is measured.
const SETTLING: Duration = Duration::from_secs(10);
const MEASURED: Duration = Duration::from_secs(60);
/// Between two blocks of the chain.
const BLOCK: Duration = Duration::from_secs(2);
/// Bytes of a range with its hashes, as the plain stream moves them.
const RANGE_BYTES: usize = (1 << 20) + 64 * 64;

/// The account whose nodes all are: what they may ask each other is not what is measured.
fn accounts() -> Accounts {
    let key = |byte| PrivateKeySigner::from_bytes(&B256::repeat_byte(byte)).expect("a valid key");
    Accounts::new(key(0x41), key(0x42))
}

fn setup(folder: &Path, url: &str, deployment: Deployment, number: u8) -> Result<Setup> {
    let keys = folder.join("keys");
    std::fs::create_dir_all(&keys)?;
    for (name, offset) in [("peer.key", 0x50), ("encryption.key", 0x60)] {
        std::fs::write(keys.join(name), format!("{}\n", B256::repeat_byte(offset + number)))?;
    }
    let config = Config {
        role: Role::Provider,
        endpoints: vec![url.to_owned()],
        deployment: folder.join("deployment.json"),
        listen: vec!["/ip4/127.0.0.1/udp/0/quic-v1".into(), "/ip4/127.0.0.1/tcp/0".into()],
        announce: vec![],
        confirmations: 2,
        most_gas_price: 200_000_000_000,
        disk_bytes: 2 * GIB,
        metrics: None,
        provider: Some(ProviderConfig {
            least_price: 1,
            most_bond: 1,
            jobs: 1,
            draws: false,
            validators: vec![],
            datasets: Datasets::NONE,
            member: None,
        }),
        requester: None,
        data_owner: None,
        validator: None,
    };
    let workshop = Arc::new(Shop(Arc::default()));
    Ok(Setup { home: Home::at(folder), config, deployment, accounts: accounts(), workshop })
}

/// A node, which is entered in the register.
async fn start(folder: &Path, url: &str, deployment: &Deployment, number: u8) -> Result<Node> {
    let setup = setup(folder, url, deployment.clone(), number)?;
    let home = setup.home.clone();
    let node = Node::start(setup).await?;
    let id = peer_id(&home)?;
    let listening = node.shared().network.listening().await?;
    let addresses: Vec<String> = listening.iter().map(|address| format!("{address}/p2p/{id}")).collect();
    let peer = PrivateKeySigner::from_bytes(&home.peer_key()?)?;
    let entry = Entry {
        peer: &peer,
        hot: accounts().hot.address(),
        roles: roles::PROVIDER,
        encryption_key: encryption_public_key(&home)?,
        addresses: &addresses.join(" "),
    };
    let client = gradproof_chain::Client::connect(url, accounts().require_account()?.clone()).await?;
    register(&client, deployment, &entry).await?;
    Ok(node)
}

/// The node that is measured, in a process of its own.
async fn measured(folder: &Path, url: &str, deployment: &Deployment, root: Root) -> Result<()> {
    let node = start(folder, url, deployment, 0).await?;
    let shared = node.shared().clone();
    tokio::spawn(node.run(std::future::pending(), None));
    while shared.network.connected().await?.len() < usize::from(SERVING) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(SETTLING).await;
    let before = process::busy()?;
    tokio::time::sleep(MEASURED).await;
    let share = (process::busy()? - before).as_secs_f64() / MEASURED.as_secs_f64();
    let idle = process::resident_mib()?;
    println!("{:<52} {idle:>8.1} MiB", "a node at rest with 3 peers, resident");
    println!("{:<52} {:>8.2} % of a core", "a node at rest with 3 peers, processor", 100.0 * share);
    let plain = plain::rate(1024, RANGE_BYTES).await?;
    let done = Arc::new(AtomicBool::new(false));
    let watching = {
        let done = done.clone();
        std::thread::spawn(move || {
            let mut most = 0f64;
            while !done.load(Ordering::Relaxed) {
                most = most.max(process::resident_mib().unwrap_or_default());
                std::thread::sleep(Duration::from_millis(20));
            }
            most
        })
    };
    let peers: Vec<_> = shared.network.connected().await?.into_iter().map(|connected| connected.peer).collect();
    let begin = Instant::now();
    download(&shared, root, GIB, &peers).await?;
    shared.blobs.sync()?;
    let rate = GIB as f64 / begin.elapsed().as_secs_f64() / 1e6;
    done.store(true, Ordering::Relaxed);
    let most = watching.join().map_err(|_| "the watcher panicked")?;
    let again = plain::rate(1024, RANGE_BYTES).await?;
    println!("{:<52} {plain:>8.0} MB/s, again {again:.0} MB/s", "a plain QUIC stream");
    println!(
        "{:<52} {rate:>8.0} MB/s, {:.2} of the plain stream",
        "1 GiB from 3 nodes, checked, on the disk",
        rate / plain
    );
    println!("{:<52} {:>8.1} MiB above the rest", "memory meanwhile", most - idle);
    Ok(())
}

/// Bytes of which no two ranges are alike.
struct Bytes(u64);

impl Read for Bytes {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        for word in out.chunks_mut(8) {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            word.copy_from_slice(&self.0.to_le_bytes()[..word.len()]);
        }
        Ok(out.len())
    }
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [folder, url, deployment, root] = &arguments[..] {
        let deployment: Deployment = serde_json::from_slice(&std::fs::read(deployment)?)?;
        return runtime.block_on(measured(Path::new(folder), url, &deployment, root.parse()?));
    }
    let scene = Scene::start("nodes").ok_or("the tools of the contracts are missing")?;
    let folder = tempfile::tempdir()?;
    scene.endow(accounts().owner(), 0);
    let mut root = None;
    for number in 1..=SERVING {
        let home = folder.path().join(number.to_string());
        let node = runtime.block_on(start(&home, scene.url(), &scene.deployment, number))?;
        root = Some(node.shared().blobs.add(&mut Bytes(7).take(GIB))?);
        runtime.spawn(node.run(std::future::pending(), None));
    }
    let path = folder.path().join("deployment.json");
    std::fs::write(&path, serde_json::to_vec(&scene.deployment)?)?;
    let mut child = Command::new(std::env::current_exe()?)
        .args([folder.path().join("measured").as_os_str(), scene.url().as_ref(), path.as_os_str()])
        .arg(root.ok_or("there are nodes")?.to_string())
        .stdin(Stdio::null())
        .spawn()?;
    loop {
        if let Some(status) = child.try_wait()? {
            runtime.shutdown_background();
            return if status.success() { Ok(()) } else { Err(format!("{status}").into()) };
        }
        scene.mine(1);
        std::thread::sleep(BLOCK);
    }
}
