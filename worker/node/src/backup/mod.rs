//! The backup of a node: what nobody else could give back to it.
//!
//! Keys, configuration, deployment, and of each job the seeds, terms and the facts that no chain has. Not: data, weights, proofs,
//! blobs, and what was sent. A node that is restored takes the nonces of its accounts from the chain, so that it signs nothing in
//! the place of what is in a block; it trains again from the same seeds, and comes to the same claims. Two nodes must not run with the
//! same hot key or peer at the same time: they would overtake each other's transactions. A second machine has its own: see `beside.rs`.

mod archive;
mod beside;
mod marker;
mod sealed;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gradproof_chain::B256;
use gradproof_terminal::atomic;
use zeroize::Zeroizing;

pub use archive::Archive;
pub use beside::restore_beside;
pub use marker::{Age, age, mark};
pub use sealed::{read, write};

use crate::NodeError;
use crate::config::CONFIG_FILE;
use crate::facts::Facts;
use crate::home::Home;
use crate::live::{LICENCE_FILE, OPEN_FILE, TERMS_FILE};
use crate::store::Store;
use crate::workshop::PRIVATE;

/// Name of the file with the deployment.
const DEPLOYMENT_FILE: &str = "deployment.json";
/// Name of a job's facts in an archive.
const FACTS: &str = "facts.json";

/// All that a backup of the node in `home` holds, whose store is open, and whose deployment is the file `deployment`.
///
/// # Errors
/// A file cannot be read, or is larger than it can be.
pub fn collect(home: &Home, deployment: &Path, store: &Store) -> Result<Archive, NodeError> {
    let mut archive = files(home)?;
    add(&mut archive, "config.toml", &home.path().join(CONFIG_FILE))?;
    add(&mut archive, DEPLOYMENT_FILE, deployment)?;
    for (id, facts) in store.jobs()? {
        let bytes = serde_json::to_vec(&lasting(&facts)).map_err(|error| NodeError::Store(error.to_string()))?;
        put(&mut archive, &format!("jobs/{id}/{FACTS}"), bytes.into(), home.path())?;
    }
    Ok(archive)
}

/// The secret files of a home: keys, and those of jobs.
fn files(home: &Home) -> Result<Archive, NodeError> {
    let mut archive = Archive::default();
    for path in listed(&home.keys())? {
        add_named(&mut archive, "keys", &path)?;
    }
    for folder in listed(&home.jobs())? {
        // What has no id yet is no job.
        let Some(id) = folder.file_name().and_then(|name| name.to_str()?.parse::<B256>().ok()) else { continue };
        for path in listed(&folder.join(PRIVATE))? {
            add_named(&mut archive, &format!("jobs/{id}/{PRIVATE}"), &path)?;
        }
        for name in [TERMS_FILE, OPEN_FILE, LICENCE_FILE] {
            let path = folder.join(name);
            if path.exists() {
                add(&mut archive, &format!("jobs/{id}/{name}"), &path)?;
            }
        }
    }
    Ok(archive)
}

/// What stays true of a job without its data, proofs and blobs. A job that is not posted yet is not by a node without its data.
///
/// All offers are kept, also those that are not signed: whichever of them is taken after the backup, its job draws with these secrets, and
/// is this one. They have one nonce, so that the secrets are those of one job all the same.
fn lasting(facts: &Facts) -> Facts {
    Facts {
        accept: facts.accept,
        path: facts.path.clone(),
        offers: facts.offers.clone(),
        stop_at: facts.stop_at,
        cancels: facts.cancels,
        secret: facts.secret,
        committee: facts.committee.clone(),
        ..Facts::new(facts.role)
    }
}

/// Writes what a backup holds into a folder that is not there yet, or is empty, at `now`, in seconds since 1970: all of it, or nothing.
///
/// # Errors
/// The folder has something, or a file cannot be written, or the facts of a job are none.
pub fn restore(archive: &Archive, home: &Path, now: u64) -> Result<(), NodeError> {
    restore_with(archive, home, now, |_| Ok(()))
}

/// The same with what `complete` adds to the folder before it is in its place.
fn restore_with(
    archive: &Archive,
    home: &Path,
    now: u64,
    complete: impl FnOnce(&Home) -> Result<(), NodeError>,
) -> Result<(), NodeError> {
    let refuse = |message: &str| NodeError::Backup { path: home.to_owned(), message: message.to_owned() };
    if !listed(home)?.is_empty() {
        return Err(refuse("it has files already, and none is replaced: name another folder"));
    }
    if archive.get("config.toml").is_none() {
        return Err(refuse("the backup has no configuration"));
    }
    let name = home.file_name().ok_or_else(|| refuse("it has no name"))?;
    let staged = home.with_file_name(format!("{}.restoring", name.to_string_lossy()));
    // Of a restore that was interrupted: it has nothing that the backup does not have.
    if staged.exists() {
        std::fs::remove_dir_all(&staged).map_err(NodeError::file(&staged))?;
    }
    let whole = unpack(archive, &staged, now).and_then(|()| complete(&Home::at(&staged)));
    if whole.is_err() {
        // Nothing depends on it: the next attempt removes it, too.
        let _ = std::fs::remove_dir_all(&staged);
    }
    whole?;
    if home.exists() {
        std::fs::remove_dir(home).map_err(NodeError::file(home))?;
    }
    std::fs::rename(&staged, home).map_err(NodeError::file(home))
}

fn unpack(archive: &Archive, staged: &Path, now: u64) -> Result<(), NodeError> {
    let mut folders = BTreeSet::new();
    let mut facts = Vec::new();
    for (name, bytes) in archive.files() {
        if let Some(id) = name.strip_prefix("jobs/").and_then(|rest| rest.strip_suffix("/facts.json")) {
            let refuse = |message: String| NodeError::Backup { path: staged.to_owned(), message };
            let id: B256 = id.parse().map_err(|_| refuse(format!("{name}: no id of a job")))?;
            let held: Facts = serde_json::from_slice(bytes).map_err(|error| refuse(format!("{name}: {error}")))?;
            let offers = held.offers.clone().map(|offers| offers.restored(now));
            facts.push((id, Facts { offers, ..held }));
            continue;
        }
        let path = staged.join(name);
        let folder = path.parent().unwrap_or(staged).to_owned();
        if folders.insert(folder.clone()) {
            std::fs::create_dir_all(&folder).map_err(NodeError::file(&folder))?;
            crate::home::restrict(&folder).map_err(NodeError::file(&folder))?;
        }
        atomic::write_private(&path, |file| std::io::Write::write_all(file, bytes)).map_err(NodeError::file(&path))?;
    }
    let store = Store::open(&Home::at(staged).store_file())?;
    facts.iter().try_for_each(|(id, facts)| store.begin(*id, facts))
}

/// The entries of a folder, in order; none if there is no such folder.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, NodeError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        entries => entries.map_err(NodeError::file(folder))?,
    };
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(NodeError::file(folder))?;
    paths.sort();
    Ok(paths)
}

fn add_named(archive: &mut Archive, folder: &str, path: &Path) -> Result<(), NodeError> {
    let name = path.file_name().unwrap_or_default();
    // What was being written when a process ended is nothing.
    if atomic::is_unfinished(name) || !path.is_file() {
        return Ok(());
    }
    add(archive, &format!("{folder}/{}", name.to_string_lossy()), path)
}

fn add(archive: &mut Archive, name: &str, path: &Path) -> Result<(), NodeError> {
    let size = std::fs::metadata(path).map_err(NodeError::file(path))?.len();
    if size > archive::MAX_FILE_BYTES as u64 {
        let message = format!("it has {size} bytes, expected at most {}", archive::MAX_FILE_BYTES);
        return Err(NodeError::Backup { path: path.to_owned(), message });
    }
    put(archive, name, std::fs::read(path).map_err(NodeError::file(path))?.into(), path)
}

fn put(archive: &mut Archive, name: &str, bytes: Zeroizing<Vec<u8>>, path: &Path) -> Result<(), NodeError> {
    archive.put(name, bytes).map_err(|message| NodeError::Backup { path: path.to_owned(), message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Opened, Role, Secrets};
    use crate::matching::Candidate;
    use crate::offers::Offers;

    /// When a backup is restored.
    const NOW: u64 = 1000;

    #[test]
    fn a_node_is_restored_with_its_keys_seeds_and_secrets_and_replaces_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(&folder.path().join("first"));
        home.create("role = 1\n", "word", None).expect("it is made");
        let deployment = folder.path().join("elsewhere.json");
        std::fs::write(&deployment, "{}").expect("written");
        let id = B256::repeat_byte(0xab);
        let private = home.job(id).join(PRIVATE);
        std::fs::create_dir_all(&private).expect("made");
        std::fs::write(private.join("openings.json"), "seeds").expect("written");
        std::fs::write(home.job(id).join(TERMS_FILE), "terms").expect("written");
        std::fs::write(home.job(id).join("weights.safetensors"), "large").expect("written");
        std::fs::create_dir_all(home.jobs().join("new")).expect("made");
        let store = Store::open(&home.store_file()).expect("it opens");
        let secret = Some(Secrets { last: B256::repeat_byte(3), batches: 2 });
        let facts = Facts {
            posts: true,
            secret,
            wrapped_for: Some(Default::default()),
            opened: [(0, Opened::Right(B256::repeat_byte(6)))].into(),
            ..Facts::new(Role::Requester)
        };
        store.begin(id, &facts).expect("it is stored");
        let candidate =
            |byte| Candidate { owner: gradproof_chain::Address::repeat_byte(byte), price: 1, jobs: 0, failed: 0 };
        let offers = Offers::new(B256::ZERO, &[candidate(1), candidate(2)], |candidate| candidate.owner.into_word());
        let offered = offers.all[0].job;
        let facts = Facts { secret, offers: Some(offers.clone()), ..Facts::new(Role::Requester) };
        store.begin(offered, &facts).expect("it is stored");

        let archive = collect(&home, &deployment, &store).expect("it is collected");
        let second = Home::at(&folder.path().join("second"));
        restore(&archive, second.path(), NOW).expect("it is restored");
        let keys = |home: &Home| {
            let accounts = home.accounts("word").expect("they are read");
            (
                accounts.owner(),
                accounts.hot.address(),
                home.peer_key().expect("read"),
                home.encryption_key().expect("read"),
            )
        };
        assert_eq!(keys(&second), keys(&home));
        let read = |name: &str| std::fs::read_to_string(second.job(id).join(name)).expect("it is there");
        assert_eq!((read("private/openings.json"), read(TERMS_FILE)), ("seeds".into(), "terms".into()));
        assert!(!second.job(id).join("weights.safetensors").exists());
        assert_eq!(std::fs::read_to_string(second.path().join("deployment.json")).expect("read"), "{}");
        let held = Store::open(&second.store_file()).expect("it opens").job(id).expect("read").expect("it is there");
        assert_eq!(held, Facts { secret, ..Facts::new(Role::Requester) }, "what depends on files is gone");
        let held = Store::open(&second.store_file()).expect("it opens").job(offered).expect("read");
        let expected = Facts { secret, offers: Some(offers.restored(NOW)), ..Facts::new(Role::Requester) };
        assert_eq!(held, Some(expected), "the job of any offer draws with the secrets");

        let error = restore(&archive, second.path(), NOW).expect_err("it has files").to_string();
        assert!(error.contains("none is replaced"), "{error}");
        let error = restore(&Archive::default(), &folder.path().join("third"), NOW);
        let error = error.expect_err("it is empty").to_string();
        assert!(error.contains("no configuration"), "{error}");
    }

    #[test]
    fn a_restore_that_was_interrupted_is_done_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut archive = Archive::default();
        archive.put("config.toml", Zeroizing::new(b"x".to_vec())).expect("it is taken");
        std::fs::create_dir_all(folder.path().join("home.restoring/keys")).expect("made");
        std::fs::create_dir_all(folder.path().join("home")).expect("an empty folder is no obstacle");
        let home = folder.path().join("home");
        restore(&archive, &home, NOW).expect("it is restored");
        assert!(home.join(CONFIG_FILE).exists() && !home.join("keys").exists());
        assert!(!folder.path().join("home.restoring").exists());
    }
}
