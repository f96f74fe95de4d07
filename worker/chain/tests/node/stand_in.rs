//! An endpoint that says its newest block and a number of transactions, each after a time that a test says.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::rpc::types::Log;
use async_trait::async_trait;
use gradproof_chain::{ChainError, Endpoint, Header, Included};
use tokio::time::sleep;

/// The chain of all of them.
pub const CHAIN: u64 = 5;

/// What it says, and when.
#[derive(Clone, Copy, Debug)]
pub struct Saying {
    /// How long it takes to say its newest block; for ever, if there is none.
    pub head_after: Option<Duration>,
    /// The same of everything else.
    pub rest_after: Option<Duration>,
    /// Its newest block. It has those before it as well.
    pub head: Header,
    /// How many transactions anyone has sent; none, if that question fails.
    pub nonce: Option<u64>,
}

/// An endpoint of a test.
#[derive(Debug)]
pub struct StandIn {
    name: String,
    saying: Mutex<Saying>,
    asked: AtomicUsize,
}

/// The block with a number.
pub fn block(number: u64) -> Header {
    let hash = |number: u64| B256::from(U256::from(number));
    Header { number, hash: hash(number), parent: hash(number.wrapping_sub(1)), time: number * 12, base: 0 }
}

impl StandIn {
    /// One that says everything after so many milliseconds.
    pub fn new(name: &str, ms: u64) -> Self {
        let after = Some(Duration::from_millis(ms));
        let saying = Saying { head_after: after, rest_after: after, head: block(100), nonce: Some(7) };
        Self { name: name.to_owned(), saying: Mutex::new(saying), asked: AtomicUsize::new(0) }
    }

    /// Changes what it says.
    pub fn set(&self, change: impl FnOnce(&mut Saying)) {
        change(&mut self.saying.lock().expect("no test panicked"));
    }

    /// How many questions it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    async fn say<T>(&self, after: impl Fn(&Saying) -> Option<Duration>, what: impl Fn(&Saying) -> T) -> T {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let saying = *self.saying.lock().expect("no test panicked");
        match after(&saying) {
            Some(Duration::ZERO) => (),
            Some(after) => sleep(after).await,
            None => std::future::pending().await,
        }
        what(&saying)
    }

    async fn later<T>(&self, what: impl Fn(&Saying) -> T) -> T {
        self.say(|saying| saying.rest_after, what).await
    }

    async fn never<T>(&self) -> Result<T, ChainError> {
        std::future::pending().await
    }
}

#[async_trait]
impl Endpoint for StandIn {
    fn name(&self) -> &str {
        &self.name
    }
    async fn chain_id(&self) -> Result<u64, ChainError> {
        Ok(CHAIN)
    }
    async fn head(&self) -> Result<Header, ChainError> {
        Ok(self.say(|saying| saying.head_after, |saying| saying.head).await)
    }
    async fn header_by_number(&self, number: u64) -> Result<Option<Header>, ChainError> {
        let header = |saying: &Saying| match number.cmp(&saying.head.number) {
            std::cmp::Ordering::Less => Some(block(number)),
            std::cmp::Ordering::Equal => Some(saying.head),
            std::cmp::Ordering::Greater => None,
        };
        Ok(self.later(header).await)
    }
    async fn header_by_hash(&self, _: B256) -> Result<Option<Header>, ChainError> {
        self.never().await
    }
    async fn call(&self, _: B256, _: Address, _: Address, _: Bytes) -> Result<Bytes, ChainError> {
        self.never().await
    }
    async fn logs(&self, _: B256, _: &[Address]) -> Result<Vec<Log>, ChainError> {
        self.never().await
    }
    async fn logs_between(&self, _: u64, _: u64, _: &[Address]) -> Result<Vec<Log>, ChainError> {
        self.never().await
    }
    async fn nonce(&self, _: Address, _: B256) -> Result<u64, ChainError> {
        let failed =
            || ChainError::Endpoint { endpoint: self.name.clone(), what: "nonce".into(), message: "gone".into() };
        self.later(|saying| saying.nonce).await.ok_or_else(failed)
    }
    async fn balance(&self, _: Address, _: B256) -> Result<U256, ChainError> {
        self.never().await
    }
    async fn code_hash(&self, _: Address, _: B256) -> Result<B256, ChainError> {
        self.never().await
    }
    async fn receipt(&self, _: B256) -> Result<Option<Included>, ChainError> {
        self.never().await
    }
    async fn broadcast(&self, _: &Bytes) -> Result<(), ChainError> {
        self.later(|_| Ok(())).await
    }
    async fn estimate(&self, _: Address, _: Address, _: U256, _: Bytes) -> Result<u64, ChainError> {
        Ok(self.later(|_| 21_000).await)
    }
    async fn tip(&self) -> Result<u128, ChainError> {
        Ok(self.later(|_| 1).await)
    }
}
