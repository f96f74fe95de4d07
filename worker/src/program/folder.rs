//! The folder of a job: what may be written there, by whom, and what is there already.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, bail, ensure};
use gradproof_circuits::check::Strict;
use gradproof_verifier::command::atomic;
use gradproof_verifier::command::files::{KEY_FILE, MAX_PROOF_BYTES, list_proofs, read, read_statement};
use gradproof_verifier::job::JobStatement;
use gradproof_verifier::part::Part;
use gradproof_verifier::verify_job::JobVerifier;

use super::openings::Openings;

/// Name of the report of a run.
pub const REPORT_FILE: &str = "report.json";
/// Name of the trained weights in floating point.
pub const WEIGHTS_FILE: &str = "weights.safetensors";
/// Name of the trained weights as they were proved.
pub const EXACT_WEIGHTS_FILE: &str = "weights.exact.safetensors";
/// Where files lie until all of them are there.
const UNFINISHED: &str = ".unfinished";

/// A folder that only this process writes into, until it ends or this value is dropped.
///
/// What is saved here is there at once; [`Self::stage`] is for files that make sense together only.
pub struct Folder {
    path: PathBuf,
    /// Locked, by the system, which unlocks it however the process ends.
    lock: File,
    /// True if this process made it: an empty folder is then removed again.
    made: bool,
}

impl Folder {
    /// Makes the folder if need be, and keeps other programs from writing into it.
    ///
    /// # Errors
    /// If it cannot be made, or another program writes into it.
    pub fn claim(path: &Path) -> Result<Self> {
        let made = !path.exists();
        std::fs::create_dir_all(path).wrap_err_with(|| format!("cannot make the folder {}", path.display()))?;
        let lock = Self::lockable(path).wrap_err_with(|| format!("cannot open the folder {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock, made }),
            Err(TryLockError::WouldBlock) => {
                bail!("another program is writing into {}: wait for it, or choose another folder", path.display())
            }
            Err(TryLockError::Error(error)) => {
                Err(error).wrap_err_with(|| format!("cannot lock the folder {}", path.display()))
            }
        }
    }

    /// A folder for a job that is new there.
    ///
    /// # Errors
    /// As those of [`Self::claim`], and if it has files of a job; `remedy` says what to do then.
    pub fn claim_new(path: &Path, remedy: &str) -> Result<Self> {
        let folder = Self::claim(path)?;
        folder.refuse_used(remedy)?;
        Ok(folder)
    }

    #[cfg(unix)]
    fn lockable(path: &Path) -> std::io::Result<File> {
        File::open(path)
    }

    #[cfg(not(unix))]
    fn lockable(path: &Path) -> std::io::Result<File> {
        File::options().create(true).append(true).open(path.join(".lock"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// Refuses a folder that has anything which a program writes.
    fn refuse_used(&self, remedy: &str) -> Result<()> {
        let statement = Part::Statement.file_name();
        let names = [&statement, REPORT_FILE, WEIGHTS_FILE, EXACT_WEIGHTS_FILE, KEY_FILE];
        let mut used: Vec<PathBuf> = names.iter().map(|name| self.join(name)).collect();
        used.push(Openings::path(&self.path));
        used.extend(list_proofs(&self.path)?.parts.into_values());
        match used.into_iter().find(|path| path.exists()) {
            Some(path) => bail!("{} is there already; {remedy}", path.display()),
            None => Ok(()),
        }
    }

    /// Writes a file at once.
    ///
    /// # Errors
    /// What the system reports.
    pub fn save(&self, name: &str, bytes: &[u8]) -> Result<()> {
        save(&self.join(name), bytes)
    }

    /// A place for files that appear together, or not at all.
    ///
    /// # Errors
    /// What the system reports.
    pub fn stage(&self) -> Result<Stage<'_>> {
        let path = self.join(UNFINISHED);
        let context = || format!("cannot make the folder {}", path.display());
        if path.exists() {
            // Of a run that was killed: nobody else writes here.
            std::fs::remove_dir_all(&path).wrap_err_with(context)?;
        }
        std::fs::create_dir(&path).wrap_err_with(context)?;
        Ok(Stage { folder: self, path })
    }

    /// Removes files that an interrupted run was writing.
    ///
    /// # Errors
    /// What the system reports.
    pub fn tidy(&self) -> Result<()> {
        let context = || format!("cannot tidy the folder {}", self.path.display());
        for entry in std::fs::read_dir(&self.path).wrap_err_with(context)? {
            let path = entry.wrap_err_with(context)?.path();
            if path.to_string_lossy().ends_with(atomic::PARTIAL) && path.is_file() {
                std::fs::remove_file(&path).wrap_err_with(context)?;
            }
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.made {
            // Fails, rightly, unless it is empty.
            let _ = std::fs::remove_dir(&self.path);
        }
        // The system does it as well.
        let _ = self.lock.unlock();
    }
}

/// Files of a folder that are not there yet.
pub struct Stage<'a> {
    folder: &'a Folder,
    path: PathBuf,
}

impl Stage<'_> {
    /// Where files are written until [`Self::finish`].
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file.
    ///
    /// # Errors
    /// What the system reports.
    pub fn save(&self, name: &str, bytes: &[u8]) -> Result<()> {
        save(&self.path.join(name), bytes)
    }

    /// Moves all files into the folder, the statement last: whoever sees that sees everything.
    ///
    /// # Errors
    /// What the system reports.
    pub fn finish(self) -> Result<()> {
        let context = || format!("cannot move the files of {} into {}", self.path.display(), self.folder.path.display());
        let statement = Part::Statement.file_name();
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path).wrap_err_with(context)? {
            names.push(entry.wrap_err_with(context)?.file_name());
        }
        names.sort_by_key(|name| (name == statement.as_str(), name.clone()));
        for name in names {
            std::fs::rename(self.path.join(&name), self.folder.join(&name)).wrap_err_with(context)?;
        }
        Ok(())
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        // A later run removes it if this one cannot.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Makes a folder.
///
/// # Errors
/// What the system reports.
pub fn create(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).wrap_err_with(|| format!("cannot make the folder {}", folder.display()))
}

/// Writes a file at once.
///
/// # Errors
/// What the system reports.
pub fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    atomic::write(path, |file| file.write_all(bytes)).wrap_err_with(|| format!("cannot write {}", path.display()))
}

/// The proof of `part` in `folder`, if it is there, checked.
///
/// # Errors
/// If it cannot be read, or is not that proof.
pub fn stored(folder: &Path, part: Part, verifier: &mut JobVerifier<'_>) -> Result<Option<Vec<u8>>> {
    let path = folder.join(part.file_name());
    if !path.exists() {
        return Ok(None);
    }
    let proof = read(&path, MAX_PROOF_BYTES)?;
    let checked = verifier.check(part, &proof, &mut Strict);
    ensure!(
        checked.is_ok(),
        "{} is not a proof of this job ({}); remove it, and it is made again",
        path.display(),
        checked.err().map(|rejection| rejection.to_string()).unwrap_or_default()
    );
    Ok(Some(proof))
}

/// Reads the statement in `folder`, if there is one.
///
/// # Errors
/// If it cannot be read, or is refused.
pub fn stored_statement(folder: &Path) -> Result<Option<JobStatement>> {
    let path = folder.join(Part::Statement.file_name());
    if path.exists() { Ok(Some(read_statement(&path)?)) } else { Ok(None) }
}
