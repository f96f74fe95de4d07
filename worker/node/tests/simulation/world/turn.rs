//! What a process does when it is its turn: it starts, looks at the chain, ends a piece of work, or dies.

use std::sync::Arc;
use std::task::Poll;

use gradproof_chain::market::{State, TrainingMarket};
use gradproof_node::decide::{Task, View};
use gradproof_node::store::Store;

use super::{Event, World, disk};
use crate::fault::Fault;
use crate::gate::locked;
use crate::party::{Life, Party, poll_once};
use crate::work;

/// How long a process that died is away at most, in seconds.
const AWAY_SECS: u64 = 1800;
/// Questions after which a process that dies in a look has died.
const DIES_WITHIN: u64 = 60;

impl World {
    pub(super) fn start(&mut self, party: usize) {
        let (disk, now) = {
            let stage = self.stage();
            (stage.watched[party].disk.clone(), stage.now)
        };
        let since = now - self.stage().plan.begin;
        if self.parties[party].is_gone(since) || self.is_deserted {
            return;
        }
        // What is stored is only what the process sees then.
        let disk = if self.fault == Some(Fault::ForgetfulStore) { copy(&disk) } else { disk };
        match self.parties[party].start(disk) {
            Ok(()) => self.at(now, Event::Look(party)),
            Err(_) => self.at(now + 5, Event::Start(party)),
        }
    }

    pub(super) fn look(&mut self, at: usize) {
        let (dies, now) = {
            let mut stage = self.stage();
            let deaths = stage.plan.deaths;
            let dies = stage.is_troubled() && stage.chance.permille(deaths);
            let after = stage.chance.within(0, DIES_WITHIN);
            stage.watched[at].dies_after = dies.then_some(after);
            (dies, stage.now)
        };
        let Some(Life { desk, follower, crew }) = &mut self.parties[at].life else { return };
        crew.now = now;
        let looked = poll_once(follower.look(desk, crew));
        match looked {
            Poll::Ready(Ok(_)) if !dies => (),
            Poll::Ready(Err(error)) => self.stage().breaks(format!("party {at} ended: {error}")),
            // In the look, or right after it.
            _ => return self.die(at),
        }
        let Some(life) = &mut self.parties[at].life else { return };
        if let Some(fault) = self.fault {
            fault.harm(life, self.job);
        }
        let begun = std::mem::take(&mut life.crew.begun);
        let (epoch, nature) = (self.parties[at].epoch, self.parties[at].nature);
        for (view, task) in begun {
            let end = {
                let mut stage = self.stage();
                stage.say(format!("party {at} begins to {}", task.in_words()));
                stage.now + work::seconds(&mut stage, nature, task)
            };
            self.at(end, Event::Ended { party: at, epoch, view, task });
        }
        if self.fault == Some(Fault::AllGone) && self.is_taken() {
            self.is_deserted = true;
            self.parties.iter_mut().for_each(Party::kill);
        }
    }

    fn is_taken(&self) -> bool {
        let mut stage = self.stage();
        let (market, call) = (stage.market(), TrainingMarket::jobOfCall { id: self.job });
        stage.ledger.view(market, &call).state == State::Assigned as u8
    }

    /// A process is gone, with its memory and perhaps its store; it comes again.
    fn die(&mut self, at: usize) {
        self.parties[at].kill();
        let back = {
            let mut stage = self.stage();
            stage.watched[at].dies_after = None;
            let losses = stage.plan.losses;
            let lost = stage.chance.permille(losses);
            if lost {
                stage.watched[at].disk = disk();
            }
            stage.say(format!("party {at} dies{}", if lost { ", and its store is lost" } else { "" }));
            stage.now + stage.chance.within(1, AWAY_SECS)
        };
        self.at(back, Event::Start(at));
    }

    pub(super) fn ended(&mut self, at: usize, epoch: u64, view: &View, task: Task) {
        if self.parties[at].epoch != epoch {
            return;
        }
        let (change, now) = {
            let mut stage = locked(&self.stage);
            let change = work::end(&mut stage, &self.parties, at, view, task);
            if change.is_some() {
                stage.say(format!("party {at} is done: {}", task.in_words()));
            }
            (change, stage.now)
        };
        let Some(Life { desk, crew, .. }) = &mut self.parties[at].life else { return };
        crew.now = now;
        crew.ended((view.id, task), change.is_some());
        if let Some(change) = change {
            // It may have been forgotten meanwhile.
            let _ = desk.store.change(view.id, change);
            desk.changed();
            self.at(now, Event::Look(at));
        }
    }
}

/// A store with the same jobs, that nothing else is written through to.
fn copy(from: &Store) -> Arc<Store> {
    let copy = disk();
    for (id, facts) in from.jobs().expect("the store is read") {
        copy.begin(id, &facts).expect("it is stored");
    }
    copy
}
