//! Calls as the market takes them, and who signs them.

use std::path::Path;

use gradproof_chain::market::{StakeVault, TrainingMarket, no_paths};
use gradproof_chain::{Address, B256, SolCall, U256};

use super::desk::Desk;
use crate::NodeError;
use crate::decide::Call;
use crate::facts::Facts;
use crate::message::LicencePath;
use crate::words::{said, word};

/// Name of the file with the call that posts a job.
pub const OPEN_FILE: &str = "open.call";
/// Name of the file with the terms of a job that was posted here, as the market's ABI encodes them.
pub const TERMS_FILE: &str = "terms.abi";

/// Name of the file with the call that takes the job of an offer.
pub const OFFER_FILE: &str = "offer.call";

/// Most bytes of the calls that are sent in one: nodes of the chain take 126 KiB.
const MOST_BYTES: usize = 120 << 10;

/// Which key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The account's: for what moves tokens of its own, or takes a job on.
    Account,
    /// The hot key's: for all that is part of a job.
    Hot,
}

/// The key that signs a call: the one table of it.
pub fn key_of(call: &Call) -> Key {
    match call {
        // The bond of a challenge and of a seat is locked from who makes it, and who shows a contradiction is paid.
        Call::Open
        | Call::Accept { .. }
        | Call::Take
        | Call::Cancel
        | Call::Challenge { .. }
        | Call::Contradict { .. }
        | Call::Join => Key::Account,
        _ => Key::Hot,
    }
}

/// What a transaction is for, in words. The same words are the same transaction.
pub fn intent_id(call: &Call, id: B256, me: Address) -> String {
    match call {
        // What is owed is owed to the account, whichever job it is of.
        Call::Withdraw | Call::WithdrawBonds => format!("{} of {me}", call.about()),
        _ => format!("{} of job {id}", call.about()),
    }
}

/// Name of the file with what the market takes of a segment's proof.
pub fn proof_file(index: u64) -> String {
    format!("segment-{index:04}.call")
}

/// The call that takes job `id` at this price a segment or a better one, in the token's smallest unit, by an account with this path in the
/// licence of the data.
pub fn accept_call(id: B256, least_price: u128, path: &LicencePath) -> TrainingMarket::acceptCall {
    TrainingMarket::acceptCall { id, minPrice: U256::from(least_price), paths: under(path) }
}

/// The paths of an account that the terms admit by themselves.
fn under(path: &LicencePath) -> TrainingMarket::Paths {
    TrainingMarket::Paths { licence: path.as_slice().to_vec(), ..no_paths() }
}

/// The call that posts the job in a folder, as it was stored.
pub(super) fn open_call(folder: &Path) -> Result<TrainingMarket::openCall, NodeError> {
    let path = folder.join(OPEN_FILE);
    let bytes = std::fs::read(&path).map_err(NodeError::file(&path))?;
    let decoded = TrainingMarket::openCall::abi_decode_validate(&bytes);
    decoded.map_err(|error| NodeError::file(&path)(std::io::Error::other(error.to_string())))
}

/// The terms of an offer that was agreed to; `None` if they cannot be read.
pub(super) fn agreed_terms(desk: &Desk, id: B256) -> Option<TrainingMarket::Terms> {
    let bytes = std::fs::read(desk.home.job(id).join(OFFER_FILE)).ok()?;
    Some(TrainingMarket::openAndAcceptCall::abi_decode_validate(&bytes).ok()?.terms)
}

/// Call data of a call about job `id`, of the account `me`, whose files are in `folder`.
///
/// # Errors
/// The proof of a segment, or what posts the job, is not there.
pub fn call_data(call: &Call, id: B256, me: Address, facts: &Facts, folder: &Path) -> Result<Vec<u8>, NodeError> {
    let number = |number: &u64| U256::from(*number);
    let stored = |name: &str| {
        let path = folder.join(name);
        std::fs::read(&path).map_err(NodeError::file(&path))
    };
    let proof = |index: &u64| Ok::<_, NodeError>(stored(&proof_file(*index))?.into());
    Ok(match call {
        Call::Open => match &facts.committee {
            // The consents came after the call was written down.
            Some(committee) => {
                TrainingMarket::openCall { consents: committee.to_market(), ..open_call(folder)? }.abi_encode()
            }
            None => stored(OPEN_FILE)?,
        },
        Call::Take => stored(OFFER_FILE)?,
        Call::Accept { least_price } => accept_call(id, *least_price, &facts.path).abi_encode(),
        Call::Cancel => TrainingMarket::cancelCall { id }.abi_encode(),
        Call::Start => TrainingMarket::startCall { id }.abi_encode(),
        Call::Decline => TrainingMarket::declineCall { id }.abi_encode(),
        Call::Claim { from, ends } => {
            TrainingMarket::claimCall { id, index: number(from), lasts: ends.clone() }.abi_encode()
        }
        Call::ClaimProven(index) => {
            TrainingMarket::claimProvenCall { id, index: number(index), proof: proof(index)? }.abi_encode()
        }
        Call::Prove(index) => TrainingMarket::proveCall { id, index: number(index), proof: proof(index)? }.abi_encode(),
        Call::Join => {
            let offer = facts.member.as_ref().and_then(|member| member.offer.as_ref());
            let offer = offer.ok_or(NodeError::NoSeat(id))?.to_market();
            TrainingMarket::joinCall { id, offer, paths: under(&facts.path) }.abi_encode()
        }
        Call::Quit(seat) => TrainingMarket::quitCall { id, number: number(seat) }.abi_encode(),
        Call::Takes { seat, claims } => {
            let take = |(index, last): &(u64, B256)| TrainingMarket::takeCall {
                id,
                index: number(index),
                last: *last,
                seat: number(seat),
            };
            in_one(claims.iter().map(|claim| take(claim).abi_encode()).collect())
        }
        Call::ProveTaken(indices) => {
            let prove =
                |index| Ok(TrainingMarket::proveCall { id, index: number(index), proof: proof(index)? }.abi_encode());
            in_one(indices.iter().map(prove).collect::<Result<_, NodeError>>()?)
        }
        Call::Close { batch, root, seat } => {
            TrainingMarket::closeCall { id, batch: number(batch), root: *root, seat: number(seat) }.abi_encode()
        }
        Call::AddRoot { batch, root, seat } => {
            TrainingMarket::addRootCall { id, batch: number(batch), root: *root, seat: number(seat) }.abi_encode()
        }
        Call::Reveal(batch) => {
            let secret = facts.secret_of(*batch).ok_or(NodeError::NoSecret(id))?;
            TrainingMarket::revealCall { id, batch: number(batch), secret }.abi_encode()
        }
        Call::FixLate { batch, seat } => {
            TrainingMarket::fixLateCall { id, batch: number(batch), seat: number(seat) }.abi_encode()
        }
        Call::DrawLate(batch) => TrainingMarket::drawLateCall { id, batch: number(batch) }.abi_encode(),
        Call::Acknowledge { batch, last, root } => {
            TrainingMarket::acknowledgeCall { id, batch: number(batch), last: *last, root: *root }.abi_encode()
        }
        Call::Complain { batch, last, root } => {
            TrainingMarket::complainCall { id, batch: number(batch), last: *last, root: *root }.abi_encode()
        }
        Call::Attest { batch, last, place, yes } => {
            let word = word(&facts.words, *batch, *last).filter(|word| word.yes == *yes);
            let signature = word.and_then(|word| word.signature.as_ref()).ok_or(NodeError::NoWord(id))?;
            let (batch, place, signature) = (number(batch), U256::from(*place), signature.as_slice().to_vec().into());
            TrainingMarket::attestCall { id, batch, yes: *yes, place, signature }.abi_encode()
        }
        Call::Challenge { index, claim } => {
            TrainingMarket::challengeCall { id, index: number(index), last: *claim }.abi_encode()
        }
        Call::Contradict { batch, last, place, member } => {
            let signed = |yes| {
                let word = said(&facts.heard, *member, *batch, *last, yes).ok_or(NodeError::NoWord(id))?;
                Ok::<_, NodeError>(word.signature.as_slice().to_vec().into())
            };
            let batch = u32::try_from(*batch).map_err(|_| NodeError::NoWord(id))?;
            let (yes, no, place) = (signed(true)?, signed(false)?, U256::from(*place));
            TrainingMarket::contradictCall { id, batch, last: *last, place, yes, no }.abi_encode()
        }
        Call::Reclaim(index) => TrainingMarket::reclaimCall { id, index: number(index) }.abi_encode(),
        Call::ReclaimComplaint(batch) => TrainingMarket::reclaimComplaintCall { id, batch: number(batch) }.abi_encode(),
        Call::Lapse(batch) => TrainingMarket::lapseCall { id, batch: number(batch) }.abi_encode(),
        Call::Settle => TrainingMarket::settleCall { id }.abi_encode(),
        Call::Fail(index) => TrainingMarket::failCall { id, index: number(index) }.abi_encode(),
        Call::Abandon => TrainingMarket::abandonCall { id }.abi_encode(),
        Call::Stop(total) => TrainingMarket::stopCall { id, total: number(total) }.abi_encode(),
        Call::Unback => TrainingMarket::unbackCall { id }.abi_encode(),
        Call::Withdraw => TrainingMarket::withdrawCall { account: me }.abi_encode(),
        Call::WithdrawBonds => StakeVault::withdrawCall { account: me }.abi_encode(),
    })
}

/// Several calls of the market in one transaction, all of them or none: the first ones, as far as they fit.
fn in_one(calls: Vec<Vec<u8>>) -> Vec<u8> {
    let mut bytes = 0usize;
    let fits = |call: &Vec<u8>| {
        bytes = bytes.saturating_add(call.len());
        bytes <= MOST_BYTES || bytes == call.len()
    };
    let mut calls: Vec<Vec<u8>> = calls.into_iter().take_while(fits).collect();
    match calls.pop() {
        Some(only) if calls.is_empty() => only,
        last => {
            let data = calls.into_iter().chain(last).map(Into::into).collect();
            TrainingMarket::multicallCall { data }.abi_encode()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_calls_are_in_one_as_fit() {
        let calls = |lengths: &[usize]| in_one(lengths.iter().map(|length| vec![7; *length]).collect());
        let inner = |data: &[u8]| TrainingMarket::multicallCall::abi_decode(data).expect("it is one").data.len();
        assert_eq!(calls(&[5]), [7; 5], "one alone is as it is");
        assert_eq!(inner(&calls(&[5, 6, 7])), 3);
        assert_eq!(inner(&calls(&[MOST_BYTES - 9, 9, 1])), 2);
        assert_eq!(calls(&[MOST_BYTES, 1]).len(), MOST_BYTES);
        assert_eq!(calls(&[MOST_BYTES + 1, 1]).len(), MOST_BYTES + 1, "the first one goes, whatever it is");
    }
}
