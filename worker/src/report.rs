//! `report.json`: what a run trained and proved, and how long each part took.

use gradproof_prover::prove::Timing;
use gradproof_training::train::StepReport;
use serde::{Deserialize, Serialize};

/// A run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Steps of the job.
    pub steps: usize,
    /// Parameters of the network.
    pub parameters: usize,
    /// Accuracy on the test set after the last segment, if there is one.
    pub test_accuracy: Option<f64>,
    /// That of the same job in double precision, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub float_accuracy: Option<f64>,
    /// Making and proving the commitments to data and first parameters; none without proofs.
    pub registration: Option<RegistrationReport>,
    /// Every segment that has been trained so far.
    pub segments: Vec<SegmentReport>,
    /// Bytes of all proofs.
    pub proof_bytes: u64,
    /// Largest resident memory of this process, in bytes; none where the system does not tell.
    pub peak_memory_bytes: Option<u64>,
    /// True for wrapped proofs; core proofs are not zero-knowledge.
    pub zero_knowledge: bool,
    /// True if anyone can forge proofs.
    pub insecure_setup: bool,
}

/// The commitments that a job starts from.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct RegistrationReport {
    /// Powers of τ and verifying key.
    pub setup_secs: f64,
    /// Commitments to data and first parameters.
    pub commit_secs: f64,
    /// Their proofs, without those that were there.
    pub prove_secs: f64,
}

/// A segment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SegmentReport {
    /// Index in the job.
    pub segment: usize,
    /// Epoch of the job.
    pub epoch: usize,
    /// Live steps.
    pub steps: usize,
    /// Rows trained on.
    pub rows: usize,
    /// Learning rate.
    pub learning_rate: f64,
    /// Mean cross-entropy of the rows, each before its step's update, in nats; none where a trace was read.
    pub loss: Option<f64>,
    /// Share of the rows that were classified correctly, each before its step's update; none where a trace was read.
    pub accuracy: Option<f64>,
    /// Accuracy on the test set after the segment.
    pub test_accuracy: Option<f64>,
    /// Training, or reading the trace.
    pub train_secs: f64,
    /// The proof, if one was made.
    pub proof: Option<ProofReport>,
}

/// Making one proof.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct ProofReport {
    /// From the trace to the committed tensors.
    pub witness_secs: f64,
    /// Commitments to the columns.
    pub commit_secs: f64,
    /// The random column.
    pub mask_secs: f64,
    /// The look-up argument.
    pub lookup_secs: f64,
    /// The pointwise relations.
    pub pointwise_secs: f64,
    /// Products and updates of the weights.
    pub product_secs: f64,
    /// Merging all claims into one.
    pub merge_secs: f64,
    /// The opening.
    pub opening_secs: f64,
    /// The proof of the circuit; zero for a core proof.
    #[serde(default)]
    pub wrap_secs: f64,
    /// All of it, from the trace to the proof.
    pub total_secs: f64,
    /// Checking it.
    pub verify_ms: f64,
    /// Its length.
    pub bytes: u64,
}

impl ProofReport {
    /// The times of a core proof whose witness took `witness_secs`; what follows is filled in later.
    pub fn new(witness_secs: f64, timing: &Timing) -> Self {
        let argument = &timing.argument;
        Self {
            witness_secs,
            commit_secs: timing.commit_secs,
            mask_secs: timing.mask_secs,
            lookup_secs: argument.lookup_secs,
            pointwise_secs: argument.pointwise_secs,
            product_secs: argument.product_secs,
            merge_secs: argument.merge_secs,
            opening_secs: timing.opening_secs,
            ..Self::default()
        }
    }
}

impl SegmentReport {
    /// Takes in what is told about the steps.
    pub fn observe(&mut self, steps: &[StepReport]) {
        let rows: usize = steps.iter().map(|step| step.rows).sum();
        let mean = |sum: f64| (rows > 0).then(|| sum / rows as f64);
        self.loss = mean(steps.iter().map(|step| step.loss * step.rows as f64).sum());
        self.accuracy = mean(steps.iter().map(|step| step.correct as f64).sum());
    }
}

/// Largest resident memory of this process so far, in bytes; none where the system does not tell.
pub fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
