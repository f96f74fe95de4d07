//! The contracts of the fixture's key with the real verifier of its circuit, wrapped proofs for them, and calls of them.

use alloy::network::TransactionBuilder;
use alloy::primitives::Bytes;
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::TransactionRequest;
use gradproof_chain::market::Verifier;
use gradproof_chain::{Address, Anvil, B256, Chain, Compiler, Segment, SegmentVerifier, VerifierCode, reason};
use gradproof_circuits::field::check::Strict;
use gradproof_circuits::relations::{Group, Subject};
use gradproof_evm::ChainProof;
use gradproof_prover::prove::{Inputs, Proved, prove};
use gradproof_prover::randomness::{Use, derived};
use gradproof_prover::registration::{Blinding, commit_data, commit_parameters, data_paths, data_tree};
use gradproof_prover::wrap::{Wrapper, Wrappers};
use gradproof_tests::forge::{Forged, SEED, Witnesses, count, fixture, forge, wrapped};
use gradproof_tests::reference::Honest;
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::powers::{ReferenceStrings, Setup};
use gradproof_verifier::protocol::statement::{Domain, Statement};
use tokio::runtime::{Builder, Runtime};

use crate::stage::{artifacts, contracts, refusal};
use crate::synthetic::domain;

/// The contracts on a node of their own.
pub struct Deployed {
    pub chain: Chain,
    pub verifier: Verifier,
    /// Length of the circuit verifier's code, in bytes.
    pub halo2_bytes: usize,
    /// For calls that no program makes.
    pub raw: Raw,
    _node: Anvil,
}

impl Deployed {
    /// The contracts of the fixture's key; `None`, and the test skipped, where their tools are not installed.
    pub fn new(test: &str) -> Option<Self> {
        Self::of(test, &wrapped().1)
    }

    /// The same for another key.
    pub fn of(test: &str, key: &VerifyingKey) -> Option<Self> {
        artifacts(test)?;
        let node = Anvil::start(&contracts()).expect("the node starts");
        let chain = Chain::connect(node.url(), node.signer()).expect("the node answers");
        let compiler = Compiler::new(&contracts()).expect("foundry.toml has all settings");
        let code = VerifierCode::compile(&compiler, key).expect("they compile");
        let verifier = chain.wait(code.deploy(chain.client())).expect("they deploy");
        let raw = Raw::connect(&node);
        Some(Self { chain, verifier, halo2_bytes: code.halo2_bytes(), raw, _node: node })
    }

    /// What the verifier says to a caller who is the sender.
    pub fn verify(&self, segment: &Segment, proof: &[u8]) -> Result<B256, String> {
        let call = SegmentVerifier::verifyCall { segment: segment.clone(), proof: proof.to_vec().into() };
        refusal(self.chain.call(self.verifier.segment.address, &call))
    }
}

/// The fixture's training in columns of another length, by the prover that everyone uses.
pub struct OwnColumns {
    pub key: VerifyingKey,
    setup: Setup,
    wrappers: Wrappers,
}

impl OwnColumns {
    /// Columns of `2^vars` entries.
    pub fn new(vars: usize) -> Self {
        let setup = Setup::insecure(vars as u32).expect("it is small");
        let key = VerifyingKey::insecure(&fixture().task.architecture, vars).expect("the shape is valid");
        let mut strings = ReferenceStrings::new(&setup);
        let wrappers = Wrappers::new(|subject| Wrapper::new(key.relations(subject), &mut strings));
        let wrappers = wrappers.expect("the circuits are small enough");
        Self { key: wrappers.verifying_key(key), setup, wrappers }
    }

    /// A proof of the fixture's segment, the only one of its epoch, as the contract takes it.
    pub fn prove(&self, domain: Domain) -> (Statement, Vec<u8>) {
        let Self { key, setup, wrappers } = self;
        let (relations, task) = (key.relations(Subject::Segment), &fixture().task);
        let mut witness = task.train(&Honest);
        count(&mut witness, &relations.tree);
        let committed = "the set-up is long enough";
        let data = commit_data(key, setup, &fixture().data_of(&witness), &SEED, 0).expect(committed);
        let first =
            commit_parameters(key, setup, &fixture().parameters_of(&witness), Blinding::Seed(&SEED)).expect(committed);
        let tree = data_tree(std::slice::from_ref(&data.points));
        let statement = Statement {
            domain,
            data_root: tree.root(),
            epoch_segments: 1,
            rate: task.rate,
            ..Statement::blank(key, Subject::Segment, task.live)
        };
        let paths = data_paths(&tree, data.points.len(), 0);
        let last_blindings =
            derived(&SEED, Use::LastParameters { statement: &[0; 32], segment: 0 }, columns(key, Group::Last));
        let points = first.points.clone();
        let job = Inputs { key, setup, statement, data, paths, first, last_blindings };
        let Proved { proof, statement, publics, .. } = prove(job, &witness, Strict).expect("the witness is honest");
        let proof = wrappers.get(Subject::Segment).wrap(relations, &publics, proof).expect("it is a core proof");
        (statement, ChainProof::of(&points, &proof).expect("it is wrapped").to_bytes())
    }
}

fn columns(key: &VerifyingKey, group: Group) -> usize {
    key.relations(Subject::Segment).layout.group(group).len()
}

/// A core proof of the fixture's segment by the key for wrapped ones.
fn proved(say: impl Fn(&mut Statement)) -> Forged {
    let key = wrapped().1.digest();
    let say = |said: &mut Statement| {
        said.key = key;
        say(said);
    };
    forge(Subject::Segment, Witnesses::same(&fixture().witness(Subject::Segment)), say, &mut |_, _| ())
}

/// A wrapped proof of the fixture's segment, for a contract that `sender` calls.
pub fn proof(sender: Address) -> (Forged, Vec<u8>) {
    let forged = proved(|said| said.domain = domain(sender)).wrap();
    forged.judged(Strict).expect("the proof is honest");
    let bytes = bytes(&forged);
    (forged, bytes)
}

/// A wrapped proof as the contract takes it.
pub fn bytes(forged: &Forged) -> Vec<u8> {
    ChainProof::of(&forged.first, &forged.proof).expect("it is wrapped").to_bytes()
}

/// A caller who writes the call data by hand, and says how much gas there is.
pub struct Raw {
    runtime: Runtime,
    provider: DynProvider,
}

impl Raw {
    fn connect(node: &Anvil) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("there is a runtime");
        let url = node.url().parse().expect("an address of this machine");
        let provider = runtime.block_on(async { ProviderBuilder::new().connect_http(url).erased() });
        Self { runtime, provider }
    }

    /// What a call returns, or the reason for which it is refused.
    pub fn call(&self, from: Address, to: Address, input: &[u8], gas: Option<u64>) -> Result<Bytes, String> {
        let call = TransactionRequest::default().with_from(from).with_to(to).with_input(input.to_vec());
        let call = gas.into_iter().fold(call, |call, gas| call.with_gas_limit(gas));
        let answer = self.runtime.block_on(async { self.provider.call(call).await });
        answer.map_err(|error| match error.as_error_resp() {
            Some(refused) => refused.as_revert_data().map_or_else(|| refused.message.to_string(), |data| reason(&data)),
            None => panic!("the node does not answer: {error}"),
        })
    }
}
