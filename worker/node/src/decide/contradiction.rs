//! What a party of a job does about members of its committee that give two words on one question: whoever shows both is paid a part of their
//! stake. Those whom such a committee could rob look for it themselves: the requester, the provider, and the other members.

use gradproof_chain::Address;
use gradproof_chain::market::When;

use super::{Action, Call, Seat, Task, View};
use crate::facts::Facts;
use crate::words::contradiction;

/// How long it waits until it asks the others again for the words that they have, in seconds.
const HEAR_SECS: u64 = 3600;

/// Shows each contradiction that is known, while the member's stake backs the job.
pub(super) fn shown(view: &View, facts: &Facts) -> Vec<Action> {
    // Before the end no time runs.
    let until = view.has_ended().then(|| When::Time(view.shown_until()));
    let call = |(seat, member): (&Seat, Address)| {
        let (batch, last) = contradiction(&facts.heard, member)?;
        let call = Call::Contradict { batch, last, place: seat.place, member };
        Some(Action::Send { call, from: None, until })
    };
    backed(view, facts).filter_map(call).collect()
}

/// Asks the other parties now and then, as long as there is stake that could be taken: a member may say one thing to one of them, and the
/// opposite to another.
pub(super) fn heard(view: &View, facts: &Facts) -> Option<Action> {
    let is_due = facts.heard_at.is_none_or(|at| view.job.now.time >= at.saturating_add(HEAR_SECS));
    (is_due && backed(view, facts).next().is_some()).then_some(Action::Do(Task::Hear))
}

/// The other members whose stake backs the job, while a contradiction can be shown.
fn backed<'a>(view: &'a View, facts: &Facts) -> impl Iterator<Item = (&'a Seat, Address)> {
    let looks = view.looks_for_contradictions(facts);
    let member = |seat: &'a Seat| {
        let members = &view.job.terms.committee.members;
        Some((seat, *members.get(usize::try_from(seat.place).ok()?)?))
    };
    view.others.iter().filter(move |seat| looks && seat.backed).filter_map(member)
}
