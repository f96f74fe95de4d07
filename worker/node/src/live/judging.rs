//! A validator's work on complaints, and what a provider asks a committee before it starts.

use std::sync::Arc;

use gradproof_chain::market::{Question, attestation_digest};
use gradproof_chain::{Address, B256};
use gradproof_network::Protocol;
use tracing::{info, warn};

use super::bench::{Bench, Change, at_bench};
use super::choice::{anybody_answers, is_heard, nodes};
use super::deliveries::{self, Delivered, Held};
use super::fetching;
use super::parcels;
use super::room;
use super::shared::{ASK, Shared};
use super::trouble::{Trouble, blocking};
use super::whole;
use crate::NodeError;
use crate::decide::{View, end_of, named};
use crate::facts::Facts;
use crate::message::{Bytes, MAX_MEMBERS, PartyAnswer, PartyQuestion, Reason, read, written};
use crate::words::{Doubt, MAX_WORDS, answer, judge, word};
use crate::workshop::{Claim, WorkError};

/// Provider: asks whether as many members as decide hold the data that this node holds. A member that holds other data could not open
/// what is delivered, and would say so.
pub(super) async fn compare(shared: &Arc<Shared>, view: &View) -> Result<Change, Trouble> {
    let committee = &view.job.terms.committee;
    let held = parcels::held_parcel(shared, view.id, shared.me)?;
    let held = held.ok_or_else(|| Trouble("this node does not know which data it holds".into()))?;
    let (mut same, mut last) = (0, String::new());
    for member in committee.members.iter().take(MAX_MEMBERS) {
        for (_, peer) in nodes(shared, &[*member]).await {
            match fetching::parcel_at(shared, *member, peer, view.id).await {
                Ok(root) if root == held => {
                    same += 1;
                    break;
                }
                Ok(root) => last = format!("{member} was handed other data, {root}"),
                Err(Trouble(why)) => last = why,
            }
        }
    }
    if same < u32::from(committee.threshold) {
        return Err(Trouble(format!(
            "{same} members of the committee hold the data that were handed to this node, expected {}: {last}",
            committee.threshold
        )));
    }
    Ok(Box::new(|facts| facts.shared = true))
}

/// Validator: refuses data that are not those that the provider holds. What the requester tells the one and not the other is no base of
/// a judgment.
pub(super) async fn require_same(shared: &Arc<Shared>, view: &View) -> Result<(), Trouble> {
    let lead = view.job.job.owner;
    let held = parcels::held_parcel(shared, view.id, lead)?.ok_or_else(|| Trouble("no data are here".into()))?;
    let mut last = Trouble(format!("the provider {lead} has no node in the register"));
    for (_, peer) in nodes(shared, &[lead]).await {
        match fetching::parcel_at(shared, lead, peer, view.id).await {
            Ok(root) if root == held => return Ok(()),
            Ok(root) => last = Trouble(format!("the provider {lead} holds other data, {root}, than this node, {held}")),
            Err(trouble) => last = trouble,
        }
    }
    Err(last)
}

/// Validator: looks at the deliveries of a batch that are not known yet.
pub(super) async fn judged(shared: &Arc<Shared>, view: &View, batch: u64) -> Result<Change, Trouble> {
    // Weights are compared with the claim by what the parcel says.
    whole::require(shared, view.id)?;
    let facts = shared.store.job(view.id)?.ok_or(NodeError::UnknownJob(view.id))?;
    let record = view.job.batches.iter().find(|(number, _)| *number == batch).map(|(_, record)| record);
    let record = record.ok_or_else(|| Trouble("the batch waits no more".into()))?;
    let (sizes, last) = (room::sizes_of(shared, view)?, record.last);
    let mut missed = None;
    for root in named(&facts, batch, record) {
        let known = facts.judged.iter().find(|one| (one.batch, one.root, one.last) == (batch, root, last));
        if known.is_some_and(|one| one.right.is_some()) {
            continue;
        }
        let path = shared.home.job(view.id).join(format!("judged-{batch:04}-{root}.exact.safetensors"));
        let required = deliveries::required_by(shared, view);
        let (right, why) = match deliveries::got(shared, view, batch, root, &sizes, required, &path).await? {
            Delivered::Missed(why) => (None, why),
            Delivered::Nothing(why) => (Some(false), why),
            Delivered::Weights(held) => opened(shared, view, batch, path, *held).await?,
        };
        if right == Some(false) {
            deliveries::let_go(shared, view.id, batch, root)?;
        }
        let noted = |facts: &mut Facts| {
            judge(&mut facts.judged, batch, root, last, |one| {
                if right.is_none() {
                    one.miss(view.job.now.time);
                }
                (one.right, one.why) = (right, why.clone());
            });
        };
        shared.store.change(view.id, noted)?;
        shared.changed();
        match right {
            Some(true) => info!(job = %view.id, "a delivery of batch {batch} opens the claim: this node serves it"),
            Some(false) => warn!(job = %view.id, "a delivery of batch {batch} does not open the claim: {why}"),
            None => missed = Some(why),
        }
    }
    missed.map_or_else(|| Ok(Box::new(|_: &mut Facts| ()) as Change), |why| Err(Trouble(why)))
}

/// Whether weights open the claim at the end of a batch, and why not. Those that do are served from then on.
async fn opened(
    shared: &Arc<Shared>,
    view: &View,
    batch: u64,
    path: std::path::PathBuf,
    held: Held,
) -> Result<(Option<bool>, String), Trouble> {
    let record = view.job.batches.iter().find(|(number, _)| *number == batch).map(|(_, record)| record);
    let last = record.map(|record| record.last).unwrap_or_default();
    let claim = Claim { segments: end_of(&view.job, batch), last };
    let (workshop, folder) = (shared.workshop.clone(), shared.home.job(view.id));
    let domain = shared.domain(view.id, view.job.job.owner);
    let weights = path.clone();
    let opened = blocking(move || workshop.open(&folder, domain, claim, &weights)).await?;
    // What is served is the cipher text.
    let _ = std::fs::remove_file(&path);
    match opened {
        Ok(_) => {
            let (shared, id) = (shared.clone(), view.id);
            blocking(move || deliveries::serve(&shared, id, &held)).await??;
            Ok((Some(true), String::new()))
        }
        Err(WorkError::Impossible(reason)) => Ok((Some(false), reason)),
        Err(WorkError::Failed(reason) | WorkError::Differs(reason)) => Err(Trouble(reason)),
    }
}

/// Validator: stores its word about a complaint, and signs what is stored then: nothing else, whatever it knows later.
pub(super) async fn answered(shared: &Arc<Shared>, view: &View, batch: u64, yes: bool) -> Result<Change, Trouble> {
    let record = view.job.batches.iter().find(|(number, _)| *number == batch).map(|(_, record)| record);
    let last = record.map(|record| record.last).ok_or_else(|| Trouble("the batch waits no more".into()))?;
    let facts = shared.store.job(view.id)?.ok_or(NodeError::UnknownJob(view.id))?;
    let is_new = word(&facts.words, batch, last).is_none();
    // Who says yes has what it is about, and hands it on.
    if is_new && yes && !deliveries::is_held(shared, view, batch)? {
        shared.store.change(view.id, |facts| facts.judged.retain(|one| one.batch != batch))?;
        return Err(Trouble(format!("the delivery of batch {batch} is not here any more: it is got again")));
    }
    let mut said = None;
    shared.store.change(view.id, |facts| said = answer(&mut facts.words, batch, last, yes))?;
    let yes = said.ok_or_else(|| Trouble("this node has given as many words about this job as it can".into()))?;
    let batch_number = u32::try_from(batch).map_err(|_| Trouble("no job has so many batches".into()))?;
    let question = Question { job: view.id, batch: batch_number, last };
    let (chain, market) = (shared.deployment.chain, shared.deployment.market.address);
    let signature = shared.sign_as_account(attestation_digest(chain, market, question, yes))?;
    let signature = Bytes::new(signature).ok_or_else(|| Trouble("a signature of another length".into()))?;
    info!(job = %view.id, "says {} of batch {batch}", if yes { "yes" } else { "no" });
    Ok(Box::new(move |facts| {
        let of = |one: &&mut crate::words::Word| one.batch == batch && one.last == last && one.yes == yes;
        if let Some(one) = facts.words.iter_mut().find(of) {
            one.signature = Some(signature);
        }
    }))
}

/// Provider: what opens the claim at the end of a segment, for a member of the committee, who has the seeds that it follows from.
pub(super) async fn opening_for(shared: &Arc<Shared>, job: B256, segment: u64, asker: Address) -> Result<B256, Reason> {
    let not_yours = || Reason::new("there is no such claim of this node for you");
    let view = shared.view(job).ok_or_else(not_yours)?;
    let claimed = u64::from(view.job.job.claimed);
    let decides = view.job.terms.committee.members.contains(&asker);
    if view.job.job.owner != shared.me || !decides || segment >= claimed {
        return Err(not_yours());
    }
    let (workshop, folder) = (shared.workshop.clone(), shared.home.job(job));
    let domain = shared.domain(job, shared.me);
    let opening = blocking(move || workshop.opening(&folder, domain, segment.saturating_add(1))).await;
    match opening {
        Ok(Ok(opening)) => Ok(opening),
        Ok(Err(error)) => Err(Reason::new(error.to_string())),
        Err(Trouble(why)) => Err(Reason::new(why)),
    }
}

/// Validator: asks the provider what opens the claim at the end of a segment, and whether that opens it to the weights that this node has.
pub(super) async fn doubted(shared: &Arc<Shared>, view: &View, bench: Bench, segment: u64) -> Result<Change, Trouble> {
    let place = segment.checked_sub(view.job.job.settled.into()).and_then(|place| usize::try_from(place).ok());
    let claim = place.and_then(|place| view.claims.get(place)).copied();
    let claim = claim.ok_or_else(|| Trouble("the claim waits no more".into()))?;
    let (job, lead) = (view.id, view.job.job.owner);
    let asked = PartyQuestion::Opening { job, segment };
    let question = written(&asked);
    let mut heard = false;
    for (_, peer) in nodes(shared, &[lead]).await {
        let answer = shared.network.ask(peer, Protocol::Party, &question, ASK).await;
        heard |= is_heard(&answer);
        let Ok(answer) = answer else { continue };
        let Ok(PartyAnswer::Opening { secret }) = read(&answer) else { continue };
        let committed = at_bench(shared, view, bench, move |work| work.committed(segment.saturating_add(1), secret));
        let opens = committed.await?.map_err(Trouble)? == claim;
        return Ok(Box::new(move |facts| doubt(facts, segment, claim, |one| one.opens = Some(opens))));
    }
    // Who reaches nobody cannot say that the provider is silent. The requester is there.
    if heard || anybody_answers(shared, &[view.job.job.requester], &asked).await {
        let missed = |facts: &mut Facts| doubt(facts, segment, claim, |one| one.missed = one.missed.saturating_add(1));
        shared.store.change(job, missed)?;
        shared.changed();
    }
    Err(Trouble(format!("the provider {lead} does not say what opens the claim of segment {segment}")))
}

/// Changes what is known of a claim in doubt.
fn doubt(facts: &mut Facts, segment: u64, claim: B256, change: impl FnOnce(&mut Doubt)) {
    if let Some(one) = facts.doubts.iter_mut().find(|one| (one.segment, one.claim) == (segment, claim)) {
        change(one);
    } else if facts.doubts.len() < MAX_WORDS {
        let mut one = Doubt { segment, claim, missed: 0, opens: None };
        change(&mut one);
        facts.doubts.push(one);
    }
}
