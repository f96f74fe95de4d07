//! What a member of a committee does.
//!
//! Its word is about one question: whether weights that open the claim at the end of a batch can be had, sealed for the requester. It gives
//! one when it knows, or when nobody hands over what it asked for; it never gives a second one.

use std::collections::BTreeSet;

use gradproof_chain::market::TrainingMarket::BatchView;
use gradproof_chain::market::{Actor, BatchState, Duty, State, When};
use gradproof_chain::{Address, B256};

use super::requester::fail;
use super::{Action, Call, Step, Task, View, batch_of, every, withdraw};
use crate::facts::Facts;
use crate::words::{Doubt, Judged, word};

/// Attempts to get a delivery until its absence is an answer, in the second half of the time to decide.
const LEAST_TRIES: u32 = 3;
/// The last part of a window, in which a claim that is due hides none that comes later.
const WINDOW_PART: u32 = 4;
/// How long it leaves to others what anyone can do, in seconds.
const PATIENCE_SECS: u64 = 24 * 3600;

/// What a validator does about a call that is open now.
pub(super) fn steps(name: &str, duty: &Duty, view: &View, facts: &Facts) -> Vec<Step> {
    match (name, duty.batch) {
        ("withdraw", _) => withdraw(view),
        ("unback", _) if view.seat.is_some_and(|seat| seat.backed) => vec![Step::Call(Call::Unback)],
        ("challenge", Some(batch)) => challenge(view, facts, batch).into_iter().collect(),
        ("attest", Some(batch)) => attest(view, facts, batch).into_iter().collect(),
        // The job binds its stake until it ends.
        _ if duty.actor == Actor::Anyone && is_bound(view) && has_waited(duty, view) => go_on(name, duty, view),
        _ => vec![],
    }
}

/// What brings a job nearer to its end, and anyone can do.
fn go_on(name: &str, duty: &Duty, view: &View) -> Vec<Step> {
    let call = match (name, duty.batch) {
        ("cancel", _) => Call::Cancel,
        ("decline", _) => Call::Decline,
        ("abandon", _) => Call::Abandon,
        ("settle", _) => Call::Settle,
        ("fixLate", Some(batch)) => Call::FixLate { batch, seat: 0 },
        ("drawLate", Some(batch)) => Call::DrawLate(batch),
        ("lapse", Some(batch)) => Call::Lapse(batch),
        ("fail", Some(batch)) => return fail(duty, view, batch),
        _ => return vec![],
    };
    vec![Step::Call(call)]
}

/// Whether a job that has not ended binds this account's stake.
fn is_bound(view: &View) -> bool {
    place(view).is_some() && view.seat.is_none_or(|seat| seat.backed)
}

/// Whether nobody did for a day what anyone could do.
fn has_waited(duty: &Duty, view: &View) -> bool {
    let since = match duty.from {
        Some(When::Time(from)) => Some(from),
        // A late block has a number, and the time when it was fixed.
        Some(When::Block(_)) => {
            let record = duty.batch.and_then(|batch| batch_of(view, batch));
            record.and_then(|record| u64::try_from(record.record.lateAt).ok())
        }
        None => None,
    };
    since.is_some_and(|since| view.job.now.time > since.saturating_add(PATIENCE_SECS))
}

/// All that it does beside calls: it gets the data, trains to the last claim that is closed, and looks at what is complained about.
pub(super) fn work(view: &View, facts: &Facts) -> Vec<Action> {
    let (lead, waits) = (view.job.job.owner, matches!(view.job.state(), Some(State::Assigned | State::Running)));
    if !waits || place(view).is_none() {
        return vec![];
    }
    // What was fetched may be lost.
    if facts.lead != Some(lead) || !facts.parcel {
        return vec![Action::Do(Task::Fetch)];
    }
    let disputed = view.job.batches.iter().filter(|(batch, record)| is_to_be_judged(view, facts, *batch, record));
    let judge = disputed.map(|(batch, _)| Action::Do(Task::Judge(*batch)));
    let closed = u64::from(view.job.job.closed);
    let train = facts.trained() < closed && facts.declines.is_none();
    // Whoever waits for a word comes first.
    judge.chain(train.then_some(Action::Do(Task::Train(closed)))).collect()
}

/// The first segment of a closed batch whose claim is not what this node trained to.
pub(super) fn differs(view: &View, facts: &Facts) -> Option<u64> {
    others(view, facts).next().map(|(segment, _)| segment)
}

/// The segments of closed batches whose claims are not what this node trained to, with the claims.
fn others(view: &View, facts: &Facts) -> impl Iterator<Item = (u64, B256)> {
    let from = u64::from(view.job.job.settled);
    let trained = |segment: u64| facts.ends.get(usize::try_from(segment).ok()?);
    let claims = (from..).zip(view.claims.iter().copied());
    claims.filter(move |(segment, claim)| trained(*segment).is_some_and(|trained| trained != claim))
}

/// A challenge of the first claim that differs, is not known to be right, and is not due: later ones may be proven from where it ends.
///
/// It is made when this node came to the same twice, and the provider did not show that the claim opens to the weights that this node has:
/// a right claim with other blindings can be proven, and costs the bond. Such a claim, and one that is proven, hides none that comes later.
/// Each claim that may be challenged counts against what the node risks in the job, whatever came of it.
///
/// A claim that is due and not proven yet comes before others. If it is never proven, its batch fails, and they were wrong because of it
/// alone: the provider can prove them, from its own wrong weights, and each proof takes a bond. If it is proven, a later one may be false by
/// itself, and a provider that proves late could let the window of that one pass. So the others wait for it for three quarters of their
/// window, in which a proof that is in time mostly comes. In the last quarter they are challenged all the same, for half of what the node
/// risks, and one in any case: whoever waits with its proof hides nothing for good, and whoever loses its bond anyhow takes no more than that
/// half from its challengers.
fn challenge(view: &View, facts: &Facts, batch: u64) -> Option<Step> {
    let bond = view.job.terms.price.challengeBond;
    let doubt = |segment, claim| facts.doubts.iter().find(|doubt| (doubt.segment, doubt.claim) == (segment, claim));
    let is_right = |(segment, claim): &(u64, B256)| {
        let is_proven = record_of(view, *segment).is_some_and(|(record, bit)| record.record.proven & bit != 0);
        is_proven || doubt(*segment, *claim).is_some_and(|doubt| doubt.opens == Some(true))
    };
    let is_due = |segment: u64| {
        record_of(view, segment)
            .is_some_and(|(record, bit)| (record.record.drawn | record.record.challenged) & bit != 0)
    };
    let mut doubtful = others(view, facts).filter(|other| !is_right(other)).peekable();
    let (first, _) = *doubtful.peek()?;
    let (segment, claim) = doubtful.find(|(segment, _)| !is_due(*segment))?;
    let (record, _) = record_of(view, segment).filter(|_| segment / every(&view.job) == batch)?;
    let risked = |is_meant: &dyn Fn(u64) -> bool| {
        let risked = facts.doubts.iter().filter(|doubt| is_false(doubt) && is_meant(doubt.segment)).count();
        bond.saturating_mul(risked as u128)
    };
    let (is_first, later) = (segment == first, risked(&|other| other > first && other != segment));
    let is_more = later > 0 && later.saturating_add(bond) > facts.budget / 2;
    if facts.budget < bond || !is_first && is_more {
        return None;
    }
    if facts.agreed <= segment {
        return facts.declines.is_none().then_some(Step::Task(Task::Repeat(segment.saturating_add(1))));
    }
    match doubt(segment, claim) {
        Some(doubt) if is_false(doubt) => {
            let within = risked(&|_| true) <= facts.budget && (is_first || is_late(view, record));
            within.then_some(Step::Call(Call::Challenge { index: segment, claim }))
        }
        _ => Some(Step::Task(Task::Doubt(segment))),
    }
}

/// Whether nobody shows that a claim is right: the provider says something that does not open it, or nothing.
fn is_false(doubt: &Doubt) -> bool {
    doubt.opens == Some(false) || doubt.missed >= LEAST_TRIES
}

/// Whether the last quarter of a batch's window runs.
fn is_late(view: &View, record: &BatchView) -> bool {
    let until = u64::try_from(record.record.windowUntil).unwrap_or(u64::MAX);
    view.job.now.time >= until.saturating_sub(u64::from(view.job.terms.times.windowSecs / WINDOW_PART))
}

/// The record of the batch of a segment, if that is closed and not settled, and the segment's bit in it.
fn record_of(view: &View, segment: u64) -> Option<(&BatchView, u64)> {
    let every = every(&view.job);
    let bit = 1u64.checked_shl(u32::try_from(segment % every).ok()?)?;
    Some((batch_of(view, segment / every)?, bit))
}

/// The roots that a delivery may have: that of the close, and those that the team named behind a complaint.
pub(crate) fn named(facts: &Facts, batch: u64, record: &BatchView) -> BTreeSet<B256> {
    let added = facts.roots.get(&batch).into_iter().flatten().copied();
    added.chain([record.record.root]).collect()
}

/// This account's place in the committee.
fn place(view: &View) -> Option<u64> {
    let members = &view.job.terms.committee.members;
    members.iter().position(|member: &Address| *member == view.me).map(|place| place as u64)
}

/// What is known of a delivery of the claim that stands.
fn known<'a>(facts: &'a Facts, batch: u64, root: B256, record: &BatchView) -> Option<&'a Judged> {
    facts.judged.iter().find(|one| (one.batch, one.root, one.last) == (batch, root, record.last))
}

/// Whether a question is put that this node can answer: its answer cannot have been forgotten.
fn is_asked(view: &View, facts: &Facts, record: &BatchView) -> bool {
    let since = u64::try_from(record.complaint.since).unwrap_or(0);
    view.job.batch_state(record) == Some(BatchState::Disputed) && facts.answers_from.is_some_and(|from| since > from)
}

/// Whether a delivery of a batch is still to be looked at.
fn is_to_be_judged(view: &View, facts: &Facts, batch: u64, record: &BatchView) -> bool {
    let open = |root: &B256| known(facts, batch, *root, record).is_none_or(|one| one.right.is_none());
    is_asked(view, facts, record)
        && word(&facts.words, batch, record.last).is_none()
        && verdict(facts, batch, record) != Some(true)
        && named(facts, batch, record).iter().any(open)
}

/// Its word: once it is stored and signed, the one that was signed.
fn attest(view: &View, facts: &Facts, batch: u64) -> Option<Step> {
    let (record, seat) = (batch_of(view, batch)?, view.seat?);
    // Of another key, or without stake behind it, the market takes no word; and it takes one.
    let counted =
        (record.complaint.yes | record.complaint.no).checked_shr(seat.place).is_some_and(|bits| bits & 1 == 1);
    if !is_asked(view, facts, record) || !seat.backed || seat.key != view.me || counted {
        return None;
    }
    let last = record.last;
    match word(&facts.words, batch, last) {
        Some(word) if word.signature.is_some() => {
            Some(Step::Call(Call::Attest { batch, last, place: seat.place, yes: word.yes }))
        }
        Some(word) => Some(Step::Task(Task::Answer { batch, yes: word.yes })),
        None => verdict(facts, batch, record).map(|yes| Step::Task(Task::Answer { batch, yes })),
    }
}

/// What it would say, if it knows enough: yes, if one delivery opens the claim; no, if each that was named is wrong, or was not to be had.
fn verdict(facts: &Facts, batch: u64, record: &BatchView) -> Option<bool> {
    let roots = named(facts, batch, record);
    let all: Vec<_> = roots.iter().map(|root| known(facts, batch, *root, record)).collect();
    if all.iter().flatten().any(|one| one.right == Some(true)) {
        return Some(true);
    }
    let none = |one: &Option<&Judged>| one.is_some_and(|one| one.right == Some(false) || one.missed >= LEAST_TRIES);
    all.iter().all(none).then_some(false)
}
