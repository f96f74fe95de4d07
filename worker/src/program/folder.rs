//! The folder of a job: what may be written there, and what is there already.

use std::io::Write;
use std::path::Path;

use eyre::{Result, WrapErr, bail, ensure};
use gradproof_circuits::check::Strict;
use gradproof_verifier::command::files::{MAX_PROOF_BYTES, list_proofs, read, read_statement};
use gradproof_verifier::job::JobStatement;
use gradproof_verifier::part::Part;
use gradproof_verifier::verify_job::JobVerifier;

use super::openings::Openings;
use gradproof_verifier::command::atomic;

/// Refuses a folder that has a statement, openings or proofs.
pub fn refuse_used(folder: &Path, remedy: &str) -> Result<()> {
    let statement = folder.join(Part::Statement.file_name());
    let mut used = vec![statement, Openings::path(folder)];
    if folder.is_dir() {
        used.extend(list_proofs(folder)?.parts.into_values());
    }
    match used.into_iter().find(|path| path.exists()) {
        Some(path) => bail!("{} is there already; {remedy}", path.display()),
        None => Ok(()),
    }
}

/// Makes a folder.
pub fn create(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).wrap_err_with(|| format!("cannot make the folder {}", folder.display()))
}

/// Writes a file at once.
pub fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    atomic::write(path, |file| file.write_all(bytes)).wrap_err_with(|| format!("cannot write {}", path.display()))
}

/// The proof of `part` in `folder`, if it is there, checked.
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
pub fn stored_statement(folder: &Path) -> Result<Option<JobStatement>> {
    let path = folder.join(Part::Statement.file_name());
    if path.exists() { Ok(Some(read_statement(&path)?)) } else { Ok(None) }
}
