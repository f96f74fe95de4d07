//! `provider prove`: trains a job and proves every segment; goes on where an earlier run was interrupted.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use eyre::{Result, WrapErr, ensure};
use gradproof_circuits::field::check::Strict;
use gradproof_circuits::relations::{Group, Subject};
use gradproof_circuits::trace::{Parameters, SegmentTrace};
use gradproof_prover::commit::Committed;
use gradproof_prover::prove::{Inputs, prove};
use gradproof_prover::registration::data_paths;
use gradproof_prover::witness::Witness;
use gradproof_terminal::folder::Folder;
use gradproof_terminal::{Outcome, Progress, pasted, print};
use gradproof_training::job::{ColumnLength, InitialWeights, Job};
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier::verify_job::JobVerifier;
use gradproof_verifier_program::files::{KEY_FILE, list_proofs, read, read_statement};
use gradproof_verifier_program::warn;

use crate::columns;
use crate::commitments::{JobCommitments, Origin, first_parameters, require_same};
use crate::domain::ExpectedDomain;
use crate::folder::{EXACT_WEIGHTS_FILE, REPORT_FILE, WEIGHTS_FILE, claim_new, stored, stored_statement};
use crate::keys::{KeyOptions, Keys};
use crate::openings::{Openings, Seeds};
use crate::parent::{begin, column_vars};
use crate::report::{ProofReport, RegistrationReport, Report};
use crate::train::{KernelOptions, Trainer, finish, load, new_report, print_report, save_report};

/// Trains a job and proves every step.
#[derive(clap::Args, Clone, Debug)]
pub struct Prove {
    /// The job file (TOML).
    #[arg(long, value_name = "FILE")]
    pub job: PathBuf,
    /// Folder for `statement.json`, `verifying.key`, all proofs, `weights.exact.safetensors`, `weights.safetensors`, `report.json`,
    /// and `private/openings.json`, a secret.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Go on in the folder of an earlier run that was interrupted; the proofs in it are checked and kept.
    #[arg(long)]
    pub resume: bool,
    /// Folder with the traces of `provider train --traces`: prove those instead of training.
    #[arg(long, value_name = "DIR")]
    pub traces: Option<PathBuf>,
    /// Statement of `requester commit` or `requester bind`. The registrations beside it are reused. Without it this program acts as
    /// its own requester.
    #[arg(long, value_name = "FILE")]
    pub statement: Option<PathBuf>,
    /// Openings that were written with the statement [default: `private/openings.json` beside the statement].
    #[arg(long, value_name = "FILE", requires = "statement")]
    pub openings: Option<PathBuf>,
    /// Kind of proofs, and set-up.
    #[command(flatten)]
    pub keys: KeyOptions,
    /// What computes the training.
    #[command(flatten)]
    pub kernels: KernelOptions,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
    /// Where the job is expected to count.
    #[command(flatten)]
    pub domain: ExpectedDomain,
}

/// What an earlier program fixed about the job.
struct Given {
    path: PathBuf,
    statement: JobStatement,
    openings: Openings,
}

impl Prove {
    /// Runs `provider prove`.
    ///
    /// # Errors
    /// If the job, the statement or what is in the folder is refused, a value leaves its range, or a file cannot be written.
    pub fn run(&self) -> Result<Outcome> {
        let job = load(&self.job)?;
        let report = self.prove(&job)?;
        print_report(&report, self.json)?;
        if !self.json {
            // Whoever checks takes the statement from the requester; this program may have been that itself.
            let own = self.out.join(Part::Statement.file_name());
            let statement = self.statement.as_deref().unwrap_or(&own);
            let inherits = stored_statement(&self.out)?.is_some_and(|statement| statement.parent.is_some());
            let parents = match &job.initial_weights {
                InitialWeights::Parent(folders) => folders.clone(),
                // Where the parent's folder is, this job file does not say.
                _ if inherits => vec![PathBuf::from("DIR")],
                _ => vec![],
            };
            print(&format!("check it: {}", check_command(statement, &self.out, &parents)));
        }
        Ok(Outcome::Done)
    }

    /// Trains and proves `job`, whatever [`Self::job`] names.
    ///
    /// # Errors
    /// As those of [`Self::run`].
    pub fn prove(&self, job: &Job) -> Result<Report> {
        if let Some(traces) = &self.traces {
            ensure!(traces.is_dir(), "--traces {}: there is no such folder", traces.display());
        }
        let out = match self.resume {
            true => Folder::claim(&self.out)?,
            false => claim_new(&self.out, "--resume goes on with the job in this folder, or choose another folder")?,
        };
        let given = self.given()?;
        if let Some(given) = &given {
            self.domain.compare(&given.statement)?;
        }
        let mut report = new_report(job);
        let earlier = if self.resume { earlier_report(&self.out) } else { None };
        let registrations = job.epoch().segments().min(job.segments()) + 1;
        let progress = Progress::new((registrations + job.segments()) as u64, "proofs", self.json);
        let mut registration = RegistrationReport::default();

        let begin = Instant::now();
        let kind = self.keys.kind(given.as_ref().map(|given| given.statement.proof))?;
        // The statement fixes the length of columns, as everything else.
        let column_vars = match &given {
            None => column_vars(job, kind, None)?,
            Some(Given { statement, path, .. }) => {
                let stated = statement.column_vars;
                let asked = if job.columns == ColumnLength::Usual { stated } else { columns::vars(job, kind) };
                ensure!(
                    asked == stated,
                    "[proof] of the job file asks for columns of 2^{asked}, {} has 2^{stated}: leave it out, or use the job file \
                     that the statement was made from",
                    path.display()
                );
                stated
            }
        };
        let keys = self.keys.keys(&job.architecture, column_vars, kind, &progress)?;
        registration.setup_secs = begin.elapsed().as_secs_f64();
        report.zero_knowledge = keys.zero_knowledge && earlier.as_ref().is_none_or(|earlier| earlier.zero_knowledge);
        let earlier = earlier.unwrap_or_default();
        report.insecure_setup = keys.key.setup.is_insecure();
        warn(kind, report.insecure_setup);

        let begin = Instant::now();
        let first = first_parameters(job)?;
        let (commitments, seeds) = commit(job, &keys, &first, given.as_ref(), &progress)?;
        registration.commit_secs = begin.elapsed().as_secs_f64();
        refuse_other_openings(&self.out, &commitments.statement, &seeds)?;
        out.tidy(&[Path::new("private")])?;
        if let Some(key) = keys.file() {
            out.save(KEY_FILE, &key)?;
        }
        Openings::new(&commitments.statement, seeds).save(out.path())?;
        out.save(&Part::Statement.file_name(), &commitments.statement.to_json()?)?;

        let begin = Instant::now();
        let mut verifier = JobVerifier::new(&keys.key, &commitments.statement, &mut Strict)?;
        for part in verifier.registrations() {
            progress.say(format!("proving {part}"));
            let make = || commitments.register(job, &keys, &first, part);
            report.proof_bytes += self.registration(part, &mut verifier, &out, make)? as u64;
            progress.advance(1);
        }
        registration.prove_secs = begin.elapsed().as_secs_f64();
        report.registration = Some(registration);

        let mut trainer = Trainer::new(job, first, self.traces.as_deref(), self.kernels.kernels);
        let mut first = commitments.first.clone();
        for index in 0..job.segments() {
            let part = Part::Segment(index as u64);
            if let Some(proof) = stored(&self.out, part, &mut verifier)? {
                progress.say(format!("{part} is proved; training it again"));
                let mut segment = trainer.skip(index)?;
                segment.proof = earlier.segments.get(index).and_then(|segment| segment.proof);
                report.segments.push(segment);
                report.proof_bytes += proof.len() as u64;
            } else {
                progress.say(format!("training {part}"));
                let (trace, mut segment) = trainer.trace(index)?;
                progress.say(format!("proving {part}"));
                let (proof, mut times) = prove_segment(&keys, &commitments, index, first, &seeds, trace)
                    .wrap_err_with(|| format!("{part}"))?;
                let begin = Instant::now();
                verifier.check(part, &proof, &mut Strict).wrap_err("the new proof is refused")?;
                times.verify_ms = begin.elapsed().as_secs_f64() * 1e3;
                out.save(&part.file_name(), &proof)?;
                segment.proof = Some(times);
                report.segments.push(segment);
                report.proof_bytes += proof.len() as u64;
            }
            let points = verifier.parameters().to_vec();
            first = Committed { blindings: seeds.last_blindings(&commitments.statement, index, points.len()), points };
            save_report(&out, &mut report)?;
            progress.advance(1);
        }
        finish(&out, job, &trainer.parameters, &mut report)?;
        Ok(report)
    }

    /// The statement and openings of the folder, if this run goes on there, or those of the options.
    fn given(&self) -> Result<Option<Given>> {
        let here = if self.resume { stored_statement(&self.out)? } else { None };
        let (path, statement, openings) = match (&self.statement, here) {
            (Some(path), here) => {
                let statement = read_statement(path)?;
                match here {
                    Some(here) => require_same(&here, &statement, path)?,
                    None => refuse_proofs(&self.out)?,
                }
                (path.clone(), statement, self.openings.clone().unwrap_or_else(|| Openings::beside(path)))
            }
            (None, Some(here)) => (self.out.join(Part::Statement.file_name()), here, Openings::path(&self.out)),
            (None, None) => {
                // An earlier run was stopped before it wrote a statement; proofs and weights without one are of another job.
                refuse_proofs(&self.out)?;
                let openings = Openings::path(&self.out);
                ensure!(
                    !openings.exists(),
                    "{} is there and statement.json is not: openings are not replaced; put the statement back, or choose another \
                     folder",
                    openings.display()
                );
                return Ok(None);
            }
        };
        let openings = Openings::load(&openings, &statement)?;
        Ok(Some(Given { path, statement, openings }))
    }

    /// Takes over or makes the proof of a registration: its bytes.
    fn registration(
        &self,
        part: Part,
        verifier: &mut JobVerifier<'_>,
        out: &Folder,
        make: impl FnOnce() -> Result<Vec<u8>>,
    ) -> Result<usize> {
        if let Some(proof) = stored(out.path(), part, verifier)? {
            return Ok(proof.len());
        }
        let beside = self.statement.as_ref().map(|path| path.parent().unwrap_or(Path::new("")));
        let taken = beside.map(|folder| stored(folder, part, verifier)).transpose()?.flatten();
        let proof = match taken {
            Some(proof) => proof,
            None => {
                let proof = make()?;
                verifier.check(part, &proof, &mut Strict).wrap_err("the new proof is refused")?;
                proof
            }
        };
        out.save(&part.file_name(), &proof)?;
        Ok(proof.len())
    }
}

/// Commits to data and first parameters, anew or as the requester did; the statement is bound if that is.
fn commit(
    job: &Job,
    keys: &Keys,
    first: &Parameters,
    given: Option<&Given>,
    progress: &Progress,
) -> Result<(JobCommitments, Seeds)> {
    let Some(Given { path, statement, openings }) = given else {
        let (seeds, origin) = begin(job, keys, first)?;
        return Ok((JobCommitments::new(job, keys, first, &seeds, origin, progress)?, seeds));
    };
    let seed = match job.initial_weights {
        InitialWeights::Seed(seed) => Some(seed),
        _ => None,
    };
    let seeds = openings.seeds();
    let origin = statement.parent.map_or(Origin::New { seed }, Origin::Parent);
    let mut commitments = JobCommitments::new(job, keys, first, &seeds, origin, progress)?;
    commitments.statement.domain = statement.domain;
    require_same(&commitments.statement, statement, path)?;
    Ok((commitments, seeds))
}

/// The command that checks the proofs in a folder, to be pasted.
pub fn check_command(statement: &Path, proofs: &Path, parents: &[PathBuf]) -> String {
    let [verifier, verify, of, with, parent] =
        ["verifier", "verify", "--statement", "--proofs", "--parent"].map(OsStr::new);
    let parents = parents.iter().flat_map(|folder| [parent, folder.as_os_str()]);
    pasted([verifier, verify, of, statement.as_os_str(), with, proofs.as_os_str()].into_iter().chain(parents))
}

/// Proves segment `index` of a job from its trace: the proof as bytes.
pub fn prove_segment(
    keys: &Keys,
    commitments: &JobCommitments,
    index: usize,
    first: Committed,
    seeds: &Seeds,
    trace: SegmentTrace,
) -> Result<(Vec<u8>, ProofReport)> {
    let (key, setup) = (&keys.key, &keys.setup);
    let begin = Instant::now();
    let mut witness = Witness::of_segment(key.architecture(), &trace)?;
    drop(trace);
    witness.count_lookups(&key.relations(Subject::Segment).tree)?;
    let witness_secs = begin.elapsed().as_secs_f64();
    // The commitments to the last parameters are not known yet; the prover fills them in.
    let statement = commitments.statement.segment(key, index, &first.points, &[]);
    let statement = statement.ok_or_else(|| eyre::eyre!("the job has no such segment"))?;
    let position = statement.position;
    let data = commitments.data.get(position as usize).cloned().unwrap_or_default();
    let paths = data_paths(&commitments.tree, data.points.len(), position);
    let columns = key.relations(Subject::Segment).layout.group(Group::Last).len();
    let last_blindings = seeds.last_blindings(&commitments.statement, index, columns);
    let proof_job = Inputs { key, setup, statement, data, paths, first, last_blindings };
    let proved = prove(proof_job, &witness, Strict)?;
    let mut times = ProofReport::new(witness_secs, &proved.timing);
    let wrapping = Instant::now();
    let proof = keys.finish(Subject::Segment, proved)?.to_bytes(Subject::Segment);
    times.wrap_secs = wrapping.elapsed().as_secs_f64();
    times.total_secs = begin.elapsed().as_secs_f64();
    times.bytes = proof.len() as u64;
    Ok((proof, times))
}

/// Refuses to replace openings of another job: nobody could make them again.
fn refuse_other_openings(folder: &Path, statement: &JobStatement, seeds: &Seeds) -> Result<()> {
    let path = Openings::path(folder);
    if path.exists() {
        let there = Openings::load(&path, statement).wrap_err("they are not replaced: choose another folder")?;
        ensure!(there.seeds() == *seeds, "{} has other seeds, and is not replaced", path.display());
    }
    Ok(())
}

fn refuse_proofs(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        let proofs = list_proofs(folder)?;
        let lone = proofs.parts.values().next();
        ensure!(
            lone.is_none(),
            "{} is there but statement.json is not: put it back, or choose another folder",
            lone.map(|path| path.display().to_string()).unwrap_or_default()
        );
        for name in [REPORT_FILE, WEIGHTS_FILE, EXACT_WEIGHTS_FILE] {
            let path = folder.join(name);
            ensure!(!path.exists(), "{} is there, of a run without proofs: choose another folder", path.display());
        }
    }
    Ok(())
}

/// The report of an earlier run; it is a convenience only, and one that cannot be read is left out.
fn earlier_report(folder: &Path) -> Option<Report> {
    let bytes = read(&folder.join(REPORT_FILE), 1 << 24).ok()?;
    serde_json::from_slice(&bytes).ok()
}
