//! The register of nodes as this node knows it: in memory, in the store, and among the peers that are admitted.

use std::collections::BTreeSet;

use gradproof_chain::market::NodeRegistry::{Node, NodeRegistered, NodeRemoved, nodeCall};
use gradproof_chain::{Address, At, Reader, Sight};
use tracing::debug;

use super::desk::Desk;
use super::hands::Hands;
use super::position::Position;
use crate::NodeError;
use crate::directory::Entry;
use crate::store::Record;

/// Records of entries, by their peers.
const REGISTER: &str = "register/";
/// Doubtful entries that are read after a block: a question each.
const DOUBTS: usize = 64;

/// Entries that are not stored as they are.
#[derive(Debug, Default)]
pub(super) struct Register {
    changed: BTreeSet<Address>,
}

impl Register {
    /// Takes the entries that are stored.
    pub async fn load(desk: &Desk, hands: &mut impl Hands) -> Result<Self, NodeError> {
        for (_, record) in desk.store.records(REGISTER)? {
            let entry: Entry = serde_json::from_slice(&record).map_err(NodeError::storing)?;
            let peer = entry.peer;
            desk.directory().enter(entry);
            admit(desk, peer, hands).await;
        }
        Ok(Self::default())
    }

    /// Takes an entry, new or changed.
    pub async fn enter(&mut self, desk: &Desk, event: &NodeRegistered, hands: &mut impl Hands) {
        self.put(desk, Entry::of(event), hands).await;
    }

    /// Forgets an entry that was removed.
    pub async fn remove(&mut self, desk: &Desk, event: &NodeRemoved, hands: &mut impl Hands) {
        self.forget(desk, event.peer, hands).await;
    }

    /// Forgets all entries.
    pub async fn clear(&mut self, desk: &Desk, hands: &mut impl Hands) {
        let peers: Vec<Address> = desk.directory().all().map(|entry| entry.peer).collect();
        for peer in peers {
            self.forget(desk, peer, hands).await;
        }
    }

    /// Reads the entries of peers whose events were undone. One that the endpoints do not agree on is none until they do.
    pub async fn settle(
        &mut self,
        desk: &Desk,
        sight: &Sight,
        position: &mut Position,
        hands: &mut impl Hands,
    ) -> Result<(), NodeError> {
        let register = desk.deployment.nodes.address;
        let doubtful: Vec<Address> = position.doubtful.iter().take(DOUBTS).copied().collect();
        for peer in doubtful {
            let read = |at: At| async move { at.ask(register, &nodeCall { peer }).await };
            let entry: Option<Node> = desk.endpoints.read(&sight.common, read).await?.agreed();
            match entry {
                None => {
                    self.forget(desk, peer, hands).await;
                    continue;
                }
                Some(entry) if entry.owner.is_zero() => self.forget(desk, peer, hands).await,
                Some(entry) => self.put(desk, Entry::in_register(peer, entry), hands).await,
            }
            position.doubtful.remove(&peer);
        }
        Ok(())
    }

    /// What is to be stored since this was asked last.
    pub fn changes(&mut self, desk: &Desk) -> Result<Vec<Record>, NodeError> {
        let directory = desk.directory();
        let record = |peer: &Address| {
            let bytes = directory.get(*peer).map(serde_json::to_vec).transpose().map_err(NodeError::storing)?;
            Ok((format!("{REGISTER}{peer}"), bytes))
        };
        let records = self.changed.iter().map(record).collect();
        self.changed.clear();
        records
    }

    async fn put(&mut self, desk: &Desk, entry: Entry, hands: &mut impl Hands) {
        let peer = entry.peer;
        if desk.directory().get(peer) == Some(&entry) {
            return;
        }
        if desk.directory().enter(entry) {
            self.changed.insert(peer);
            admit(desk, peer, hands).await;
        }
    }

    async fn forget(&mut self, desk: &Desk, peer: Address, hands: &mut impl Hands) {
        let Some(entry) = desk.directory().remove(peer) else { return };
        self.changed.insert(peer);
        hands.dismiss(&entry).await;
    }
}

/// Admits the peer of an entry.
async fn admit(desk: &Desk, peer: Address, hands: &mut impl Hands) {
    let entry = desk.directory().get(peer).cloned();
    match entry.filter(|entry| entry.peer_id().is_some()) {
        Some(entry) => hands.admit(&entry).await,
        None => debug!("the entry of {peer} names no peer that could be reached"),
    }
}
