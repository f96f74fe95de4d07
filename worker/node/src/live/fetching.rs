//! Asks the nodes of parties for what is handed over, opens the wrap, and gets the blobs.

use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use gradproof_blobs::{Root, ranges};
use gradproof_chain::{Address, B256};
use gradproof_handover::{ContentKey, EncryptionKey, Entry, Manifest, PublicKey, Subject, manifest, sealed, wrap};
use gradproof_network::{PeerId, Protocol};

use super::choice::{is_heard, nodes};
use super::download;
use super::failed::Failed;
use super::records::{Given, make_folder};
use super::room;
use super::shared::{ASK, Shared};
use super::trouble::{Trouble, blocking};
use crate::message::{MAX_WRAPS, PartyAnswer, PartyQuestion, Sealed, read, written};

/// Nodes that are asked at a time.
const AT_ONCE: usize = 16;
/// What a job needs the blobs of its parcel for.
pub(super) const PARCEL: &str = "parcel";

/// A hand-over that is asked for.
pub(super) struct Wanted {
    pub question: PartyQuestion,
    pub subject: Subject,
    /// Its root, where the chain says it.
    pub root: Option<B256>,
    /// Keys of nodes that it must be wrapped for beside this one.
    pub required: Vec<PublicKey>,
}

/// A manifest that was handed over.
pub(super) struct Handed {
    pub manifest: Manifest,
    pub given: Given,
    /// As it was sealed.
    pub sealed: Vec<u8>,
}

/// What came of asking the nodes of accounts.
pub(super) struct Asked {
    pub result: Result<Handed, Failed>,
    /// Whether one of them answered at all.
    pub heard: bool,
}

/// The manifest that nodes of accounts hand over, of this root if there is one: the first that opens and is `right`. A node that answers
/// with something else, or not at all, does not stand in the way of the others: several are asked at a time, few of each account, and each
/// has a minute. Nothing of it is stored.
pub(super) async fn manifest_of(
    shared: &Arc<Shared>,
    owners: &[Address],
    wanted: &Wanted,
    right: impl Fn(&Manifest) -> Result<(), Trouble>,
) -> Asked {
    let asked: Vec<_> =
        nodes(shared, owners).await.into_iter().map(|(owner, peer)| hand(shared, owner, peer, wanted)).collect();
    let mut answers = futures::stream::iter(asked).buffer_unordered(AT_ONCE);
    let names: Vec<String> = owners.iter().map(Address::to_string).collect();
    let (mut failed, mut heard) =
        (Failed::Theirs(format!("no node of {} is in the register", names.join(", "))), false);
    while let Some((answered, result)) = answers.next().await {
        heard |= answered;
        let checked = result.and_then(|handed| match right(&handed.manifest) {
            Ok(()) => Ok(handed),
            Err(Trouble(why)) => Err(Failed::Theirs(why)),
        });
        match checked {
            Ok(handed) => return Asked { result: Ok(handed), heard },
            Err(other) => failed = other.after(failed),
        }
    }
    Asked { result: Err(failed), heard }
}

/// What a node of an account hands over, and whether it answered.
async fn hand(shared: &Shared, owner: Address, peer: PeerId, wanted: &Wanted) -> (bool, Result<Handed, Failed>) {
    let answer = shared.network.ask(peer, Protocol::Party, &written(&wanted.question), ASK).await;
    let heard = is_heard(&answer);
    let sealed = match answer {
        Ok(answer) => sealed_in(owner, &answer),
        Err(error) => Err(error.to_string()),
    };
    match sealed {
        Ok(sealed) => (heard, open(shared, owner, peer, &sealed, wanted).await),
        Err(why) => (heard, Err(Failed::Theirs(why))),
    }
}

/// Where an answer says that something is, or what it says instead.
fn sealed_in(owner: Address, answer: &[u8]) -> Result<Sealed, String> {
    match read::<PartyAnswer>(answer) {
        Err(reason) => Err(format!("{owner} answers with {reason}")),
        Ok(PartyAnswer::Sealed(given)) if given.wraps.len() <= MAX_WRAPS => Ok(given),
        Ok(PartyAnswer::Sealed(given)) => {
            Err(format!("{owner} answers with {} wraps, expected at most {MAX_WRAPS}", given.wraps.len()))
        }
        Ok(
            PartyAnswer::Takes { .. }
            | PartyAnswer::Licence(_)
            | PartyAnswer::Consents(_)
            | PartyAnswer::LicencePath(_)
            | PartyAnswer::TeamSeat(_)
            | PartyAnswer::Share(_)
            | PartyAnswer::Words(_)
            | PartyAnswer::Opening { .. },
        ) => Err(format!("{owner} answers with something else")),
        Ok(PartyAnswer::Refused(reason)) => Err(format!("{owner} refuses: {reason}")),
    }
}

/// Opens the wrap for this node, checks all others, and gets the manifest from the node that named it.
async fn open(
    shared: &Shared,
    owner: Address,
    peer: PeerId,
    given: &Sealed,
    wanted: &Wanted,
) -> Result<Handed, Failed> {
    let subject = &wanted.subject;
    if let Some(closed) = wanted.root.filter(|root| *root != given.root) {
        return Err(Failed::Theirs(format!(
            "the provider closed the batch with {closed}, and {owner} hands over {}",
            given.root
        )));
    }
    let key = key_of(owner, given, wanted, &shared.encryption)?;
    if given.size > manifest::MAX_SEALED_MANIFEST_BYTES as u64 {
        return Err(Failed::Theirs(format!("the manifest has {} bytes, which none has", given.size)));
    }
    // It is one range, and stays in memory: what one node says of a blob touches nothing that another job has.
    let range = shared.network.range(peer, given.root.0, 0, ASK).await;
    let range = range.map_err(|error| Failed::Theirs(error.to_string()))?;
    let sealed = ranges::whole(Root::new(given.root.0), given.size, &range)?;
    let manifest = Manifest::open(&sealed, &given.root, &key, subject)?;
    let given = Given { root: given.root, size: given.size, key: key.bytes().into() };
    Ok(Handed { manifest, given, sealed })
}

/// The manifest's key, from the wrap for the node with this secret. All other wraps are checked, and that those who are to have one do.
fn key_of(
    owner: Address,
    given: &Sealed,
    Wanted { subject, required, .. }: &Wanted,
    secret: &EncryptionKey,
) -> Result<ContentKey, Failed> {
    let mine = secret.public()?;
    let (mut keys, mut wraps): (Vec<PublicKey>, Vec<wrap::Wrap>) = (vec![], vec![]);
    for (key, bytes) in &given.wraps {
        let bytes = bytes.as_slice().try_into();
        let bytes: wrap::Wrap = bytes.map_err(|_| Failed::Theirs("a wrap has another length".into()))?;
        keys.push(key.0);
        wraps.push(bytes);
    }
    let place = keys.iter().position(|key| *key == mine);
    let own = place.and_then(|place| wraps.get(place));
    let own = own.ok_or_else(|| {
        Failed::Theirs(format!("{owner} wrapped nothing for this node: is its entry in the register?"))
    })?;
    let key = wrap::open(own, subject, &given.root, secret)?;
    wrap::check_all(&wraps, &keys, subject, &given.root, &key)?;
    if required.iter().any(|required| !keys.contains(required)) {
        return Err(Failed::Theirs(format!("{owner} wrapped nothing for a node that is to have it as well")));
    }
    Ok(key)
}

/// Gets a file of a parcel and opens it at `path`, unless it is there.
pub(super) async fn get(
    shared: &Arc<Shared>,
    id: B256,
    owners: &[Address],
    entry: &Entry,
    path: &Path,
) -> Result<(), Trouble> {
    Ok(get_for(shared, id, PARCEL, owners, entry, path).await?)
}

/// The same for another purpose of the job.
pub(super) async fn get_for(
    shared: &Arc<Shared>,
    id: B256,
    purpose: &str,
    owners: &[Address],
    entry: &Entry,
    path: &Path,
) -> Result<(), Failed> {
    if path.exists() {
        return Ok(());
    }
    let root = Root::new(entry.root);
    shared.store.need_for(id, purpose, entry.root.into(), &[])?;
    // Sealed and opened it is there twice; what of it has come is on the disk already.
    room::require(shared, entry.sealed_bytes.saturating_mul(2).saturating_sub(shared.blobs.size(root).unwrap_or(0)))?;
    let peers: Vec<PeerId> = nodes(shared, owners).await.into_iter().map(|(_, peer)| peer).collect();
    download::blob(shared, root, entry.sealed_bytes, peers).await?;
    make_folder(path)?;
    let (blobs, key, path) = (shared.blobs.clone(), entry.key.clone(), path.to_owned());
    blocking(move || -> Result<(), Failed> {
        let mut reader = BufReader::with_capacity(1 << 20, blobs.reader(root)?);
        sealed::open_file(&mut reader, &path, &key)?;
        Ok(())
    })
    .await?
}

/// The root of the parcel that a node of an account says it holds for the provider of a job.
pub(super) async fn parcel_at(shared: &Shared, owner: Address, peer: PeerId, job: B256) -> Result<B256, Trouble> {
    let question = written(&PartyQuestion::Parcel { job });
    let answer = shared.network.ask(peer, Protocol::Party, &question, ASK).await;
    let answer = answer.map_err(|error| Trouble(error.to_string()))?;
    Ok(sealed_in(owner, &answer).map_err(Trouble)?.root)
}

#[cfg(test)]
mod tests {
    use gradproof_handover::{HandoverError, Kind};
    use gradproof_verifier::protocol::statement::Domain;

    use super::*;
    use crate::message::Bytes;

    #[test]
    fn a_hand_over_that_lacks_a_wrap_for_a_node_that_is_to_have_it_is_refused() {
        let [mine, of_requester] = [1, 2].map(|byte| EncryptionKey::from_bytes([byte; 32]));
        let public = |secret: &EncryptionKey| secret.public().expect("it has one");
        let subject = Subject { domain: Domain::default(), kind: Kind::Weights { batch: 0 } };
        let (root, key) = (B256::repeat_byte(3), ContentKey::from_bytes([4; 32]));
        let given = |recipients: &[PublicKey]| {
            let wraps = wrap::wrap_all(&subject, &root, &key, recipients).expect("they are wrapped");
            let wraps = recipients.iter().zip(wraps);
            let wraps = wraps.map(|(key, wrap)| (B256::from(*key), Bytes::new(wrap.to_vec()).expect("80 bytes")));
            Sealed { root, size: 1, wraps: wraps.collect() }
        };
        let question = || PartyQuestion::Delivery { job: B256::ZERO, batch: 0 };
        let wanted = |required| Wanted { question: question(), subject, root: Some(root), required };
        let opened = |given: &Sealed, required: Vec<PublicKey>| {
            let opened = key_of(Address::ZERO, given, &wanted(required), &mine);
            opened.map(|key| *key.bytes()).map_err(|failed| Trouble::from(failed).0)
        };
        let (for_one, for_both) = (given(&[public(&mine)]), given(&[public(&mine), public(&of_requester)]));
        assert_eq!(opened(&for_one, vec![]), Ok(*key.bytes()));
        assert_eq!(opened(&for_both, vec![public(&of_requester)]), Ok(*key.bytes()));
        let refused = |given: &Sealed, why: &str| {
            let error = opened(given, vec![public(&of_requester)]).expect_err(why);
            assert!(error.contains(why), "{error}");
        };
        refused(&for_one, "a node that is to have it as well");
        // A wrap that is there and opens to nothing is none.
        let mut spoiled = for_both;
        spoiled.wraps[1].1 = Bytes::new(vec![0; 80]).expect("80 bytes");
        refused(&spoiled, &HandoverError::WrongWraps { indices: vec![1] }.to_string());
        refused(&given(&[public(&of_requester)]), "wrapped nothing for this node");
    }
}
