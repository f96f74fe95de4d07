//! What a node decides with: the chain, what it must not forget, and what it has seen and said. Of work and peers it knows nothing.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use gradproof_chain::market::Deployment;
use gradproof_chain::{Address, B256, Endpoints, Policy, PrivateKeySigner, Sender};
use gradproof_network::{PeerId, address_of};
use gradproof_verifier::protocol::statement::Domain;

use super::locked::locked;
use super::metrics::Metrics;
use super::quoted::Quotes;
use super::silence::Silence;
use crate::NodeError;
use crate::config::Config;
use crate::decide::View;
use crate::directory::{Directory, Entry};
use crate::history::Histories;
use crate::home::{Accounts, Home};
use crate::journal::StoreJournal;
use crate::message::LicencePath;
use crate::store::{MAX_JOBS, Store};
use crate::told::Transaction;

/// What was read of a job.
#[derive(Clone, Debug)]
pub(super) enum Seen {
    /// As many endpoints as must agree say this.
    Agreed(Box<View>),
    /// They do not agree, or one is alone: what each of them says.
    Apart(Vec<View>),
}

/// What whoever makes a block may be offered, as a part of the most that a unit of gas may cost.
const TIP_PART: u128 = 4;
/// More gas than any call is expected to take: opening a job with a committee of fifteen takes 3 million, a proof 1.2 million.
const MOST_GAS: u64 = 4_000_000;
/// Most things that something was said of: each transaction and piece of work of the jobs that are followed, and refused jobs.
const MAX_SAID: usize = 4 * MAX_JOBS;

/// What a node decides with.
pub struct Desk {
    /// Its folder.
    pub home: Home,
    /// Its configuration.
    pub config: Config,
    /// The market.
    pub deployment: Deployment,
    /// The account whose node it is.
    pub me: Address,
    /// What it must not forget.
    pub store: Arc<Store>,
    /// The chain.
    pub endpoints: Arc<Endpoints>,
    /// Its peer, as the register names it.
    pub(super) peer: Option<Address>,
    /// Sends what the account signs.
    pub account: Sender,
    /// Sends what the hot key signs.
    pub hot: Sender,
    /// What it counts. In the registry of a running node only.
    pub(super) metrics: Metrics,
    keys: Accounts,
    directory: Mutex<Directory>,
    histories: Mutex<Histories>,
    quotes: Mutex<Quotes>,
    seen: Mutex<BTreeMap<B256, Seen>>,
    /// What is said of a job that is not as it should be, once.
    said: Mutex<BTreeMap<String, String>>,
    promises: tokio::sync::Mutex<()>,
    /// This account's paths in the licences of open jobs about which nothing is decided yet; empty if the requester says that it has none.
    paths: Mutex<BTreeMap<B256, LicencePath>>,
    /// The last transactions that are not written down yet, by their jobs.
    pub(super) transactions: Mutex<BTreeMap<B256, Transaction>>,
    changed: AtomicBool,
    /// The segment of a job that is being proven.
    proving: Mutex<BTreeMap<B256, u64>>,
    silence: Mutex<Silence>,
}

impl Desk {
    /// The desk of the account `accounts`, over a store and endpoints that are there.
    pub fn new(
        home: Home,
        config: Config,
        deployment: Deployment,
        accounts: Accounts,
        store: Arc<Store>,
        endpoints: Arc<Endpoints>,
    ) -> Self {
        let journal = Arc::new(StoreJournal::new(store.clone()));
        let policy = sending_policy(&config);
        let me = accounts.owner();
        let histories = Mutex::new(Histories::new(me, config.requester.as_ref()));
        let sender = |key: PrivateKeySigner| Sender::of(key, endpoints.clone(), journal.clone(), policy);
        let account = match accounts.account() {
            Some(key) => sender(key.clone()),
            None => Sender::without_key(me, endpoints.clone(), journal.clone(), policy),
        };
        let hot = sender(accounts.hot.clone());
        let peer = home.peer_key().ok().and_then(|key| PrivateKeySigner::from_bytes(&key).ok());
        Self {
            home,
            config,
            deployment,
            me,
            store,
            endpoints,
            peer: peer.map(|key| key.address()),
            account,
            hot,
            metrics: Metrics::default(),
            keys: accounts,
            directory: Mutex::default(),
            histories,
            quotes: Mutex::default(),
            seen: Mutex::default(),
            said: Mutex::default(),
            promises: tokio::sync::Mutex::default(),
            paths: Mutex::default(),
            transactions: Mutex::default(),
            changed: AtomicBool::new(true),
            proving: Mutex::default(),
            silence: Mutex::default(),
        }
    }

    /// A signature of the hot key over a digest, 65 bytes.
    ///
    /// # Errors
    /// The key does not sign.
    pub(super) fn sign(&self, digest: B256) -> Result<Vec<u8>, NodeError> {
        Ok(gradproof_chain::sign_digest(&self.keys.hot, digest)?)
    }

    /// A signature of the account's key over a digest, 65 bytes. What is signed was computed here.
    ///
    /// # Errors
    /// The key is elsewhere, or does not sign.
    pub(super) fn sign_as_account(&self, digest: B256) -> Result<Vec<u8>, NodeError> {
        Ok(gradproof_chain::sign_digest(self.keys.require_account()?, digest)?)
    }

    /// Held from judging what may be promised to storing the promise: two are never judged against the same free place.
    pub(super) async fn promising(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.promises.lock().await
    }

    /// The same for whoever asks over the network; `None` while another is judged. The node's own look never waits for a row of strangers.
    pub(super) fn try_promising(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        self.promises.try_lock().ok()
    }

    /// What is left to the account's other nodes, and which of them are silent.
    pub(super) fn siblings(&self) -> MutexGuard<'_, Silence> {
        locked(&self.silence)
    }

    /// What the requester of an open job said of this account's path in its licence; `None` before it was asked.
    pub(super) fn path(&self, job: B256) -> Option<LicencePath> {
        locked(&self.paths).get(&job).cloned()
    }

    /// Keeps what the requester of an open job said of this account's path.
    pub(super) fn keep_path(&self, job: B256, path: LicencePath) {
        locked(&self.paths).insert(job, path);
    }

    /// It is decided about an open job.
    pub(super) fn forget_path(&self, job: B256) {
        locked(&self.paths).remove(&job);
    }

    /// Quotes that are promises.
    pub(super) fn quotes(&self) -> MutexGuard<'_, Quotes> {
        locked(&self.quotes)
    }

    /// Whether the account's key is elsewhere: what it signs somebody sends by hand.
    pub(super) fn signs_elsewhere(&self) -> bool {
        self.keys.account().is_none()
    }

    /// Where the proofs of a job count, if this provider has it.
    pub fn domain(&self, id: B256, owner: Address) -> Domain {
        gradproof_chain::market::domain(self.deployment.chain, self.deployment.market.address, id, owner)
    }

    /// The register, as far as it was read.
    pub(super) fn directory(&self) -> MutexGuard<'_, Directory> {
        locked(&self.directory)
    }

    /// How jobs of known accounts ended, as far as it was read.
    pub(super) fn histories(&self) -> MutexGuard<'_, Histories> {
        locked(&self.histories)
    }

    /// The register's entry of a peer, as far as it was read.
    pub fn entry(&self, peer: Address) -> Option<Entry> {
        self.directory().get(peer).cloned()
    }

    /// What the endpoints agree on of a job, as it was read last.
    pub fn view(&self, id: B256) -> Option<View> {
        match self.seen(id)? {
            Seen::Agreed(view) => Some(*view),
            Seen::Apart(_) => None,
        }
    }

    /// What was read of a job last.
    pub(super) fn seen(&self, id: B256) -> Option<Seen> {
        locked(&self.seen).get(&id).cloned()
    }

    /// Keeps what was read of a job.
    pub(super) fn see(&self, id: B256, seen: Seen) {
        locked(&self.seen).insert(id, seen);
    }

    /// The segment of a job that this node is proving.
    pub(super) fn proves(&self, id: B256) -> Option<u64> {
        locked(&self.proving).get(&id).copied()
    }

    /// Says which segment of a job is being proven.
    pub(super) fn proving(&self, id: B256, segment: Option<u64>) {
        let mut proving = locked(&self.proving);
        match segment {
            Some(segment) => drop(proving.insert(id, segment)),
            None => drop(proving.remove(&id)),
        }
    }

    /// Something changed that decisions depend on: the next look decides again, without a new block.
    pub fn changed(&self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    /// Whether something changed since this was asked last.
    pub(super) fn take_change(&self) -> bool {
        self.changed.swap(false, Ordering::Relaxed)
    }

    /// Whether `what` was not said of `about` yet.
    pub(super) fn is_news(&self, about: &str, what: &str) -> bool {
        let mut said = locked(&self.said);
        // Of so many that some are of jobs long gone.
        if said.len() >= MAX_SAID && !said.contains_key(about) {
            said.pop_first();
        }
        said.insert(about.to_owned(), what.to_owned()).as_deref() != Some(what)
    }

    /// What was said of `about` last.
    pub fn said_of(&self, about: &str) -> Option<String> {
        locked(&self.said).get(about).cloned()
    }

    /// All that was said last.
    pub(super) fn all_said(&self) -> BTreeMap<String, String> {
        locked(&self.said).clone()
    }

    /// Nothing is wrong with `about` any more.
    pub(super) fn unsay(&self, about: &str) {
        locked(&self.said).remove(about);
    }

    /// The account whose node a peer is, by the register.
    pub(super) fn owner_of(&self, peer: PeerId) -> Option<Address> {
        let address = Address::from(address_of(&peer)?);
        self.directory().get(address).map(|entry| entry.owner)
    }

    /// The accounts that this node has jobs with, and its own: what they may ask, nobody else takes from them.
    ///
    /// Where the endpoints do not agree, each one's word is enough: all that it gives is a share of the network.
    pub(super) fn parties(&self) -> Result<HashSet<Address>, NodeError> {
        let mut parties = HashSet::from([self.me]);
        for (id, _) in self.store.jobs()? {
            let views = match self.seen(id) {
                Some(Seen::Agreed(view)) => vec![*view],
                Some(Seen::Apart(views)) => views,
                None => continue,
            };
            for view in views {
                parties.extend([view.job.job.requester, view.job.job.owner]);
                parties.extend(view.team.iter().flat_map(|team| team.owners()));
                parties.extend(view.job.terms.committee.members);
            }
        }
        Ok(parties)
    }

    /// The peers of an account's nodes.
    pub(super) fn peers_of(&self, owner: Address) -> Vec<PeerId> {
        self.directory().of_owner(owner).filter_map(Entry::peer_id).collect()
    }
}

/// What a node's transactions may cost, and when they are not undone any more.
pub fn sending_policy(config: &Config) -> Policy {
    let max_fee = config.most_gas_price;
    Policy { confirmations: config.confirmations, max_fee, max_tip: max_fee / TIP_PART, max_gas: MOST_GAS }
}
