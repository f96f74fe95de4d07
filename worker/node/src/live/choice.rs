//! Which nodes of accounts are asked: few of each, so that no account with many of them keeps others waiting.

use std::collections::BTreeSet;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use gradproof_chain::Address;
use gradproof_network::{Error, PeerId, Protocol};
use rand::Rng;
use rand::seq::SliceRandom;

use super::shared::{ASK, Shared};
use crate::message::{PartyQuestion, written};

/// Nodes of an account that are asked.
const MAX_NODES: usize = 4;
/// Nodes of the register that are asked whether they answer anything.
const MAX_PROBED: usize = 8;

/// At most [`MAX_NODES`] nodes of each account, in the order in which they are asked: the first ones of all accounts come before the
/// second ones. Of an account's nodes those go first with which a connection stands; beyond that chance decides anew each time.
pub(super) async fn nodes(shared: &Shared, owners: &[Address]) -> Vec<(Address, PeerId)> {
    let of_each = owners.iter().map(|owner| (*owner, shared.peers_of(*owner))).collect();
    chosen(of_each, &connected(shared).await, &mut rand::rng())
}

/// Peers with which a connection stands.
async fn connected(shared: &Shared) -> BTreeSet<PeerId> {
    let all = shared.network.connected().await.unwrap_or_default();
    all.into_iter().map(|connected| connected.peer).collect()
}

fn chosen<P: Copy + Ord>(
    mut of_each: Vec<(Address, Vec<P>)>,
    connected: &BTreeSet<P>,
    chance: &mut impl Rng,
) -> Vec<(Address, P)> {
    for (_, nodes) in &mut of_each {
        nodes.shuffle(chance);
        nodes.sort_by_key(|node| !connected.contains(node));
    }
    let mut known = BTreeSet::new();
    let turn = |turn: usize| of_each.iter().filter_map(move |(owner, nodes)| Some((*owner, *nodes.get(turn)?)));
    (0..MAX_NODES).flat_map(turn).filter(|(_, node)| known.insert(*node)).collect()
}

/// Whether a node answered, though it may have refused.
pub(super) fn is_heard<T>(answer: &Result<T, Error>) -> bool {
    match answer {
        Ok(_) => true,
        Err(error) => matches!(
            error,
            Error::Busy { .. }
                | Error::Refused { .. }
                | Error::NotHere { .. }
                | Error::Malformed { .. }
                | Error::NoCommonVersion { .. }
        ),
    }
}

/// Whether any node of another account answers, of these accounts or of those with which a connection stands: who reaches nobody cannot say
/// that something is not to be had.
pub(super) async fn anybody_answers(shared: &Shared, first: &[Address], question: &PartyQuestion) -> bool {
    let mut peers: Vec<PeerId> = nodes(shared, first).await.into_iter().map(|(_, peer)| peer).collect();
    peers.extend(connected(shared).await);
    peers.retain(|peer| shared.owner_of(*peer).is_some_and(|owner| owner != shared.me));
    let question = written(question);
    let asked = peers.into_iter().take(MAX_PROBED);
    let asked = asked.map(|peer| shared.network.ask(peer, Protocol::Party, &question, ASK));
    let mut answers: FuturesUnordered<_> = asked.collect();
    while let Some(answer) = answers.next().await {
        if is_heard(&answer) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn an_account_with_many_nodes_takes_no_others_place() {
        let (many, few) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let of_each = || vec![(many, (0..500).collect()), (few, vec![1000, 1001])];
        let connected = [400, 1001].into();
        let mut chance = StdRng::seed_from_u64(7);
        let mut turns = BTreeSet::new();
        for _ in 0..100 {
            let all = chosen(of_each(), &connected, &mut chance);
            let owners: Vec<Address> = all.iter().map(|(owner, _)| *owner).collect();
            assert_eq!(owners, [many, few, many, few, many, many]);
            assert_eq!((all[0].1, all[1].1, all[3].1), (400, 1001, 1000), "those that are connected go first");
            turns.extend(all.iter().map(|(_, node)| *node));
        }
        assert!(turns.len() > 200, "the others get their turn: {}", turns.len());
    }

    #[test]
    fn a_node_is_asked_once_though_its_account_is_named_twice() {
        let owner = Address::repeat_byte(1);
        let twice = vec![(owner, vec![1, 2]), (owner, vec![1, 2])];
        let all = chosen(twice, &[1].into(), &mut StdRng::seed_from_u64(7));
        assert_eq!(all, [(owner, 1), (owner, 2)]);
    }
}
