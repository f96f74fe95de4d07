//! Who is who: the entries of the register of nodes, from its events.

use std::collections::BTreeMap;

use gradproof_chain::market::NodeRegistry::{Node, NodeRegistered};
use gradproof_chain::{Address, B256};
use gradproof_network::limits::MAX_ADDRESSES;
use gradproof_network::{Multiaddr, PeerId, address_of};
use serde::{Deserialize, Serialize};

/// Most nodes that are remembered: with 512 bytes of addresses each, 16 MB at most.
pub const MAX_ENTRIES: usize = 16_384;

/// A node's entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Address of its peer key.
    pub peer: Address,
    /// The account whose node it is.
    pub owner: Address,
    /// A key that acts for the owner where no money leaves.
    pub hot: Address,
    /// What the owner does: bits of [`roles`](gradproof_chain::market::account::roles).
    pub roles: u8,
    /// What others encrypt to.
    pub encryption_key: B256,
    /// Where it is reached.
    pub addresses: String,
}

impl Entry {
    /// What an event says.
    pub fn of(event: &NodeRegistered) -> Self {
        Self {
            peer: event.peer,
            owner: event.owner,
            hot: event.hot,
            roles: event.roles,
            encryption_key: event.encryptionKey,
            addresses: event.addresses.clone(),
        }
    }

    /// What the register says of a peer.
    pub fn in_register(peer: Address, node: Node) -> Self {
        let Node { owner, hot, roles, encryptionKey, addresses } = node;
        Self { peer, owner, hot, roles, encryption_key: encryptionKey, addresses }
    }

    /// Its peer: the one that its addresses name, if the key of that has the entry's address.
    pub fn peer_id(&self) -> Option<PeerId> {
        let named =
            self.addresses.split_whitespace().filter_map(|address| address.rsplit_once("/p2p/")?.1.parse().ok());
        named.into_iter().find(|peer| address_of(peer) == Some(self.peer.into_array()))
    }

    /// Where it is reached, without the peer's id.
    pub fn places(&self) -> Vec<Multiaddr> {
        let bare = self.addresses.split_whitespace().filter_map(|address| address.rsplit_once("/p2p/"));
        bare.filter_map(|(address, _)| address.parse().ok()).take(MAX_ADDRESSES).collect()
    }
}

/// All entries.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    entries: BTreeMap<Address, Entry>,
}

impl Directory {
    /// Takes an entry, new or changed; `false` if there is no room for it.
    pub fn enter(&mut self, entry: Entry) -> bool {
        if self.entries.len() >= MAX_ENTRIES && !self.entries.contains_key(&entry.peer) {
            return false;
        }
        self.entries.insert(entry.peer, entry);
        true
    }

    /// Forgets the entry of a peer, which it had.
    pub fn remove(&mut self, peer: Address) -> Option<Entry> {
        self.entries.remove(&peer)
    }

    /// The entry of a peer.
    pub fn get(&self, peer: Address) -> Option<&Entry> {
        self.entries.get(&peer)
    }

    /// All entries, by the addresses of their peers.
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The nodes of an owner.
    pub fn of_owner(&self, owner: Address) -> impl Iterator<Item = &Entry> {
        self.all().filter(move |entry| entry.owner == owner)
    }
}

#[cfg(test)]
mod tests {
    use gradproof_network::Identity;

    use super::*;

    fn entry(addresses: &str) -> Entry {
        let peer = Identity::from_secret([1; 32]).expect("a key").peer_id();
        let peer = Address::from(address_of(&peer).expect("it has one"));
        let (owner, encryption_key) = (Address::ZERO, B256::ZERO);
        Entry { peer, owner, hot: owner, roles: 1, encryption_key, addresses: addresses.into() }
    }

    #[test]
    fn an_entry_names_its_own_peer_only() {
        let own = Identity::from_secret([1; 32]).expect("a key").peer_id();
        let other = Identity::from_secret([2; 32]).expect("a key").peer_id();
        let good = entry(&format!("/ip4/127.0.0.1/tcp/1/p2p/{other} /ip4/127.0.0.1/udp/2/quic-v1/p2p/{own}"));
        assert_eq!(good.peer_id(), Some(own));
        assert_eq!(good.places().len(), 2);
        for bad in ["", "/ip4/127.0.0.1/tcp/1", "garbage /p2p/x", &format!("/ip4/127.0.0.1/tcp/1/p2p/{other}")] {
            assert_eq!(entry(bad).peer_id(), None, "{bad}");
        }
        assert_eq!(
            entry(&format!("{} ", format!("/ip4/1.2.3.4/tcp/1/p2p/{own} ").repeat(99))).places().len(),
            MAX_ADDRESSES
        );
    }
}
