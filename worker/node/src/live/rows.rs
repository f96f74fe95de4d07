//! The rows of a registered set: from its owner's node to the team and the committee of a licensed job, past the requester.
//!
//! The market has the job only if its licence was the owner's, and spent, and took nobody into committee or team whom the licence leaves out:
//! so job, provider and seats, at a deep block, are all that is looked at.

use std::sync::Arc;

use gradproof_chain::market::account::roles;
use gradproof_chain::market::{DatasetRegistry, State, TrainingMarket, seats_of};
use gradproof_chain::{Address, At, B256, ChainError, Reader, Sight};
use gradproof_handover::{Kind, Manifest, Subject, manifest};

use super::fetching::{Wanted, get, manifest_of};
use super::parcels::{give, read_file, seal_of};
use super::quotes::busy;
use super::records::{Given, kept, make_folder, write_secret};
use super::sets::Served;
use super::shared::{ASK, Shared};
use super::trouble::{Trouble, blocking};
use super::wrapping::{told, with_committee};
use super::{sets, watch};
use crate::NodeError;
use crate::decide::View;
use crate::disk::Sizes;
use crate::facts::{Facts, Role};
use crate::message::{PartyQuestion, Reason, Sealed};
use crate::retention::job_key;
use crate::workshop::{DATA_OPENING_FILE, PARCEL, PRIVATE, ROWS_FILE};

/// What a data owner's node hands over of a job.
pub(super) struct OfOwner {
    owner: Address,
    /// The rows, and what opens their commitments.
    pub manifest: Manifest,
}

/// A job as it was at a deep block.
#[derive(Clone, Debug, PartialEq)]
struct Deep {
    job: TrainingMarket::Job,
    terms: TrainingMarket::Terms,
    seats: Vec<TrainingMarket::Seat>,
}

impl Deep {
    /// Who has the rows, with their roles: the provider, the committee, and the members of the team that did not give their seats up.
    fn parties(&self) -> Vec<(Address, u8)> {
        let mut parties = with_committee((self.job.owner, roles::PROVIDER), &self.terms.committee.members);
        parties.extend(self.seats.iter().filter(|seat| !seat.gone).map(|seat| (seat.owner, roles::PROVIDER)));
        parties
    }
}

/// Data owner: what a party of a job that asks for its rows is told.
pub(super) async fn rows_for(shared: &Arc<Shared>, job: B256, asker: Address) -> Result<Sealed, Reason> {
    let not_yet = || Reason::new("the rows of this job are not given to you: not yet, or the job is not yours");
    // Whoever is in the register may ask: nothing is asked of the chain for a node that has no rows.
    if shared.config.data_owner.is_none() {
        return Err(sets::no_data());
    }
    let look = shared.turns.look().ok_or_else(|| busy("others ask for rows; ask again"))?;
    let sight = shared.endpoints.look().await.map_err(busy)?;
    let deep = deep_job(shared, &sight, job).await.map_err(busy)?.ok_or_else(not_yet)?;
    drop(look);
    let served = sets::find(shared, deep.terms.training.dataset)?;
    let (lead, parties) = (deep.job.owner, deep.parties());
    if parties.iter().all(|(party, _)| *party != asker) {
        return Err(not_yet());
    }
    let subject = Subject { domain: shared.domain(job, lead), kind: Kind::Rows };
    let record = job_key(job, &format!("given/rows/{lead}"));
    if given_of(shared, &record)?.is_none() {
        let _turn = shared.turns.seal(ASK).await.ok_or_else(|| busy("rows are being sealed; ask again"))?;
        // Another question may have had it sealed meanwhile.
        if given_of(shared, &record)?.is_none() {
            shared.store.begin(job, &Facts::new(Role::DataOwner)).map_err(busy)?;
            seal_set(shared, job, subject, &record, served).await.map_err(|Trouble(why)| busy(why))?;
        }
    }
    told(shared, kept(shared, &record), &subject, &parties, not_yet)
}

/// Seals the rows of a set, and the manifest of a job on it.
async fn seal_set(
    shared: &Arc<Shared>,
    job: B256,
    subject: Subject,
    record: &str,
    served: Served,
) -> Result<(), Trouble> {
    let (shared, record) = (shared.clone(), record.to_owned());
    blocking(move || {
        make_folder(&shared.home.job(job).join(ROWS_FILE))?;
        let entry = seal_of(&shared, served.set.dataset, job, ROWS_FILE, &served.folder.join(ROWS_FILE))?;
        let openings = read_file(&served.folder.join(PRIVATE).join(DATA_OPENING_FILE), manifest::MAX_OPENINGS_BYTES)?;
        let manifest = Manifest { subject, entries: vec![entry], openings: openings.into() };
        give(&shared, &manifest, &record).map(drop)
    })
    .await?
}

fn given_of(shared: &Shared, record: &str) -> Result<Option<Given>, Reason> {
    kept(shared, record).map_err(|Trouble(why)| busy(why))
}

/// A job that somebody trains, as it was at the block that is as deep as is waited for.
async fn deep_job(shared: &Shared, sight: &Sight, id: B256) -> Result<Option<Deep>, NodeError> {
    let Some(deep) = watch::deep(shared, sight).await? else { return Ok(None) };
    let market = shared.deployment.market.address;
    let asked = |at: At| async move {
        let job = at.ask(market, &TrainingMarket::jobOfCall { id }).await?;
        let terms = at.ask(market, &TrainingMarket::termsOfCall { id }).await?;
        let seats = seats_of(&at, market, id, job.seats).await?;
        Ok::<_, ChainError>(Deep { job, terms, seats })
    };
    let found = shared.endpoints.read(&deep, asked).await?.agreed();
    Ok(found.filter(|Deep { job, terms, .. }| {
        let trained = matches!(State::of(job.state), Some(State::Assigned | State::Running));
        trained && !job.owner.is_zero() && !terms.training.dataset.is_zero()
    }))
}

/// Provider, member of its team or of the committee: what the owner of the set hands over, where the requester's parcel has no rows.
pub(super) async fn of_owner(
    shared: &Arc<Shared>,
    view: &View,
    sizes: &Sizes,
    parcel: &Manifest,
) -> Result<Option<OfOwner>, Trouble> {
    let dataset = view.job.terms.training.dataset;
    if dataset.is_zero() || parcel.entries.iter().any(|entry| entry.name == ROWS_FILE) {
        return Ok(None);
    }
    let register = shared.deployment.datasets.address;
    let sight = shared.endpoints.look().await.map_err(NodeError::from)?;
    let asked = |at: At| async move { at.ask(register, &DatasetRegistry::entryCall { dataset }).await };
    let entry = shared.endpoints.read(&sight.common, asked).await.map_err(NodeError::from)?.agreed();
    let owner = entry.ok_or_else(|| Trouble(format!("the endpoints do not agree on data set {dataset}")))?.owner;
    let subject = Subject { domain: shared.domain(view.id, view.job.job.owner), kind: Kind::Rows };
    // Both together are what a parcel with rows may be.
    let taken = parcel.entries.iter().fold(0u64, |total, entry| total.saturating_add(entry.sealed_bytes));
    let most = sizes.parcel.saturating_sub(taken);
    let right = |manifest: &Manifest| are_rows(manifest, most);
    let wanted = Wanted { question: PartyQuestion::Rows { job: view.id }, subject, root: None, required: vec![] };
    let manifest = manifest_of(shared, &[owner], &wanted, right).await.result?.manifest;
    Ok(Some(OfOwner { owner, manifest }))
}

/// Fetches and opens what the owner hands over.
pub(super) async fn get_rows(shared: &Arc<Shared>, id: B256, rows: &OfOwner) -> Result<(), Trouble> {
    let folder = shared.home.job(id);
    for entry in &rows.manifest.entries {
        get(shared, id, &[rows.owner], entry, &folder.join(PARCEL).join(&entry.name)).await?;
    }
    write_secret(&folder.join(PRIVATE).join(DATA_OPENING_FILE), &rows.manifest.openings)
}

/// Refuses what no rows of so many bytes are like.
fn are_rows(manifest: &Manifest, most: u64) -> Result<(), Trouble> {
    match &manifest.entries[..] {
        [entry] if entry.name == ROWS_FILE && entry.sealed_bytes <= most => Ok(()),
        [entry] if entry.name == ROWS_FILE => Err(Trouble(format!(
            "the rows have {} bytes, and by the job's terms {most} are left for them beside the parcel",
            entry.sealed_bytes
        ))),
        entries => {
            Err(Trouble(format!("the owner of the data hands over {} files, expected {ROWS_FILE}", entries.len())))
        }
    }
}
