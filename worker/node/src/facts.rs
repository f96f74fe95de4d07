//! What a node knows of a job beside the chain. Each fact is the result of work that is done, and is stored with it.

use std::collections::{BTreeMap, BTreeSet};

use gradproof_chain::{Address, B256};
use serde::{Deserialize, Serialize};

use crate::consents::{Consents, Promise};
use crate::message::{LicencePath, SignedWord};
use crate::offers::Offers;
use crate::team::{Membership, Sharing};
use crate::words::{Doubt, Judged, Misses, Word};

/// What the node is in a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It posted the job.
    Requester,
    /// It trains the job, or wants to.
    Provider,
    /// It owns the data that the job is on.
    DataOwner,
    /// It sits in the job's committee.
    Validator,
}

/// What came of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opened {
    /// The weights open this claim. Where a block with a claim is undone, another one may come in its place.
    Right(B256),
    /// They do not, or there are none.
    Wrong {
        /// In words.
        why: String,
        /// The delivery that was opened.
        root: B256,
        /// The claim that it was compared with.
        last: B256,
    },
}

/// What a node knows of a job, beside the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// What it is in the job.
    pub role: Role,
    /// Provider: the least price of a segment at which it accepts the job, in the token's smallest unit; `None` if it does not.
    #[serde(default)]
    pub accept: Option<u128>,
    /// Provider: its path in the licence of the data; empty where none is needed, or an offer brings it.
    #[serde(default, skip_serializing_if = "LicencePath::is_empty")]
    pub path: LicencePath,
    /// Provider: the last second in which it takes the offer that it agreed to; `None` if the job came from no offer.
    #[serde(default)]
    pub offered: Option<u64>,
    /// Provider, validator: bytes of the disk that are kept free for the job, or that it has taken, until it ends.
    #[serde(default)]
    pub disk: u64,
    /// Provider: it had the job. It is not taken a second time: whatever the reason of the hand-back was, it cost a fee.
    #[serde(default)]
    pub had: bool,
    /// Provider, validator: the parcel of the job is here, and checked.
    #[serde(default)]
    pub parcel: bool,
    /// Provider, validator: the digests at the ends of the segments that a first training came to.
    #[serde(default)]
    pub ends: Vec<B256>,
    /// Provider: for how many segments, the first ones of the job, a second training came to the same. Where something is drawn, nothing
    /// else is claimed.
    #[serde(default)]
    pub agreed: u64,
    /// Provider: how long the training of the first segment took here, in milliseconds.
    #[serde(default)]
    pub training_ms: Option<u64>,
    /// Provider: why it hands the job back; validator: why it cannot train it again.
    #[serde(default)]
    pub declines: Option<String>,
    /// Provider: segments whose proofs are in the job's folder.
    #[serde(default)]
    pub proven: BTreeSet<u64>,
    /// Provider: roots of the deliveries that are sealed, by their batches.
    #[serde(default)]
    pub delivered: BTreeMap<u64, B256>,
    /// Provider: how long the last proof took here, in milliseconds.
    #[serde(default)]
    pub prove_ms: Option<u64>,
    /// Provider: it is in the team of another one, or wants to be.
    #[serde(default)]
    pub member: Option<Membership>,
    /// Provider: how it shares the proving with its team.
    #[serde(default)]
    pub sharing: Sharing,
    /// Requester: its user wants the job posted, for all.
    #[serde(default)]
    pub posts: bool,
    /// Requester: the offers of the job, if it is not posted for all.
    #[serde(default)]
    pub offers: Option<Offers>,
    /// Requester: the provider that the parcel is wrapped for.
    #[serde(default)]
    pub wrapped_for: Option<Address>,
    /// Requester: what came of the deliveries.
    #[serde(default)]
    pub opened: BTreeMap<u64, Opened>,
    /// Requester: the committee, whose consents the job needs before it is posted or offered.
    #[serde(default)]
    pub committee: Option<Consents>,
    /// Provider: as many members of the committee as decide hold the same data.
    #[serde(default)]
    pub shared: bool,
    /// Validator: the consent that it gave, which counts until the market has the job.
    #[serde(default)]
    pub consent: Option<Promise>,
    /// Validator: the provider whose data it holds, the same that this provider has.
    #[serde(default)]
    pub lead: Option<Address>,
    /// Validator: it answers what was asked after this second. Of what was asked before it may have forgotten its answer.
    #[serde(default)]
    pub answers_from: Option<u64>,
    /// Validator: roots that the team named behind a complaint, by their batches.
    #[serde(default)]
    pub roots: BTreeMap<u64, BTreeSet<B256>>,
    /// Validator: what came of the deliveries that it was asked about.
    #[serde(default)]
    pub judged: Vec<Judged>,
    /// Validator: what it says.
    #[serde(default)]
    pub words: Vec<Word>,
    /// Validator: claims that are not what it trained to, and what the provider said of them. Each may cost a challenge's bond.
    #[serde(default)]
    pub doubts: Vec<Doubt>,
    /// Validator: what it risks in challenges of the job, in the token's smallest unit.
    #[serde(default)]
    pub budget: u128,
    /// Questions that a committee was asked, by batch and claim: words are kept that answer one of them.
    #[serde(default)]
    pub asked: BTreeSet<(u64, B256)>,
    /// Words of other members that the chain told, and nobody has verified yet.
    #[serde(default)]
    pub attested: Vec<SignedWord>,
    /// Words of other members, verified: of each member and question one yes and one no.
    #[serde(default)]
    pub heard: Vec<SignedWord>,
    /// When other parties were asked last for the words that they have, in seconds since 1970.
    #[serde(default)]
    pub heard_at: Option<u64>,
    /// Segments whose claims this account challenged, and whose challenges stand, as the chain told.
    #[serde(default)]
    pub challenged: BTreeSet<u64>,
    /// Requester: how often the weights of a batch were not to be had, while other nodes answered.
    #[serde(default)]
    pub missed: BTreeMap<u64, Misses>,
    /// Requester: segments after which it asked the job to stop.
    #[serde(default)]
    pub stop_at: Option<u64>,
    /// Requester: it takes the job back while that is open.
    #[serde(default)]
    pub cancels: bool,
    /// Requester: the secret of the last batch, from which those before it follow; `None` where everything is proven.
    #[serde(default)]
    pub secret: Option<Secrets>,
}

/// A chain of secrets that draw: that of a batch is keccak256 of that of the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// Secret of the last batch.
    pub last: B256,
    /// Batches of the job.
    pub batches: u64,
}

impl Secrets {
    /// The secret of a batch; `None` beyond the last one.
    pub fn of(&self, batch: u64) -> Option<B256> {
        let hashed = |secret: B256, _| gradproof_verifier::protocol::keccak::keccak256(&[secret.as_slice()]).into();
        Some((0..self.batches.checked_sub(batch + 1)?).fold(self.last, hashed))
    }

    /// What the terms say of them: keccak256 of the secret of batch 0.
    pub fn tip(&self) -> Option<B256> {
        Some(gradproof_verifier::protocol::keccak::keccak256(&[self.of(0)?.as_slice()]).into())
    }
}

impl Facts {
    /// The secret that draws in a batch.
    pub fn secret_of(&self, batch: u64) -> Option<B256> {
        self.secret.and_then(|secrets| secrets.of(batch))
    }

    /// Segments that are trained.
    pub fn trained(&self) -> u64 {
        self.ends.len() as u64
    }

    /// The digests at the ends of segments `from..to`, as far as two trainings came to the same.
    pub fn agreed_ends(&self, from: u64, to: u64) -> &[B256] {
        let place = |segment: u64| usize::try_from(segment).unwrap_or(usize::MAX);
        self.ends.get(place(from)..place(to.min(self.agreed).min(self.trained()))).unwrap_or_default()
    }

    /// Two trainings did not agree: which of them was wrong nobody knows, so that what only one came to counts no more.
    pub fn doubt(&mut self) {
        self.ends.truncate(usize::try_from(self.agreed).unwrap_or(usize::MAX));
    }

    /// Nothing but the role.
    pub fn new(role: Role) -> Self {
        Self {
            role,
            accept: None,
            path: LicencePath::default(),
            offered: None,
            disk: 0,
            had: false,
            parcel: false,
            ends: vec![],
            agreed: 0,
            training_ms: None,
            declines: None,
            proven: BTreeSet::new(),
            delivered: BTreeMap::new(),
            prove_ms: None,
            member: None,
            sharing: Sharing::default(),
            posts: false,
            offers: None,
            wrapped_for: None,
            opened: BTreeMap::new(),
            committee: None,
            shared: false,
            consent: None,
            lead: None,
            answers_from: None,
            roots: BTreeMap::new(),
            judged: vec![],
            words: vec![],
            doubts: vec![],
            budget: 0,
            asked: BTreeSet::new(),
            attested: vec![],
            heard: vec![],
            heard_at: None,
            challenged: BTreeSet::new(),
            missed: BTreeMap::new(),
            stop_at: None,
            cancels: false,
            secret: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradproof_verifier::protocol::keccak::keccak256;

    #[test]
    fn each_secret_is_the_hash_of_the_next_and_the_tip_that_of_the_first() {
        let secrets = Secrets { last: B256::repeat_byte(3), batches: 3 };
        let hash = |secret: B256| B256::from(keccak256(&[secret.as_slice()]));
        assert_eq!(secrets.of(2), Some(B256::repeat_byte(3)));
        assert_eq!(secrets.of(1), secrets.of(2).map(hash));
        assert_eq!(secrets.of(0), secrets.of(1).map(hash));
        assert_eq!(secrets.tip(), secrets.of(0).map(hash));
        assert_eq!(secrets.of(3), None);
    }
}
