//! Events of register and market: who is who, and which jobs are open. Events are hints; what is done about them is read again.
//!
//! What was read is stored, and a start goes on from there. Where the chain took blocks back, what the register said in them is undone:
//! the entries that they changed are read anew from its views.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use gradproof_chain::market::{JobSnapshot, NodeRegistry, State, TrainingMarket, is_list};
use gradproof_chain::{Agreement, At, B256, ChainError, Header, Log, Ring, Sight, SolEvent, Step, U256};
use tracing::info;

use super::desk::{Desk, Seen};
use super::hands::Hands;
use super::position::{Block, DEPTH, Position, Source};
use super::register::Register;
use super::sets;
use crate::NodeError;
use crate::decide::{Task, View};
use crate::facts::{Facts, Role};
use crate::history::HISTORY;
use crate::message::{Bytes, LicencePath, SignedWord};
use crate::policy::{Licensed, NotTaken};
use crate::team::Membership;
use crate::words::attest;

/// Blocks that are asked for at once: what public nodes answer.
const SPAN: u64 = 1000;
/// Blocks whose events are asked for a second time, at the next block. Behind one address may be nodes that are so far apart, of which
/// one says that it has a block, and another that it has no events.
const ONCE_MORE: u64 = 16;
/// Blocks without an event after which the position is stored all the same.
const STORED: u64 = 64;
/// Open jobs that are decided about at a look: a question or three each.
const JUDGED: usize = 16;
/// How often fewer blocks are asked for in one look: an endpoint may answer nothing at all, and each question takes its time.
const NARROWED: usize = 4;
/// Answers after which more blocks are asked for again.
const WIDENED: u32 = 16;
/// The record of the position.
const POSITION: &str = "events";

/// How many blocks are asked for at once.
struct Span {
    blocks: u64,
    /// Answers since that was too much.
    answered: u32,
}

impl Span {
    /// Halves it: the events of so many blocks were not told. `false` if they were those of one.
    fn narrow(&mut self, asked: u64) -> bool {
        *self = Self { blocks: (asked.min(self.blocks) / 2).max(1), answered: 0 };
        asked > 1
    }

    /// Doubles it, once enough was told.
    fn widen(&mut self) {
        self.answered += 1;
        if self.answered >= WIDENED {
            *self = Self { blocks: (self.blocks * 2).min(SPAN), answered: 0 };
        }
    }
}

/// Reads events, from where it stopped last.
pub(super) struct Scanner {
    position: Position,
    register: Register,
    /// The newest blocks that the endpoints agreed on.
    ring: Ring,
    /// Whether the last block that was read is one of the ring's chain.
    is_joined: bool,
    /// Events of the last [`ONCE_MORE`] blocks that were read: number and hash of the block, and place in it.
    taken: BTreeSet<(u64, B256, u64)>,
    /// Of the open jobs those about which nothing is decided yet.
    waiting: BTreeSet<B256>,
    /// Of these, what they were refused for.
    refused: BTreeMap<B256, &'static str>,
    /// The open job that was decided about last: the others come first.
    judged: B256,
    /// Fewer blocks where that was too much.
    span: Span,
    /// The last block that was stored; `None` if something else is to be stored.
    stored: Option<u64>,
}

impl Scanner {
    /// Begins where the store says, or else where the market does.
    pub async fn load(shared: &Desk, hands: &mut impl Hands) -> Result<Self, NodeError> {
        let source = Source::of(&shared.deployment, shared.histories().known());
        let stored = shared.store.record(POSITION)?.and_then(|bytes| Position::decode(&bytes, source));
        let is_known = stored.is_some();
        let position = stored.unwrap_or_else(|| Position::start(source));
        let mut register = Register::load(shared, hands).await?;
        for (key, bytes) in shared.store.records(HISTORY)? {
            if let Some(owner) = key.strip_prefix(HISTORY).and_then(|owner| owner.parse().ok()) {
                shared.histories().load(owner, &bytes)?;
            }
        }
        if !is_known {
            register.clear(shared, hands).await;
            shared.histories().clear();
        }
        Ok(Self {
            waiting: position.open().clone(),
            stored: position.last().map(|read| read.number),
            position,
            register,
            ring: Ring::new(),
            is_joined: false,
            taken: BTreeSet::new(),
            refused: BTreeMap::new(),
            judged: B256::ZERO,
            span: Span { blocks: SPAN, answered: 0 },
        })
    }

    /// Reads what is new, up to the block that the endpoints agree on.
    pub async fn scan(&mut self, shared: &Desk, sight: &Sight, hands: &mut impl Hands) -> Result<(), NodeError> {
        let Some(head) = sight.common.agreed() else { return Ok(()) };
        if !self.join(shared, sight, hands).await? {
            return Ok(());
        }
        if !self.position.doubtful.is_empty() {
            self.register.settle(shared, sight, &mut self.position, hands).await?;
            self.stored = None;
        }
        let mut narrowed = 0;
        while let Some(read) = self.position.last().filter(|read| read.number < head.number) {
            // What is deep is read in great steps, and what can still be undone in one.
            let deep = head.number.saturating_sub(DEPTH);
            let once_more = if self.span.blocks < SPAN { 0 } else { ONCE_MORE };
            let from = (read.number + 1).saturating_sub(once_more).max(shared.deployment.block);
            let end = if read.number < deep { deep } else { head.number };
            let until = (from + self.span.blocks - 1).min(end);
            let contracts = [shared.deployment.nodes.address, shared.deployment.market.address];
            let asked = move |at: At| async move {
                Ok::<_, ChainError>((at.logs_between(from, until, &contracts).await?, at.header_at(until).await?))
            };
            let answer = shared.endpoints.read(&sight.common, asked).await.map(Agreement::agreed);
            let Ok(Some((logs, end))) = answer else {
                // Nodes of the chain tell the events of few blocks, each of its own number; and anyone can fill blocks with events, until an
                // answer is longer than any.
                narrowed += 1;
                if self.span.narrow(until - from + 1) && narrowed < NARROWED {
                    continue;
                }
                return answer.map(drop).map_err(Into::into);
            };
            self.span.widen();
            for log in &logs {
                self.take(shared, log, hands).await?;
            }
            let safe = if until <= deep { Some(Block::of(&end)) } else { self.deep(deep) };
            self.position.reach(Block::of(&end), safe);
            self.taken.retain(|(number, ..)| number + ONCE_MORE >= until);
            self.store(shared, until)?;
        }
        Ok(())
    }

    /// Whether all events were read up to the block that the endpoints agree on.
    pub fn has_read(&self, sight: &Sight) -> bool {
        sight.common.agreed().zip(self.position.last()).is_some_and(|(head, read)| read.number >= head.number)
    }

    /// Decides about open jobs, some at a time.
    pub async fn judge(&mut self, shared: &Desk, sight: &Sight, hands: &mut impl Hands) -> Result<(), NodeError> {
        if shared.config.role != Role::Provider || sight.common.agreed().is_none() {
            return Ok(());
        }
        let last = self.judged;
        let next = self.waiting.range((Bound::Excluded(last), Bound::Unbounded)).chain(self.waiting.range(..=last));
        let next: Vec<B256> = next.take(JUDGED).copied().collect();
        // The disk is looked through once, and again when a job was taken.
        let mut free = None;
        for id in next {
            self.judged = id;
            let free_disk = match free {
                Some(free) => free,
                None => hands.free_disk()?,
            };
            free = Some(free_disk);
            match offered(shared, sight, id, free_disk).await? {
                Offer::Waits => continue,
                Offer::Asks(view) => {
                    hands.begin(&view, Task::Path);
                    continue;
                }
                Offer::Gone => {
                    self.position.closed(id);
                    free = None;
                }
                Offer::Elsewhere => (),
                Offer::Refused(reason) => {
                    // It may be refused after each block, for a number that changes: once is enough.
                    if self.refused.insert(id, reason.name()) != Some(reason.name()) {
                        shared.metrics.refused(reason.name());
                        shared.is_news(&format!("offer {id}"), &reason.to_string());
                        info!(job = %id, "does not take the job: {reason}");
                    }
                    if reason.is_passing() {
                        continue;
                    }
                }
            }
            self.waiting.remove(&id);
            self.refused.remove(&id);
            shared.forget_path(id);
            self.stored = None;
        }
        Ok(())
    }

    /// Follows the chain, and undoes what it took back; `false` if the endpoints do not agree on where that is.
    async fn join(&mut self, shared: &Desk, sight: &Sight, hands: &mut impl Hands) -> Result<bool, NodeError> {
        let Some(step) = shared.endpoints.advance(&mut self.ring, &sight.common).await? else { return Ok(false) };
        let ancestor = match step {
            Step::Extended(_) if self.is_joined => return Ok(true),
            Step::Reorganised { ancestor, .. } if self.is_joined => {
                self.ring.hash_at(ancestor).map(|hash| Block { number: ancestor, hash })
            }
            _ => {
                self.is_joined = false;
                match self.found(shared, sight).await? {
                    Some(found) => found,
                    None => return Ok(false),
                }
            }
        };
        let before = self.position.last();
        if !ancestor.is_some_and(|ancestor| self.position.undo(ancestor)) {
            // If this is not done to the end, it is begun again.
            self.is_joined = false;
            self.register.clear(shared, hands).await;
            shared.histories().clear();
            let Some(start) = header_at(shared, sight, shared.deployment.block).await? else { return Ok(false) };
            self.position = Position::start(Source::of(&shared.deployment, shared.histories().known()));
            // The contracts are in later blocks.
            self.position.reach(Block::of(&start), Some(Block::of(&start)));
        }
        self.is_joined = true;
        if self.position.last() != before {
            if let Some((before, now)) = before.zip(self.position.last()) {
                info!(
                    "the chain took back the blocks {} to {}: their events are undone",
                    now.number + 1,
                    before.number
                );
            }
            self.taken.clear();
            self.stored = None;
        }
        Ok(true)
    }

    /// The last block that was read and is on the chain, after a start or a gap: the inner value is none if everything is to be read
    /// again, the outer one if the endpoints do not agree.
    async fn found(&self, shared: &Desk, sight: &Sight) -> Result<Option<Option<Block>>, NodeError> {
        for known in self.position.known() {
            match header_at(shared, sight, known.number).await? {
                None => return Ok(None),
                Some(header) if header.hash == known.hash => return Ok(Some(Some(known))),
                Some(_) => (),
            }
        }
        Ok(Some(None))
    }

    /// The block with a number, if the ring has it.
    fn deep(&self, number: u64) -> Option<Block> {
        self.ring.hash_at(number).map(|hash| Block { number, hash })
    }

    /// Takes an event, once.
    async fn take(&mut self, shared: &Desk, log: &Log, hands: &mut impl Hands) -> Result<(), NodeError> {
        let (Some(number), Some(hash), Some(index)) = (log.block_number, log.block_hash, log.log_index) else {
            return Ok(());
        };
        if !self.taken.insert((number, hash, index)) {
            return Ok(());
        }
        self.stored = None;
        if log.address() == shared.deployment.nodes.address {
            if let Ok(event) = NodeRegistry::NodeRegistered::decode_log(&log.inner) {
                self.position.touch(event.data.peer, number);
                self.register.enter(shared, &event.data, hands).await;
            } else if let Ok(event) = NodeRegistry::NodeRemoved::decode_log(&log.inner) {
                self.position.touch(event.data.peer, number);
                self.register.remove(shared, &event.data, hands).await;
            } else if let Ok(event) = NodeRegistry::Recorded::decode_log(&log.inner)
                // Anyone can report anything: what counts is what this market says.
                && event.data.reporter == shared.deployment.market.address
            {
                shared.histories().take(&event.data);
            }
        } else if let Ok(event) = TrainingMarket::Accepted::decode_log(&log.inner) {
            // A store that was lost comes back from the chain.
            let lead = event.data.owner;
            let joins = shared.config.provider.as_ref().and_then(|config| config.member.as_ref());
            if joins.is_some_and(|config| config.leads.contains(&lead)) && lead != shared.me {
                let member = Some(Membership::of(lead));
                follow(shared, event.data.job, &Facts { member, ..Facts::new(Role::Provider) })?;
            }
            if lead == shared.me && shared.config.role == Role::Provider {
                let facts = Facts { had: true, ..Facts::new(Role::Provider) };
                follow(shared, event.data.job, &facts)?;
            }
        } else if let Ok(event) = TrainingMarket::Opened::decode_log(&log.inner) {
            if event.data.requester == shared.me && shared.config.role == Role::Requester {
                follow(shared, event.data.job, &Facts::new(Role::Requester))?;
            }
            // It consented, whether this store has it still or not.
            if shared.config.role == Role::Validator && event.data.terms.committee.members.contains(&shared.me) {
                follow(shared, event.data.job, &Facts::new(Role::Validator))?;
            }
            // What is paid for its data is taken when the job has ended. The market has a job on a set by a licence of its owner only; of
            // another set anyone can name this account as the one that is paid.
            let dataset = event.data.terms.training.dataset;
            if shared.config.role == Role::DataOwner && !dataset.is_zero() && sets::find(shared, dataset).is_ok() {
                follow(shared, event.data.job, &Facts::new(Role::DataOwner))?;
            }
            self.wait(shared, event.data.job);
        } else if let Ok(event) = TrainingMarket::RootAdded::decode_log(&log.inner) {
            root_added(shared, &event.data)?;
        } else if let Ok(event) = TrainingMarket::Attested::decode_log(&log.inner) {
            attested(shared, &event.data)?;
        } else if let Ok(event) = TrainingMarket::Challenged::decode_log(&log.inner) {
            if event.data.challenger == shared.me {
                challenged(shared, event.data.job, event.data.index, true)?;
            }
        } else if let Ok(event) = TrainingMarket::Answered::decode_log(&log.inner) {
            challenged(shared, event.data.job, event.data.index, false)?;
        } else if let Ok(event) = TrainingMarket::HandedBack::decode_log(&log.inner) {
            handed_back(shared, &event.data)?;
            self.wait(shared, event.data.job);
        }
        Ok(())
    }

    fn wait(&mut self, shared: &Desk, id: B256) {
        if shared.config.role == Role::Provider && self.position.opened(id, &self.waiting) {
            self.waiting.insert(id);
        }
    }

    /// Stores the position at the block `read`, and the entries that changed, if there is something new or it is long ago.
    fn store(&mut self, shared: &Desk, read: u64) -> Result<(), NodeError> {
        if self.stored.is_some_and(|stored| read.abs_diff(stored) < STORED) {
            return Ok(());
        }
        let mut records = self.register.changes(shared)?;
        records.extend(shared.histories().changes()?);
        records.push((POSITION.to_owned(), Some(self.position.encode()?)));
        shared.store.put_all(&records)?;
        self.stored = Some(read);
        Ok(())
    }
}

/// The block with a number on the chain that the endpoints agree on; `None` if they do not agree.
///
/// One that the chain does not have is the head: what was read of it is gone.
async fn header_at(shared: &Desk, sight: &Sight, number: u64) -> Result<Option<Header>, NodeError> {
    let asked = move |at: At| async move { at.header_at(number.min(at.header().number)).await };
    let header: Agreement<Header> = shared.endpoints.read(&sight.common, asked).await?;
    Ok(header.agreed())
}

/// A job that this provider had is open again: whoever handed it back, it is not taken a second time by itself.
fn handed_back(shared: &Desk, event: &TrainingMarket::HandedBack) -> Result<(), NodeError> {
    if event.owner == shared.me && shared.store.job(event.job)?.is_some() {
        shared.store.change(event.job, |facts| facts.had = true)?;
    }
    Ok(())
}

/// The team named a root behind a complaint, which no view says: the committee looks at it as well. At most one a seat, so that there are
/// few. Of a block that is undone it does no harm: it is a delivery that can be had, and is looked at as any other.
fn root_added(shared: &Desk, event: &TrainingMarket::RootAdded) -> Result<(), NodeError> {
    let Ok(batch) = u64::try_from(event.batch) else { return Ok(()) };
    if shared.config.role == Role::Validator && shared.store.job(event.job)?.is_some() {
        let add = |facts: &mut Facts| {
            facts.roots.entry(batch).or_default().insert(event.root);
        };
        shared.store.change(event.job, add)?;
    }
    Ok(())
}

/// A member's word was brought, which no view says: it is kept until its signature is looked at. A block that is undone unsays nothing, so
/// that whoever gives another word in the block in its place contradicts itself.
fn attested(shared: &Desk, event: &TrainingMarket::Attested) -> Result<(), NodeError> {
    let TrainingMarket::Attested { job, batch, validator, last, yes, signature } = event;
    let (Ok(batch), Some(signature)) = (u64::try_from(*batch), Bytes::new(signature.to_vec())) else { return Ok(()) };
    if *validator == shared.me || shared.config.role == Role::DataOwner || shared.store.job(*job)?.is_none() {
        return Ok(());
    }
    let word = SignedWord { member: *validator, batch, last: *last, yes: *yes, signature };
    shared.store.change(*job, |facts| attest(&mut facts.attested, word))?;
    Ok(())
}

/// A challenge of this account began to stand, or one of anybody stands no more. Whether its bond waits is read again.
fn challenged(shared: &Desk, job: B256, index: U256, stands: bool) -> Result<(), NodeError> {
    let (Some(facts), Ok(segment)) = (shared.store.job(job)?, u64::try_from(index)) else { return Ok(()) };
    if facts.challenged.contains(&segment) != stands {
        let change = |facts: &mut Facts| {
            if stands {
                facts.challenged.insert(segment)
            } else {
                facts.challenged.remove(&segment)
            };
        };
        shared.store.change(job, change)?;
    }
    Ok(())
}

/// Follows a job from now on; `false`, said once, if the node follows as many as it can.
fn follow(shared: &Desk, id: B256, facts: &Facts) -> Result<bool, NodeError> {
    match shared.store.begin(id, facts) {
        Err(error @ NodeError::TooManyJobs { .. }) => {
            if shared.is_news("too many jobs", &error.to_string()) {
                info!(job = %id, "not followed: {error}");
            }
            Ok(false)
        }
        begun => begun.map(|()| true),
    }
}

/// What is decided about a job that may be open.
enum Offer {
    /// The endpoints do not agree on it.
    Waits,
    /// The requester is asked first for this account's path in the licence.
    Asks(Box<View>),
    /// It is not open, or it is followed.
    Gone,
    /// It is open, and not taken.
    Refused(NotTaken),
    /// Whoever has the account's key can take it; or the node follows as many jobs as it can.
    Elsewhere,
}

/// Decides about a job that may be open.
async fn offered(shared: &Desk, sight: &Sight, id: B256, free_disk: u64) -> Result<Offer, NodeError> {
    match shared.store.job(id)? {
        // Of a team whose lead handed it back: it is forgotten, and looked at then.
        Some(facts) if facts.member.is_some() => return Ok(Offer::Waits),
        Some(_) => return Ok(Offer::Gone),
        None => (),
    }
    let market = shared.deployment.market.address;
    let read = |at: At| async move { JobSnapshot::of(&at, market, id).await };
    let Some(job) = shared.endpoints.read(&sight.common, read).await?.agreed() else { return Ok(Offer::Waits) };
    if job.state() != Some(State::Open) {
        return Ok(Offer::Gone);
    }
    let Some(config) = shared.config.provider.clone() else { return Ok(Offer::Gone) };
    let _turn = shared.promising().await;
    let capacity = super::capacity::of(shared, free_disk, sight, job.job.requester, &job.terms).await?;
    let path = shared.path(id);
    let licensed = Licensed::of_job(&job.job, shared.me, path.as_ref().map_or(&[], LicencePath::as_slice));
    match crate::policy::taken(&job.terms, licensed, shared.me, &shared.deployment, &config, &capacity) {
        // A promise that only somebody else can keep is none: what was accepted is followed by its event.
        Ok(_) if shared.signs_elsewhere() => {
            if shared.is_news(&format!("offer {id}"), "by hand") {
                info!(job = %id, "would take the job: `provider accept {id}` says what the account is to sign");
            }
        }
        Ok(_) => {
            let (accept, disk) = (Some(licensed.least_price(&job.terms.training, &config)), capacity.needed_disk);
            let path = path.unwrap_or_default();
            let facts = Facts { accept, path, disk, ..Facts::new(Role::Provider) };
            if follow(shared, id, &facts)? {
                info!(job = %id, "takes the job");
                // From now on it counts with what it takes.
                let (me, owed) = (shared.me, U256::ZERO);
                let view = View::new(id, me, job, owed);
                shared.see(id, Seen::Agreed(Box::new(view)));
                return Ok(Offer::Gone);
            }
        }
        Err(NotTaken::Licence) if path.is_none() && is_list(job.job.licensed) && !shared.signs_elsewhere() => {
            return Ok(Offer::Asks(Box::new(View::new(id, shared.me, job, U256::ZERO))));
        }
        Err(reason) => return Ok(Offer::Refused(reason)),
    }
    Ok(Offer::Elsewhere)
}
