//! What contracts refuse with, in words.

use std::fmt::Debug;

use alloy::primitives::Bytes;
use alloy::sol_types::{Revert, SolError, SolInterface};
use gradproof_evm::bindings::{IHalo2Verifier, SegmentVerifier};

use super::market::{ComputeToken, DatasetRegistry, NodeRegistry, StakeVault, State, TERMS, TrainingMarket, name};

/// The error that a contract reverted with, in words: its name and arguments, or the bytes if nobody here knows it.
pub fn reason(data: &Bytes) -> String {
    let known: [fn(&Bytes) -> Option<String>; 8] = [
        decode::<SegmentVerifier::SegmentVerifierErrors>,
        decode::<IHalo2Verifier::IHalo2VerifierErrors>,
        market_reason,
        decode::<StakeVault::StakeVaultErrors>,
        decode::<NodeRegistry::NodeRegistryErrors>,
        decode::<DatasetRegistry::DatasetRegistryErrors>,
        decode::<ComputeToken::ComputeTokenErrors>,
        |data| Some(Revert::abi_decode(data).ok()?.reason),
    ];
    let reason = known.iter().find_map(|decode| decode(data));
    reason.unwrap_or_else(|| format!("an error of another contract, {data}"))
}

/// An error of one contract, if `data` is one: name and arguments.
fn decode<E: SolInterface + Debug>(data: &Bytes) -> Option<String> {
    E::abi_decode(data).ok().map(|error| plain(&format!("{error:?}")))
}

/// `Variant(Error { … })` without the variant, which has the error's name.
fn plain(debug: &str) -> String {
    let inner = debug.split_once('(').map_or(debug, |(_, rest)| rest);
    inner.strip_suffix(')').unwrap_or(inner).to_owned()
}

/// An error of the market, with the names of states and terms instead of their numbers.
fn market_reason(data: &Bytes) -> Option<String> {
    use TrainingMarket::TrainingMarketErrors as Error;
    Some(match Error::abi_decode(data).ok()? {
        Error::WrongState(error) => {
            format!("WrongState {{ job: {}, state: {} }}", error.job, State::name(error.state))
        }
        Error::BadTerm(error) => format!("BadTerm {{ term: {} }}", name(&TERMS, error.term)),
        error => plain(&format!("{error:?}")),
    })
}
