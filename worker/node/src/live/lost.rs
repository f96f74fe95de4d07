//! What a disk lost, or cut off, of the blobs that this node hands over: a start notices it, and they are sealed again from the files of
//! their jobs. They come out as they were, so that roots which others know stay right.

use gradproof_chain::B256;
use tracing::warn;

use super::records::{delivery_key, given_key};
use super::shared::Shared;
use super::{deliveries, parcels};
use crate::NodeError;
use crate::facts::{Facts, Role};

/// Forgets what was sealed for a job and is not whole any more.
///
/// # Errors
/// The store fails.
pub(super) fn forget(shared: &Shared) -> Result<(), NodeError> {
    for (id, facts) in shared.store.jobs()? {
        match facts.role {
            Role::Provider => deliveries_of(shared, id, &facts)?,
            Role::Requester => parcel_of(shared, id, &facts)?,
            // The rows of a set, and deliveries of others.
            Role::DataOwner | Role::Validator => (),
        }
    }
    Ok(())
}

/// The deliveries of a provider.
fn deliveries_of(shared: &Shared, id: B256, facts: &Facts) -> Result<(), NodeError> {
    // What a member of a team delivers counts for its lead.
    let lead = facts.member.as_ref().map_or(shared.me, |member| member.lead);
    for batch in facts.delivered.keys() {
        if deliveries::is_whole(shared, id, lead, *batch).unwrap_or(false) {
            continue;
        }
        warn!(job = %id, "a blob of the delivery of batch {batch} is lost or damaged: it is sealed again");
        shared.store.put(&delivery_key(id, *batch), None)?;
        shared.store.change(id, |facts| facts.delivered.retain(|other, _| other != batch))?;
    }
    Ok(())
}

/// The parcel of a requester.
fn parcel_of(shared: &Shared, id: B256, facts: &Facts) -> Result<(), NodeError> {
    let Some(lead) = facts.wrapped_for else { return Ok(()) };
    if parcels::is_whole(shared, id, lead).unwrap_or(false) {
        return Ok(());
    }
    warn!(job = %id, "a blob of the parcel is lost or damaged: it is sealed again");
    shared.store.put_all(&[(parcels::parcel_key(id), None), (given_key(id, lead), None)])?;
    shared.store.change(id, |facts| facts.wrapped_for = None).map(drop)
}
