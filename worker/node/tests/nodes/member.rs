//! Nodes of this process, each with a home of its own and threads that can be dropped at any point.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gradproof_chain::market::account::{Node as Entry, register};
use gradproof_chain::market::{SignedLicence, TrainingMarket, no_licence, no_permit};
use gradproof_chain::{Address, B256, Chain, PrivateKeySigner, SolCall, SolValue, U256};
use gradproof_network::PeerId;
use gradproof_node::NodeError;
use gradproof_node::backup::{self, Archive};
use gradproof_node::config::{Config, DataOwnerConfig, Datasets, ProviderConfig, ValidatorConfig};
use gradproof_node::consents::Consents;
use gradproof_node::facts::{Facts, Role, Secrets};
use gradproof_node::home::{Accounts, Home};
use gradproof_node::live::{Node, OPEN_FILE, Reach, Said, Setup, Shared, TERMS_FILE, encryption_public_key, peer_id};
use gradproof_node::told::Told;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::scene::{BACKING, FORTUNE, PRICE, STAKE, Scene, WORD, tokens};
use crate::workshop::{Shop, StandIn, parcel};

/// Blocks after which an acceptance counts.
pub const CONFIRMATIONS: u64 = 2;
/// How long a node may take until it runs again: what a killed one holds is free by then.
const START: Duration = Duration::from_secs(20);
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// A party with a node, which runs or does not.
pub struct Member {
    folder: TempDir,
    pub(crate) accounts: Accounts,
    pub(crate) config: Config,
    pub shop: Arc<StandIn>,
    pub(crate) chain: Chain,
    running: Option<Running>,
}

/// A node on threads of its own.
struct Running {
    shared: Arc<Shared>,
    kill: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Member {
    /// A requester, whose keys follow from `seed`.
    pub fn requester(scene: &Scene, seed: u8) -> Self {
        Self::new(scene, seed, Role::Requester, vec![scene.url().to_owned()])
    }

    /// A data owner, which serves nothing yet.
    pub fn data_owner(scene: &Scene, seed: u8) -> Self {
        Self::new(scene, seed, Role::DataOwner, vec![scene.url().to_owned()])
    }

    /// A provider with stake.
    pub fn provider(scene: &Scene, seed: u8) -> Self {
        Self::provider_at(scene, seed, vec![scene.url().to_owned()])
    }

    /// A provider that asks these endpoints.
    pub fn provider_at(scene: &Scene, seed: u8, endpoints: Vec<String>) -> Self {
        let member = Self::new(scene, seed, Role::Provider, endpoints);
        member.stake(scene, STAKE);
        member
    }

    /// A validator with stake.
    pub fn validator(scene: &Scene, seed: u8) -> Self {
        let member = Self::new(scene, seed, Role::Validator, vec![scene.url().to_owned()]);
        member.stake(scene, BACKING);
        member
    }

    /// A second node of the account of another one, with a hot key and a peer of its own, which follow from `seed`.
    pub fn beside(scene: &Scene, first: &Self, seed: u8) -> Self {
        let mut member = Self::new(scene, seed, first.config.role, first.config.endpoints.clone());
        let key = first.accounts.account().expect("it has its key");
        member.accounts = Accounts::new(key.clone(), member.accounts.hot.clone());
        member.chain = Chain::connect(scene.url(), key.clone()).expect("the node answers");
        let path = |member: &Self| Home::at(member.folder.path()).keys().join("encryption.key");
        fs::copy(path(first), path(&member)).expect("it is copied");
        member
    }

    /// The same, which risks so many tokens more in challenges of a job.
    pub fn risking(mut self, scene: &Scene, risked: u64) -> Self {
        if risked > 0 {
            self.stake(scene, risked);
        }
        self.config.validator.as_mut().expect("it is a validator").challenge_budget = tokens(risked).to();
        self
    }

    fn new(scene: &Scene, seed: u8, role: Role, endpoints: Vec<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = |number: u8| PrivateKeySigner::from_bytes(&secret(seed, number)).expect("a valid key");
        let accounts = Accounts::new(key(1), key(2));
        let keys = folder.path().join("keys");
        fs::create_dir(&keys).expect("a folder");
        for (name, number) in [("peer.key", 3), ("encryption.key", 4)] {
            fs::write(keys.join(name), format!("{}\n", secret(seed, number))).expect("it is written");
        }
        let provider = ProviderConfig {
            least_price: tokens(PRICE).to(),
            most_bond: tokens(STAKE).to(),
            jobs: 1,
            draws: true,
            validators: vec![],
            datasets: Datasets::ALL,
            member: None,
        };
        let (least_fee, most_stake) = (tokens(WORD).to(), tokens(BACKING).to());
        let datasets = Datasets::ALL;
        let validator =
            ValidatorConfig { least_fee, most_stake, jobs: 1, most_days: 600, challenge_budget: 0, datasets };
        let config = Config {
            role,
            endpoints,
            deployment: folder.path().join("deployment.json"),
            listen: vec!["/ip4/127.0.0.1/udp/0/quic-v1".into(), "/ip4/127.0.0.1/tcp/0".into()],
            announce: vec![],
            confirmations: CONFIRMATIONS,
            most_gas_price: 200_000_000_000,
            disk_bytes: 1 << 30,
            metrics: None,
            provider: (role == Role::Provider).then_some(provider),
            requester: None,
            data_owner: (role == Role::DataOwner).then(DataOwnerConfig::default),
            validator: (role == Role::Validator).then_some(validator),
        };
        scene.endow(accounts.owner(), FORTUNE);
        scene.endow(accounts.hot.address(), 0);
        let chain = Chain::connect(scene.url(), key(1)).expect("the node answers");
        Self { folder, accounts, config, shop: Arc::default(), chain, running: None }
    }

    /// Takes jobs for this price of a segment, in tokens, from its next start on.
    pub fn take_for(&mut self, price: u64) {
        let provider = self.config.provider.as_mut().expect("it is a provider");
        provider.least_price = tokens(price).to();
    }

    /// The same, whose node has not the account's key.
    pub fn without_account(mut self) -> Self {
        self.accounts = self.accounts.clone().without_account();
        self
    }

    /// The same with another configuration.
    pub fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// What the node says of a job to other processes.
    pub fn told(&self, job: B256) -> Option<Told> {
        Told::read(&Home::at(self.folder.path()), job).expect("it is read")
    }

    /// The folder of its node.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of a job.
    pub fn job_folder(&self, job: B256) -> PathBuf {
        Home::at(self.folder.path()).job(job)
    }

    pub fn account(&self) -> Address {
        self.accounts.owner()
    }

    /// The key of its peer.
    pub fn peer_signer(&self) -> PrivateKeySigner {
        let key = Home::at(self.folder.path()).peer_key().expect("a key");
        PrivateKeySigner::from_bytes(&key).expect("a valid key")
    }

    /// The id of its peer.
    pub fn peer(&self) -> PeerId {
        peer_id(&Home::at(self.folder.path())).expect("a key")
    }

    /// Where its node listens.
    #[track_caller]
    pub fn address(&self) -> &str {
        self.config.listen.first().expect("it listens somewhere")
    }

    pub fn hot(&self) -> Address {
        self.accounts.hot.address()
    }

    /// What the running node shares.
    #[track_caller]
    pub fn shared(&self) -> &Shared {
        &self.running.as_ref().expect("it runs").shared
    }

    /// The same, for work that may be dropped before the node is.
    #[track_caller]
    pub fn shares(&self) -> Arc<Shared> {
        self.running.as_ref().expect("it runs").shared.clone()
    }

    /// What the running node knows of a job.
    #[track_caller]
    pub fn facts(&self, job: B256) -> Option<Facts> {
        self.shared().store.job(job).expect("the store is read")
    }

    /// Whether a transaction of the hot key about this is signed and in no block.
    #[track_caller]
    pub fn has_pending(&self, about: &str) -> bool {
        let listed = self.shared().hot.list().expect("the journal is read");
        listed.iter().any(|listed| listed.record.is_pending() && listed.record.intent.id.starts_with(about))
    }

    /// What a backup of its running node holds.
    pub fn backup(&self) -> Archive {
        let home = Home::at(self.folder.path());
        // What `requester init` writes, and these tests need not.
        for path in [home.path().join("config.toml"), self.config.deployment.clone()] {
            fs::write(path, "").expect("it is written");
        }
        backup::collect(&home, &self.config.deployment, &self.shared().store).expect("it is collected")
    }

    /// Loses its folder, and has what the backup holds.
    pub fn restore(&mut self, archive: &Archive) {
        self.kill();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs();
        fs::remove_dir_all(self.folder.path()).expect("it is removed");
        backup::restore(archive, self.folder.path(), now).expect("it is restored");
    }

    /// Starts the node. The first time it listens anywhere, and is entered in the register; later it listens there again.
    #[track_caller]
    pub fn start(&mut self, scene: &Scene) {
        assert!(self.running.is_none(), "it runs already");
        let begin = Instant::now();
        self.running = loop {
            match self.spawn(scene) {
                Ok(running) => break Some(running),
                Err(error) => assert!(begin.elapsed() < START, "the node does not start: {error}"),
            }
            thread::sleep(PAUSE);
        };
        if self.config.listen.iter().any(|address| address.contains("/udp/0/") || address.ends_with("/tcp/0")) {
            self.enter(scene);
        }
    }

    /// Runs the node until it ends by itself: why.
    #[track_caller]
    pub fn refuses(&self, scene: &Scene) -> NodeError {
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        threads.expect("there are threads").block_on(async {
            let node = Node::start(self.setup(scene)).await.expect("it starts");
            let ended = tokio::time::timeout(START, node.run(std::future::pending(), None)).await;
            ended.expect("it ends by itself").expect_err("it ends for a reason")
        })
    }

    /// Drops the node where it stands: nothing of it is told, or shut down.
    pub fn kill(&mut self) {
        if let Some(Running { shared, kill, thread }) = self.running.take() {
            drop(shared);
            // It may have ended by itself.
            let _ = kill.send(());
            thread.join().expect("the node's thread does not panic");
        }
    }

    /// Loses its store, while it does not run.
    pub fn lose_store(&self) {
        fs::remove_file(Home::at(self.folder.path()).store_file()).expect("it was there");
    }

    /// Loses its blobs, while it does not run.
    pub fn lose_blobs(&self) {
        fs::remove_dir_all(Home::at(self.folder.path()).blobs()).expect("they were there");
    }

    /// What its node is made of.
    fn setup(&self, scene: &Scene) -> Setup {
        Setup {
            home: Home::at(self.folder.path()),
            config: self.config.clone(),
            deployment: scene.deployment.clone(),
            accounts: self.accounts.clone(),
            workshop: Arc::new(Shop(self.shop.clone())),
        }
    }

    /// What providers say of a job with these terms, asked by a node that does nothing else; none may run.
    #[track_caller]
    pub fn quotes(
        &self,
        scene: &Scene,
        terms: &TrainingMarket::Terms,
        licence: Option<&SignedLicence>,
        only: Option<Address>,
    ) -> BTreeMap<Address, Said> {
        self.once(scene, async |node| node.quotes(terms, licence, only).await.expect("the chain answers"))
    }

    /// Starts the node only to ask another one whether it is reached.
    #[track_caller]
    pub fn reach(&self, scene: &Scene) -> Option<Reach> {
        self.once(scene, async |node| node.reach().await.expect("the chain answers"))
    }

    /// Starts its node for one question, and ends it; none may run.
    #[track_caller]
    pub fn once<T>(&self, scene: &Scene, ask: impl AsyncFnOnce(&mut Node) -> T) -> T {
        assert!(self.running.is_none(), "it runs");
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let (runtime, begin) = (threads.expect("there are threads"), Instant::now());
        runtime.block_on(async {
            let mut node = loop {
                match Node::start(self.setup(scene)).await {
                    Ok(node) => break node,
                    Err(error) => assert!(begin.elapsed() < START, "the node does not start: {error}"),
                }
                tokio::time::sleep(PAUSE).await;
            };
            let answer = ask(&mut node).await;
            node.stop().await;
            answer
        })
    }

    fn spawn(&self, scene: &Scene) -> Result<Running, NodeError> {
        let setup = self.setup(scene);
        let (kill, killed) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let runtime = threads.expect("there are threads");
            match runtime.block_on(Node::start(setup)) {
                Err(error) => drop(tell.send(Err(error))),
                Ok(node) => {
                    drop(tell.send(Ok(node.shared().clone())));
                    runtime.block_on(async {
                        tokio::select! {
                            biased;
                            _ = killed => (),
                            ended = node.run(std::future::pending(), None) => panic!("the node ended: {ended:?}"),
                        }
                    });
                }
            }
            // As with a process that is gone: no task is waited for.
            runtime.shutdown_background();
        });
        match told.recv().expect("the thread says what came of it") {
            Ok(shared) => Ok(Running { shared, kill, thread }),
            Err(error) => {
                thread.join().expect("it has ended");
                Err(error)
            }
        }
    }

    /// Enters the node where it listens.
    fn enter(&mut self, scene: &Scene) {
        let home = Home::at(self.folder.path());
        let listening = self.chain.wait(self.shared().network.listening()).expect("the network runs");
        self.config.listen = listening.iter().map(ToString::to_string).collect();
        let id = peer_id(&home).expect("a key");
        let addresses: Vec<String> = self.config.listen.iter().map(|address| format!("{address}/p2p/{id}")).collect();
        let entry = Entry {
            peer: &self.peer_signer(),
            hot: self.hot(),
            roles: self.roles(),
            encryption_key: encryption_public_key(&home).expect("a key"),
            addresses: &addresses.join(" "),
        };
        self.chain.wait(register(self.chain.client(), &scene.deployment, &entry)).expect("the register takes it");
    }

    /// Writes down a job, of which the market may take the escrow, and which the running node then posts: its id.
    pub fn post(&self, scene: &Scene, terms: TrainingMarket::Terms) -> B256 {
        self.post_with(scene, terms, None)
    }

    /// The same with secrets that draw.
    pub fn post_with(&self, scene: &Scene, terms: TrainingMarket::Terms, secret: Option<Secrets>) -> B256 {
        let (id, open) = self.prepare(scene, terms);
        let folder = Home::at(self.folder.path()).job(id);
        for (path, content) in parcel() {
            write(&folder.join(path), &content);
        }
        write(&folder.join(OPEN_FILE), &open.abi_encode());
        write(&folder.join(TERMS_FILE), &open.terms.abi_encode());
        let members = &open.terms.committee.members;
        let committee = (!members.is_empty()).then(|| Consents::of(members.clone()));
        let facts = Facts { posts: true, secret, committee, ..Facts::new(Role::Requester) };
        self.shared().store.begin(id, &facts).expect("it is stored");
        id
    }

    /// The id of a job, and what posts it.
    pub fn prepare(&self, scene: &Scene, terms: TrainingMarket::Terms) -> (B256, TrainingMarket::openCall) {
        let (market, nonce) = (scene.market(), U256::from(1));
        let id = TrainingMarket::idOfCall { requester: self.account(), nonce, terms: terms.clone() };
        let id = scene.ask(market, &id);
        let (licence, permit) = (no_licence(), no_permit());
        (id, TrainingMarket::openCall { terms, nonce, licence, consents: vec![], permit })
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // Work that waits at a gate would keep the threads.
        self.shop.release_all();
        if let Some(Running { kill, .. }) = self.running.take() {
            let _ = kill.send(());
        }
    }
}

/// A secret that follows from a seed and a number.
fn secret(seed: u8, number: u8) -> B256 {
    let mut bytes = [seed; 32];
    bytes[31] = number;
    bytes.into()
}

/// Writes a file, and the folder that it lies in.
pub fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder");
    fs::File::create(path).and_then(|mut file| file.write_all(content)).expect("it is written");
}
