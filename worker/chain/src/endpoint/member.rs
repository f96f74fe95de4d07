//! One endpoint of several.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::Endpoint;
use super::rest::{Rest, Slow};
use crate::{ChainError, Header};

/// How long an endpoint may take to say its newest block: less than a block takes on the chains that the market counts blocks of.
pub(super) const HEAD: Duration = Duration::from_secs(5);
/// Heads of an endpoint that are remembered: a look is made for each block or so, and few are further apart.
const HEADS: usize = 8;

/// An endpoint, and what it said of itself.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) endpoint: Arc<dyn Endpoint>,
    /// Whether it said that it is of this chain. One that does not answer at the start is asked again.
    known: AtomicBool,
    /// Its heads of the last looks. One that is a block ahead said the block of the other before, and need not be asked for it: if it has
    /// undone that since, it fails when it is read.
    heads: Mutex<VecDeque<Header>>,
    rest: Mutex<Rest>,
}

impl Member {
    /// Whether it said that it is of the chain.
    pub(super) fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    /// An endpoint that was not asked anything yet.
    pub(super) fn new(endpoint: Arc<dyn Endpoint>) -> Self {
        Self { endpoint, known: AtomicBool::new(false), heads: Mutex::default(), rest: Mutex::default() }
    }

    /// A new look at all endpoints begins.
    pub(super) fn look(&self) {
        self.rest().look(Instant::now());
    }

    /// It did not answer in time.
    pub(super) fn was(&self, slow: Slow) {
        self.rest().was(slow, Instant::now());
    }

    /// It answered in time.
    pub(super) fn was_in_time(&self) {
        self.rest().was_in_time();
    }

    /// How slow it was, while it is not waited for.
    pub(super) fn slow(&self) -> Option<Slow> {
        self.rest().slow()
    }

    /// Whether it is slow not just by chance.
    pub(super) fn is_slow(&self) -> bool {
        self.rest().is_slow()
    }

    /// What is said of it where it was not waited for.
    pub(super) fn outrun(&self) -> ChainError {
        ChainError::Slow { endpoint: self.endpoint.name().to_owned() }
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a block was its head at one of the last looks.
    pub(super) fn has_said(&self, header: &Header) -> bool {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).contains(header)
    }

    /// Compares its chain, until it has said it once.
    pub(super) async fn check(&self, chain: u64) -> Result<(), ChainError> {
        if self.known.load(Ordering::Relaxed) {
            return Ok(());
        }
        let late = |_| Err(ChainError::Late { endpoint: self.endpoint.name().to_owned(), within: HEAD });
        let got = timeout(HEAD, self.endpoint.chain_id()).await.unwrap_or_else(late)?;
        if got != chain {
            let endpoint = self.endpoint.name().to_owned();
            return Err(ChainError::OtherChain { endpoint, expected: chain, got });
        }
        self.known.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Its newest block, if it is of this chain.
    pub(super) async fn head(&self, chain: u64) -> Result<Header, ChainError> {
        self.check(chain).await?;
        let late = |_| Err(ChainError::Late { endpoint: self.endpoint.name().to_owned(), within: HEAD });
        let head = timeout(HEAD, self.endpoint.head()).await.unwrap_or_else(late)?;
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        if heads.back() != Some(&head) {
            heads.push_back(head);
        }
        let surplus = heads.len().saturating_sub(HEADS);
        heads.drain(..surplus);
        Ok(head)
    }
}
