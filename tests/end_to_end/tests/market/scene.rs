//! A market on a node of its own with its parties, and the steps of a job in one line each.

use std::path::PathBuf;
use std::sync::OnceLock;

use alloy::primitives::{Bytes, address, keccak256};
use alloy::signers::SignerSync;
use gradproof_chain::market::{
    ComputeToken, Deployment, Level, MarketCode, NodeRegistry, StakeVault, State, Task, TrainingMarket, domain,
    training,
};
use gradproof_chain::{Address, B256, Chain, ChainError, PrivateKeySigner, Sent, SolCall, SolValue, U256, reason};
use gradproof_tests::forge::wrapped;
use gradproof_tests::{root, skip};
use gradproof_verifier::protocol::statement::Domain;

use crate::node::Node;
use crate::trained::Trained;

/// What every party has in the beginning, in tokens.
pub const FORTUNE: u64 = 1_000_000;
/// Price of a segment.
pub const PRICE: u64 = 100;
/// Bond of the provider.
pub const BOND: u64 = 2400;
/// Bond of a challenger.
pub const CHALLENGE_BOND: u64 = 40;
/// Of a validator for a vote.
pub const FEE: u64 = 1;
/// Stake of each provider and validator.
pub const STAKE: u64 = 10_000;
/// Votes that decide.
pub const THRESHOLD: u64 = 2;
/// Where burnt tokens go.
pub const BURNT: Address = address!("000000000000000000000000000000000000dEaD");
/// The verdict of a validator that agrees.
pub const YES: B256 = B256::with_last_byte(1);

/// In seconds.
pub const HOUR: u32 = 3600;

const PROVIDER: u8 = 1;
const VALIDATOR: u8 = 2;

/// So many tokens, in units of 10^-18.
pub fn tokens(count: u64) -> U256 {
    U256::from(count) * U256::from(10u64.pow(18))
}

fn amount(count: u64) -> u128 {
    u128::from(count) * 10u128.pow(18)
}

/// The folder of the contracts.
pub fn contracts() -> PathBuf {
    root().join("contracts")
}

/// The market's code, compiled once; `None`, and the test skipped, where the tools of the contracts are not installed.
pub fn code(test: &str) -> Option<&'static MarketCode> {
    static CODE: OnceLock<Option<MarketCode>> = OnceLock::new();
    let code = CODE.get_or_init(|| {
        let installed = contracts().join("node_modules").join(".package-lock.json").exists();
        installed.then(|| MarketCode::compile(&contracts()).expect("the contracts compile"))
    });
    if code.is_none() {
        skip(test, "the tools of the contracts", "`cargo xtask contracts` installs them");
    }
    code.as_ref()
}

/// Somebody with a key and funds.
pub struct Party {
    pub chain: Chain,
    pub signer: PrivateKeySigner,
}

impl Party {
    pub fn address(&self) -> Address {
        self.signer.address()
    }

    /// The transaction, or the reason for which the contract refused it.
    pub fn send<C: SolCall + Sync>(&self, to: Address, call: &C) -> Result<Sent, String> {
        match self.chain.send(to, call) {
            Ok(sent) => Ok(sent),
            Err(ChainError::Reverted { data }) => Err(reason(&data)),
            Err(error) => panic!("{error}"),
        }
    }

    /// A signature of 65 bytes.
    fn sign(&self, digest: B256) -> Bytes {
        self.signer.sign_hash_sync(&digest).expect("the key signs").as_bytes().to_vec().into()
    }
}

/// The market and its parties.
pub struct Scene {
    pub node: Node,
    pub deployment: Deployment,
    pub requester: Party,
    pub provider: Party,
    /// Another provider.
    pub partner: Party,
    /// By their places in the committee.
    pub validators: Vec<Party>,
}

/// A market's job as its terms say it.
pub type Terms = TrainingMarket::Terms;

impl Scene {
    /// Deploys everything; providers and validators are registered and have staked.
    pub fn new(code: &MarketCode) -> Self {
        let node = Node::start();
        let deployer = Chain::connect(node.url(), node.signer()).expect("the node answers");
        let made = code.deploy(deployer.client(), deployer.sender(), tokens(10 * FORTUNE));
        let mut deployment = deployer.wait(made).expect("the market deploys");
        let verifier = code.verifier(&wrapped().1).expect("the verifiers compile");
        deployment.verifiers.push(deployer.wait(verifier.deploy(deployer.client())).expect("the verifiers deploy"));
        let party = |number: u8| {
            let signer = PrivateKeySigner::from_bytes(&B256::repeat_byte(number)).expect("a valid key");
            node.fund(signer.address());
            let transfer = ComputeToken::transferCall { to: signer.address(), value: tokens(FORTUNE) };
            deployer.send(deployment.token.address, &transfer).expect("the deployer has all tokens");
            Party { chain: Chain::connect(node.url(), signer.clone()).expect("the node answers"), signer }
        };
        let mut validators: Vec<Party> = [0x41, 0x42, 0x43].map(party).into();
        // Terms name members in ascending order.
        validators.sort_by_key(Party::address);
        let (requester, provider, partner) = (party(0x11), party(0x21), party(0x22));
        let scene = Self { deployment, requester, provider, partner, validators, node };
        for (party, role) in [(&scene.provider, PROVIDER), (&scene.partner, PROVIDER)]
            .into_iter()
            .chain(scene.validators.iter().map(|validator| (validator, VALIDATOR)))
        {
            scene.enrol(party, role);
            scene.stake(party);
        }
        scene
    }

    pub fn market(&self) -> Address {
        self.deployment.market.address
    }

    fn vault(&self) -> Address {
        self.deployment.vault.address
    }

    /// Asks a contract.
    pub fn ask<C: SolCall<Return: Send> + Sync>(&self, contract: Address, call: &C) -> C::Return {
        self.requester.chain.call(contract, call).expect("it answers")
    }

    fn enrol(&self, party: &Party, roles: u8) {
        let nodes = self.deployment.nodes.address;
        let (peer, owner) = (PrivateKeySigner::random(), party.address());
        let digest = self.ask(nodes, &NodeRegistry::registrationDigestCall { peer: peer.address(), owner });
        let signature = peer.sign_hash_sync(&digest).expect("the key signs").as_bytes().to_vec().into();
        let register = NodeRegistry::registerCall {
            peer: peer.address(),
            hot: Address::ZERO,
            roles,
            encryptionKey: keccak256("encryption"),
            addresses: "/ip4/127.0.0.1".into(),
            signature,
        };
        party.send(nodes, &register).expect("the peer signed");
    }

    fn stake(&self, party: &Party) {
        let approve = ComputeToken::approveCall { spender: self.vault(), value: tokens(STAKE) };
        party.send(self.deployment.token.address, &approve).expect("it is the party's own");
        let none = StakeVault::Permit { value: U256::ZERO, deadline: U256::ZERO, v: 0, r: B256::ZERO, s: B256::ZERO };
        let deposit = StakeVault::depositCall { amount: tokens(STAKE), permit: none };
        party.send(self.vault(), &deposit).expect("it is approved");
    }

    /// A permit for the market to take `value` from the requester (EIP-2612).
    fn permit(&self, value: U256) -> TrainingMarket::Permit {
        let (token, owner, deadline) = (self.deployment.token.address, self.requester.address(), U256::MAX);
        let name = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)";
        let nonce = self.ask(token, &ComputeToken::noncesCall { owner });
        let words = (keccak256(name), owner, self.market(), value, nonce, deadline).abi_encode();
        let separator = self.ask(token, &ComputeToken::DOMAIN_SEPARATORCall {});
        let digest = keccak256([&[0x19, 0x01], separator.as_slice(), keccak256(words).as_slice()].concat());
        let signature = self.requester.signer.sign_hash_sync(&digest).expect("the key signs");
        let v = 27 + u8::from(signature.v());
        TrainingMarket::Permit { value, deadline, v, r: signature.r().into(), s: signature.s().into() }
    }

    /// Terms of the job that was trained: prices and durations as in `contracts/test/Scene.sol`.
    pub fn terms(&self, trained: &Trained, level: Level) -> Terms {
        let verifier = self.deployment.verifier(&trained.statement.verifying_key).expect("it is deployed");
        TrainingMarket::Terms {
            training: training(&trained.statement, verifier),
            price: TrainingMarket::Price {
                start: amount(PRICE),
                max: amount(PRICE),
                rampSecs: 0,
                lastShareBps: 2000,
                bond: amount(BOND),
                handBackFee: amount(24),
                challengeBond: amount(CHALLENGE_BOND),
            },
            times: TrainingMarket::Times {
                openSecs: 24 * HOUR,
                startSecs: HOUR,
                runSecs: 48 * HOUR,
                windowSecs: 2 * HOUR,
                answerSecs: HOUR / 2,
                revealSecs: HOUR,
                proveSecs: HOUR / 3,
                deliverSecs: 3 * HOUR,
                complainSecs: 4 * HOUR,
                decideSecs: 5 * HOUR,
            },
            checks: TrainingMarket::Checks { level: level as u8, draws: 0, maxPending: 4, secretHash: B256::ZERO },
            committee: TrainingMarket::Committee {
                members: self.validators.iter().map(Party::address).collect(),
                threshold: THRESHOLD as u8,
                fee: amount(FEE),
                stake: amount(500),
            },
            parent: B256::ZERO,
            rebased: false,
        }
    }

    /// Opens a job of the requester, with a permit for exactly its escrow; its id is known before.
    pub fn open(&self, terms: &Terms, nonce: u64, escrow: U256) -> B256 {
        let nonce = U256::from(nonce);
        let requester = self.requester.address();
        let id = self.ask(self.market(), &TrainingMarket::idOfCall { requester, nonce, terms: terms.clone() });
        let open = TrainingMarket::openCall {
            terms: terms.clone(),
            nonce,
            licence: TrainingMarket::Licence { nonce: U256::ZERO, expiry: U256::ZERO, signature: Bytes::new() },
            permit: self.permit(escrow),
        };
        let sent = self.requester.send(self.market(), &open).expect("the terms are right");
        let opened = sent.receipt.decoded_log::<TrainingMarket::Opened>().expect("there is an event");
        assert_eq!((opened.job, opened.escrow), (id, escrow));
        id
    }

    /// Has `party` accept and start a job: where its proofs then count.
    pub fn start(&self, job: B256, party: &Party) -> Domain {
        let accept = TrainingMarket::acceptCall { id: job, minPrice: tokens(PRICE) };
        party.send(self.market(), &accept).expect("the party is a provider");
        party.send(self.market(), &TrainingMarket::startCall { id: job }).expect("it has accepted");
        domain(self.provider.chain.id(), self.market(), job, party.address())
    }

    pub fn prove(&self, party: &Party, job: B256, index: usize, proof: &[u8]) -> Result<Sent, String> {
        let call = TrainingMarket::proveCall { id: job, index: U256::from(index), proof: proof.to_vec().into() };
        party.send(self.market(), &call)
    }

    pub fn claim(&self, job: B256, index: usize, lasts: &[B256]) {
        let call = TrainingMarket::claimCall { id: job, index: U256::from(index), lasts: lasts.to_vec() };
        self.provider.send(self.market(), &call).expect("it is the next one");
    }

    /// Two members of the committee say yes; somebody else brings their words.
    pub fn attest(&self, job: B256, task: Task, index: usize) {
        let (task, index) = (task as u8, index as u32);
        let subject = TrainingMarket::subjectOfCall { id: job, task, index, verdict: YES };
        let subject = self.ask(self.market(), &subject);
        let attestation = TrainingMarket::Attestation { job, task, index, subject, verdict: YES };
        let digest = self.ask(self.market(), &TrainingMarket::attestationDigestCall { attestation });
        for place in 0..THRESHOLD as usize {
            let signature = self.validators[place].sign(digest);
            let call =
                TrainingMarket::attestCall { id: job, task, index, verdict: YES, place: U256::from(place), signature };
            self.partner.send(self.market(), &call).expect("the member signed");
        }
    }

    /// Hands the weights over, attested and acknowledged: the job is complete.
    pub fn deliver(&self, job: B256) {
        let market = self.market();
        let digest = keccak256("encrypted weights");
        self.provider.send(market, &TrainingMarket::deliverCall { id: job, digest }).expect("all is settled");
        self.in_state(job, State::Delivering);
        self.attest(job, Task::Fetchable, 0);
        self.in_state(job, State::Handed);
        self.requester.send(market, &TrainingMarket::acknowledgeCall { id: job }).expect("it was handed over");
        self.in_state(job, State::Completed);
    }

    pub fn job(&self, job: B256) -> TrainingMarket::Job {
        self.ask(self.market(), &TrainingMarket::jobOfCall { id: job })
    }

    #[track_caller]
    pub fn in_state(&self, job: B256, state: State) {
        assert_eq!(self.job(job).state, state as u8, "not {state:?}");
    }

    /// Lets a team have its earnings of a job.
    pub fn collect(&self, job: B256) {
        self.partner.send(self.market(), &TrainingMarket::collectCall { id: job }).expect("there are some");
    }

    /// Pays everybody what market and vault owe them, burnt tokens included.
    pub fn withdraw(&self) {
        let accounts = self.parties().map(Party::address).chain([BURNT]);
        for account in accounts {
            if self.owed_by_market(account) > U256::ZERO {
                let call = TrainingMarket::withdrawCall { account };
                self.partner.send(self.market(), &call).expect("it is owed");
            }
            if self.owed_by_vault(account) > U256::ZERO {
                self.partner.send(self.vault(), &StakeVault::withdrawCall { account }).expect("it is owed");
            }
        }
    }

    fn parties(&self) -> impl Iterator<Item = &Party> {
        [&self.requester, &self.provider, &self.partner].into_iter().chain(&self.validators)
    }

    /// Tokens of an account.
    pub fn balance(&self, account: Address) -> U256 {
        self.ask(self.deployment.token.address, &ComputeToken::balanceOfCall { account })
    }

    /// Free stake of an account.
    pub fn free(&self, owner: Address) -> U256 {
        self.ask(self.vault(), &StakeVault::freeCall { owner })
    }

    /// What the market owes an account.
    pub fn owed_by_market(&self, account: Address) -> U256 {
        self.ask(self.market(), &TrainingMarket::owedCall { account })
    }

    /// What the vault owes an account.
    pub fn owed_by_vault(&self, account: Address) -> U256 {
        self.ask(self.vault(), &StakeVault::owedCall { account })
    }

    /// Checks the tokens that each party has more, or less, than its fortune without the stake, and its free stake.
    #[track_caller]
    pub fn balances(&self, expected: [Balance; 6]) {
        let staked = |party: &Party| if party.address() == self.requester.address() { 0 } else { STAKE };
        for (party, Balance { who, gained, stake }) in self.parties().zip(expected) {
            let fortune = tokens(FORTUNE) - tokens(staked(party));
            let due =
                if gained < 0 { fortune - tokens(gained.unsigned_abs()) } else { fortune + tokens(gained as u64) };
            assert_eq!(self.balance(party.address()), due, "tokens of the {who}");
            assert_eq!(self.free(party.address()), tokens(stake), "stake of the {who}");
        }
    }
}

/// What a party has in the end, in tokens.
pub struct Balance {
    pub who: &'static str,
    pub gained: i64,
    pub stake: u64,
}
