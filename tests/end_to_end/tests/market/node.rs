//! A node whose clock a test can turn.

use alloy::primitives::{Address, U256};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use gradproof_chain::{Anvil, PrivateKeySigner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::scene::contracts;

/// A local node, and what only such a node does.
pub struct Node {
    anvil: Anvil,
    runtime: Runtime,
    provider: DynProvider,
}

impl Node {
    /// Starts a node.
    pub fn start() -> Self {
        let anvil = Anvil::start(&contracts()).expect("the node starts");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("there is a runtime");
        let url = anvil.url().parse().expect("an address of this machine");
        let provider = runtime.block_on(async { ProviderBuilder::new().connect_http(url).erased() });
        Self { anvil, runtime, provider }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        self.anvil.url()
    }

    /// The key of an account with funds.
    pub fn signer(&self) -> PrivateKeySigner {
        self.anvil.signer()
    }

    /// The key of another account with funds.
    pub fn other_signer(&self) -> PrivateKeySigner {
        self.anvil.other_signer()
    }

    /// Lets time pass, to a block after it.
    pub fn pass(&self, secs: u32) {
        self.request("evm_increaseTime", json!([secs]));
        self.request("evm_mine", json!([]));
    }

    /// Makes so many empty blocks.
    pub fn mine(&self, blocks: u32) {
        self.request("anvil_mine", json!([blocks]));
    }

    /// Remembers the chain as it is.
    pub fn snapshot(&self) -> Value {
        self.request("evm_snapshot", json!([]))
    }

    /// Goes back to what was remembered.
    pub fn back_to(&self, snapshot: &Value) {
        self.request("evm_revert", json!([snapshot]));
    }

    /// Gives an account ether, for gas.
    pub fn fund(&self, account: Address) {
        self.request("anvil_setBalance", json!([account, U256::from(10u64.pow(18))]));
    }

    /// Puts code at an address.
    pub fn set_code(&self, account: Address, code: &str) {
        self.request("anvil_setCode", json!([account, code]));
    }

    fn request(&self, method: &'static str, parameters: Value) -> Value {
        let answer: Result<Value, _> = self.runtime.block_on(self.provider.raw_request(method.into(), parameters));
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }
}
