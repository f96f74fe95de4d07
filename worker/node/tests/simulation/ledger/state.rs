//! All accounts at a block, and what a transaction or a question does there: the compiled contracts in `revm`.

use std::collections::HashMap;
use std::sync::Arc;

use alloy::primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use gradproof_chain::{ChainError, LOCAL_CHAIN};
use revm::context::result::{ExecutionResult, ResultAndState};
use revm::context::{BlockEnv, Context, TxEnv};
use revm::database_interface::ErasedError;
use revm::primitives::hardfork::SpecId;
use revm::state::{AccountInfo, Bytecode, EvmState};
use revm::{DatabaseRef, ExecuteEvm, MainBuilder, MainContext};

/// Gas of a block, and of a question.
pub const BLOCK_GAS: u64 = 60_000_000;
/// Hashes of blocks that contracts can ask for.
const HASHES: u64 = 256;

/// An account with its storage.
#[derive(Clone, Debug, Default)]
struct Held {
    info: AccountInfo,
    storage: HashMap<U256, U256>,
}

/// The hash of a block, and those before it.
#[derive(Debug)]
pub struct Hashes {
    number: u64,
    hash: B256,
    before: Option<Arc<Hashes>>,
}

/// All accounts at a block. A copy shares what did not change since.
#[derive(Clone, Debug, Default)]
pub struct State {
    accounts: HashMap<Address, Arc<Held>>,
    hashes: Option<Arc<Hashes>>,
}

/// What a transaction came to.
pub struct Done {
    pub success: bool,
    pub gas: u64,
    /// Gas that it needs at least to come to that.
    pub needed: u64,
    pub output: Bytes,
    pub logs: Vec<alloy::primitives::Log>,
    pub created: Option<Address>,
    changes: EvmState,
}

impl Drop for Hashes {
    fn drop(&mut self) {
        // One after the other: a long chain would not fit onto the stack.
        let mut before = self.before.take();
        while let Some(mut alone) = before.and_then(Arc::into_inner) {
            before = alone.before.take();
        }
    }
}

impl State {
    /// The hash of a block that is made here is known from now on.
    pub fn push_hash(&mut self, number: u64, hash: B256) {
        self.hashes = Some(Arc::new(Hashes { number, hash, before: self.hashes.take() }));
    }

    pub fn nonce(&self, account: Address) -> u64 {
        self.accounts.get(&account).map_or(0, |held| held.info.nonce)
    }

    pub fn balance(&self, account: Address) -> U256 {
        self.accounts.get(&account).map_or(U256::ZERO, |held| held.info.balance)
    }

    /// keccak256 of the code at an address, zero where there is none.
    pub fn code_hash(&self, account: Address) -> B256 {
        let hash = self.accounts.get(&account).map_or(B256::ZERO, |held| held.info.code_hash);
        if hash == KECCAK256_EMPTY { B256::ZERO } else { hash }
    }

    /// Gives an account ether.
    pub fn endow(&mut self, account: Address, wei: U256) {
        Arc::make_mut(self.accounts.entry(account).or_default()).info.balance = wei;
    }

    /// Writes a word of a contract's storage, as no transaction would.
    pub fn tamper(&mut self, account: Address, slot: U256, word: U256) {
        Arc::make_mut(self.accounts.entry(account).or_default()).storage.insert(slot, word);
    }

    /// Runs a transaction; nothing changes yet.
    pub fn run(&self, block: BlockEnv, transaction: TxEnv, counts: bool) -> Result<Done, ChainError> {
        let mut evm = Context::mainnet()
            .modify_cfg_chained(|cfg| {
                cfg.set_spec_and_mainnet_gas_params(SpecId::PRAGUE);
                cfg.chain_id = LOCAL_CHAIN;
                cfg.disable_nonce_check = !counts;
            })
            .with_ref_db(self)
            .with_block(block)
            .build_mainnet();
        let ran = evm.transact(transaction).map_err(|error| ChainError::Node(format!("{error:?}")))?;
        Ok(Done::of(ran))
    }

    /// Takes what a transaction changed.
    pub fn take(&mut self, done: &Done) {
        for (address, account) in &done.changes {
            if !account.is_touched() {
                continue;
            }
            let held = Arc::make_mut(self.accounts.entry(*address).or_default());
            held.info = account.info.clone();
            held.storage.extend(account.storage.iter().map(|(slot, word)| (*slot, word.present_value)));
        }
    }
}

impl Done {
    fn of(ran: ResultAndState) -> Self {
        let created = ran.result.created_address();
        let (success, used) = match &ran.result {
            ExecutionResult::Success { gas, .. } => (true, gas),
            ExecutionResult::Revert { gas, .. } | ExecutionResult::Halt { gas, .. } => (false, gas),
        };
        let (gas, needed) = (used.tx_gas_used(), used.total_gas_spent().max(used.floor_gas()));
        let output = ran.result.output().cloned().unwrap_or_default();
        let logs = if success { ran.result.into_logs() } else { vec![] };
        Self { success, gas, needed, output, logs, created, changes: ran.state }
    }
}

impl DatabaseRef for State {
    type Error = ErasedError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, ErasedError> {
        Ok(self.accounts.get(&address).map(|held| held.info.clone()))
    }

    fn code_by_hash_ref(&self, _: B256) -> Result<Bytecode, ErasedError> {
        // Accounts have their code with them.
        Ok(Bytecode::default())
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, ErasedError> {
        let held = self.accounts.get(&address);
        Ok(held.and_then(|held| held.storage.get(&slot)).copied().unwrap_or_default())
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, ErasedError> {
        let mut at = self.hashes.as_ref();
        for _ in 0..HASHES {
            match at {
                Some(hashes) if hashes.number == number => return Ok(hashes.hash),
                Some(hashes) => at = hashes.before.as_ref(),
                None => break,
            }
        }
        Ok(B256::ZERO)
    }
}
