//! Which range to ask of which peer.
//!
//! A [`Schedule`] has no clock and no network. Its owner tells it what happened and when ([`Schedule::got`], [`Schedule::wrong`],
//! [`Schedule::failed`], …), and asks what to do next ([`Schedule::next`], [`Schedule::timed_out`]). Moments are durations since
//! any fixed one, and never go back.
//!
//! - Ranges are asked in their order, each of the peer that will probably have sent it first, by its measured rate and its standing.
//! - A peer that sends a wrong range is banned: nothing is asked of it for this blob, not even when it comes back.
//! - A peer that is silent for longer than its rate explains loses half of its rate and standing, and rests. So does one that
//!   fails several times in a row, in part. Neither is banned: it may be the only one that is honest.
//! - When nothing is left to ask, a range that takes longer than another peer would need is asked of that one as well.

mod peer;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use self::peer::Peer;
pub use self::peer::{Conduct, MAX_WINDOW};
use crate::BlobError;
use crate::ranges;

/// Most ranges of a blob that are under way: 8 MiB of memory, and at most so much is fetched again by a process that is killed. At
/// 100 ms there and back it is 80 MB/s.
pub const MAX_IN_FLIGHT: usize = 8;
/// Most peers of a blob: twice as many as can be asked at once, so that the slow ones may rest.
pub const MAX_PEERS: usize = 16;
/// Most peers that a schedule remembers as banned. Each has a stake on the chain; beyond it one is forgotten for each new one, which
/// costs at most one more wrong range.
pub const MAX_BANNED: usize = 1024;
/// Most peers that are asked for the same range.
const MAX_ASKED: usize = 2;
/// The rate of unknown peers as long as nobody's is known, in bytes a second.
const UNKNOWN_RATE: u64 = 1 << 20;

/// What to ask, and of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ask<P> {
    /// The peer.
    pub peer: P,
    /// The range.
    pub range: u32,
}

/// The plan by which the missing ranges of a blob are fetched.
#[derive(Clone, Debug)]
pub struct Schedule<P> {
    size: u64,
    /// Ranges that nobody is asked for.
    wanted: BTreeSet<u32>,
    /// Ranges that peers are asked for, since when; never more than [`MAX_ASKED`] of one range.
    asked: BTreeMap<u32, Vec<(P, Duration)>>,
    peers: BTreeMap<P, Peer>,
    banned: BTreeMap<P, Conduct>,
}

impl<P: Ord + Clone> Schedule<P> {
    /// The plan for these ranges of a blob of `size` bytes.
    ///
    /// # Errors
    /// If no blob has this size, or the blob has no such range.
    pub fn new(size: u64, missing: impl IntoIterator<Item = u32>) -> Result<Self, BlobError> {
        let count = ranges::count(size)?;
        let wanted: BTreeSet<u32> = missing.into_iter().collect();
        if let Some(index) = wanted.last().copied().filter(|last| *last >= count) {
            return Err(BlobError::NoSuchRange { index, ranges: count });
        }
        Ok(Self { size, wanted, asked: BTreeMap::new(), peers: BTreeMap::new(), banned: BTreeMap::new() })
    }

    /// True if nothing is left to get.
    pub fn is_done(&self) -> bool {
        self.wanted.is_empty() && self.asked.is_empty()
    }

    /// How many ranges are left to get.
    pub fn left_to_get(&self) -> usize {
        self.wanted.len() + self.asked.len()
    }

    /// How many requests are under way; a range that two peers are asked for counts twice.
    pub fn in_flight(&self) -> usize {
        self.asked.values().map(Vec::len).sum()
    }

    /// A peer may be asked from now on. False if it is banned, or there are [`MAX_PEERS`].
    pub fn joined(&mut self, peer: P) -> bool {
        if self.banned.contains_key(&peer) {
            return false;
        }
        if self.peers.contains_key(&peer) {
            return true;
        }
        let room = self.peers.len() < MAX_PEERS;
        if room {
            self.peers.insert(peer, Peer::new());
        }
        room
    }

    /// A peer is gone. What it was asked for is asked of others.
    pub fn left(&mut self, peer: &P) {
        if let Some(gone) = self.peers.remove(peer) {
            self.release(peer, gone.in_flight);
        }
    }

    /// What to ask now. It counts as asked.
    pub fn next(&mut self, now: Duration) -> Vec<Ask<P>> {
        let mut asks = Vec::new();
        while self.in_flight() < MAX_IN_FLIGHT {
            let Some(ask) = self.choose(now).or_else(|| self.choose_again(now)) else { break };
            self.wanted.remove(&ask.range);
            self.asked.entry(ask.range).or_default().push((ask.peer.clone(), now));
            if let Some(peer) = self.peers.get_mut(&ask.peer) {
                peer.asked(now, ask.range);
            }
            asks.push(ask);
        }
        asks
    }

    /// The first range that somebody may be asked for, and who will probably have sent it first.
    fn choose(&self, now: Duration) -> Option<Ask<P>> {
        if !self.peers.values().any(|peer| peer.is_free(now)) {
            return None;
        }
        self.wanted.iter().find_map(|range| {
            let peer = self.best(now, *range, |_, _| true)?;
            Some(Ask { peer: peer.clone(), range: *range })
        })
    }

    /// A range that one peer has been asked for, and that another would have sent since.
    fn choose_again(&self, now: Duration) -> Option<Ask<P>> {
        if !self.wanted.is_empty() {
            return None;
        }
        let one = self.asked.iter().filter(|(_, askers)| askers.len() < MAX_ASKED);
        one.into_iter().find_map(|(range, askers)| {
            let since = askers.first().map_or(now, |asker| asker.1);
            let peer = self.best(now, *range, |_, pace| now.saturating_sub(since) >= pace)?;
            Some(Ask { peer: peer.clone(), range: *range })
        })
    }

    /// The peer that will probably have sent a range first, of those that may be asked for it and that `fit`.
    fn best(&self, now: Duration, range: u32, fit: impl Fn(&Peer, Duration) -> bool) -> Option<&P> {
        let unknown = self.peers.values().map(|peer| peer.conduct.rate).max().filter(|rate| *rate > 0);
        let unknown = unknown.unwrap_or(UNKNOWN_RATE);
        let may = self.peers.iter().filter(|(_, peer)| peer.is_free(now) && peer.may_have(now, range));
        let may = may.filter(|(_, peer)| fit(peer, Duration::from_micros(peer.pace(unknown))));
        let until = |peer: &Peer| peer.pace(unknown).saturating_mul(peer.in_flight.len() as u64 + 1);
        may.min_by_key(|(_, peer)| until(peer)).map(|(peer, _)| peer)
    }

    /// Some bytes of a range came from a peer. Only for networks that tell; without it a whole range is the progress.
    pub fn progress(&mut self, now: Duration, peer: &P, bytes: u64) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.progressed(now, bytes);
        }
    }

    /// A peer sent a range, and the range was written. Returns the other peers that were asked for it, whose answers are no longer
    /// needed: they count as not asked.
    pub fn got(&mut self, now: Duration, peer: &P, range: u32) -> Vec<P> {
        let bytes = ranges::bytes_of(self.size, range);
        self.wanted.remove(&range);
        let mut others: Vec<P> =
            self.asked.remove(&range).unwrap_or_default().into_iter().map(|asker| asker.0).collect();
        others.retain(|other| other != peer);
        if let Some(peer) = self.peers.get_mut(peer) {
            match peer.in_flight.contains(&range) {
                true => peer.gave(now, range, bytes),
                false => peer.woke(now),
            }
        }
        for other in &others {
            if let Some(other) = self.peers.get_mut(other) {
                other.in_flight.remove(&range);
            }
        }
        others
    }

    /// A peer sent a range that is not the blob's. Nothing is asked of it any more.
    pub fn wrong(&mut self, peer: &P) {
        let Some(liar) = self.peers.remove(peer) else { return };
        if self.banned.len() >= MAX_BANNED {
            self.banned.pop_first();
        }
        let conduct = Conduct { wrong: liar.conduct.wrong + 1, standing: 0, ..liar.conduct };
        self.banned.insert(peer.clone(), conduct);
        self.release(peer, liar.in_flight);
    }

    /// A peer refuses a range, lacks it, or failed to send it. It is not asked for this one for a while.
    pub fn failed(&mut self, now: Duration, peer: &P, range: u32) {
        let known = self.peers.get_mut(peer).filter(|known| known.in_flight.contains(&range));
        if let Some(known) = known {
            known.failed(now, range);
            self.release(peer, [range]);
        }
    }

    /// A peer says that it lacks these ranges. It is asked for none of them for a while, and that is no failure.
    pub fn lacks(&mut self, now: Duration, peer: &P, ranges: impl IntoIterator<Item = u32>) {
        let Some(known) = self.peers.get_mut(peer) else { return };
        // Only what is still to be got, so that a peer cannot make this grow.
        let of_use = |range: &u32| self.wanted.contains(range) || self.asked.contains_key(range);
        let lacking: Vec<u32> = ranges.into_iter().filter(of_use).collect();
        known.lacks(now, &lacking);
        self.release(peer, lacking);
    }

    /// Gives up on peers that made too little progress, and returns what they were asked for. It is asked of others; should the
    /// answer come all the same, [`got`](Self::got) takes it.
    pub fn timed_out(&mut self, now: Duration) -> Vec<Ask<P>> {
        let mut given_up = Vec::new();
        for (peer, known) in &mut self.peers {
            if known.deadline().is_some_and(|deadline| now >= deadline) {
                let ranges = known.timed_out(now);
                given_up.extend(ranges.into_iter().map(|range| Ask { peer: peer.clone(), range }));
            }
        }
        for ask in &given_up {
            self.release(&ask.peer, [ask.range]);
        }
        given_up
    }

    /// When [`timed_out`](Self::timed_out) or [`next`](Self::next) may have something new without another event, at the
    /// earliest; `None` if never.
    pub fn wake(&self, now: Duration) -> Option<Duration> {
        let deadlines = self.peers.values().filter_map(Peer::deadline);
        let changes = self.peers.values().flat_map(|peer| peer.changes(now));
        // The end game looks at how long a request has been under way: not before it begins, and then often enough.
        let again = (self.wanted.is_empty() && self.peers.len() > 1).then(|| {
            self.asked.values().filter(|askers| askers.len() < MAX_ASKED).flatten().map(|asker| asker.1).min()
        });
        let again = again.flatten().map(|since| now + (now.saturating_sub(since)).max(AGAIN));
        deadlines.chain(changes).chain(again).min()
    }

    /// What each peer did, and which are banned: with a standing of zero.
    pub fn conduct(&self) -> impl Iterator<Item = (&P, Conduct)> {
        let peers = self.peers.iter().map(|(peer, known)| (peer, known.conduct));
        peers.chain(self.banned.iter().map(|(peer, conduct)| (peer, *conduct)))
    }

    /// These ranges are no longer asked of a peer.
    fn release(&mut self, peer: &P, ranges: impl IntoIterator<Item = u32>) {
        for range in ranges {
            let Some(askers) = self.asked.get_mut(&range) else { continue };
            askers.retain(|asker| asker.0 != *peer);
            if askers.is_empty() {
                self.asked.remove(&range);
                self.wanted.insert(range);
            }
        }
    }
}

/// How often the end game looks, at most.
const AGAIN: Duration = Duration::from_millis(100);
