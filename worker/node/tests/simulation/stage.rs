//! What all parties of a simulation stand on: the ledger, its endpoints, chance, and the account of what happened.

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy::primitives::{Address, B256};
use gradproof_chain::market::TrainingMarket::TrainingMarketCalls;
use gradproof_chain::{PrivateKeySigner, Record};
use gradproof_node::store::Store;

use crate::chance::Chance;
use crate::ledger::{Block, Ledger};
use crate::plan::{CONFIRMATIONS, Lie, Plan};
use crate::two_faced;

/// An endpoint's view, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Its newest block.
    pub tip: B256,
    /// Blocks that it lacks.
    pub lag: u64,
    /// What it lies about.
    pub lie: Option<Lie>,
    /// What it does not answer.
    pub silent_about: &'static str,
}

/// A party, as far as its endpoints look at it.
#[derive(Debug)]
pub struct Watched {
    /// What outlives its process.
    pub disk: Arc<Store>,
    /// Requests until its process is gone, if it dies in this look.
    pub dies_after: Option<u64>,
}

/// What all parties stand on.
#[derive(Debug)]
pub struct Stage {
    pub plan: Plan,
    pub chance: Chance,
    pub ledger: Ledger,
    /// Seconds since 1970.
    pub now: u64,
    pub gates: Vec<Gate>,
    pub watched: Vec<Watched>,
    /// Whether blocks were made that nobody was told of yet.
    pub fresh: bool,
    /// What happened, a line each.
    pub log: Vec<String>,
    /// Rules that were broken.
    pub broken: Vec<String>,
    /// Digests of the ends of segments that somebody has computed: the owner, the segments before.
    pub computed: BTreeSet<(Address, u64, B256)>,
    /// Batches whose weights the requester has, with the claim that they open.
    pub opened: BTreeSet<(u64, B256)>,
    /// The key of a provider that says something else when its word is undone.
    pub two_faced: Option<PrivateKeySigner>,
    market: Address,
    /// The newest block of the beginning.
    first: u64,
}

impl Stage {
    pub fn new(plan: Plan, chance: Chance, ledger: Ledger, market: Address) -> Self {
        let (now, first) = (ledger.head().header.time, ledger.head().header.number);
        let (gates, watched, log, broken) = (vec![], vec![], vec![], vec![]);
        Self {
            plan,
            chance,
            ledger,
            now,
            gates,
            watched,
            fresh: false,
            log,
            broken,
            computed: BTreeSet::new(),
            opened: BTreeSet::new(),
            two_faced: None,
            market,
            first,
        }
    }

    /// The market's address.
    pub fn market(&self) -> Address {
        self.market
    }

    /// Number of the newest block that nothing undoes.
    pub fn settled(&self) -> u64 {
        self.ledger.head().header.number.saturating_sub(CONFIRMATIONS)
    }

    /// The newest block that nothing undoes.
    pub fn settled_block(&self) -> Arc<Block> {
        self.ledger.chain()[self.settled() as usize].clone()
    }

    /// The blocks that nothing undoes, since the beginning.
    pub fn settled_blocks(&self) -> Vec<Arc<Block>> {
        self.ledger.chain()[self.first as usize..=self.settled() as usize].to_vec()
    }

    /// Whether things go wrong still.
    pub fn is_troubled(&self) -> bool {
        self.now < self.plan.calm_at
    }

    /// Says what happened.
    pub fn say(&mut self, what: impl std::fmt::Display) {
        let head = self.ledger.head().header.number;
        self.log.push(format!("{:>7} block {head:>4} {what}", self.now - self.plan.begin));
    }

    /// Says that a rule was broken.
    pub fn breaks(&mut self, what: impl std::fmt::Display) {
        let what = what.to_string();
        self.say(format!("BROKEN: {what}"));
        self.broken.push(what);
    }

    /// Makes a block of a part of what waits.
    pub fn make_block(&mut self) {
        let troubled = self.is_troubled();
        let Self { ledger, chance, plan, now, .. } = self;
        if troubled {
            let forgotten = plan.forgets;
            ledger.forget(|_| chance.permille(forgotten));
        }
        let (salt, takes) = (chance.next(), if troubled { plan.takes } else { 1000 });
        ledger.mine(*now, salt, |_| chance.permille(takes));
        self.tell();
    }

    /// Replaces some of the newest blocks.
    pub fn reorganise(&mut self) {
        let depth = self.chance.within(1, self.plan.deepest);
        self.replace(depth);
    }

    /// Replaces the newest blocks, no more than may be undone.
    pub fn replace(&mut self, depth: u64) {
        self.say(format!("{depth} blocks are undone"));
        let longer = self.chance.permille(500);
        let Self { ledger, chance, plan, now, two_faced, .. } = self;
        let returns = plan.returns;
        let mut times = ledger.undo(depth as usize, |_| chance.permille(returns));
        times.extend(longer.then_some(*now));
        if let Some(key) = two_faced {
            two_faced::speaks_again(key, ledger);
        }
        for time in times {
            let (salt, takes) = (chance.next(), plan.takes);
            ledger.mine(time, salt, |_| chance.permille(takes));
        }
        self.tell();
    }

    /// Blocks get around: endpoints that lag have some of them only, and may stay on a fork for a while.
    fn tell(&mut self) {
        self.fresh = true;
        let troubled = self.is_troubled();
        let head = self.ledger.head().header;
        for gate in &mut self.gates {
            if troubled && self.chance.permille(self.plan.moves) {
                gate.lag = self.chance.within(0, self.plan.lag);
            }
            let lag = if troubled { gate.lag } else { 0 };
            let stays = troubled && self.chance.permille(self.plan.stays);
            if let Some(tip) = self.ledger.ancestor(head.hash, head.number.saturating_sub(lag)).filter(|_| !stays) {
                gate.tip = tip.header.hash;
            }
        }
        let block = self.ledger.head().clone();
        for (pooled, place) in &block.transactions {
            let name = match pooled.to == self.market {
                true => TrainingMarketCalls::name_by_selector(pooled.selector()).unwrap_or("?"),
                false => "?",
            };
            let how = if place.success { "" } else { ", reverted" };
            let (sender, nonce) = (pooled.sender, pooled.nonce);
            self.say(format!("block {}: {name} of {sender} nonce {nonce}{how}", block.header.number));
        }
    }

    /// Looks whether a transaction that a party sends is on its disk.
    pub fn check_stored(&mut self, party: usize, hash: B256) {
        let records = self.watched[party].disk.records("sender/").expect("the store is read");
        let mut stored = records.iter().filter_map(|(_, bytes)| Record::decode(bytes).ok());
        if !stored.any(|record| record.attempts.iter().any(|attempt| attempt.hash == hash)) {
            self.breaks(format!("party {party} sends {hash}, which it has not stored"));
        }
    }
}
