//! Asks the providers in the register for a price.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use gradproof_chain::market::account::roles;
use gradproof_chain::market::{SignedLicence, TrainingMarket};
use gradproof_chain::{Address, SolValue, signer_of};
use gradproof_network::Protocol;

use super::Node;
use super::licensed::shown;
use crate::NodeError;
use crate::directory::Entry;
use crate::history::History;
use crate::matching::{quote_digest, terms_digest};
use crate::message::{Answer, Bytes, Question, Quote, read, written};

/// How long a provider may take to answer.
const WITHIN: Duration = Duration::from_secs(15);
/// Most providers that are asked.
const MAX_ASKED: usize = 64;
/// Most nodes of a provider that are asked, one after the other until one gives a price: the account may have one that is gone, or full.
const MAX_NODES: usize = 4;

/// A price that a provider signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// Of a segment, in the token's smallest unit.
    pub price: u128,
    /// Until when it is a promise, in seconds since 1970.
    pub expires: u64,
    /// How its jobs ended for accounts that this node knows.
    pub history: History,
}

/// What a provider said: its price, or why it takes no such job.
pub type Said = Result<Quoted, String>;

impl Node {
    /// What each provider of the register says of a job with these terms, or `only` this one. Whom the licence of the data leaves out is
    /// not asked.
    ///
    /// # Errors
    /// The chain does not answer, or the terms are too long.
    pub async fn quotes(
        &mut self,
        terms: &TrainingMarket::Terms,
        licence: Option<&SignedLicence>,
        only: Option<Address>,
    ) -> Result<BTreeMap<Address, Said>, NodeError> {
        let sight = self.shared.endpoints.look().await?;
        self.follower.scan(&self.shared, &sight, &mut self.tasks).await?;
        let encoded = Bytes::new(terms.abi_encode());
        let encoded = encoded.ok_or_else(|| NodeError::Peer("the terms are longer than a question may be".into()))?;
        let (requester, now) = (self.shared.me, sight.common.earliest().time);
        // In an order that nobody chose by choosing keys.
        let mut by_owner = HashMap::<Address, Vec<Entry>>::new();
        let provides = |entry: &&Entry| entry.roles & roles::PROVIDER != 0;
        let asked = |entry: &&Entry| only.is_none_or(|only| only == entry.owner);
        for entry in self.shared.directory().all().filter(provides).filter(asked) {
            by_owner.entry(entry.owner).or_default().push(entry.clone());
        }
        let (mut asked, mut said) = (FuturesUnordered::new(), BTreeMap::new());
        for (owner, nodes) in by_owner.into_iter().take(MAX_ASKED) {
            match licence.map(|licence| shown(licence, owner)).transpose() {
                Ok(licence) => {
                    let question = written(&Question::Quote { requester, terms: encoded.clone(), licence });
                    let node = &*self;
                    asked.push(async move { (owner, node.price_of(&nodes, terms, now, &question).await) });
                }
                Err(why) => drop(said.insert(owner, Err(why))),
            }
        }
        while let Some((owner, price)) = asked.next().await {
            said.extend(price.map(|price| (owner, price)));
        }
        drop(asked);
        Ok(said)
    }

    /// What the nodes of one provider say, the first one that gives a price; `None` if none of them names its peer.
    async fn price_of(
        &self,
        nodes: &[Entry],
        terms: &TrainingMarket::Terms,
        now: u64,
        question: &[u8],
    ) -> Option<Said> {
        let mut said = None;
        let named = nodes.iter().filter_map(|entry| Some((entry, entry.peer_id()?)));
        for (entry, peer) in named.take(MAX_NODES) {
            let answer = self.shared.network.ask(peer, Protocol::Open, question, WITHIN).await;
            let price = answer.map_err(|error| error.to_string());
            let price = price.and_then(|answer| self.price(entry, terms, now, &answer));
            if price.is_ok() {
                return Some(price);
            }
            said = Some(price);
        }
        said
    }

    /// The price in an answer, if it is what the provider signed about these terms.
    fn price(&self, entry: &Entry, terms: &TrainingMarket::Terms, now: u64, answer: &[u8]) -> Said {
        let quote = match read::<Answer>(answer).map_err(|reason| reason.to_string())? {
            Answer::Quote(quote) => quote,
            Answer::Refused(reason) => return Err(reason.to_string()),
            Answer::Card(_) | Answer::Datasets(_) | Answer::Dialled(_) => {
                return Err("it answers another question".into());
            }
        };
        let Quote { owner, of, price, expires, signature } = quote;
        if owner != entry.owner || of != terms_digest(self.shared.me, terms) || expires < now {
            return Err("its quote is about something else, or over".into());
        }
        let (chain, market) = (self.shared.deployment.chain, self.shared.deployment.market.address);
        let signer = signer_of(quote_digest(chain, market, owner, of, price, expires), signature.as_slice());
        match signer {
            Some(signer) if signer == owner || signer == entry.hot => {
                Ok(Quoted { price, expires, history: self.shared.histories().of(owner) })
            }
            _ => Err("its quote is signed by somebody else".into()),
        }
    }
}
