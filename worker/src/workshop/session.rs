//! A job at work: trained as often as it takes, proved segment by segment.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ark_bn254::G1Affine;
use eyre::{Result, WrapErr, ensure, eyre};
use gradproof_chain::B256;
use gradproof_circuits::field::check::Strict;
use gradproof_circuits::relations::Subject;
use gradproof_circuits::trace::Parameters;
use gradproof_evm::ChainProof;
use gradproof_node::workshop::{PARCEL, PRIVATE, Work, WorkError};
use gradproof_prover::commit::Committed;
use gradproof_prover::registration::{Blinding, commit_parameters};
use gradproof_prover::witness::Witness;
use gradproof_terminal::{Progress, atomic};
use gradproof_training::job::{InitialWeights, Job};
use gradproof_training::parameters_file::{Numbers, write_parameters};
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier::protocol::statement::{Domain, points_digest};
use gradproof_verifier::verify::verify;
use gradproof_verifier::verify_job::{JobVerifier, decode};
use gradproof_verifier_program::files::{KEY_FILE, MAX_PROOF_BYTES, read, read_key_of};

use super::parcel::{seeds, unpack};
use super::training::Training;
use crate::commitments::{JobCommitments, Origin, first_parameters, require_same};
use crate::data_opening::DataOpening;
use crate::folder::REPORT_FILE;
use crate::keys::{KeyOptions, Keys};
use crate::openings::Seeds;
use crate::report::Report;
use crate::train::{KernelOptions, Trainer, new_report};

/// A job that this process trains and proves.
pub struct Session {
    folder: PathBuf,
    job: Job,
    keys: Keys,
    commitments: JobCommitments,
    seeds: Seeds,
    kernels: KernelOptions,
    /// Commitments to the parameters after each segment of the first training.
    ends: Vec<Vec<G1Affine>>,
    /// The first training.
    first: Training,
    /// The second one: nothing of the first goes into it.
    second: Training,
    report: Report,
}

impl Session {
    /// Checks the parcel in `folder` and binds it to where the job counts.
    ///
    /// # Errors
    /// The parcel is not what its statement says.
    pub fn begin(folder: &Path, domain: Domain, options: &KeyOptions) -> Result<Self> {
        let (unbound, job) = unpack(folder)?;
        let seeds = seeds(folder, &unbound)?;
        ensure!(unbound.proof == ProofKind::Wrapped, "the statement is for core proofs, which no contract verifies");
        let progress = Progress::new(1, "jobs", true);
        // Before the keys of a shape are made, which takes long: the shape is that of the key.
        read_key_of(&folder.join(PARCEL).join(KEY_FILE), &unbound)?;
        let keys = options.keys(&job.architecture, unbound.column_vars, ProofKind::Wrapped, &progress)?;
        if keys.key.digest() != unbound.verifying_key {
            // The market's verifier has the statement's key: what differs is this machine's.
            return Err(std::io::Error::other(
                "the key of this job is another one here: was the job's set-up given with --setup?",
            )
            .into());
        }
        let first = first_parameters(&job)?;
        let seed = match job.initial_weights {
            InitialWeights::Seed(seed) => Some(seed),
            _ => None,
        };
        let origin = unbound.parent.map_or(Origin::New { seed }, Origin::Parent);
        let mut commitments = JobCommitments::new(&job, &keys, &first, &seeds, origin, &progress)?;
        require_same(&commitments.statement, &unbound, &folder.join(PARCEL))?;
        let mut verifier = JobVerifier::new(&keys.key, &unbound, &mut Strict)?;
        for part in verifier.registrations() {
            // Of a registered set its owner hands over the rows and not their registrations. These say that values are in range, padding
            // is empty and labels are one-hot. Of what was recomputed just now that holds, because `unpack` takes no label that is no class.
            if matches!(part, Part::Data(_)) && DataOpening::in_folder(&folder.join(PRIVATE))?.is_some() {
                continue;
            }
            let proof = read(&folder.join(PARCEL).join(part.file_name()), MAX_PROOF_BYTES)?;
            verifier.check(part, &proof, &mut Strict)?;
        }
        commitments.statement = unbound.bind(domain)?;
        let (kernels, report) = (KernelOptions::default(), new_report(&job));
        Ok(Self {
            folder: folder.to_owned(),
            first: Training::new(first.clone()),
            second: Training::new(first),
            ends: vec![],
            job,
            keys,
            commitments,
            seeds,
            kernels,
            report,
        })
    }

    /// Commitments to the parameters after segment `index`.
    fn end(&self, index: usize, parameters: &Parameters) -> Result<Vec<G1Affine>> {
        let witness = Witness::of_parameters(self.keys.key.architecture(), parameters)?;
        let secret = self.seeds.after(&self.commitments.statement, index);
        Ok(commit_parameters(&self.keys.key, &self.keys.setup, &witness, Blinding::Opening(&secret))?.points)
    }

    /// The first training comes to the end of `segments`: the digests there.
    fn trained(&mut self, segments: usize) -> Result<Vec<B256>> {
        for index in self.ends.len()..segments {
            self.first.advance(&self.job, &self.kernels, index + 1)?;
            self.ends.push(self.end(index, &self.first.parameters)?);
        }
        let ends = self.ends.iter().take(segments);
        Ok(ends.map(|points| points_digest(points).into()).collect())
    }

    /// Digests at the ends of `segments`, by the second training.
    fn repeated(&mut self, segments: Range<usize>) -> Result<Vec<B256>> {
        let mut ends = Vec::new();
        for index in segments {
            self.second.advance(&self.job, &self.kernels, index + 1)?;
            ends.push(points_digest(&self.end(index, &self.second.parameters)?).into());
        }
        Ok(ends)
    }

    /// Whether the job has so many segments; a count comes from elsewhere.
    fn require(&self, segments: u64) -> Result<usize, WorkError> {
        let count = usize::try_from(segments).ok().filter(|count| *count <= self.job.segments());
        count.ok_or_else(|| WorkError::Failed(format!("the job has {} segments, not {segments}", self.job.segments())))
    }

    /// Trains from the beginning to the end of `segments`, and writes the weights there, exact and rounded for PyTorch: the digests at
    /// the segments' ends, and the two files.
    ///
    /// # Errors
    /// The job has fewer segments, the training diverges, or a file cannot be written.
    pub fn recovered(&mut self, segments: usize) -> Result<(Vec<B256>, [PathBuf; 2])> {
        ensure!(segments <= self.job.segments(), "the job has {} segments, not {segments}", self.job.segments());
        let ends = self.trained(segments)?;
        let name = |end: &str| self.folder.join(format!("recovered-{segments:04}{end}.safetensors"));
        let files = [(name(".exact"), Numbers::Exact), (name(""), Numbers::Float)];
        for (path, numbers) in &files {
            write_parameters(path, &self.job.architecture, &self.first.parameters, *numbers)
                .wrap_err_with(|| format!("cannot write {}", path.display()))?;
        }
        Ok((ends, files.map(|(path, _)| path)))
    }

    /// The commitments that segment `index` begins with.
    fn begins(&self, index: usize) -> Result<Committed> {
        let Some(before) = index.checked_sub(1) else { return Ok(self.commitments.first.clone()) };
        let points = self.ends.get(before).ok_or_else(|| eyre!("segment {before} was not trained"))?.clone();
        let blindings = self.seeds.last_blindings(&self.commitments.statement, before, points.len());
        Ok(Committed { blindings, points })
    }

    /// What the market takes of a segment's proof; the inner error is one of a machine that computes wrongly.
    fn proved(&mut self, index: usize) -> Result<Result<Vec<u8>>> {
        self.trained(index + 1)?;
        let path = self.folder.join(Part::Segment(index as u64).file_name());
        if path.is_file()
            && let Ok(proof) = self.checked(index, &read(&path, MAX_PROOF_BYTES)?)
        {
            return Ok(Ok(proof));
        }
        let proof = self.made(index)?;
        let checked = self.checked(index, &proof).wrap_err("the new proof is refused");
        if checked.is_ok() {
            atomic::write(&path, |file| std::io::Write::write_all(file, &proof))
                .wrap_err_with(|| format!("cannot write {}", path.display()))?;
        }
        Ok(checked)
    }

    /// Trains segment `index` once more, with its trace, and proves it.
    fn made(&mut self, index: usize) -> Result<Vec<u8>> {
        self.second.advance(&self.job, &self.kernels, index)?;
        let mut trainer = Trainer::new(&self.job, self.second.parameters.clone(), None, self.kernels.kernels);
        let (trace, mut segment) = trainer.trace(index)?;
        let parameters = trainer.parameters;
        let first = self.begins(index)?;
        let (proof, times) =
            crate::prove::prove_segment(&self.keys, &self.commitments, index, first, &self.seeds, trace)?;
        segment.proof = Some(times);
        self.second = Training { segments: index + 1, parameters };
        self.report.segments.push(segment);
        self.report.proof_bytes += proof.len() as u64;
        // For whoever wants to know how long it took; nothing depends on it.
        let report = serde_json::to_vec_pretty(&self.report)?;
        let _ = atomic::write(&self.folder.join(REPORT_FILE), |file| std::io::Write::write_all(file, &report));
        Ok(proof)
    }

    /// What the market takes of a proof, if it holds, and leads from where the first training was to where that came.
    fn checked(&mut self, index: usize, bytes: &[u8]) -> Result<Vec<u8>> {
        let begin = Instant::now();
        let key = &self.keys.key;
        let first = self.begins(index)?.points;
        let proof = decode(key, &self.commitments.statement, Subject::Segment, bytes)?;
        let end = self.ends.get(index).ok_or_else(|| eyre!("segment {index} was not trained"))?;
        let statement = self.commitments.statement.segment(key, index, &first, end);
        let statement = statement.ok_or_else(|| eyre!("the job has no segment {index}"))?;
        verify(key, &statement, &first, &proof, &mut Strict).wrap_err(
            "two trainings of this segment do not agree, or the proof does not hold: this machine computes wrongly",
        )?;
        if let Some(times) = self.report.segments.last_mut().and_then(|segment| segment.proof.as_mut()) {
            times.verify_ms = begin.elapsed().as_secs_f64() * 1e3;
        }
        let chain = ChainProof::of(&first, &proof).ok_or_else(|| eyre!("a core proof"))?;
        Ok(chain.to_bytes())
    }

    fn written(&mut self, segments: usize) -> Result<PathBuf> {
        let path = self.folder.join(format!("weights-{segments:04}.exact.safetensors"));
        self.second.advance(&self.job, &self.kernels, segments)?;
        write_parameters(&path, &self.job.architecture, &self.second.parameters, Numbers::Exact)?;
        Ok(path)
    }
}

impl Work for Session {
    fn train(&mut self, segments: u64) -> Result<Vec<B256>, WorkError> {
        let segments = self.require(segments)?;
        // What leaves its range does so on every machine.
        self.trained(segments).map_err(|error| super::refused(&error))
    }

    fn repeat(&mut self, segments: Range<u64>) -> Result<Vec<B256>, WorkError> {
        let segments = self.require(segments.start)?..self.require(segments.end)?;
        self.repeated(segments).map_err(|error| match super::refused(&error) {
            WorkError::Impossible(reason) => WorkError::Differs(reason),
            other => other,
        })
    }

    fn prove(&mut self, index: u64) -> Result<Vec<u8>, WorkError> {
        let segments = self.require(index.saturating_add(1))?;
        let proved = self.proved(segments - 1).map_err(|error| failed(&error))?;
        proved.map_err(|error| WorkError::Differs(gradproof_terminal::described(&error)))
    }

    fn committed(&mut self, segments: u64, opening: B256) -> Result<B256, WorkError> {
        let segments = self.require(segments)?;
        self.second.advance(&self.job, &self.kernels, segments).map_err(|error| super::refused(&error))?;
        let commit = || -> Result<B256> {
            let witness = Witness::of_parameters(self.keys.key.architecture(), &self.second.parameters)?;
            let blinding = Blinding::Opening(&opening.0);
            let points = commit_parameters(&self.keys.key, &self.keys.setup, &witness, blinding)?.points;
            Ok(points_digest(&points).into())
        };
        commit().map_err(|error| failed(&error))
    }

    fn weights(&mut self, segments: u64) -> Result<PathBuf, WorkError> {
        let segments = self.require(segments)?;
        self.written(segments).map_err(|error| failed(&error))
    }
}

fn failed(error: &eyre::Report) -> WorkError {
    WorkError::Failed(gradproof_terminal::described(error))
}
