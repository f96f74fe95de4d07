//! A proxy before a node of the chain, with faults. The tests of nodes (`worker/node/tests/nodes`) use this file as well.

#![expect(dead_code, reason = "each of the two suites uses a part")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use alloy::transports::http::reqwest;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Bytes of a lie about a call: no answer of the market that it stands in for is longer.
const LIE_BYTES: usize = 64 * 32;

/// What is wrong with what a proxy answers.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// The newest block that it has.
    pub ceiling: Option<u64>,
    /// Answers to methods, instead of the node's.
    pub lies: BTreeMap<&'static str, Value>,
    /// Calls of a contract, by their selector, that it answers with zeros.
    pub lie_of: Option<[u8; 4]>,
    /// Methods that it refuses, with these words and code.
    pub refusals: BTreeMap<&'static str, (i64, &'static str)>,
    /// Methods whose answers are lost after the node has them.
    pub lost: Vec<&'static str>,
    /// Most blocks whose events it tells at once.
    pub most_blocks: Option<u64>,
    /// It takes requests, and says nothing.
    pub hangs: bool,
}

/// A proxy that listens until it is dropped.
pub struct Proxy {
    url: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    node: String,
    http: reqwest::Client,
    faults: Mutex<Faults>,
    requests: Mutex<Vec<(String, Value)>>,
    lies: AtomicUsize,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// A proxy before the node at `node`, without faults.
    pub async fn start(node: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State {
            node: node.to_owned(),
            http: reqwest::Client::new(),
            faults: Mutex::default(),
            requests: Mutex::default(),
            lies: AtomicUsize::new(0),
        });
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                tokio::spawn(async move { serve(stream, &state).await });
            }
        });
        Self { url, state, task }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Changes the faults.
    pub fn fault(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.state.faults.lock().expect("no test panicked"));
    }

    /// Answers a method with this from now on.
    pub fn lie(&self, method: &'static str, answer: Value) {
        self.fault(|faults| {
            faults.lies.insert(method, answer);
        });
    }

    /// Answers calls of a contract with this selector with zeros from now on.
    pub fn lie_of(&self, selector: &[u8; 4]) {
        self.fault(|faults| faults.lie_of = Some(*selector));
    }

    /// How many lies about calls it told.
    pub fn lies_told(&self) -> usize {
        self.state.lies.load(Ordering::Relaxed)
    }

    /// Refuses a method from now on.
    pub fn refuse(&self, method: &'static str, code: i64, words: &'static str) {
        self.fault(|faults| {
            faults.refusals.insert(method, (code, words));
        });
    }

    /// The methods of all requests, in order.
    pub fn methods(&self) -> Vec<String> {
        let requests = self.state.requests.lock().expect("no test panicked");
        requests.iter().map(|(method, _)| method.clone()).collect()
    }

    /// Parameters of all requests for a method, in order.
    pub fn requests(&self, method: &str) -> Vec<Value> {
        let requests = self.state.requests.lock().expect("no test panicked");
        requests.iter().filter(|(name, _)| name == method).map(|(_, parameters)| parameters.clone()).collect()
    }
}

/// Answers the requests of one connection.
async fn serve(mut stream: TcpStream, state: &State) {
    while let Some(request) = request(&mut stream).await {
        let Some(answer) = state.answer(request).await else { return };
        let body = answer.to_string();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The body of the next request.
async fn request(stream: &mut TcpStream) -> Option<Value> {
    let mut bytes = vec![];
    loop {
        if let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
            let length =
                text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
            let body = head + 4..head + 4 + length.expect("a request has a length");
            if bytes.len() >= body.end {
                return serde_json::from_slice(&bytes[body]).ok();
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

impl State {
    /// The answer to a request; none if it is lost.
    async fn answer(&self, request: Value) -> Option<Value> {
        let method = request["method"].as_str().expect("a method").to_owned();
        self.requests.lock().expect("no test panicked").push((method.clone(), request["params"].clone()));
        let faults = self.faults.lock().expect("no test panicked").clone();
        if faults.hangs {
            std::future::pending::<()>().await;
        }
        let answer = |key: &str, value: Value| Some(json!({ "jsonrpc": "2.0", "id": request["id"], key: value }));
        if let Some((code, words)) = faults.refusals.get(&*method) {
            return answer("error", json!({ "code": code, "message": words }));
        }
        if let Some(selector) = faults.lie_of
            && method == "eth_call"
            && calls(&request["params"][0], selector)
        {
            self.lies.fetch_add(1, Ordering::Relaxed);
            return answer("result", format!("0x{}", "00".repeat(LIE_BYTES)).into());
        }
        if let Some(lie) = faults.lies.get(&*method) {
            return answer("result", lie.clone());
        }
        let mut parameters = request["params"].clone();
        if let Some(most) = faults.most_blocks
            && let [Some(from), Some(until)] = ["fromBlock", "toBlock"].map(|name| number(&parameters[0][name]))
            && until - from >= most
        {
            return answer("error", json!({ "code": -32005, "message": "too many blocks" }));
        }
        if let Some(ceiling) = faults.ceiling {
            if parameters[0] == "latest" {
                parameters[0] = format!("0x{ceiling:x}").into();
            }
            match self.block_of(&method, &parameters).await {
                Some(block) if block > ceiling && method.starts_with("eth_getBlock") => {
                    return answer("result", Value::Null);
                }
                Some(block) if block > ceiling => {
                    return answer("error", json!({ "code": -32000, "message": "header not found" }));
                }
                _ => (),
            }
        }
        let told = self.ask(&method, parameters).await;
        if faults.lost.contains(&&*method) {
            return None;
        }
        let key = if told.get("error").is_some() { "error" } else { "result" };
        answer(key, told[key].clone())
    }

    /// The number of the block that a request is about.
    async fn block_of(&self, method: &str, parameters: &Value) -> Option<u64> {
        if method == "eth_getBlockByNumber" {
            return number(&parameters[0]);
        }
        let named = |value: &Value| Some(value.get("blockHash")?.clone());
        let hash = match method {
            "eth_getBlockByHash" => parameters[0].clone(),
            _ => parameters.as_array()?.iter().find_map(named)?,
        };
        let block = self.ask("eth_getBlockByHash", json!([hash, false])).await;
        number(&block["result"]["number"])
    }

    async fn ask(&self, method: &str, parameters: Value) -> Value {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters });
        let answer = self.http.post(&self.node).json(&request).send().await.expect("the node answers");
        answer.json().await.expect("JSON")
    }
}

/// A number in hexadecimal.
fn number(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

/// Whether a call has this selector.
fn calls(call: &Value, selector: [u8; 4]) -> bool {
    let digits: String = selector.iter().map(|byte| format!("{byte:02x}")).collect();
    let input = call.get("input").or_else(|| call.get("data"));
    input.and_then(Value::as_str).is_some_and(|input| input.starts_with(&format!("0x{digits}")))
}
