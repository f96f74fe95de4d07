//! A provider, a member of its team or of the committee, gets what it trains on: the requester's parcel, and the rows of a registered set from its owner.

use std::collections::BTreeSet;
use std::sync::Arc;

use gradproof_chain::B256;
use gradproof_handover::{Kind, Manifest, Subject};
use gradproof_verifier::protocol::part::Part;

use super::fetching::{self, Handed, Wanted, get, manifest_of};
use super::records::{given_key, let_go, write_secret};
use super::rows;
use super::shared::Shared;
use super::trouble::Trouble;
use super::whole;
use crate::decide::View;
use crate::disk::Sizes;
use crate::message::{PartyQuestion, written};
use crate::workshop::{OPENINGS_FILE, PARCEL, PARCEL_FILES, PRIVATE};

/// Gets the parcel from the requester's nodes, and rows that it has not from the owner of the set, and opens all into the job's folder.
/// From then on this node tells other parties which parcel it is.
pub(super) async fn fetch(shared: &Arc<Shared>, view: &View, sizes: &Sizes) -> Result<(), Trouble> {
    let (requester, lead) = (view.job.job.requester, view.job.job.owner);
    let subject = Subject { domain: shared.domain(view.id, lead), kind: Kind::Data };
    let wanted = Wanted { question: PartyQuestion::Parcel { job: view.id }, subject, root: None, required: vec![] };
    let right = |manifest: &Manifest| is_a_parcel(manifest, sizes);
    // A member of the team gets it from its lead as well, who has it.
    let mut holders = vec![requester];
    if view.team.is_some() && lead != shared.me {
        holders.push(lead);
    }
    let Handed { manifest, given, .. } = manifest_of(shared, &holders, &wanted, right).await.result?;
    let folder = shared.home.job(view.id);
    let of_owner = rows::of_owner(shared, view, sizes, &manifest).await?;
    // Whatever another manifest of a parcel named before is no part of this one.
    let all = manifest.entries.iter().chain(of_owner.iter().flat_map(|rows| &rows.manifest.entries));
    let named: BTreeSet<B256> = all.map(|entry| B256::from(entry.root)).collect();
    let_go(shared, view.id, fetching::PARCEL, &named)?;
    for entry in &manifest.entries {
        get(shared, view.id, &holders, entry, &folder.join(PARCEL).join(&entry.name)).await?;
    }
    if let Some(rows) = &of_owner {
        rows::get_rows(shared, view.id, rows).await?;
    }
    write_secret(&folder.join(PRIVATE).join(OPENINGS_FILE), &manifest.openings)?;
    whole::keep(shared, view.id, &manifest.entries, of_owner.as_ref().map(|rows| &*rows.manifest.entries))?;
    Ok(shared.store.put(&given_key(view.id, lead), Some(&written(&given)))?)
}

/// Refuses what no parcel of these sizes is like. Whoever has the key of one of the requester's peers can hand it over: it is a trouble with
/// that peer, and no reason to hand the job back.
fn is_a_parcel(manifest: &Manifest, sizes: &Sizes) -> Result<(), Trouble> {
    let total = manifest.entries.iter().fold(0u64, |total, entry| total.saturating_add(entry.sealed_bytes));
    if total > sizes.parcel {
        return Err(Trouble(format!(
            "the parcel has {total} bytes, and by the job's terms none has more than {}",
            sizes.parcel
        )));
    }
    let is_named =
        |name: &str| PARCEL_FILES.contains(&name) || (Part::of_file_name(name).is_some() && name.ends_with(".proof"));
    match manifest.entries.iter().find(|entry| !is_named(&entry.name)) {
        Some(entry) => Err(Trouble(format!("the parcel has a file {}, which no parcel has", entry.name))),
        None => Ok(()),
    }
}
