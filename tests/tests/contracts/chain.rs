//! A chain of this machine, and contracts on it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, Bytes};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Gas that a transaction costs before anything is run.
const TRANSACTION_GAS: u64 = 21_000;

fn contracts() -> PathBuf {
    gradproof_tests::root().join("contracts")
}

/// False, with a word on it, if the tools of the contracts are not installed.
pub fn installed(test: &str) -> bool {
    let is = contracts().join("node_modules").join(".bin").join("anvil").exists();
    if !is {
        gradproof_tests::skip(test, "the tools of the contracts", "`npm ci` in contracts/ installs them");
    }
    is
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

/// Compiles `source` as `Halo2Verifier.sol`, as the configuration of the contracts says; a warning is a failure.
pub fn compile(source: &str) -> Compiled {
    let interface = std::fs::read_to_string(contracts().join("src").join("IHalo2Verifier.sol"));
    let input = json!({
        "language": "Solidity",
        "sources": {
            "Halo2Verifier.sol": { "content": source },
            "IHalo2Verifier.sol": { "content": interface.expect("the interface can be read") },
        },
        "settings": {
            "viaIR": true,
            "evmVersion": "prague",
            "optimizer": { "enabled": true, "runs": 1000 },
            "metadata": { "bytecodeHash": "none", "appendCBOR": false },
            "outputSelection": { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
        },
    });
    let mut compiler = Command::new("node")
        .arg(contracts().join("tools").join("solc"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the compiler can be started");
    let mut stdin = compiler.stdin.take().expect("its input is a pipe");
    stdin.write_all(input.to_string().as_bytes()).expect("it reads its input");
    drop(stdin);
    let output = compiler.wait_with_output().expect("the compiler ends");
    let output: Value = serde_json::from_slice(&output.stdout).expect("the compiler answers with JSON");
    assert!(output["errors"].as_array().is_none_or(Vec::is_empty), "{:#}", output["errors"]);
    let contract = &output["contracts"]["Halo2Verifier.sol"]["Halo2Verifier"];
    let code = |which: &str| {
        let hex = contract["evm"][which]["object"].as_str().expect("the compiler gives code");
        alloy::hex::decode(hex).expect("code is hexadecimal")
    };
    let abi = contract["abi"].as_array().expect("the compiler gives an interface");
    let errors = abi.iter().filter(|entry| entry["type"] == "error");
    Compiled {
        creation: code("bytecode"),
        code_bytes: code("deployedBytecode").len(),
        errors: errors.filter_map(|entry| entry["name"].as_str().map(String::from)).collect(),
    }
}

/// A node, which ends with this value.
pub struct Chain {
    node: Child,
    runtime: Runtime,
    provider: DynProvider,
    sender: Address,
}

impl Drop for Chain {
    fn drop(&mut self) {
        // The launcher and the node that it launched are one group.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.node.id())]).status();
        let _ = self.node.wait();
    }
}

impl Chain {
    /// A fresh chain, on a port that the system chooses.
    pub fn start() -> Self {
        let mut node = Command::new(contracts().join("node_modules").join(".bin").join("anvil"))
            .args(["--port", "0", "--hardfork", "prague"])
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("the node can be started");
        let mut lines = BufReader::new(node.stdout.take().expect("its output is a pipe")).lines();
        let address = lines
            .find_map(|line| line.ok()?.strip_prefix("Listening on ").map(String::from))
            .expect("the node says where it listens");
        // What it says later is read, so that it never waits.
        std::thread::spawn(move || lines.for_each(drop));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("there is a runtime");
        let url = format!("http://{address}").parse().expect("an address of this machine");
        let provider = runtime.block_on(async { ProviderBuilder::new().connect_http(url).erased() });
        let accounts: Vec<Address> =
            runtime.block_on(provider.raw_request("eth_accounts".into(), ())).expect("the node has accounts");
        Self { node, runtime, provider, sender: accounts[0] }
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
        let call = TransactionRequest::default().with_to(contract).with_input(input);
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
