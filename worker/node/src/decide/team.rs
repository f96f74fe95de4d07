//! What the lead of a team and its members see alike: the claims that are to be proven, and who does that.

use std::collections::{BTreeMap, BTreeSet};

use gradproof_chain::B256;
use gradproof_chain::market::{TeamSnapshot, bits};

use super::{View, every, proves_all};
use crate::facts::Facts;
use crate::team::Open;

/// What is left of the time of a proof, as a part of `proveSecs`, from which on the lead proves a claim whoever has it, and members do what
/// nobody did: the lead's bond is at stake, and the pay of all.
const PRESSING_PART: u64 = 4;
/// From so many times the time of all proofs that are open here the lead does not leave them to members either.
const SPARE: u64 = 2;
/// The market's number of the last verdict that leaves the pay of a batch: `Verdict` of `contracts/src/market/Types.sol`.
const YES: u8 = 2;

/// A claim that is to be proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenClaim {
    /// The segment.
    pub index: u64,
    /// The last second of its first period; `None` while its batch is being filled.
    pub until: Option<u64>,
}

/// The claims of a job with a team that are to be proven and are not, ascending.
pub(super) fn open_claims(view: &View) -> Vec<OpenClaim> {
    let Some(team) = &view.team else { return vec![] };
    let mut open = Vec::new();
    for (_, batch) in &view.job.batches {
        let drawn = u64::try_from(batch.record.until).unwrap_or(u64::MAX);
        open.extend(bits(batch, batch.due).map(|index| {
            let challenge = view.job.challenges.iter().find(|(challenged, _)| *challenged == index);
            OpenClaim { index, until: Some(challenge.map_or(drawn, |(_, until)| *until)) }
        }));
    }
    // In the batch that is being filled everything may be proven, where everything is to be.
    if let Some(batch) = team.filling.as_ref().filter(|_| proves_all(view)) {
        let claimed = u64::from(view.job.job.claimed);
        let not_proven = bits(batch, !batch.record.proven).take_while(|index| *index < claimed);
        open.extend(not_proven.map(|index| OpenClaim { index, until: None }));
    }
    open
}

/// The first claim that is not what this node trained to; `None` where none is, as far as it has trained.
pub(super) fn first_other(view: &View, facts: &Facts) -> Option<u64> {
    claims(view)
        .find(|(segment, claim)| end_at(facts, *segment).is_some_and(|end| end != *claim))
        .map(|(segment, _)| segment)
}

/// The claims that are not settled, with their segments.
pub(super) fn claims(view: &View) -> impl Iterator<Item = (u64, B256)> {
    let claims = view.team.iter().flat_map(|team| team.claims.iter().copied());
    (u64::from(view.job.job.settled)..).zip(claims)
}

/// What this node trained a segment to.
pub(super) fn end_at(facts: &Facts, segment: u64) -> Option<B256> {
    facts.ends.get(usize::try_from(segment).ok()?).copied()
}

/// The seat whose take of a claim counts still.
pub(super) fn taker(view: &View, index: u64) -> Option<u64> {
    let take = view.team.as_ref()?.takes.get(&index)?;
    let until = u64::try_from(take.until).unwrap_or(u64::MAX);
    (until >= view.job.now.time).then_some(u64::from(take.seat))
}

/// Whether the market lets members take a claim, if nobody took it: nothing before its batch can fail any more, the pay of the batch is not
/// gone, and no batch of the job has failed.
pub(super) fn is_safe(view: &View, index: u64) -> bool {
    let batch = index / every(&view.job);
    let refused = view.job.batches.iter().any(|(number, record)| *number == batch && record.complaint.verdict > YES);
    if view.job.job.failed || refused {
        return false;
    }
    view.job.batches.iter().filter(|(number, _)| *number < batch).all(|(_, earlier)| {
        let record = &earlier.record;
        let window = u64::try_from(record.windowUntil).unwrap_or(u64::MAX);
        let can_change = !record.known || !record.acknowledged && window >= view.job.now.time;
        earlier.due == 0 && !can_change
    })
}

/// What is open of a job for its lead.
pub fn open_of(view: &View, facts: &Facts, segment_ms: Option<u64>) -> Open {
    // What lapsed is the lead's, and what cannot be taken yet nobody proves for nothing.
    let shared = |index: &u64| is_safe(view, *index) && !has_lapsed(view, *index);
    let claims: Vec<u64> = open_claims(view).iter().map(|claim| claim.index).filter(shared).collect();
    let made: BTreeSet<u64> = claims.iter().copied().filter(|index| facts.proven.contains(index)).collect();
    let taken: BTreeMap<u64, u64> = claims.iter().filter_map(|index| Some((*index, taker(view, *index)?))).collect();
    Open { claims, made, taken, segment_ms }
}

/// Whether a claim was taken, and not proven in time: nobody takes it again, and its proof pays the lead.
pub(super) fn has_lapsed(view: &View, index: u64) -> bool {
    taker(view, index).is_none() && view.team.as_ref().is_some_and(|team| team.takes.contains_key(&index))
}

/// Whether the time of a claim is so short that everybody who can proves it.
pub(super) fn is_pressing(view: &View, facts: &Facts, claim: OpenClaim) -> bool {
    let part = u64::from(view.job.terms.times.proveSecs) / PRESSING_PART;
    // Its bond is the lead's: for that it counts what it needs for all that is open and not proven here.
    let missing = open_claims(view).iter().filter(|claim| !facts.proven.contains(&claim.index)).count() as u64;
    let leads = view.job.job.owner == view.me;
    let own = if leads { facts.prove_ms.unwrap_or(0).saturating_mul(missing).saturating_mul(SPARE) / 1000 } else { 0 };
    claim.until.is_some_and(|until| view.job.now.time.saturating_add(part.max(own)) > until)
}

/// Whether the lead leaves a claim to a member: it was proposed to one that is not silent, or one took it; and its time is not short.
pub(super) fn is_left_to_member(view: &View, facts: &Facts, claim: OpenClaim) -> bool {
    let is_shared = || facts.sharing.holder(claim.index, view.job.now.time).is_some() && !has_lapsed(view, claim.index);
    // Before the block from which on its pay is the member's, nobody proves what was taken: the lead would take a member's work.
    !is_pressing(view, facts, claim) && (taker(view, claim.index).is_some() || is_shared())
}

/// Whether a job has a team: somebody joined.
pub(super) fn has_team(view: &View) -> bool {
    view.team.as_ref().is_some_and(|team| team.seats.iter().any(|seat| !seat.gone))
}

/// The number of this account's seat.
pub fn own_seat(view: &View) -> Option<u64> {
    view.team.as_ref().and_then(|team: &TeamSnapshot| team.seat_of(view.me))
}
