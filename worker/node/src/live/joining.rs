//! A member's questions to its lead: for a seat, and what to prove.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gradproof_chain::market::{is_list, seat_digest};
use gradproof_chain::{Address, signer_of};
use gradproof_network::Protocol;
use tracing::info;

use super::bench::Change;
use super::capacity::{self, measured};
use super::choice::nodes;
use super::licensed;
use super::room;
use super::shared::{ASK, Shared};
use super::trouble::Trouble;
use crate::NodeError;
use crate::decide::{View, open_of, own_seat};
use crate::facts::Facts;
use crate::message::{
    Bytes, Few, LicencePath, MAX_SHARE, PartyAnswer, PartyQuestion, ShareQuestion, SignedSeat, read, written,
};
use crate::policy::Licensed;
use crate::seat::{Room, joins};
use crate::team::{Membership, ends_digest};

/// Pause between two questions for work.
const PAUSE: Duration = Duration::from_secs(3);

/// Asks the lead for a seat, and keeps it to bring it, if this node's policy takes it.
pub(super) async fn ask_seat(shared: &Arc<Shared>, view: &View) -> Result<Change, Trouble> {
    let lead = view.job.job.owner;
    if shared.signs_elsewhere() {
        return Err(Trouble("this account signs by hand: its node joins no team".into()));
    }
    let seat = match ask(shared, lead, &PartyQuestion::TeamSeat { job: view.id }).await? {
        PartyAnswer::TeamSeat(seat) => seat,
        other => return Err(no_answer(lead, other)),
    };
    let (chain, market) = (shared.deployment.chain, shared.deployment.market.address);
    let digest = seat_digest(chain, market, view.id, shared.me, &seat.to_market());
    if signer_of(digest, seat.signature.as_slice()) != Some(lead) {
        return Err(Trouble(format!("the lead {lead} did not sign the seat that it tells")));
    }
    let now = view.job.now.time;
    if seat.expiry < now {
        let until = seat.expiry;
        return Err(Trouble(format!("the seat of the lead {lead} could be taken until {until}, and it is {now}")));
    }
    let config = shared.config.provider.as_ref().ok_or_else(|| Trouble("this node is no provider".into()))?;
    // Where only the licence's list says whether it admits this account, the requester has that.
    let is_needed = is_list(view.job.job.licensed) && config.datasets.let_in(view.job.terms.training.dataset);
    let path = if is_needed { licensed::ask(shared, view).await?.map_err(Trouble)? } else { LicencePath::default() };
    // One promise after the other: two that are judged at once would count as one.
    let _turn = shared.promising().await;
    let room = room_for(shared, view).await?;
    let licensed = Licensed::of_job(&view.job.job, shared.me, path.as_slice());
    if let Err(reason) = joins(&seat, &view.job, shared.me, licensed, &shared.deployment, config, room) {
        return Err(Trouble(format!("does not join the team of {lead}: {reason}")));
    }
    info!(job = %view.id, "joins the team of {lead}");
    shared.store.change(view.id, |facts| {
        (facts.disk, facts.path) = (room.needed_disk, path);
        keep(facts, |member| member.offer = Some(seat));
    })?;
    Ok(Box::new(|_: &mut Facts| ()))
}

/// What this node could still promise.
async fn room_for(shared: &Shared, view: &View) -> Result<Room, Trouble> {
    let sight = shared.endpoints.look().await.map_err(NodeError::from)?;
    let (job, free_disk) = (&view.job, room::unpromised(shared)?);
    let capacity = capacity::of(shared, free_disk, &sight, job.job.requester, &job.terms).await?;
    let others = shared.store.jobs()?.into_iter().filter(|(id, facts)| {
        let is_in = shared.view(*id).is_some_and(|view| own_seat(&view).is_some());
        let waits = |offer: &SignedSeat| offer.expiry >= view.job.now.time;
        let joins = |member: &Membership| is_in || member.offer.as_ref().is_some_and(waits);
        *id != view.id && facts.member.as_ref().is_some_and(joins)
    });
    Ok(Room {
        joined: others.count(),
        free_stake: capacity.free_stake.saturating_sub(capacity.promised_bonds),
        needed_disk: capacity.needed_disk,
        free_disk: capacity.free_disk,
        failed: capacity.failed,
    })
}

/// Tells the lead what this node trained to and has proven, and keeps what it is to prove. The answer counts at once; the task ends when
/// the lead may be asked again.
pub(super) async fn ask_share(shared: &Arc<Shared>, view: &View) -> Result<Change, Trouble> {
    let facts = shared.store.job(view.id)?.ok_or(NodeError::UnknownJob(view.id))?;
    let member = facts.member.clone().ok_or_else(|| Trouble("this node is in no team of this job".into()))?;
    let question = question(shared, view, &facts)?;
    let answer = match ask(shared, member.lead, &PartyQuestion::Share(question)).await {
        Ok(answer) => answer,
        Err(trouble) => {
            if member.missed.is_none() {
                let now = view.job.now.time;
                shared.store.change(view.id, |facts| keep(facts, |member| member.missed = Some(now)))?;
            }
            return Err(trouble);
        }
    };
    // A lead that refuses is there: this node does nothing for it until time is short.
    let part: BTreeSet<u64> = match &answer {
        PartyAnswer::Share(part) => part.as_slice().iter().copied().collect(),
        _ => BTreeSet::new(),
    };
    if part != member.share || member.missed.is_some() {
        let told = |member: &mut Membership| (member.share, member.missed) = (part, None);
        shared.store.change(view.id, |facts| keep(facts, told))?;
        shared.changed();
    }
    match answer {
        PartyAnswer::Share(_) => tokio::time::sleep(PAUSE).await,
        other => return Err(no_answer(member.lead, other)),
    }
    Ok(Box::new(|_: &mut Facts| ()))
}

/// What the lead is told.
fn question(shared: &Shared, view: &View, facts: &Facts) -> Result<ShareQuestion, Trouble> {
    let made = open_of(view, facts, None).made.into_iter().take(MAX_SHARE).collect();
    let from = u64::from(view.job.job.settled);
    let ends = facts.ends.iter().skip(usize::try_from(from).unwrap_or(usize::MAX)).take(MAX_SHARE);
    let ends: Vec<_> = ends.copied().collect();
    let (chain, market) = (shared.deployment.chain, shared.deployment.market.address);
    let signature = shared.sign(ends_digest(chain, market, view.id, from, &ends))?;
    let too_long = || Trouble("the question is longer than one may be".into());
    Ok(ShareQuestion {
        job: view.id,
        segment_ms: measured(shared, view.job.terms.training.verifier)?,
        making: shared.proves(view.id),
        made: Few::new(made).ok_or_else(too_long)?,
        from,
        ends: Few::new(ends).ok_or_else(too_long)?,
        signature: Bytes::new(signature).ok_or_else(too_long)?,
    })
}

/// Asks the lead's nodes, until one of them answers; else what one of them refused for.
async fn ask(shared: &Shared, lead: Address, question: &PartyQuestion) -> Result<PartyAnswer, Trouble> {
    let mut last = Err(Trouble(format!("the lead {lead} has no node in the register")));
    for (_, peer) in nodes(shared, &[lead]).await {
        match shared.network.ask(peer, Protocol::Party, &written(question), ASK).await {
            Err(error) if last.is_err() => last = Err(Trouble(format!("the lead {lead} cannot be asked: {error}"))),
            Err(_) => (),
            Ok(answer) => match read::<PartyAnswer>(&answer) {
                Ok(PartyAnswer::Refused(reason)) => last = Ok(PartyAnswer::Refused(reason)),
                Ok(answer) => return Ok(answer),
                Err(reason) => last = Err(Trouble(format!("the lead {lead} answers with {reason}"))),
            },
        }
    }
    last
}

/// What a lead says instead of what it was asked.
fn no_answer(lead: Address, answer: PartyAnswer) -> Trouble {
    match answer {
        PartyAnswer::Refused(reason) => Trouble(format!("the lead {lead} refuses: {reason}")),
        _ => Trouble(format!("the lead {lead} answers with something else")),
    }
}

/// Changes what is known of the team, where the node is in one.
fn keep(facts: &mut Facts, change: impl FnOnce(&mut Membership)) {
    if let Some(member) = &mut facts.member {
        change(member);
    }
}
