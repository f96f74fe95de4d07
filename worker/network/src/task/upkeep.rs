//! What the network does by itself: its own record, those of others, connections with admitted peers.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Instant,
};

use libp2p::PeerId;
use tokio::sync::mpsc;

use super::Task;
use crate::{
    Error, SignedRecord, Standing,
    ask::ask,
    commands::{Command, locked, now_secs, since_1970},
    exchange::{decode_page, encode_page_request},
    frame::Answer,
    limits::{
        DIALS_PER_UPKEEP, MAX_ADDRESSES, MAX_PAGES, MAX_REDIAL, RECORD_LIFE_SECS, RECORD_RENEWAL, REDIAL, SYNC,
        SYNC_AGAIN, SYNC_RETRY,
    },
    protocol::Wire,
    record::is_dialable,
};

/// What came of asking a peer for its address records.
pub(super) struct Synced {
    peer: PeerId,
    records: Result<Vec<SignedRecord>, Error>,
}

/// When a peer that could not be reached is dialled again.
#[derive(Default)]
pub(super) struct Redial {
    failures: u32,
    next: Option<Instant>,
}

impl Redial {
    pub(super) fn failed(&mut self, now: Instant) {
        // Doubled at most sixteen times, which is far above the longest wait.
        let wait = REDIAL.saturating_mul(1 << self.failures.min(16)).min(MAX_REDIAL);
        self.failures = self.failures.saturating_add(1);
        self.next = Some(now + wait);
    }

    fn is_due(&self, now: Instant) -> bool {
        self.next.is_none_or(|next| next <= now)
    }
}

impl Task {
    pub(super) fn upkeep(&mut self) {
        let now = Instant::now();
        locked(&self.book).expire(now_secs());
        if self.renewed.is_none_or(|renewed| renewed + RECORD_RENEWAL <= now) {
            self.renew_record();
        }
        self.publish_record();
        self.sync_due(now);
        self.dial_due(now);
        self.notice_alone();
    }

    /// Signs the record of this peer anew, with where it is now.
    pub(super) fn renew_record(&mut self) {
        self.renewed = Some(Instant::now());
        let addresses = if self.external.is_empty() {
            let own = self.swarm.listeners().filter(|address| is_dialable(address));
            own.take(MAX_ADDRESSES).cloned().collect()
        } else {
            self.external.clone()
        };
        // Greater than before a restart, which remembers nothing but has a clock.
        let milliseconds = u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX);
        self.sequence = milliseconds.max(self.sequence.saturating_add(1));
        let now = now_secs();
        let signed = SignedRecord::sign(&self.identity, self.sequence, now + RECORD_LIFE_SECS, addresses);
        let inserted = signed.and_then(|record| locked(&self.book).insert(record, now, |_| true));
        match inserted {
            Ok(_) => self.record_due = true,
            Err(error) => tracing::warn!(%error, "the address record of this node cannot be made"),
        }
    }

    /// Sends the record of this peer to those who listen, if there are some who have not heard it.
    fn publish_record(&mut self) {
        if !std::mem::take(&mut self.record_due) {
            return;
        }
        let record = locked(&self.book).record(&self.identity.peer_id()).map(|record| record.bytes().to_vec());
        let Some(bytes) = record else { return };
        let topic = self.topics.records.clone();
        if let Err(error) = self.publish(topic, bytes) {
            // Whoever begins to listen makes it due again.
            tracing::debug!(%error, "the address record of this node is not published");
        }
    }

    fn sync_due(&mut self, now: Instant) {
        let Some(commands) = self.own_commands.upgrade() else { return };
        let gate = locked(&self.gate);
        for (peer, entry) in &mut self.peers {
            let due = entry.sync.is_some_and(|next| next <= now);
            if due && gate.standing(peer) == Standing::Known {
                entry.sync = None;
                self.syncs.spawn(sync(commands.clone(), *peer));
            }
        }
    }

    pub(super) fn on_synced(&mut self, Synced { peer, records }: Synced) {
        let now = Instant::now();
        let (next, is_first) = match &records {
            Ok(_) => (now + SYNC_AGAIN, self.peers.get(&peer).is_some_and(|entry| !entry.synced)),
            Err(Error::Malformed { .. } | Error::Record { .. } | Error::NoCommonVersion { .. }) => {
                (now + SYNC_AGAIN, false)
            }
            Err(_) => (now + SYNC_RETRY, false),
        };
        if let Err(error) = &records {
            tracing::debug!(%peer, %error, "the address records of a peer did not come");
        }
        if let Some(entry) = self.peers.get_mut(&peer) {
            entry.sync = Some(next);
            entry.synced |= is_first;
        }
        // A peer that answers has admitted us, and so listens to us from now on.
        self.record_due |= is_first;
        for record in records.unwrap_or_default() {
            let of = record.peer();
            if let Err(error) = self.insert(record) {
                tracing::trace!(peer = %of, %error, "an address record is not taken");
            }
        }
    }

    /// Dials admitted peers until enough are connected.
    fn dial_due(&mut self, now: Instant) {
        let connected = self.connected_known();
        let wanted = self.target_peers.saturating_sub(connected + self.dialling.len()).min(DIALS_PER_UPKEEP);
        if wanted == 0 {
            return;
        }
        let own = self.identity.peer_id();
        let mut candidates: Vec<PeerId> = {
            let (gate, book) = (locked(&self.gate), locked(&self.book));
            gate.admitted()
                .filter(|peer| **peer != own && !self.peers.contains_key(*peer))
                .filter(|peer| self.redials.get(*peer).is_none_or(|redial| redial.is_due(now)))
                .filter(|peer| !self.dialling.values().any(|dialled| dialled == *peer))
                .filter(|peer| !book.addresses(peer, now_secs()).is_empty())
                .copied()
                .collect()
        };
        // Another order for each node: else all of them would dial the same few.
        candidates.sort_by_cached_key(|peer| distance(&own, peer));
        for peer in candidates.into_iter().take(wanted) {
            if let Err(error) = self.dial(peer, vec![]) {
                tracing::debug!(%peer, %error, "a peer cannot be dialled");
                self.redials.entry(peer).or_default().failed(now);
            }
        }
        // Failures are remembered of those only who are admitted, so that the list is bounded.
        let gate = locked(&self.gate);
        self.redials.retain(|peer, _| gate.standing(peer) == Standing::Known);
    }

    fn connected_known(&self) -> usize {
        let gate = locked(&self.gate);
        self.peers.keys().filter(|peer| gate.standing(peer) == Standing::Known).count()
    }

    /// Says once when the last admitted peer is gone, and once when there is one again.
    fn notice_alone(&mut self) {
        let alone = self.connected_known() == 0;
        match (self.alone, alone) {
            (Some(false), true) => tracing::info!("no registered node is connected"),
            (None | Some(true), false) => tracing::info!("registered nodes are connected"),
            _ => {}
        }
        self.alone = Some(alone);
    }
}

fn distance(own: &PeerId, peer: &PeerId) -> u64 {
    let mut hasher = DefaultHasher::new();
    (own.to_bytes(), peer.to_bytes()).hash(&mut hasher);
    hasher.finish()
}

/// Asks a peer for all of its address records, a page at a time.
async fn sync(commands: mpsc::Sender<Command>, peer: PeerId) -> Synced {
    Synced { peer, records: pages(&commands, peer).await }
}

async fn pages(commands: &mpsc::Sender<Command>, peer: PeerId) -> Result<Vec<SignedRecord>, Error> {
    let mut records: Vec<SignedRecord> = Vec::new();
    for _ in 0..MAX_PAGES {
        let request = encode_page_request(records.last().map(SignedRecord::peer).as_ref());
        let page = match ask(commands, peer, Wire::Records, &request, SYNC).await? {
            Answer::Bytes(page) => decode_page(&page)?,
            Answer::Busy => return Err(Error::Busy { peer }),
            Answer::Refused(reason) => return Err(Error::Refused { peer, reason }),
            Answer::NotHere => {
                return Err(Error::Malformed { peer, reason: "address records are not here".to_owned() });
            }
        };
        if page.is_empty() {
            return Ok(records);
        }
        records.extend(page);
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_cannot_be_reached_is_dialled_less_and_less_often() {
        let (mut redial, now) = (Redial::default(), Instant::now());
        assert!(redial.is_due(now));
        for wait in [REDIAL, 2 * REDIAL, 4 * REDIAL] {
            redial.failed(now);
            assert!(!redial.is_due(now + wait / 2) && redial.is_due(now + wait));
        }
        for _ in 0..100 {
            redial.failed(now);
        }
        assert!(redial.is_due(now + MAX_REDIAL));
    }
}
