//! How fast ranges travel over loopback, next to a plain QUIC stream of the same machine in the same run.
//!
//! `cargo run --release -p gradproof-network --example throughput`
#![expect(clippy::print_stdout, reason = "this program prints a table")]

mod plain;

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use gradproof_network::{Config, Event, Events, Identity, Network, PeerId, address_of};
use tokio::task::JoinSet;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// 1 MiB and its hashes.
const RANGE_BYTES: usize = 1024 * 1024 + 64 * 64;
const RANGES: u32 = 1024;
const WITHIN: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<()> {
    let plain = plain::rate(RANGES, RANGE_BYTES).await?;
    println!("{:<40} {:>8.0} MB/s", "a plain QUIC stream", plain);
    for transport in ["quic-v1", "tcp"] {
        for (peers, window) in [(1, 4), (1, 8), (3, 4), (3, 8)] {
            let rate = ranges(transport, peers, window).await?;
            let what = format!("{transport}, {peers} peers, {window} ranges each in flight");
            println!("{what:<40} {rate:>8.0} MB/s  {:.2} of the plain stream", rate / plain);
        }
    }
    println!("{:<40} {:>8.0} MB/s", "a plain QUIC stream, again", plain::rate(RANGES, RANGE_BYTES).await?);
    Ok(())
}

fn rate(started: Instant) -> f64 {
    RANGES as f64 * RANGE_BYTES as f64 / started.elapsed().as_secs_f64() / 1e6
}

async fn start(number: u8, transport: &str) -> Result<(Network, Events)> {
    let mut config = Config::local(Identity::from_secret([number; 32])?, "throughput");
    config.listen.retain(|address| address.to_string().contains(transport));
    config.target_peers = 0;
    Ok(Network::start(config).await?)
}

async fn ranges(transport: &str, peers: u8, window: usize) -> Result<f64> {
    let (network, _events) = start(100, transport).await?;
    let mut serving = vec![];
    for number in 1..=peers {
        let (peer, events) = start(number, transport).await?;
        peer.admit(network.peer_id()).await?;
        peer.set_parties(address_of(&network.peer_id()).into_iter().collect());
        network.admit(peer.peer_id()).await?;
        network.dial(peer.peer_id(), peer.listening().await?).await?;
        tokio::spawn(serve(events));
        serving.push(peer);
    }
    let next = Arc::new(AtomicU32::new(0));
    let started = Instant::now();
    let mut fetching = JoinSet::new();
    for peer in &serving {
        for _ in 0..window {
            fetching.spawn(fetch(network.clone(), peer.peer_id(), next.clone()));
        }
    }
    while let Some(fetched) = fetching.join_next().await {
        fetched??;
    }
    let rate = rate(started);
    for peer in serving {
        peer.shutdown().await;
    }
    network.shutdown().await;
    Ok(rate)
}

async fn fetch(network: Network, peer: PeerId, next: Arc<AtomicU32>) -> Result<()> {
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        if index >= RANGES {
            return Ok(());
        }
        let range = network.range(peer, [1; 32], index, WITHIN).await?;
        assert_eq!(range.len(), RANGE_BYTES);
    }
}

async fn serve(mut events: Events) -> Result<()> {
    let range = vec![7; RANGE_BYTES];
    while let Some(event) = events.next().await {
        if let Event::Range { reply, .. } = event {
            reply.answer(range.clone())?;
        }
    }
    Ok(())
}
