//! The nodes of one account, and whose turn it is among them.
//!
//! Each node of an account does all that there is to be done about the account's jobs. They agree on nothing, and none of them leads: the
//! market takes the first call of those that say the same. So that little is done twice, a node leaves to another for a while what is
//! the other's turn. After that time anyone does it.

use gradproof_chain::market::{JobSnapshot, When};
use gradproof_chain::{Address, Moment};

use super::{Action, Call, Task, end_of, every};

/// How long a node leaves a call to each node whose turn comes before its own, in seconds: until then a transaction is in a block that all
/// of them have seen.
pub const TURN_SECS: u64 = 60;
/// The part of the time to a deadline that is left to others, at most.
const LEFT_PART: u64 = 3;
/// How many times as long as a proof takes here it is left to another node.
const PROOFS: u64 = 2;

/// A node's place among the nodes of its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counted from 0.
    place: u64,
    /// All nodes, this one among them.
    nodes: u64,
}

impl Place {
    /// That of an account's only node.
    pub const ALONE: Self = Self { place: 0, nodes: 1 };

    /// The place of the node `me` among these, which all nodes of the account have in the same order; alone, if it is none of them.
    pub fn among(nodes: &[Address], me: Address) -> Self {
        match nodes.iter().position(|node| *node == me) {
            Some(place) => Self { place: place as u64, nodes: nodes.len() as u64 },
            None => Self::ALONE,
        }
    }

    /// The places of the nodes whose turn with an action comes before this node's, the first one first.
    ///
    /// Each node has a part of a batch: its proofs, and the calls that bring them, are its turn first. Every other call is the turn of the
    /// first node. What the account's key signs, and other work, is everybody's turn at once: two transactions of one key have one nonce,
    /// of which one lands, and each node needs the data, the training and the deliveries.
    pub fn before(self, action: &Action, job: &JobSnapshot) -> Vec<usize> {
        let first = match action {
            Action::Send { call: Call::Accept { .. } | Call::Take | Call::Join | Call::Contradict { .. }, .. }
            | Action::Turn(_) => return vec![],
            // Only whoever made the proofs can bring them.
            Action::Send { call: Call::Takes { .. } | Call::ProveTaken(_), .. } => return vec![],
            Action::Send { call: Call::ClaimProven(segment) | Call::Prove(segment), .. }
            | Action::Do(Task::Prove(segment)) => self.of(*segment, job),
            Action::Send { .. } => 0,
            Action::Do(_) => return vec![],
        };
        let count = (self.place + self.nodes - first) % self.nodes;
        (0..count).map(|step| ((first + step) % self.nodes) as usize).collect()
    }

    /// Of segments that are not proven here, ascending, those whose proofs this node makes next: its own part of the batch first; then the
    /// rest of the batch, which is another node's turn before, and meanwhile its own part of the batch after that.
    pub(super) fn next(self, missing: &[u64], job: &JobSnapshot) -> Vec<u64> {
        let batch = |segment: &u64| segment / every(job);
        let Some(first) = missing.first() else { return vec![] };
        let own = |segment: &&u64| self.of(**segment, job) == self.place;
        match missing.iter().filter(own).find(|segment| batch(segment) <= batch(first) + 1) {
            Some(own) if batch(own) == batch(first) => vec![*own],
            ahead => [first].into_iter().chain(ahead).copied().collect(),
        }
    }

    /// The place of the node whose part of a batch a segment is in.
    fn of(self, segment: u64, job: &JobSnapshot) -> u64 {
        let batch = segment / every(job);
        let from = batch.saturating_mul(every(job));
        (segment - from) * self.nodes / end_of(job, batch).saturating_sub(from).max(1)
    }
}

/// For how many seconds an action is left to so many nodes before this one, from the moment `since` on at which it could be done; a proof
/// takes this many milliseconds here, if that is known.
///
/// Of the time to a deadline a third is left to others at most: who waits for one that is gone must not be late itself.
pub fn patience(before: usize, action: &Action, since: Moment, proof_ms: Option<u64>) -> u64 {
    let (each, until) = match action {
        Action::Send { until: Some(When::Time(until)), .. } => (TURN_SECS, Some(*until)),
        Action::Do(_) => (TURN_SECS.max(proof_ms.unwrap_or(0).saturating_mul(PROOFS) / 1000), None),
        _ => (TURN_SECS, None),
    };
    let left = until.map_or(u64::MAX, |until| until.saturating_sub(since.time) / LEFT_PART);
    each.saturating_mul(before as u64).min(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(call: Call, until: Option<u64>) -> Action {
        Action::Send { call, from: None, until: until.map(When::Time) }
    }

    #[test]
    fn a_node_has_a_place_among_those_of_its_account_or_is_alone() {
        let nodes = [1, 2, 3].map(Address::repeat_byte);
        assert_eq!(Place::among(&nodes, nodes[1]), Place { place: 1, nodes: 3 });
        assert_eq!(Place::among(&nodes[..1], nodes[0]), Place::ALONE);
        for others in [&nodes[..2], &[]] {
            assert_eq!(Place::among(others, nodes[2]), Place::ALONE, "it is not in the register yet");
        }
    }

    #[test]
    fn a_call_is_left_to_each_node_before_for_a_while_and_never_for_most_of_its_time() {
        let since = Moment { time: 1000, block: 1 };
        let close = |until| send(Call::Close { batch: 0, root: Default::default(), seat: 0 }, until);
        assert_eq!(patience(0, &close(None), since, None), 0);
        assert_eq!(patience(1, &close(None), since, Some(500_000)), TURN_SECS);
        assert_eq!(patience(3, &close(Some(10_000)), since, None), 3 * TURN_SECS);
        assert_eq!(patience(1, &close(Some(1030)), since, None), 10, "a third of what is left");
        assert_eq!(patience(1, &close(Some(900)), since, None), 0, "it is late");
        let prove = Action::Do(Task::Prove(0));
        assert_eq!(patience(1, &prove, since, None), TURN_SECS);
        assert_eq!(patience(1, &prove, since, Some(20_000)), TURN_SECS);
        assert_eq!(patience(2, &prove, since, Some(100_000)), 400, "another one may just have begun");
    }
}
