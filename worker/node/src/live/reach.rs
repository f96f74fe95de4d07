//! Whether others reach a node: it asks one to dial it at the addresses that the register has.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gradproof_chain::{Address, LOCAL_CHAIN};
use gradproof_network::limits::MAX_ADDRESSES;
use gradproof_network::{Multiaddr, PeerId, Protocol};
use tokio::task::JoinSet;

use super::Node;
use super::locked::locked;
use super::shared::Shared;
use crate::NodeError;
use crate::message::{Answer, Dialled, Question, Reason, read, written};

/// How long another node may take to answer: a connection has 15 s, and all addresses are tried at once.
const WITHIN: Duration = Duration::from_secs(30);
/// Nodes that are asked, at most, until one answers.
const MAX_ASKED: usize = 8;

/// What another node said of this one's addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The account whose node tried.
    pub by: Address,
    /// The addresses in the register, and whether this node answered there.
    pub addresses: Vec<(String, bool)>,
}

/// Ends a try, however it ends.
struct Trying<'a>(&'a Shared);

impl Drop for Trying<'_> {
    fn drop(&mut self) {
        locked(&self.0.dials).end();
    }
}

/// What a node that asks whether it is reached is told.
///
/// # Soundness
/// Dialled is what the register has for the very node that asks, which every node dials by itself now and then; and none of a network
/// of this machine's own, whose hosts would trust it.
pub(super) async fn answer(shared: &Arc<Shared>, peer: PeerId) -> Answer {
    let Some(owner) = shared.owner_of(peer) else {
        return Answer::Refused(Reason::new("your node is not in the register"));
    };
    if let Err(reason) = locked(&shared.dials).begin(owner, Instant::now()) {
        return Answer::Refused(reason);
    }
    let trying = Trying(shared);
    let entry =
        gradproof_network::address_of(&peer).and_then(|address| shared.directory().get(address.into()).cloned());
    let addresses = entry.map(|entry| entry.places()).unwrap_or_default();
    let mut tries = JoinSet::new();
    for (place, address) in addresses.iter().cloned().enumerate() {
        let network = shared.network.clone();
        let allowed = shared.deployment.chain == LOCAL_CHAIN || is_public(&address);
        tries.spawn(async move { (place, allowed && network.try_dial(peer, vec![address]).await.is_ok()) });
    }
    let reached: BTreeMap<usize, bool> = tries.join_all().await.into_iter().collect();
    drop(trying);
    let dialled = addresses.iter().enumerate().map(|(place, address)| Dialled {
        address: Reason::new(address.to_string()),
        reached: reached.get(&place).copied().unwrap_or(false),
    });
    Answer::Dialled(dialled.collect())
}

impl Node {
    /// What the first other node of the register that answers says of this one's addresses; `None` if none does.
    ///
    /// # Errors
    /// The chain does not answer.
    pub async fn reach(&mut self) -> Result<Option<Reach>, NodeError> {
        let sight = self.shared.endpoints.look().await?;
        self.follower.scan(&self.shared, &sight, &mut self.tasks).await?;
        let me = self.shared.me;
        // One node of each account, in an order that nobody chose by choosing keys: two of one are behind the same router.
        let others: HashMap<Address, PeerId> = {
            let directory = self.shared.directory();
            let others = directory.all().filter(|entry| entry.owner != me);
            others.filter_map(|entry| Some((entry.owner, entry.peer_id()?))).collect()
        };
        for (by, peer) in others.into_iter().take(MAX_ASKED) {
            let answer = self.shared.network.ask(peer, Protocol::Open, &written(&Question::DialBack), WITHIN).await;
            let Ok(Ok(Answer::Dialled(dialled))) = answer.map(|answer| read::<Answer>(&answer)) else { continue };
            let said = dialled.into_iter().take(MAX_ADDRESSES);
            return Ok(Some(Reach {
                by,
                addresses: said.map(|said| (said.address.to_string(), said.reached)).collect(),
            }));
        }
        Ok(None)
    }
}

/// Whether an address is of no network of this machine's own.
fn is_public(address: &Multiaddr) -> bool {
    let text = address.to_string();
    let mut parts = text.split('/').skip(1);
    match (parts.next(), parts.next()) {
        (Some("ip4"), Some(host)) => host.parse().is_ok_and(|host: Ipv4Addr| {
            // The last is what providers keep for themselves: 100.64.0.0/10.
            !(host.is_private()
                || host.is_loopback()
                || host.is_link_local()
                || host.is_unspecified()
                || host.is_multicast()
                || host.is_broadcast()
                || host.octets()[0] == 100 && host.octets()[1] & 0xc0 == 64
                // For tests of devices, and reserved: 198.18.0.0/15, 240.0.0.0/4.
                || host.octets()[0] == 198 && host.octets()[1] & 0xfe == 18
                || host.octets()[0] >= 240)
        }),
        (Some("ip6"), Some(host)) => host.parse().is_ok_and(|host: Ipv6Addr| {
            !(host.is_loopback()
                || host.is_unspecified()
                || host.is_unique_local()
                || host.is_unicast_link_local()
                || host.is_multicast()
                || host.to_ipv4_mapped().is_some()
                // Addresses of version 4 inside: ::a.b.c.d, 64:ff9b::/96, 2002::/16. And fec0::/10, which sites had for themselves.
                || host.segments()[..6] == [0; 6]
                || host.segments()[..2] == [0x64, 0xff9b]
                || host.segments()[0] == 0x2002
                || host.segments()[0] & 0xffc0 == 0xfec0)
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_own_network_is_dialled_for_others() {
        let public = |address: &str| is_public(&address.parse().expect("an address"));
        for own in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.2",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "198.18.0.1",
            "240.0.0.1",
        ] {
            assert!(!public(&format!("/ip4/{own}/tcp/1")), "{own}");
        }
        for own in [
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "::",
            "::10.0.0.1",
            "64:ff9b::a00:1",
            "2002::1",
            "fec0::1",
        ] {
            assert!(!public(&format!("/ip6/{own}/udp/1/quic-v1")), "{own}");
        }
        assert!(public("/ip4/8.8.8.8/tcp/1") && public("/ip6/2001:db9::1/udp/1/quic-v1"));
        assert!(!public("/dns4/localhost/tcp/1"));
    }
}
