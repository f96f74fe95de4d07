//! What contracts refuse with, in words.

use alloy::primitives::Bytes;
use alloy::sol_types::{Revert, SolError, SolInterface};
use gradproof_verifier::contract::bindings::{ISegmentLedger, ISegmentVerifier};

/// The error that a contract reverted with, in words: its name and arguments, or the bytes if nobody here knows it.
pub fn reason(data: &Bytes) -> String {
    if let Ok(error) = ISegmentVerifier::ISegmentVerifierErrors::abi_decode(data) {
        return plain(&format!("{error:?}"));
    }
    if let Ok(error) = ISegmentLedger::ISegmentLedgerErrors::abi_decode(data) {
        return plain(&format!("{error:?}"));
    }
    match Revert::abi_decode(data) {
        Ok(revert) => revert.reason,
        Err(_) => format!("an error of another contract, {data}"),
    }
}

/// `Variant(Error { … })` without the variant, which has the error's name.
fn plain(debug: &str) -> String {
    let inner = debug.split_once('(').map_or(debug, |(_, rest)| rest);
    inner.strip_suffix(')').unwrap_or(inner).to_owned()
}
