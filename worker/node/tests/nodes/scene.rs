//! A local chain with a market, whose verifier is a stand-in; time and blocks pass when a test says so.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use alloy::primitives::{address, keccak256};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use gradproof_chain::market::{
    ColumnCounts, ComputeToken, Contract, Deployment, MarketCode, Money, StakeVault, State, TrainingMarket, Verifier,
    terms,
};
use gradproof_chain::{Address, Anvil, Artifact, B256, Chain, Compiler, Reader, Sent, SolCall, SolValue, U256};
use gradproof_node::facts::Secrets;
use serde_json::{Value, json};

use crate::workshop::{BATCH, DATA, FIRST, RATE, ROWS, SEGMENTS, STEPS};

/// Price of a segment, in tokens.
pub const PRICE: u64 = 100;
/// Segments of a batch.
pub const EVERY: u8 = 3;
/// Price of a batch, and the bond, in tokens.
pub const BATCH_PRICE: u64 = PRICE * EVERY as u64;
/// What not starting costs, and a stop: a hundredth of a batch, in tokens.
pub const FEE: u64 = BATCH_PRICE / 100;
/// What each account has at first, in tokens.
pub const FORTUNE: u64 = 10_000;
/// What of it a provider puts into the vault, in tokens.
pub const STAKE: u64 = 1_000;
/// What a member of a committee is paid for its word, in tokens.
pub const WORD: u64 = 1;
/// Bond of a complaint, and what a requester puts into the vault for it, in tokens.
pub const COMPLAINT: u64 = 3;
/// What backs a member's words, and what it puts into the vault, in tokens.
pub const BACKING: u64 = 50;
/// Where burnt tokens go.
pub const BURNT: Address = address!("000000000000000000000000000000000000dEaD");
/// How long a test waits for anything.
const WITHIN: Duration = Duration::from_secs(120);
/// How long between two looks at what is waited for.
const PAUSE: Duration = Duration::from_millis(20);
/// Looks between two blocks: half of a node's look, so that nodes see about each second block.
const LOOKS_A_BLOCK: u32 = 12;

/// So many tokens, in their smallest unit.
pub fn tokens(count: u64) -> U256 {
    U256::from(count) * U256::from(10u64.pow(18))
}

/// The market's code and that of the stand-ins.
struct Code {
    market: MarketCode,
    verifier: Artifact,
    circuit: Artifact,
}

/// A chain with a market.
pub struct Scene {
    anvil: Anvil,
    /// Whose account is nobody's in the trade: it deployed, and makes calls that anyone can make.
    pub chain: Chain,
    provider: DynProvider,
    pub deployment: Deployment,
}

/// What an account has in the end, in tokens.
pub struct Balance {
    pub who: &'static str,
    pub account: Address,
    pub tokens: u64,
    pub stake: u64,
}

fn contracts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts")
}

/// Compiles once for all tests; `None` where the tools of the contracts are not installed.
fn code() -> Option<&'static Code> {
    static CODE: OnceLock<Option<Code>> = OnceLock::new();
    let compile = || {
        let contracts = contracts();
        contracts.join("node_modules").join(".package-lock.json").exists().then(|| {
            let compiler = Compiler::with_profile(&contracts, "default").expect("the compiler is there");
            let mock = |file: &str, name| compiler.compile_file(file, name).expect("the stand-ins compile");
            Code {
                market: MarketCode::compile(&contracts).expect("the market compiles"),
                verifier: mock("test/mocks/Verifiers.sol", "MockVerifier"),
                circuit: mock("test/mocks/MockHalo2Verifier.sol", "MockHalo2Verifier"),
            }
        })
    };
    CODE.get_or_init(compile).as_ref()
}

/// Says that a test is skipped, as `cargo xtask test` counts it.
fn skip(test: &str) {
    let line = format!("{test}: needs the tools of the contracts; `cargo xtask contracts` installs them");
    assert!(std::env::var_os("GRADPROOF_NO_SKIP").is_none_or(|value| value != "1"), "{line}");
    match std::env::var_os("GRADPROOF_SKIPS") {
        Some(path) => {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            file.and_then(|mut file| writeln!(file, "{line}")).expect("the list can be written");
        }
        None => eprintln!("skipped {line}"),
    }
}

impl Scene {
    /// Starts the chain and deploys; `None`, and it is said, where the tools are not installed.
    pub fn start(test: &str) -> Option<Self> {
        let Some(code) = code() else {
            skip(test);
            return None;
        };
        let anvil = Anvil::start(&contracts()).expect("the node starts");
        let chain = Chain::connect(anvil.url(), anvil.signer()).expect("the node answers");
        let made = code.market.deploy(chain.client(), Money::Own(chain.sender()));
        let mut deployment = chain.wait(made).expect("the market deploys");
        deployment.verifiers.push(stand_in(&chain, code));
        let url = anvil.url().parse().expect("an address of this machine");
        let provider = chain.wait(async { ProviderBuilder::new().connect_http(url).erased() });
        Some(Self { anvil, chain, provider, deployment })
    }

    /// Where the node of the chain listens.
    pub fn url(&self) -> &str {
        self.anvil.url()
    }

    /// The terms of the stand-in's job: all of a batch is proven.
    pub fn terms(&self) -> TrainingMarket::Terms {
        let verifier = &self.deployment.verifiers[0];
        let training = TrainingMarket::Training {
            verifier: verifier.segment.address,
            verifierCode: verifier.segment.code_hash,
            halo2: verifier.halo2.address,
            halo2Code: verifier.halo2.code_hash,
            graph: keccak256("graph"),
            subject: B256::ZERO,
            order: B256::ZERO,
            chained: true,
            dataRoot: DATA,
            rows: ROWS,
            segments: SEGMENTS as u32,
            first: FIRST,
            rates: vec![RATE.into()],
            dataset: B256::ZERO,
            royaltyBps: 0,
        };
        terms(training, tokens(PRICE).to(), EVERY)
    }

    /// The same, with a committee of these.
    pub fn judged_terms(&self, mut members: Vec<Address>) -> TrainingMarket::Terms {
        let mut terms = self.terms();
        members.sort_unstable();
        terms.committee.threshold = (members.len() / 2 + 1) as u8;
        terms.committee.members = members;
        (terms.committee.fee, terms.committee.stake) = (tokens(WORD).to(), tokens(BACKING).to());
        terms.price.complaintBond = tokens(COMPLAINT).to();
        terms
    }

    /// The same, of each batch of which one segment is drawn, with the secrets that draw.
    pub fn drawn_terms(&self) -> (TrainingMarket::Terms, Secrets) {
        let secrets = Secrets { last: B256::repeat_byte(0x5e), batches: SEGMENTS / u64::from(EVERY) };
        let mut terms = self.terms();
        terms.batches.draws = 1;
        terms.batches.tip = secrets.tip().expect("it has batches");
        (terms, secrets)
    }

    /// Waits for something, and makes a block now and then.
    #[track_caller]
    pub fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        self.wait(what, WITHIN, is_so, true);
    }

    /// The same for something that may take longer.
    #[track_caller]
    pub fn until_within(&self, what: &str, within: Duration, is_so: impl Fn() -> bool) {
        self.wait(what, within.max(WITHIN), is_so, true);
    }

    /// Waits for something. There are blocks for transactions only.
    #[track_caller]
    pub fn until_without_blocks(&self, what: &str, is_so: impl Fn() -> bool) {
        self.wait(what, WITHIN, is_so, false);
    }

    #[track_caller]
    fn wait(&self, what: &str, within: Duration, is_so: impl Fn() -> bool, blocks: bool) {
        let begin = Instant::now();
        for look in 0u32.. {
            if is_so() {
                return;
            }
            assert!(begin.elapsed() < within, "not within {within:?}: {what}");
            if blocks && look % LOOKS_A_BLOCK == LOOKS_A_BLOCK - 1 {
                self.mine(1);
            }
            thread::sleep(PAUSE);
        }
    }

    /// Makes empty blocks, or such with what waits.
    pub fn mine(&self, blocks: u32) {
        // `anvil_mine` with a count makes them at once, and takes waiting transactions into the first.
        self.request("anvil_mine", json!([blocks]));
    }

    /// Lets time pass, to a block after it.
    pub fn pass(&self, secs: u32) {
        self.request("evm_increaseTime", json!([secs]));
        self.mine(1);
    }

    /// Whether a transaction makes a block.
    pub fn automine(&self, on: bool) {
        self.request("evm_setAutomine", json!([on]));
    }

    /// Forgets all transactions that are in no block.
    pub fn drop_transactions(&self) {
        self.request("anvil_dropAllTransactions", json!([]));
    }

    /// Remembers the chain as it is.
    pub fn snapshot(&self) -> Value {
        self.request("evm_snapshot", json!([]))
    }

    /// Goes back to what was remembered.
    pub fn back_to(&self, snapshot: &Value) {
        assert_eq!(self.request("evm_revert", json!([snapshot])), json!(true));
    }

    /// Number of the newest block.
    pub fn block(&self) -> u64 {
        self.chain.wait(self.chain.client().block()).expect("the node answers")
    }

    /// Gives an account ether for gas, and tokens.
    pub fn endow(&self, account: Address, count: u64) {
        self.request("anvil_setBalance", json!([account, U256::from(10u64.pow(19))]));
        if count > 0 {
            let transfer = ComputeToken::transferCall { to: account, value: tokens(count) };
            self.send(self.deployment.token.address, &transfer);
        }
    }

    /// Transactions that an account has sent.
    pub fn sent_by(&self, account: Address) -> u64 {
        let count = self.request("eth_getTransactionCount", json!([account, "latest"]));
        let digits = count.as_str().and_then(|text| text.strip_prefix("0x")).expect("a number");
        u64::from_str_radix(digits, 16).expect("a number")
    }

    /// A call by nobody in particular.
    pub fn send<C: SolCall + Sync>(&self, to: Address, call: &C) -> Sent {
        self.chain.send(to, call).expect("the contract takes it")
    }

    /// Asks a contract, as it is in the newest block: what waits for the next one is not there.
    pub fn ask<C: SolCall<Return: Send> + Sync>(&self, to: Address, call: &C) -> C::Return {
        self.chain.wait(async {
            let newest = self.chain.client().at_head().await.expect("the node answers");
            newest.ask(to, call).await.expect("it answers")
        })
    }

    pub fn market(&self) -> Address {
        self.deployment.market.address
    }

    pub fn job(&self, id: B256) -> TrainingMarket::Job {
        self.ask(self.market(), &TrainingMarket::jobOfCall { id })
    }

    /// Whether the job is in this state.
    pub fn is(&self, id: B256, state: State) -> bool {
        self.job(id).state == state as u8
    }

    /// What the market owes an account.
    pub fn owed(&self, account: Address) -> U256 {
        self.ask(self.market(), &TrainingMarket::owedCall { account })
    }

    /// What the vault owes an account.
    pub fn owed_bonds(&self, account: Address) -> U256 {
        self.ask(self.deployment.vault.address, &StakeVault::owedCall { account })
    }

    /// Prints what accounts have, and compares it with what is expected, to the unit. Nothing may be left in the market.
    #[track_caller]
    pub fn balances(&self, expected: &[Balance], burnt: u64) {
        let token = self.deployment.token.address;
        let held = |account| self.ask(token, &ComputeToken::balanceOfCall { account });
        println!("{:<12}{:>26}{:>26}", "", "tokens", "stake");
        for Balance { who, account, tokens: count, stake } in expected {
            let free = self.ask(self.deployment.vault.address, &StakeVault::freeCall { owner: *account });
            println!("{who:<12}{:>26}{free:>26}", held(*account));
            assert_eq!(held(*account), tokens(*count), "tokens of the {who}");
            assert_eq!(free, tokens(*stake), "stake of the {who}");
            assert_eq!(self.owed(*account), U256::ZERO, "owed to the {who}");
        }
        let vault = self.deployment.vault.address;
        let of_bonds = self.ask(vault, &StakeVault::owedCall { account: BURNT });
        let burnt_by_now = self.owed(BURNT) + of_bonds + held(BURNT);
        println!("{:<12}{burnt_by_now:>26}", "burnt");
        assert_eq!(burnt_by_now, tokens(burnt), "burnt");
        assert_eq!(held(self.market()), self.owed(BURNT), "tokens left in the market");
        let stakes = expected.iter().map(|balance| balance.stake).sum();
        assert_eq!(held(vault), tokens(stakes) + of_bonds, "tokens left in the vault");
    }

    fn request(&self, method: &'static str, parameters: Value) -> Value {
        let answer: Result<Value, _> = self.chain.wait(self.provider.raw_request(method.into(), parameters));
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }
}

/// Deploys the stand-in verifier, which takes the hash of a segment for its proof.
fn stand_in(chain: &Chain, code: &Code) -> Verifier {
    /// `Mode.Check` of the stand-in.
    const CHECK: u8 = 0;
    let put = |artifact: &Artifact, arguments: Vec<u8>| {
        let made = chain.wait(chain.client().deploy(artifact, &arguments)).expect("it deploys");
        chain.wait(Contract::at(chain.client(), made.address, made.transaction)).expect("the node answers")
    };
    let halo2 = put(&code.circuit, [U256::ZERO; 4].abi_encode());
    let segment = put(&code.verifier, (halo2.address, U256::from(CHECK), true, BATCH, STEPS).abi_encode());
    Verifier {
        key: keccak256("key"),
        setup: keccak256("setup"),
        insecure_setup: true,
        columns: ColumnCounts { vars: 1, data: 1, parameters: 1, trace: 1 },
        segment,
        halo2,
    }
}
