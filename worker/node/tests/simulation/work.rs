//! What pieces of work come to: what a node's tasks do, without peers, blobs, trainer and prover.

use std::path::Path;

use alloy::primitives::{Address, B256};
use gradproof_chain::U256;
use gradproof_chain::market::{State, TrainingMarket};
use gradproof_node::decide::{Task, View, end_of};
use gradproof_node::facts::{Facts, Opened};
use gradproof_node::live::proof_file;

use crate::party::Party;
use crate::plan::{CONFIRMATIONS, Nature};
use crate::stage::Stage;
use crate::terms;

/// Milliseconds that a provider says that a segment's training takes: of some plans all segments fit before the start.
const TRAINING_MS: u64 = 60_000;

/// A change of the facts that a piece of work led to.
pub type Change = Box<dyn FnOnce(&mut Facts)>;

/// What a party's disk says that it hands over, if it is asked.
fn parcel_key(owner: Address) -> String {
    format!("simulated/parcel/{owner}")
}

fn delivery_key(batch: u64) -> String {
    format!("simulated/delivery/{batch}")
}

/// How long a piece of work takes, in seconds.
pub fn seconds(stage: &mut Stage, nature: Nature, task: Task) -> u64 {
    let slow = if let Nature::Slow(slow) = nature { slow } else { 1 };
    match task {
        Task::Wrap(_) | Task::Offer(_) => stage.chance.within(1, 10),
        Task::Fetch => stage.chance.within(5, 120),
        Task::Train(segments) | Task::Repeat(segments) => stage.chance.within(10, 150) * segments * slow,
        Task::Prove(_) => stage.chance.within(20, 300) * slow,
        Task::Deliver(_) => stage.chance.within(5, 60) * slow,
        Task::Open(_) => stage.chance.within(5, 120),
        // No job has a committee.
        Task::Seat | Task::Compare | Task::Judge(_) | Task::Doubt(_) | Task::Answer { .. } | Task::Hear => 1,
        // Nor a team, nor a licence.
        Task::Path | Task::AskSeat | Task::Share => 1,
    }
}

/// What comes of a piece of work at its end; `None` if it failed, and is tried again.
pub fn end(stage: &mut Stage, parties: &[Party], at: usize, view: &View, task: Task) -> Option<Change> {
    let (party, job) = (&parties[at], view.id);
    let (me, market) = (party.account(), stage.market());
    match task {
        Task::Wrap(owner) => {
            if party.nature == Nature::Withholds {
                return None;
            }
            wrapped(stage, at, job, owner);
            put(stage, at, &parcel_key(owner), B256::ZERO);
            Some(Box::new(move |facts| facts.wrapped_for = Some(owner)))
        }
        // The requester posts its job for all, and without a committee.
        Task::Offer(_)
        | Task::Seat
        | Task::Compare
        | Task::Judge(_)
        | Task::Doubt(_)
        | Task::Answer { .. }
        | Task::Hear
        | Task::Path
        | Task::AskSeat
        | Task::Share => None,
        Task::Fetch => {
            reached(stage, parties, 0)?;
            kept(stage, 0, &parcel_key(me))?;
            Some(Box::new(|facts| facts.parcel = true))
        }
        Task::Train(segments) => {
            let ends: Vec<B256> = (1..=segments).map(|end| terms::digest(job, end)).collect();
            Some(Box::new(move |facts| {
                facts.ends = ends;
                facts.training_ms.get_or_insert(TRAINING_MS);
            }))
        }
        // What is claimed was computed twice.
        Task::Repeat(segments) => {
            stage.computed.extend((1..=segments).map(|end| (me, end, terms::digest(job, end))));
            Some(Box::new(move |facts| facts.agreed = segments))
        }
        Task::Prove(index) => {
            let proof = terms::proof(job, view.job.job.owner, index, u64::from(stage.plan.segments));
            stage.computed.insert((me, index + 1, terms::digest(job, index + 1)));
            write(&party.home().job(job).join(proof_file(index)), &proof);
            Some(Box::new(move |facts| {
                facts.proven.insert(index);
            }))
        }
        Task::Deliver(batch) => {
            let wrong = matches!(party.nature, Nature::Wrong(from) if batch >= from);
            let root = terms::delivery(job, me, batch, u64::from(wrong));
            put(stage, at, &delivery_key(batch), root);
            Some(Box::new(move |facts| {
                facts.delivered.insert(batch, root);
            }))
        }
        Task::Open(batch) => {
            let call = TrainingMarket::batchOfCall { id: job, batch: U256::from(batch) };
            let record = stage.ledger.view(market, &call);
            let owner = stage.ledger.view(market, &TrainingMarket::jobOfCall { id: job }).owner;
            let provider = parties.iter().position(|party| party.account() == owner)?;
            reached(stage, parties, provider)?;
            let root = kept(stage, provider, &delivery_key(batch))?;
            let right = root == record.record.root
                && root == terms::delivery(job, owner, batch, 0)
                && record.last == terms::digest(job, end_of(&view.job, batch));
            if right {
                stage.opened.insert((batch, record.last));
                if stage.two_faced.is_some() && stage.is_troubled() {
                    // The worst moment.
                    stage.replace(CONFIRMATIONS);
                }
            }
            stage.say(format!("the weights of batch {batch} are {}", if right { "right" } else { "wrong" }));
            let wrong = || Opened::Wrong {
                why: "they do not open the claim".into(),
                root: record.record.root,
                last: record.last,
            };
            let opened = if right { Opened::Right(record.last) } else { wrong() };
            Some(Box::new(move |facts| drop(facts.opened.insert(batch, opened))))
        }
    }
}

/// Looks whether an account is a job's provider for good, now that keys are wrapped for it.
fn wrapped(stage: &mut Stage, at: usize, job: B256, owner: Address) {
    let settled = stage.settled();
    let (market, call) = (stage.market(), TrainingMarket::jobOfCall { id: job });
    let held = stage.settled_blocks().into_iter().rev().any(|block| {
        let record = stage.ledger.view_at(&block, market, &call);
        record.owner == owner && matches!(State::of(record.state), Some(State::Assigned | State::Running))
    });
    stage.say(format!("party {at} wraps for {owner}"));
    if !held {
        stage.breaks(format!("keys are wrapped for {owner}, which was no provider up to block {settled}"));
    }
}

/// Whether a message from a party arrives: it is there, and nothing is lost.
fn reached(stage: &mut Stage, parties: &[Party], other: usize) -> Option<()> {
    let lost = stage.is_troubled() && stage.chance.permille(stage.plan.lost_messages);
    (!lost && parties[other].life.is_some()).then_some(())
}

fn put(stage: &Stage, at: usize, key: &str, word: B256) {
    stage.watched[at].disk.put(key, Some(word.as_slice())).expect("it is stored");
}

fn kept(stage: &Stage, at: usize, key: &str) -> Option<B256> {
    stage.watched[at].disk.record(key).expect("the store is read").map(|bytes| B256::from_slice(&bytes))
}

/// Writes a file of a job's folder.
pub fn write(path: &Path, content: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder");
    std::fs::write(path, content).expect("it is written");
}
