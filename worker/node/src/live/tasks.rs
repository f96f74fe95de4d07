//! Work that takes time, beside the loop: one piece a job at a time that needs the job's trainer and prover, and pieces that wait for
//! peers beside it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gradproof_chain::{Address, B256};
use gradproof_network::address_of;
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use super::bench::{self, Bench, Change, at_bench, impossible, repeated, trained};
use super::calls::proof_file;
use super::capacity::measured_key;
use super::collecting;
use super::contradictions;
use super::fetch;
use super::hands::Hands;
use super::joining;
use super::judging;
use super::licensed;
use super::parcels;
use super::room;
use super::seating;
use super::shared::Shared;
use super::trouble::{Trouble, blocking};
use crate::NodeError;
use crate::decide::{Task, View, end_of};
use crate::directory::Entry;
use crate::facts::{Facts, Role};
use crate::workshop::WorkError;

/// After how long something that failed is tried again. It doubles with each failure in a row.
const AGAIN: Duration = Duration::from_secs(1);
/// The longest time until something is tried again.
const MAX_AGAIN: Duration = Duration::from_secs(300);
/// The longest time until a lead that did not answer is asked again what is to be proven.
const SHARE_AGAIN: Duration = Duration::from_secs(10);
/// Pieces of work at a time, at most: proving takes all cores, and the rest waits for peers.
const MAX_RUNNING: usize = 32;

/// What came of a piece of work.
pub(super) struct Done {
    id: B256,
    task: Task,
    took: Duration,
    result: Result<Change, Trouble>,
}

/// A piece of work that failed.
#[derive(Clone, Copy, Debug)]
struct Failure {
    next: Instant,
    pause: Duration,
}

/// The work of a node.
pub(super) struct Tasks {
    shared: Arc<Shared>,
    running: JoinSet<Done>,
    names: BTreeSet<(B256, Task)>,
    failures: BTreeMap<(B256, Task), Failure>,
    benches: BTreeMap<B256, Bench>,
}

impl Tasks {
    pub fn new(shared: Arc<Shared>) -> Self {
        let (names, failures, benches) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
        Self { shared, running: JoinSet::new(), names, failures, benches }
    }

    /// The next piece of work that ends. Waits for ever while there is none.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Done {
        loop {
            match self.running.join_next().await {
                Some(Ok(done)) => return done,
                // What computes is caught before, so that this was aborted, at the end.
                Some(Err(error)) => warn!("a piece of work broke: {error}"),
                None => std::future::pending().await,
            }
        }
    }

    /// Stores what came of a piece of work; when what follows can begin, or it can be tried again.
    pub fn finish(&mut self, done: Done) -> Result<Instant, NodeError> {
        let Done { id, task, took, result } = done;
        self.names.remove(&(id, task));
        self.shared.metrics.task(task, false);
        let about = format!("{} of job {id}", task.in_words());
        match result {
            Ok(change) => {
                self.failures.remove(&(id, task));
                match self.shared.store.change(id, change) {
                    // It was forgotten meanwhile.
                    Err(NodeError::UnknownJob(_)) => return Ok(Instant::now()),
                    changed => drop(changed?),
                }
                self.shared.unsay(&about);
                let ms = took.as_millis() as u64;
                if task == Task::Share {
                    debug!(job = %id, ms, "done: {}", task.in_words());
                } else {
                    info!(job = %id, ms, "done: {}", task.in_words());
                }
                Ok(Instant::now())
            }
            Err(Trouble(why)) => {
                self.shared.metrics.failed(task);
                if self.shared.is_news(&about, &why) {
                    warn!(job = %id, "cannot {} yet: {why}", task.in_words());
                }
                // Whoever is in a team is not long without work because its lead was away.
                let most = if task == Task::Share { SHARE_AGAIN } else { MAX_AGAIN };
                let pause = self.failures.get(&(id, task)).map_or(AGAIN, |failure| (failure.pause * 2).min(most));
                let next = Instant::now() + pause;
                self.failures.insert((id, task), Failure { next, pause });
                Ok(next)
            }
        }
    }

    /// Ends what waits for peers. What computes ends with the process.
    pub fn stop(&mut self) {
        self.running.abort_all();
    }

    fn bench(&mut self, id: B256) -> Bench {
        self.benches.entry(id).or_default().clone()
    }
}

impl Hands for Tasks {
    fn begin(&mut self, view: &View, task: Task) {
        let key = (view.id, task);
        let taken =
            self.names.iter().any(|(id, other)| *id == view.id && other.needs_trainer()) && task.needs_trainer();
        let waits = self.failures.get(&key).is_some_and(|failure| failure.next > Instant::now());
        if self.names.contains(&key) || taken || waits || self.running.len() >= MAX_RUNNING {
            return;
        }
        self.names.insert(key);
        self.shared.metrics.task(task, true);
        let (shared, view, bench) = (self.shared.clone(), view.clone(), self.bench(view.id));
        if task == Task::Share {
            debug!(job = %view.id, "begins to {}", task.in_words());
        } else {
            info!(job = %view.id, "begins to {}", task.in_words());
        }
        self.running.spawn(async move {
            let (id, begin) = (view.id, Instant::now());
            let result = work(&shared, view, task, bench).await;
            Done { id, task, took: begin.elapsed(), result }
        });
    }

    fn release(&mut self, job: B256) {
        self.benches.remove(&job);
    }

    fn forget(&mut self, view: &View, facts: &Facts) -> Result<(), NodeError> {
        super::forget::job(&self.shared, view, facts)
    }

    fn free_disk(&self) -> Result<u64, NodeError> {
        room::unpromised(&self.shared)
    }

    fn serve(&mut self, parties: HashSet<Address>) {
        self.shared.network.set_parties(parties.into_iter().map(Address::into_array).collect());
    }

    fn tell(&mut self) -> Result<(), NodeError> {
        super::tell::all(&self.shared)
    }

    async fn admit(&mut self, entry: &Entry) {
        let network = &self.shared.network;
        let Some(peer_id) = entry.peer_id().filter(|peer| *peer != network.peer_id()) else { return };
        let entered = network.set_chain_addresses(peer_id, entry.places());
        let admitted = network.admit_of(peer_id, entry.owner.into_array()).await;
        if let Err(error) = entered.and(admitted) {
            info!("the node {} of {} is not connected with: {error}", entry.peer, entry.owner);
        }
    }

    async fn dismiss(&mut self, entry: &Entry) {
        if let Some(peer_id) = entry.peer_id().filter(|peer| address_of(peer).is_some()) {
            let _ = self.shared.network.dismiss(peer_id).await;
        }
    }
}

async fn work(shared: &Arc<Shared>, view: View, task: Task, bench: Bench) -> Result<Change, Trouble> {
    match task {
        Task::Seat => seating::ask(shared, &view).await,
        Task::Offer(to) => super::offers::offer(shared, &view, to).await,
        Task::Wrap(owner) => {
            parcels::wrap(shared, &view, owner).await?;
            Ok(Box::new(move |facts| facts.wrapped_for = Some(owner)))
        }
        Task::Fetch => {
            let sizes = room::sizes_of(shared, &view)?;
            let facts = shared.store.job(view.id)?.ok_or(NodeError::UnknownJob(view.id))?;
            let (lead, decides) = (view.job.job.owner, facts.role == Role::Validator);
            if decides && facts.lead.is_some() {
                // Of a provider that had the job before: what it was handed is another hand-over.
                parcels::forget(shared, view.id)?;
                bench::clear(&bench);
            }
            fetch::fetch(shared, &view, &sizes).await?;
            // What a store that was lost had.
            let disk = sizes.of_provider();
            match checked(shared, &view, bench).await? {
                Ok(()) if decides => {
                    judging::require_same(shared, &view).await?;
                    Ok(Box::new(move |facts| {
                        (facts.parcel, facts.lead, facts.disk) = (true, Some(lead), disk);
                        (facts.ends, facts.agreed, facts.declines) = (vec![], 0, None);
                    }))
                }
                Ok(()) => Ok(Box::new(move |facts| (facts.parcel, facts.disk) = (true, disk))),
                // It may be handed the right one yet.
                Err(reason) if facts.member.is_some() => {
                    parcels::forget(shared, view.id)?;
                    Err(Trouble(format!("what was handed over is not the job: {reason}")))
                }
                Err(reason) if decides => Err(Trouble(format!("what was handed over is not the job: {reason}"))),
                Err(reason) => Ok(impossible(&view, reason)),
            }
        }
        Task::Compare => judging::compare(shared, &view).await,
        Task::Path => licensed::ask_before(shared, &view).await,
        Task::AskSeat => joining::ask_seat(shared, &view).await,
        Task::Share => joining::ask_share(shared, &view).await,
        Task::Doubt(segment) => judging::doubted(shared, &view, bench, segment).await,
        Task::Judge(batch) => judging::judged(shared, &view, batch).await,
        Task::Hear => contradictions::heard(shared, &view).await,
        Task::Answer { batch, yes } => judging::answered(shared, &view, batch, yes).await,
        Task::Train(segments) => trained(shared, &view, bench, segments).await,
        Task::Repeat(segments) => repeated(shared, &view, bench, segments).await,
        Task::Prove(index) => {
            let begin = Instant::now();
            shared.proving(view.id, Some(index));
            let proof = at_bench(shared, &view, bench, move |work| work.prove(index)).await;
            shared.proving(view.id, None);
            let proof = proof?.map_err(Trouble)?;
            measured(shared, &view, begin.elapsed())?;
            let path = shared.home.job(view.id).join(proof_file(index));
            let write = |file: &mut std::io::BufWriter<std::fs::File>| std::io::Write::write_all(file, &proof);
            gradproof_terminal::atomic::write(&path, write)
                .map_err(|error| Trouble(format!("{}: {error}", path.display())))?;
            let (now, ms) = (view.job.now.time, u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX));
            Ok(Box::new(move |facts| {
                facts.proven.insert(index);
                facts.prove_ms = Some(ms);
                // The prover trained the segment a second time, and came to the same.
                while facts.proven.contains(&facts.agreed) && facts.agreed < facts.trained() {
                    facts.agreed += 1;
                }
                if let Some(member) = &mut facts.member {
                    member.made_at.insert(index, now);
                }
            }))
        }
        Task::Deliver(batch) => {
            let end = end_of(&view.job, batch);
            let weights = at_bench(shared, &view, bench, move |work| work.weights(end)).await?.map_err(Trouble)?;
            let root = parcels::deliver(shared, &view, batch, &weights).await?;
            Ok(Box::new(move |facts| {
                facts.delivered.insert(batch, root);
            }))
        }
        Task::Open(batch) => collecting::open(shared, &view, batch).await,
    }
}

/// Keeps how long a segment of this verifier takes here: the longest of late, since a promise must hold.
fn measured(shared: &Shared, view: &View, took: Duration) -> Result<(), NodeError> {
    let key = measured_key(view.job.terms.training.verifier);
    let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let before = shared.store.record(&key)?.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes);
    // A single slow one is forgotten after some others.
    let kept = took.max(before - before / 8);
    shared.store.put(&key, Some(&kept.to_be_bytes()))
}

/// Begins to work on a parcel that was fetched, which checks it; the inner error is what is wrong with it.
async fn checked(shared: &Arc<Shared>, view: &View, bench: Bench) -> Result<Result<(), String>, Trouble> {
    let (workshop, folder) = (shared.workshop.clone(), shared.home.job(view.id));
    let (terms, deployment) = (view.job.terms.clone(), shared.deployment.clone());
    match blocking(move || workshop.is_of(&folder, &terms, &deployment)).await? {
        Ok(()) => (),
        Err(WorkError::Impossible(reason)) => return Ok(Err(reason)),
        Err(WorkError::Failed(reason) | WorkError::Differs(reason)) => return Err(Trouble(reason)),
    }
    at_bench(shared, view, bench, |_| Ok(())).await
}
