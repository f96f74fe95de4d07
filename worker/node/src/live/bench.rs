//! A job's trainer and prover, and what they are used for one after the other: two trainings that must agree.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use gradproof_chain::market::State;
use gradproof_chain::{Address, B256};
use tracing::warn;

use super::capacity::FAILURE;
use super::shared::Shared;
use super::trouble::{Trouble, blocking};
use super::whole;
use crate::NodeError;
use crate::decide::View;
use crate::facts::Facts;
use crate::workshop::{Work, WorkError};

/// A job that is worked on; taken by the piece of work that needs it.
pub(super) type Bench = Arc<Mutex<Option<Box<dyn Work>>>>;

/// A change of the facts that a piece of work led to.
pub(super) type Change = Box<dyn FnOnce(&mut Facts) + Send>;

/// Lets go of what is worked on.
pub(super) fn clear(bench: &Bench) {
    *bench.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// The job cannot be done, whoever tries: before its start it is handed back.
pub(super) fn impossible(view: &View, reason: String) -> Change {
    warn!(job = %view.id, "this job cannot be trained: {reason}");
    Box::new(move |facts| facts.declines = Some(reason))
}

/// Trains to the end of so many segments. What a training before came to it must come to as well.
pub(super) async fn trained(shared: &Arc<Shared>, view: &View, bench: Bench, segments: u64) -> Result<Change, Trouble> {
    let known = facts_of(shared, view)?.ends;
    let trained = at_bench(shared, view, bench, move |work| {
        let begin = Instant::now();
        let ends = work.train(segments)?;
        agree(&known, &ends, 0)?;
        Ok((ends, begin.elapsed()))
    });
    match trained.await? {
        Ok((ends, took)) => {
            let each = u64::try_from(took.as_millis()).unwrap_or(u64::MAX) / segments.max(1);
            Ok(Box::new(move |facts| {
                facts.training_ms.get_or_insert(each);
                facts.ends = ends;
            }))
        }
        Err(reason) => Ok(impossible(view, reason)),
    }
}

/// Trains to the end of so many segments a second time, and compares.
pub(super) async fn repeated(
    shared: &Arc<Shared>,
    view: &View,
    bench: Bench,
    segments: u64,
) -> Result<Change, Trouble> {
    let Facts { ends, agreed, .. } = facts_of(shared, view)?;
    let compared = at_bench(shared, view, bench, move |work| {
        let first = ends.get(agreed as usize..segments as usize);
        let first = first.ok_or_else(|| WorkError::Failed("the first training did not come so far".into()))?;
        agree(first, &work.repeat(agreed..segments)?, agreed)
    });
    compared.await?.map_err(Trouble)?;
    Ok(Box::new(move |facts| facts.agreed = segments))
}

fn facts_of(shared: &Shared, view: &View) -> Result<Facts, Trouble> {
    Ok(shared.store.job(view.id)?.ok_or(NodeError::UnknownJob(view.id))?)
}

/// Refuses two trainings, from segment `from` on, that do not come to the same; the second may be longer.
fn agree(first: &[B256], second: &[B256], from: u64) -> Result<(), WorkError> {
    match (0..first.len()).find(|at| first.get(*at) != second.get(*at)) {
        None => Ok(()),
        Some(at) => {
            let segment = from.saturating_add(at as u64);
            Err(WorkError::Differs(format!(
                "two trainings of segment {segment} do not agree: this machine computes wrongly"
            )))
        }
    }
}

/// Does something with a job's trainer, on a thread that may block. The outer error is one of this machine; the inner one is the job's.
pub(super) async fn at_bench<T: Send + 'static>(
    shared: &Arc<Shared>,
    view: &View,
    bench: Bench,
    act: impl FnOnce(&mut dyn Work) -> Result<T, WorkError> + Send + 'static,
) -> Result<Result<T, String>, Trouble> {
    // Work that has begun has read the parcel.
    if bench.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
        whole::require(shared, view.id)?;
    }
    let owner = if view.job.state() == Some(State::Open) { Address::ZERO } else { view.job.job.owner };
    let (workshop, folder, domain) = (shared.workshop.clone(), shared.home.job(view.id), shared.domain(view.id, owner));
    let done = blocking(move || {
        let mut place = bench.lock().unwrap_or_else(PoisonError::into_inner);
        let mut work = match place.take() {
            Some(work) => work,
            None => workshop.begin(&folder, domain)?,
        };
        // Work that panics is not put back, and neither is what computed wrongly.
        let done = act(&mut *work);
        if !matches!(done, Err(WorkError::Differs(_))) {
            *place = Some(work);
        }
        done
    });
    match done.await? {
        Ok(value) => Ok(Ok(value)),
        Err(WorkError::Impossible(reason)) => Ok(Err(reason)),
        Err(WorkError::Failed(reason)) => Err(Trouble(reason)),
        Err(WorkError::Differs(reason)) => {
            shared.store.change(view.id, Facts::doubt)?;
            shared.store.put(FAILURE, Some(view.id.as_slice()))?;
            Err(Trouble(format!("{reason}; this node takes no other job until `provider doctor` passes")))
        }
    }
}
