//! A market on a node of its own with its parties, and the steps of a job in one line each.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::OnceLock;

use alloy::primitives::{Bytes, address, keccak256};
use alloy::signers::SignerSync;
use gradproof_chain::market::account::{Node as Entry, register, roles, stake};
use gradproof_chain::market::{
    Actor, BatchState, ComputeToken, Deployment, JobSnapshot, MarketCode, Money, StakeVault, State, TrainingMarket,
    domain, duties, no_licence, no_paths, training,
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
/// Segments of a batch.
pub const BATCH: u8 = 3;
/// Bond of the provider: the price of a batch.
pub const BOND: u64 = PRICE * BATCH as u64;
/// What a provider loses that does not start.
const HAND_BACK: u64 = BOND / 100;
/// Bond of a challenger.
pub const CHALLENGE_BOND: u64 = 40;
/// Of a validator for a word on a complaint.
pub const FEE: u64 = 1;
/// What backs its words.
pub const BACKING: u64 = 500;
/// Bond of a complaint.
const COMPLAINT_BOND: u64 = 6;
/// Hand-backs for which an escrow has the fee.
const HAND_BACKS: u64 = 4;
/// Stake of each provider and validator.
pub const STAKE: u64 = 10_000;
/// Words that decide.
const THRESHOLD: u8 = 2;
/// Where burnt tokens go.
pub const BURNT: Address = address!("000000000000000000000000000000000000dEaD");
/// In seconds.
pub const HOUR: u32 = 3600;
/// What the requester draws with.
pub const SECRET: B256 = B256::repeat_byte(0x5e);

/// How long stake backs a job that has ended.
const UNBONDING: u32 = 14 * 24 * HOUR;

/// So many tokens, in units of 10^-18.
pub fn tokens(count: u64) -> U256 {
    U256::from(count) * U256::from(10u64.pow(18))
}

fn amount(count: u64) -> u128 {
    u128::from(count) * 10u128.pow(18)
}

/// Root of the encrypted weights that a provider names.
fn root_of_delivery() -> B256 {
    keccak256("encrypted weights")
}

/// Calls that anyone can make when their time has come.
const READY: [(&str, [u8; 4]); 8] = [
    ("abandon", TrainingMarket::abandonCall::SELECTOR),
    ("cancel", TrainingMarket::cancelCall::SELECTOR),
    ("decline", TrainingMarket::declineCall::SELECTOR),
    ("drawLate", TrainingMarket::drawLateCall::SELECTOR),
    ("fail", TrainingMarket::failCall::SELECTOR),
    ("fixLate", TrainingMarket::fixLateCall::SELECTOR),
    ("lapse", TrainingMarket::lapseCall::SELECTOR),
    ("settle", TrainingMarket::settleCall::SELECTOR),
];

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
        let made = code.deploy(deployer.client(), Money::Own(deployer.sender()));
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
        for (party, role) in [(&scene.provider, roles::PROVIDER), (&scene.partner, roles::PROVIDER)]
            .into_iter()
            .chain(scene.validators.iter().map(|validator| (validator, roles::VALIDATOR)))
        {
            scene.enrol(party, role);
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
        let peer = PrivateKeySigner::random();
        let entry = Entry {
            peer: &peer,
            hot: Address::ZERO,
            roles,
            encryption_key: keccak256("encryption"),
            addresses: "/ip4/127.0.0.1",
        };
        let client = party.chain.client();
        party.chain.wait(register(client, &self.deployment, &entry)).expect("the peer signed");
        party.chain.wait(stake(client, &self.deployment, tokens(STAKE))).expect("it is the party's own");
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

    /// Terms of the job that was trained, in batches of so many segments, of which so many are drawn.
    pub fn terms(&self, trained: &Trained, batch: u8, draws: u8) -> Terms {
        let verifier = self.deployment.verifier(&trained.statement.verifying_key).expect("it is deployed");
        TrainingMarket::Terms {
            training: training(&trained.statement, verifier),
            price: TrainingMarket::Price {
                start: amount(PRICE),
                max: amount(PRICE),
                rampSecs: 0,
                bond: amount(BOND),
                handBackFee: amount(HAND_BACK * u64::from(batch) / u64::from(BATCH)),
                challengeBond: amount(CHALLENGE_BOND),
                complaintBond: amount(COMPLAINT_BOND),
            },
            times: TrainingMarket::Times {
                openSecs: 24 * HOUR,
                reopenSecs: HOUR,
                startSecs: HOUR,
                batchSecs: 48 * HOUR,
                closeSecs: 12 * HOUR,
                revealSecs: HOUR,
                proveSecs: 2 * HOUR,
                eachSecs: HOUR / 3,
                windowSecs: 2 * HOUR,
                complainSecs: 4 * HOUR,
                decideSecs: 24 * HOUR,
            },
            batches: TrainingMarket::Batches {
                deliverEvery: batch,
                draws,
                ahead: 8,
                tip: if draws == batch { B256::ZERO } else { keccak256(SECRET.abi_encode()) },
            },
            committee: TrainingMarket::Committee {
                members: self.validators.iter().map(Party::address).collect(),
                threshold: THRESHOLD,
                fee: amount(FEE),
                stake: amount(BACKING),
            },
            providers: B256::ZERO,
            parent: B256::ZERO,
            rebased: false,
        }
    }

    /// What a job holds at first.
    pub fn escrow(terms: &Terms) -> U256 {
        let hand_backs = U256::from(terms.price.handBackFee) * U256::from(HAND_BACKS);
        tokens(u64::from(terms.training.segments) * PRICE) + hand_backs
    }

    /// Opens a job of the requester, with a permit for exactly its escrow; its id is known before.
    pub fn open(&self, terms: &Terms, nonce: u64) -> B256 {
        self.open_with(terms, nonce, Self::escrow(terms))
    }

    /// The same with a permit for another amount.
    pub fn open_with(&self, terms: &Terms, nonce: u64, permitted: U256) -> B256 {
        let nonce = U256::from(nonce);
        let requester = self.requester.address();
        let id = self.ask(self.market(), &TrainingMarket::idOfCall { requester, nonce, terms: terms.clone() });
        let consent = |member: &Party| {
            let (key, expiry) = (member.address(), U256::MAX);
            let digest = self.ask(self.market(), &TrainingMarket::consentDigestCall { id, key, expiry });
            TrainingMarket::Consent { key, expiry, path: vec![], signature: member.sign(digest) }
        };
        let open = TrainingMarket::openCall {
            terms: terms.clone(),
            nonce,
            licence: no_licence(),
            consents: self.validators.iter().map(consent).collect(),
            permit: self.permit(permitted),
        };
        let sent = self.requester.send(self.market(), &open).expect("the terms are right");
        let opened = sent.receipt.decoded_log::<TrainingMarket::Opened>().expect("there is an event");
        assert_eq!((opened.job, opened.escrow), (id, Self::escrow(terms)));
        assert_eq!(opened.reused, opened.escrow - permitted);
        id
    }

    /// Has `party` accept and start a job: where its proofs then count.
    pub fn start(&self, job: B256, party: &Party) -> Domain {
        let paths = no_paths();
        let accept = TrainingMarket::acceptCall { id: job, minPrice: tokens(PRICE), paths };
        party.send(self.market(), &accept).expect("the party is a provider");
        party.send(self.market(), &TrainingMarket::startCall { id: job }).expect("it has accepted");
        domain(self.provider.chain.id(), self.market(), job, party.address())
    }

    /// Claims and proves a segment in one call.
    pub fn claim_proven(&self, party: &Party, job: B256, index: usize, proof: &[u8]) -> Result<Sent, String> {
        let call = TrainingMarket::claimProvenCall { id: job, index: U256::from(index), proof: proof.to_vec().into() };
        party.send(self.market(), &call)
    }

    /// Proves a claim.
    pub fn prove(&self, party: &Party, job: B256, index: usize, proof: &[u8]) -> Result<Sent, String> {
        let call = TrainingMarket::proveCall { id: job, index: U256::from(index), proof: proof.to_vec().into() };
        party.send(self.market(), &call)
    }

    pub fn claim(&self, party: &Party, job: B256, index: usize, lasts: &[B256]) {
        let call = TrainingMarket::claimCall { id: job, index: U256::from(index), lasts: lasts.to_vec() };
        party.send(self.market(), &call).expect("it is the next one");
    }

    /// Names the encrypted weights at the end of a batch.
    pub fn close(&self, party: &Party, job: B256, batch: u64) {
        let (batch, root) = (U256::from(batch), root_of_delivery());
        let call = TrainingMarket::closeCall { id: job, batch, root, seat: U256::ZERO };
        party.send(self.market(), &call).expect("it is fully claimed");
    }

    /// The requester says that nothing opens the end of a batch. Its bond comes from its stake.
    pub fn complain(&self, job: B256, batch: u64) {
        let client = self.requester.chain.client();
        let put = stake(client, &self.deployment, tokens(COMPLAINT_BOND));
        self.requester.chain.wait(put).expect("it is the requester's own");
        let (last, batch) = (self.batch(job, batch).last, U256::from(batch));
        let call = TrainingMarket::complainCall { id: job, batch, last, root: root_of_delivery() };
        self.requester.send(self.market(), &call).expect("it was closed");
    }

    /// The requester has what opens the end of a batch.
    pub fn acknowledge(&self, job: B256, batch: u64) {
        let (last, batch) = (self.batch(job, batch).last, U256::from(batch));
        let call = TrainingMarket::acknowledgeCall { id: job, batch, last, root: root_of_delivery() };
        self.requester.send(self.market(), &call).expect("it was closed");
    }

    pub fn batch(&self, job: B256, batch: u64) -> TrainingMarket::BatchView {
        self.ask(self.market(), &TrainingMarket::batchOfCall { id: job, batch: U256::from(batch) })
    }

    #[track_caller]
    pub fn batch_is(&self, job: B256, batch: u64, state: BatchState) {
        assert_eq!(self.batch(job, batch).state, state as u8, "not {state:?}");
    }

    /// Signs a seat in the lead's team, which `member` takes.
    pub fn join(&self, job: B256, lead: &Party, member: &Party, pay: u64, bond: u64) {
        let mut offer = TrainingMarket::SeatOffer {
            pay: amount(pay),
            bond: amount(bond),
            nonce: U256::from(1),
            expiry: U256::MAX,
            signature: Bytes::new(),
        };
        let digest = TrainingMarket::seatDigestCall { id: job, member: member.address(), offer: offer.clone() };
        offer.signature = lead.sign(self.ask(self.market(), &digest));
        let call = TrainingMarket::joinCall { id: job, offer, paths: no_paths() };
        member.send(self.market(), &call).expect("the lead signed");
    }

    /// Compares what anyone can do now by the contract with the same by the table of deadlines; what that is.
    #[track_caller]
    pub fn ready(&self, job: B256) -> BTreeSet<&'static str> {
        let mut open = self.open_to(Actor::Anyone, job);
        open.retain(|call| READY.iter().any(|(name, _)| name == call));
        let calls = self.ask(self.market(), &TrainingMarket::readyOfCall { id: job });
        let named = |call: &Bytes| READY.iter().find(|(_, selector)| call.starts_with(selector)).map(|(name, _)| *name);
        let ready: BTreeSet<&str> = calls.iter().map(|call| named(call).expect("a call of the table")).collect();
        assert_eq!(open, ready, "the table of deadlines, and the contract");
        open
    }

    /// What the lead can do now, by the table of deadlines.
    pub fn lead_may(&self, job: B256) -> BTreeSet<&'static str> {
        self.open_to(Actor::Lead, job)
    }

    fn open_to(&self, actor: Actor, job: B256) -> BTreeSet<&'static str> {
        let chain = &self.requester.chain;
        let snapshot = chain.wait(async {
            let reader = chain.client().at_head().await.expect("the node answers");
            JobSnapshot::of(&reader, self.market(), job).await.expect("the node answers")
        });
        let open = duties(&snapshot).into_iter().filter(|duty| duty.actor == actor && duty.is_open(snapshot.now));
        open.flat_map(|duty| duty.calls).copied().collect()
    }

    pub fn job(&self, job: B256) -> TrainingMarket::Job {
        self.ask(self.market(), &TrainingMarket::jobOfCall { id: job })
    }

    #[track_caller]
    pub fn in_state(&self, job: B256, state: State) {
        assert_eq!(self.job(job).state, state as u8, "not {state:?}");
    }

    /// Frees the stake that backs the words about a job that has ended.
    pub fn unback(&self, job: B256) {
        let unback = TrainingMarket::unbackCall { id: job };
        self.node.pass(UNBONDING + 60);
        self.partner.send(self.market(), &unback).expect("it has ended");
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
