use std::{
    future::Future,
    time::{Duration, Instant},
};

pub use gradproof_network::Config;
use gradproof_network::{Event, Events, Identity, Multiaddr, Network, PeerId};

/// How long a condition may take. Generous: it ends a test that fails, not one that passes.
pub const DEADLINE: Duration = Duration::from_secs(60);

pub struct Node {
    pub network: Network,
    pub events: Events,
    pub peer: PeerId,
}

impl Node {
    pub async fn start(number: u32) -> Self {
        Self::with(config(number)).await
    }

    pub async fn with(config: Config) -> Self {
        let (network, events) = Network::start(config).await.unwrap();
        let peer = network.peer_id();
        Self { network, events, peer }
    }

    /// Admits another node and connects with it.
    pub async fn join(&self, other: &Node) {
        self.network.admit(other.peer).await.unwrap();
        other.network.admit(self.peer).await.unwrap();
        self.network.dial(other.peer, other.network.listening().await.unwrap()).await.unwrap();
    }

    /// Returns the next event that is no hint.
    pub async fn next(&mut self) -> Event {
        let next = async {
            loop {
                match self.events.next().await.expect("the network runs") {
                    Event::Connected { .. } | Event::Disconnected { .. } => {}
                    event => return event,
                }
            }
        };
        tokio::time::timeout(DEADLINE, next).await.expect("an event within the deadline")
    }

    /// Answers all requests and ranges from now on: with what was asked.
    pub fn echo(mut self) -> (Network, PeerId) {
        let (network, peer) = (self.network.clone(), self.peer);
        tokio::spawn(async move {
            // The whole node moves in here: without a handle its network would end.
            while let Some(event) = self.events.next().await {
                match event {
                    Event::Request { bytes, reply, .. } => reply.answer(bytes).unwrap(),
                    Event::Range { root, index, reply, .. } => {
                        reply.answer([root.as_slice(), &index.to_be_bytes()].concat()).unwrap();
                    }
                    _ => {}
                }
            }
            self.network.shutdown().await;
        });
        (network, peer)
    }
}

pub fn identity(number: u32) -> Identity {
    let mut secret = [9; 32];
    secret[28..].copy_from_slice(&number.to_be_bytes());
    Identity::from_secret(secret).unwrap()
}

/// A node that dials nobody by itself.
pub fn config(number: u32) -> Config {
    Config { target_peers: 0, ..Config::local(identity(number), "test") }
}

/// The configuration with one of its two transports only.
pub fn only(config: Config, transport: &str) -> Config {
    let listen = config.listen.iter().filter(|address| is(address, transport)).cloned().collect();
    Config { listen, ..config }
}

pub fn is(address: &Multiaddr, transport: &str) -> bool {
    address.to_string().contains(transport)
}

/// Waits until a condition holds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < DEADLINE, "{what} does not come true");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
