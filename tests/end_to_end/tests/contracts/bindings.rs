//! The checked-in interfaces of what takes proofs against the compiled contracts.

use alloy::json_abi::JsonAbi;
use gradproof_tests::stored_interface;

use crate::stage::artifacts;

#[test]
fn the_interface_of_the_verifier_is_that_of_the_sources() {
    let Some(artifacts) = artifacts("the_interface_of_the_verifier_is_that_of_the_sources") else { return };
    let name = "SegmentVerifier";
    let [stored, compiled]: [JsonAbi; 2] = [stored_interface(name), artifacts.verifier.abi.clone()]
        .map(|abi| serde_json::from_value(abi).expect("it is an interface"));
    assert!(stored == compiled, "contracts/abi/{name}.json is not of these sources: run `cargo xtask abi`");
}
