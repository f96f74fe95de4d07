//! The folder of a job: what may be written there, and what is there already.

use std::path::{Path, PathBuf};

use eyre::{Result, bail};
use gradproof_circuits::field::check::Strict;
use gradproof_terminal::folder::Folder;
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier::verify_job::JobVerifier;
use gradproof_verifier_program::files::{KEY_FILE, MAX_PROOF_BYTES, list_proofs, read, read_statement};
use gradproof_verifier_program::reason;

use crate::openings::Openings;

/// Name of the report of a run.
pub const REPORT_FILE: &str = "report.json";
/// Name of the trained weights in floating point.
pub const WEIGHTS_FILE: &str = "weights.safetensors";
/// Name of the trained weights as they were proved.
pub const EXACT_WEIGHTS_FILE: &str = "weights.exact.safetensors";

/// A folder for a job that is new there.
///
/// # Errors
/// If it cannot be made, another program writes into it, or it has anything that a program writes; `remedy` says what to do
/// then.
pub fn claim_new(path: &Path, remedy: &str) -> Result<Folder> {
    let folder = Folder::claim(path)?;
    let statement = Part::Statement.file_name();
    let mut used: Vec<PathBuf> =
        [&statement, REPORT_FILE, WEIGHTS_FILE, EXACT_WEIGHTS_FILE, KEY_FILE].map(PathBuf::from).to_vec();
    used.extend(Openings::path(Path::new("")).parent().map(Path::to_owned));
    used.extend(list_proofs(path)?.parts.keys().map(|part| PathBuf::from(part.file_name())));
    folder.refuse(used, remedy)?;
    Ok(folder)
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
    if let Err(rejection) = verifier.check(part, &proof, &mut Strict) {
        let why = reason(verifier.job(), &rejection);
        bail!("{} is not a proof of this job ({why}); remove it, and it is made again", path.display());
    }
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
