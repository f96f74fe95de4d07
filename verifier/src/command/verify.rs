//! `verifier verify`: the proofs in a folder against a statement.

use std::path::{Path, PathBuf};
use std::time::Instant;

use eyre::{Result, bail, eyre};
use gradproof_circuits::check::{Check, Strict};
use serde::Serialize;

use super::files::{MAX_PROOF_BYTES, list_proofs, read, read_key, read_statement};
use super::{Outcome, Progress, print, tell, warn};
use crate::hex;
use crate::job::JobStatement;
use crate::key::VerifyingKey;
use crate::part::Part;
use crate::proof::ProofKind;
use crate::statement::points_digest;
use crate::verify_job::{JobRejection, JobVerifier, require_all};

/// Checks the proofs of a whole job against its public statement.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The public statement of the job, from the requester: never from whom made the proofs.
    #[arg(long, value_name = "FILE")]
    pub statement: PathBuf,
    /// Folder with `parameters.proof`, `data-0000.proof` …, `segment-0000.proof` …; other files are not looked at.
    #[arg(long, value_name = "DIR")]
    pub proofs: PathBuf,
    /// Key file of a set-up from a ceremony. Without it only a statement that says it is insecure can be checked.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Print the result as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What a verification found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// True if every check of every proof holds.
    pub accepted: bool,
    /// Where a check failed first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// Which check failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// The file with the proof; what is not Unicode in its name is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The job, as the statement names it.
    pub job: String,
    /// Steps of the job.
    pub steps: usize,
    /// Segments of the job.
    pub segments: usize,
    /// Bytes of all proofs read.
    pub proof_bytes: usize,
    /// Time of all checks, without reading files and making the key.
    pub verify_ms: f64,
    /// keccak256 of the commitments to the parameters that the last accepted segment left.
    pub last_parameters: String,
    /// True for wrapped proofs; core proofs are not zero-knowledge.
    pub zero_knowledge: bool,
    /// True if anyone can forge proofs.
    pub insecure_setup: bool,
}

/// Runs `verifier verify`.
///
/// # Errors
/// If a file cannot be read, or the statement is not one.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let report = verify(arguments)?;
    warn(if report.zero_knowledge { ProofKind::Wrapped } else { ProofKind::Core }, report.insecure_setup);
    if arguments.json {
        print(&serde_json::to_string(&report)?);
    } else {
        print(&describe(&report));
    }
    Ok(if report.accepted { Outcome::Done } else { Outcome::Rejected })
}

/// Verifies, and says what was found.
///
/// # Errors
/// If a file cannot be read, or the statement is not one.
pub fn verify(arguments: &Arguments) -> Result<Report> {
    let job = read_statement(&arguments.statement)?;
    let key = verifying_key(arguments, &job)?;
    let proofs = list_proofs(&arguments.proofs)?;
    let mut report = Report {
        accepted: false,
        part: None,
        check: None,
        file: None,
        job: hex::encode(&job.domain.job),
        steps: job.steps,
        segments: job.segments(),
        proof_bytes: 0,
        verify_ms: 0.0,
        last_parameters: hex::encode(&points_digest(&job.first_parameters)),
        zero_knowledge: job.proof == ProofKind::Wrapped,
        insecure_setup: job.setup.insecure || key.setup.is_insecure(),
    };
    if let Some(file) = proofs.unknown.first() {
        let part = file.file_name().map(|name| name.to_string_lossy().into_owned());
        return Ok(Report { part, check: Some(Check::Missing), file: Some(text(file)), ..report });
    }
    let mut checks = || -> Result<Option<JobRejection>> {
        let mut verifier = match JobVerifier::new(&key, &job, &mut Strict) {
            Ok(verifier) => verifier,
            Err(rejection) => return Ok(Some(rejection)),
        };
        if let Err(rejection) = require_all(&verifier, proofs.parts.keys(), &mut Strict) {
            return Ok(Some(rejection));
        }
        let progress = Progress::new(proofs.parts.len() as u64, "proofs", arguments.json);
        for (part, path) in &proofs.parts {
            progress.say(part.to_string());
            let proof = read(path, MAX_PROOF_BYTES)?;
            report.proof_bytes += proof.len();
            let begin = Instant::now();
            let checked = verifier.check(*part, &proof, &mut Strict);
            report.verify_ms += begin.elapsed().as_secs_f64() * 1e3;
            report.last_parameters = hex::encode(&points_digest(verifier.parameters()));
            if let Err(rejection) = checked {
                return Ok(Some(rejection));
            }
            progress.advance(1);
        }
        Ok(None)
    };
    let rejection = checks()?;
    let Some(JobRejection { part, check }) = rejection else {
        return Ok(Report { accepted: true, ..report });
    };
    let file = if part == Part::Statement { Some(&arguments.statement) } else { proofs.parts.get(&part) };
    Ok(Report { part: Some(part.to_string()), check: Some(check), file: file.map(|file| text(file)), ..report })
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The key of `job`: read, or derived under the insecure set-up.
///
/// # Errors
/// If the file is not that key, or is needed and not given.
pub fn verifying_key(arguments: &Arguments, job: &JobStatement) -> Result<VerifyingKey> {
    match &arguments.key {
        Some(path) => read_key(path)?
            .key(&job.architecture, job.column_vars)
            .map_err(|error| eyre!("{}: not the key of this statement: {error}", path.display())),
        None if job.setup.insecure => {
            if job.proof == ProofKind::Wrapped {
                tell("deriving the keys of the circuits, which takes seconds; --key FILE saves that");
            }
            Ok(job.insecure_key()?)
        }
        None => bail!(
            "{}: setup.insecure is false, so the key of its ceremony is needed: pass it with --key FILE",
            arguments.statement.display()
        ),
    }
}

fn describe(report: &Report) -> String {
    match (&report.part, &report.check) {
        (Some(part), Some(check)) => {
            // Whoever made the proofs chose the names of surplus ones: they must not write to the terminal as they like.
            let part = part.escape_debug();
            let file = report.file.as_ref().map(|file| format!(" ({})", file.escape_debug())).unwrap_or_default();
            let why = match check {
                Check::Missing => ": the proof is missing, or is one too many",
                Check::Key => ": the statement is for another key, set-up or shape",
                _ => "",
            };
            format!("REJECTED: {part}{file}: check {check:?} failed{why}")
        }
        _ => format!(
            "accepted: {} steps in {} segments, {} bytes of proofs, checked in {:.0} ms",
            report.steps, report.segments, report.proof_bytes, report.verify_ms
        ),
    }
}
