//! Generated verifiers of halo2 proofs: they accept what halo2 accepts, and name what is malformed.

use alloy::primitives::{Address, U256};
use alloy::sol_types::SolCall;
use ark_ec::pairing::Pairing;
use gradproof_circuits::wrap::convert::from_halo2;
use gradproof_evm::solidity::{GenerateError, generate};
use gradproof_verifier::protocol::keccak::keccak256;
use gradproof_verifier::protocol::points::{decode_g1, encode_scalar};
use gradproof_verifier::protocol::setup::SetupKey;
use halo2_axiom::halo2curves::bn256::Fr;

use crate::chain::{Chain, Compiled, compile, installed};
use crate::circuits::{Example, Odd, Planned};
use crate::proofs::Keys;

alloy::sol! {
    function accumulate(uint256[] calldata instances, bytes calldata proof)
        external view returns (uint256 leftX, uint256 leftY, uint256 rightX, uint256 rightY);
}

/// Instances of the wrap of three layers: eight, and a point of 16 coordinates.
const INSTANCES: usize = 24;
const R: &str = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
const P: &str = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";

/// What a generated verifier says of a proof.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The pairing holds.
    Right,
    /// It returns, and the pairing does not hold.
    Wrong,
    /// It reverts with this error.
    Refused(&'static str),
}

const ERRORS: [&str; 8] = [
    "WrongNumberOfInstances",
    "WrongProofLength",
    "NonCanonicalScalar",
    "NonCanonicalCoordinate",
    "PointAtInfinity",
    "PointNotOnCurve",
    "ZeroDenominator",
    "PrecompileFailed",
];

/// A deployed verifier with an honest proof.
struct Deployed<C> {
    keys: Keys<C>,
    compiled: Compiled,
    chain: Chain,
    address: Address,
    instances: Vec<U256>,
    proof: Vec<u8>,
}

fn words(instances: &[Vec<Fr>]) -> Vec<U256> {
    instances.iter().flatten().map(|value| U256::from_be_bytes(encode_scalar(&from_halo2(*value)))).collect()
}

fn lengths<C: Example>(circuit: &C) -> Vec<usize> {
    circuit.instances().iter().map(Vec::len).collect()
}

fn input(instances: &[U256], proof: &[u8]) -> Vec<u8> {
    accumulateCall { instances: instances.to_vec(), proof: proof.to_vec().into() }.abi_encode()
}

impl<C: Example> Deployed<C> {
    fn new(k: u32, circuit: C) -> Self {
        let keys = Keys::new(k, circuit);
        let source = generate(keys.key.get_vk(), &lengths(&keys.circuit)).expect("the circuit is supported");
        if let Some(folder) = std::env::var_os("GRADPROOF_KEEP_SOURCES") {
            std::fs::write(std::path::Path::new(&folder).join("Halo2Verifier.sol"), &source).expect("it is written");
        }
        let (compiled, chain) = (compile(&source), Chain::start());
        let address = chain.deploy(&compiled.creation);
        let (instances, proof) = (words(&keys.circuit.instances()), keys.prove());
        Self { keys, compiled, chain, address, instances, proof }
    }

    fn verdict(&self, instances: &[U256], proof: &[u8]) -> Verdict {
        match self.chain.call(self.address, input(instances, proof)) {
            Ok(points) => {
                let (left, right) = points.split_at(64);
                let (left, right) = (decode_g1(left).expect("a point"), decode_g1(right).expect("a point"));
                let key = SetupKey::insecure();
                let holds = ark_bn254::Bn254::pairing(left, key.g2) == ark_bn254::Bn254::pairing(right, key.tau_g2);
                if holds { Verdict::Right } else { Verdict::Wrong }
            }
            Err(data) => {
                let named = |name: &&&str| data[..] == keccak256(&[name.as_bytes(), b"()"])[..4];
                match ERRORS.iter().find(named) {
                    Some(name) => Verdict::Refused(name),
                    None => panic!("no name for {data}"),
                }
            }
        }
    }

    /// The proof with 32 bytes put in the place of a word.
    fn with_word(&self, at: usize, word: &[u8]) -> Vec<u8> {
        let mut proof = self.proof.clone();
        proof[32 * at..32 * (at + 1)].copy_from_slice(word);
        proof
    }

    fn check_honest(&self) {
        assert_eq!(self.verdict(&self.instances, &self.proof), Verdict::Right);
        let gas = self.chain.gas(self.address, input(&self.instances, &self.proof));
        println!("{gas} gas, {} bytes of code, proof of {} bytes", self.compiled.code_bytes, self.proof.len());
        for error in ERRORS {
            assert!(self.compiled.errors.iter().any(|name| name == error), "the interface has {error}");
        }
    }

    /// Changes every word of proof and instances by one, and says how often it was refused in which way.
    fn check_every_word(&self) {
        let halves = |verdicts: &[Verdict]| {
            (verdicts.iter().filter(|verdict| **verdict == Verdict::Wrong).count(), verdicts.len())
        };
        let mut verdicts = Vec::new();
        for at in 0..self.proof.len() / 32 {
            let mut word = self.proof[32 * at..32 * (at + 1)].to_vec();
            word[31] ^= 1;
            let proof = self.with_word(at, &word);
            let verdict = self.verdict(&self.instances, &proof);
            assert_ne!(verdict, Verdict::Right, "word {at} of the proof");
            assert!(!self.keys.verify(&self.keys.circuit.instances(), &proof), "halo2, word {at}");
            verdicts.push(verdict);
        }
        println!("{:?} words of the proof are refused by the pairing, the others by name", halves(&verdicts));
        for at in 0..self.instances.len() {
            let mut instances = self.instances.clone();
            instances[at] ^= U256::from(1);
            assert_eq!(self.verdict(&instances, &self.proof), Verdict::Wrong, "instance {at}");
        }
    }
}

fn planned() -> Planned {
    Planned { instances: (1..=INSTANCES as u64).map(|i| Fr::from(i).square()).collect() }
}

fn odd() -> Odd {
    let column = |from: u64, length: u64| (from..from + length).map(Fr::from).collect();
    Odd { instances: [column(100, 7), column(200, 5)] }
}

#[test]
fn planned_shape() {
    if !installed("planned_shape") {
        return;
    }
    let deployed = Deployed::new(8, planned());
    deployed.check_honest();
    deployed.check_every_word();
    assert!(deployed.compiled.code_bytes < 22_000, "{} bytes of code", deployed.compiled.code_bytes);
}

#[test]
fn odd_shape() {
    if !installed("odd_shape") {
        return;
    }
    let deployed = Deployed::new(6, odd());
    deployed.check_honest();
    deployed.check_every_word();
}

#[test]
fn malformed_input_is_named() {
    if !installed("malformed_input_is_named") {
        return;
    }
    let deployed = Deployed::new(8, planned());
    let (instances, proof) = (&deployed.instances[..], &deployed.proof[..]);
    let refused = |instances: &[U256], proof: &[u8]| match deployed.verdict(instances, proof) {
        Verdict::Refused(name) => name,
        verdict => panic!("{verdict:?}"),
    };
    // Lengths.
    assert_eq!(refused(&instances[1..], proof), "WrongNumberOfInstances");
    assert_eq!(refused(&[instances, &[U256::ZERO]].concat(), proof), "WrongNumberOfInstances");
    for cut in [&proof[..proof.len() - 1], &proof[..0], &[proof, &[0]].concat(), &[proof, proof].concat()] {
        assert_eq!(refused(instances, cut), "WrongProofLength");
    }
    // Instances that are not reduced: the same residue in another encoding.
    let order = U256::from_str_radix(R, 16).expect("a number");
    for at in 0..instances.len() {
        let mut instances = instances.to_vec();
        instances[at] += order;
        assert_eq!(refused(&instances, proof), "NonCanonicalScalar");
    }
    // 13 points, the evaluations, two points.
    let (points, tail, all) = (13, 2, proof.len() / 32);
    let scalars = 2 * points..all - 2 * tail;
    assert_eq!(scalars.len(), 10 + 9 + 1 + 5 + 2);
    let word = |at: usize| U256::from_be_slice(&proof[32 * at..32 * (at + 1)]);
    for at in scalars.clone() {
        let shifted = deployed.with_word(at, &(word(at) + order).to_be_bytes::<32>());
        assert_eq!(refused(instances, &shifted), "NonCanonicalScalar", "word {at}");
        let maximal = deployed.with_word(at, &[0xff; 32]);
        assert_eq!(refused(instances, &maximal), "NonCanonicalScalar", "word {at}");
    }
    let modulus = U256::from_str_radix(P, 16).expect("a number");
    for at in (0..all).filter(|at| !scalars.contains(at)) {
        let shifted = deployed.with_word(at, &(word(at) + modulus).to_be_bytes::<32>());
        assert_eq!(refused(instances, &shifted), "NonCanonicalCoordinate", "word {at}");
        let off = deployed.with_word(at, &[[0; 31].as_slice(), &[1]].concat());
        assert_eq!(refused(instances, &off), "PointNotOnCurve", "word {at}");
    }
    for at in (0..scalars.start).step_by(2).chain((scalars.end..all).step_by(2)) {
        let mut zero = proof.to_vec();
        zero[32 * at..32 * (at + 2)].fill(0);
        assert_eq!(refused(instances, &zero), "PointAtInfinity", "word {at}");
    }
}

/// The source with a part replaced, which is there exactly once.
fn replaced(source: &str, part: &str, by: &str) -> String {
    assert_eq!(source.matches(part).count(), 1, "{part}");
    source.replace(part, by)
}

#[test]
fn what_no_proof_can_bring_about_is_refused() {
    if !installed("what_no_proof_can_bring_about_is_refused") {
        return;
    }
    let mut deployed = Deployed::new(6, odd());
    // Too little gas for all the multiples of points, where it is the precompiled contract that runs out of it.
    let call = input(&deployed.instances, &deployed.proof);
    let data = deployed.chain.call_with_gas(deployed.address, call, 153_000).expect_err("there is too little gas");
    assert_eq!(data[..], keccak256(&[b"PrecompileFailed()"])[..4]);
    // Challenges that are roots of unity, which no one can make a digest be.
    let source = generate(deployed.keys.key.get_vk(), &lengths(&deployed.keys.circuit)).expect("it is supported");
    for (part, by) in [
        ("mstore(X, mod(mload(STATE_3), R))", "mstore(X, 1)"),
        ("mstore(X, mod(mload(STATE_3), R))", "mstore(X, 0)"),
        ("mstore(U, mod(squeeze(STATE_4, OPENING_POINT_1), R))", "mstore(U, mulmod(mload(X), OMEGA, R))"),
    ] {
        deployed.address = deployed.chain.deploy(&compile(&replaced(&source, part, by)).creation);
        let verdict = deployed.verdict(&deployed.instances, &deployed.proof);
        assert_eq!(verdict, Verdict::Refused("ZeroDenominator"), "{by}");
    }
}

#[test]
fn gas_by_section() {
    if !installed("gas_by_section") {
        return;
    }
    // The gas that is left at the head of each section, and at the end, in the place of the result.
    let deployed = Deployed::new(8, planned());
    let source = generate(deployed.keys.key.get_vk(), &lengths(&deployed.keys.circuit)).expect("it is supported");
    let (mut titles, mut probed) = (Vec::new(), String::new());
    let probe = |index: usize| format!("mstore({:#x}, gas())\n", 0x4000 + 32 * index);
    for line in source.lines() {
        if let Some(title) = line.trim().strip_prefix("// == ") {
            probed += &probe(titles.len());
            titles.push(title);
        }
        probed += line;
        probed.push('\n');
    }
    let end = format!(
        "{}if gas() {{ return(0x4000, {:#x}) }}\nleftX := mload(SUM)",
        probe(titles.len()),
        32 * (titles.len() + 1)
    );
    let address = deployed.chain.deploy(&compile(&replaced(&probed, "leftX := mload(SUM)", &end)).creation);
    let left = deployed.chain.call(address, input(&deployed.instances, &deployed.proof)).expect("the proof is good");
    let left: Vec<u64> = left.chunks(32).map(|word| U256::from_be_slice(word).to::<u64>()).collect();
    for (title, pair) in titles.iter().zip(left.windows(2)) {
        println!("{:>8} gas  {title}", pair[0] - pair[1]);
    }
    assert_eq!(left.len(), titles.len() + 1);
}

#[test]
fn the_source_is_a_function_of_the_key() {
    let keys = Keys::new(6, odd());
    let source = |keys: &Keys<Odd>| generate(keys.key.get_vk(), &lengths(&keys.circuit));
    assert_eq!(source(&keys), source(&Keys::new(6, odd())));
    assert_eq!(generate(keys.key.get_vk(), &[7]), Err(GenerateError::InstanceColumns { expected: 2, got: 1 }));
    assert_eq!(generate(keys.key.get_vk(), &[7, 100]), Err(GenerateError::TooManyInstances { expected: 58, got: 100 }));
}
