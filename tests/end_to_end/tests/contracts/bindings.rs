//! The checked-in interfaces of what takes proofs against the compiled contracts.

use alloy::json_abi::JsonAbi;
use gradproof_tests::stored_interface;

use crate::stage::artifacts;

#[test]
fn the_interfaces_of_verifier_and_ledger_are_those_of_the_sources() {
    let name = "the_interfaces_of_verifier_and_ledger_are_those_of_the_sources";
    let Some(artifacts) = artifacts(name) else { return };
    for (name, artifact) in [("SegmentVerifier", &artifacts.verifier), ("SegmentLedger", &artifacts.ledger)] {
        let [stored, compiled]: [JsonAbi; 2] = [stored_interface(name), artifact.abi.clone()]
            .map(|abi| serde_json::from_value(abi).expect("it is an interface"));
        assert!(stored == compiled, "contracts/abi/{name}.json is not of these sources: run `cargo xtask abi`");
    }
}
