//! What the parts of a running node share.

use std::collections::{BTreeMap, HashSet};
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gradproof_blobs::{Root, Store as Blobs};
use gradproof_chain::market::Deployment;
use gradproof_chain::{B256, Endpoints};
use gradproof_handover::EncryptionKey;
use gradproof_network::{Config as NetworkConfig, Events, Identity, Network};
use prometheus_client::registry::Registry;

use super::desk::Desk;
use super::dials::Dials;
use super::metrics::Metrics;
use super::turns::Turns;
use crate::NodeError;
use crate::config::Config;
use crate::home::{Accounts, Home};
use crate::store::Store;
use crate::told::Told;
use crate::workshop::Workshop;

/// How long another node may take to answer.
pub(super) const ASK: Duration = Duration::from_secs(30);

/// What a node is made of.
pub struct Setup {
    /// Its folder.
    pub home: Home,
    /// Its configuration.
    pub config: Config,
    /// The market.
    pub deployment: Deployment,
    /// Its keys.
    pub accounts: Accounts,
    /// What trains, proves and opens.
    pub workshop: Arc<dyn Workshop>,
}

/// What the parts of a running node share: what it decides with, blobs, peers and the workshop.
pub struct Shared {
    desk: Desk,
    /// What it has of others, and has for them.
    pub blobs: Arc<Blobs>,
    /// The peers.
    pub network: Network,
    /// What others encrypt to.
    pub encryption: EncryptionKey,
    /// What trains, proves and opens.
    pub workshop: Arc<dyn Workshop>,
    /// Held while it is noted who needs a blob: none is removed that another job begins to need.
    pub(super) keeping: Mutex<()>,
    /// Whose turn it is to ask for rows.
    pub(super) turns: Turns,
    /// Who had its addresses tried out, and what is being tried.
    pub(super) dials: Mutex<Dials>,
    /// What is written down of jobs.
    pub(super) written: Mutex<BTreeMap<B256, Told>>,
}

impl Deref for Shared {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.desk
    }
}

impl Shared {
    /// Opens store and blobs, and connects to chain and peers.
    ///
    /// # Errors
    /// One of them refuses.
    pub(super) async fn start(setup: Setup) -> Result<(Self, Events), NodeError> {
        let Setup { home, config, deployment, accounts, workshop } = setup;
        let store = Arc::new(Store::open(&home.store_file())?);
        let blobs =
            Blobs::open(&home.blobs(), config.disk_bytes).map_err(|error| NodeError::Blob(error.to_string()))?;
        // Nothing is added yet, so that what no job needs is not about to be needed.
        let needed: HashSet<Root> = store.needed()?.into_iter().map(|root| Root::new(root.0)).collect();
        blobs.retain(&needed).map_err(|error| NodeError::Blob(error.to_string()))?;
        let endpoints = Arc::new(Endpoints::connect(&config.endpoints, deployment.chain).await?);
        let secret = home.encryption_key()?;
        let encryption = EncryptionKey::from_bytes(secret.0);
        let mut registry = Registry::default();
        let (network, events) =
            Network::start_counted(network_config(&home, &config, &deployment)?, &mut registry).await.map_err(peer)?;
        let mut desk = Desk::new(home, config, deployment, accounts, store, endpoints);
        desk.metrics = Metrics::new(registry);
        let (keeping, turns, dials, written) = (Mutex::default(), Turns::default(), Mutex::default(), Mutex::default());
        let blobs = Arc::new(blobs);
        let shared = Self { desk, blobs, network, encryption, workshop, keeping, turns, dials, written };
        Ok((shared, events))
    }
}

/// The network's configuration: one topic for a market of a chain.
fn network_config(home: &Home, config: &Config, deployment: &Deployment) -> Result<NetworkConfig, NodeError> {
    let identity = Identity::from_secret(home.peer_key()?.0).map_err(peer)?;
    let mut network =
        NetworkConfig::local(identity, &format!("gradproof/{}/{}", deployment.chain, deployment.market.address));
    let parsed = |key: &str, addresses: &[String]| -> Result<Vec<_>, NodeError> {
        let parse = |address: &String| {
            let refuse = |error: &dyn std::fmt::Display| NodeError::Config {
                path: home.path().join(crate::config::CONFIG_FILE),
                key: key.to_owned(),
                message: format!("{address} is no multiaddress: {error}"),
            };
            address.parse().map_err(|error| refuse(&error))
        };
        addresses.iter().map(parse).collect()
    };
    network.listen = parsed("listen", &config.listen)?;
    network.external = parsed("announce", &config.announce)?;
    Ok(network)
}

/// What the network reports.
pub(super) fn peer(error: gradproof_network::Error) -> NodeError {
    NodeError::Peer(error.to_string())
}
