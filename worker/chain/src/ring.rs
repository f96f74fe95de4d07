//! The hashes of the newest blocks, by which a reorganisation is noticed, and what it dropped.

use std::collections::VecDeque;

use super::{B256, Header};

/// Blocks that are remembered. No chain that the market runs on has undone as many; who was away for longer asks for the last block
/// that it knew.
const BLOCKS: usize = 256;

/// What a block means beside those that are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many blocks follow on the newest; 0 if the block was known.
    Extended(usize),
    /// Blocks that were known are undone.
    Reorganised {
        /// Number of the last block that both chains have.
        ancestor: u64,
        /// Hashes of the blocks that are undone, the newest first.
        dropped: Vec<B256>,
        /// Blocks that follow on the ancestor now.
        added: usize,
    },
    /// It is not known yet: push the block with this number, of the same chain.
    Need(u64),
    /// No block in common is remembered: what followed from blocks may be undone.
    Lost,
}

/// The newest blocks of a chain, each the parent of the next.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    /// The oldest first.
    blocks: VecDeque<Header>,
    /// A chain that is not connected yet, the newest first: each is the parent of the one before it.
    branch: Vec<Header>,
}

impl Ring {
    /// No blocks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a head, or a block that was asked for.
    pub fn push(&mut self, header: Header) -> Step {
        let continues = self.branch.last().is_some_and(|low| is_parent(&header, low));
        if !continues {
            self.branch.clear();
            if self.hash_at(header.number) == Some(header.hash) {
                return Step::Extended(0);
            }
        }
        self.branch.push(header);
        let Some(newest) = self.newest() else { return self.start() };
        if self.branch.len() >= BLOCKS || header.number.saturating_sub(newest.number) > BLOCKS as u64 {
            return self.lose();
        }
        match header.number.checked_sub(1) {
            Some(before) if self.hash_at(before) == Some(header.parent) => self.connect(before),
            Some(before) if before >= self.oldest() => Step::Need(before),
            _ => self.lose(),
        }
    }

    /// The newest block.
    pub fn newest(&self) -> Option<Header> {
        self.blocks.back().copied()
    }

    /// The hash of the block with a number, if it is remembered.
    pub fn hash_at(&self, number: u64) -> Option<B256> {
        let oldest = self.blocks.front()?.number;
        let at = usize::try_from(number.checked_sub(oldest)?).ok()?;
        self.blocks.get(at).map(|block| block.hash)
    }

    /// Whether a block is remembered with at least as many after it.
    pub fn is_deep(&self, hash: B256, confirmations: u64) -> bool {
        let Some(newest) = self.newest() else { return false };
        let block = self.blocks.iter().find(|block| block.hash == hash);
        block.is_some_and(|block| newest.number - block.number >= confirmations)
    }

    fn oldest(&self) -> u64 {
        self.blocks.front().map_or(0, |block| block.number)
    }

    /// The first block of all.
    fn start(&mut self) -> Step {
        self.blocks.extend(self.branch.drain(..).rev());
        Step::Extended(self.blocks.len())
    }

    /// Forgets what cannot be connected, and begins at the newest block again.
    fn lose(&mut self) -> Step {
        self.blocks.clear();
        self.blocks.extend(self.branch.drain(..).rev());
        Step::Lost
    }

    /// Puts the branch on the block `ancestor`.
    fn connect(&mut self, ancestor: u64) -> Step {
        let mut dropped = vec![];
        while self.newest().is_some_and(|newest| newest.number > ancestor) {
            dropped.extend(self.blocks.pop_back().map(|block| block.hash));
        }
        let added = self.branch.len();
        self.blocks.extend(self.branch.drain(..).rev());
        let surplus = self.blocks.len().saturating_sub(BLOCKS);
        self.blocks.drain(..surplus);
        if dropped.is_empty() { Step::Extended(added) } else { Step::Reorganised { ancestor, dropped, added } }
    }
}

/// Whether a block stands before another.
fn is_parent(header: &Header, of: &Header) -> bool {
    header.hash == of.parent && header.number.checked_add(1) == Some(of.number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The block of a number on a fork; forks share the blocks up to where they part.
    fn block(number: u64, hash: u64, parent: u64) -> Header {
        let hash_of = |hash: u64| B256::from(alloy::primitives::U256::from(hash));
        Header { number, hash: hash_of(hash), parent: hash_of(parent), time: number * 12, base: 0 }
    }

    /// A chain that a test lets grow and undo.
    #[derive(Clone)]
    struct Model {
        blocks: Vec<Header>,
        made: u64,
    }

    impl Model {
        fn new() -> Self {
            Self { blocks: vec![block(0, 1, 0)], made: 1 }
        }

        fn grow(&mut self, count: usize) {
            for _ in 0..count {
                self.made += 1;
                let last = *self.blocks.last().expect("the first stays");
                let mut next = block(last.number + 1, self.made, 0);
                next.parent = last.hash;
                self.blocks.push(next);
            }
        }

        fn undo(&mut self, count: usize) {
            self.blocks.truncate(self.blocks.len().saturating_sub(count).max(1));
        }

        fn head(&self) -> Header {
            *self.blocks.last().expect("the first stays")
        }

        /// Tells a ring the head, and whatever it asks for.
        fn tell(&self, ring: &mut Ring) -> Step {
            let mut step = ring.push(self.head());
            let mut asked = 0;
            while let Step::Need(number) = step {
                asked += 1;
                assert!(asked <= BLOCKS, "it asks for ever");
                step = ring.push(self.blocks[number as usize]);
            }
            step
        }
    }

    proptest! {
        #[test]
        fn a_ring_follows_any_chain(changes in proptest::collection::vec((0usize..6, 1usize..9), 1..60)) {
            let (mut chain, mut ring) = (Model::new(), Ring::new());
            chain.tell(&mut ring);
            let mut before = chain.blocks.clone();
            for (undone, grown) in changes {
                chain.undo(undone);
                chain.grow(grown);
                let step = chain.tell(&mut ring);
                let shared = before.iter().zip(&chain.blocks).take_while(|(old, new)| old == new).count();
                let dropped: Vec<B256> = before[shared..].iter().rev().map(|block| block.hash).collect();
                let added = chain.blocks.len() - shared;
                let expected = if dropped.is_empty() {
                    Step::Extended(added)
                } else {
                    Step::Reorganised { ancestor: shared as u64 - 1, dropped, added }
                };
                prop_assert_eq!(step, expected);
                for block in chain.blocks.iter().rev().take(BLOCKS) {
                    prop_assert_eq!(ring.hash_at(block.number), Some(block.hash));
                    let above = chain.head().number - block.number;
                    prop_assert!(ring.is_deep(block.hash, above) && !ring.is_deep(block.hash, above + 1));
                }
                before = chain.blocks.clone();
            }
        }

        #[test]
        fn any_headers_are_taken_within_bounds(headers in proptest::collection::vec((0u64..9, 0u64..9, 0u64..9), 0..400)) {
            let mut ring = Ring::new();
            for (number, hash, parent) in headers {
                ring.push(block(if number == 8 { u64::MAX } else { number }, hash, parent));
                prop_assert!(ring.blocks.len() <= BLOCKS && ring.branch.len() <= BLOCKS);
            }
        }
    }

    #[test]
    fn a_ring_remembers_so_many_blocks_and_no_more() {
        let (mut chain, mut ring) = (Model::new(), Ring::new());
        for _ in 0..BLOCKS + 10 {
            chain.tell(&mut ring);
            chain.grow(1);
        }
        assert_eq!(ring.blocks.len(), BLOCKS);
        assert_eq!(ring.hash_at(5), None, "too old");
        assert!(!ring.is_deep(chain.blocks[5].hash, 1), "what is forgotten is not known to be deep");
    }

    #[test]
    fn what_is_deeper_than_the_ring_is_lost_and_it_begins_again() {
        let (mut chain, mut ring) = (Model::new(), Ring::new());
        chain.grow(10);
        chain.tell(&mut ring);
        chain.grow(BLOCKS * 2);
        assert_eq!(chain.tell(&mut ring), Step::Lost, "too far ahead");
        assert_eq!(ring.newest(), Some(chain.head()));
        chain.grow(3);
        assert_eq!(chain.tell(&mut ring), Step::Extended(3), "it goes on from there");
        chain.undo(20);
        chain.grow(30);
        assert_eq!(chain.tell(&mut ring), Step::Lost, "the block in common is not remembered");
        chain.grow(1);
        assert_eq!(chain.tell(&mut ring), Step::Extended(1));
    }

    #[test]
    fn an_older_block_of_the_same_chain_undoes_nothing() {
        let (mut chain, mut ring) = (Model::new(), Ring::new());
        chain.tell(&mut ring);
        chain.grow(5);
        chain.tell(&mut ring);
        assert_eq!(ring.push(chain.blocks[3]), Step::Extended(0));
        assert_eq!(ring.newest(), Some(chain.head()));
    }

    #[test]
    fn a_head_that_moves_while_blocks_are_asked_for_begins_the_question_again() {
        let (mut chain, mut ring) = (Model::new(), Ring::new());
        chain.grow(5);
        chain.tell(&mut ring);
        chain.grow(4);
        assert_eq!(ring.push(chain.head()), Step::Need(8));
        chain.undo(2);
        chain.grow(3);
        assert_eq!(ring.push(chain.head()), Step::Need(9));
        assert_eq!(chain.tell(&mut ring), Step::Extended(5));
    }
}
