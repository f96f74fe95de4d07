//! A committee's places: a requester asks for the members' consents, a validator gives them by its policy.

use std::sync::Arc;

use gradproof_chain::market::account::free_stake;
use gradproof_chain::market::{Offering, State, TrainingMarket, consent_digest};
use gradproof_chain::{Address, At, B256, Sight, SolValue, U256, signer_of};
use gradproof_network::Protocol;
use tracing::info;

use super::bench::Change;
use super::calls::open_call;
use super::capacity::needed_disk;
use super::desk::Desk;
use super::licensed::{licence_of, path, shown};
use super::offers::in_place;
use super::quotes::{busy, turn};
use super::room;
use super::shared::{ASK, Shared};
use super::trouble::Trouble;
use crate::NodeError;
use crate::consents::{CONSENT_SECS, Promise, is_long};
use crate::decide::View;
use crate::facts::{Facts, Role};
use crate::message::{Bytes, Few, GivenLicence, PartyAnswer, PartyQuestion, Reason, SignedConsent, read, written};
use crate::policy::Licensed;
use crate::validating::{Places, Promised, seated};

/// Nodes of a member that are asked.
const MAX_NODES: usize = 4;

/// Requester: asks each member's nodes for its consent to the job. All of them, or none.
pub(super) async fn ask(shared: &Arc<Shared>, view: &View) -> Result<Change, Trouble> {
    let id = view.id;
    let facts = shared.store.job(id)?.ok_or(NodeError::UnknownJob(id))?;
    let committee = facts.committee.clone().ok_or_else(|| Trouble("this job has no committee".into()))?;
    let (terms, nonce) = posted_terms(shared, id, &facts)?;
    let (chain, market) = (shared.deployment.chain, shared.deployment.market.address);
    let offering = Offering { chain, market, requester: shared.me, nonce: U256::from_be_bytes(nonce.0) };
    if offering.job(&terms) != id || terms.committee.members != committee.members {
        return Err(Trouble("the terms in the job's folder are those of another job: nobody is asked".into()));
    }
    let encoded = Bytes::new(terms.abi_encode());
    let encoded = encoded.ok_or_else(|| Trouble("the terms are longer than a question may be".into()))?;
    let licence = licence_of(&shared.home.job(id))?;
    let mut given: Vec<SignedConsent> = Vec::new();
    for member in committee.members {
        let (licence, path) = match &licence {
            None => (None, Few::default()),
            Some(licence) => (Some(shown(licence, member).map_err(Trouble)?), path(licence, member).map_err(Trouble)?),
        };
        let question = written(&PartyQuestion::Consent { terms: encoded.clone(), nonce, licence });
        // Whoever consents says nothing about the licence: what the market is told of it is the requester's word.
        let consent = consent_of(shared, member, view, &question).await?;
        let consent = match consent.map(|consent| SignedConsent { path, ..consent }) {
            Ok(consent) if given.iter().all(|other| other.key != consent.key) => consent,
            Ok(_) => {
                return Err(Trouble(format!(
                    "{member} names a key that another member named: its word would count twice"
                )));
            }
            Err(reason) => {
                let trouble = Trouble(format!("{member} does not sit in the committee: {reason}"));
                shared.store.change(id, |facts| {
                    if let Some(committee) = &mut facts.committee {
                        committee.refuse(member, reason);
                    }
                })?;
                // Whoever waits for the job hears of it.
                shared.changed();
                return Err(trouble);
            }
        };
        given.push(consent);
    }
    info!(job = %id, "the committee consents");
    Ok(Box::new(move |facts| {
        if let Some(committee) = &mut facts.committee {
            (committee.job, committee.given, committee.refused, committee.refusals) = (id, given, None, 0);
        }
    }))
}

/// The terms of a job that this requester posts or offers under this id, and the nonce.
fn posted_terms(desk: &Desk, id: B256, facts: &Facts) -> Result<(TrainingMarket::Terms, B256), Trouble> {
    if let Some(offers) = &facts.offers {
        return Ok((in_place(desk, id, facts)?, offers.nonce));
    }
    let call = open_call(&desk.home.job(id))?;
    Ok((call.terms, call.nonce.into()))
}

/// A member's consent, or why it refuses: the first of its nodes that consents.
async fn consent_of(
    shared: &Shared,
    member: Address,
    view: &View,
    question: &[u8],
) -> Result<Result<SignedConsent, String>, Trouble> {
    let (chain, market, id) = (shared.deployment.chain, shared.deployment.market.address, view.id);
    let mut refused = None;
    let mut trouble = Trouble(format!("the member {member} has no node in the register"));
    for peer in shared.peers_of(member).into_iter().take(MAX_NODES) {
        let answer = shared.network.ask(peer, Protocol::Party, question, ASK).await;
        match answer.map_err(|error| error.to_string()).map(|answer| read::<PartyAnswer>(&answer)) {
            Ok(Ok(PartyAnswer::Consents(consent))) => {
                let digest = consent_digest(chain, market, id, consent.key, consent.expiry);
                refused = Some(if signer_of(digest, consent.signature.as_slice()) != Some(member) {
                    "its consent is signed by somebody else".to_owned()
                } else if !is_long(&consent, view.job.now.time) {
                    format!("its consent can be used until {} only", consent.expiry)
                } else {
                    return Ok(Ok(consent));
                });
            }
            Ok(Ok(PartyAnswer::Refused(reason)) | Err(reason)) => refused = Some(reason.to_string()),
            Ok(Ok(_)) => refused = Some("it answers with something else".to_owned()),
            Err(error) => trouble = Trouble(format!("the member {member} cannot be asked: {error}")),
        }
    }
    refused.map_or(Err(trouble), |reason| Ok(Err(reason)))
}

/// Validator: consents to a place in the committee of a job of `requester`, whose node asks. From then on the place is promised.
///
/// The account's key signs it, and the consent names that key for its words: who takes the hot key cannot contradict this account.
pub(super) async fn consent(
    shared: &Shared,
    requester: Address,
    encoded: &[u8],
    nonce: B256,
    licence: Option<&GivenLicence>,
) -> Result<SignedConsent, Reason> {
    let config = shared.config.validator.clone().ok_or_else(|| Reason::new("this node sits in no committee"))?;
    if shared.signs_elsewhere() {
        return Err(Reason::new("this account signs by hand, and this node cannot consent for it"));
    }
    let terms = TrainingMarket::Terms::abi_decode_validate(encoded)
        .map_err(|error| Reason::new(format!("the terms cannot be read: {error}")))?;
    let (chain, market, me) = (shared.deployment.chain, shared.deployment.market.address, shared.me);
    let licensed = match licence.map(GivenLicence::read).transpose()? {
        Some((licence, path)) => Licensed::of(&licence, me, &path),
        // A set without its licence admits nobody.
        None => Licensed { admits: terms.training.dataset.is_zero(), ..Licensed::NONE },
    };
    let id = Offering { chain, market, requester, nonce: U256::from_be_bytes(nonce.0) }.job(&terms);
    // One promise after the other: two that are judged at once would count as one.
    let _turn = turn(shared)?;
    let sight = shared.endpoints.look().await.map_err(busy)?;
    let now = sight.common.earliest().time;
    let expiry = now.saturating_add(CONSENT_SECS);
    let promise = Promise { requester, nonce, expiry, stake: terms.committee.stake };
    match shared.store.job(id).map_err(busy)? {
        // It was asked before, and the requester did not hear the answer, or needs a later one.
        Some(facts) if facts.consent.is_some() => {
            shared.store.change(id, |facts| facts.consent = Some(promise)).map_err(busy)?;
        }
        Some(_) => return Err(Reason::new("this node knows the job already, from the chain")),
        None => {
            let places = places(shared, &sight, &promise, &terms).await.map_err(busy)?;
            if let Err(reason) = seated(&terms, licensed, requester, me, &shared.deployment, &config, &places) {
                shared.metrics.refused(reason.name());
                if shared.is_news(&format!("consent for {requester}"), &reason.to_string()) {
                    info!("does not sit in a committee of {requester}: {reason}");
                }
                return Err(Reason::new(reason.to_string()));
            }
            let (consent, disk) = (Some(promise), places.needed_disk);
            // The promise is kept before it is given.
            shared.store.begin(id, &Facts { consent, disk, ..Facts::new(Role::Validator) }).map_err(busy)?;
            info!(job = %id, "sits in the committee of a job of {requester}");
        }
    }
    shared.changed();
    let signature = shared.sign_as_account(consent_digest(chain, market, id, me, expiry)).map_err(busy)?;
    let signature = Bytes::new(signature).ok_or_else(|| Reason::new("a signature of another length"))?;
    Ok(SignedConsent { key: me, expiry, signature, path: Few::default() })
}

/// What this validator has promised, beside the promises of the same requester and nonce, of which the market takes one.
async fn places(
    shared: &Shared,
    sight: &Sight,
    promise: &Promise,
    terms: &TrainingMarket::Terms,
) -> Result<Places, NodeError> {
    let (vault, owner) = (shared.deployment.vault.address, shared.me);
    let free = |at: At| async move { free_stake(&at, vault, owner).await };
    let mut places = Places {
        // What is not agreed on is not counted on.
        free_stake: shared.endpoints.read(&sight.common, free).await?.agreed().unwrap_or_default(),
        free_disk: room::unpromised(shared)?,
        needed_disk: needed_disk(shared, sight, terms).await?,
        ..Places::default()
    };
    let validates = shared.store.jobs()?.into_iter().filter(|(_, facts)| facts.role == Role::Validator);
    let promised = |(id, facts): (B256, Facts)| Promised {
        state: shared.view(id).and_then(|view| view.job.state()),
        consent: facts.consent,
    };
    let jobs: Vec<Promised> = validates.map(promised).collect();
    places.count(&jobs, promise, sight.common.earliest().time);
    Ok(places)
}

/// Forgets a promise that nobody can use any more; whether it did.
pub(super) fn forget_if_over(
    shared: &Desk,
    id: B256,
    facts: &Facts,
    state: Option<State>,
    now: u64,
) -> Result<bool, NodeError> {
    let over = facts.consent.is_some_and(|promise| promise.expiry < now);
    if state != Some(State::None) || !over {
        return Ok(false);
    }
    info!(job = %id, "the consent is over, and the job was not posted");
    shared.store.forget(id)?;
    Ok(true)
}
