//! What is left of the disk that the node may use, for blobs and the folders of jobs together.

use gradproof_blobs::Root;
use gradproof_chain::B256;
use gradproof_chain::market::{State, TrainingMarket};

use super::desk::Desk;
use super::shared::Shared;
use super::trouble::Trouble;
use crate::NodeError;
use crate::decide::View;
use crate::disk::{Sizes, bytes_in};
use crate::facts::Role;

/// Bytes that may be written still.
fn left(shared: &Shared) -> u64 {
    crate::disk::left(&shared.home, shared.config.disk_bytes, shared.blobs.used_bytes())
}

/// Bytes that a job takes now.
fn taken(shared: &Shared, id: B256) -> Result<u64, NodeError> {
    // What is in the store and was not begun takes nothing.
    let size = |root: B256| shared.blobs.size(Root::new(root.0)).unwrap_or(0);
    let blobs = shared.store.needed_by(id)?.into_iter().map(size).fold(0, u64::saturating_add);
    Ok(blobs.saturating_add(bytes_in(&shared.home.job(id))))
}

/// Bytes that a new job may need: what is left, but for what is kept free for the jobs that this provider has, or has promised to take, and those
/// whose committees it sits in.
pub(super) fn unpromised(shared: &Shared) -> Result<u64, NodeError> {
    let mut kept = 0u64;
    for (id, facts) in shared.store.jobs()? {
        let ended = shared.view(id).is_some_and(|view| view.job.state().is_some_and(|state| state >= State::Cancelled));
        if facts.role != Role::Requester && !ended {
            kept = kept.saturating_add(facts.disk.saturating_sub(taken(shared, id)?));
        }
    }
    Ok(left(shared).saturating_sub(kept))
}

/// Refuses to write what the disk has no room for. Who has a job has room for it: nothing else takes what is kept free.
pub(super) fn require(shared: &Shared, bytes: u64) -> Result<(), Trouble> {
    let left = left(shared);
    if bytes > left {
        return Err(Trouble(format!("the disk is full: {bytes} bytes are needed, {left} are free of disk_bytes")));
    }
    Ok(())
}

/// The most that the files of a job with these terms may have, whose steps have `batch` rows and segments `steps` steps; `None` for a
/// verifier that the deployment does not have.
pub(super) fn sizes(shared: &Desk, terms: &TrainingMarket::Terms, batch: u32, steps: u32) -> Option<Sizes> {
    let verifiers = &shared.deployment.verifiers;
    let verifier = verifiers.iter().find(|verifier| verifier.segment.address == terms.training.verifier)?;
    Some(Sizes::of(terms, &verifier.columns, batch, steps))
}

/// The most that the files of a job may have.
pub(super) fn sizes_of(shared: &Shared, view: &View) -> Result<Sizes, Trouble> {
    let (batch, steps) = (view.job.job.stepRows, view.job.job.steps);
    let sizes = sizes(shared, &view.job.terms, batch, steps);
    sizes.ok_or_else(|| Trouble("the deployment has no verifier of this job".into()))
}
