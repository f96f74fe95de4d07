//! `verifier verify`: the proofs in a folder against a statement.

use std::path::{Path, PathBuf};
use std::time::Instant;

use eyre::{Result, bail, ensure};
use gradproof_circuits::field::check::{Check, Strict};
use gradproof_terminal::{Outcome, Progress, described, print, tell};
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier::protocol::statement::points_digest;
use gradproof_verifier::verify_job::{Inheritance, JobRejection, JobVerifier, require_all};
use serde::Serialize;

use crate::files::{KEY_FILE, MAX_PROOF_BYTES, Proofs, is_another_key, list_proofs, read, read_key_of, read_statement};
use crate::reasons::reason;
use crate::warnings::warn;

/// Checks the proofs of a whole job, or its registrations, against its public statement.
#[derive(clap::Args, Clone, Debug)]
pub struct Arguments {
    /// The public statement of the job. Take it from the requester, never from the provider that made the proofs.
    #[arg(long, value_name = "FILE")]
    pub statement: PathBuf,
    /// Folder with `parameters.proof`, `data-0000.proof` …, `segment-0000.proof` …; other files are ignored.
    #[arg(long, value_name = "DIR")]
    pub proofs: PathBuf,
    /// Which key proofs are checked with.
    #[command(flatten)]
    pub key: KeyChoice,
    /// Folder with statement and proofs of the job that this one goes on from. Repeat the option for that job's parent, and so on.
    #[arg(long, value_name = "DIR")]
    pub parent: Vec<PathBuf>,
    /// Check only the registrations of data and first parameters, as a provider does before it starts.
    #[arg(long)]
    pub registrations: bool,
    /// Print the result as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Where the verifying key comes from. The statement names its digest.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct KeyChoice {
    /// Key file [default: `verifying.key` beside the proofs or beside the statement].
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Derive the key of the insecure set-up, which takes seconds, even if there is a key file, so that nobody has to be trusted for
    /// it.
    #[arg(long, conflicts_with = "key")]
    pub derive_key: bool,
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
    /// What that means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The file with the proof; what is not Unicode in its name is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The job, as the statement names it.
    pub job: String,
    /// Steps of the job.
    pub steps: usize,
    /// Segments of the job.
    pub segments: usize,
    /// Segments whose proofs were looked at: all, unless fewer were asked for.
    pub checked_segments: usize,
    /// True if nothing but the registrations was looked at.
    pub registrations_only: bool,
    /// Bytes of all proofs read.
    pub proof_bytes: usize,
    /// Time of all checks, without reading files and making the key.
    pub verify_ms: f64,
    /// keccak256 of the commitments to the parameters that the last accepted segment left.
    pub last_parameters: String,
    /// The key file, or none for a key that was derived.
    pub key_file: Option<String>,
    /// The jobs that this one goes on from, the oldest first: their keys are trusted as the job's own is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<ParentReport>,
    /// True for wrapped proofs; core proofs are not zero-knowledge.
    pub zero_knowledge: bool,
    /// True if anyone can forge proofs.
    pub insecure_setup: bool,
}

/// A job that another one goes on from.
#[derive(Clone, Debug, Serialize)]
pub struct ParentReport {
    /// Digest of its statement.
    pub statement: String,
    /// Digest of its key.
    pub verifying_key: String,
    /// The key file, or none for a key that was derived.
    pub key_file: Option<String>,
}

/// Runs `verifier verify`.
///
/// # Errors
/// If a file cannot be read, or the statement is not one.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let report = verify(arguments, None)?.report;
    warn(if report.zero_knowledge { ProofKind::Wrapped } else { ProofKind::Core }, report.insecure_setup);
    if arguments.json {
        print(&serde_json::to_string(&report)?);
    } else {
        print(&describe(&report));
    }
    Ok(if report.accepted { Outcome::Done } else { Outcome::Rejected })
}

/// What was verified, and what it leaves.
#[derive(Debug)]
pub struct Verified {
    /// What was found.
    pub report: Report,
    /// The statement.
    pub job: JobStatement,
    /// Its key and where it stands after the last segment; none if something was rejected.
    pub end: Option<(VerifyingKey, Inheritance)>,
}

/// Verifies, and says what was found; only so many `segments` if that is given, of which there may be more.
///
/// # Errors
/// If a file cannot be read, the statement is not one, or the job has fewer segments.
pub fn verify(arguments: &Arguments, segments: Option<usize>) -> Result<Verified> {
    let job = read_statement(&arguments.statement)?;
    let mut report = Report {
        accepted: false,
        part: None,
        check: None,
        reason: None,
        file: None,
        job: hex::encode(&job.domain.job),
        steps: job.steps,
        segments: job.segments(),
        checked_segments: if arguments.registrations { 0 } else { segments.unwrap_or(job.segments()) },
        registrations_only: arguments.registrations,
        proof_bytes: 0,
        verify_ms: 0.0,
        last_parameters: hex::encode(&points_digest(&job.first_parameters)),
        key_file: None,
        parents: vec![],
        zero_knowledge: job.proof == ProofKind::Wrapped,
        insecure_setup: job.setup.insecure,
    };
    let walk = Walk { report: &mut report, quiet: arguments.json, choice: &arguments.key };
    let only = match segments {
        _ if arguments.registrations => Only::Registrations,
        Some(count) => Only::Segments(count),
        None => Only::All,
    };
    if let Only::Segments(count) = only {
        let path = arguments.statement.display();
        ensure!(count <= job.segments(), "the job of {path} has {} segments, not {count}", job.segments());
    }
    let end = walk.job(&arguments.statement, &job, &arguments.proofs, &arguments.parent, only)?;
    report.accepted = report.check.is_none();
    let end = end.filter(|_| report.accepted).and_then(|(key, end)| Some((key, end?)));
    Ok(Verified { report, job, end })
}

/// Which parts of a job are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    All,
    Registrations,
    /// Nothing after so many segments, of which proofs may be there.
    Segments(usize),
}

/// A verification that fills in its report.
struct Walk<'a> {
    report: &'a mut Report,
    quiet: bool,
    choice: &'a KeyChoice,
}

impl Walk<'_> {
    /// Verifies a job: its key, and where it stands at the end if it may be gone on from. Nothing if it is rejected, which the
    /// report then says.
    fn job(
        mut self,
        path: &Path,
        job: &JobStatement,
        proofs: &Path,
        parents: &[PathBuf],
        only: Only,
    ) -> Result<Option<(VerifyingKey, Option<Inheritance>)>> {
        let inheritance = match (&job.parent, parents.split_first()) {
            (None, None) => None,
            (None, Some((folder, _))) => {
                bail!("--parent {}: the job of {} has no parent", folder.display(), path.display())
            }
            (Some(parent), None) => bail!(
                "{}: the job goes on from another, of whose {} segments the last left its first parameters: give the folder of \
                 that job's statement (digest {}) and proofs with --parent DIR, or in a job file one folder \
                 more in initial_weights.parent",
                path.display(),
                parent.segments,
                hex::encode(&parent.statement)
            ),
            (Some(parent), Some((folder, older))) => {
                let path = folder.join(Part::Statement.file_name());
                let statement = read_statement(&path)?;
                ensure!(
                    statement.digest() == parent.statement,
                    "{} is not the statement of the parent, whose digest is {}",
                    path.display(),
                    hex::encode(&parent.statement)
                );
                // A key file that is named is the job's own; to derive keys is asked of all.
                let choice = KeyChoice { key: None, derive_key: self.choice.derive_key };
                let walk = Walk { report: &mut *self.report, quiet: self.quiet, choice: &choice };
                match walk.job(&path, &statement, folder, older, Only::Segments(parent.segments))? {
                    Some((key, inheritance)) => {
                        self.report.parents.push(ParentReport {
                            statement: hex::encode(&parent.statement),
                            verifying_key: hex::encode(&key.digest()),
                            key_file: self.report.key_file.take(),
                        });
                        inheritance
                    }
                    None => {
                        let reason = self.report.reason.take().unwrap_or_default();
                        self.report.reason = Some(format!("the parent in {}: {reason}", folder.display()));
                        return Ok(None);
                    }
                }
            }
        };
        let (key, file) = match verifying_key(self.choice, path, job, proofs) {
            Ok(found) => found,
            Err(error) if is_another_key(&error) => {
                tell(&format!("note: {}", described(&error)));
                self.reject(path, job, &Proofs::default(), JobRejection { part: Part::Statement, check: Check::Key });
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        self.report.key_file = file.as_deref().map(text);
        self.report.insecure_setup |= key.setup.is_insecure();
        let mut listed = list_proofs(proofs)?;
        if only == Only::All
            && let Some(file) = listed.unknown.first()
        {
            self.report.part = file.file_name().map(|name| name.to_string_lossy().into_owned());
            self.report.check = Some(Check::Missing);
            self.report.reason = Some("it is no proof of the job: no part of a job has a file of this name".into());
            self.report.file = Some(text(file));
            return Ok(None);
        }
        let begin = match only {
            Only::All => u64::MAX,
            Only::Registrations => 0,
            Only::Segments(count) => count as u64,
        };
        listed.parts.retain(|part, _| !matches!(part, Part::Segment(index) if *index >= begin));
        let result = self.parts(&key, job, inheritance.as_ref(), &listed, begin)?;
        match result {
            Ok(end) => Ok(Some((key, end))),
            Err(rejection) => {
                self.reject(path, job, &listed, rejection);
                Ok(None)
            }
        }
    }

    /// Verifies the listed parts, of segments those before `end`.
    fn parts(
        &mut self,
        key: &VerifyingKey,
        job: &JobStatement,
        inheritance: Option<&Inheritance>,
        listed: &Proofs,
        end: u64,
    ) -> Result<Result<Option<Inheritance>, JobRejection>> {
        let mut verifier = match JobVerifier::begin(key, job, inheritance, &mut Strict) {
            Ok(verifier) => verifier,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let wanted = verifier.parts().filter(|part| !matches!(part, Part::Segment(index) if *index >= end));
        if let Err(rejection) = require_all(wanted, listed.parts.keys(), &mut Strict) {
            return Ok(Err(rejection));
        }
        let progress = Progress::new(listed.parts.len() as u64, "proofs", self.quiet);
        for (part, path) in &listed.parts {
            progress.say(part.to_string());
            let proof = read(path, MAX_PROOF_BYTES)?;
            self.report.proof_bytes += proof.len();
            let begin = Instant::now();
            let checked = verifier.check(*part, &proof, &mut Strict);
            self.report.verify_ms += begin.elapsed().as_secs_f64() * 1e3;
            self.report.last_parameters = hex::encode(&points_digest(verifier.parameters()));
            if let Err(rejection) = checked {
                return Ok(Err(rejection));
            }
            progress.advance(1);
        }
        Ok(Ok(verifier.inheritance()))
    }

    fn reject(&mut self, path: &Path, job: &JobStatement, listed: &Proofs, rejection: JobRejection) {
        let file = if rejection.part == Part::Statement { Some(path) } else { listed.path(rejection.part) };
        self.report.reason = Some(reason(job, &rejection));
        self.report.part = Some(rejection.part.to_string());
        self.report.check = Some(rejection.check);
        self.report.file = file.map(text);
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The key of `job`, and the file that it was read from: the one that is asked for, or one beside the proofs or the statement,
/// or none where it was derived under the insecure set-up.
///
/// # Errors
/// If the file is not that key, or is needed and not there.
pub fn verifying_key(
    choice: &KeyChoice,
    statement: &Path,
    job: &JobStatement,
    proofs: &Path,
) -> Result<(VerifyingKey, Option<PathBuf>)> {
    if let Some(path) = &choice.key {
        return Ok((read_key_of(path, job)?, Some(path.clone())));
    }
    let beside = [proofs, statement.parent().unwrap_or(Path::new(""))].map(|folder| folder.join(KEY_FILE));
    let mut another = None;
    for path in beside.into_iter().filter(|path| !choice.derive_key && path.is_file()) {
        match read_key_of(&path, job) {
            Ok(key) => return Ok((key, Some(path))),
            Err(error) => another = another.or(Some(error)),
        }
    }
    if job.setup.insecure {
        if let Some(error) = another {
            tell(&format!("note: {}; it is not used", described(&error)));
        }
        if job.proof == ProofKind::Wrapped {
            tell("note: deriving the keys of the circuits, which takes seconds; --key FILE saves that");
        }
        return Ok((job.insecure_key()?, None));
    }
    ensure!(
        !choice.derive_key,
        "--derive-key: the key of a ceremony is derived from its powers, `verifier key --setup FILE`"
    );
    match another {
        Some(error) => Err(error),
        None => bail!(
            "{}: setup.insecure is false, so the key of its ceremony is needed: pass it with --key FILE",
            statement.display()
        ),
    }
}

fn describe(report: &Report) -> String {
    match (&report.part, &report.check) {
        (Some(part), Some(check)) => {
            // The provider chose the names of surplus files: they must not write to the terminal as they like.
            let part = part.escape_debug();
            let file = report.file.as_ref().map(|file| format!(" ({})", file.escape_debug())).unwrap_or_default();
            let reason = report.reason.as_deref().unwrap_or_default();
            format!("REJECTED: {part}{file}: {reason} [check {check:?}]")
        }
        _ if report.registrations_only => format!(
            "accepted: data and first parameters of the statement are registered, {} bytes of proofs, checked in {:.0} ms",
            report.proof_bytes, report.verify_ms
        ),
        _ => format!(
            "accepted: {} steps in {} segments, {} bytes of proofs, checked in {:.0} ms",
            report.steps, report.segments, report.proof_bytes, report.verify_ms
        ),
    }
}
