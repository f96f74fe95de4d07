//! The Rust bindings against the compiled contracts.

use std::collections::BTreeSet;

use alloy::json_abi::JsonAbi;
use alloy::primitives::B256;
use alloy::sol_types::SolInterface;
use gradproof_worker::chain::{SegmentLedger, SegmentVerifier};

use crate::stage::artifacts;

fn abi(artifact: &gradproof_worker::chain::Artifact) -> JsonAbi {
    serde_json::from_value(artifact.abi.clone()).expect("the compiler's ABI is one")
}

#[test]
fn bindings_are_those_of_the_contracts() {
    let Some(artifacts) = artifacts("bindings_are_those_of_the_contracts") else { return };
    let verifier = abi(&artifacts.verifier);
    let ledger = abi(&artifacts.ledger);
    let errors = |abi: &JsonAbi| abi.errors().map(|error| error.selector().0).collect::<BTreeSet<_>>();
    let functions = |abi: &JsonAbi| abi.functions().map(|function| function.selector().0).collect::<BTreeSet<_>>();

    let bound: BTreeSet<_> = SegmentVerifier::ISegmentVerifierCalls::selectors().collect();
    assert!(functions(&verifier).is_superset(&bound), "every call is a function of the contract");
    let bound: BTreeSet<_> = SegmentVerifier::ISegmentVerifierErrors::selectors().collect();
    let missing: Vec<_> = errors(&verifier).difference(&bound).copied().collect();
    assert!(missing.is_empty(), "errors that are not bound: {missing:02x?}");

    let bound: BTreeSet<_> = SegmentLedger::ISegmentLedgerCalls::selectors().collect();
    assert_eq!(functions(&ledger), bound);
    let bound: BTreeSet<_> = SegmentLedger::ISegmentLedgerErrors::selectors().collect();
    assert_eq!(errors(&ledger), bound);
    let events: BTreeSet<B256> = ledger.events().map(|event| event.selector()).collect();
    assert_eq!(events, SegmentLedger::ISegmentLedgerEvents::SELECTORS.iter().map(|s| B256::from(*s)).collect());
}
