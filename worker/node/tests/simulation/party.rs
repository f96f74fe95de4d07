//! A party: the node's real decisions, sender and journal over endpoints of the ledger; work that takes virtual time.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use alloy::primitives::B256;
use gradproof_chain::market::Deployment;
use gradproof_chain::{Address, ChainError, Endpoint, Endpoints, LOCAL_CHAIN};
use gradproof_node::NodeError;
use gradproof_node::config::{Config, Datasets, ProviderConfig};
use gradproof_node::decide::{Task, View};
use gradproof_node::directory::Entry;
use gradproof_node::facts::{Facts, Role};
use gradproof_node::home::{Accounts, Home};
use gradproof_node::live::{Desk, Follower, Hands};
use gradproof_node::store::Store;

use crate::gate::Door;
use crate::ledger::{STAKE, tokens};
use crate::plan::{CONFIRMATIONS, Nature};
use crate::stage::Stage;
use crate::terms::PRICE;

/// The most that a unit of gas may cost, in wei.
const MOST_GAS_PRICE: u128 = 200_000_000_000;
/// Bytes of its disk that a node may use.
const DISK: u64 = 1 << 30;
/// After how long something that failed is tried again at first, and at most, in seconds.
const REST: (u64, u64) = (1, 300);

/// A party, whether its process runs or not.
pub struct Party {
    pub nature: Nature,
    pub accounts: Accounts,
    pub home: PathBuf,
    pub life: Option<Life>,
    /// How often its process began. What an earlier one worked on is lost.
    pub epoch: u64,
    config: Config,
    deployment: Deployment,
    doors: Vec<Arc<Door>>,
}

/// What a process has in its memory.
pub struct Life {
    pub desk: Desk,
    pub follower: Follower,
    pub crew: Crew,
}

/// Who works for a node: one piece a job at a time that needs its trainer, as in a running node.
#[derive(Default)]
pub struct Crew {
    pub now: u64,
    running: BTreeSet<(B256, Task)>,
    /// When what failed is tried again, and how long that was waited.
    rests: BTreeMap<(B256, Task), (u64, u64)>,
    /// What was begun and has no end yet.
    pub begun: Vec<(Box<View>, Task)>,
}

impl Hands for Crew {
    fn begin(&mut self, view: &View, task: Task) {
        let key = (view.id, task);
        let taken = self.running.iter().any(|(_, other)| other.needs_trainer()) && task.needs_trainer();
        let rests = self.rests.get(&key).is_some_and(|(next, _)| *next > self.now);
        if !taken && !rests && self.running.insert(key) {
            self.begun.push((Box::new(view.clone()), task));
        }
    }

    fn release(&mut self, _: B256) {}

    fn forget(&mut self, _: &View, _: &Facts) -> Result<(), NodeError> {
        Ok(())
    }

    fn free_disk(&self) -> Result<u64, NodeError> {
        Ok(DISK)
    }

    fn serve(&mut self, _: HashSet<Address>) {}

    fn tell(&mut self) -> Result<(), NodeError> {
        Ok(())
    }

    async fn admit(&mut self, _: &Entry) {}

    async fn dismiss(&mut self, _: &Entry) {}
}

impl Crew {
    /// A piece of work has ended; one that failed is tried again later.
    pub fn ended(&mut self, key: (B256, Task), is_done: bool) {
        self.running.remove(&key);
        if is_done {
            self.rests.remove(&key);
        } else {
            let pause = self.rests.get(&key).map_or(REST.0, |(_, pause)| (pause * 2).min(REST.1));
            self.rests.insert(key, (self.now + pause, pause));
        }
    }
}

impl Party {
    /// A party whose process does not run yet.
    pub fn new(
        stage: &Arc<Mutex<Stage>>,
        at: usize,
        accounts: Accounts,
        home: PathBuf,
        deployment: Deployment,
    ) -> Self {
        let plan = crate::gate::locked(stage).plan.clone();
        let role = if at == 0 { Role::Requester } else { Role::Provider };
        let doors: Vec<_> = plan.endpoints[at].iter().map(|lie| Arc::new(Door::new(stage, at, *lie))).collect();
        let provider = ProviderConfig {
            least_price: tokens(PRICE).to(),
            most_bond: tokens(STAKE).to(),
            jobs: 1,
            draws: true,
            validators: vec![],
            datasets: Datasets::NONE,
            member: None,
        };
        let config = Config {
            role,
            endpoints: vec![],
            deployment: home.join("deployment.json"),
            listen: vec![],
            announce: vec![],
            confirmations: CONFIRMATIONS,
            most_gas_price: MOST_GAS_PRICE,
            disk_bytes: DISK,
            metrics: None,
            provider: (role == Role::Provider).then_some(provider),
            requester: None,
            data_owner: None,
            validator: None,
        };
        Self { nature: plan.natures[at], accounts, home, life: None, epoch: 0, config, deployment, doors }
    }

    pub fn account(&self) -> Address {
        self.accounts.owner()
    }

    /// Its folder.
    pub fn home(&self) -> Home {
        Home::at(&self.home)
    }

    /// Whether it does what its node does.
    pub fn is_honest(&self) -> bool {
        self.nature == Nature::Honest
    }

    /// Whether it is gone for good, so many seconds after the beginning.
    pub fn is_gone(&self, since: u64) -> bool {
        matches!(self.nature, Nature::Gone(after) if since >= after)
    }

    /// Begins its process, over what is on its disk.
    pub fn start(&mut self, disk: Arc<Store>) -> Result<(), ChainError> {
        let doors = self.doors.iter().map(|door| door.clone() as Arc<dyn Endpoint>).collect();
        let endpoints = match poll_once(Endpoints::of(doors, LOCAL_CHAIN)) {
            Poll::Ready(endpoints) => Arc::new(endpoints?),
            Poll::Pending => return Err(ChainError::NoEndpoint),
        };
        let (config, deployment) = (self.config.clone(), self.deployment.clone());
        let desk = Desk::new(self.home(), config, deployment, self.accounts.clone(), disk, endpoints);
        self.life = Some(Life { desk, follower: Follower::default(), crew: Crew::default() });
        Ok(())
    }

    /// Ends its process where it stands.
    pub fn kill(&mut self) {
        self.life = None;
        self.epoch += 1;
    }
}

/// Runs what waits for nothing but the ledger, which answers at once. What is pending after that is a process that has died.
pub fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}
