//! What this node leaves to the other nodes of its account, since when, and which of them did not do what was left to them.

use std::collections::{BTreeMap, BTreeSet};

use gradproof_chain::{Address, B256};

/// Something that is the same at each look.
#[derive(Debug)]
struct Held<T> {
    value: T,
    /// Whether it was there at this look.
    is_there: bool,
}

/// What is left to others. All of it can be lost: then it is left to them once more.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// What is left, in words, with the second in which it could be done first.
    left: BTreeMap<String, Held<u64>>,
    /// How many segments of jobs were claimed at the last look.
    claimed: BTreeMap<B256, Held<u64>>,
    /// The nodes that did not do what was their turn.
    silent: BTreeSet<Address>,
}

impl Silence {
    /// A look begins: what was not to be done at the last one is not left to anybody any more.
    pub fn look(&mut self) {
        self.left.retain(|_, held| std::mem::take(&mut held.is_there));
        self.claimed.retain(|_, held| std::mem::take(&mut held.is_there));
    }

    /// The second in which `what` could be done first: `now`, unless it could be at the last look.
    pub fn since(&mut self, what: &str, now: u64) -> u64 {
        let held = self.left.entry(what.to_owned()).or_insert(Held { value: now, is_there: true });
        held.is_there = true;
        held.value
    }

    /// The first segment that was claimed since the last look, if one was.
    pub fn claimed(&mut self, job: B256, claimed: u64) -> Option<u64> {
        let before = self.claimed.insert(job, Held { value: claimed, is_there: true })?;
        (before.value < claimed).then_some(before.value)
    }

    /// These nodes did not do what was their turn; whether that is new of one.
    pub fn miss(&mut self, nodes: impl IntoIterator<Item = Address>) -> bool {
        let known = self.silent.len();
        self.silent.extend(nodes);
        self.silent.len() > known
    }

    /// One of the other nodes did something. If all of them count as silent, none does from now on: which of them it was nobody says. Otherwise
    /// it was one that is not silent, as far as this node knows. Whether that changed anything.
    pub fn hear(&mut self, others: &[Address]) -> bool {
        let is_new = !self.silent.is_empty() && others.iter().all(|node| self.silent.contains(node));
        if is_new {
            self.silent.clear();
        }
        is_new
    }

    /// Whether a node counts as silent.
    pub fn is_silent(&self, node: Address) -> bool {
        self.silent.contains(&node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_meanwhile_is_left_anew_when_it_is_to_be_done_again() {
        let mut silence = Silence::default();
        silence.look();
        assert_eq!(silence.since("settle", 10), 10);
        silence.look();
        assert_eq!(silence.since("settle", 20), 10, "it waits since then");
        silence.look();
        silence.look();
        assert_eq!(silence.since("settle", 40), 40, "somebody did it");
    }

    #[test]
    fn a_claim_is_noticed_once_and_none_at_the_first_look() {
        let mut silence = Silence::default();
        let job = B256::repeat_byte(1);
        for (claimed, noticed) in [(3, None), (3, None), (5, Some(3)), (5, None), (4, None), (6, Some(4))] {
            silence.look();
            assert_eq!(silence.claimed(job, claimed), noticed, "{claimed}");
        }
    }

    #[test]
    fn a_node_is_silent_until_it_must_be_the_one_that_is_heard() {
        let (mut silence, [one, other]) = (Silence::default(), [1, 2].map(Address::repeat_byte));
        assert!(silence.miss([one]) && !silence.miss([one]) && !silence.miss([]));
        assert!(silence.is_silent(one) && !silence.is_silent(other));
        assert!(!silence.hear(&[one, other]) && silence.is_silent(one), "it can have been the other one");
        assert!(silence.hear(&[one]) && !silence.is_silent(one));
        assert!(!silence.hear(&[one]), "it was heard already");
        assert!(silence.miss([one, other]) && silence.hear(&[one, other]));
        assert!(!silence.is_silent(one) && !silence.is_silent(other));
    }
}
