//! `private/openings.json`: what only requester and provider may know.

use std::io::Write;
use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, ensure};
use gradproof_verifier::command::files::read;
use gradproof_verifier::hex;
use gradproof_verifier::job::JobStatement;
use serde::{Deserialize, Serialize};

use gradproof_verifier::command::atomic;

/// Version of the file.
const VERSION: u32 = 1;
/// Said in the file.
const NOTE: &str = "Secret of requester and provider: the seed of the blindings with which data and weights are committed. \
                    The provider proves with it; the requester opens the commitments to the trained weights with it.";
/// Largest file that is read, in bytes.
const MAX_BYTES: usize = 1 << 12;

/// The seed of the blindings that requester and provider derive alike: of the data, of first parameters without a public
/// seed, and of the last parameters of every segment.
///
/// With it and the data or weights the commitments can be opened; with it alone guesses of data and weights can be tried
/// against them. Blindings of everything else are fresh in every proof and kept nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Openings {
    version: u32,
    /// What the file is for, for whoever finds it.
    note: String,
    /// Digest of the statement that it is for.
    #[serde(with = "hex::bytes")]
    pub job: [u8; 32],
    /// The seed.
    #[serde(with = "hex::bytes")]
    pub blinding_seed: [u8; 32],
}

impl Openings {
    /// The openings of a job.
    pub fn new(statement: &JobStatement, blinding_seed: [u8; 32]) -> Self {
        Self { version: VERSION, note: NOTE.into(), job: statement.digest(), blinding_seed }
    }

    /// Where the openings beside a statement in `folder` lie.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join("private").join("openings.json")
    }

    /// Reads the openings of `statement`.
    ///
    /// # Errors
    /// If the file cannot be read, is of another version, or is for another statement.
    pub fn load(path: &Path, statement: &JobStatement) -> Result<Self> {
        let openings: Self =
            serde_json::from_slice(&read(path, MAX_BYTES)?).wrap_err_with(|| format!("{}", path.display()))?;
        ensure!(openings.version == VERSION, "{}: version is {}, expected {VERSION}", path.display(), openings.version);
        ensure!(
            openings.job == statement.digest(),
            "{}: these are the openings of another job than the statement's; pass the ones that were written with it",
            path.display()
        );
        Ok(openings)
    }

    /// Writes the openings beside the statement in `folder`, readable by the owner only.
    ///
    /// # Errors
    /// What the system reports.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let path = Self::path(folder);
        let bytes = serde_json::to_vec_pretty(self)?;
        let private = path.parent().unwrap_or(folder);
        let save = || {
            std::fs::create_dir_all(private)?;
            restrict(private, 0o700)?;
            atomic::write_private(&path, |file| file.write_all(&bytes))
        };
        save().wrap_err_with(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}
