//! `verifier key` and `verifier export-contract`.

use std::fs;
use std::path::Path;

use ark_bn254::{Fr, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use gradproof_chain::{Anvil, Artifact, B256, Chain, Compiler, SolCall};
use gradproof_circuits::network::precision::Precision;
use gradproof_evm::bindings::SegmentVerifier;
use gradproof_tests::networks::perceptron;
use gradproof_tests::{root, skip};
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::key_file::KeyFile;
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::setup::SetupKey;
use serde_json::Value;

use crate::fixture::{ACCOUNT, PROVED, WRAPPED, run};

/// The shape of the fixture's job as options.
const SHAPE: &str = "--layers 6,5,4,3 --batch 4 --steps 4 --column-bits 10";

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("read")).expect("JSON")
}

#[test]
fn a_key_is_derived_and_compared_with_the_statement() {
    let folder = PROVED.copy();
    let at = folder.path();
    let stated = json(&at.join("posted/statement.json"))["verifying_key"].clone();
    let ran = run(at, "verifier key --statement posted/statement.json --json").exits(0);
    assert_eq!((&ran.json()["verifying_key"], &ran.json()["stated"]), (&stated, &true.into()));
    // By the shape alone it is the same key, and of another shape or kind another.
    let digest =
        |options: &str| run(at, &format!("verifier key {options} --json")).exits(0).json()["verifying_key"].clone();
    assert_eq!(digest(&format!("{SHAPE} --proof core")), stated);
    assert_ne!(digest(&format!("{SHAPE} --proof wrapped")), stated);
    assert_ne!(digest(&format!("{} --proof core", SHAPE.replace("10", "11"))), stated);

    let text = fs::read_to_string(at.join("posted/statement.json")).expect("read");
    let stated = stated.as_str().expect("hexadecimal");
    let other = text.replace(stated, &stated.replace(['1', '2'], "3"));
    fs::write(at.join("other.json"), other).expect("written");
    let ran = run(at, "verifier key --statement other.json").exits(1);
    assert!(ran.stdout.contains("REJECTED"), "{}", ran.stdout);

    run(at, "verifier key --layers 6,5 --batch 0").exits(2).says("batch");
    run(at, "verifier key --column-bits 30").exits(2).says("--column-bits is 30, expected 4 to 21");
    run(at, "verifier key --profile chain --column-bits 12").exits(2).says("--column-bits");
    run(at, "verifier key --statement posted/statement.json --steps 2").exits(2).says("--steps");
    run(at, "verifier key --setup none.ptau").exits(2).says("none.ptau");
}

#[test]
fn a_derived_key_verifies_wrapped_proofs() {
    let folder = WRAPPED.copy();
    let at = folder.path();
    run(at, "verifier key --statement out/statement.json --out my.key").exits(0);
    assert_eq!(fs::read(at.join("my.key")).expect("read"), fs::read(at.join("out/verifying.key")).expect("read"));
    run(at, "verifier verify --statement out/statement.json --proofs out --key my.key").exits(0);
    // What a key file says can be read as well.
    let shown = run(at, "verifier key --statement out/statement.json --key my.key --json").exits(0).json();
    assert_eq!((&shown["stated"], &shown["circuit_bits"]), (&true.into(), &14.into()));
    assert_eq!(shown["derived"], false);
}

#[test]
fn contracts_of_an_insecure_or_core_key_are_refused() {
    let folder = PROVED.copy();
    let at = folder.path();
    let core = run(at, "verifier export-contract --statement posted/statement.json --out contract --insecure");
    core.exits(2).says("core");
    run(at, &format!("verifier export-contract {SHAPE} --out contract")).exits(2).says("--insecure");
    assert!(!at.join("contract").exists());

    // Under the set-up of a ceremony nothing need be asked for.
    let architecture = perceptron(&[6, 5, 4, 3], 4, 4, Precision::of_classes(3));
    let key = VerifyingKey::insecure_of(ProofKind::Wrapped, &architecture, 10).expect("the shape is possible");
    let tau_g2 = (G2Affine::generator() * Fr::from(12345u64)).into_affine();
    let file = KeyFile { setup: SetupKey::ceremony(tau_g2), ..KeyFile::of(&key) };
    fs::write(at.join("ceremony.key"), file.to_bytes()).expect("written");
    run(at, &format!("verifier export-contract {SHAPE} --key ceremony.key --out contract")).exits(0);
    let description = json(&at.join("contract/contracts.json"));
    assert_eq!(
        (&description["insecure_setup"], &description["constructor"]["insecure"]),
        (&false.into(), &false.into())
    );
}

#[test]
fn exported_contracts_accept_exported_call_data() {
    let test = "exported_contracts_accept_exported_call_data";
    let contracts = root().join("contracts");
    if !contracts.join("node_modules/.package-lock.json").exists() {
        return skip(test, "the tools of the contracts", "`cargo xtask contracts` installs them");
    }
    let folder = WRAPPED.copy();
    let at = folder.path();
    let node = Anvil::start(&contracts).expect("the node starts");
    let chain = Chain::connect(node.url(), node.signer()).expect("the node answers");
    // The account that calls stands in for the settling contract.
    assert_eq!(chain.sender().to_string().to_lowercase(), ACCOUNT);
    let line = "verifier export-contract --statement unbound/statement.json --proofs unbound --insecure --out none";
    run(at, line).exits(2).says("no contract takes its proofs: `requester bind`");
    let line = "verifier export-contract --statement posted/statement.json --proofs out --insecure";
    run(at, &format!("{line} --out contract")).exits(0).says("INSECURE");

    // From the exported files alone: compiled, deployed, called.
    let compiler = Compiler::new(&contracts).expect("foundry.toml has all settings");
    let artifact = |name: &str| -> Artifact {
        let input = json(&at.join(format!("contract/{name}.json")));
        compiler.compile_input(&input, &format!("src/core/{name}.sol"), name).expect("it compiles")
    };
    let halo2 = chain.deploy(&artifact("Halo2Verifier"), &[]).expect("it deploys").address;
    run(at, &format!("{line} --out again --halo2 {halo2}")).exits(0);
    let arguments = json(&at.join("again/contracts.json"))["constructor_arguments"].clone();
    let arguments = alloy::hex::decode(arguments.as_str().expect("hexadecimal")).expect("hexadecimal");
    let verifier = chain.deploy(&artifact("SegmentVerifier"), &arguments).expect("it deploys").address;
    assert!(chain.call(verifier, &SegmentVerifier::insecureSetupCall {}).expect("it answers"));
    for index in 0..4 {
        let segment = json(&at.join(format!("contract/segment-000{index}.json")));
        let data = alloy::hex::decode(segment["verify"].as_str().expect("hexadecimal")).expect("hexadecimal");
        let mut call = SegmentVerifier::verifyCall::abi_decode(&data).expect("call data");
        let last: B256 = segment["last"].as_str().expect("hexadecimal").parse().expect("32 bytes");
        assert_eq!(chain.call(verifier, &call).expect("it is accepted"), last);
        call.segment.rate += 1;
        assert!(chain.call(verifier, &call).is_err());
    }

    // The same key gives the same files, and the code is that which this repository deploys.
    for name in
        ["Halo2Verifier.json", "SegmentVerifier.json", "src/core/Halo2Verifier.sol", "src/core/SegmentVerifier.sol"]
    {
        let read = |folder: &str| fs::read(at.join(folder).join(name)).expect("read");
        assert_eq!(read("contract"), read("again"), "{name}");
    }
    let own = compiler.compile_file("src/core/SegmentVerifier.sol", "SegmentVerifier").expect("it compiles");
    assert_eq!(artifact("SegmentVerifier").runtime, own.runtime);
}

#[test]
fn a_key_file_is_for_one_kind_of_proofs() {
    let folder = PROVED.copy();
    let at = folder.path();
    run(at, &format!("verifier key {SHAPE} --proof core --out core.key")).exits(0);
    let asked = run(at, &format!("verifier key {SHAPE} --proof wrapped --key core.key"));
    asked.exits(2).says("the key is for core proofs, wrapped ones are asked for");
    run(at, &format!("verifier key {SHAPE} --proof core --key core.key")).exits(0);

    // A statement that says nothing else than before, but that proofs are wrapped: the key in it is for core ones.
    let path = at.join("posted/statement.json");
    let mut statement = json(&path);
    let digest = run(at, "verifier key --statement posted/statement.json --key core.key --json").exits(0).json();
    assert_eq!(digest["verifying_key"], statement["verifying_key"]);
    statement["proof"] = "wrapped".into();
    fs::write(&path, statement.to_string()).expect("written");
    let rejected = run(at, "verifier verify --statement posted/statement.json --proofs out --key core.key --json");
    let rejected = rejected.exits(1).json();
    assert_eq!((&rejected["part"], &rejected["check"]), (&"statement".into(), &"key".into()));
}
