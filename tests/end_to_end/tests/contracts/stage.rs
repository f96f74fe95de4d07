//! A node with the contracts deployed, and what a test asks of them.

use std::path::PathBuf;
use std::sync::OnceLock;

use alloy::sol;
use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use gradproof_chain::{
    Address, Anvil, Artifact, B256, Chain, ChainError, Compiler, LOCAL_CHAIN, Segment, SegmentKey, SegmentVerifier,
    SolValue, U256, reason,
};
use gradproof_tests::{root, skip};
use gradproof_verifier::protocol::key::graph_digest;
use gradproof_verifier::protocol::points::{encode_g1, encode_g2};
use gradproof_verifier::protocol::setup::insecure_tau;

use crate::synthetic::Shape;

sol! {
    /// The stand-in for the verifier of a circuit.
    interface MockHalo2Verifier {
        function expect(bytes32 digest) external;
    }
}

/// The compiled contracts.
pub struct Artifacts {
    pub verifier: Artifact,
    pub mock: Artifact,
}

/// The contracts, compiled once; `None`, and the test skipped, where their tools are not installed.
pub fn artifacts(test: &str) -> Option<&'static Artifacts> {
    static ARTIFACTS: OnceLock<Option<Artifacts>> = OnceLock::new();
    let artifacts = ARTIFACTS.get_or_init(|| {
        if !contracts().join("node_modules").join(".package-lock.json").exists() {
            return None;
        }
        let compiler = Compiler::new(&contracts()).expect("foundry.toml has all settings");
        let compile = |file: &str, name: &str| compiler.compile_file(file, name).expect("the contracts compile");
        Some(Artifacts {
            verifier: compile("src/core/SegmentVerifier.sol", "SegmentVerifier"),
            mock: compile("test/mocks/MockHalo2Verifier.sol", "MockHalo2Verifier"),
        })
    });
    if artifacts.is_none() {
        skip(test, "the tools of the contracts", "`cargo xtask contracts` installs them");
    }
    artifacts.as_ref()
}

/// The folder of the contracts; `cargo xtask mutate-contracts` names a changed copy of it.
pub fn contracts() -> PathBuf {
    std::env::var_os("GRADPROOF_CONTRACTS").map_or_else(|| root().join("contracts"), PathBuf::from)
}

/// A node with a verifier for `shape`.
pub struct Stage {
    pub chain: Chain,
    pub mock: Address,
    pub verifier: Address,
    _node: Anvil,
}

/// Two points that pair to one with G2 and [tau]G2: `[τ·a]G` and `[a]G`.
pub fn accumulator() -> [G1Affine; 2] {
    accumulator_of(insecure_tau())
}

/// The same for another τ.
pub fn accumulator_of(tau: Fr) -> [G1Affine; 2] {
    let a = Fr::from(987_654_321u64);
    [tau * a, a].map(|scalar| (G1Affine::generator() * scalar).into_affine())
}

/// Words of points, as a contract takes them.
pub fn words(bytes: &[u8]) -> Vec<U256> {
    bytes.chunks(32).map(U256::from_be_slice).collect()
}

fn array<const N: usize>(bytes: &[u8]) -> [U256; N] {
    words(bytes).try_into().expect("the length fits")
}

/// What the constructor is given for `shape`.
pub fn segment_key(shape: &Shape, halo2: Address) -> SegmentKey {
    let tau: G2Affine = shape.setup.key.tau_g2;
    SegmentKey {
        halo2,
        key: shape.key.into(),
        insecure: shape.setup.key.is_insecure(),
        tauG2: array(&encode_g2(&tau)),
        graph: graph_digest(shape.architecture.graph()).into(),
        batch: shape.architecture.batch() as u32,
        steps: shape.architecture.steps() as u32,
        columnVars: shape.column_vars as u8,
        dataColumns: shape.data as u16,
        parameterColumns: shape.parameters as u16,
        traceColumns: shape.trace as u16,
        tables: shape.tables.iter().map(|point| array(&encode_g1(point))).collect(),
    }
}

/// Deploys a verifier of a circuit that answers with these two points whatever it is asked.
pub fn deploy_mock(chain: &Chain, artifacts: &Artifacts, accumulator: &[u8]) -> Address {
    chain.deploy(&artifacts.mock, &array::<4>(accumulator).abi_encode()).expect("it deploys").address
}

impl Stage {
    /// Deploys everything on a node of its own.
    pub fn new(artifacts: &Artifacts, shape: &Shape) -> Self {
        Self::on(artifacts, shape, LOCAL_CHAIN, &accumulator().map(|point| encode_g1(&point)).concat())
    }

    /// The same on a chain with this id, with these two points for an accumulator.
    pub fn on(artifacts: &Artifacts, shape: &Shape, chain: u64, accumulator: &[u8]) -> Self {
        let node = Anvil::start_as(&contracts(), chain).expect("the node starts");
        let chain = Chain::connect(node.url(), node.signer()).expect("the node answers");
        let mock = deploy_mock(&chain, artifacts, accumulator);
        let arguments = segment_key(shape, mock).abi_encode();
        let verifier = chain.deploy(&artifacts.verifier, &arguments).expect("it deploys").address;
        Self { chain, mock, verifier, _node: node }
    }

    /// What the verifier says to a caller who is the sender.
    pub fn verify(&self, segment: &Segment, proof: &[u8]) -> Result<B256, String> {
        let call = SegmentVerifier::verifyCall { segment: segment.clone(), proof: proof.to_vec().into() };
        refusal(self.chain.call(self.verifier, &call))
    }

    /// From now on the halo2 verifier takes only these instances with this proof; anything for `None`.
    pub fn expect(&self, instances_and_proof: Option<(&[U256], &[u8])>) {
        let digest = instances_and_proof.map_or(B256::ZERO, |(instances, proof)| {
            let encoded = (instances.to_vec(), alloy::primitives::Bytes::copy_from_slice(proof)).abi_encode_params();
            alloy::primitives::keccak256(encoded)
        });
        self.chain.send(self.mock, &MockHalo2Verifier::expectCall { digest }).expect("anyone may say what is expected");
    }
}

/// The answer, or the reason for which the contract refused.
///
/// # Panics
/// If there is no answer.
pub fn refusal<T>(answer: Result<T, ChainError>) -> Result<T, String> {
    match answer {
        Ok(answer) => Ok(answer),
        Err(ChainError::Reverted { data }) => Err(reason(&data)),
        Err(error) => panic!("{error}"),
    }
}
