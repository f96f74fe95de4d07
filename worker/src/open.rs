//! `requester open`: the weights that were handed over against what was proved.

use std::path::PathBuf;

use eyre::{Result, WrapErr, ensure};
use gradproof_terminal::atomic::refuse_existing;
use gradproof_terminal::{Outcome, print, tell};
use gradproof_training::parameters_file::{Numbers, read_parameters, write_new_parameters};
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier_program::verify::{Arguments, KeyChoice, Report, Verified, verify};
use gradproof_verifier_program::warn;
use serde::Serialize;

use crate::keys::setup_of;
use crate::opening::{Differs, open};
use crate::openings::Openings;

/// Compares weights with the last commitment of a proved job.
#[derive(clap::Args, Clone, Debug)]
pub struct Open {
    /// The statement that was posted and proved.
    #[arg(long, value_name = "FILE")]
    pub statement: PathBuf,
    /// Openings of the statement [default: `private/openings.json` beside the statement].
    #[arg(long, value_name = "FILE")]
    pub openings: Option<PathBuf>,
    /// Folder with the proofs of the whole job; the command verifies them first.
    #[arg(long, value_name = "DIR")]
    pub proofs: PathBuf,
    /// The weights from the provider: `weights.exact.safetensors`.
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,
    /// Which key proofs are checked with.
    #[command(flatten)]
    pub key: KeyChoice,
    /// Powers of tau from the ceremony that the statement's set-up comes from (`.ptau` of snarkjs, BN254).
    #[arg(long, value_name = "FILE")]
    pub setup: Option<PathBuf>,
    /// Folder with statement and proofs of the job that this one goes on from. Repeat the option for that job's parent, and so on.
    #[arg(long, value_name = "DIR")]
    pub parent: Vec<PathBuf>,
    /// Write accepted weights to this file, rounded to single precision for PyTorch; it must not exist yet.
    #[arg(long, value_name = "FILE")]
    pub float: Option<PathBuf>,
    /// The weights are those after this many segments, for a job that was stopped there [default: after all segments].
    #[arg(long, value_name = "COUNT")]
    pub segments: Option<usize>,
    /// Print the result as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
struct Opened {
    accepted: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The first tensor that differs, with those that are committed to together with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tensors: Vec<String>,
    /// keccak256 of the commitments to the last parameters.
    last_parameters: String,
    /// What the proofs say.
    proofs: Report,
}

impl Open {
    /// Runs `requester open`.
    ///
    /// # Errors
    /// If a file cannot be read, is of another job, or has other weights than exact ones.
    pub fn run(&self) -> Result<Outcome> {
        let arguments = Arguments {
            statement: self.statement.clone(),
            proofs: self.proofs.clone(),
            key: self.key.clone(),
            parent: self.parent.clone(),
            registrations: false,
            json: self.json,
        };
        self.float.as_deref().map_or(Ok(()), refuse_existing)?;
        ensure!(
            self.segments != Some(0),
            "--segments 0: weights are proved by a segment; the first ones are in the job file"
        );
        let Verified { report, job, end } = verify(&arguments, self.segments)?;
        // Everything that is wrong use, before a verdict.
        let beside = || Openings::beside(&self.statement);
        let openings = Openings::load(&self.openings.clone().unwrap_or_else(beside), &job)?;
        let read = read_parameters(&self.weights, &job.architecture)?;
        for note in &read.notes {
            tell(&format!("note: {}: {note}", self.weights.display()));
        }
        ensure!(
            read.numbers == Numbers::Exact,
            "{} has weights in floating point, which were rounded: `weights.exact.safetensors` has those that were proved",
            self.weights.display()
        );
        warn(if report.zero_knowledge { ProofKind::Wrapped } else { ProofKind::Core }, report.insecure_setup);
        let last_parameters = report.last_parameters.clone();
        let opened = match end {
            None => {
                let why = report.reason.clone().unwrap_or_default();
                let reason = Some(format!("the proofs are rejected: {why}"));
                Opened { accepted: false, reason, tensors: vec![], last_parameters, proofs: report }
            }
            Some((key, end)) => {
                let setup = setup_of(&key, self.setup.as_deref())
                    .wrap_err_with(|| format!("the set-up of {}", self.statement.display()))?;
                let secret = openings.seeds().after(&job, end.parent().segments - 1);
                let differs = open(&key, &setup, &read.parameters, &secret, end.parameters())?.err();
                let reason = differs.as_ref().map(Differs::to_string);
                let tensors = differs.map(|differs| differs.tensors).unwrap_or_default();
                Opened { accepted: reason.is_none(), reason, tensors, last_parameters, proofs: report }
            }
        };
        if let Some(float) = self.float.as_ref().filter(|_| opened.accepted) {
            write_new_parameters(float, &job.architecture, &read.parameters, Numbers::Float)?;
        }
        let weights = self.weights.display();
        match (&opened.reason, self.json) {
            (_, true) => print(&serde_json::to_string(&opened)?),
            (None, false) => print(&format!(
                "accepted: {weights} has the weights that were proved, all {} of them, after {} of {} segments; commitment {}",
                job.architecture.parameters(),
                opened.proofs.checked_segments,
                job.segments(),
                opened.last_parameters
            )),
            (Some(reason), false) => print(&format!("REJECTED: {weights}: {reason}")),
        }
        Ok(if opened.accepted { Outcome::Done } else { Outcome::Rejected })
    }
}
