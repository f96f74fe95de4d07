//! The checked-in interfaces against the sources.

use std::fs;

use alloy::json_abi::JsonAbi;
use alloy::sol_types::SolInterface;
use gradproof_chain::market::BatchState::{Disputed, Drawing, Filling, Proving, Settled, Void};
use gradproof_chain::market::{TERMS, TrainingMarket};
use gradproof_chain::{Artifact, Compiler, Halo2Verifier, reason};
use gradproof_tests::stored_interface;

use crate::scene::{code, contracts};

#[test]
fn the_interfaces_are_those_of_the_sources() {
    let Some(code) = code("the_interfaces_are_those_of_the_sources") else { return };
    for name in ["ComputeToken", "NodeRegistry", "StakeVault", "DatasetRegistry", "TrainingMarket"] {
        check(name, code.artifact(name).expect("it is compiled"));
    }
    let compiler = Compiler::new(&contracts()).expect("foundry.toml has all settings");
    let file = "src/core/interfaces/IHalo2Verifier.sol";
    check("IHalo2Verifier", &compiler.compile_file(file, "IHalo2Verifier").expect("it compiles"));
}

/// That the bindings are of what was compiled.
fn check(name: &str, compiled: &Artifact) {
    let [stored, compiled]: [JsonAbi; 2] = [stored_interface(name), compiled.abi.clone()]
        .map(|abi| serde_json::from_value(abi).expect("it is an interface"));
    assert!(stored == compiled, "contracts/abi/{name}.json is not of these sources: run `cargo xtask abi`");
}

/// Names of numbers, in the order in which a Solidity file declares them.
fn members(file: &str, kind: &str) -> Vec<String> {
    let source = fs::read_to_string(contracts().join(file)).expect("it is there");
    let body = source.split(&format!("enum {kind} {{")).nth(1).and_then(|rest| rest.split('}').next());
    let lines = body.expect("it has the enumeration").lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//")).map(|l| l.trim_end_matches(',').into()).collect()
}

#[test]
fn refusals_of_the_market_are_told_by_name() {
    use TrainingMarket::{BadTerm, TrainingMarketErrors, WrongState};
    let said = |error: TrainingMarketErrors| reason(&error.abi_encode().into());
    let job = alloy::primitives::B256::repeat_byte(5);
    let types = "src/market/Types.sol";
    for (state, name) in (0u8..).zip(members(types, "State")) {
        let got = said(TrainingMarketErrors::WrongState(WrongState { job, state }));
        assert_eq!(got, format!("WrongState {{ job: {job}, state: {name} }}"));
    }
    let batches = members(types, "BatchState");
    assert_eq!(batches, [Filling, Drawing, Proving, Disputed, Settled, Void].map(|state| format!("{state:?}")));
    let terms = members("src/market/interfaces/IMarketErrors.sol", "Term");
    assert_eq!(terms.len(), TERMS.len());
    for (term, name) in (0u8..).zip(terms) {
        let got = said(TrainingMarketErrors::BadTerm(BadTerm { term }));
        assert_eq!(got, format!("BadTerm {{ term: {name} }}"));
    }
    let error = Halo2Verifier::IHalo2VerifierErrors::ZeroDenominator(Halo2Verifier::ZeroDenominator {});
    assert_eq!(reason(&error.abi_encode().into()), "ZeroDenominator");
}
