//! What a provider does.

use gradproof_chain::market::{Actor, Duty, State, TrainingMarket, When, bits};

use super::team::{OpenClaim, has_team, is_left_to_member, open_claims};
use super::{Action, Call, Step, Task, View, batch_of, end_of, every, proves_all, withdraw};
use crate::facts::Facts;

/// A job whose training takes no more than this part of `startSecs` is trained whole before the start. The data had to be fetched
/// before, the time of a segment is measured once, and a start too late costs a fee.
const START_PART: u64 = 4;
/// The lead's number among the seats of its team.
const LEAD: u64 = 0;

/// What a provider does about a call that is open now.
pub(super) fn steps(name: &str, duty: &Duty, view: &View, facts: &Facts) -> Vec<Step> {
    let mine = view.job.job.owner == view.me;
    match (name, duty.batch) {
        ("accept", _) if !facts.had && facts.declines.is_none() => {
            facts.accept.map(|least_price| Step::Call(Call::Accept { least_price })).into_iter().collect()
        }
        ("withdraw", _) => withdraw(view),
        _ if !mine => vec![],
        // The deadline for both is the same: what it cannot begin it hands back before.
        ("start" | "decline", _) if duty.actor == Actor::Lead => begin(name, view, facts),
        // Its time is over. The bond is held until somebody says so.
        ("decline", _) => vec![Step::Call(Call::Decline)],
        // Where all is proven, a claim comes with its proof: one transaction less a segment. A team proves what is claimed.
        ("claim", Some(batch)) if !proves_all(view) || has_team(view) => claim(view, facts, end_of(&view.job, batch)),
        ("claimProven", _) if !has_team(view) => claim_proven(view, facts),
        ("close", Some(batch)) if duty.actor == Actor::Lead => close(facts, batch, LEAD),
        ("prove", Some(batch)) => prove(view, facts, batch),
        ("fixLate", Some(batch)) => vec![Step::Call(Call::FixLate { batch, seat: LEAD })],
        ("drawLate", Some(batch)) => vec![Step::Call(Call::DrawLate(batch))],
        ("lapse", Some(batch)) => vec![Step::Call(Call::Lapse(batch))],
        ("settle", _) => vec![Step::Call(Call::Settle)],
        _ => vec![],
    }
}

/// Takes the job of the offer that it agreed to, while the market takes that.
pub(super) fn take(view: &View, facts: &Facts) -> Option<Action> {
    let until = facts.offered.filter(|until| *until >= view.job.now.time)?;
    let waits = view.job.state() == Some(State::None);
    waits.then_some(Action::Send { call: Call::Take, from: None, until: Some(When::Time(until)) })
}

fn begin(name: &str, view: &View, facts: &Facts) -> Vec<Step> {
    let ready = before_start(view, facts).map_or(Step::Call(Call::Start), Step::Task);
    // Who judges by other data than these would say that right weights are wrong.
    let waits = matches!(ready, Step::Task(Task::Compare)) && has_waited(view);
    match (name, &facts.declines) {
        ("decline", Some(_)) => vec![Step::Call(Call::Decline)],
        ("decline", None) if waits => vec![Step::Call(Call::Decline)],
        ("start", None) if !waits => vec![ready],
        _ => vec![],
    }
}

/// Whether half of the time to start is gone.
fn has_waited(view: &View) -> bool {
    let deadline = u64::try_from(view.job.job.deadline).unwrap_or(u64::MAX);
    view.job.now.time.saturating_add(u64::from(view.job.terms.times.startSecs / 2)) > deadline
}

/// What is done before a start: the data are checked, the first segment is trained, and the whole job where that is short, so that one
/// that diverges is handed back; and the committee holds the same data.
fn before_start(view: &View, facts: &Facts) -> Option<Task> {
    let total = u64::from(view.job.job.total);
    let is_short = facts.training_ms.is_some_and(|segment| {
        let quarter = u64::from(view.job.terms.times.startSecs) * 1000 / START_PART;
        segment.saturating_mul(total) <= quarter
    });
    let trains = train(facts, 1).or_else(|| if is_short { train(facts, total) } else { None });
    let compares = !facts.shared && !view.job.terms.committee.members.is_empty();
    trains.or_else(|| compares.then_some(Task::Compare))
}

/// Work that comes before anything else about the first so many segments: they are not trained yet.
pub(super) fn train(facts: &Facts, segments: u64) -> Option<Task> {
    if !facts.parcel {
        // What a store that was lost had.
        return Some(Task::Fetch);
    }
    (facts.trained() < segments).then_some(Task::Train(segments))
}

/// Claims without proofs, where something is drawn: only what two trainings came to.
fn claim(view: &View, facts: &Facts, end: u64) -> Vec<Step> {
    let from = u64::from(view.job.job.claimed);
    let ends = facts.agreed_ends(from, end).to_vec();
    let call = (!ends.is_empty()).then_some(Step::Call(Call::Claim { from, ends }));
    let compared = (facts.agreed < end).then_some(Task::Repeat(end));
    // One that diverges does so each time.
    let work = train(facts, end).or(compared).filter(|_| facts.declines.is_none());
    call.into_iter().chain(work.map(Step::Task)).collect()
}

/// The next claim with its proof, and the proofs of what comes after it: the prover does not wait for blocks.
fn claim_proven(view: &View, facts: &Facts) -> Vec<Step> {
    let TrainingMarket::Job { total, claimed, .. } = view.job.job;
    let (total, claimed) = (u64::from(total), u64::from(claimed));
    let missing: Vec<u64> = (claimed..total).filter(|index| !facts.proven.contains(index)).collect();
    let next = view.place.next(&missing, &view.job);
    let ready = facts.proven.contains(&claimed).then_some(Step::Call(Call::ClaimProven(claimed)));
    ready.into_iter().chain(next.into_iter().filter_map(|index| towards(view, facts, index))).collect()
}

/// The next piece of work on the proof of a segment: the first training comes as far as the end of its batch before.
fn towards(view: &View, facts: &Facts, index: u64) -> Option<Step> {
    let work = if facts.parcel && index < facts.trained() {
        Some(Task::Prove(index))
    } else {
        train(facts, end_of(&view.job, index / every(&view.job))).filter(|_| facts.declines.is_none())
    };
    work.map(Step::Task)
}

/// Closes a batch as the lead or a member, once its weights are sealed.
pub(super) fn close(facts: &Facts, batch: u64, seat: u64) -> Vec<Step> {
    match facts.delivered.get(&batch) {
        Some(root) => vec![Step::Call(Call::Close { batch, root: *root, seat })],
        None => vec![Step::Task(deliver(facts, batch))],
    }
}

pub(super) fn deliver(facts: &Facts, batch: u64) -> Task {
    if facts.parcel { Task::Deliver(batch) } else { Task::Fetch }
}

/// The deliveries of closed batches that a store that was lost had: they come out as they were.
pub(super) fn again(view: &View, facts: &Facts) -> Vec<Action> {
    let mine = view.job.job.owner == view.me;
    let missing = view.job.batches.iter().filter(|(batch, _)| !facts.delivered.contains_key(batch));
    missing.filter(|_| mine).map(|(batch, _)| Action::Do(deliver(facts, *batch))).collect()
}

/// With a team: the proofs of the batch that is being filled, of which everything may be proven already, but for what members do.
pub(super) fn filling(view: &View, facts: &Facts) -> Vec<Action> {
    if view.job.job.owner != view.me || !has_team(view) {
        return vec![];
    }
    let mine = |claim: &OpenClaim| claim.until.is_none() && !is_left_to_member(view, facts, *claim);
    let open: Vec<u64> = open_claims(view).into_iter().filter(mine).map(|claim| claim.index).collect();
    let (made, missing): (Vec<u64>, Vec<u64>) = open.into_iter().partition(|index| facts.proven.contains(index));
    let made = made.into_iter().map(|index| Action::Send { call: Call::Prove(index), from: None, until: None });
    let missing = missing.first().and_then(|index| towards(view, facts, *index));
    let missing = missing.map(|step| match step {
        Step::Call(call) => Action::Send { call, from: None, until: None },
        Step::Task(task) => Action::Do(task),
    });
    made.chain(missing).collect()
}

/// The proofs that are due of a batch, the first of them if they are not made.
fn prove(view: &View, facts: &Facts, batch: u64) -> Vec<Step> {
    let Some(record) = batch_of(view, batch) else { return vec![] };
    let shared: Vec<u64> = open_claims(view)
        .into_iter()
        .filter(|claim| is_left_to_member(view, facts, *claim))
        .map(|claim| claim.index)
        .collect();
    let due = bits(record, record.due).filter(|index| !shared.contains(index));
    let (made, missing): (Vec<u64>, Vec<u64>) = due.partition(|index| facts.proven.contains(index));
    let missing = view.place.next(&missing, &view.job);
    let missing = missing.into_iter().filter_map(|index| towards(view, facts, index));
    made.into_iter().map(|index| Step::Call(Call::Prove(index))).chain(missing).collect()
}
