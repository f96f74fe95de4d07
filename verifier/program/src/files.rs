//! Statements, keys and proofs in files, read up to a bound.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, bail};
use gradproof_circuits::architecture::Architecture;
use gradproof_verifier::protocol::job::{JobStatement, MAX_STATEMENT_BYTES};
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::key_file::{EncodedKey, KeyFileError, MAX_BYTES as MAX_KEY_BYTES};
use gradproof_verifier::protocol::part::Part;

/// Largest proof that is read, in bytes.
pub const MAX_PROOF_BYTES: usize = 1 << 26;
/// Name of the file with what verifiers need besides the statement.
pub const KEY_FILE: &str = "verifying.key";

/// The whole file at `path`.
///
/// # Errors
/// If it cannot be read or has more than `most` bytes; nothing is allocated beyond.
pub fn read(path: &Path, most: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).wrap_err_with(|| format!("cannot open {}", path.display()))?;
    let most_bytes = most as u64;
    let got = file.take(most_bytes + 1).read_to_end(&mut bytes);
    if got.wrap_err_with(|| format!("cannot read {}", path.display()))? as u64 > most_bytes {
        bail!("{} has more than {most} bytes, which no such file has", path.display());
    }
    Ok(bytes)
}

/// The statement in the file at `path`.
///
/// # Errors
/// If it cannot be read or is refused.
pub fn read_statement(path: &Path) -> Result<JobStatement> {
    let bytes = read(path, MAX_STATEMENT_BYTES)?;
    JobStatement::from_json(&bytes).wrap_err_with(|| format!("{}", path.display()))
}

/// The key in the file at `path` for a shape; with `stated`, only if that is its digest.
///
/// # Errors
/// If it cannot be read or is refused; [`KeyFileError`] can be asked for.
pub fn read_key(
    path: &Path,
    architecture: &Architecture,
    column_vars: usize,
    stated: Option<&[u8; 32]>,
) -> Result<VerifyingKey> {
    let bytes = read(path, MAX_KEY_BYTES)?;
    let key = EncodedKey::new(&bytes).and_then(|key| key.decode(architecture, column_vars, stated));
    key.wrap_err_with(|| format!("{}", path.display()))
}

/// The key of `job` in the file at `path`.
///
/// # Errors
/// As those of [`read_key`], [`KeyFileError::Digest`] among them.
pub fn read_key_of(path: &Path, job: &JobStatement) -> Result<VerifyingKey> {
    read_key(path, &job.architecture, job.column_vars, Some(&job.verifying_key))
}

/// True if `error` says that a key file is of another key than the statement's.
pub fn is_another_key(error: &eyre::Report) -> bool {
    matches!(error.downcast_ref(), Some(KeyFileError::Digest { .. }))
}

/// The entries of a folder whose names end in `.proof`.
#[derive(Clone, Debug, Default)]
pub struct Proofs {
    /// The files that are named as a part.
    pub parts: BTreeMap<Part, PathBuf>,
    /// All others: of another name, or not a file. To open a pipe, say, would wait for whoever writes to it.
    pub unknown: Vec<PathBuf>,
}

impl Proofs {
    /// The file of `part`, if it is there.
    pub fn path(&self, part: Part) -> Option<&Path> {
        self.parts.get(&part).map(PathBuf::as_path)
    }
}

/// Lists the proofs in `folder`.
///
/// # Errors
/// If the folder cannot be read.
pub fn list_proofs(folder: &Path) -> Result<Proofs> {
    let mut proofs = Proofs::default();
    let context = || format!("cannot read the folder {}", folder.display());
    for entry in std::fs::read_dir(folder).wrap_err_with(context)? {
        let path = entry.wrap_err_with(context)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match Part::of_file_name(&name).filter(|_| path.is_file()) {
            Some(part) => drop(proofs.parts.insert(part, path)),
            None if name.ends_with(".proof") => proofs.unknown.push(path),
            None => (),
        }
    }
    proofs.unknown.sort();
    Ok(proofs)
}
