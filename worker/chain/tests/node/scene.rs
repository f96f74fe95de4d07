//! A local node with a contract that counts, and who sends to it.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use alloy::network::TransactionBuilder;
use alloy::primitives::bytes;
use alloy::rpc::types::TransactionRequest;
use alloy::sol;
use alloy::transports::http::reqwest;
use gradproof_chain::{
    Address, Anvil, At, B256, Bytes, ChainError, Endpoint, Endpoints, HttpEndpoint, Intent, Journal, LOCAL_CHAIN,
    Policy, PrivateKeySigner, Reader, Sender, Status, U256, Update,
};
use serde_json::{Value, json};

sol! {
    /// Answers four bytes of call data with how often it was called, reverts for one byte, and counts otherwise.
    function count() external view returns (uint256);
}

/// Makes the contract: its code is behind the first nine bytes. It compares the size of the call data with 4 and 1, and otherwise adds
/// one to its first word and writes an empty log.
const COUNTER: Bytes = bytes!(
    "60268060095f395ff3"
    "368060041460195760011460225760015f54015f555f5fa000"
    "5b5f545f5260205ff3"
    "5b5f5ffd"
);
/// What is sent to it for one more.
const ONE_MORE: Bytes = bytes!("0001020304050607");
/// What it refuses.
pub const REFUSED: Bytes = bytes!("00");
/// One gwei, in wei.
pub const GWEI: u128 = 1_000_000_000;
/// Gas that a call is expected to take at most.
pub const MAX_GAS: u64 = 1 << 20;
/// Blocks that are waited for.
pub const CONFIRMATIONS: u64 = 3;

/// A node, and a contract on it. Blocks are made when a test says so.
pub struct Scene {
    pub node: Anvil,
    pub counter: Address,
    http: reqwest::Client,
}

impl Scene {
    /// Starts it; none, and it is said, where no node is installed.
    pub async fn start(test: &str) -> Option<Self> {
        let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts");
        let node = match Anvil::start(&contracts) {
            Err(ChainError::Missing { .. }) => {
                skip(test);
                return None;
            }
            node => node.expect("the node starts"),
        };
        let mut scene = Self { counter: Address::ZERO, node, http: reqwest::Client::new() };
        // Otherwise it makes them some time after it has answered.
        scene.ask("evm_setAutomine", json!([false])).await;
        let request = TransactionRequest::default().with_from(scene.node.other_signer().address());
        let hash = scene.ask("eth_sendTransaction", json!([request.with_deploy_code(COUNTER)])).await;
        scene.mine(1).await;
        let receipt = scene.ask("eth_getTransactionReceipt", json!([hash])).await;
        scene.counter = serde_json::from_value(receipt["contractAddress"].clone()).expect("a contract");
        Some(scene)
    }

    /// The node, by its other name.
    pub fn url(&self) -> String {
        self.node.url().to_owned()
    }

    /// Asks the node itself.
    pub async fn ask(&self, method: &str, parameters: Value) -> Value {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters });
        let answer = self.http.post(self.node.url()).json(&request).send().await.expect("the node answers");
        let answer: Value = answer.json().await.expect("JSON");
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Adds one without a sender, in a block of its own; the transaction's hash.
    pub async fn add(&self) -> Value {
        let call = json!([{ "from": self.node.signer().address(), "to": self.counter, "input": ONE_MORE }]);
        let hash = self.ask("eth_sendTransaction", call).await;
        self.mine(1).await;
        hash
    }

    /// Makes blocks.
    pub async fn mine(&self, blocks: usize) {
        for _ in 0..blocks {
            self.ask("evm_mine", json!([])).await;
        }
    }

    /// How often the contract was called.
    pub async fn counted(&self) -> u64 {
        let endpoint: Arc<dyn Endpoint> = Arc::new(HttpEndpoint::new(self.node.url()).expect("an address"));
        let head = endpoint.head().await.expect("the node answers");
        At::new(endpoint, head).ask(self.counter, &countCall {}).await.expect("it answers").to()
    }

    pub async fn endpoints(&self, urls: &[&str]) -> Arc<Endpoints> {
        let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
        Arc::new(Endpoints::connect(&urls, LOCAL_CHAIN).await.expect("they answer"))
    }

    /// An intent to add one.
    pub fn one_more(&self, id: &str) -> Intent {
        Intent { id: id.to_owned(), to: self.counter, input: ONE_MORE, value: U256::ZERO, until: None }
    }

    /// How many transactions an account has sent.
    pub async fn nonce(&self, account: Address) -> u64 {
        let nonce = self.ask("eth_getTransactionCount", json!([account, "latest"])).await;
        serde_json::from_value::<U256>(nonce).expect("a number").to()
    }
}

/// Who sends in a test.
pub struct Sending {
    pub sender: Arc<Sender>,
    pub endpoints: Arc<Endpoints>,
}

impl Sending {
    pub fn of(key: PrivateKeySigner, endpoints: &Arc<Endpoints>, journal: &Arc<dyn Journal>) -> Self {
        Self::with(key, endpoints, journal, 1000 * GWEI)
    }

    pub fn with(key: PrivateKeySigner, endpoints: &Arc<Endpoints>, journal: &Arc<dyn Journal>, max_fee: u128) -> Self {
        let policy = Policy { confirmations: CONFIRMATIONS, max_fee, max_tip: 100 * GWEI, max_gas: MAX_GAS };
        let sender = Arc::new(Sender::of(key, endpoints.clone(), journal.clone(), policy));
        Self { sender, endpoints: endpoints.clone() }
    }

    pub async fn submit(&self, intent: Intent) -> Result<Status, ChainError> {
        let sight = self.endpoints.look().await.expect("they answer");
        self.sender.submit(&sight, intent).await
    }

    pub async fn follow(&self) -> Vec<Update> {
        let sight = self.endpoints.look().await.expect("they answer");
        self.sender.follow(&sight).await.expect("they answer")
    }

    /// The status of an intent that is stored.
    pub fn status(&self, id: &str) -> Status {
        let listed = self.sender.list().expect("the journal is read");
        listed.into_iter().find(|listed| listed.record.intent.id == id).expect("it is stored").record.status
    }

    /// The transactions of an intent that is stored.
    pub fn attempts(&self, id: &str) -> Vec<gradproof_chain::Attempt> {
        let listed = self.sender.list().expect("the journal is read");
        listed.into_iter().find(|listed| listed.record.intent.id == id).expect("it is stored").record.attempts
    }
}

/// Whether a transaction is in a block, and did what it was sent for.
pub fn is_done(status: &Status) -> bool {
    matches!(status, Status::Included { place, .. } if place.success)
}

/// A hash that no block has.
pub const NO_BLOCK: B256 = B256::repeat_byte(9);

/// Says that a test is skipped, as `cargo xtask test` counts it.
fn skip(test: &str) {
    let line = format!("{test}: needs a local node; `cargo xtask contracts` installs it");
    assert!(std::env::var_os("GRADPROOF_NO_SKIP").is_none_or(|value| value != "1"), "{line}");
    match std::env::var_os("GRADPROOF_SKIPS") {
        Some(path) => {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            file.and_then(|mut file| writeln!(file, "{line}")).expect("the list can be written");
        }
        None => eprintln!("skipped {line}"),
    }
}
