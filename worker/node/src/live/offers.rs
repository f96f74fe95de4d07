//! A requester's offers: signed, brought to the provider's nodes, and the next one's turn.

use std::io::Write;
use std::sync::Arc;

use gradproof_chain::market::{Offering, SignedLicence, TrainingMarket};
use gradproof_chain::{Address, B256, SolValue, U256};
use gradproof_network::Protocol;
use gradproof_terminal::atomic;
use tracing::info;

use super::bench::Change;
use super::calls::TERMS_FILE;
use super::desk::Desk;
use super::licensed::{LICENCE_FILE, licence_of, shown};
use super::shared::{ASK, Shared};
use super::trouble::Trouble;
use crate::NodeError;
use crate::consents::Consents;
use crate::decide::View;
use crate::facts::Facts;
use crate::message::{Bytes, Few, PartyAnswer, PartyQuestion, SignedConsent, SignedOffer, read, written};
use crate::offers::{OFFER_SECS, Offers, Said};

/// Nodes of a provider that are asked: one that is slow takes no more than its part of the offer's time.
const MAX_NODES: usize = 4;

/// Signs the offer whose turn it is, and asks the provider `to`.
///
/// How long it can be taken is stored before it is signed: a node that is started again signs the same offer, and no second one.
pub(super) async fn offer(shared: &Arc<Shared>, view: &View, to: Address) -> Result<Change, Trouble> {
    let id = view.id;
    let facts = shared.store.job(id)?.ok_or(NodeError::UnknownJob(id))?;
    let terms = in_place(shared, id, &facts)?;
    let offers = facts.offers.ok_or_else(|| Trouble("this job has no offers".into()))?;
    let offer = offers.current().filter(|offer| offer.job == id && offer.to == to);
    let offer = offer.ok_or_else(|| Trouble("it is the turn of another offer".into()))?;
    let (chain, market) = (shared.deployment.chain, shared.deployment.market.address);
    let offering = Offering { chain, market, requester: shared.me, nonce: U256::from_be_bytes(offers.nonce.0) };
    if offering.job(&terms) != id {
        return Err(Trouble(format!(
            "{} are not the terms of this job: nothing is signed",
            path(shared, id).display()
        )));
    }
    let until = match offer.until {
        Some(until) => until,
        None => {
            let until = view.job.now.time.saturating_add(OFFER_SECS);
            shared.store.change(id, |facts| changed(facts, id, |offer| offer.until = Some(until)))?;
            until
        }
    };
    let licence = licence_of(&shared.home.job(id))?;
    if licence.is_none() && !terms.training.dataset.is_zero() {
        return Err(Trouble(format!(
            "{LICENCE_FILE} of this job is gone, without which the market takes no offer of it"
        )));
    }
    let digest = licence.as_ref().map_or(B256::ZERO, SignedLicence::digest);
    let licence = licence.map(|licence| shown(&licence, to)).transpose().map_err(Trouble)?;
    let signature = shared.sign_as_account(offering.digest(to, &terms, digest, until))?;
    let too_long = || Trouble("the terms are longer than a question may be".into());
    let question = PartyQuestion::Offer(SignedOffer {
        terms: Bytes::new(terms.abi_encode()).ok_or_else(too_long)?,
        nonce: offers.nonce,
        expiry: until,
        signature: Bytes::new(signature).ok_or_else(too_long)?,
        licence,
        consents: Few::new(consents(&facts.committee, id, until)?).ok_or_else(too_long)?,
    });
    let said = ask(shared, to, id, &question).await?;
    match &said {
        Said::Yes => info!(job = %id, "{to} takes the job, until {until}"),
        Said::No(reason) => info!(job = %id, "{to} does not take the job: {reason}"),
    }
    Ok(Box::new(move |facts| changed(facts, id, |offer| offer.said = Some(said))))
}

/// The consents of the committee to a job, for as long as its offer can be taken.
fn consents(committee: &Option<Consents>, id: B256, until: u64) -> Result<Vec<SignedConsent>, Trouble> {
    match committee {
        None => Ok(vec![]),
        Some(committee) if committee.are_given(id, until) => Ok(committee.given.clone()),
        Some(_) => Err(Trouble("the committee has not consented to this offer for so long".into())),
    }
}

fn changed(facts: &mut Facts, id: B256, change: impl FnOnce(&mut crate::offers::Offer)) {
    if let Some(offers) = &mut facts.offers {
        offers.change(id, change);
    }
}

/// What the provider says. One of its nodes that agrees is enough; a no is one when no node of it could say otherwise.
async fn ask(shared: &Arc<Shared>, to: Address, id: B256, question: &PartyQuestion) -> Result<Said, Trouble> {
    let (mut said, mut trouble) = (None, None);
    for peer in shared.peers_of(to).into_iter().take(MAX_NODES) {
        let answer = shared.network.ask(peer, Protocol::Party, &written(question), ASK).await;
        match answer.map_err(|error| error.to_string()).map(|answer| read::<PartyAnswer>(&answer)) {
            Ok(Ok(PartyAnswer::Takes { job })) if job == id => return Ok(Said::Yes),
            Ok(Ok(PartyAnswer::Refused(reason)) | Err(reason)) => said = Some(Said::No(reason.to_string())),
            Ok(Ok(_)) => said = Some(Said::No("it answers with something else".into())),
            Err(error) => trouble = Some(Trouble(format!("{to} cannot be asked: {error}"))),
        }
    }
    match (said, trouble) {
        (_, Some(trouble)) => Err(trouble),
        (Some(said), None) => Ok(said),
        (None, None) => Ok(Said::No("it has no node in the register".into())),
    }
}

/// Makes it the turn of another offer: the job goes on under that one's id.
pub(super) fn turn(shared: &Desk, id: B256, facts: &Facts, place: usize) -> Result<(), NodeError> {
    let Some(offers) = &facts.offers else { return Ok(()) };
    let Some(next) = offers.all.get(place) else { return Ok(()) };
    let turned = Facts { offers: Some(Offers { turn: place, ..offers.clone() }), ..facts.clone() };
    shared.store.rename(id, next.job, &turned)?;
    info!(job = %next.job, "offered to {} now, and no more as job {id}", next.to);
    shared.changed();
    Ok(())
}

/// Sees to it that the folder of an offered job has the id of the offer whose turn it is, and its terms: a node may have died between two
/// turns. The terms.
pub(super) fn in_place(shared: &Desk, id: B256, facts: &Facts) -> Result<TrainingMarket::Terms, Trouble> {
    let at = |path: &std::path::Path, error: &dyn std::fmt::Display| Trouble(format!("{}: {error}", path.display()));
    let file = path(shared, id);
    let offers = facts.offers.iter().flat_map(|offers| &offers.all);
    if !file.exists() {
        let other = offers.clone().map(|offer| offer.job).find(|job| path(shared, *job).exists());
        if let Some(other) = other {
            let from = shared.home.job(other);
            std::fs::rename(&from, shared.home.job(id)).map_err(|error| at(&from, &error))?;
        }
    }
    let bytes = std::fs::read(&file).map_err(|error| at(&file, &error))?;
    let terms = TrainingMarket::Terms::abi_decode_validate(&bytes).map_err(|error| at(&file, &error))?;
    let Some(offer) = offers.clone().find(|offer| offer.job == id) else { return Ok(terms) };
    let own = offer.terms(terms.clone());
    if own != terms {
        let write = |file: &mut std::io::BufWriter<std::fs::File>| file.write_all(&own.abi_encode());
        atomic::write(&file, write).map_err(|error| at(&file, &error))?;
    }
    Ok(own)
}

fn path(shared: &Desk, id: B256) -> std::path::PathBuf {
    shared.home.job(id).join(TERMS_FILE)
}
