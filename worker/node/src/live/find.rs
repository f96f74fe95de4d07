//! Asks the data owners in the register which sets they serve, and for a licence.

use std::collections::HashMap;
use std::time::Duration;

use gradproof_chain::market::account::roles;
use gradproof_chain::market::{DatasetRegistry, SignedLicence};
use gradproof_chain::{Address, At, B256, Common, Reader};
use gradproof_network::Protocol;
use tokio::task::JoinSet;

use super::Node;
use super::shared::ASK;
use crate::NodeError;
use crate::config::MAX_SETS;
use crate::directory::Entry;
use crate::message::{Answer, PartyAnswer, PartyQuestion, Question, SetCard, read, written};

/// How long a data owner may take to answer.
const WITHIN: Duration = Duration::from_secs(15);
/// Most data owners that are asked.
const MAX_ASKED: usize = 64;
/// Most nodes of one owner that are asked.
const MAX_NODES: usize = 4;

/// A set that its owner's node serves, and that the register has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the node says of it.
    pub card: SetCard,
    /// The part of a segment's price that is the royalty, by the register, in hundredths of a percent.
    pub rate_bps: u16,
}

impl Node {
    /// The sets that data owners of the register serve, by owner and digest. What a node says of others' sets, or of some that the
    /// register does not have, is left out.
    ///
    /// # Errors
    /// The chain does not answer.
    pub async fn datasets(&mut self) -> Result<Vec<Found>, NodeError> {
        let sight = self.shared.endpoints.look().await?;
        self.follower.scan(&self.shared, &sight, &mut self.tasks).await?;
        // One node of each owner, in an order that nobody chose by choosing keys.
        let mut by_owner = HashMap::<Address, Entry>::new();
        let owns = |entry: &&Entry| entry.roles & roles::DATA_OWNER != 0;
        for entry in self.shared.directory().all().filter(owns) {
            by_owner.insert(entry.owner, entry.clone());
        }
        let (mut asked, question) = (JoinSet::new(), written(&Question::Datasets));
        for entry in by_owner.into_values().take(MAX_ASKED) {
            let Some(peer) = entry.peer_id() else { continue };
            let (network, question) = (self.shared.network.clone(), question.clone());
            asked.spawn(async move { (entry.owner, network.ask(peer, Protocol::Open, &question, WITHIN).await) });
        }
        let mut found = Vec::new();
        while let Some(Ok((owner, answer))) = asked.join_next().await {
            let Some(Answer::Datasets(cards)) = answer.ok().and_then(|answer| read(&answer).ok()) else { continue };
            for card in cards.into_iter().take(MAX_SETS).filter(|card| card.set.owner == owner) {
                found.extend(self.registered(&sight.common, card).await?);
            }
        }
        found.sort_by_key(|found| (found.card.set.owner, found.card.set.dataset));
        Ok(found)
    }

    /// A set, as a node of its owner tells it: the register says who that is, and nobody else is asked.
    ///
    /// # Errors
    /// The chain does not answer, the register has no such set, or no node of the owner serves it.
    pub async fn dataset(&mut self, dataset: B256) -> Result<Found, NodeError> {
        let sight = self.shared.endpoints.look().await?;
        self.follower.scan(&self.shared, &sight, &mut self.tasks).await?;
        let entry = self.entry_of(&sight.common, dataset).await?;
        let entry =
            entry.ok_or_else(|| NodeError::Peer(format!("the endpoints do not agree on data set {dataset}")))?;
        let owner = entry.owner;
        if owner.is_zero() {
            return Err(NodeError::Peer(format!("data set {dataset} is not in the register of this market")));
        }
        for peer in self.shared.peers_of(owner).into_iter().take(MAX_NODES) {
            let answer = self.shared.network.ask(peer, Protocol::Open, &written(&Question::Datasets), WITHIN).await;
            let Some(Answer::Datasets(cards)) = answer.ok().and_then(|answer| read(&answer).ok()) else { continue };
            let of = |card: &SetCard| (card.set.owner, card.set.dataset) == (owner, dataset);
            if let Some(card) = cards.into_iter().take(MAX_SETS).find(of)
                && let Some(found) = self.registered(&sight.common, card).await?
            {
                return Ok(found);
            }
        }
        Err(NodeError::Peer(format!("no node of {owner}, who owns data set {dataset}, serves it now")))
    }

    /// A licence for a job of this account, from a node of the set's owner. Whoever uses it looks at what it says.
    ///
    /// # Errors
    /// No node of the owner answers, or they refuse: why the last one did.
    pub async fn licence(&mut self, owner: Address, dataset: B256, segments: u32) -> Result<SignedLicence, NodeError> {
        let question = written(&PartyQuestion::Licence { dataset, segments });
        let mut last = format!("{owner} has no node in the register");
        for peer in self.shared.peers_of(owner).into_iter().take(MAX_NODES) {
            let answer = self.shared.network.ask(peer, Protocol::Party, &question, ASK).await;
            let answer = answer.map_err(|error| error.to_string());
            match answer.and_then(|answer| read::<PartyAnswer>(&answer).map_err(|reason| reason.to_string())) {
                Ok(PartyAnswer::Licence(file)) => match SignedLicence::from_json(file.as_slice()) {
                    Ok(signed) if (signed.dataset, signed.requester) == (dataset, self.shared.me) => return Ok(signed),
                    Ok(_) => last = format!("{owner} answers with a licence for something else"),
                    Err(why) => last = format!("{owner} answers with no licence: {why}"),
                },
                Ok(PartyAnswer::Refused(reason)) => last = format!("{owner} refuses: {reason}"),
                Ok(_) => last = format!("{owner} answers with something else"),
                Err(why) => last = why,
            }
        }
        Err(NodeError::Peer(last))
    }

    /// The card, if the register has its set.
    async fn registered(&self, common: &Common, card: SetCard) -> Result<Option<Found>, NodeError> {
        let (deployment, dataset) = (&self.shared.deployment, card.set.dataset);
        let register = deployment.datasets.address;
        if card.set.check().is_err() || (card.set.chain, card.set.register) != (deployment.chain, register) {
            return Ok(None);
        }
        let entry = self.entry_of(common, dataset).await?.filter(|entry| card.set.is_of(entry));
        Ok(entry.map(|entry| Found { card, rate_bps: entry.rateBps }))
    }

    /// The register's entry of a set, if the endpoints agree on it.
    async fn entry_of(&self, common: &Common, dataset: B256) -> Result<Option<DatasetRegistry::Dataset>, NodeError> {
        let register = self.shared.deployment.datasets.address;
        let asked = |at: At| async move { at.ask(register, &DatasetRegistry::entryCall { dataset }).await };
        Ok(self.shared.endpoints.read(common, asked).await?.agreed())
    }
}
