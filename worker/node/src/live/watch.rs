//! Reads the jobs as the chain has them, after each new block.

use std::collections::BTreeSet;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use gradproof_chain::market::{BatchState, JobSnapshot, StakeVault, State, TeamSnapshot, TrainingMarket};
use gradproof_chain::{Address, Agreement, At, B256, ChainError, Common, Endpoints, Header, Reader, Sight, U256};
use tracing::{info, warn};

use super::desk::{Desk, Seen};
use super::siblings;
use crate::NodeError;
use crate::decide::{Seat, View, batches_of};
use crate::facts::{Facts, Role};

/// Jobs that are read at a time: a slow answer holds one of them, and an endpoint is not asked for more at once than it answers anyone.
const READERS: usize = 8;
/// The market's number of the verdict that is not there yet: `Verdict.Pending`.
const PENDING: u8 = 1;

/// Where the chain stood at the last look.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seen: Option<Common>,
    trouble: Option<String>,
    apart: bool,
    /// The endpoints that were slow at the last look.
    slow: Vec<String>,
}

impl Watch {
    /// Whether there is a new block, or another one in its place.
    pub fn is_new(&mut self, sight: &Sight) -> bool {
        let apart = matches!(sight.common, Common::Apart { .. });
        if apart != self.apart {
            self.apart = apart;
            if apart {
                warn!("the endpoints have no new block in common: nothing is spent until they have");
            } else {
                info!("the endpoints agree again");
            }
        }
        let new = self.seen.as_ref() != Some(&sight.common);
        self.seen = Some(sight.common.clone());
        new
    }

    /// Says which endpoints are slow, once when that begins and once when it ends.
    pub fn pace(&mut self, endpoints: &Endpoints) {
        let slow = endpoints.slow();
        for name in slow.iter().filter(|name| !self.slow.contains(name)) {
            warn!("endpoint {name} is slow: it is not waited for, unless the others do not agree");
        }
        for name in self.slow.iter().filter(|name| !slow.contains(name)) {
            info!("endpoint {name} answers in time again");
        }
        self.slow = slow;
    }

    /// Says what is wrong with the chain, once.
    pub fn trouble(&mut self, error: &NodeError) {
        let error = error.to_string();
        if self.trouble.as_ref() != Some(&error) {
            warn!("{error}");
            self.trouble = Some(error);
        }
        // What was not read is read again.
        self.seen = None;
    }

    /// Says that nothing is wrong any more.
    pub fn fine(&mut self) {
        if self.trouble.take().is_some() {
            info!("the chain answers again");
        }
    }

    /// Reads all jobs that the node follows, some at a time.
    ///
    /// # Errors
    /// The first one's, when all others are read.
    pub async fn read(&self, shared: &Desk, sight: &Sight) -> Result<(), NodeError> {
        let mut jobs = shared.store.jobs()?.into_iter();
        let (mut running, mut result) = (FuturesUnordered::new(), Ok(()));
        loop {
            running
                .extend(jobs.by_ref().take(READERS - running.len()).map(|(id, facts)| see(shared, sight, id, facts)));
            match running.next().await {
                None => return result,
                Some(seen) => result = result.and(seen),
            }
        }
    }
}

/// Reads a job, and keeps what was read.
async fn see(shared: &Desk, sight: &Sight, id: B256, facts: Facts) -> Result<(), NodeError> {
    let read = match read(shared, sight, id).await {
        Ok(read) => read,
        // The other jobs do not wait for it.
        Err(error) => {
            if shared.is_news(&format!("reading {id}"), &error.to_string()) {
                warn!(job = %id, "the job cannot be read: {error}");
            }
            return Ok(());
        }
    };
    let seen = match read {
        Agreement::Agreed { mut value, .. } => {
            // Asked only while a provider waits for the data.
            let lead = value.job.job.owner;
            if facts.role == Role::Requester && !lead.is_zero() && facts.wrapped_for != Some(lead) {
                value.settled_lead = settled_lead(shared, sight, id).await?;
            }
            if value.job.state() == Some(State::None) {
                let others = facts.offers.as_ref().map(|offers| offers.others(id, value.job.now.time));
                value.taken = taken(shared, sight, others.unwrap_or_default()).await?;
            }
            // A requester is owed a part of what a member lost, if anything.
            let earns = facts.role != Role::Requester || !facts.asked.is_empty();
            if earns && value.job.state().is_some_and(|state| state >= State::Cancelled) {
                value.owed_bonds = owed_bonds(shared, sight).await?;
            }
            if needs_seats(&value, &facts) {
                let seats = seats(shared, sight, &value).await?.into_iter();
                let members = value.job.terms.committee.members.iter();
                let (own, others): (Vec<_>, Vec<_>) = seats.zip(members).partition(|(_, member)| **member == shared.me);
                value.others = others.into_iter().map(|(seat, _)| seat).collect();
                value.seat = own.into_iter().map(|(seat, _)| seat).find(|_| facts.role == Role::Validator);
            }
            if facts.role == Role::Validator {
                value.claims = claims(shared, sight, &value).await?;
            }
            value.void_challenges = void_challenges(shared, sight, &value, &facts).await?;
            value.void_complaints = void_complaints(shared, sight, &value, &facts).await?;
            Seen::Agreed(Box::new(value))
        }
        apart => Seen::Apart(apart.values().into_iter().cloned().collect()),
    };
    shared.see(id, seen);
    Ok(())
}

/// What each endpoint says of a job, or what they agree on.
async fn read(shared: &Desk, sight: &Sight, id: B256) -> Result<Agreement<View>, ChainError> {
    let (market, me) = (shared.deployment.market.address, shared.me);
    let place = siblings::place(shared);
    let view = |at: At| async move {
        let job = JobSnapshot::of(&at, market, id).await?;
        let owed = at.ask(market, &TrainingMarket::owedCall { account: me }).await?;
        let team = TeamSnapshot::of(&at, market, id, &job, me).await?;
        Ok(View { team, place, ..View::new(id, me, job, owed) })
    };
    shared.endpoints.read(&sight.common, view).await
}

/// Which of these jobs the market has, if the endpoints agree on one.
async fn taken(shared: &Desk, sight: &Sight, jobs: Vec<B256>) -> Result<Option<B256>, ChainError> {
    let market = shared.deployment.market.address;
    for id in jobs {
        let asked = |at: At| async move { at.ask(market, &TrainingMarket::jobOfCall { id }).await };
        let job = shared.endpoints.read(&sight.common, asked).await?.agreed();
        if job.is_some_and(|job| job.state != State::None as u8) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// What the vault owes this account: bonds of challenges that it answered, of complaints that it decided. Asked when a job has ended: that is
/// when it is taken.
async fn owed_bonds(shared: &Desk, sight: &Sight) -> Result<U256, ChainError> {
    let (vault, account) = (shared.deployment.vault.address, shared.me);
    let asked = |at: At| async move { at.ask(vault, &StakeVault::owedCall { account }).await };
    Ok(shared.endpoints.read(&sight.common, asked).await?.agreed().unwrap_or_default())
}

/// Whether something depends on the places of a job's committee: a complaint, words that may contradict each other, or stake that may be
/// freed.
fn needs_seats(view: &View, facts: &Facts) -> bool {
    let is_disputed = |batch| view.job.batch_state(batch) == Some(BatchState::Disputed);
    let disputed = view.job.batches.iter().any(|(_, batch)| is_disputed(batch));
    let never_started = view.job.state() == Some(State::Cancelled);
    let decides = facts.role == Role::Validator && view.job.terms.committee.members.contains(&view.me);
    decides && (disputed || never_started || view.is_past_end()) || view.looks_for_contradictions(facts)
}

/// The places of a job's committee, in the order of its members; none if the endpoints do not agree on them.
async fn seats(shared: &Desk, sight: &Sight, view: &View) -> Result<Vec<Seat>, ChainError> {
    let (market, id) = (shared.deployment.market.address, view.id);
    let asked = |at: At| async move { at.ask(market, &TrainingMarket::committeeOfCall { id }).await };
    let Some(committee) = shared.endpoints.read(&sight.common, asked).await?.agreed() else { return Ok(vec![]) };
    let keys = view.job.terms.committee.members.iter().zip(0u32..).zip(committee.keys);
    let backs = |place: u32| usize::try_from(place).is_ok_and(|place| committee.backed.bit(place));
    Ok(keys.map(|((_, place), key)| Seat { place, key, backed: backs(place) }).collect())
}

/// Segments of void batches that this account challenged, and whose bonds wait: what events told, as far as the market says so still.
async fn void_challenges(shared: &Desk, sight: &Sight, view: &View, facts: &Facts) -> Result<Vec<u64>, ChainError> {
    let (market, id, total) = (shared.deployment.market.address, view.id, u64::from(view.job.job.total));
    let mut void = Vec::new();
    for segment in facts.challenged.range(total..).copied() {
        let call = move || TrainingMarket::challengeOfCall { id, index: U256::from(segment) };
        let asked = |at: At| async move { at.ask(market, &call()).await };
        let challenge = shared.endpoints.read(&sight.common, asked).await?.agreed();
        void.extend(challenge.filter(|challenge| challenge.by == view.me).map(|_| segment));
    }
    Ok(void)
}

/// Void batches that this requester complained about, and nobody decided: their bonds wait.
async fn void_complaints(shared: &Desk, sight: &Sight, view: &View, facts: &Facts) -> Result<Vec<u64>, ChainError> {
    let (market, id) = (shared.deployment.market.address, view.id);
    let mut void = Vec::new();
    if facts.role != Role::Requester {
        return Ok(void);
    }
    let batches: BTreeSet<u64> = facts.asked.iter().map(|(batch, _)| *batch).collect();
    for batch in batches.range(batches_of(&view.job)..).copied() {
        let call = move || TrainingMarket::batchOfCall { id, batch: U256::from(batch) };
        let asked = |at: At| async move { at.ask(market, &call()).await };
        let record = shared.endpoints.read(&sight.common, asked).await?.agreed();
        void.extend(record.filter(|record| record.complaint.verdict == PENDING).map(|_| batch));
    }
    Ok(void)
}

/// Whether this account's stake was free already at the block that is as deep as is waited for.
pub(super) async fn is_freed(shared: &Desk, sight: &Sight, view: &View) -> Result<bool, ChainError> {
    let place = view.job.terms.committee.members.iter().position(|member| *member == shared.me);
    let (Some(place), Some(deep)) = (place, deep(shared, sight).await?) else { return Ok(false) };
    let (market, id) = (shared.deployment.market.address, view.id);
    let asked = |at: At| async move { at.ask(market, &TrainingMarket::committeeOfCall { id }).await };
    let committee = shared.endpoints.read(&deep, asked).await?.agreed();
    // A job that was not posted then has no keys.
    Ok(committee.is_some_and(|committee| place < committee.keys.len() && !committee.backed.bit(place)))
}

/// The claims of the batches that are closed and not settled.
async fn claims(shared: &Desk, sight: &Sight, view: &View) -> Result<Vec<B256>, ChainError> {
    let TrainingMarket::Job { settled, closed, .. } = view.job.job;
    let count = closed.saturating_sub(settled);
    if view.job.state() != Some(State::Running) || count == 0 {
        return Ok(vec![]);
    }
    let (market, id) = (shared.deployment.market.address, view.id);
    let call = move || TrainingMarket::claimsOfCall { id, from: U256::from(settled), count: U256::from(count) };
    let asked = |at: At| async move { at.ask(market, &call()).await };
    Ok(shared.endpoints.read(&sight.common, asked).await?.agreed().unwrap_or_default())
}

/// The block that is as deep as is waited for, if the endpoints agree on it.
pub(super) async fn deep(shared: &Desk, sight: &Sight) -> Result<Option<Common>, ChainError> {
    let Common::Block { header, knowing } = &sight.common else { return Ok(None) };
    let number = header.number.saturating_sub(shared.config.confirmations);
    let asked = |at: At| async move { at.endpoint().header_by_number(number).await };
    let found: Agreement<Option<Header>> = shared.endpoints.read(&sight.common, asked).await?;
    let found = found.agreed().flatten();
    Ok(found.map(|header| Common::Block { header, knowing: knowing.clone() }))
}

/// The provider that a job had at the block that is as deep as is waited for.
async fn settled_lead(shared: &Desk, sight: &Sight, id: B256) -> Result<Option<Address>, ChainError> {
    let Some(deep) = deep(shared, sight).await? else { return Ok(None) };
    let market = shared.deployment.market.address;
    let asked = |at: At| async move { at.ask(market, &TrainingMarket::jobOfCall { id }).await };
    let job = shared.endpoints.read(&deep, asked).await?.agreed();
    let has_lead = |job: &TrainingMarket::Job| {
        matches!(State::of(job.state), Some(State::Assigned | State::Running)) && !job.owner.is_zero()
    };
    Ok(job.filter(has_lead).map(|job| job.owner))
}
