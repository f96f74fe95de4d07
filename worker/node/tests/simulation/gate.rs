//! An endpoint over the ledger: what a node of the chain answers, or does not, late, or falsely.

use std::sync::{Arc, Mutex, MutexGuard};

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::rpc::types::Log;
use async_trait::async_trait;
use gradproof_chain::{ChainError, Endpoint, Header, Included, LOCAL_CHAIN};

use crate::ledger::Block;
use crate::plan::Lie;
use crate::stage::{Gate, Stage};

/// What whoever makes a block is offered, in wei.
const TIP: u128 = 1_000_000_000;
/// Gas that is asked for beside what a call took: a call in a call gets 63 of 64 parts.
const SPARE: u64 = 16;
/// How far a liar's clock is ahead, in seconds.
const AHEAD: u64 = 30 * 24 * 3600;

/// An endpoint of a party.
#[derive(Debug)]
pub struct Door {
    name: String,
    /// Its place among the gates.
    at: usize,
    party: usize,
    stage: Arc<Mutex<Stage>>,
}

/// The stage, which nobody holds while this waits.
pub fn locked(stage: &Mutex<Stage>) -> MutexGuard<'_, Stage> {
    stage.lock().expect("nothing panicked")
}

impl Door {
    /// An endpoint of a party; it sees what the chain is now.
    pub fn new(stage: &Arc<Mutex<Stage>>, party: usize, lie: Option<Lie>) -> Self {
        let mut held = locked(stage);
        let (at, tip) = (held.gates.len(), held.ledger.head().header.hash);
        held.gates.push(Gate { tip, lag: 0, lie, silent_about: "" });
        Self { name: format!("endpoint {at}"), at, party, stage: stage.clone() }
    }

    fn wrong(&self, what: &str, message: &str) -> ChainError {
        ChainError::Endpoint { endpoint: self.name.clone(), what: what.into(), message: message.into() }
    }

    /// A question comes in: the process that asked may die now, the chain may go on, the answer may be lost.
    async fn asked(&self, what: &str) -> Result<MutexGuard<'_, Stage>, ChainError> {
        let dies = {
            let mut stage = locked(&self.stage);
            let left = &mut stage.watched[self.party].dies_after;
            let dies = *left == Some(0);
            *left = left.map(|left| left.saturating_sub(1));
            dies
        };
        if dies {
            std::future::pending::<()>().await;
        }
        let mut stage = locked(&self.stage);
        if stage.is_troubled() {
            let (turbulence, reorganises, drops) = (stage.plan.turbulence, stage.plan.reorganises, stage.plan.drops);
            if stage.chance.permille(turbulence) {
                match stage.chance.permille(reorganises) {
                    true => stage.reorganise(),
                    false => stage.make_block(),
                }
            }
            if stage.chance.permille(drops) {
                return Err(self.wrong(what, "no answer"));
            }
        }
        if self.gate(&stage).silent_about == what {
            return Err(self.wrong(what, "no answer"));
        }
        Ok(stage)
    }

    fn gate<'a>(&self, stage: &'a Stage) -> &'a Gate {
        &stage.gates[self.at]
    }

    fn lies(&self, stage: &Stage, lie: Lie) -> bool {
        self.gate(stage).lie == Some(lie) && (stage.is_troubled() || !stage.plan.lies_end)
    }

    /// A block as this endpoint tells it.
    fn told(&self, stage: &Stage, block: &Block) -> Header {
        let header = block.header;
        if self.lies(stage, Lie::Time) { Header { time: header.time + AHEAD, ..header } } else { header }
    }

    /// A block that it has on its chain.
    fn block(&self, stage: &Stage, hash: B256) -> Result<Arc<Block>, ChainError> {
        let known = stage.ledger.block(hash).cloned();
        let on_chain = |block: &Arc<Block>| {
            let there = stage.ledger.ancestor(self.gate(stage).tip, block.header.number);
            there.is_some_and(|there| there.header.hash == hash)
        };
        let none = || ChainError::NoBlock { endpoint: self.name.clone(), block: hash };
        known.filter(on_chain).ok_or_else(none)
    }

    fn tip(&self, stage: &Stage) -> Arc<Block> {
        stage.ledger.block(self.gate(stage).tip).expect("it was made").clone()
    }
}

#[async_trait]
impl Endpoint for Door {
    fn name(&self) -> &str {
        &self.name
    }

    async fn chain_id(&self) -> Result<u64, ChainError> {
        self.asked("chain id").await.map(|_| LOCAL_CHAIN)
    }

    async fn head(&self) -> Result<Header, ChainError> {
        let stage = self.asked("head").await?;
        Ok(self.told(&stage, &self.tip(&stage)))
    }

    async fn header_by_number(&self, number: u64) -> Result<Option<Header>, ChainError> {
        let stage = self.asked("header").await?;
        let block = stage.ledger.ancestor(self.gate(&stage).tip, number);
        Ok(block.map(|block| self.told(&stage, block)))
    }

    async fn header_by_hash(&self, hash: B256) -> Result<Option<Header>, ChainError> {
        let stage = self.asked("header").await?;
        Ok(self.block(&stage, hash).ok().map(|block| self.told(&stage, &block)))
    }

    async fn call(&self, at: B256, from: Address, to: Address, input: Bytes) -> Result<Bytes, ChainError> {
        let mut stage = self.asked("call").await?;
        let block = self.block(&stage, at)?;
        let answer = stage.ledger.ask(&block, from, to, &input)?;
        if !self.lies(&stage, Lie::Views) || answer.is_empty() {
            return Ok(answer);
        }
        // A bit of one of its words.
        let mut words = answer.to_vec();
        let place = stage.chance.next() as usize % (words.len() / 32) * 32 + 31;
        words[place] ^= 1 << stage.chance.within(0, 2);
        Ok(words.into())
    }

    async fn logs(&self, at: B256, addresses: &[Address]) -> Result<Vec<Log>, ChainError> {
        let stage = self.asked("logs").await?;
        let block = self.block(&stage, at)?;
        Ok(block.logs.iter().filter(|log| addresses.contains(&log.address())).cloned().collect())
    }

    async fn logs_between(&self, from: u64, until: u64, addresses: &[Address]) -> Result<Vec<Log>, ChainError> {
        let stage = self.asked("logs").await?;
        let tip = self.gate(&stage).tip;
        if stage.ledger.ancestor(tip, until).is_none() {
            return Err(ChainError::NoBlockNumber { endpoint: self.name.clone(), number: until });
        }
        if self.lies(&stage, Lie::Logs) {
            return Ok(vec![]);
        }
        let blocks = (from..=until).filter_map(|number| stage.ledger.ancestor(tip, number));
        let logs = blocks.flat_map(|block| block.logs.iter());
        Ok(logs.filter(|log| addresses.contains(&log.address())).cloned().collect())
    }

    async fn nonce(&self, account: Address, at: B256) -> Result<u64, ChainError> {
        let mut stage = self.asked("nonce").await?;
        let nonce = self.block(&stage, at)?.state.nonce(account);
        Ok(if self.lies(&stage, Lie::Nonce) { stage.chance.within(0, nonce + 3) } else { nonce })
    }

    async fn balance(&self, account: Address, at: B256) -> Result<U256, ChainError> {
        let stage = self.asked("balance").await?;
        Ok(self.block(&stage, at)?.state.balance(account))
    }

    async fn code_hash(&self, address: Address, at: B256) -> Result<B256, ChainError> {
        let stage = self.asked("code").await?;
        Ok(self.block(&stage, at)?.state.code_hash(address))
    }

    async fn receipt(&self, transaction: B256) -> Result<Option<Included>, ChainError> {
        let stage = self.asked("receipt").await?;
        if self.lies(&stage, Lie::Nonce) {
            let Header { hash, number, .. } = self.tip(&stage).header;
            return Ok(Some(Included { block: hash, number, success: true, gas: 21_000, price: 1 }));
        }
        Ok(stage.ledger.receipt(self.gate(&stage).tip, transaction))
    }

    async fn broadcast(&self, raw: &Bytes) -> Result<(), ChainError> {
        let mut stage = self.asked("broadcast").await?;
        stage.check_stored(self.party, keccak256(raw));
        if stage.is_troubled() {
            let (forgets, denies) = (stage.plan.forgets, stage.plan.denies);
            // It says that it took it, and forgets it.
            if stage.chance.permille(forgets) {
                return Ok(());
            }
            // It takes it, and says that it did not.
            if stage.chance.permille(denies) {
                let _ = stage.ledger.submit(raw);
                return Err(self.wrong("broadcast", "internal error"));
            }
        }
        stage.ledger.submit(raw).map_err(|message| self.wrong("broadcast", &message))
    }

    async fn estimate(&self, from: Address, to: Address, value: U256, input: Bytes) -> Result<u64, ChainError> {
        let stage = self.asked("estimate").await?;
        if self.lies(&stage, Lie::Gas) {
            return Ok(1 << 24);
        }
        let done = self.tip(&stage).try_call(from, to, value, &input)?;
        if !done.success {
            return Err(ChainError::Reverted { data: done.output });
        }
        Ok(done.needed + done.needed / SPARE)
    }

    async fn tip(&self) -> Result<u128, ChainError> {
        let stage = self.asked("tip").await?;
        Ok(if self.lies(&stage, Lie::Gas) { TIP * 100 } else { TIP })
    }
}
