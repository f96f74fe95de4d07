//! A lead's word to its team: it signs seats for those whom it called, and says who proves which claim.

use gradproof_chain::market::{State, TrainingMarket, seat_digest};
use gradproof_chain::{Address, B256, signer_of};
use tracing::{info, warn};

use super::capacity::measured;
use super::quotes::busy;
use super::shared::Shared;
use crate::decide::{View, open_of};
use crate::message::{Bytes, Few, MAX_SHARE, Reason, ShareQuestion, SignedSeat};
use crate::seat::{is_admitted, most_pay};
use crate::team::{Asked, Sharing, TeamCall, ends_digest, has_room};

/// How long a signed seat can be brought, in seconds. It is signed again as long as the call lasts.
const SEAT_SECS: u64 = 3600;
/// After how long it is stored again that a member asks, in seconds: less than after which it counts as silent.
const STORED_SECS: u64 = 20;

/// A seat in the team of a job for an account that was called.
///
/// The nonce follows from job, account and call: whoever asks twice gets the same seat, and the market gives one.
pub(super) fn seat_for(shared: &Shared, job: B256, asker: Address) -> Result<SignedSeat, Reason> {
    let view = led(shared, job).ok_or_else(|| Reason::new("this node leads no team that trains this job"))?;
    if view.team.as_ref().is_some_and(|team| team.owners().any(|owner| owner == asker)) {
        return Err(Reason::new(format!("{asker} has, or had, a seat in the team of this job")));
    }
    if !is_admitted(&view.job, asker) {
        return Err(Reason::new(format!(
            "the market would not let {asker} into the team: terms, licence, or its place in the committee"
        )));
    }
    let call = TeamCall::read(&shared.home.job(job), shared.home.path()).map_err(busy)?;
    let call = call.filter(|call| call.members.contains(&asker)).ok_or_else(|| {
        Reason::new(format!("the lead {} calls for no member {asker} in the team of this job", shared.me))
    })?;
    let now = view.job.now.time;
    if now > call.until {
        return Err(Reason::new(format!("the lead's call for members ended at {}, and it is {now}", call.until)));
    }
    if !has_room(view.job.job.seats) {
        return Err(Reason::new(format!(
            "the team has {} members, and the market gives no more seats",
            view.job.job.seats
        )));
    }
    let nonce = call.nonce(job, asker);
    let TeamCall { pay, bond, until, .. } = call;
    if pay > most_pay(&view.job) {
        return Err(Reason::new(format!(
            "the lead calls for {pay} a proof, and this job has at most {} for it",
            most_pay(&view.job)
        )));
    }
    let expiry = until.min(now.saturating_add(SEAT_SECS));
    let mut seat = SignedSeat { pay, bond, nonce, expiry, signature: Bytes::default() };
    let (chain, market) = (shared.deployment.chain, shared.deployment.market.address);
    let signature = shared.sign_as_account(seat_digest(chain, market, job, asker, &seat.to_market())).map_err(busy)?;
    seat.signature = Bytes::new(signature).ok_or_else(|| Reason::new("a signature of another length"))?;
    if shared.is_news(&format!("seat of {asker} in job {job}"), &expiry.to_string()) {
        info!(%job, "{asker} gets a seat in the team");
    }
    Ok(seat)
}

/// The claims that a member is to prove, after what it trained to was compared with what this node trained to. Who differs is named, and
/// gets no work: one of both is wrong, and this node's claims are at its own risk.
pub(super) fn share_for(
    shared: &Shared,
    asker: Address,
    hot: Address,
    question: &ShareQuestion,
) -> Result<Few<u64, MAX_SHARE>, Reason> {
    let job = question.job;
    let view = led(shared, job).ok_or_else(|| Reason::new("this node leads no team that trains this job"))?;
    let seat = view.team.as_ref().and_then(|team| team.seat_of(asker));
    let seat = seat.ok_or_else(|| Reason::new(format!("{asker} has no seat in the team of this job")))?;
    let (chain, market) = (shared.deployment.chain, shared.deployment.market.address);
    let digest = ends_digest(chain, market, job, question.from, question.ends.as_slice());
    if signer_of(digest, question.signature.as_slice()) != Some(hot) {
        return Err(Reason::new("the hot key of the node that asks signed no such ends of segments"));
    }
    let facts = shared.store.job(job).map_err(busy)?.ok_or_else(|| Reason::new("this node does not know the job"))?;
    let trained = facts.ends.get(..usize::try_from(facts.agreed).unwrap_or(usize::MAX)).unwrap_or(&facts.ends);
    let own = trained.iter().skip(usize::try_from(question.from).unwrap_or(usize::MAX));
    let differs = own.zip(question.ends.as_slice()).position(|(own, other)| own != other);
    let wrong = differs.map(|place| question.from.saturating_add(place as u64));
    let compared = trained.len().saturating_sub(usize::try_from(question.from).unwrap_or(usize::MAX));
    let agreed = question.from..question.from.saturating_add(compared.min(question.ends.as_slice().len()) as u64);
    let open = open_of(&view, &facts, measured(shared, view.job.terms.training.verifier).map_err(busy)?);
    let asked = Asked {
        seat,
        segment_ms: question.segment_ms,
        making: question.making,
        made: question.made.as_slice().iter().copied().collect(),
        now: view.job.now.time,
    };
    let told = |sharing: &mut Sharing| {
        match wrong {
            Some(segment) => drop(sharing.wrong.insert(seat, segment)),
            // What it found wrong itself it trained again.
            None if sharing.wrong.get(&seat).is_some_and(|segment| agreed.contains(segment)) => {
                sharing.wrong.remove(&seat);
            }
            None => (),
        }
        sharing.share(&open, &asked)
    };
    let mut sharing = facts.sharing.clone();
    let mut part = told(&mut sharing);
    // That it asked is written down now and then, and at once what else is new.
    if is_news(&facts.sharing, &sharing, seat) {
        shared.store.change(job, |facts| part = told(&mut facts.sharing)).map_err(busy)?;
        // What this node proves itself follows from it.
        shared.changed();
    }
    let mut part: Vec<u64> = part.into_iter().collect();
    if let Some(segment) = wrong
        && shared.is_news(&format!("member {asker} of job {job}"), &segment.to_string())
    {
        warn!(%job, "{asker} trained segment {segment} to another end than this node: it gets no work in this job");
    }
    part.truncate(MAX_SHARE);
    Few::new(part).ok_or_else(|| Reason::new("the part is longer than an answer may be"))
}

/// Whether something is to be stored of what a member was told: more than that it asked, or that it asked long ago.
fn is_news(before: &Sharing, after: &Sharing, seat: u64) -> bool {
    let known = |sharing: &Sharing| sharing.members.get(&seat).copied();
    let (old, new) = (known(before), known(after));
    let same = old
        .zip(new)
        .is_some_and(|(old, new)| old.segment_ms == new.segment_ms && new.at.saturating_sub(old.at) < STORED_SECS);
    !same || (&before.shares, &before.wrong, &before.late) != (&after.shares, &after.wrong, &after.late)
}

/// The job, if this node leads it, and it runs.
fn led(shared: &Shared, job: B256) -> Option<View> {
    let is_led = |view: &View| {
        let TrainingMarket::Job { owner, .. } = view.job.job;
        owner == shared.me && view.job.state() == Some(State::Running)
    };
    shared.view(job).filter(is_led)
}
