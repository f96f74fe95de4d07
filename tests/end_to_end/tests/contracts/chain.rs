//! A chain of this machine, and contracts on it.

use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, Bytes};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use gradproof_chain::{Anvil, Compiler};
use tokio::runtime::Runtime;

use crate::stage::{artifacts, contracts};

/// Gas that a transaction costs before anything is run.
const TRANSACTION_GAS: u64 = 21_000;

/// False, with a word on it, if the tools of the contracts are not installed.
pub fn installed(test: &str) -> bool {
    artifacts(test).is_some()
}

/// A compiled contract.
pub struct Compiled {
    /// Code that deploys it.
    pub creation: Vec<u8>,
    /// Bytes of the deployed code.
    pub code_bytes: usize,
    /// Names of the errors in its interface.
    pub errors: Vec<String>,
}

/// Compiles `source` as `Halo2Verifier.sol`, just as it is for deployment; a warning is a failure.
pub fn compile(source: &str) -> Compiled {
    let compiler = Compiler::new(&contracts()).expect("foundry.toml has all settings");
    let artifact =
        compiler.compile_generated("src/core/Halo2Verifier.sol", source, "Halo2Verifier").expect("it compiles");
    let abi = artifact.abi.as_array().expect("the compiler gives an interface");
    let errors = abi.iter().filter(|entry| entry["type"] == "error");
    Compiled {
        errors: errors.filter_map(|entry| entry["name"].as_str().map(String::from)).collect(),
        creation: artifact.bytecode,
        code_bytes: artifact.runtime.len(),
    }
}

/// A node, which ends with this value.
pub struct Chain {
    _node: Anvil,
    runtime: Runtime,
    provider: DynProvider,
    sender: Address,
}

impl Chain {
    /// A fresh chain, on a port that the system chooses.
    pub fn start() -> Self {
        let node = Anvil::start(&contracts()).expect("the node starts");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("there is a runtime");
        let url = node.url().parse().expect("an address of this machine");
        let provider = runtime.block_on(async { ProviderBuilder::new().connect_http(url).erased() });
        let accounts: Vec<Address> =
            runtime.block_on(provider.raw_request("eth_accounts".into(), ())).expect("the node has accounts");
        Self { _node: node, runtime, provider, sender: accounts[0] }
    }

    fn send(&self, transaction: TransactionRequest) -> TransactionReceipt {
        self.runtime.block_on(async {
            // The node signs for its own accounts.
            let transaction = transaction.with_from(self.sender);
            let receipt = self.provider.raw_request("eth_sendTransactionSync".into(), [transaction]).await;
            receipt.expect("the transaction is in a block")
        })
    }

    /// Deploys a contract.
    pub fn deploy(&self, creation: &[u8]) -> Address {
        let receipt = self.send(TransactionRequest::default().with_deploy_code(Bytes::copy_from_slice(creation)));
        receipt.contract_address.expect("the contract is deployed")
    }

    /// What a call returns, or what it reverts with.
    pub fn call(&self, contract: Address, input: Vec<u8>) -> Result<Bytes, Bytes> {
        self.answer(TransactionRequest::default().with_to(contract).with_input(input))
    }

    /// The same, with so much gas, that of the transaction included.
    pub fn call_with_gas(&self, contract: Address, input: Vec<u8>, gas: u64) -> Result<Bytes, Bytes> {
        self.answer(TransactionRequest::default().with_to(contract).with_input(input).with_gas_limit(gas))
    }

    fn answer(&self, call: TransactionRequest) -> Result<Bytes, Bytes> {
        let answer = self.runtime.block_on(async { self.provider.call(call).await });
        answer.map_err(|error| match error.as_error_resp().map(|payload| payload.as_revert_data()) {
            Some(data) => data.unwrap_or_default(),
            None => panic!("the node does not answer: {error}"),
        })
    }

    /// Gas that a call takes, without what the transaction and its data cost.
    pub fn gas(&self, contract: Address, input: Vec<u8>) -> u64 {
        let data: u64 = input.iter().map(|byte| if *byte == 0 { 4 } else { 16 }).sum();
        let receipt = self.send(TransactionRequest::default().with_to(contract).with_input(input));
        assert!(receipt.status(), "the call succeeds");
        receipt.gas_used - TRANSACTION_GAS - data
    }
}
