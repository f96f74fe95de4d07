//! A job that goes on from another: that job's proofs verified, its weights opened.

use std::path::PathBuf;

use eyre::{Result, bail, ensure, eyre};
use gradproof_circuits::trace::Parameters;
use gradproof_training::job::{ColumnLength, InitialWeights, Job};
use gradproof_verifier::protocol::job::Parent;
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier_program::files::{list_proofs, read_statement};
use gradproof_verifier_program::verify::{Arguments, KeyChoice, Verified, verify};

use crate::columns;
use crate::commitments::Origin;
use crate::keys::Keys;
use crate::opening::open;
use crate::openings::{Openings, Seeds};

/// log2 of the length of a column: unless the job file says, a job has that of its parent, or of the `set` that it trains on.
///
/// # Errors
/// If the parent's statement cannot be read.
pub fn column_vars(job: &Job, kind: ProofKind, set: Option<usize>) -> Result<usize> {
    match (&job.initial_weights, job.columns, set) {
        (InitialWeights::Parent(folders), ColumnLength::Usual, _) => {
            Ok(read_statement(&folders[0].join(Part::Statement.file_name()))?.column_vars)
        }
        (_, ColumnLength::Usual, Some(vars)) => Ok(vars),
        _ => Ok(columns::vars(job, kind)),
    }
}

/// The seeds of a new job on a new set, and where its first parameters `first` come from.
///
/// # Errors
/// The system has no randomness, or the parent is refused: see [`inherit`].
pub fn begin(job: &Job, keys: &Keys, first: &Parameters) -> Result<(Seeds, Origin)> {
    let mut seeds = Seeds::fresh(&job.initial_weights)?;
    let origin = match &job.initial_weights {
        InitialWeights::Seed(seed) => Origin::New { seed: Some(*seed) },
        InitialWeights::File(_) => Origin::New { seed: None },
        InitialWeights::Parent(folders) => {
            let (parent, secret) = inherit(folders, keys, first)?;
            seeds.first = secret;
            Origin::Parent(parent)
        }
    };
    Ok((seeds, origin))
}

/// The job that left `first`, and the secret of the blindings of its commitments to them: what a child is told of its parent.
///
/// `folders` are those of the parent, of its parent, and so on, each with statement and proofs; the first has the openings, and
/// the exact weights after the last segment that is proved there.
///
/// # Errors
/// If a proof is rejected, or the weights are not those that were proved.
fn inherit(folders: &[PathBuf], keys: &Keys, first: &Parameters) -> Result<(Parent, [u8; 32])> {
    let (folder, older) = folders.split_first().ok_or_else(|| eyre!("there is no folder of a parent"))?;
    let statement = folder.join(Part::Statement.file_name());
    let arguments = Arguments {
        statement,
        proofs: folder.clone(),
        key: KeyChoice::default(),
        parent: older.to_vec(),
        registrations: false,
        json: true,
    };
    // A job that was stopped is gone on from where its proofs end.
    let segments = list_proofs(folder)?.parts.keys().filter(|part| matches!(part, Part::Segment(_))).count();
    let Verified { report, job, end } = verify(&arguments, Some(segments))?;
    let Some((_, end)) = end else {
        let why = report.reason.unwrap_or_else(|| "none of its segments is proved".into());
        bail!("the parent in {} is rejected: {why}", folder.display());
    };
    let same = job.setup.digest == keys.key.setup.digest()
        && job.column_vars == keys.key.column_vars
        && job.architecture.graph().without_scales() == keys.key.architecture().graph().without_scales();
    ensure!(
        same,
        "the parent in {} commits otherwise: a child has its set-up, layers and column_bits, {}; or start from its \
         weights.exact.safetensors as a `file`, with commitments of its own",
        folder.display(),
        job.column_vars
    );
    ensure!(
        keys.key.kind() == ProofKind::Wrapped || job.proof == ProofKind::Core,
        "core proofs would tell of the weights of the parent in {}, whose proofs are wrapped",
        folder.display()
    );
    let secret = Openings::load(&Openings::path(folder), &job)?.seeds().after(&job, end.parent().segments - 1);
    if let Err(differs) = open(&keys.key, &keys.setup, first, &secret, end.parameters())? {
        bail!("the weights of the parent in {}: {differs}", folder.display());
    }
    Ok((end.parent(), secret))
}
