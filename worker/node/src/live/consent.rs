//! A provider's word on an offer: it is judged as an open job, and kept until the chain says otherwise or the offer is over.

use std::io::Write;

use gradproof_chain::market::{Offering, State, TrainingMarket, licence_digest, no_licence, no_paths, no_permit};
use gradproof_chain::{Address, At, B256, ChainError, Sight, SolCall, SolValue, U256, signer_of};
use gradproof_terminal::atomic;
use tracing::info;

use super::calls::OFFER_FILE;
use super::desk::Desk;
use super::quotes::{busy, promiser, turn};
use super::shared::Shared;
use crate::NodeError;
use crate::facts::{Facts, Role};
use crate::message::{GivenLicence, Reason, SignedOffer};
use crate::offers::OFFER_SECS;
use crate::policy::{self, Licensed, NotTaken};

/// Longest time in which an offer can be taken, in seconds: the requester's head may be older than this node's. Until it is over a place
/// is promised.
const MOST_SECS: u64 = 2 * OFFER_SECS;

/// Agrees to take the job of an offer of `requester`, whose node asks: the job.
pub(super) async fn consent(shared: &Shared, requester: Address, offer: SignedOffer) -> Result<B256, Reason> {
    let config = promiser(shared)?;
    let terms = TrainingMarket::Terms::abi_decode_validate(offer.terms.as_slice())
        .map_err(|error| Reason::new(format!("the terms cannot be read: {error}")))?;
    let (chain, market) = (shared.deployment.chain, shared.deployment.market.address);
    let nonce = U256::from_be_bytes(offer.nonce.0);
    let offering = Offering { chain, market, requester, nonce };
    let id = offering.job(&terms);
    let given = offer.licence.as_ref().map(GivenLicence::read).transpose()?;
    let digest_of_licence = given
        .as_ref()
        .map_or(B256::ZERO, |(licence, _)| licence_digest(chain, market, terms.training.dataset, requester, licence));
    // Before anything is asked of the chain: what nobody signed costs this node nothing.
    let digest = offering.digest(shared.me, &terms, digest_of_licence, offer.expiry);
    if signer_of(digest, offer.signature.as_slice()) != Some(requester) {
        return Err(Reason::new(format!("{requester} signed no such offer for {}", shared.me)));
    }
    // One promise after the other: two that are judged at once would count as one.
    let _turn = turn(shared)?;
    match shared.store.job(id).map_err(busy)? {
        // It was asked before, and the requester did not hear the answer.
        Some(facts) if facts.offered == Some(offer.expiry) => return Ok(id),
        Some(_) => return Err(Reason::new("this node knows the job already, from another offer or from the chain")),
        None => (),
    }
    let sight = shared.endpoints.look().await.map_err(busy)?;
    let now = sight.common.earliest().time;
    if offer.expiry < now || offer.expiry > now.saturating_add(MOST_SECS) {
        return Err(Reason::new(format!(
            "the offer can be taken until {}, and it is {now}: expected at most {MOST_SECS} s from now",
            offer.expiry
        )));
    }
    let (licence, licensed, paths) = match given {
        Some((licence, path)) => {
            let licensed = Licensed::of(&licence, shared.me, &path);
            (licence, licensed, TrainingMarket::Paths { terms: vec![], licence: path })
        }
        // The market refuses a set without its licence.
        None => (no_licence(), Licensed::NONE, no_paths()),
    };
    let least = licensed.least_price(&terms.training, &config);
    let free = super::room::unpromised(shared).map_err(busy)?;
    let capacity = super::capacity::of(shared, free, &sight, requester, &terms).await.map_err(busy)?;
    let judged = policy::taken(&terms, licensed, shared.me, &shared.deployment, &config, &capacity).and_then(|_| {
        // It is taken in the moment in which it is posted, at the price of that moment.
        let price = terms.price.start;
        if price < least { Err(NotTaken::Price { price, least }) } else { Ok(()) }
    });
    let call = TrainingMarket::openAndAcceptCall {
        terms,
        offer: TrainingMarket::Offer {
            requester,
            provider: shared.me,
            licence: digest_of_licence,
            nonce,
            expiry: U256::from(offer.expiry),
            signature: offer.signature.as_slice().to_vec().into(),
        },
        licence,
        consents: offer.consents.as_slice().iter().map(crate::consents::to_market).collect(),
        permit: no_permit(),
        minPrice: U256::from(least),
        paths,
    };
    let judged = match judged {
        Ok(()) => tried(shared, &sight, id, &call).await,
        Err(reason) => Err(Reason::new(reason.to_string())),
    };
    if let Err(reason) = judged {
        if shared.is_news(&format!("offer of {requester}"), &reason.to_string()) {
            info!("does not take the offer of {requester}: {reason}");
        }
        return Err(reason);
    }
    let (accept, offered, disk) = (Some(least), Some(offer.expiry), capacity.needed_disk);
    keep(shared, id, &call, Facts { accept, offered, disk, ..Facts::new(Role::Provider) }).map_err(busy)?;
    shared.quotes().fulfil(requester);
    shared.changed();
    info!(job = %id, "takes the offer of {requester}");
    Ok(id)
}

/// Asks the market whether it would take the call now: signature and nonce, the requester's tokens and what it allows, this account's entry
/// and stake, the verifiers' code.
async fn tried(
    shared: &Shared,
    sight: &Sight,
    id: B256,
    call: &TrainingMarket::openAndAcceptCall,
) -> Result<(), Reason> {
    let (market, me, data) = (shared.deployment.market.address, shared.me, call.abi_encode());
    let asked = |at: At| {
        let data = data.clone();
        async move { at.endpoint().call(at.header().hash, me, market, data.into()).await }
    };
    let answer = match shared.endpoints.read(&sight.common, asked).await {
        Err(ChainError::Reverted { data }) => {
            return Err(Reason::new(format!("the market would refuse it: {}", gradproof_chain::reason(&data))));
        }
        Err(error) => return Err(busy(error)),
        Ok(answer) => answer.agreed(),
    };
    match answer.and_then(|answer| B256::abi_decode(&answer).ok()) {
        Some(job) if job == id => Ok(()),
        Some(_) => Err(Reason::new("the market gives the job another id")),
        None => Err(Reason::new("the endpoints of this node do not agree on it")),
    }
}

/// Stores what takes the job, and then that it is promised.
fn keep(shared: &Shared, id: B256, call: &TrainingMarket::openAndAcceptCall, facts: Facts) -> Result<(), NodeError> {
    let folder = shared.home.job(id);
    std::fs::create_dir_all(&folder).map_err(NodeError::file(&folder))?;
    let path = folder.join(OFFER_FILE);
    atomic::write(&path, |file| file.write_all(&call.abi_encode())).map_err(NodeError::file(&path))?;
    shared.store.begin(id, &facts)
}

/// Forgets an offer that nobody can bring any more, and that this node did not take; whether it did.
pub(super) fn forget_if_over(
    shared: &Desk,
    id: B256,
    facts: &Facts,
    state: Option<State>,
    now: u64,
) -> Result<bool, NodeError> {
    let over = facts.offered.is_some_and(|until| until < now);
    if state != Some(State::None) || !over {
        return Ok(false);
    }
    info!(job = %id, "the offer is over, and was not taken");
    shared.store.forget(id)?;
    let folder = shared.home.job(id);
    // Nothing else is in it: what remains does no harm.
    let _ = std::fs::remove_file(folder.join(OFFER_FILE));
    let _ = std::fs::remove_dir(folder);
    Ok(true)
}
