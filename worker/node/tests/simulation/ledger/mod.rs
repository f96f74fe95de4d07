//! A chain in memory, with the compiled market on it: blocks, transactions that wait, reorganisations. No rule of the market stands here.

mod found;
mod pool;
mod state;

pub use found::{Founded, STAKE, founded, tokens};
pub use pool::Pooled;
pub use state::State;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::rpc::types::Log;
use alloy::sol_types::SolValue;
use gradproof_chain::{ChainError, Header, Included, SolCall};
use revm::context::{BlockEnv, TxEnv};
use revm::primitives::TxKind;

use state::{BLOCK_GAS, Done};

/// Time of the first block.
const FIRST_TIME: u64 = 1_800_000_000;

/// A block, and all accounts after it.
#[derive(Debug)]
pub struct Block {
    pub header: Header,
    pub state: State,
    pub logs: Vec<Log>,
    pub transactions: Vec<(Arc<Pooled>, Included)>,
}

/// A chain, the blocks that it dropped, and what waits for a block.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// All blocks that were ever made.
    blocks: HashMap<B256, Arc<Block>>,
    /// Those of the chain: the number of a block is its place.
    chain: Vec<Arc<Block>>,
    /// Transactions that are in no block of the chain, in the order they came in.
    pool: Vec<Arc<Pooled>>,
    /// Those that were ever seen, so that each is read once.
    known: HashMap<B256, Arc<Pooled>>,
    /// Blocks that a transaction was ever in.
    places: BTreeMap<B256, Vec<B256>>,
    /// What was answered, by block, contract and question: many ask the same.
    answers: HashMap<(B256, Address, Bytes), Result<Bytes, Bytes>>,
    /// What a unit of gas costs in the next block, in wei.
    pub base_fee: u64,
}

impl Ledger {
    /// A chain with one block, which has nothing in it but these accounts.
    pub fn new(state: State, base_fee: u64) -> Self {
        let header = Header { number: 0, hash: keccak256("first"), parent: B256::ZERO, time: FIRST_TIME, base: 0 };
        let (chain, blocks) = (vec![], HashMap::new());
        let mut ledger = Self {
            blocks,
            chain,
            pool: vec![],
            known: HashMap::new(),
            places: BTreeMap::new(),
            answers: HashMap::new(),
            base_fee,
        };
        ledger.append(Block { header, state, logs: vec![], transactions: vec![] });
        ledger
    }

    /// The newest block.
    pub fn head(&self) -> &Arc<Block> {
        self.chain.last().expect("there is a first block")
    }

    /// The blocks of the chain, from the first on.
    pub fn chain(&self) -> &[Arc<Block>] {
        &self.chain
    }

    /// A block that was ever made.
    pub fn block(&self, hash: B256) -> Option<&Arc<Block>> {
        self.blocks.get(&hash)
    }

    /// The block of a number on the chain that ends with `tip`.
    pub fn ancestor(&self, tip: B256, number: u64) -> Option<&Arc<Block>> {
        let mut at = self.blocks.get(&tip)?;
        loop {
            let on_chain = self.chain.get(at.header.number as usize);
            if on_chain.is_some_and(|block| block.header.hash == at.header.hash) {
                return self.chain[..=at.header.number as usize].get(number as usize);
            }
            match at.header.number {
                own if own == number => return Some(at),
                own if own < number => return None,
                _ => at = self.blocks.get(&at.header.parent)?,
            }
        }
    }

    /// A transaction as it is on the chain that ends with `tip`.
    pub fn receipt(&self, tip: B256, transaction: B256) -> Option<Included> {
        let blocks = self.places.get(&transaction)?.iter().filter_map(|hash| self.blocks.get(hash));
        let mut on_chain = blocks.filter(|block| {
            let there = self.ancestor(tip, block.header.number);
            there.is_some_and(|there| there.header.hash == block.header.hash)
        });
        let block = on_chain.next()?;
        let (_, place) = block.transactions.iter().find(|(pooled, _)| pooled.hash == transaction)?;
        Some(*place)
    }

    /// Takes signed bytes in. What is dearer takes the place of another with its nonce.
    pub fn submit(&mut self, raw: &Bytes) -> Result<(), String> {
        let hash = keccak256(raw);
        let pooled = match self.known.get(&hash) {
            Some(pooled) => pooled.clone(),
            None => Arc::new(Pooled::read(raw)?),
        };
        self.known.insert(hash, pooled.clone());
        if pooled.nonce < self.head().state.nonce(pooled.sender) {
            return Err("nonce too low".into());
        }
        let same = |other: &Arc<Pooled>| other.sender == pooled.sender && other.nonce == pooled.nonce;
        match self.pool.iter().position(same) {
            Some(at) if self.pool[at].hash == hash => return Err("already known".into()),
            Some(at) if !pooled.replaces(&self.pool[at]) => return Err("replacement transaction underpriced".into()),
            Some(at) => self.pool[at] = pooled,
            None => self.pool.push(pooled),
        }
        Ok(())
    }

    /// Transactions that wait.
    pub fn waiting(&self) -> &[Arc<Pooled>] {
        &self.pool
    }

    /// What waits is forgotten, if `goes` says so.
    pub fn forget(&mut self, mut goes: impl FnMut(&Pooled) -> bool) {
        self.pool.retain(|pooled| !goes(pooled));
    }

    /// Makes a block of what waits, as far as `takes` wants it. `salt` makes it another block than one with the same content.
    pub fn mine(&mut self, time: u64, salt: u64, mut takes: impl FnMut(&Pooled) -> bool) -> Header {
        let head = self.head().clone();
        let number = head.header.number + 1;
        let time = time.max(head.header.time + 1);
        let (mut state, mut taken, mut logs) = (head.state.clone(), vec![], vec![]);
        let offered: Vec<Arc<Pooled>> = self.pool.iter().filter(|pooled| takes(pooled)).cloned().collect();
        let fee = u128::from(self.base_fee);
        // A transaction may wait for one that came in later.
        while let Some(pooled) =
            offered.iter().find(|pooled| pooled.max_fee >= fee && pooled.nonce == state.nonce(pooled.sender)).cloned()
        {
            let done = state.run(environment(number, time, self.base_fee), pooled.transaction(), true);
            let done = done.expect("nonce and fee are right, and there is ether for the gas");
            state.take(&done);
            taken.push((pooled, done));
        }
        let content: Vec<B256> = taken.iter().map(|(pooled, _)| pooled.hash).collect();
        let hash = keccak256((head.header.hash, number, time, salt, content).abi_encode());
        let mut transactions = vec![];
        for (pooled, done) in taken {
            let price = pooled.max_fee.min(fee + pooled.tip);
            let place = Included { block: hash, number, success: done.success, gas: done.gas, price };
            for log in done.logs {
                logs.push(Log {
                    inner: log,
                    block_hash: Some(hash),
                    block_number: Some(number),
                    block_timestamp: None,
                    transaction_hash: Some(pooled.hash),
                    transaction_index: Some(transactions.len() as u64),
                    log_index: Some(logs.len() as u64),
                    removed: false,
                });
            }
            transactions.push((pooled, place));
        }
        state.push_hash(number, hash);
        let header = Header { number, hash, parent: head.header.hash, time, base: u128::from(self.base_fee) };
        let spent = |pooled: &Arc<Pooled>| pooled.nonce < state.nonce(pooled.sender);
        self.pool.retain(|pooled| !spent(pooled));
        self.append(Block { header, state, logs, transactions });
        header
    }

    /// Drops the newest blocks, `depth` of them. What was in them waits again, if `returns` says so; the times that they had.
    pub fn undo(&mut self, depth: usize, mut returns: impl FnMut(&Pooled) -> bool) -> Vec<u64> {
        let dropped = self.chain.split_off(self.chain.len() - depth);
        for (pooled, _) in dropped.iter().flat_map(|block| &block.transactions) {
            if returns(pooled) {
                // Another one with its nonce may wait already.
                let _ = self.submit(&pooled.raw);
            }
        }
        dropped.iter().map(|block| block.header.time).collect()
    }

    /// What a contract answers at a block: its refusal as bytes.
    pub fn ask(&mut self, at: &Block, from: Address, to: Address, input: &Bytes) -> Result<Bytes, ChainError> {
        let key = (at.header.hash, to, input.clone());
        if let Some(answer) = self.answers.get(&key) {
            return answer.clone().map_err(|data| ChainError::Reverted { data });
        }
        let done = at.try_call(from, to, U256::ZERO, input)?;
        let answer = if done.success { Ok(done.output) } else { Err(done.output) };
        self.answers.insert(key, answer.clone());
        answer.map_err(|data| ChainError::Reverted { data })
    }

    /// The same in Rust's types, at the newest block.
    pub fn view<C: SolCall>(&mut self, to: Address, call: &C) -> C::Return {
        let head = self.head().clone();
        self.view_at(&head, to, call)
    }

    /// The same at a block.
    pub fn view_at<C: SolCall>(&mut self, at: &Block, to: Address, call: &C) -> C::Return {
        let answer = self.ask(at, Address::ZERO, to, &call.abi_encode().into()).expect("the contract answers");
        C::abi_decode_returns(&answer).expect("it is of the call's type")
    }

    /// Makes a block with a transaction of this account, which nobody signed.
    fn act(&mut self, from: Address, to: TxKind, input: Bytes) -> Result<(B256, Done), ChainError> {
        let head = self.head().clone();
        let (number, time) = (head.header.number + 1, head.header.time + 1);
        let nonce = head.state.nonce(from);
        let transaction = unsigned(from, to, U256::ZERO, input);
        let done = head.state.run(environment(number, time, 0), TxEnv { nonce, ..transaction }, true)?;
        let mut state = head.state.clone();
        state.take(&done);
        let hash = keccak256((head.header.hash, number, time).abi_encode());
        let log = |(at, log): (usize, &alloy::primitives::Log)| Log {
            inner: log.clone(),
            block_hash: Some(hash),
            block_number: Some(number),
            block_timestamp: None,
            transaction_hash: Some(hash),
            transaction_index: Some(0),
            log_index: Some(at as u64),
            removed: false,
        };
        let logs = done.logs.iter().enumerate().map(log).collect();
        state.push_hash(number, hash);
        let header = Header { number, hash, parent: head.header.hash, time, base: u128::from(self.base_fee) };
        self.append(Block { header, state, logs, transactions: vec![] });
        Ok((hash, done))
    }

    fn append(&mut self, block: Block) {
        for (pooled, _) in &block.transactions {
            self.places.entry(pooled.hash).or_default().push(block.header.hash);
        }
        let block = Arc::new(block);
        self.blocks.insert(block.header.hash, block.clone());
        self.chain.push(block);
    }

    /// Writes a word of a contract's storage into the newest block, as no transaction would.
    pub fn tamper(&mut self, contract: Address, slot: U256, word: U256) {
        let head = self.head().clone();
        let mut state = head.state.clone();
        state.tamper(contract, slot, word);
        let Block { header, logs, transactions, .. } = &*head;
        let block = Block { header: *header, state, logs: logs.clone(), transactions: transactions.clone() };
        self.chain.pop();
        self.append(block);
        self.answers.clear();
    }
}

impl Block {
    /// What a call comes to here, whoever makes it.
    pub fn try_call(&self, from: Address, to: Address, value: U256, input: &Bytes) -> Result<Done, ChainError> {
        let Header { number, time, .. } = self.header;
        self.state.run(environment(number, time, 0), unsigned(from, TxKind::Call(to), value, input.clone()), false)
    }
}

/// What contracts are told of a block.
fn environment(number: u64, time: u64, base_fee: u64) -> BlockEnv {
    let (number, timestamp) = (U256::from(number), U256::from(time));
    BlockEnv { number, timestamp, gas_limit: BLOCK_GAS, basefee: base_fee, ..BlockEnv::default() }
}

/// A transaction that costs nothing.
fn unsigned(caller: Address, kind: TxKind, value: U256, data: Bytes) -> TxEnv {
    TxEnv { caller, kind, value, data, gas_limit: BLOCK_GAS, gas_price: 0, chain_id: None, ..TxEnv::default() }
}
