//! Up to where events were read, and what is to be undone if the chain takes blocks back. It outlives the process.

use std::collections::{BTreeMap, BTreeSet};

use gradproof_chain::market::Deployment;
use gradproof_chain::{Address, B256, Header};
use serde::{Deserialize, Serialize};

use crate::NodeError;

/// Version of what is stored.
const VERSION: u32 = 1;
/// Most jobs that wait until endpoints agree on them, or were refused and may still be open.
const MAX_OPEN: usize = 1024;
/// Most changes of the register that can be undone one by one: more of them in [`DEPTH`] blocks fill these.
const MAX_TOUCHED: usize = 16_384;
/// Blocks whose changes can be undone one by one. Deeper ones are undone by reading everything again; chains that the market runs on
/// undo a few.
pub(super) const DEPTH: u64 = 64;

/// A block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    pub number: u64,
    pub hash: B256,
}

impl Block {
    pub fn of(header: &Header) -> Self {
        Self { number: header.number, hash: header.hash }
    }
}

/// Whose events are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    chain: u64,
    market: Address,
    nodes: Address,
    /// The accounts whose jobs count in histories.
    known: B256,
}

impl Source {
    pub fn of(deployment: &Deployment, known: B256) -> Self {
        let Deployment { chain, market, nodes, .. } = deployment;
        Self { chain: *chain, market: market.address, nodes: nodes.address, known }
    }
}

/// Up to where events were read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    version: u32,
    source: Source,
    /// The last block whose events were read.
    read: Option<Block>,
    /// An earlier block, or the same: all that changed since is in `touched`.
    safe: Option<Block>,
    /// Entries of the register, by their peers, with the block that changed them last.
    touched: BTreeMap<Address, u64>,
    /// A block up to which there were too many changes to list: a safe one is not before it.
    crowded: u64,
    /// Peers whose events were undone, and whose entries are to be read.
    pub doubtful: BTreeSet<Address>,
    /// Jobs that may be open and are not this provider's.
    open: BTreeSet<B256>,
}

impl Position {
    /// Nothing was read.
    pub fn start(source: Source) -> Self {
        Self {
            version: VERSION,
            source,
            read: None,
            safe: None,
            touched: BTreeMap::new(),
            crowded: 0,
            doubtful: BTreeSet::new(),
            open: BTreeSet::new(),
        }
    }

    /// What was stored, if it is of this source and version: otherwise everything is read again.
    pub fn decode(bytes: &[u8], source: Source) -> Option<Self> {
        let stored: Self = serde_json::from_slice(bytes).ok()?;
        (stored.version == VERSION && stored.source == source).then_some(stored)
    }

    /// Bytes to store.
    ///
    /// # Errors
    /// [`NodeError::Store`] if there is no JSON of it, which does not happen.
    pub fn encode(&self) -> Result<Vec<u8>, NodeError> {
        serde_json::to_vec(self).map_err(NodeError::storing)
    }

    /// The last block whose events were read.
    pub fn last(&self) -> Option<Block> {
        self.read
    }

    /// The blocks of which one must be on the chain, the newest first, so that nothing else is read again.
    pub fn known(&self) -> impl Iterator<Item = Block> {
        [self.read, self.safe].into_iter().flatten()
    }

    /// Events up to `read` were read, and `safe` is a block before it that is deep.
    pub fn reach(&mut self, read: Block, safe: Option<Block>) {
        self.read = Some(read);
        if let Some(safe) = safe.filter(|safe| safe.number >= self.crowded) {
            self.safe = Some(safe);
            self.touched.retain(|_, block| *block > safe.number);
        }
    }

    /// An event in a block changed the entry of a peer.
    pub fn touch(&mut self, peer: Address, block: u64) {
        self.touched.insert(peer, block);
        if self.touched.len() > MAX_TOUCHED {
            self.touched.clear();
            self.safe = None;
            self.crowded = block;
        }
    }

    /// Undoes all after `ancestor`: the entries that changed since are doubtful. `false` if it lies too deep, and everything is to be read
    /// again.
    pub fn undo(&mut self, ancestor: Block) -> bool {
        let Some(read) = self.read.filter(|read| read.number > ancestor.number) else { return true };
        if self.safe.unwrap_or(read).number > ancestor.number {
            return false;
        }
        let (kept, dropped): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.touched).into_iter().partition(|(_, block)| *block <= ancestor.number);
        self.touched = kept;
        self.doubtful.extend(dropped.into_keys());
        self.read = Some(ancestor);
        true
    }

    /// Jobs that may be open.
    pub fn open(&self) -> &BTreeSet<B256> {
        &self.open
    }

    /// A job may be open; `false` if there is no room for it beside those that `wait`. One that was refused makes room.
    pub fn opened(&mut self, id: B256, wait: &BTreeSet<B256>) -> bool {
        if self.open.len() >= MAX_OPEN && !self.open.contains(&id) {
            let Some(refused) = self.open.difference(wait).next().copied() else { return false };
            self.open.remove(&refused);
        }
        self.open.insert(id);
        true
    }

    /// A job is not open, or this provider's.
    pub fn closed(&mut self, id: B256) {
        self.open.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    const SOURCE: Source =
        Source { chain: 1, market: Address::repeat_byte(1), nodes: Address::repeat_byte(2), known: B256::ZERO };

    fn block(number: u64) -> Block {
        Block { number, hash: B256::repeat_byte(number as u8) }
    }

    fn peer(byte: u8) -> Address {
        Address::repeat_byte(byte)
    }

    #[test]
    fn what_changed_after_the_ancestor_is_doubtful_and_nothing_else() {
        let mut position = Position::start(SOURCE);
        assert!(position.undo(block(5)), "nothing was read");
        position.reach(block(10), Some(block(10)));
        for (at, number) in [(1, 11), (2, 12), (3, 13), (2, 14)] {
            position.touch(peer(at), number);
        }
        position.reach(block(14), None);
        assert!(position.undo(block(14)) && position.doubtful.is_empty());
        assert!(!position.clone().undo(block(9)), "what changed before the safe block is not listed");
        assert!(position.undo(block(12)));
        assert_eq!(position.last(), Some(block(12)));
        assert_eq!(position.doubtful, [peer(2), peer(3)].into());
        position.touch(peer(4), 13);
        position.reach(block(13), Some(block(12)));
        assert_eq!(position.known().collect::<Vec<_>>(), [block(13), block(12)]);
        assert!(position.undo(block(12)));
        assert_eq!(position.doubtful, [peer(2), peer(3), peer(4)].into(), "peer 1 changed before");
    }

    #[test]
    fn more_changes_than_are_listed_are_undone_by_reading_all_again() {
        let mut position = Position::start(SOURCE);
        position.reach(block(1), Some(block(1)));
        for number in 0..=MAX_TOUCHED as u64 {
            position.touch(Address::left_padding_from(&number.to_be_bytes()), 20);
        }
        assert!(position.touched.is_empty());
        position.reach(block(30), Some(block(19)));
        assert!(!position.clone().undo(block(25)));
        position.touch(peer(7), 31);
        position.reach(block(40), Some(block(20)));
        assert!(position.undo(block(30)));
        assert_eq!(position.doubtful, [peer(7)].into());
    }

    #[test]
    fn what_is_stored_is_read_again_for_the_same_contracts_only() {
        let mut position = Position::start(SOURCE);
        position.reach(block(3), Some(block(3)));
        position.touch(peer(1), 4);
        position.doubtful.insert(peer(9));
        assert!(position.opened(B256::repeat_byte(8), &BTreeSet::new()));
        let bytes = position.encode().expect("it is written");
        assert_eq!(Position::decode(&bytes, SOURCE), Some(position));
        assert_eq!(Position::decode(&bytes, Source { chain: 2, ..SOURCE }), None);
        assert_eq!(Position::decode(&bytes, Source { known: B256::repeat_byte(1), ..SOURCE }), None);
        let other = String::from_utf8(bytes).expect("text").replace("\"version\":1", "\"version\":2");
        assert_eq!(Position::decode(other.as_bytes(), SOURCE), None);
        assert_eq!(Position::decode(b"{}", SOURCE), None);
    }

    #[test]
    fn open_jobs_are_bounded_and_a_refused_one_makes_room_for_a_new_one() {
        let (mut position, mut wait) = (Position::start(SOURCE), BTreeSet::new());
        let id = |number: usize| B256::left_padding_from(&number.to_be_bytes());
        for number in 0..MAX_OPEN {
            wait.insert(id(number));
            assert!(position.opened(id(number), &wait));
        }
        assert!(!position.opened(id(MAX_OPEN), &wait), "all of them wait");
        wait.remove(&id(5));
        assert!(position.opened(id(MAX_OPEN), &wait) && !position.open().contains(&id(5)));
        position.closed(id(7));
        assert!(position.opened(id(5), &wait) && position.open().len() == MAX_OPEN);
    }

    /// How much longer a step may take after a million jobs: this machine does other things as well.
    const SLOWER: u32 = 10;

    #[test]
    fn a_million_jobs_that_were_seen_leave_what_is_stored_and_the_time_of_a_step_as_they_were() {
        let (mut position, wait) = (Position::start(SOURCE), BTreeSet::new());
        // In no order, as digests are.
        let id = |number: u32| B256::left_padding_from(&number.reverse_bits().to_be_bytes());
        let mut see = |jobs: std::ops::Range<u32>| {
            let begin = Instant::now();
            for number in jobs {
                // Each is seen, and refused.
                assert!(position.opened(id(number), &wait));
            }
            let stored = position.encode().expect("it is written").len();
            (begin.elapsed(), position.open().len(), stored)
        };
        see(0..10_000);
        let (before, open, stored) = see(10_000..20_000);
        assert_eq!(open, MAX_OPEN);
        see(20_000..990_000);
        let (after, open, stored_after) = see(990_000..1_000_000);
        assert_eq!((open, stored_after), (MAX_OPEN, stored));
        assert!(after < before * SLOWER + Duration::from_millis(100), "{after:?}, and {before:?} before");
    }
}
