//! The client for programs that wait: each call returns when the node has answered.

use std::future::Future;
use std::io;
use std::panic::resume_unwind;
use std::sync::LazyLock;
use std::thread;

use alloy::primitives::{Address, Bytes};
use alloy::rpc::types::TransactionReceipt;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use tokio::runtime::{Builder, Handle, Runtime};

use super::client::{Client, Deployed, Sent};
use super::{Artifact, ChainError};

/// Where all requests of this process run, on a thread of its own. It stays to the end: a runtime cannot be dropped in
/// asynchronous code.
static RUNTIME: LazyLock<io::Result<Runtime>> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).thread_name("chain").enable_all().build());

/// A [`Client`] whose calls block, wherever they are made from: in asynchronous code, too, where they hold up their thread.
#[derive(Clone, Debug)]
pub struct Chain {
    runtime: &'static Runtime,
    client: Client,
}

impl Chain {
    /// Connects to the node at `url`; `signer` pays.
    ///
    /// # Errors
    /// If `url` is no address, or the node does not answer.
    pub fn connect(url: &str, signer: PrivateKeySigner) -> Result<Self, ChainError> {
        let runtime = RUNTIME.as_ref().map_err(|error| ChainError::System {
            what: "no runtime for requests",
            source: io::Error::new(error.kind(), error.to_string()),
        })?;
        let client = wait(runtime, Client::connect(url, signer))?;
        Ok(Self { runtime, client })
    }

    /// What does the work, for [`Self::wait`].
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Waits for what is done with [`Self::client`].
    pub fn wait<F: Future<Output: Send> + Send>(&self, future: F) -> F::Output {
        wait(self.runtime, future)
    }

    /// The chain id.
    pub fn id(&self) -> u64 {
        self.client.id()
    }

    /// Who pays.
    pub fn sender(&self) -> Address {
        self.client.sender()
    }

    /// [`Client::deploy`].
    ///
    /// # Errors
    /// As there.
    pub fn deploy(&self, artifact: &Artifact, arguments: &[u8]) -> Result<Deployed, ChainError> {
        self.wait(self.client.deploy(artifact, arguments))
    }

    /// [`Client::call`].
    ///
    /// # Errors
    /// As there.
    pub fn call<C: SolCall<Return: Send> + Sync>(&self, to: Address, call: &C) -> Result<C::Return, ChainError> {
        self.wait(self.client.call(to, call))
    }

    /// [`Client::estimate`].
    ///
    /// # Errors
    /// As there.
    pub fn estimate<C: SolCall + Sync>(&self, to: Address, call: &C) -> Result<u64, ChainError> {
        self.wait(self.client.estimate(to, call))
    }

    /// [`Client::send`].
    ///
    /// # Errors
    /// As there.
    pub fn send<C: SolCall + Sync>(&self, to: Address, call: &C) -> Result<Sent, ChainError> {
        self.wait(self.client.send(to, call))
    }

    /// [`Client::input`].
    ///
    /// # Errors
    /// As there.
    pub fn input(&self, receipt: &TransactionReceipt) -> Result<Bytes, ChainError> {
        self.wait(self.client.input(receipt))
    }

    /// [`Client::block`].
    ///
    /// # Errors
    /// As there.
    pub fn block(&self) -> Result<u64, ChainError> {
        self.wait(self.client.block())
    }
}

/// Waits for a future. A thread that runs asynchronous code must not drive another runtime: there a thread of its own does.
fn wait<F: Future<Output: Send> + Send>(runtime: &Runtime, future: F) -> F::Output {
    if Handle::try_current().is_err() {
        return runtime.block_on(future);
    }
    thread::scope(|scope| scope.spawn(|| runtime.block_on(future)).join()).unwrap_or_else(|panic| resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;
    use std::time::Duration;

    use super::*;

    /// Waits for something that is ready only after a while, and that is not `'static`.
    fn waits() {
        let runtime = RUNTIME.as_ref().expect("there is a runtime");
        let number = 7;
        let answer = wait(runtime, async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            &number
        });
        assert_eq!(*answer, 7);
    }

    #[test]
    fn waiting_works_in_plain_code() {
        waits();
    }

    #[tokio::test]
    async fn waiting_works_on_a_runtime_of_one_thread() {
        waits();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn waiting_works_on_a_runtime_of_many_threads() {
        waits();
        tokio::spawn(async { waits() }).await.expect("nor does it panic in a task");
    }

    #[tokio::test]
    async fn a_panic_comes_through() {
        let runtime = RUNTIME.as_ref().expect("there is a runtime");
        let panic = catch_unwind(|| wait(runtime, async { panic!("as it was said") })).expect_err("it panics");
        assert_eq!(panic.downcast_ref(), Some(&"as it was said"));
    }
}
