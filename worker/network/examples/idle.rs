//! What a node at rest costs that is connected with twenty peers, which run in a process of their own.
//!
//! `cargo run --release -p gradproof-network --example idle`
#![expect(clippy::print_stdout, reason = "this program prints a table")]

mod process;

use std::{
    error::Error,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use gradproof_network::{Config, Identity, Multiaddr, Network, PeerId};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const PEERS: u8 = 20;
/// So that mesh, records and identify have settled.
const SETTLING: Duration = Duration::from_secs(10);
const MEASURED: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() == Some("peers") { peers().await } else { measure().await }
}

async fn start(number: u8) -> Result<(Network, gradproof_network::Events)> {
    let mut config = Config::local(Identity::from_secret([number; 32])?, "idle");
    config.target_peers = 0;
    Ok(Network::start(config).await?)
}

async fn peers() -> Result<()> {
    let mut running = vec![];
    for number in 1..=PEERS {
        let (network, mut events) = start(number).await?;
        network.admit(Identity::from_secret([100; 32])?.peer_id()).await?;
        println!("{} {}", network.peer_id(), network.listening().await?[0]);
        tokio::spawn(async move { while events.next().await.is_some() {} });
        running.push(network);
    }
    std::future::pending().await
}

async fn measure() -> Result<()> {
    let (network, mut events) = start(100).await?;
    println!("{:<32} {:>8.1} MiB", "resident before", process::resident_mib()?);
    let mut child = Command::new(std::env::current_exe()?).arg("peers").stdout(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stdout.take().ok_or("the peers have no output")?).lines();
    for line in lines.take(PEERS.into()) {
        let line = line?;
        let (peer, address) = line.split_once(' ').ok_or("a line without an address")?;
        let (peer, address): (PeerId, Multiaddr) = (peer.parse()?, address.parse()?);
        network.admit(peer).await?;
        network.dial(peer, vec![address]).await?;
    }
    tokio::spawn(async move { while events.next().await.is_some() {} });
    tokio::time::sleep(SETTLING).await;
    let before = process::busy()?;
    tokio::time::sleep(MEASURED).await;
    let share = (process::busy()? - before).as_secs_f64() / MEASURED.as_secs_f64();
    println!("{:<32} {:>8}", "peers connected", network.connected().await?.len());
    println!("{:<32} {:>8}", "address records", network.records().len());
    println!("{:<32} {:>8.1} MiB", "resident", process::resident_mib()?);
    println!("{:<32} {:>8.2} % of a core", "processor", 100.0 * share);
    child.kill()?;
    child.wait()?;
    Ok(())
}
