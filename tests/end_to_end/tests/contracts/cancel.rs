//! The equations of opening and circuit are checked in one pairing: the error of one must not make up for that of the other.

use std::fs;

use ark_bn254::{Fr, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, PrimeField};
use gradproof_chain::{Artifact, Compiler, SegmentVerifier, SolValue};
use gradproof_evm::segment;
use gradproof_verifier::protocol::keccak::keccak256;
use gradproof_verifier::protocol::points::{decode_g1, encode_g1};
use gradproof_verifier::protocol::setup::insecure_tau;

use crate::points::combination;
use crate::stage::{Stage, artifacts, contracts, deploy_mock, refusal, segment_key};
use crate::synthetic::{Job, Proved, Shape, domain, offsets};

/// How the contract draws the factor of the circuit's equation: from `state ‖ W' ‖ left ‖ right`.
const DRAWN: &str = "let delta := mod(keccak256(message, 0xe0), r)";

/// What a forger still chooses when the factor is known.
#[derive(Clone, Copy, PartialEq)]
enum Free {
    Shifted,
    Left,
    Right,
}

/// A weaker way to draw the factor.
struct Weaker {
    name: &'static str,
    /// As the contract would do it.
    drawn: &'static str,
    /// Whether W', left and right are hashed after the state; none for the factor one.
    hashed: Option<[bool; 3]>,
    free: Free,
}

const WEAKER: [Weaker; 5] = [
    Weaker { name: "the factor is one", drawn: "let delta := 1", hashed: None, free: Free::Shifted },
    Weaker {
        name: "drawn before the circuit's points",
        drawn: "let delta := mod(keccak256(message, 0x60), r)",
        hashed: Some([true, false, false]),
        free: Free::Left,
    },
    Weaker {
        name: "drawn before the right one",
        drawn: "let delta := mod(keccak256(message, 0xa0), r)",
        hashed: Some([true, true, false]),
        free: Free::Right,
    },
    Weaker {
        name: "drawn before the left one",
        drawn: "mcopy(add(message, 0x60), add(accumulator, 0x40), 0x40) let delta := mod(keccak256(message, 0xa0), r)",
        hashed: Some([true, false, true]),
        free: Free::Left,
    },
    Weaker {
        name: "drawn before W'",
        drawn: "mstore(add(message, 0x40), state) let delta := mod(keccak256(add(message, 0x40), 0xa0), r)",
        hashed: Some([false, true, true]),
        free: Free::Shifted,
    },
];

/// The verifier with another line in the place of that which draws the factor.
fn weakened(compiler: &Compiler, drawn: &str) -> Artifact {
    let source = fs::read_to_string(contracts().join("src/core/SegmentVerifier.sol")).expect("it is there");
    assert_eq!(source.matches(DRAWN).count(), 1, "the factor is drawn in one place");
    compiler
        .compile("src/core/SegmentVerifier.sol", &source.replace(DRAWN, drawn), "SegmentVerifier")
        .expect("it compiles")
}

/// State of the transcript after W, whose residue is z.
fn state(shape: &Shape, proved: &Proved) -> [u8; 32] {
    let [.., scalars, blinding, folds, evaluations, quotient, _] = offsets(shape);
    let bytes = &proved.bytes;
    let digest = [0, 1].map(|half| proved.instances[half].to_be_bytes::<32>());
    let (rho, value, point) =
        (&bytes[scalars..scalars + 32], &bytes[scalars + 32..scalars + 64], &bytes[scalars + 64..blinding]);
    let commitment = encode_g1(&combination(shape, proved));
    let after_folds = keccak256(&[
        &digest[0][16..],
        &digest[1][16..],
        rho,
        point,
        value,
        &bytes[blinding..folds],
        &commitment,
        &bytes[folds..evaluations],
    ]);
    let after_evaluations = keccak256(&[&after_folds, &bytes[evaluations..quotient]]);
    keccak256(&[&after_evaluations, &bytes[quotient..quotient + 64]])
}

fn encoded(scalar: Fr) -> [u8; 64] {
    encode_g1(&(G1Affine::generator() * scalar).into_affine())
}

/// W' = honest + [d]G, left = [a]G and right = [b]G with `(τ - z)·d + δ·(τ·b - a) = 0`, though neither summand is zero: the first
/// is the error of the opening, the second that of the circuit.
fn cancelling(weaker: &Weaker, shape: &Shape, proved: &Proved) -> (Vec<u8>, [u8; 128]) {
    let tau = insecure_tau();
    let at = offsets(shape)[11] - 64;
    let honest = decode_g1(&proved.bytes[at..at + 64]).expect("it is a point");
    let state = state(shape, proved);
    let z = Fr::from_be_bytes_mod_order(&state);
    let shifted = |d: Fr| encode_g1(&(honest + G1Affine::generator() * d).into_affine());
    let delta = |d: Fr, a: Fr, b: Fr| {
        let Some(hashed) = weaker.hashed else { return Fr::from(1) };
        let parts = [shifted(d), encoded(a), encoded(b)];
        let parts = parts.iter().zip(hashed).filter(|(_, hashed)| *hashed).flat_map(|(part, _)| *part);
        Fr::from_be_bytes_mod_order(&keccak256(&[&state, &parts.collect::<Vec<u8>>()]))
    };
    let inverse = |x: Fr| x.inverse().expect("it is not zero");
    let (mut d, mut a, mut b) = (Fr::from(5), Fr::from(7), Fr::from(11));
    let factor = delta(d, a, b);
    let opening = |d: Fr| (tau - z) * d;
    match weaker.free {
        Free::Shifted => d = factor * (a - tau * b) * inverse(tau - z),
        Free::Left => a = tau * b + opening(d) * inverse(factor),
        Free::Right => b = (a - opening(d) * inverse(factor)) * inverse(tau),
    }
    assert_eq!(delta(d, a, b), factor, "what is chosen last does not change the factor");
    assert_eq!(opening(d) + factor * (tau * b - a), Fr::from(0));
    assert!(d != Fr::from(0) && a != tau * b, "both equations are wrong");
    let mut bytes = proved.bytes.clone();
    bytes[at..at + 64].copy_from_slice(&shifted(d));
    let mut accumulator = [0; 128];
    accumulator[..64].copy_from_slice(&encoded(a));
    accumulator[64..].copy_from_slice(&encoded(b));
    (bytes, accumulator)
}

#[test]
fn errors_do_not_cancel() {
    let Some(artifacts) = artifacts("errors_do_not_cancel") else { return };
    let compiler = Compiler::new(&contracts()).expect("foundry.toml has all settings");
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    let job = Job::new(&shape);
    let proved = job.prove(job.statement(domain(stage.chain.sender()), 1, &job.first), &job.first);
    let last = proved.statement.last.into();
    assert_eq!(stage.verify(&segment(&proved.statement), &proved.bytes), Ok(last));
    for weaker in &WEAKER {
        let (proof, accumulator) = cancelling(weaker, &shape, &proved);
        let mock = deploy_mock(&stage.chain, artifacts, &accumulator);
        let verdict = |artifact: &Artifact| {
            let verifier = stage.chain.deploy(artifact, &segment_key(&shape, mock).abi_encode()).expect("it deploys");
            let call = SegmentVerifier::verifyCall { segment: segment(&proved.statement), proof: proof.clone().into() };
            refusal(stage.chain.call(verifier.address, &call))
        };
        assert_eq!(verdict(&weakened(&compiler, weaker.drawn)), Ok(last), "{}: nothing else is wrong", weaker.name);
        assert_eq!(verdict(&artifacts.verifier), Err("Pairing".into()), "{}", weaker.name);
    }
}
