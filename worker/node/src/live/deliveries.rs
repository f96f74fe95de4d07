//! The weights at the end of a batch, as they are got: by the requester, and by members of the committee, who hand them on.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use gradproof_blobs::Root;
use gradproof_chain::market::account::roles;
use gradproof_chain::{Address, B256};
use gradproof_handover::{ContentKey, Entry, Kind, Manifest, PublicKey, Subject};

use super::choice::anybody_answers;
use super::failed::Failed;
use super::fetching::{Asked, Handed, Wanted, get_for, manifest_of};
use super::parcels;
use super::records::{self, Given, delivery_key, kept};
use super::room;
use super::shared::Shared;
use super::trouble::Trouble;
use super::wrapping::keys_of;
use crate::NodeError;
use crate::decide::View;
use crate::disk::Sizes;
use crate::message::{PartyQuestion, written};

/// What came of asking for a delivery.
pub(super) enum Delivered {
    /// Weights are in the file; and what the delivery is kept as where it is handed on.
    Weights(Box<Held>),
    /// It has no weights that are any, whoever asks.
    Nothing(String),
    /// It was not to be had, while other nodes answered.
    Missed(String),
}

/// A delivery that is held, and not yet served.
pub(super) struct Held {
    key: String,
    given: Given,
    sealed: Vec<u8>,
}

/// Gets a delivery of a batch, with this root, from the nodes of the provider and of the members of the committee, into the file at `path`.
/// Its key must be wrapped for the nodes that are `required` as well. Of a delivery that was not to be had nothing stays.
///
/// # Errors
/// This machine fails, or no other node answers: nothing follows from that.
pub(super) async fn got(
    shared: &Arc<Shared>,
    view: &View,
    batch: u64,
    root: B256,
    sizes: &Sizes,
    required: Vec<PublicKey>,
    path: &Path,
) -> Result<Delivered, Trouble> {
    let wanted = delivery(shared, view, batch, root, required);
    let holders = holders(shared, view);
    let Asked { result, heard } = manifest_of(shared, &holders, &wanted, |_| Ok(())).await;
    let Handed { manifest, given, sealed } = match result {
        Ok(handed) => handed,
        Err(Failed::Own(why)) => return Err(Trouble(why)),
        Err(Failed::Theirs(why)) if heard => return Ok(Delivered::Missed(why)),
        // The requester, who complained or asks itself, is there.
        Err(Failed::Theirs(why)) => {
            return match anybody_answers(shared, &[view.job.job.requester], &wanted.question).await {
                true => Ok(Delivered::Missed(why)),
                false => Err(Trouble(format!("no other node answers: {why}"))),
            };
        }
    };
    let entry = match weights_in(&manifest, sizes) {
        Ok(entry) => entry,
        Err(reason) => return Ok(Delivered::Nothing(reason)),
    };
    match get_for(shared, view.id, &purpose(batch, root), &holders, entry, path).await {
        Ok(()) => Ok(Delivered::Weights(Box::new(Held { key: delivery_key(view.id, batch), given, sealed }))),
        Err(Failed::Own(why)) => Err(Trouble(why)),
        Err(Failed::Theirs(why)) => {
            let_go(shared, view.id, batch, root)?;
            Ok(Delivered::Missed(why))
        }
    }
}

/// Member of the committee: the keys that a delivery must be wrapped for as well, those of the requester's nodes.
pub(super) fn required_by(shared: &Shared, view: &View) -> Vec<PublicKey> {
    let parties = view.job.terms.committee.members.len() + 1;
    keys_of(shared, view.job.job.requester, roles::REQUESTER, parties)
}

/// What a job needs the blob of a delivery for.
fn purpose(batch: u64, root: B256) -> String {
    format!("delivery/{batch}/{root}")
}

/// Removes what came of a delivery that is good for nothing, unless something else needs it.
pub(super) fn let_go(shared: &Shared, job: B256, batch: u64, root: B256) -> Result<(), NodeError> {
    records::let_go(shared, job, &purpose(batch, root), &BTreeSet::new())
}

/// Serves a delivery that was held from now on: to the requester's nodes, and to other members.
pub(super) fn serve(shared: &Shared, job: B256, Held { key, given, sealed }: &Held) -> Result<(), Trouble> {
    room::require(shared, given.size)?;
    parcels::add(shared, job, &mut sealed.as_slice(), &[(key.clone(), written(given))]).map(drop)
}

/// Whether a delivery that is served is whole here: its manifest, and the files in it.
pub(super) fn is_held(shared: &Shared, view: &View, batch: u64) -> Result<bool, Trouble> {
    is_whole(shared, view.id, view.job.job.owner, batch)
}

/// The same of a job that this provider has or had.
pub(super) fn is_whole(shared: &Shared, job: B256, lead: Address, batch: u64) -> Result<bool, Trouble> {
    let Some(given) = kept::<Given>(shared, &delivery_key(job, batch))? else { return Ok(false) };
    let Ok(mut reader) = shared.blobs.reader(Root::new(given.root.0)) else { return Ok(false) };
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(|error| Trouble(error.to_string()))?;
    let subject = subject(shared, job, lead, batch);
    let manifest = Manifest::open(&bytes, &given.root, &ContentKey::from_bytes(given.key.0), &subject)?;
    Ok(manifest.entries.iter().all(|entry| shared.blobs.reader(Root::new(entry.root)).is_ok()))
}

/// What a delivery is of.
fn subject(shared: &Shared, job: B256, lead: Address, batch: u64) -> Subject {
    Subject { domain: shared.domain(job, lead), kind: Kind::Weights { batch } }
}

/// A delivery of a batch, that is wrapped for these nodes at least.
fn delivery(shared: &Shared, view: &View, batch: u64, root: B256, required: Vec<PublicKey>) -> Wanted {
    let subject = subject(shared, view.id, view.job.job.owner, batch);
    let question = PartyQuestion::Delivery { job: view.id, batch };
    Wanted { question, subject, root: Some(root), required }
}

/// Who may have a delivery: the provider and its team, and the members of the committee; but for this account.
fn holders(shared: &Shared, view: &View) -> Vec<Address> {
    let team = view.team.iter().flat_map(|team| team.owners());
    let members = view.job.terms.committee.members.iter().copied();
    let mut holders: Vec<Address> = std::iter::once(view.job.job.owner).collect();
    for holder in team.chain(members).filter(|holder| *holder != shared.me) {
        // One account may have several seats.
        if !holders.contains(&holder) {
            holders.push(holder);
        }
    }
    holders
}

/// The one file of a delivery, or why it is none.
fn weights_in<'a>(manifest: &'a Manifest, sizes: &Sizes) -> Result<&'a Entry, String> {
    let [entry] = &manifest.entries[..] else {
        return Err(format!("the delivery has {} files, expected 1", manifest.entries.len()));
    };
    if entry.sealed_bytes > sizes.delivery() {
        return Err(format!(
            "the delivery has {} bytes, and by the job's terms none has more than {}",
            entry.sealed_bytes,
            sizes.delivery()
        ));
    }
    Ok(entry)
}
