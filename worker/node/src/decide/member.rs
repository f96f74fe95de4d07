//! What a member of a team does: it trains the job, compares what the lead claims with that, proves its part of the claims, and takes each
//! before it brings the proof. If the lead is gone, the members go on with what is claimed.

use gradproof_chain::B256;
use gradproof_chain::market::{Actor, Duty, MAX_TAKES, State, TeamSnapshot, When};

use super::provider::{close, deliver, train};
use super::team::{
    OpenClaim, claims, end_at, first_other, has_lapsed, is_pressing, is_safe, open_claims, own_seat, taker,
};
use super::{Action, Call, Step, Task, View, end_of, every, proves_all, withdraw};
use crate::facts::Facts;
use crate::team::Membership;

/// How long a lead may be silent until the members share the rest by themselves, in seconds.
const LEAD_SECS: u64 = 600;
/// How long after the member with the seat before it a member does what the team can do, in seconds.
const PATIENCE_SECS: u64 = 600;
/// How long a proof may wait for others with which it is taken, in seconds: about as long as the blocks until a take counts.
const GATHER_SECS: u64 = 192;
/// The least time for which a take must last: 16 blocks, of twelve seconds, until it counts, and as long again for the proof to be in one.
const TAKE_SECS: u64 = 300;

/// What a member does about a call that is open now.
pub(super) fn steps(name: &str, duty: &Duty, view: &View, facts: &Facts) -> Vec<Step> {
    let Some(seat) = own_seat(view) else { return vec![] };
    let (late, agrees) = (is_silent(view, facts) && has_waited(duty, view, seat), agrees(view, facts));
    match (name, duty.batch) {
        ("withdraw", _) => withdraw(view),
        // Only to what it trained itself: it names the weights.
        ("close", Some(batch)) if duty.actor == Actor::Member && agrees && late => close(facts, batch, seat),
        ("addRoot", Some(batch)) if agrees => add_root(view, facts, batch, seat),
        ("fixLate", Some(batch)) if late => vec![Step::Call(Call::FixLate { batch, seat })],
        ("drawLate", Some(batch)) if late => vec![Step::Call(Call::DrawLate(batch))],
        ("lapse", Some(batch)) if late => vec![Step::Call(Call::Lapse(batch))],
        ("settle", _) if late => vec![Step::Call(Call::Settle)],
        _ => vec![],
    }
}

/// Whether nobody did for some time what the team could do: the members one after the other.
fn has_waited(duty: &Duty, view: &View, seat: u64) -> bool {
    let patience = PATIENCE_SECS.saturating_mul(seat.saturating_sub(1));
    match duty.from {
        Some(When::Time(from)) => view.job.now.time >= from.saturating_add(patience),
        Some(When::Block(_)) | None => true,
    }
}

/// All that it does beside calls that the table of deadlines names.
pub(super) fn work(view: &View, facts: &Facts, member: &Membership) -> Vec<Action> {
    let Some(seat) = own_seat(view) else { return join(view, facts, member).into_iter().collect() };
    let mut actions: Vec<Action> = void_takes(view, seat).map(|index| send(Call::Reclaim(index))).collect();
    if view.job.state() != Some(State::Running) {
        // The bond of the seat is free when it is given up.
        let quits = view.job.state().is_some_and(|state| state >= State::Cancelled);
        actions.extend(quits.then(|| send(Call::Quit(seat))));
        return actions;
    }
    let open = open_claims(view);
    // What it took costs its bond if it is not brought, whatever else is to be done.
    actions.extend(bring(view, facts, seat, &open));
    if facts.declines.is_some() {
        return actions;
    }
    if !facts.parcel {
        actions.push(Action::Do(Task::Fetch));
        return actions;
    }
    let claimed = u64::from(view.job.job.claimed);
    // Where nothing is to be proven, and a batch is to be closed, it learns whether the lead is there.
    if !open.is_empty() || claimed > u64::from(view.job.job.closed) {
        actions.push(Action::Do(Task::Share));
    }
    // It trains beside the lead, to the end of the batch that is being filled: what is claimed of it, it has compared before it proves.
    let next = end_of(&view.job, u64::from(view.job.job.closed) / every(&view.job));
    let trains = train(facts, next.max(claimed));
    if let Some(other) = first_other(view, facts) {
        // It may be this machine that is wrong.
        if facts.agreed <= other {
            actions.push(Action::Do(Task::Repeat(other.saturating_add(1))));
        }
    } else if let Some(task) = trains {
        actions.push(Action::Do(task));
    } else {
        actions.extend(proofs(view, facts, member, seat, &open));
    }
    actions
}

/// The claims of void batches that this seat took: they hold its bond, and its place for others.
fn void_takes(view: &View, seat: u64) -> impl Iterator<Item = u64> {
    let total = u64::from(view.job.job.total);
    let takes = view.team.iter().flat_map(|team| &team.takes);
    takes.filter(move |(index, take)| **index >= total && u64::from(take.seat) == seat).map(|(index, _)| *index)
}

/// The claim that is not what a member trained to, twice: the lead is wrong, and nothing of it is proven.
pub(super) fn differs(view: &View, facts: &Facts) -> Option<u64> {
    first_other(view, facts).filter(|segment| facts.agreed > *segment)
}

/// Whether this node has trained to what is claimed, and came to that.
fn agrees(view: &View, facts: &Facts) -> bool {
    facts.trained() >= u64::from(view.job.job.claimed) && first_other(view, facts).is_none()
}

/// Takes the seat that the lead signed, or asks for one.
fn join(view: &View, facts: &Facts, member: &Membership) -> Option<Action> {
    if view.job.state() != Some(State::Running) || view.job.job.owner != member.lead || facts.declines.is_some() {
        return None;
    }
    let offer = member.offer.as_ref().filter(|offer| offer.expiry >= view.job.now.time);
    Some(match offer {
        Some(offer) => Action::Send { call: Call::Join, from: None, until: Some(When::Time(offer.expiry)) },
        None => Action::Do(Task::AskSeat),
    })
}

/// The proofs of what this member took, when the takes count; and, where time is short, of what nobody can take any more. As what it
/// trained itself: another claim has no proof.
fn bring(view: &View, facts: &Facts, seat: u64, open: &[OpenClaim]) -> Option<Action> {
    let is_own = |index: u64| claims(view).any(|claim| claim.0 == index && end_at(facts, index) == Some(claim.1));
    let is_made = |claim: &&OpenClaim| facts.proven.contains(&claim.index) && is_own(claim.index);
    let made: Vec<OpenClaim> = open.iter().filter(is_made).copied().collect();
    let taken: Vec<OpenClaim> = made.iter().filter(|claim| counts(view, claim.index, seat)).copied().collect();
    let saves = |claim: &&OpenClaim| is_pressing(view, facts, **claim) && cannot_be_taken(view, **claim);
    // What others save as well may revert: what it took does not go with that.
    let ready = if taken.is_empty() { made.iter().filter(saves).copied().take(MAX_TAKES).collect() } else { taken };
    // What it loses is what it took.
    let lapse = |claim: &OpenClaim| {
        let take = view.team.as_ref().and_then(|team| team.takes.get(&claim.index));
        take.and_then(|take| u64::try_from(take.until).ok()).filter(|until| *until >= view.job.now.time)
    };
    let until = ready.iter().filter_map(lapse).min().map(When::Time);
    let indices: Vec<u64> = ready.iter().map(|claim| claim.index).collect();
    (!indices.is_empty()).then_some(Action::Send { call: Call::ProveTaken(indices), from: None, until })
}

/// Proves its part, and takes what it has proven, some at a time.
fn proofs(view: &View, facts: &Facts, member: &Membership, seat: u64, open: &[OpenClaim]) -> Vec<Action> {
    let part = part(view, facts, member, seat, open);
    let mut actions = Vec::new();
    let made = |index: &u64| facts.proven.contains(index);
    let free = |index: &u64| view.team.as_ref().is_some_and(|team| !team.takes.contains_key(index));
    let in_time = |index: &u64| open.iter().any(|claim| claim.index == *index && can_count(view, *claim));
    let can_take = |index: &u64| free(index) && is_safe(view, *index) && in_time(index);
    let waiting: Vec<u64> = part.iter().copied().filter(|index| made(index) && can_take(index)).collect();
    let missing = part.iter().copied().find(|index| !made(index));
    let room = MAX_TAKES.saturating_sub(view.team.as_ref().map_or(0, |team| usize::from(open_takes(team, seat))));
    // Where not all is proven, what a batch can promise to members may be enough for some of them only.
    let room = if proves_all(view) { room } else { room.min(1) };
    if is_time_to_take(view, facts, &waiting, missing.is_some(), room) {
        let claim = |index: u64| claims(view).find(|(segment, _)| *segment == index);
        let taken: Vec<(u64, B256)> = waiting.into_iter().take(room).filter_map(claim).collect();
        if !taken.is_empty() {
            actions.push(send(Call::Takes { seat, claims: taken }));
        }
    }
    actions.extend(missing.map(|index| Action::Do(Task::Prove(index))));
    actions
}

/// Whether nobody can be paid for a proof but the lead: the take has lapsed, or there is no time for one.
fn cannot_be_taken(view: &View, claim: OpenClaim) -> bool {
    let is_taken = view.team.as_ref().is_some_and(|team| team.takes.contains_key(&claim.index));
    has_lapsed(view, claim.index) || !is_taken && !can_count(view, claim)
}

/// Whether a take counts before it lapses, with time to spare: half of what is left of the period is the member's.
fn can_count(view: &View, claim: OpenClaim) -> bool {
    let now = view.job.now.time;
    let time = u64::from(view.job.terms.times.proveSecs);
    // A late answer to a challenge earns nothing: it has no second period in which it can be taken.
    let is_challenged = view.job.challenges.iter().any(|(index, _)| *index == claim.index);
    let last = |until: u64| if until >= now || is_challenged { until } else { until.saturating_add(time) };
    let left = claim.until.map_or(time, |until| last(until).saturating_sub(now));
    left / 2 >= TAKE_SECS
}

/// The claims that this member is to prove: what it took, and what the lead proposes. Of a lead that is silent, or when time is short, all
/// that nobody took, beginning where its seat says, so that no two members begin at one place; those last that nobody can take any more.
fn part(view: &View, facts: &Facts, member: &Membership, seat: u64, open: &[OpenClaim]) -> Vec<u64> {
    let alone = is_silent(view, facts);
    let mine = |claim: &&OpenClaim| taker(view, claim.index) == Some(seat);
    let proposed = |claim: &&OpenClaim| {
        let waits = alone || member.share.contains(&claim.index) || is_pressing(view, facts, **claim);
        waits && taker(view, claim.index).is_none() && !has_lapsed(view, claim.index)
    };
    let lapsed = |claim: &&OpenClaim| has_lapsed(view, claim.index) && is_pressing(view, facts, **claim);
    let seats = view.team.as_ref().map_or(1, |team| team.seats.len().max(1));
    let begin = open.len().saturating_mul(usize::try_from(seat).unwrap_or(0).saturating_sub(1)) / seats;
    let (first, second) = open.split_at(begin.min(open.len()));
    let turned = || second.iter().chain(first);
    let asked = open.iter().filter(|claim| member.share.contains(&claim.index)).filter(proposed);
    let parts = open.iter().filter(mine).chain(asked).chain(turned().filter(proposed)).chain(turned().filter(lapsed));
    let mut part: Vec<u64> = vec![];
    for claim in parts {
        if !part.contains(&claim.index) {
            part.push(claim.index);
        }
    }
    part
}

/// Whether the lead did not answer for long.
fn is_silent(view: &View, facts: &Facts) -> bool {
    let missed = facts.member.as_ref().and_then(|member| member.missed);
    missed.is_some_and(|since| since.saturating_add(LEAD_SECS) < view.job.now.time)
}

/// Whether proofs that wait are taken now: as many as can be at once, or nothing else is to be proven, or the first of them has waited as
/// long as a take takes to count. One transaction takes all of them.
fn is_time_to_take(view: &View, facts: &Facts, waiting: &[u64], more: bool, room: usize) -> bool {
    let made_at = |index: &u64| facts.member.as_ref().and_then(|member| member.made_at.get(index));
    let first = waiting.iter().filter_map(made_at).min();
    let late = first.is_some_and(|at| at.saturating_add(GATHER_SECS) <= view.job.now.time);
    room > 0 && !waiting.is_empty() && (!more || waiting.len() >= MAX_TAKES || late)
}

/// Whether this seat took a claim, so long ago that the proof pays it.
fn counts(view: &View, index: u64, seat: u64) -> bool {
    let take = view.team.as_ref().and_then(|team| team.takes.get(&index));
    taker(view, index) == Some(seat)
        && take.is_some_and(|take| u64::try_from(take.fromBlock).unwrap_or(u64::MAX) <= view.job.now.block)
}

/// How many claims a seat has taken that are not resolved.
fn open_takes(team: &TeamSnapshot, seat: u64) -> u8 {
    let place = usize::try_from(seat).ok().and_then(|seat| seat.checked_sub(1));
    place.and_then(|place| team.seats.get(place)).map_or(u8::MAX, |seat| seat.open)
}

/// Names weights that it serves, where those of the close are complained about: whether the lead serves what it closed, a member cannot know,
/// and its pay is at stake.
fn add_root(view: &View, facts: &Facts, batch: u64, seat: u64) -> Vec<Step> {
    let Some((_, record)) = view.job.batches.iter().find(|(number, _)| *number == batch) else { return vec![] };
    let added =
        record.complaint.adders.checked_shr(u32::try_from(seat).unwrap_or(u32::MAX)).is_some_and(|bits| bits & 1 == 1);
    if added {
        return vec![];
    }
    match facts.delivered.get(&batch) {
        Some(root) if *root == record.record.root => vec![],
        Some(root) => vec![Step::Call(Call::AddRoot { batch, root: *root, seat })],
        None => vec![Step::Task(deliver(facts, batch))],
    }
}

fn send(call: Call) -> Action {
    Action::Send { call, from: None, until: None }
}

/// Whether a job comes to nothing for a member that has no seat: it is over, or another provider has it.
pub(super) fn is_void(view: &View, member: &Membership) -> bool {
    let runs = matches!(view.job.state(), Some(State::Assigned | State::Running));
    let never = view.team.as_ref().is_none_or(|team| team.owners().all(|owner| owner != view.me));
    never && !(runs && view.job.job.owner == member.lead)
}
