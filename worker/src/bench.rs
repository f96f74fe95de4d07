//! `provider bench`: one segment of a given shape, part by part.

use std::path::PathBuf;
use std::time::Instant;

use eyre::{Result, bail, ensure};
use gradproof_circuits::field::check::Strict;
use gradproof_circuits::relations::{Group, Subject};
use gradproof_evm::gas::segment_gas;
use gradproof_prover::columns::columns_in;
use gradproof_prover::commit::sums;
use gradproof_prover::witness::Witness;
use gradproof_terminal::{Outcome, Progress, print};
use gradproof_training::data::{DataSet, Digits, Scaling, digits};
use gradproof_training::job::{ColumnLength, InitialWeights, Job, RateChange};
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier::verify_job::JobVerifier;
use gradproof_verifier_program::shape::ShapeOptions;
use gradproof_verifier_program::warn;
use serde::Serialize;

use crate::columns;
use crate::commitments::{JobCommitments, Origin, first_parameters};
use crate::keys::KeyOptions;
use crate::openings::Seeds;
use crate::prove::prove_segment;
use crate::report::{ProofReport, peak_memory_bytes};
use crate::settle::{ChainReport, LocalSettlement};
use crate::train::{KernelOptions, Trainer};

/// Measures training, proving and verifying of one segment.
#[derive(clap::Args, Clone, Debug)]
pub struct Bench {
    /// What is measured.
    #[command(flatten)]
    pub shape: ShapeOptions,
    /// Also submit the proof to the contracts on a local node; this is the folder `contracts` of the repository, with its tools
    /// installed.
    #[arg(long, value_name = "DIR")]
    pub contracts: Option<PathBuf>,
    /// What computes the training.
    #[command(flatten)]
    pub kernels: KernelOptions,
    /// Print the measurements as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
struct Measurements {
    layers: Vec<usize>,
    batch: usize,
    steps: usize,
    parameters: usize,
    data: &'static str,
    threads: usize,
    column_bits: usize,
    columns: usize,
    lookup_leaves_bits: usize,
    setup_secs: f64,
    train_secs: f64,
    #[serde(flatten)]
    proof: ProofReport,
    secs_per_step: f64,
    /// The multi-scalar multiplications of the committed values alone.
    floor_secs: f64,
    /// Everything but the opening and the wrap, over the floor.
    ratio_to_floor: f64,
    /// Of a segment's transaction, by the formula; none for a core proof.
    estimated_gas: Option<u64>,
    /// On a local node, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<ChainReport>,
    peak_memory_bytes: Option<u64>,
    zero_knowledge: bool,
    insecure_setup: bool,
}

impl Bench {
    /// Runs `provider bench`.
    ///
    /// # Errors
    /// If the shape is impossible, or training leaves its range.
    pub fn run(&self) -> Result<Outcome> {
        let (job, data) = self.job()?;
        let kind = self.shape.proof;
        ensure!(
            self.contracts.is_none() || kind == ProofKind::Wrapped,
            "--contracts measures wrapped proofs: contracts take no others"
        );
        let progress = Progress::new(5, "phases", self.json);
        let phase = |what: &str| {
            progress.advance(1);
            progress.say(what.to_owned());
        };
        let begin = Instant::now();
        let keys = KeyOptions::default().keys(&job.architecture, columns::vars(&job, kind), kind, &progress)?;
        let setup_secs = begin.elapsed().as_secs_f64();
        warn(kind, keys.key.setup.is_insecure());
        phase("committing to the data");
        let mut trainer = Trainer::new(&job, first_parameters(&job)?, None, self.kernels.kernels);
        let seeds = Seeds::fresh(&job.initial_weights)?;
        let origin = Origin::New { seed: None };
        let mut commitments = JobCommitments::new(&job, &keys, &trainer.parameters, &seeds, origin, &progress)?;
        let open = |folder: &PathBuf| LocalSettlement::open(folder, &keys.key, &mut commitments.statement);
        let settlement = self.contracts.as_ref().map(open).transpose()?;
        phase("training");
        let (trace, segment) = trainer.trace(0)?;
        phase("committing to the values alone");
        let layout = &keys.key.relations(Subject::Segment).layout;
        let floor_secs = {
            let mut witness = Witness::of_segment(&job.architecture, &trace)?;
            witness.count_lookups(&keys.key.relations(Subject::Segment).tree)?;
            let last = columns_in(layout, &witness, layout.group(Group::Last))?;
            let columns = columns_in(layout, &witness, layout.group(Group::Trace))?;
            let begin = Instant::now();
            sums(&keys.setup, &last)?;
            sums(&keys.setup, &columns)?;
            begin.elapsed().as_secs_f64()
        };
        phase("proving");
        let (bytes, mut proof) = prove_segment(&keys, &commitments, 0, commitments.first.clone(), &seeds, trace)?;
        let mut verifier = JobVerifier::new(&keys.key, &commitments.statement, &mut Strict)?;
        let begin = Instant::now();
        verifier.check(Part::Segment(0), &bytes, &mut Strict)?;
        proof.verify_ms = begin.elapsed().as_secs_f64() * 1e3;
        let submit = |settlement: LocalSettlement| settlement.submit(&keys.key, &commitments.statement, &[&bytes[..]]);
        let chain = settlement.map(submit).transpose()?;
        drop(progress);
        let path = commitments.tree.path(0).len();
        let gas = || segment_gas(layout, keys.key.column_vars, path);
        let measurements = Measurements {
            layers: self.shape.layers.clone(),
            batch: self.shape.batch,
            steps: self.shape.steps,
            parameters: job.architecture.parameters(),
            data,
            threads: rayon::current_num_threads(),
            column_bits: keys.key.column_vars,
            columns: layout.columns(),
            lookup_leaves_bits: keys.key.relations(Subject::Segment).tree.vars,
            setup_secs,
            train_secs: segment.train_secs,
            secs_per_step: proof.total_secs / self.shape.steps as f64,
            floor_secs,
            ratio_to_floor: (proof.total_secs - proof.opening_secs - proof.wrap_secs) / floor_secs,
            estimated_gas: (kind == ProofKind::Wrapped).then(gas),
            chain,
            proof,
            peak_memory_bytes: peak_memory_bytes(),
            zero_knowledge: kind == ProofKind::Wrapped,
            insecure_setup: keys.key.setup.is_insecure(),
        };
        if self.json {
            print(&serde_json::to_string(&measurements)?);
        } else {
            print(&measurements.table());
        }
        Ok(Outcome::Done)
    }

    /// A job of one segment over as many rows as it takes, and what its data are.
    fn job(&self) -> Result<(Job, &'static str)> {
        let architecture = self.shape.architecture()?;
        let bits = self.shape.column_vars(&architecture)?;
        let rows = self.shape.batch * self.shape.steps;
        let (train, data) = match (architecture.inputs(), architecture.classes()) {
            (784, 10..) => (repeated_digits(rows)?, "digits, repeated"),
            (width, classes) => (synthetic(rows, width, classes), "synthetic"),
        };
        let job = Job {
            architecture,
            train,
            test: None,
            steps: self.shape.steps,
            rates: vec![RateChange { from_segment: 0, rate: 1 }],
            initial_weights: InitialWeights::Seed(1),
            columns: ColumnLength::Bits(bits),
            notes: vec![],
        };
        if job.segments() != 1 {
            bail!("the shape does not make one segment");
        }
        Ok((job, data))
    }
}

fn repeated_digits(rows: usize) -> Result<DataSet> {
    let Digits { train, .. } = digits(&Scaling { activation_bits: 8, factor: None })?;
    let inputs = (0..rows).flat_map(|row| train.row(row % train.rows)).copied().collect();
    let labels = train.labels.iter().copied().cycle().take(rows).collect();
    Ok(DataSet { rows, inputs, labels, ..train })
}

/// Inputs below one, a fifth of them not zero as in images, and labels in turn.
fn synthetic(rows: usize, width: usize, classes: usize) -> DataSet {
    let mut state = 1u64;
    let mut next = || {
        // xorshift64: any numbers will do.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if state.is_multiple_of(5) { (state >> 32) as i16 & 0xff } else { 0 }
    };
    let inputs = (0..rows * width).map(|_| next()).collect();
    let labels = (0..rows).map(|row| (row % classes) as u16).collect();
    DataSet { rows, width, inputs, labels, classes, ..DataSet::default() }
}

impl Measurements {
    fn table(&self) -> String {
        let p = &self.proof;
        let layers: Vec<String> = self.layers.iter().map(usize::to_string).collect();
        let mut rows = vec![
            ("shape", format!("{}, batch {}, {} steps", layers.join("-"), self.batch, self.steps)),
            ("parameters", self.parameters.to_string()),
            ("data", self.data.to_owned()),
            ("threads", self.threads.to_string()),
            ("columns", format!("{} of 2^{}", self.columns, self.column_bits)),
            ("look-up tree", format!("2^{} leaves", self.lookup_leaves_bits)),
        ];
        let secs = |value: f64| format!("{value:.3} s");
        rows.extend([
            ("set-up", secs(self.setup_secs)),
            ("training", secs(self.train_secs)),
            ("witness", secs(p.witness_secs)),
            ("commit", secs(p.commit_secs)),
            ("mask", secs(p.mask_secs)),
            ("look-ups", secs(p.lookup_secs)),
            ("pointwise", secs(p.pointwise_secs)),
            ("products", secs(p.product_secs)),
            ("merge", secs(p.merge_secs)),
            ("opening", secs(p.opening_secs)),
            ("wrap", secs(p.wrap_secs)),
            ("total", secs(p.total_secs)),
            ("a step", secs(self.secs_per_step)),
            ("floor", secs(self.floor_secs)),
            ("without opening", format!("{:.2} × the floor", self.ratio_to_floor)),
            ("verification", format!("{:.1} ms", p.verify_ms)),
            ("proof", format!("{} bytes", p.bytes)),
        ]);
        if let Some(gas) = self.estimated_gas {
            rows.push(("estimated gas", gas.to_string()));
        }
        if let Some(ChainReport { gas, parts, deployment_gas, halo2_bytes, .. }) = &self.chain {
            rows.extend([
                ("gas", gas.to_string()),
                ("  call data", (parts.base + parts.call_data).to_string()),
                ("  circuit", parts.circuit.to_string()),
                ("  points", parts.points.to_string()),
                ("  pairing", parts.pairing.to_string()),
                ("  other", parts.other.to_string()),
                ("deployment", format!("{deployment_gas} gas, {halo2_bytes} bytes for the circuit's verifier")),
            ]);
        }
        if let Some(bytes) = self.peak_memory_bytes {
            rows.push(("peak memory", format!("{:.2} GB", bytes as f64 / 1e9)));
        }
        let lines: Vec<String> = rows.iter().map(|(name, value)| format!("{name:<16} {value}")).collect();
        lines.join("\n")
    }
}
