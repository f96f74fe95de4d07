//! Time, and what happens in it: blocks, looks, work, deaths and restarts, one after the other, as a seed decides.

mod turn;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, MutexGuard};

use alloy::primitives::{B256, U256};
use gradproof_chain::market::{State, TrainingMarket, no_licence};
use gradproof_chain::{SolCall, SolValue};
use gradproof_node::decide::{Task, View};
use gradproof_node::facts::{Facts, Role, Secrets};
use gradproof_node::live::{OPEN_FILE, TERMS_FILE};
use gradproof_node::store::Store;
use tempfile::TempDir;

use crate::chance::Chance;
use crate::fault::Fault;
use crate::gate::locked;
use crate::ledger::{Founded, tokens};
use crate::party::Party;
use crate::plan::{Nature, Plan};
use crate::stage::Stage;
use crate::work;

/// How long after the beginning everything must be over, in seconds: all times of the terms, one after the other.
const MOST_SECS: u64 = 14 * 24 * 3600;
/// How far blocks are apart at most while nothing happens, in seconds; and after so many such blocks.
const IDLE_SECS: (u64, u64) = (600, 3600);
const IDLE_BLOCKS: u64 = 40;
/// Slot of the balances in the token's storage.
const BALANCES: u64 = 0;

/// Something that is to happen.
enum Event {
    /// A block is made, if it is still the next one.
    Block {
        turn: u64,
    },
    Look(usize),
    Ended {
        party: usize,
        epoch: u64,
        view: Box<View>,
        task: Task,
    },
    Start(usize),
    Gone(usize),
}

/// A simulation.
pub struct World {
    pub stage: Arc<Mutex<Stage>>,
    pub parties: Vec<Party>,
    pub job: B256,
    pub founded: &'static Founded,
    events: BinaryHeap<Reverse<(u64, u64, usize)>>,
    waiting: Vec<Option<Event>>,
    /// Blocks in a row that had nothing to take.
    idle: u64,
    /// When the next block is made. One that was planned for another turn is not.
    next: u64,
    turn: u64,
    fault: Option<Fault>,
    /// Whether all processes have ended for good.
    is_deserted: bool,
    _folder: TempDir,
}

impl World {
    /// The world of a seed, at its beginning: the requester's disk has a job that is to be posted.
    pub fn new(founded: &'static Founded, seed: u64, fault: Option<Fault>) -> Self {
        let mut chance = Chance::of(seed);
        let (ledger, deployment) = (founded.ledger.clone(), &founded.deployment);
        let begin = ledger.head().header.time;
        let mut plan = Plan::of(begin, &mut chance);
        if fault == Some(Fault::TrainsNothing) {
            plan.draws = 1;
        }
        if matches!(fault, Some(Fault::NeverCloses)) {
            plan.natures.fill(Nature::Honest);
        }
        let folder = tempfile::tempdir().expect("a folder");
        let mut stage = Stage::new(plan.clone(), chance, ledger, deployment.market.address);
        for _ in &plan.natures {
            stage.watched.push(crate::stage::Watched { disk: disk(), dies_after: None });
        }
        let two_faced = plan.natures.iter().position(|nature| *nature == Nature::TwoFaced);
        stage.two_faced = two_faced.map(|at| founded.accounts[at].hot.clone());
        let stage = Arc::new(Mutex::new(stage));
        let party = |at: usize| {
            let home = folder.path().join(at.to_string());
            Party::new(&stage, at, founded.accounts[at].clone(), home, deployment.clone())
        };
        let parties: Vec<Party> = (0..plan.natures.len()).map(party).collect();
        let (events, waiting, job) = (BinaryHeap::new(), vec![], B256::ZERO);
        let mut world = Self {
            stage,
            parties,
            job,
            founded,
            events,
            waiting,
            idle: 0,
            next: 0,
            turn: 0,
            fault,
            is_deserted: false,
            _folder: folder,
        };
        world.prepare(&plan);
        world.next_block(begin + 1);
        for (at, nature) in plan.natures.iter().enumerate() {
            world.at(begin, Event::Start(at));
            if let Nature::Gone(after) = nature {
                world.at(begin + after, Event::Gone(at));
            }
        }
        world
    }

    pub fn stage(&self) -> MutexGuard<'_, Stage> {
        locked(&self.stage)
    }

    /// Puts the job onto the requester's disk.
    fn prepare(&mut self, plan: &Plan) {
        let batches = u64::from(plan.segments.div_ceil(u32::from(plan.every)));
        let secret = (plan.draws < plan.every).then_some(Secrets { last: B256::repeat_byte(0x5e), batches });
        let tip = secret.and_then(|secret| secret.tip()).unwrap_or_default();
        let terms = crate::terms::job(&self.founded.deployment, plan.segments, plan.every, plan.draws, tip);
        let (requester, nonce) = (self.parties[0].account(), U256::from(1));
        let call = TrainingMarket::idOfCall { requester, nonce, terms: terms.clone() };
        let mut stage = locked(&self.stage);
        let market = stage.market();
        self.job = stage.ledger.view(market, &call);
        let permit =
            TrainingMarket::Permit { value: U256::ZERO, deadline: U256::ZERO, v: 0, r: B256::ZERO, s: B256::ZERO };
        let folder = self.parties[0].home().job(self.job);
        work::write(&folder.join(TERMS_FILE), &terms.abi_encode());
        let open = TrainingMarket::openCall { terms, nonce, licence: no_licence(), consents: vec![], permit };
        work::write(&folder.join(OPEN_FILE), &open.abi_encode());
        let facts = Facts { posts: true, secret, ..Facts::new(Role::Requester) };
        stage.watched[0].disk.begin(self.job, &facts).expect("it is stored");
        stage.say(format!("{plan:?}"));
    }

    fn at(&mut self, time: u64, event: Event) {
        self.events.push(Reverse((time, self.waiting.len() as u64, self.waiting.len())));
        self.waiting.push(Some(event));
    }

    /// Runs until the job is over and paid out, or it takes too long.
    pub fn run(&mut self) {
        while let Some(Reverse((time, _, place))) = self.events.pop() {
            let Some(event) = self.waiting[place].take() else { continue };
            let over = {
                let mut stage = self.stage();
                stage.now = time;
                time > stage.plan.begin + MOST_SECS
            };
            if over || self.is_over() {
                break;
            }
            match event {
                Event::Block { turn } if turn == self.turn => self.block(),
                Event::Block { .. } => (),
                Event::Look(party) => self.look(party),
                Event::Ended { party, epoch, view, task } => self.ended(party, epoch, &view, task),
                Event::Start(party) => self.start(party),
                Event::Gone(party) => {
                    self.parties[party].kill();
                    self.stage().say(format!("party {party} is gone for good"));
                }
            }
            self.tell();
        }
    }

    /// Whether the job has ended for good, and who is there has what it is owed.
    pub fn is_over(&self) -> bool {
        let mut stage = self.stage();
        let settled = stage.settled_block();
        let (market, call) = (stage.market(), TrainingMarket::jobOfCall { id: self.job });
        let job = stage.ledger.view_at(&settled, market, &call);
        if State::of(job.state) == Some(State::None) {
            return self.is_never_posted(&stage);
        }
        let ended = State::of(job.state).is_some_and(|state| state >= State::Cancelled);
        let mut there = self.parties.iter().filter(|party| !matches!(party.nature, Nature::Gone(_)));
        ended
            && there.all(|party| {
                let owed = TrainingMarket::owedCall { account: party.account() };
                stage.ledger.view_at(&settled, market, &owed).is_zero()
            })
    }

    /// Whether the requester lost the job with its disk, or is gone, before it was on any chain.
    fn is_never_posted(&self, stage: &Stage) -> bool {
        let head = stage.ledger.head().header.number;
        let known = stage.watched[0].disk.job(self.job).expect("the store is read").is_some();
        let gone = self.parties[0].is_gone(stage.now - stage.plan.begin);
        let blocks = stage.ledger.chain()[stage.settled() as usize..=head as usize].iter();
        let on_its_way = blocks.map(|block| block.transactions.len()).sum::<usize>() + stage.ledger.waiting().len();
        (!known || gone) && on_its_way == 0
    }

    fn block(&mut self) {
        let mut stage = self.stage();
        let busy = !stage.ledger.waiting().is_empty();
        stage.make_block();
        let (interval, now) = (stage.plan.interval, stage.now);
        if self.fault == Some(Fault::Mints) && stage.ledger.head().header.number.is_multiple_of(7) {
            let account = self.parties[0].account();
            let slot = alloy::primitives::keccak256((account, U256::from(BALANCES)).abi_encode());
            let token = self.founded.deployment.token.address;
            stage.ledger.tamper(token, slot.into(), tokens(1_000_000));
        }
        drop(stage);
        self.idle = if busy { 0 } else { self.idle + 1 };
        let most = if self.idle < IDLE_BLOCKS { IDLE_SECS.0 } else { IDLE_SECS.1 };
        let pause = (interval << self.idle.min(10)).min(most.max(interval));
        self.next_block(now + pause);
    }

    fn next_block(&mut self, time: u64) {
        (self.next, self.turn) = (time, self.turn + 1);
        self.at(time, Event::Block { turn: self.turn });
    }

    /// Whoever runs looks at what is new.
    fn tell(&mut self) {
        let mut stage = self.stage();
        let (now, soon) = (stage.now, stage.now + stage.plan.interval);
        let (waits, fresh) = (!stage.ledger.waiting().is_empty(), std::mem::take(&mut stage.fresh));
        drop(stage);
        // What waits does not wait for a block of a time in which nothing happens.
        if waits && self.next > soon {
            self.next_block(soon);
        }
        if !fresh {
            return;
        }
        let mut stage = self.stage();
        let waits: Vec<u64> = self.parties.iter().map(|_| stage.chance.within(0, 3)).collect();
        drop(stage);
        for (party, wait) in waits.into_iter().enumerate() {
            if self.parties[party].life.is_some() {
                self.at(now + wait, Event::Look(party));
            }
        }
    }
}

/// An empty store.
fn disk() -> Arc<Store> {
    Arc::new(Store::in_memory().expect("there is memory"))
}
