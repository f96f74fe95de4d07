//! What parties of a job are told of what this node has for them: an address, and its key wrapped for each of their nodes.

use std::collections::BTreeSet;

use gradproof_chain::market::account::roles;
use gradproof_chain::{Address, B256};
use gradproof_handover::{ContentKey, Kind, PublicKey, Subject, wrap};

use super::records::{Given, delivery_key, given_key, kept};
use super::shared::Shared;
use super::trouble::Trouble;
use crate::decide::View;
use crate::facts::Role;
use crate::message::{Bytes, MAX_WRAPS, Reason, Sealed};

/// What a party of a job that asks for its parcel is told: the provider, and the members of the committee.
pub(super) fn parcel_for(shared: &Shared, job: B256, asker: Address) -> Result<Sealed, Reason> {
    let not_yet = || Reason::new("the parcel of this job is not given to you: not yet, or the job is not yours");
    let view = shared.view(job).ok_or_else(not_yet)?;
    let (lead, members) = (view.job.job.owner, &view.job.terms.committee.members);
    let team = members_of(&view);
    if lead.is_zero() || asker != lead && !members.contains(&asker) && !team.contains(&asker) {
        return Err(not_yet());
    }
    // A member says what it holds when it has checked it, and not before.
    let facts = shared.store.job(job).map_err(|error| Reason::new(error.to_string()))?;
    if facts.is_none_or(|facts| facts.role == Role::Validator && facts.lead != Some(lead)) {
        return Err(not_yet());
    }
    let subject = Subject { domain: shared.domain(job, lead), kind: Kind::Data };
    let mut parties = with_committee((lead, roles::PROVIDER), members);
    parties.extend(team.into_iter().filter(|member| *member != lead).map(|member| (member, roles::PROVIDER)));
    told(shared, kept(shared, &given_key(job, lead)), &subject, &parties, not_yet)
}

/// What a party of a job that asks for a delivery is told: the requester, and the members of the committee.
pub(super) fn delivery_for(shared: &Shared, job: B256, batch: u64, asker: Address) -> Result<Sealed, Reason> {
    let not_yet = || Reason::new("there is no delivery of this batch for you yet");
    // Whose job it is, the endpoints agreed on.
    let view = shared.view(job).ok_or_else(not_yet)?;
    let (requester, members) = (view.job.job.requester, &view.job.terms.committee.members);
    if asker != requester && !members.contains(&asker) {
        return Err(not_yet());
    }
    let subject = Subject { domain: shared.domain(job, view.job.job.owner), kind: Kind::Weights { batch } };
    let parties = with_committee((requester, roles::REQUESTER), members);
    told(shared, kept(shared, &delivery_key(job, batch)), &subject, &parties, not_yet)
}

/// The accounts with a seat in the team of a job, each once; not those that gave it up.
fn members_of(view: &View) -> BTreeSet<Address> {
    let seats = view.team.iter().flat_map(|team| &team.seats);
    seats.filter(|seat| !seat.gone).map(|seat| seat.owner).collect()
}

/// An account with a role, and the members of the committee.
pub(super) fn with_committee(first: (Address, u8), members: &[Address]) -> Vec<(Address, u8)> {
    std::iter::once(first).chain(members.iter().map(|member| (*member, roles::VALIDATOR))).collect()
}

/// The manifest's address, with its key for each node that these accounts have now.
pub(super) fn told(
    shared: &Shared,
    given: Result<Option<Given>, Trouble>,
    subject: &Subject,
    parties: &[(Address, u8)],
    otherwise: impl FnOnce() -> Reason,
) -> Result<Sealed, Reason> {
    let Given { root, size, key } = given.map_err(|Trouble(why)| Reason::new(why))?.ok_or_else(otherwise)?;
    let recipients = recipients(shared, parties);
    let wraps = wrap::wrap_all(subject, &root, &ContentKey::from_bytes(key.0), &recipients);
    let wraps = wraps.map_err(|error| Reason::new(error.to_string()))?;
    let wrapped = recipients.iter().zip(wraps);
    let wrapped = wrapped.filter_map(|(key, wrap)| Some((B256::from(*key), Bytes::new(wrap.to_vec())?)));
    Ok(Sealed { root, size, wraps: wrapped.collect() })
}

/// The encryption keys of the nodes of accounts with their roles, ascending, each once. Nobody's nodes take the places of another's.
fn recipients(shared: &Shared, parties: &[(Address, u8)]) -> Vec<PublicKey> {
    let keys = parties.iter().flat_map(|(owner, role)| keys_of(shared, *owner, *role, parties.len()));
    let all: BTreeSet<PublicKey> = keys.collect();
    all.into_iter().collect()
}

/// The encryption keys of an account's nodes with a role that something is wrapped for where there are so many parties.
pub(super) fn keys_of(shared: &Shared, owner: Address, role: u8, parties: usize) -> Vec<PublicKey> {
    let directory = shared.directory();
    let nodes = directory.of_owner(owner).filter(|entry| entry.roles & role != 0 && !entry.encryption_key.is_zero());
    let keys: BTreeSet<PublicKey> = nodes.map(|entry| entry.encryption_key.0).collect();
    keys.into_iter().take(MAX_WRAPS / parties.max(1)).collect()
}
