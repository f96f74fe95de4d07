//! What parties hand to each other, sealed here.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use gradproof_blobs::Root;
use gradproof_chain::{Address, B256, SolValue};
use gradproof_handover::{ContentKey, Entry, Kind, Manifest, Subject, manifest, sealed};
use serde::{Deserialize, Serialize};

use super::calls::TERMS_FILE;
use super::locked::locked;
use super::records::{Given, at, delivery_key, given_key, kept};
use super::room;
use super::shared::Shared;
use super::trouble::{Trouble, blocking};
use crate::decide::View;
use crate::message::written;
use crate::retention::job_key;
use crate::workshop::{OPENINGS_FILE, PARCEL, PRIVATE};

/// Name of the file of a delivery.
const WEIGHTS: &str = "weights.exact.safetensors";
/// Where files are sealed until the store has them.
const SEALING: &str = "sealing";

/// A sealed file, as the store of the node keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    name: String,
    sealed_bytes: u64,
    root: B256,
    key: B256,
}

/// The record of the sealed files of a job's parcel.
pub(super) fn parcel_key(job: B256) -> String {
    job_key(job, "parcel")
}

/// Adds a blob that a job needs, and stores records of the job with that.
///
/// Another job may need the same blob, and be forgotten meanwhile: the blob is there, or this is an error.
pub(super) fn add(
    shared: &Shared,
    job: B256,
    read: &mut impl Read,
    records: &[(String, Vec<u8>)],
) -> Result<Root, Trouble> {
    let root = shared.blobs.add(read)?;
    let needed = B256::from(*root.bytes());
    let _kept = locked(&shared.keeping);
    shared.blobs.size(root)?;
    if let Err(error) = shared.store.need(job, needed, records) {
        // The job was forgotten meanwhile: at the next start the blob would go, too.
        if !shared.store.needed()?.contains(&needed) {
            let _ = shared.blobs.remove(root);
        }
        return Err(error.into());
    }
    Ok(root)
}

/// Requester: seals the parcel, once, and the manifest for `owner`, whose nodes are told from then on.
pub(super) async fn wrap(shared: &Arc<Shared>, view: &View, owner: Address) -> Result<(), Trouble> {
    let (shared, id) = (shared.clone(), view.id);
    if let Some(facts) = shared.store.job(id)?.filter(|facts| facts.offers.is_some()) {
        super::offers::in_place(&shared, id, &facts)?;
    }
    is_posted(&shared, view)?;
    blocking(move || {
        let entries = sealed_parcel(&shared, id)?;
        let openings = read_file(&shared.home.job(id).join(PRIVATE).join(OPENINGS_FILE), manifest::MAX_OPENINGS_BYTES)?;
        let subject = Subject { domain: shared.domain(id, owner), kind: Kind::Data };
        let manifest = Manifest { subject, entries, openings: openings.into() };
        give(&shared, &manifest, &given_key(id, owner)).map(drop)
    })
    .await?
}

/// Refuses a job that the market has, and that is not the one that this node posted: its data are for the terms that their owner chose.
fn is_posted(shared: &Shared, view: &View) -> Result<(), Trouble> {
    let path = shared.home.job(view.id).join(TERMS_FILE);
    if std::fs::read(&path).map_err(at(&path))? == view.job.terms.abi_encode() {
        return Ok(());
    }
    Err(Trouble(format!("the market's terms of this job are not those of {}: nothing is handed over", path.display())))
}

/// Provider: seals the weights at the end of a batch, which the requester's nodes are told from then on; the root.
///
/// Whether the requester has a node does not matter: what is closed and proven is paid, and a node that comes later is told later.
pub(super) async fn deliver(shared: &Arc<Shared>, view: &View, batch: u64, weights: &Path) -> Result<B256, Trouble> {
    let key = delivery_key(view.id, batch);
    if let Some(given) = kept::<Given>(shared, &key)? {
        return Ok(given.root);
    }
    let subject = Subject { domain: shared.domain(view.id, view.job.job.owner), kind: Kind::Weights { batch } };
    let (shared, id, weights) = (shared.clone(), view.id, weights.to_owned());
    blocking(move || {
        let entry = seal(&shared, id, WEIGHTS, &weights)?;
        let manifest = Manifest { subject, entries: vec![entry], openings: Vec::new().into() };
        give(&shared, &manifest, &key)
    })
    .await?
}

/// Removes what was handed over of a job, so that it is got again.
pub(super) fn forget(shared: &Shared, id: B256) -> Result<(), Trouble> {
    for name in [PARCEL, PRIVATE] {
        let folder = shared.home.job(id).join(name);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(&folder)(error)),
            _ => (),
        }
    }
    Ok(())
}

/// The root of the parcel that this node holds for a provider; `None` if it holds none.
pub(super) fn held_parcel(shared: &Shared, job: B256, lead: Address) -> Result<Option<B256>, Trouble> {
    Ok(kept::<Given>(shared, &given_key(job, lead))?.map(|given| given.root))
}

/// Whether the parcel of a job, as it was handed over to a provider, is whole here: its manifest, and its files.
pub(super) fn is_whole(shared: &Shared, job: B256, lead: Address) -> Result<bool, Trouble> {
    let (given, files) = (kept::<Given>(shared, &given_key(job, lead))?, kept::<Vec<Kept>>(shared, &parcel_key(job))?);
    let (Some(given), Some(files)) = (given, files) else { return Ok(false) };
    let mut roots = files.iter().map(|file| file.root).chain([given.root]);
    Ok(roots.all(|root| shared.blobs.reader(Root::new(root.0)).is_ok()))
}

/// The sealed files of a job's parcel, sealed now if they were not.
fn sealed_parcel(shared: &Shared, id: B256) -> Result<Vec<Entry>, Trouble> {
    let kept: Option<Vec<Kept>> = kept(shared, &parcel_key(id))?;
    if let Some(files) = kept {
        return Ok(files.iter().map(Kept::entry).collect());
    }
    let folder = shared.home.job(id).join(PARCEL);
    let mut entries = Vec::new();
    for file in std::fs::read_dir(&folder).map_err(at(&folder))? {
        let path = file.map_err(at(&folder))?.path();
        if let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| path.is_file()) {
            entries.push(seal(shared, id, name, &path)?);
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let files: Vec<Kept> = entries.iter().map(Kept::of).collect();
    shared.store.put(&parcel_key(id), Some(&written(&files)))?;
    Ok(entries)
}

/// Seals a file of a job into the blobs: see [`seal_of`].
fn seal(shared: &Shared, id: B256, name: &str, path: &Path) -> Result<Entry, Trouble> {
    seal_of(shared, id, id, name, path)
}

/// Seals a file of `subject`, which is a job or a registered set, into the blobs, where the job `id` needs it. Jobs on one set need one
/// blob.
///
/// # Soundness
/// The key follows from this node's secret, the subject and the file's bytes: the same file has the same key, and another one another, so
/// that no key seals two. A node that lost its store, and has its keys, makes the same delivery again, of which the root is on the chain.
/// The key of a set's rows is in the manifests of all jobs on it, each sealed and wrapped for that job: whoever has one has the rows.
pub(super) fn seal_of(shared: &Shared, subject: B256, id: B256, name: &str, path: &Path) -> Result<Entry, Trouble> {
    let mut hasher = blake3::Hasher::new();
    std::io::copy(&mut File::open(path).map_err(at(path))?, &mut hasher).map_err(at(path))?;
    let key = content_key(shared, subject, hasher.finalize());
    let staged = shared.home.job(id).join(format!("{SEALING}-{name}"));
    // It is there twice until the store has it.
    room::require(shared, std::fs::metadata(path).map_err(at(path))?.len().saturating_mul(2))?;
    let mut input = BufReader::with_capacity(1 << 20, File::open(path).map_err(at(path))?);
    let mut output = std::io::BufWriter::with_capacity(1 << 20, File::create(&staged).map_err(at(&staged))?);
    let sealed_bytes = sealed::sealed_bytes(sealed::seal(&mut input, &mut output, &key)?)?;
    drop(output.into_inner().map_err(|error| at(&staged)(error.into_error()))?);
    let root = add(shared, id, &mut File::open(&staged).map_err(at(&staged))?, &[])?;
    std::fs::remove_file(&staged).map_err(at(&staged))?;
    Ok(Entry { name: name.to_owned(), sealed_bytes, root: *root.bytes(), key })
}

/// The key that seals what has this hash, of a job or a set: their digests are different.
fn content_key(shared: &Shared, subject: B256, hash: blake3::Hash) -> ContentKey {
    let mut hasher = blake3::Hasher::new_derive_key("gradproof 2026 content key of a hand-over, version 1");
    hasher.update(shared.encryption.bytes()).update(subject.as_slice()).update(hash.as_bytes());
    ContentKey::from_bytes(*hasher.finalize().as_bytes())
}

/// Seals a manifest, and keeps what whoever may ask is told; the manifest's root.
pub(super) fn give(shared: &Shared, manifest: &Manifest, record: &str) -> Result<B256, Trouble> {
    let id = B256::from(manifest.subject.domain.job);
    let key = content_key(shared, id, blake3::hash(&manifest.encode()?));
    let (bytes, root) = manifest.seal(&key)?;
    let given = Given { root: root.into(), size: bytes.len() as u64, key: key.bytes().into() };
    room::require(shared, given.size)?;
    add(shared, id, &mut bytes.as_slice(), &[(record.to_owned(), written(&given))])?;
    Ok(given.root)
}

impl Kept {
    fn of(entry: &Entry) -> Self {
        let Entry { name, sealed_bytes, root, key } = entry;
        Self { name: name.clone(), sealed_bytes: *sealed_bytes, root: root.into(), key: key.bytes().into() }
    }

    fn entry(&self) -> Entry {
        let Self { name, sealed_bytes, root, key } = self;
        let key = ContentKey::from_bytes(key.0);
        Entry { name: name.clone(), sealed_bytes: *sealed_bytes, root: root.0, key }
    }
}

pub(super) fn read_file(path: &Path, most: usize) -> Result<Vec<u8>, Trouble> {
    let bytes = std::fs::read(path).map_err(at(path))?;
    if bytes.len() > most {
        return Err(Trouble(format!("{} has {} bytes, expected at most {most}", path.display(), bytes.len())));
    }
    Ok(bytes)
}
