//! Licences that a data owner's node signs by the policy of its configuration.
//!
//! Whoever asks again is given the licence that it has, while no job has that and half of its time is left. Then, or where the policy is
//! another one, the next is signed, though the one before can still be used.

use std::io::Write;
use std::sync::Arc;

use gradproof_chain::market::TrainingMarket::{Licence, nonceUsedCall};
use gradproof_chain::market::{Accounts, DatasetRegistry, MAX_LICENCE_BYTES, SignedLicence};
use gradproof_chain::{Address, At, B256, Bytes as Signature, Reader, Sight, U256};
use gradproof_terminal::atomic;
use rand::TryRng;
use rand::rngs::SysRng;
use tracing::info;

use super::desk::Desk;
use super::quotes::{busy, turn};
use super::shared::Shared;
use crate::NodeError;
use crate::config::LicencePolicy;
use crate::message::{Bytes, Reason};
use crate::store::Store;

/// Records of licences that were signed, by set and requester.
const LICENCES: &str = "licence/";
/// Folder of their copies, each named by its nonce.
pub const LICENCES_FOLDER: &str = "licences";
/// Most licences that can be used at a time.
const MAX_LICENCES: usize = 1024;
const HOUR_SECS: u64 = 3600;
/// A licence is given again while at least this part of its time is left.
const LEFT_PART: u64 = 2;

/// A licence for a job of `requester`, whose node asks: its file.
pub(super) async fn license(
    shared: &Arc<Shared>,
    requester: Address,
    dataset: B256,
    segments: u32,
) -> Result<Bytes<MAX_LICENCE_BYTES>, Reason> {
    let served = super::sets::find(shared, dataset)?;
    let policy = served.policy.ok_or_else(|| {
        Reason::new("this node signs no licences for this set by itself: ask its owner in another way")
    })?;
    if !policy.requesters.is_empty() && !policy.requesters.contains(&requester) {
        return Err(Reason::new(
            "the owner of this set names the accounts that get a licence, and yours is none of them",
        ));
    }
    if segments > policy.most_segments {
        return Err(Reason::new(format!(
            "a licence for this set is for {} segments at most, and the job has {segments}",
            policy.most_segments
        )));
    }
    let _turn = turn(shared)?;
    let sight = shared.endpoints.look().await.map_err(busy)?;
    let register = shared.deployment.datasets.address;
    let asked = |at: At| async move { at.ask(register, &DatasetRegistry::entryCall { dataset }).await };
    let entry = shared.endpoints.read(&sight.common, asked).await.map_err(busy)?.agreed();
    if !entry.is_some_and(|entry| served.set.is_of(&entry)) {
        return Err(busy("the endpoints of this node do not agree that the set is in the register"));
    }
    let now = sight.common.earliest().time;
    let key = format!("{LICENCES}{dataset}/{requester}");
    let wanted = unsigned(shared, requester, dataset, &policy, now)?;
    let held = held(shared, &key).map_err(busy)?;
    let signed = match held {
        Some(held) if is_good(shared, &sight, &held, &wanted, &policy, now).await.map_err(busy)? => held,
        _ => sign(shared, &key, wanted, now).map_err(busy)?,
    };
    Bytes::new(signed.to_json().into_bytes()).ok_or_else(|| Reason::new("the licence is longer than an answer may be"))
}

/// What is to be signed by the policy at `now`.
fn unsigned(
    shared: &Desk,
    requester: Address,
    dataset: B256,
    policy: &LicencePolicy,
    now: u64,
) -> Result<SignedLicence, Reason> {
    let accounts = Accounts::new(policy.accounts.clone())
        .ok_or_else(|| busy("its configuration names more accounts than a licence can"))?;
    let mut nonce = [0; 32];
    SysRng.try_fill_bytes(&mut nonce).map_err(busy)?;
    let licence = Licence {
        providers: accounts.root(),
        fee: policy.fee,
        minRoyalty: policy.least_royalty,
        mostSegments: policy.most_segments,
        terms: B256::ZERO,
        // Nobody guesses it: what the account signs otherwise with this nonce would make it void.
        nonce: U256::from_be_bytes(nonce),
        expiry: U256::from(now.saturating_add(policy.hours.saturating_mul(HOUR_SECS))),
        signature: Signature::new(),
    };
    let (chain, market) = (shared.deployment.chain, shared.deployment.market.address);
    Ok(SignedLicence { chain, market, dataset, requester, accounts, licence })
}

/// Whether a licence that was signed before says the same, has time, and no job has it.
async fn is_good(
    shared: &Desk,
    sight: &Sight,
    held: &SignedLicence,
    wanted: &SignedLicence,
    policy: &LicencePolicy,
    now: u64,
) -> Result<bool, NodeError> {
    let (nonce, expiry, signature) = (held.licence.nonce, held.licence.expiry, held.licence.signature.clone());
    let same =
        SignedLicence { licence: Licence { nonce, expiry, signature, ..wanted.licence.clone() }, ..wanted.clone() };
    let left = policy.hours.saturating_mul(HOUR_SECS) / LEFT_PART;
    if *held != same || held.expiry() < now.saturating_add(left) {
        return Ok(false);
    }
    let (market, signer) = (shared.deployment.market.address, shared.me);
    let asked = |at: At| async move { at.ask(market, &nonceUsedCall { signer, nonce }).await };
    Ok(shared.endpoints.read(&sight.common, asked).await?.agreed() == Some(false))
}

/// Signs a licence, which is stored before anybody has it.
fn sign(shared: &Desk, key: &str, mut signed: SignedLicence, now: u64) -> Result<SignedLicence, NodeError> {
    make_room(&shared.store, key, now)?;
    signed.licence.signature = shared.sign_as_account(signed.digest())?.into();
    let (text, nonce) = (signed.to_json(), B256::from(signed.licence.nonce));
    let folder = shared.home.path().join(LICENCES_FOLDER);
    std::fs::create_dir_all(&folder).map_err(NodeError::file(&folder))?;
    let copy = folder.join(format!("{nonce}.json"));
    atomic::write(&copy, |file| file.write_all(text.as_bytes())).map_err(NodeError::file(&copy))?;
    shared.store.put(key, Some(text.as_bytes()))?;
    info!("licence {nonce} for {} on data set {}", signed.requester, signed.dataset);
    Ok(signed)
}

fn held(shared: &Desk, key: &str) -> Result<Option<SignedLicence>, NodeError> {
    Ok(shared.store.record(key)?.and_then(|bytes| SignedLicence::from_json(&bytes).ok()))
}

/// Drops what is over, where there are as many licences as there may be, beside the one in whose place the next comes.
fn make_room(store: &Store, replaced: &str, now: u64) -> Result<(), NodeError> {
    let mut records = store.records(LICENCES)?;
    records.retain(|(key, _)| key != replaced);
    if records.len() < MAX_LICENCES {
        return Ok(());
    }
    let is_over = |bytes: &[u8]| SignedLicence::from_json(bytes).map_or(true, |signed| signed.expiry() < now);
    let over: Vec<_> = records.iter().filter(|(_, bytes)| is_over(bytes)).map(|(key, _)| (key.clone(), None)).collect();
    if over.is_empty() {
        return Err(NodeError::Peer(format!("{MAX_LICENCES} licences can be used now, which is the most")));
    }
    store.put_all(&over)
}

#[cfg(test)]
mod tests {
    use gradproof_chain::market::no_licence;

    use super::*;

    #[test]
    fn a_licence_that_is_replaced_takes_no_place() {
        let store = Store::in_memory().expect("there is memory");
        let (dataset, requester, accounts) = (B256::ZERO, Address::ZERO, Accounts::default());
        let licence = Licence { expiry: U256::from(10), ..no_licence() };
        let signed = SignedLicence { chain: 1, market: Address::ZERO, dataset, requester, accounts, licence };
        let key = |number| format!("{LICENCES}{number}");
        let all: Vec<_> = (0..MAX_LICENCES).map(|number| (key(number), Some(signed.to_json().into_bytes()))).collect();
        store.put_all(&all).expect("they are stored");
        make_room(&store, &key(0), 10).expect("another one comes in its place");
        assert!(make_room(&store, "another", 10).is_err(), "all of them can be used");
        make_room(&store, "another", 11).expect("all of them are over");
        assert_eq!(store.records(LICENCES).expect("they are read"), []);
    }
}
