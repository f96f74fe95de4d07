//! What this provider has promised, and what it could promise still.

use gradproof_chain::market::TrainingMarket;
use gradproof_chain::market::account::free_stake;
use gradproof_chain::{Address, At, Reader, SegmentVerifier, Sight};

use super::calls::agreed_terms;
use super::desk::Desk;
use super::room;
use crate::NodeError;
use crate::policy::Capacity;

/// The record of a failure that nobody looked into yet, a job that was lost or two results that differ: the job.
pub const FAILURE: &str = "failure";
/// Records of the jobs that were lost here, so that each counts once.
pub(super) const FAILED: &str = "failed/";

/// The record with the milliseconds that a segment of a verifier takes here.
pub fn measured_key(verifier: Address) -> String {
    format!("measured/{verifier}")
}

/// Capacity for a job that `requester` posts, or would post, with these terms.
///
/// `free_disk`: bytes of the disk that no promise needs.
pub(super) async fn of(
    shared: &Desk,
    free_disk: u64,
    sight: &Sight,
    requester: Address,
    terms: &TrainingMarket::Terms,
) -> Result<Capacity, NodeError> {
    let (vault, owner) = (shared.deployment.vault.address, shared.me);
    let free = |at: At| async move { free_stake(&at, vault, owner).await };
    let mut capacity = Capacity {
        // What is not agreed on is not counted on.
        free_stake: shared.endpoints.read(&sight.common, free).await?.agreed().unwrap_or_default(),
        failed: shared.store.record(FAILURE)?.is_some(),
        segment_ms: measured(shared, terms.training.verifier)?,
        free_disk,
        needed_disk: needed_disk(shared, sight, terms).await?,
        ..Capacity::default()
    };
    let now = sight.common.earliest().time;
    // What it was promised itself is no promise to others.
    for needs in shared.quotes().others(now, requester) {
        capacity.promise(needs);
    }
    for (id, facts) in shared.store.jobs()? {
        let offered = if facts.offered.is_some() { agreed_terms(shared, id) } else { None };
        let measured = |verifier| measured(shared, verifier);
        capacity.follow(owner, &facts, shared.view(id).as_ref(), now, offered.as_ref(), measured)?;
    }
    Ok(capacity)
}

/// Most bytes of the disk that a job needs. Of a verifier that nobody knows it is all there is: no such job is taken.
pub(super) async fn needed_disk(shared: &Desk, sight: &Sight, terms: &TrainingMarket::Terms) -> Result<u64, NodeError> {
    let verifier = terms.training.verifier;
    if !shared.deployment.verifiers.iter().any(|other| other.segment.address == verifier) {
        return Ok(u64::MAX);
    }
    let shape = |at: At| async move { at.ask(verifier, &SegmentVerifier::shapeCall {}).await };
    let shape = shared.endpoints.read(&sight.common, shape).await?.agreed();
    let sizes = shape.and_then(|shape| room::sizes(shared, terms, shape.batch, shape.steps));
    Ok(sizes.map_or(u64::MAX, |sizes| sizes.of_provider()))
}

pub(super) fn measured(shared: &Desk, verifier: Address) -> Result<Option<u64>, NodeError> {
    let record = shared.store.record(&measured_key(verifier))?;
    Ok(record.and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes))
}
