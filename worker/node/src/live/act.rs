//! Carries out what was decided: transactions are submitted, work is begun.

use gradproof_chain::market::TrainingMarket::Times;
use gradproof_chain::market::{State, When};
use gradproof_chain::{B256, ChainError, Intent, Moment, Sight, Status, U256, Update};
use tracing::{debug, info, warn};

use super::calls::{Key, call_data, intent_id, key_of};
use super::capacity::{FAILED, FAILURE};
use super::desk::{Desk, Seen};
use super::hands::Hands;
use super::metrics::Outcome;
use super::{consent, contradictions, offers, seating, siblings, watch};
use crate::NodeError;
use crate::decide::{Action, Call, Task, View, decide, differs, is_declined, is_over, is_void};
use crate::facts::{Facts, Role};
use crate::offers::Offers;
use crate::team::Membership;

/// Does all that is to be done about all jobs.
pub(super) async fn all(shared: &Desk, sight: &Sight, hands: &mut impl Hands) -> Result<(), NodeError> {
    shared.siblings().look();
    for (id, facts) in shared.store.jobs()? {
        match shared.seen(id) {
            Some(Seen::Agreed(view)) => {
                if facts.role == Role::Provider && !facts.had && view.job.job.owner == shared.me {
                    shared.store.change(id, |facts| facts.had = true)?;
                }
                let held = matches!(view.job.state(), Some(State::Assigned | State::Running));
                if !held {
                    hands.release(id);
                }
                let facts = joined(shared, id, facts, &view)?;
                // Somebody else has it. Should it be handed back, it is looked at anew.
                let trains = facts.role == Role::Provider && facts.member.is_none();
                if trains && !facts.had && held && view.job.job.owner != shared.me {
                    shared.store.forget(id)?;
                    continue;
                }
                let now = view.job.now.time;
                // Nobody can take it any more.
                if trains && !facts.had && view.is_expired(now) {
                    shared.store.forget(id)?;
                    continue;
                }
                if facts.role == Role::Provider && consent::forget_if_over(shared, id, &facts, view.job.state(), now)? {
                    continue;
                }
                if facts.role == Role::Validator {
                    if seating::forget_if_over(shared, id, &facts, view.job.state(), now)? {
                        continue;
                    }
                    // What was asked before this store knew the job, another one may have answered.
                    if facts.answers_from.is_none() {
                        shared.store.change(id, |facts| facts.answers_from = Some(now))?;
                    }
                    let budget = shared.config.validator.as_ref().map_or(0, |config| config.challenge_budget);
                    if facts.budget != budget {
                        shared.store.change(id, |facts| facts.budget = budget)?;
                    }
                }
                if let Some(segment) = differs(&view, &facts) {
                    let said = format!("the claim of segment {segment} is not what this node trained to");
                    if shared.is_news(&format!("claims of job {id}"), &said) {
                        warn!(job = %id, "{said}");
                    }
                }
                siblings::watch(shared, &view);
                let facts = contradictions::note(shared, &view, facts)?;
                let lost = matches!(view.job.state(), Some(State::Slashed | State::Left));
                if facts.role == Role::Provider && lost && view.job.job.owner == shared.me {
                    failed(shared, id)?;
                }
                if is_forgotten(&view, &facts) || never_started(shared, sight, &view, &facts).await {
                    info!(job = %id, "nothing is left to be done: the job is forgotten");
                    match hands.forget(&view, &facts) {
                        Err(error @ NodeError::Store(_)) => return Err(error),
                        // The other jobs do not wait for a folder.
                        Err(error) if shared.is_news(&format!("forgetting {id}"), &error.to_string()) => {
                            warn!(job = %id, "its files cannot be removed: {error}");
                        }
                        _ => (),
                    }
                    continue;
                }
                for action in decide(&view, &facts) {
                    perform(shared, sight, hands, &view, &facts, action).await?;
                }
            }
            // What averts a loss does not wait for ever. Of the work only training and proving is done on anyone's word, which costs
            // time alone: all else follows who and what the chain names.
            Some(Seen::Apart(views)) => {
                for view in &views {
                    let (now, times) = (view.job.now, &view.job.terms.times);
                    for action in decide(view, &facts).into_iter().filter(|action| is_pressing(action, now, times)) {
                        perform(shared, sight, hands, view, &facts, action).await?;
                    }
                }
            }
            None => (),
        }
    }
    Ok(())
}

/// Makes a job that this provider wanted for itself, or with another lead, one of a team that it joins: another one has it now.
fn joined(shared: &Desk, id: B256, facts: Facts, view: &View) -> Result<Facts, NodeError> {
    let (lead, config) = (view.job.job.owner, shared.config.provider.as_ref());
    let joins = config.and_then(|config| config.member.as_ref()).is_some_and(|member| member.leads.contains(&lead));
    let is_known = facts.member.as_ref().is_some_and(|member| member.lead == lead);
    if facts.role != Role::Provider || facts.had || lead == shared.me || !joins || is_known {
        return Ok(facts);
    }
    let member = Some(Membership::of(lead));
    shared.store.change(id, |facts| *facts = Facts { member, ..Facts::new(Role::Provider) })
}

async fn perform(
    shared: &Desk,
    sight: &Sight,
    hands: &mut impl Hands,
    view: &View,
    facts: &Facts,
    action: Action,
) -> Result<(), NodeError> {
    if siblings::leaves(shared, view, &action)? {
        return Ok(());
    }
    match action {
        Action::Do(task) => hands.begin(view, task),
        Action::Turn(place) => offers::turn(shared, view.id, facts, place)?,
        Action::Send { call, until, .. } => send(shared, sight, view, facts, &call, until).await?,
    }
    Ok(())
}

async fn send(
    shared: &Desk,
    sight: &Sight,
    view: &View,
    facts: &Facts,
    call: &Call,
    until: Option<When>,
) -> Result<(), NodeError> {
    let id = intent_id(call, view.id, shared.me);
    if waits_for_another(shared, view.id, call, &id)? {
        return Ok(());
    }
    let input = match call_data(call, view.id, shared.me, facts, &shared.home.job(view.id)) {
        Ok(input) => input,
        Err(error) => {
            if shared.is_news(&id, &error.to_string()) {
                warn!(job = %view.id, "{}: {error}", call.about());
            }
            return Ok(());
        }
    };
    let to = match call {
        Call::WithdrawBonds => shared.deployment.vault.address,
        _ => shared.deployment.market.address,
    };
    let intent = Intent { id: id.clone(), to, input: input.into(), value: U256::ZERO, until };
    let sender = match key_of(call) {
        Key::Account => &shared.account,
        Key::Hot => &shared.hot,
    };
    match sender.submit(sight, intent).await {
        Ok(Status::Pending) => {
            if shared.is_news(&id, "sent") {
                shared.metrics.transaction(Outcome::Sent);
                super::tell::sent(shared, &id, Status::Pending, false);
                info!(job = %view.id, "sent: {}", call.about());
            }
        }
        Ok(Status::Refused { reason }) => {
            siblings::hear(shared);
            if shared.is_news(&id, &reason) {
                shared.metrics.transaction(Outcome::Refused);
                warn!(job = %view.id, "{} would be refused: {reason}", call.about());
            }
        }
        Ok(status) => debug!(job = %view.id, ?status, "{}", call.about()),
        Err(error @ ChainError::Journal(_)) => return Err(error.into()),
        // It is decided again at the next block.
        Err(error) => {
            if shared.is_news(&id, &error.to_string()) {
                warn!(job = %view.id, "{}: {error}", call.about());
            }
        }
    }
    Ok(())
}

/// Whether a transaction about some of a member's claims waits for another one, which is on its way: both may be about the same claims.
fn waits_for_another(shared: &Desk, job: B256, call: &Call, id: &str) -> Result<bool, NodeError> {
    if !matches!(call, Call::Takes { .. } | Call::ProveTaken(_)) {
        return Ok(false);
    }
    let kind = format!("{} segments", call.name());
    let of_job = format!("of job {job}");
    let is_other = |other: &str| other != id && other.starts_with(&kind) && other.ends_with(&of_job);
    let listed = shared.hot.list()?;
    Ok(listed.iter().any(|listed| listed.record.is_pending() && is_other(&listed.record.intent.id)))
}

/// Says what became of a transaction.
pub(super) fn log(update: &Update) {
    let Update { id, status, is_final } = update;
    match status {
        Status::Included { place, .. } if !place.success => warn!("reverted: {id}"),
        Status::Included { place, .. } if !is_final => info!(block = place.number, gas = place.gas, "done: {id}"),
        Status::Pending if update.fills_a_gap() => {
            warn!(
                "nothing has this nonce, and what is sent behind it cannot land: a transfer to itself takes it: {id}"
            );
        }
        Status::Pending => warn!("its block was dropped, and it is sent again: {id}"),
        Status::Overtaken { .. } => warn!("another transaction took its place: {id}"),
        _ => debug!(is_final, "{id}"),
    }
}

/// Notes, once a job, that it was lost here: nothing new is taken until `provider doctor` has passed.
fn failed(shared: &Desk, id: B256) -> Result<(), NodeError> {
    let noted = format!("{FAILED}{id}");
    if shared.store.record(&noted)?.is_none() {
        warn!(job = %id, "the job was lost: this node takes no other until `provider doctor` passes");
        shared.store.put_all(&[(noted, Some(vec![])), (FAILURE.to_owned(), Some(id.to_vec()))])?;
    }
    Ok(())
}

/// Whether a job ended so long ago, and is paid out, that nobody asks for anything of it any more: its blobs are kept as long as stake
/// backs it. Or whether it was offered, and nobody took it; or comes to nothing for the owner of its data.
fn is_forgotten(view: &View, facts: &Facts) -> bool {
    let is_past = |offers: &Offers| offers.are_past(view.job.now.time);
    if is_declined(view, facts) {
        return facts.offers.as_ref().is_some_and(is_past);
    }
    if is_void(view, facts) {
        return true;
    }
    // A validator's stake is free before.
    let is_free = facts.role != Role::Validator || view.seat.is_some_and(|seat| !seat.backed);
    is_over(view) && view.is_past_end() && is_free
}

/// Whether a validator's job ended before it started, and its stake is free for good: there was no question about it, and nobody asks for
/// anything. Each such job costs others its gas alone.
async fn never_started(shared: &Desk, sight: &Sight, view: &View, facts: &Facts) -> bool {
    let is_free = view.seat.is_some_and(|seat| !seat.backed);
    if facts.role != Role::Validator || view.job.state() != Some(State::Cancelled) || !is_over(view) || !is_free {
        return false;
    }
    // What cannot be read is asked again at the next block.
    watch::is_freed(shared, sight, view).await.unwrap_or(false)
}

/// Whether something averts a loss of this node's own, and half of its time is gone, or all of it; or costs nothing but time.
fn is_pressing(action: &Action, now: Moment, times: &Times) -> bool {
    let (call, until) = match action {
        Action::Send { call, until: Some(When::Time(until)), .. } => (call, *until),
        // What has no end, and a first moment, is late.
        Action::Send { call, from, .. } => return call.averts_a_loss() && from.is_some(),
        Action::Do(task) => return matches!(task, Task::Train(_) | Task::Repeat(_) | Task::Prove(_)),
        // What is another's turn, two must say.
        Action::Turn(_) => return false,
    };
    let whole = match call {
        Call::Prove(_) => times.proveSecs,
        // A take lasts for half of it: in its last quarter. A proof that comes too early pays the lead, on whose word it went.
        Call::ProveTaken(_) => times.proveSecs / 4,
        _ => times.batchSecs,
    };
    call.averts_a_loss() && now.time.saturating_add(u64::from(whole / 2)) >= until
}

#[cfg(test)]
mod tests {
    use gradproof_chain::Address;
    use gradproof_chain::market::TIMES;

    use super::*;

    #[test]
    fn what_averts_a_loss_goes_out_on_one_word_when_half_of_its_time_is_gone() {
        let times = Times { proveSecs: 2000, batchSecs: 4000, ..TIMES };
        let pressing = |action: &Action, time| is_pressing(action, Moment { time, block: 0 }, &times);
        let send = |call| Action::Send { call, from: None, until: Some(When::Time(10_000)) };
        let prove = send(Call::Prove(1));
        assert!(!pressing(&prove, 8999) && pressing(&prove, 9000));
        let close = send(Call::Close { batch: 0, root: B256::ZERO, seat: 0 });
        assert!(!pressing(&close, 7999) && pressing(&close, 8000));
        let late = Action::Send { call: Call::ClaimProven(0), from: Some(When::Time(10_001)), until: None };
        assert!(pressing(&late, 10_001));
        let member = send(Call::ProveTaken(vec![1]));
        assert!(!pressing(&member, 9749) && pressing(&member, 9750), "in the last quarter of the take");
        let saved = Action::Send { call: Call::ProveTaken(vec![1]), from: None, until: None };
        assert!(!pressing(&saved, 10_000), "it is not its own loss");
        let member = send(Call::Close { batch: 0, root: B256::ZERO, seat: 1 });
        assert!(!pressing(&member, 10_000), "a member loses nothing by it");
        let timeless = Action::Send { call: Call::ClaimProven(0), from: None, until: None };
        assert!(!pressing(&timeless, 10_001), "nobody can say that it is late");
        for call in
            [Call::Accept { least_price: 1 }, Call::Start, Call::Settle, Call::Withdraw, Call::Open, Call::Reveal(0)]
        {
            assert!(!pressing(&send(call), 10_000));
        }
        // Whom data and weights are encrypted for, and which data are trained on, one endpoint does not decide.
        for task in [Task::Wrap(Address::ZERO), Task::Fetch, Task::Deliver(0), Task::Open(0)] {
            assert!(!pressing(&Action::Do(task), 10_000));
        }
        for task in [Task::Train(1), Task::Repeat(1), Task::Prove(0)] {
            assert!(pressing(&Action::Do(task), 0));
        }
    }
}
