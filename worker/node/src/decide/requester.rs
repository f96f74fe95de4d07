//! What a requester does.

use gradproof_chain::market::{Actor, Duty, State, When};

use super::{Action, Call, Step, Task, View, batch_of, batches_closed, proves_all, withdraw};
use crate::facts::{Facts, Opened};
use crate::offers::OFFER_SECS;
use crate::words::Misses;

/// How long a requester leaves a call to the provider, who is paid by it, in seconds. After that the provider may be gone.
const PATIENCE_SECS: u64 = 600;

/// Attempts to get the weights of a batch in the first half of the time to complain after which their absence is complained about.
const LEAST_TRIES: u32 = 3;

/// What a requester does about a call that is open now.
pub(super) fn steps(name: &str, duty: &Duty, view: &View, facts: &Facts) -> Vec<Step> {
    if !is_mine(view) {
        return vec![];
    }
    let anyone = duty.actor == Actor::Anyone;
    match (name, duty.batch) {
        ("withdraw", _) => withdraw(view),
        ("cancel", _) if anyone || facts.cancels => vec![Step::Call(Call::Cancel)],
        ("decline", _) if anyone => vec![Step::Call(Call::Decline)],
        ("abandon", _) => vec![Step::Call(Call::Abandon)],
        ("stop", _) => stop(view, facts),
        ("reveal", Some(batch)) if facts.secret.is_some() => vec![Step::Call(Call::Reveal(batch))],
        ("acknowledge", Some(batch)) => acknowledge(view, facts, batch),
        ("complain", Some(batch)) => complain(view, facts, batch),
        ("fail", Some(batch)) => fail(duty, view, batch),
        ("settle", _) if patient(duty, view) => vec![Step::Call(Call::Settle)],
        ("lapse", Some(batch)) if patient(duty, view) => vec![Step::Call(Call::Lapse(batch))],
        _ => vec![],
    }
}

/// Posts a job that its user wants posted, and that is not there yet.
pub(super) fn post(view: &View, facts: &Facts) -> Option<Action> {
    let wanted = facts.posts && view.job.state() == Some(State::None) && !facts.cancels;
    if !wanted {
        return None;
    }
    Some(match &facts.committee {
        Some(committee) if committee.refusal().is_some() => return None,
        Some(committee) if !committee.can_post(view.id, view.job.now.time) => Action::Do(Task::Seat),
        _ => Action::Send { call: Call::Open, from: None, until: None },
    })
}

/// Offers the job to one provider after the other, until the market has it.
pub(super) fn offer(view: &View, facts: &Facts) -> Option<Action> {
    let offers = facts.offers.as_ref().filter(|_| view.job.state() == Some(State::None))?;
    if let Some(place) = view.taken.and_then(|taken| offers.of(taken)) {
        return Some(Action::Turn(place));
    }
    if facts.cancels {
        return None;
    }
    let now = view.job.now.time;
    if let Some(next) = offers.next(now) {
        return Some(Action::Turn(next));
    }
    let current =
        offers.current().filter(|offer| offer.said.is_none() && offer.until.is_none_or(|until| until >= now))?;
    // The consents are for as long as the offer can be taken.
    let until = current.until.unwrap_or(now.saturating_add(OFFER_SECS));
    match &facts.committee {
        Some(committee) if committee.refusal().is_some() => None,
        Some(committee) if !committee.are_given(view.id, until) => Some(Action::Do(Task::Seat)),
        _ => Some(Action::Do(Task::Offer(current.to))),
    }
}

/// Encrypts the parcel for a provider that nothing that happens to the newest blocks can replace.
pub(super) fn hand_over(view: &View, facts: &Facts) -> Option<Action> {
    let lead = view.settled_lead.filter(|lead| *lead == view.job.job.owner && !lead.is_zero() && is_mine(view))?;
    let waits = matches!(view.job.state(), Some(State::Assigned | State::Running));
    (waits && facts.wrapped_for != Some(lead)).then_some(Action::Do(Task::Wrap(lead)))
}

/// Gets the weights of batches that are closed, whether they can be complained about still or not.
pub(super) fn collect(view: &View, facts: &Facts) -> Vec<Action> {
    if !is_mine(view) {
        return vec![];
    }
    // The newest first: one that does not come does not hide the others.
    let missing = (0..batches_closed(&view.job)).rev();
    let missing = missing.filter(|batch| !has_weights(view, facts, *batch) && !is_wrong(view, facts, *batch));
    missing.map(|batch| Action::Do(Task::Open(batch))).collect()
}

/// Whether the weights of a batch are here, and open the claim that stands.
fn has_weights(view: &View, facts: &Facts, batch: u64) -> bool {
    match facts.opened.get(&batch) {
        // Another claim may have taken the place of the one that was opened.
        Some(Opened::Right(last)) => batch_of(view, batch).is_none_or(|record| record.last == *last),
        Some(Opened::Wrong { .. }) | None => false,
    }
}

/// Whether the delivery of a batch is known not to open the claim that stands. Under its root there is no other one, whoever hands it over.
fn is_wrong(view: &View, facts: &Facts, batch: u64) -> bool {
    match facts.opened.get(&batch) {
        Some(Opened::Wrong { root, last, .. }) => {
            batch_of(view, batch).is_none_or(|record| (record.record.root, record.last) == (*root, *last))
        }
        Some(Opened::Right(_)) | None => false,
    }
}

/// Whether the weights of each batch that was closed are here.
pub(super) fn has_all_weights(view: &View, facts: &Facts) -> bool {
    (0..batches_closed(&view.job)).all(|batch| has_weights(view, facts, batch))
}

fn is_mine(view: &View) -> bool {
    view.job.job.requester == view.me
}

fn stop(view: &View, facts: &Facts) -> Vec<Step> {
    let total = u64::from(view.job.job.total);
    let asked = facts.stop_at.filter(|segments| *segments < total);
    asked.map(|segments| Step::Call(Call::Stop(segments))).into_iter().collect()
}

/// Takes a delivery as soon as it opens the claim. Where everything is proven, it waits for the proofs no longer than the
/// market does.
fn acknowledge(view: &View, facts: &Facts, batch: u64) -> Vec<Step> {
    let Some(record) = batch_of(view, batch) else { return vec![] };
    match facts.opened.get(&batch) {
        // It is being got.
        None => vec![],
        // What is not proven may be wrong, however well the weights open it. An acknowledgement ends the time to challenge.
        Some(Opened::Right(last)) if *last == record.last && (proves_all(view) || record.due == 0) => {
            vec![Step::Call(Call::Acknowledge { batch, last: *last, root: record.record.root })]
        }
        Some(Opened::Right(_) | Opened::Wrong { .. }) => vec![],
    }
}

/// Complains where a committee decides: silence would pay for weights that are wrong, or that never come. What does not come has half of
/// the time. Then several attempts in vain are enough that were made before, and else one that is made now: whoever was gone for the
/// first half must not pay for that.
fn complain(view: &View, facts: &Facts, batch: u64) -> Vec<Step> {
    let Some(record) = batch_of(view, batch) else { return vec![] };
    let closed = u64::try_from(record.record.closedAt).unwrap_or(u64::MAX);
    let half = closed.saturating_add(u64::from(view.job.terms.times.complainSecs / 2));
    let enough = |misses: &Misses| misses.times >= LEAST_TRIES || misses.last_at >= half;
    let in_vain = view.job.now.time >= half && facts.missed.get(&batch).is_some_and(enough);
    let is_missing = is_wrong(view, facts, batch) || in_vain && !has_weights(view, facts, batch);
    // A batch is complained about once.
    if !is_missing || record.complaint.verdict != 0 {
        return vec![];
    }
    vec![Step::Call(Call::Complain { batch, last: record.last, root: record.record.root })]
}

/// Ends a job for the segment whose time was over first: the time of another one, a challenge say, may run still. Of several that are over
/// one is enough.
pub(super) fn fail(duty: &Duty, view: &View, batch: u64) -> Vec<Step> {
    let due = batch_of(view, batch).map(|record| view.job.due(record)).unwrap_or_default();
    let first = due.into_iter().min_by_key(|(segment, until)| (*until, *segment));
    let late = u64::from(view.job.terms.times.proveSecs).saturating_add(1);
    let is_meant = |(_, until): &(u64, u64)| duty.from == Some(When::Time(until.saturating_add(late)));
    first.filter(is_meant).map(|(segment, _)| Step::Call(Call::Fail(segment))).into_iter().collect()
}

/// Whether the provider had its time for a call that anyone can make.
fn patient(duty: &Duty, view: &View) -> bool {
    match duty.from {
        Some(When::Time(from)) => view.job.now.time > from.saturating_add(PATIENCE_SECS),
        _ => false,
    }
}
