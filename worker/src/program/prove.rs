//! `provider prove`: trains a job and proves every segment; goes on where an earlier run was interrupted.

use std::path::{Path, PathBuf};
use std::time::Instant;

use ark_bn254::Fr;
use eyre::{Result, WrapErr, ensure};
use gradproof_circuits::check::Strict;
use gradproof_circuits::relations::Subject;
use gradproof_circuits::tensor::Group;
use gradproof_prover::commit::Committed;
use gradproof_prover::prove::{Job as ProofJob, prove};
use gradproof_prover::randomness::{Use, derived, fresh_seed};
use gradproof_prover::registration::data_paths;
use gradproof_prover::trace::SegmentTrace;
use gradproof_prover::witness::Witness;
use gradproof_verifier::command::files::read_statement;
use gradproof_verifier::command::{Outcome, Progress, print, warn};
use gradproof_verifier::job::JobStatement;
use gradproof_verifier::part::Part;
use gradproof_verifier::verify_job::JobVerifier;

use super::commitments::{Commitments, first_parameters, require_same};
use super::domain::DomainOptions;
use super::folder::{create, refuse_used, save, stored, stored_statement};
use super::keys::{KEY_FILE, KeyOptions, Keys};
use super::openings::Openings;
use super::report::{ProofReport, RegistrationReport, Report};
use super::train::{Trainer, finish, new_report, print_report, save_report};
use crate::job::Job;
use gradproof_verifier::command::atomic::PARTIAL;

/// Trains a job and proves every step.
#[derive(clap::Args, Clone, Debug)]
pub struct Prove {
    /// The job file (TOML).
    #[arg(long, value_name = "FILE")]
    pub job: PathBuf,
    /// Folder for `statement.json`, all proofs, `weights.safetensors` and `report.json`.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Go on in a folder where an earlier run was interrupted; proofs that are there are checked and kept.
    #[arg(long)]
    pub resume: bool,
    /// Folder with the traces of `provider train --traces`: prove those instead of training.
    #[arg(long, value_name = "DIR")]
    pub traces: Option<PathBuf>,
    /// Statement of `requester commit`; registrations beside it are taken over. Without it this program is its own requester.
    #[arg(long, value_name = "FILE")]
    pub statement: Option<PathBuf>,
    /// Openings of `requester commit`; `private/openings.json` beside the statement if not given.
    #[arg(long, value_name = "FILE", requires = "statement")]
    pub openings: Option<PathBuf>,
    /// Kind of proofs, and set-up.
    #[command(flatten)]
    pub keys: KeyOptions,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
    /// Where the job counts, if no statement says so.
    #[command(flatten)]
    pub domain: DomainOptions,
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
        let report = self.prove(&Job::load(&self.job)?)?;
        print_report(&report, self.json)?;
        if !self.json {
            let out = self.out.display();
            let beside = self.out.join(KEY_FILE).is_file();
            let key = if beside { format!(" --key {out}/{KEY_FILE}") } else { String::new() };
            print(&format!("check it: verifier verify --statement {out}/statement.json --proofs {out}{key}"));
        }
        Ok(Outcome::Done)
    }

    /// Trains and proves `job`, whatever [`Self::job`] names.
    ///
    /// # Errors
    /// As those of [`Self::run`].
    pub fn prove(&self, job: &Job) -> Result<Report> {
        if !self.resume {
            refuse_used(&self.out, "--resume goes on with the job in this folder, or choose another folder")?;
        }
        let given = self.given()?;
        let domain = given.as_ref().map_or_else(|| self.domain.domain(), |given| Ok(given.statement.domain))?;
        let mut report = new_report(job);
        let earlier = if self.resume { earlier_report(&self.out) } else { None };
        let registrations = job.epoch().segments().min(job.segments()) + 1;
        let progress = Progress::new((registrations + job.segments()) as u64, "proofs", self.json);
        let mut registration = RegistrationReport::default();

        let begin = Instant::now();
        let kind = self.keys.kind(given.as_ref().map(|given| given.statement.proof))?;
        let keys = self.keys.keys(&job.architecture, job.column_vars, kind, &progress)?;
        registration.setup_secs = begin.elapsed().as_secs_f64();
        report.zero_knowledge = keys.zero_knowledge && earlier.as_ref().is_none_or(|earlier| earlier.zero_knowledge);
        let earlier = earlier.unwrap_or_default();
        report.insecure_setup = keys.key.setup.is_insecure();
        warn(kind, report.insecure_setup);

        let begin = Instant::now();
        let first = first_parameters(job)?;
        let seed = given.as_ref().map_or_else(fresh_seed, |given| Ok(given.openings.blinding_seed))?;
        let commitments = Commitments::new(job, &keys, &first, &seed, domain, &progress)?;
        if let Some(given) = &given {
            require_same(&commitments.statement, &given.statement, &given.path)?;
        }
        registration.commit_secs = begin.elapsed().as_secs_f64();
        create(&self.out)?;
        keys.save(&self.out)?;
        remove_unfinished(&self.out)?;
        Openings::new(&commitments.statement, seed).save(&self.out)?;
        save(&self.out.join(Part::Statement.file_name()), &commitments.statement.to_json()?)?;

        let begin = Instant::now();
        let mut verifier = JobVerifier::new(&keys.key, &commitments.statement, &mut Strict)?;
        for part in verifier.parts().filter(|part| !matches!(part, Part::Segment(_))) {
            progress.say(format!("proving {part}"));
            report.proof_bytes += self.registration(job, &keys, &commitments, part, &mut verifier)? as u64;
            progress.advance(1);
        }
        registration.prove_secs = begin.elapsed().as_secs_f64();
        report.registration = Some(registration);

        let mut trainer = Trainer::new(job, self.traces.as_deref())?;
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
                let (proof, mut times) = prove_segment(&keys, &commitments, index, first, &seed, trace)
                    .wrap_err_with(|| format!("{part}"))?;
                let begin = Instant::now();
                verifier.check(part, &proof, &mut Strict).wrap_err("the new proof is refused")?;
                times.verify_ms = begin.elapsed().as_secs_f64() * 1e3;
                save(&self.out.join(part.file_name()), &proof)?;
                segment.proof = Some(times);
                report.segments.push(segment);
                report.proof_bytes += proof.len() as u64;
            }
            let points = verifier.parameters().to_vec();
            first = Committed { blindings: last_blindings(&seed, index, points.len()), points };
            save_report(&self.out, &mut report)?;
            progress.advance(1);
        }
        finish(&self.out, job, &trainer.parameters, &mut report)?;
        Ok(report)
    }

    /// The statement and openings of the folder, if this run goes on there, or those of the options.
    fn given(&self) -> Result<Option<Given>> {
        let here = if self.resume { stored_statement(&self.out)? } else { None };
        let (path, statement, openings) = match (&self.statement, here) {
            (Some(path), here) => {
                let statement = read_statement(path)?;
                if let Some(here) = here {
                    require_same(&here, &statement, path)?;
                }
                let beside = || Openings::path(path.parent().unwrap_or(Path::new("")));
                (path.clone(), statement, self.openings.clone().unwrap_or_else(beside))
            }
            (None, Some(here)) => (self.out.join(Part::Statement.file_name()), here, Openings::path(&self.out)),
            (None, None) => {
                // An earlier run was stopped before it wrote a statement; proofs without one are of another job.
                refuse_proofs(&self.out)?;
                return Ok(None);
            }
        };
        let openings = Openings::load(&openings, &statement)?;
        Ok(Some(Given { path, statement, openings }))
    }

    /// Takes over or makes the proof of a registration: its bytes.
    fn registration(
        &self,
        job: &Job,
        keys: &Keys,
        commitments: &Commitments,
        part: Part,
        verifier: &mut JobVerifier<'_>,
    ) -> Result<usize> {
        if let Some(proof) = stored(&self.out, part, verifier)? {
            return Ok(proof.len());
        }
        let beside = self.statement.as_ref().map(|path| path.parent().unwrap_or(Path::new("")));
        let taken = beside.map(|folder| stored(folder, part, verifier)).transpose()?.flatten();
        let proof = match taken {
            Some(proof) => proof,
            None => {
                let proof = commitments.register(job, keys, &first_parameters(job)?, part)?;
                verifier.check(part, &proof, &mut Strict).wrap_err("the new proof is refused")?;
                proof
            }
        };
        save(&self.out.join(part.file_name()), &proof)?;
        Ok(proof.len())
    }
}

/// Proves segment `index` of a job from its trace: the proof as bytes.
pub fn prove_segment(
    keys: &Keys,
    commitments: &Commitments,
    index: usize,
    first: Committed,
    seed: &[u8; 32],
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
    let last_blindings = last_blindings(seed, index, key.relations(Subject::Segment).layout.group(Group::Last).len());
    let proof_job = ProofJob { key, setup, statement, data, paths, first, last_blindings };
    let proved = prove(proof_job, &witness, Strict)?;
    let mut times = ProofReport::new(witness_secs, &proved.timing);
    let wrapping = Instant::now();
    let proof = keys.finish(Subject::Segment, proved)?.to_bytes(Subject::Segment);
    times.wrap_secs = wrapping.elapsed().as_secs_f64();
    times.total_secs = begin.elapsed().as_secs_f64();
    times.bytes = proof.len() as u64;
    Ok((proof, times))
}

fn last_blindings(seed: &[u8; 32], segment: usize, columns: usize) -> Vec<Fr> {
    derived(seed, Use::LastParameters { segment: segment as u64 }, columns)
}

fn refuse_proofs(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        let proofs = gradproof_verifier::command::files::list_proofs(folder)?;
        let lone = proofs.parts.values().next();
        ensure!(
            lone.is_none(),
            "{} is there but statement.json is not: put it back, or choose another folder",
            lone.map(|path| path.display().to_string()).unwrap_or_default()
        );
    }
    Ok(())
}

/// The report of an earlier run; it is a convenience only, and one that cannot be read is left out.
fn earlier_report(folder: &Path) -> Option<Report> {
    let bytes = gradproof_verifier::command::files::read(&folder.join("report.json"), 1 << 24).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Removes files that an interrupted run was writing.
fn remove_unfinished(folder: &Path) -> Result<()> {
    let context = || format!("cannot tidy the folder {}", folder.display());
    for entry in std::fs::read_dir(folder).wrap_err_with(context)? {
        let path = entry.wrap_err_with(context)?.path();
        if path.to_string_lossy().ends_with(PARTIAL) && path.is_file() {
            std::fs::remove_file(&path).wrap_err_with(context)?;
        }
    }
    Ok(())
}
