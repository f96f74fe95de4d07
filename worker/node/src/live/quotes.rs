//! Cards and quotes: what strangers are told.

use gradproof_chain::market::{TrainingMarket, at_price};
use gradproof_chain::{Address, SolValue};
use tokio::sync::MutexGuard;
use tracing::info;

use super::desk::Desk;
use super::shared::Shared;
use crate::config::ProviderConfig;
use crate::matching::{QUOTE_SECS, quote_digest, terms_digest};
use crate::message::{Answer, Bytes, Card, GivenLicence, Measured, Question, Quote, Reason};
use crate::policy::{self, Licensed};

/// What a stranger is told.
pub(super) async fn answer(shared: &Shared, owner: Option<Address>, question: Question) -> Answer {
    let answered = match question {
        Question::Card => card(shared),
        // A quote is a promise, and keeps a place free: whoever is nobody gets none.
        Question::Quote { requester, .. } if owner != Some(requester) => Err(Reason::new(format!(
            "quotes are for requesters in the register, and this node is not one of {requester}"
        ))),
        Question::Quote { requester, terms, licence } => {
            quote(shared, requester, terms.as_slice(), licence.as_ref()).await
        }
        Question::Datasets | Question::DialBack => Err(Reason::new("a node asks that by itself")),
    };
    answered.unwrap_or_else(Answer::Refused)
}

fn card(shared: &Shared) -> Result<Answer, Reason> {
    let config = shared.config.provider.as_ref().ok_or_else(|| Reason::new("this node takes no jobs"))?;
    let measured = shared.deployment.verifiers.iter().filter_map(|verifier| {
        let segment_ms = super::capacity::measured(shared, verifier.segment.address).ok()??;
        Some(Measured { key: verifier.key, segment_ms })
    });
    let promised = shared.store.jobs().map_err(|error| Reason::new(error.to_string()))?.len();
    let card = Card {
        owner: shared.me,
        measured: measured.collect(),
        free: u32::try_from(config.jobs.saturating_sub(promised)).unwrap_or(u32::MAX),
        least_price: config.least_price,
    };
    Ok(Answer::Card(card))
}

/// The configuration of a provider's node that can promise to take a job.
pub(super) fn promiser(shared: &Desk) -> Result<ProviderConfig, Reason> {
    let config = shared.config.provider.clone().ok_or_else(|| Reason::new("this node takes no jobs"))?;
    if shared.signs_elsewhere() {
        return Err(Reason::new("this account accepts by hand, and this node cannot promise that it will"));
    }
    Ok(config)
}

/// Why a question is not answered now: the fault is this node's.
pub(super) fn busy(error: impl std::fmt::Display) -> Reason {
    Reason::new(format!("this node cannot tell now: {error}"))
}

/// Held while a question is judged, from what may be promised to storing the promise.
pub(super) fn turn(shared: &Desk) -> Result<MutexGuard<'_, ()>, Reason> {
    shared.try_promising().ok_or_else(|| busy("another question is being answered; ask again"))
}

/// A price for a job with these terms, which is promised for a short time.
///
/// A licence is taken at its word: its signature is looked at when the job is offered, and who showed another one then gets no job.
async fn quote(
    shared: &Shared,
    requester: Address,
    encoded: &[u8],
    licence: Option<&GivenLicence>,
) -> Result<Answer, Reason> {
    let config = promiser(shared)?;
    let terms = TrainingMarket::Terms::abi_decode_validate(encoded)
        .map_err(|error| Reason::new(format!("the terms cannot be read: {error}")))?;
    let licensed = match licence.map(GivenLicence::read).transpose()? {
        Some((licence, path)) => Licensed::of(&licence, shared.me, &path),
        None if terms.training.dataset.is_zero() => Licensed::NONE,
        None => return Err(Reason::new("the data are a registered set, and the question comes without its licence")),
    };
    let price = licensed.least_price(&terms.training, &config);
    // A quote says the price, whatever the requester would pay: so these are the terms that it is about.
    let terms = at_price(terms, price);
    let _turn = turn(shared)?;
    let free = super::room::unpromised(shared).map_err(busy)?;
    let sight = shared.endpoints.look().await.map_err(busy)?;
    let capacity = super::capacity::of(shared, free, &sight, requester, &terms).await.map_err(busy)?;
    policy::taken(&terms, licensed, shared.me, &shared.deployment, &config, &capacity).map_err(|reason| {
        shared.metrics.refused(reason.name());
        if shared.is_news(&format!("quote for {requester}"), &reason.to_string()) {
            info!("no quote for {requester}: {reason}");
        }
        Reason::new(reason.to_string())
    })?;
    let expires = sight.common.earliest().time.saturating_add(QUOTE_SECS);
    let of = terms_digest(requester, &terms);
    let digest = quote_digest(shared.deployment.chain, shared.deployment.market.address, shared.me, of, price, expires);
    let signature = shared.sign(digest).map_err(busy)?;
    let signature = Bytes::new(signature).ok_or_else(|| Reason::new("a signature of another length"))?;
    shared.quotes().promise(requester, expires, capacity.needs(&terms));
    Ok(Answer::Quote(Quote { owner: shared.me, of, price, expires, signature }))
}
