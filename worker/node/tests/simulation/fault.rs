//! Faults that are planted: each takes away what guards a rule, and the rule must be found broken.

use alloy::primitives::{B256, keccak256};
use gradproof_chain::market::State;
use gradproof_node::decide::Task;
use gradproof_node::facts::{Opened, Role};
use gradproof_node::live::Hands;

use crate::party::Life;

/// What is broken of a node on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The store forgets with the process, and says that it stored.
    ForgetfulStore,
    /// Keys are wrapped for whoever has the job in the newest block.
    WrapsAtOnce,
    /// Deliveries count as opened when they are closed.
    OpensNothing,
    /// Ends of segments are claimed that nobody trained.
    TrainsNothing,
    /// A provider does not close its batches.
    NeverCloses,
    /// Somebody has tokens that nobody had before.
    Mints,
    /// All processes end when the job is taken.
    AllGone,
    /// A process panics.
    Panics,
}

impl Fault {
    /// All of them, each with a part of what is found.
    pub const ALL: [(Self, &str); 8] = [
        (Self::ForgetfulStore, "which it has not stored"),
        (Self::WrapsAtOnce, "keys are wrapped for"),
        (Self::OpensNothing, "acknowledged what it does not have"),
        (Self::TrainsNothing, "claimed what it did not compute"),
        (Self::NeverCloses, "an honest provider lost"),
        (Self::Mints, "tokens in all"),
        (Self::AllGone, "does not end"),
        (Self::Panics, "panicked"),
    ];

    /// Does its harm to a process that has just looked at the chain.
    pub fn harm(self, life: &mut Life, job: B256) {
        let Life { desk, crew, .. } = life;
        let (Some(view), Ok(Some(facts))) = (desk.view(job), desk.store.job(job)) else { return };
        let owner = view.job.job.owner;
        let state = view.job.state();
        match (self, facts.role) {
            (Self::WrapsAtOnce, Role::Requester)
                if state == Some(State::Assigned) && facts.wrapped_for != Some(owner) =>
            {
                crew.begin(&view, Task::Wrap(owner));
            }
            (Self::OpensNothing, Role::Requester) => {
                crew.begun.retain(|(_, task)| !matches!(task, Task::Open(_)));
                for (batch, view) in &view.job.batches {
                    let last = view.last;
                    if !facts.opened.contains_key(batch) && view.record.root != B256::ZERO {
                        let changed =
                            desk.store.change(job, |facts| drop(facts.opened.insert(*batch, Opened::Right(last))));
                        changed.expect("it is stored");
                        desk.changed();
                    }
                }
            }
            (Self::TrainsNothing, Role::Provider) if owner == desk.me && facts.ends.is_empty() => {
                let ends: Vec<B256> = (0..view.job.job.total).map(|end| keccak256(end.to_be_bytes())).collect();
                let changed = desk.store.change(job, |facts| {
                    (facts.parcel, facts.agreed, facts.ends) = (true, ends.len() as u64, ends);
                });
                changed.expect("it is stored");
                desk.changed();
            }
            (Self::NeverCloses, Role::Provider) => crew.begun.retain(|(_, task)| !matches!(task, Task::Deliver(_))),
            (Self::Panics, _) if state == Some(State::Running) => panic!("as it was asked to"),
            _ => (),
        }
    }
}
