//! A running node: the chain, the peers and the work around the decisions.

mod act;
mod ask;
mod bench;
mod calls;
mod capacity;
mod choice;
mod collecting;
mod consent;
mod contradictions;
mod deliveries;
mod desk;
mod dials;
mod download;
mod failed;
mod fetch;
mod fetching;
mod find;
mod follower;
mod forget;
mod hands;
mod joining;
mod judging;
mod license;
mod licensed;
mod locked;
mod lost;
mod metrics;
mod offers;
mod pace;
mod parcels;
mod peers;
mod position;
mod quoted;
mod quotes;
mod reach;
mod records;
mod register;
mod room;
mod rows;
mod scan;
mod scrape;
mod seating;
mod sets;
mod shared;
mod siblings;
mod silence;
mod tasks;
mod team;
mod tell;
mod trouble;
mod turns;
mod watch;
mod whole;
mod wrapping;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use gradproof_blobs::Root;
use gradproof_chain::B256;
use gradproof_handover::EncryptionKey;
use gradproof_network::{Events, Identity, PeerId};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

pub use ask::{Quoted, Said};
pub use calls::{Key, OPEN_FILE, TERMS_FILE, accept_call, intent_id, key_of, proof_file};
pub use capacity::{FAILURE, measured_key};
pub use desk::{Desk, sending_policy};
pub use find::Found;
pub use follower::Follower;
pub use hands::Hands;
pub use license::LICENCES_FOLDER;
pub use licensed::{LICENCE_FILE, licence_of};
pub use reach::Reach;
pub use shared::{Setup, Shared};

use crate::NodeError;
use crate::home::Home;
use pace::Pace;
use tasks::Tasks;

/// How long a node may take to end.
const END: Duration = Duration::from_secs(8);

/// The id of a home's peer.
///
/// # Errors
/// The key cannot be read.
pub fn peer_id(home: &Home) -> Result<PeerId, NodeError> {
    Ok(Identity::from_secret(home.peer_key()?.0).map_err(shared::peer)?.peer_id())
}

/// What others encrypt to, to reach this home.
///
/// # Errors
/// The key cannot be read.
pub fn encryption_public_key(home: &Home) -> Result<B256, NodeError> {
    let public = EncryptionKey::from_bytes(home.encryption_key()?.0).public();
    Ok(public.map_err(|error| NodeError::Peer(error.to_string()))?.into())
}

/// Gets a blob from these peers into the node's store, each range checked. It is kept until the next start, unless a job needs it.
///
/// # Errors
/// The store has no room, no peer has the blob, or nothing came for a while.
pub async fn download(shared: &Arc<Shared>, root: Root, size: u64, peers: &[PeerId]) -> Result<(), NodeError> {
    download::blob(shared, root, size, peers.to_vec())
        .await
        .map_err(|failed| NodeError::Peer(trouble::Trouble::from(failed).0))
}

/// A node that runs.
pub struct Node {
    shared: Arc<Shared>,
    events: Events,
    tasks: Tasks,
    follower: Follower,
    /// Answers Prometheus; it ends with this.
    _scraped: JoinSet<()>,
}

impl Node {
    /// Connects to chain and peers.
    ///
    /// # Errors
    /// The store, the chain or the network refuses.
    pub async fn start(setup: Setup) -> Result<Self, NodeError> {
        let (shared, events) = Shared::start(setup).await?;
        let shared = Arc::new(shared);
        lost::forget(&shared)?;
        let mut scraped = JoinSet::new();
        if let Some(address) = shared.config.metrics {
            scraped.spawn(scrape::serve(scrape::listen(address).await?, shared.clone()));
        }
        let mut tasks = Tasks::new(shared.clone());
        let mut follower = Follower::default();
        follower.begin(&shared, &mut tasks).await?;
        Ok(Self { tasks, follower, events, shared, _scraped: scraped })
    }

    /// Ends without having run.
    pub async fn stop(self) {
        self.shared.network.shutdown().await;
    }

    /// What its parts share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Runs until `stop` is ready, or all of `jobs` have ended and are paid out, or can be taken by nobody; then ends within seconds.
    ///
    /// # Errors
    /// The store fails. What chain or peers do wrong is logged, and tried again.
    pub async fn run(mut self, stop: impl Future<Output = ()>, jobs: Option<Vec<B256>>) -> Result<(), NodeError> {
        let (mut pace, mut next) = (Pace::of(self.shared.deployment.chain), Instant::now());
        tokio::pin!(stop);
        let ended = loop {
            tokio::select! {
                () = &mut stop => break Ok(()),
                () = sleep_until(next) => tokio::select! {
                    // A look may take as long as an endpoint that is needed.
                    () = &mut stop => break Ok(()),
                    seen = self.follower.look(&self.shared, &mut self.tasks) => match seen {
                        Ok(seen) => next = pace.next(Instant::now(), seen.as_ref()),
                        Err(error) => break Err(error),
                    },
                },
                done = self.tasks.next() => match self.tasks.finish(done) {
                    Ok(until) => {
                        self.shared.changed();
                        next = next.min(until.into());
                    }
                    Err(error) => break Err(error),
                },
                event = self.events.next() => match event {
                    Some(event) => peers::handle(&self.shared, event),
                    None => break Err(NodeError::Peer("the network has ended".into())),
                },
            }
            if let Some(jobs) = &jobs
                && self.are_over(jobs)
            {
                break Ok(());
            }
        };
        info!("ending");
        self.tasks.stop();
        if tokio::time::timeout(END, self.shared.network.shutdown()).await.is_err() {
            warn!("the network did not end in time");
        }
        ended
    }

    /// Whether nothing is left to be done about these jobs; of one that was offered, under the id of any of its offers.
    fn are_over(&self, jobs: &[B256]) -> bool {
        let over = |id: B256| {
            let (id, facts) = self.shared.store.find(id).ok()??;
            let view = self.shared.view(id)?;
            Some(crate::decide::is_over(&view) || crate::decide::is_declined(&view, &facts))
        };
        jobs.iter().all(|id| over(*id).unwrap_or(false))
    }
}
