//! The chain that every simulation begins with: the market is deployed, accounts have tokens, stake and an entry in the register.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::signers::SignerSync;
use gradproof_chain::market::account::roles;
use gradproof_chain::market::{
    ColumnCounts, ComputeToken, Contract, Deployment, MarketCode, Money, NodeRegistry, StakeVault, Verifier,
};
use gradproof_chain::{
    Artifact, ChainError, Compiler, Deployed, LOCAL_CHAIN, Maker, PrivateKeySigner, SolCall, SolValue,
};
use gradproof_node::home::Accounts;
use revm::primitives::TxKind;

use super::{Ledger, State};
use crate::terms::{BATCH, STEPS};

/// Parties: a requester, then providers.
pub const PARTIES: usize = 4;
/// What each account has at first, in tokens.
const FORTUNE: u64 = 10_000;
/// What of it a provider puts into the vault, in tokens.
pub const STAKE: u64 = 1_000;
/// Ether of each key, enough for any gas.
const ETHER: u64 = 1_000;
/// What a unit of gas costs at first, in wei.
const BASE_FEE: u64 = 1_000_000_000;

/// So many tokens, in their smallest unit.
pub fn tokens(count: u64) -> U256 {
    U256::from(count) * U256::from(10u64.pow(18))
}

/// A chain with a market, and who trades there.
pub struct Founded {
    pub ledger: Ledger,
    pub deployment: Deployment,
    /// Whose tokens all were.
    pub founder: Address,
    /// The requester's keys, then those of providers.
    pub accounts: Vec<Accounts>,
}

/// Makes contracts on a ledger.
struct Founder {
    ledger: Mutex<Ledger>,
    sender: Address,
}

impl Founder {
    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("nothing panicked")
    }

    /// Makes a call, which succeeds.
    fn send<C: SolCall>(&self, from: Address, to: Address, call: &C) {
        let (_, done) = self.ledger().act(from, TxKind::Call(to), call.abi_encode().into()).expect("it runs");
        assert!(done.success, "{}: {}", C::SIGNATURE, gradproof_chain::reason(&done.output));
    }
}

impl Maker for Founder {
    fn id(&self) -> u64 {
        LOCAL_CHAIN
    }

    fn sender(&self) -> Address {
        self.sender
    }

    async fn block(&self) -> Result<u64, ChainError> {
        Ok(self.ledger().head().header.number)
    }

    async fn deploy(&self, artifact: &Artifact, arguments: &[u8]) -> Result<Deployed, ChainError> {
        let code = [&artifact.bytecode[..], arguments].concat();
        let (transaction, done) = self.ledger().act(self.sender, TxKind::Create, code.into())?;
        match done.created.filter(|_| done.success) {
            Some(address) => Ok(Deployed { address, gas: done.gas, transaction }),
            None => Err(ChainError::Reverted { data: done.output }),
        }
    }

    async fn call<C: SolCall<Return: Send> + Sync>(&self, to: Address, call: &C) -> Result<C::Return, ChainError> {
        let mut ledger = self.ledger();
        let head = ledger.head().clone();
        Ok(C::abi_decode_returns(&ledger.ask(&head, self.sender, to, &call.abi_encode().into())?)?)
    }

    async fn code_hash(&self, address: Address) -> Result<B256, ChainError> {
        Ok(self.ledger().head().state.code_hash(address))
    }
}

fn contracts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts")
}

/// The chain, made once for all simulations; `None` where the tools of the contracts are not installed.
pub fn founded() -> Option<&'static Founded> {
    static FOUNDED: OnceLock<Option<Founded>> = OnceLock::new();
    let found = || contracts().join("node_modules").join(".package-lock.json").exists().then(found);
    FOUNDED.get_or_init(found).as_ref()
}

fn found() -> Founded {
    let code = MarketCode::compile(&contracts()).expect("the market compiles");
    let founder = key(0xf0, 1).address();
    let accounts: Vec<Accounts> =
        (1..=PARTIES as u8).map(|party| Accounts::new(key(party, 1), key(party, 2))).collect();
    let mut state = State::default();
    for account in accounts.iter().flat_map(|accounts| [accounts.owner(), accounts.hot.address()]) {
        state.endow(account, U256::from(ETHER) * U256::from(10u64.pow(18)));
    }
    let founder = Founder { ledger: Mutex::new(Ledger::new(state, BASE_FEE)), sender: founder };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let deployment = runtime.block_on(async {
        let mut deployment = code.deploy(&founder, Money::Own(founder.sender)).await.expect("the market deploys");
        deployment.verifiers.push(stand_in(&founder).await.expect("the stand-in deploys"));
        deployment
    });
    for (party, accounts) in accounts.iter().enumerate() {
        enter(&founder, &deployment, party, accounts);
    }
    let Founder { ledger, sender } = founder;
    let ledger = ledger.into_inner().expect("nothing panicked");
    Founded { ledger, deployment, founder: sender, accounts }
}

/// Gives a party tokens, enters it in the register, and lets market or vault have what they need.
fn enter(founder: &Founder, deployment: &Deployment, party: usize, accounts: &Accounts) {
    let (owner, token, nodes) = (accounts.owner(), deployment.token.address, deployment.nodes.address);
    let transfer = ComputeToken::transferCall { to: owner, value: tokens(FORTUNE) };
    founder.send(founder.sender, token, &transfer);
    let peer = key(party as u8 + 1, 3);
    let digest = NodeRegistry::registrationDigestCall { peer: peer.address(), owner };
    let digest = founder.ledger().view(nodes, &digest);
    let register = NodeRegistry::registerCall {
        peer: peer.address(),
        hot: accounts.hot.address(),
        roles: if party == 0 { roles::REQUESTER } else { roles::PROVIDER },
        encryptionKey: keccak256([party as u8]),
        addresses: "/ip4/127.0.0.1/udp/1/quic-v1".into(),
        signature: peer.sign_hash_sync(&digest).expect("it signs").as_bytes().to_vec().into(),
    };
    founder.send(owner, nodes, &register);
    let spender = if party == 0 { deployment.market.address } else { deployment.vault.address };
    founder.send(owner, token, &ComputeToken::approveCall { spender, value: U256::MAX });
    if party > 0 {
        let permit = StakeVault::Permit { value: U256::ZERO, deadline: U256::ZERO, v: 0, r: B256::ZERO, s: B256::ZERO };
        founder.send(owner, spender, &StakeVault::depositCall { amount: tokens(STAKE), permit });
    }
}

/// Deploys the stand-in verifier, which takes the hash of a segment for its proof.
async fn stand_in(founder: &Founder) -> Result<Verifier, ChainError> {
    /// `Mode.Check` of the stand-in.
    const CHECK: u8 = 0;
    let compiler = Compiler::with_profile(&contracts(), "default")?;
    let verifier = compiler.compile_file("test/mocks/Verifiers.sol", "MockVerifier")?;
    let circuit = compiler.compile_file("test/mocks/MockHalo2Verifier.sol", "MockHalo2Verifier")?;
    let halo2 = founder.deploy(&circuit, &[U256::ZERO; 4].abi_encode()).await?;
    let arguments = (halo2.address, U256::from(CHECK), true, BATCH, STEPS).abi_encode();
    let segment = founder.deploy(&verifier, &arguments).await?;
    Ok(Verifier {
        key: keccak256("key"),
        setup: keccak256("setup"),
        insecure_setup: true,
        columns: ColumnCounts { vars: 1, data: 1, parameters: 1, trace: 1 },
        segment: Contract::at(founder, segment.address, segment.transaction).await?,
        halo2: Contract::at(founder, halo2.address, halo2.transaction).await?,
    })
}

/// A key that follows from a party and a number.
fn key(party: u8, number: u8) -> PrivateKeySigner {
    let mut bytes = [party; 32];
    bytes[31] = number;
    PrivateKeySigner::from_bytes(&bytes.into()).expect("a valid key")
}
