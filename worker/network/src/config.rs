use libp2p::Multiaddr;

use crate::{
    Error, Identity,
    limits::{MAX_ADDRESSES, MAX_TOPIC_BYTES, TARGET_PEERS},
    record::is_dialable,
};

/// How a network is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// The key of this peer.
    pub identity: Identity,
    /// Where to listen, such as `/ip4/0.0.0.0/udp/4001/quic-v1` or `/ip4/127.0.0.1/tcp/0`.
    pub listen: Vec<Multiaddr>,
    /// Where others reach this peer, for its address record. Without any, the record names the addresses that it listens on.
    pub external: Vec<Multiaddr>,
    /// What gossip is about: chain and market. Peers with another topic hear nothing of each other.
    pub topic: String,
    /// Name and version of the program, as others see it.
    pub agent: String,
    /// Connections with admitted peers that the network keeps up by itself.
    pub target_peers: usize,
}

impl Config {
    /// Returns a configuration that listens on this machine only, on free ports of QUIC and TCP.
    pub fn local(identity: Identity, topic: &str) -> Self {
        let listen = ["/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"];
        Self {
            identity,
            listen: listen.iter().filter_map(|address| address.parse().ok()).collect(),
            external: vec![],
            topic: topic.to_owned(),
            agent: concat!("gradproof/", env!("CARGO_PKG_VERSION")).to_owned(),
            target_peers: TARGET_PEERS,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let refused = |key, reason: String| Err(Error::Config { key, reason });
        if self.listen.len() > MAX_ADDRESSES {
            return refused("listen", format!("{} addresses, of at most {MAX_ADDRESSES}", self.listen.len()));
        }
        if self.external.len() > MAX_ADDRESSES {
            return refused("external", format!("{} addresses, of at most {MAX_ADDRESSES}", self.external.len()));
        }
        if let Some(address) = self.external.iter().find(|address| !is_dialable(address)) {
            return refused("external", Error::Address { address: address.clone() }.to_string());
        }
        if self.topic.is_empty() || self.topic.len() > MAX_TOPIC_BYTES {
            return refused("topic", format!("{} bytes, of 1 to {MAX_TOPIC_BYTES}", self.topic.len()));
        }
        Ok(())
    }
}
