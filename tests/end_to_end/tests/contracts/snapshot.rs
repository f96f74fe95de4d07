//! Sizes and gas of the contracts, which change only on purpose.

use gradproof_chain::market::Contract;
use gradproof_chain::{Anvil, Chain, Compiler, Halo2Verifier, U256, VerifierCode};
use gradproof_tests::forge::wrapped;
use gradproof_tests::{check_vector, known_vector};
use serde_json::{Value, json};

use crate::stage::{artifacts, contracts};

fn words(values: &Value) -> Vec<U256> {
    let word = |value: &Value| U256::from_str_radix(value.as_str().expect("a text"), 16).expect("hexadecimal");
    values.as_array().expect("a list").iter().map(word).collect()
}

/// The proof is the stored one, whose bytes do not change from run to run.
#[test]
fn vector_of_sizes_and_gas() {
    let Some(artifacts) = artifacts("vector_of_sizes_and_gas") else { return };
    let node = Anvil::start(&contracts()).expect("the node starts");
    let chain = Chain::connect(node.url(), node.signer()).expect("the node answers");
    let compiler = Compiler::new(&contracts()).expect("foundry.toml has all settings");
    let code = VerifierCode::compile(&compiler, &wrapped().1).expect("they compile");
    let deployed = chain.wait(code.deploy(chain.client())).expect("they deploy");
    let gas = |contract: Contract| chain.wait(chain.client().gas_of(contract.transaction)).expect("the node knows it");
    let stored = known_vector("wrap-key.json").expect("there is a stored proof");
    let proof = alloy::hex::decode(stored["proof"].as_str().expect("a text")).expect("hexadecimal");
    let call = Halo2Verifier::accumulateCall { instances: words(&stored["instances"]), proof: proof.into() };
    let accumulate = chain.estimate(deployed.halo2.address, &call).expect("the stored proof is well formed");
    let got = json!({
        "what": "the contracts of 6-5-4-3, batch 3, T 4, columns of 2^12 entries, under the insecure set-up: bytes of code, gas of \
            deployment, and of a transaction that gives the proof of wrap-key.json to the circuit's verifier",
        "bytes": {
            "Halo2Verifier": code.halo2_bytes(),
            "SegmentVerifier": artifacts.verifier.runtime.len(),
        },
        "deployment": {
            "Halo2Verifier": gas(deployed.halo2),
            "SegmentVerifier": gas(deployed.segment),
        },
        "accumulate": accumulate,
    });
    check_vector("gas.json", &got);
}
