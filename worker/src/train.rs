//! `provider train`: the training alone, with or without traces for a prover.

use std::path::{Path, PathBuf};
use std::time::Instant;

use eyre::{Result, WrapErr, ensure};
use gradproof_circuits::trace::{Parameters, SegmentTrace};
use gradproof_terminal::folder::Folder;
use gradproof_terminal::{Outcome, Progress, print, tell};
use gradproof_training::float::FloatNetwork;
use gradproof_training::job::{InitialWeights, Job, Segment};
use gradproof_training::kernels::{KERNELS, Kernels};
use gradproof_training::parameters::require_range;
use gradproof_training::parameters_file::{Numbers, write_parameters};
use gradproof_training::trace_file::{read_trace, write_trace};
use gradproof_training::train::{SegmentPlan, evaluate, train, train_segment};
use gradproof_verifier_program::one_of;

use crate::commitments::first_parameters;
use crate::folder::{EXACT_WEIGHTS_FILE, REPORT_FILE, WEIGHTS_FILE, claim_new};
use crate::report::{Report, SegmentReport, peak_memory_bytes};

/// Trains without proving.
#[derive(clap::Args, Clone, Debug)]
pub struct Train {
    /// The job file (TOML).
    #[arg(long, value_name = "FILE")]
    pub job: PathBuf,
    /// Folder for `weights.exact.safetensors`, `weights.safetensors` and `report.json`; it must not hold any of them yet.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Folder for `segment-0000.trace` …, which `provider prove --traces` proves in another process.
    #[arg(long, value_name = "DIR")]
    pub traces: Option<PathBuf>,
    /// Also train in double precision, and report both accuracies on the test set.
    #[arg(long)]
    pub float: bool,
    /// What computes the training.
    #[command(flatten)]
    pub kernels: KernelOptions,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// What computes the training.
#[derive(clap::Args, Clone, Debug)]
pub struct KernelOptions {
    /// What computes the training: `cpu`, or `reference`, which is many times slower and the same to the bit.
    #[arg(long, value_parser = one_of(&KERNELS), value_name = "KERNELS", default_value = KERNELS[0].0)]
    pub kernels: &'static dyn Kernels,
}

impl Default for KernelOptions {
    fn default() -> Self {
        Self { kernels: KERNELS[0].1 }
    }
}

impl Train {
    /// Runs `provider train`.
    ///
    /// # Errors
    /// If the job is refused, a value leaves its range, or a file cannot be written.
    pub fn run(&self) -> Result<Outcome> {
        let job = load(&self.job)?;
        ensure!(
            !self.float || job.test.is_some(),
            "--float compares accuracies on a test set, and the job has none: data.test_images names one"
        );
        let out = claim_new(&self.out, "choose another folder")?;
        let traces = self.traces.as_deref().map(|folder| claim_traces(folder, &self.out)).transpose()?;
        let first = first_parameters(&job)?;
        if let InitialWeights::Seed(_) | InitialWeights::File(_) = job.initial_weights {
            // What a proof would refuse is not trained on either.
            require_range(&job.architecture, &first)?;
        }
        let mut trainer = Trainer::new(&job, first, None, self.kernels.kernels);
        let mut report = new_report(&job);
        let progress = Progress::new(job.steps as u64, "steps", self.json);
        for index in 0..job.segments() {
            progress.say(format!("training segment {index}"));
            let segment = match &self.traces {
                Some(folder) => {
                    let (trace, segment) = trainer.trace(index)?;
                    write_trace(&trace_path(folder, index), &job.architecture, &trace)?;
                    segment
                }
                None => trainer.skip(index)?,
            };
            progress.advance(segment.steps as u64);
            report.segments.push(segment);
        }
        if self.float {
            progress.say("training in floating point");
            report.float_accuracy = float_accuracy(&job)?;
        }
        drop(progress);
        drop(traces);
        finish(&out, &job, &trainer.parameters, &mut report)?;
        print_report(&report, self.json)?;
        Ok(Outcome::Done)
    }
}

/// Trains a job segment by segment, or follows the traces of one that was trained.
pub struct Trainer<'a> {
    job: &'a Job,
    traces: Option<&'a Path>,
    /// Parameters after the segments so far.
    pub parameters: Parameters,
    kernels: &'static dyn Kernels,
    /// True once it was said that the test set leaves the range.
    untested: bool,
}

impl<'a> Trainer<'a> {
    /// A trainer from the first parameters; it reads the segments in the folder `traces`, if one is given.
    pub fn new(job: &'a Job, first: Parameters, traces: Option<&'a Path>, kernels: &'static dyn Kernels) -> Self {
        Self { job, traces, parameters: first, kernels, untested: false }
    }

    /// The next segment, `index`, with its trace.
    pub fn trace(&mut self, index: usize) -> Result<(SegmentTrace, SegmentReport)> {
        let begin = Instant::now();
        let (segment, mut report) = self.report(index)?;
        let rows = self.job.segment_rows(segment.position)?;
        let trace = match self.traces {
            Some(folder) => {
                let path = trace_path(folder, index);
                let (architecture, trace) = read_trace(&path)?;
                let same = [
                    ("architecture", architecture == self.job.architecture),
                    ("number of live steps or rows", trace.live == segment.live),
                    ("rate", trace.rate == segment.rate),
                    ("input", trace.input == rows.inputs),
                    ("label", trace.labels == rows.labels),
                    ("set of first parameters", trace.first == self.parameters),
                ];
                if let Some((what, _)) = same.iter().find(|(_, same)| !same) {
                    let path = path.display();
                    eyre::bail!("{path} is not of segment {index} of this job: it has another {what}");
                }
                self.parameters = trace.last.clone();
                trace
            }
            None => {
                let (plan, mut steps) = (self.plan(index, &segment), Vec::new());
                let (architecture, parameters) = (&self.job.architecture, &mut self.parameters);
                let observe = &mut |step: &_| steps.push(*step);
                let trace =
                    train_segment(architecture, plan, self.kernels, parameters, rows.inputs, rows.labels, observe)
                        .wrap_err_with(|| format!("segment {index}"))?;
                report.observe(&steps);
                trace
            }
        };
        report.train_secs = begin.elapsed().as_secs_f64();
        report.test_accuracy = self.test_accuracy();
        Ok((trace, report))
    }

    /// The next segment, `index`, without its trace.
    pub fn skip(&mut self, index: usize) -> Result<SegmentReport> {
        if self.traces.is_some() {
            return Ok(self.trace(index)?.1);
        }
        let begin = Instant::now();
        let (segment, mut report) = self.report(index)?;
        let rows = self.job.segment_rows(segment.position)?;
        let (plan, mut steps) = (self.plan(index, &segment), Vec::new());
        let (architecture, parameters) = (&self.job.architecture, &mut self.parameters);
        train(architecture, plan, self.kernels, parameters, &rows.inputs, &rows.labels, &mut |step| steps.push(*step))
            .wrap_err_with(|| format!("segment {index}"))?;
        report.observe(&steps);
        report.train_secs = begin.elapsed().as_secs_f64();
        report.test_accuracy = self.test_accuracy();
        Ok(report)
    }

    fn plan(&self, index: usize, segment: &Segment) -> SegmentPlan {
        let first_step = self.job.steps_before(index) as u64;
        SegmentPlan { live: segment.live, rate: segment.rate, first_step }
    }

    fn report(&self, index: usize) -> Result<(Segment, SegmentReport)> {
        let segment = self.job.segment(index);
        let segment = segment.ok_or_else(|| eyre::eyre!("the job has no segment {index}"))?;
        let report = SegmentReport {
            segment: index,
            epoch: segment.epoch,
            steps: segment.live.steps,
            rows: (segment.live.steps - 1) * self.job.architecture.batch() + segment.live.last_rows,
            learning_rate: self.job.learning_rate(segment.rate),
            ..SegmentReport::default()
        };
        Ok((segment, report))
    }

    fn test_accuracy(&mut self) -> Option<f64> {
        let test = self.job.test.as_ref()?;
        match evaluate(&self.job.architecture, self.kernels, &self.parameters, &test.inputs, &test.labels) {
            Ok(evaluation) => Some(evaluation.accuracy()),
            Err(error) => {
                // Nothing is wrong with the training: only rows that are not trained on leave the range.
                if !std::mem::replace(&mut self.untested, true) {
                    tell(&format!("warning: no accuracy on the test set, said once: {error}"));
                }
                None
            }
        }
    }
}

/// Accuracy on the test set of the same job in double precision.
pub fn float_accuracy(job: &Job) -> Result<Option<f64>> {
    let Some(test) = &job.test else { return Ok(None) };
    let architecture = &job.architecture;
    let mut network = FloatNetwork::new(architecture, &first_parameters(job)?)?;
    for segment in (0..job.segments()).filter_map(|index| job.segment(index)) {
        let rows = job.segment_rows(segment.position)?;
        let (batch, width) = (architecture.padded_batch(), architecture.inputs());
        let steps = rows.inputs.chunks(batch * width).zip(rows.labels.chunks(batch));
        for (inputs, labels) in steps.take(segment.live.steps) {
            network.step(inputs, labels, segment.rate)?;
        }
    }
    Ok(Some(network.evaluate(&test.inputs, &test.labels)?.accuracy()))
}

fn trace_path(folder: &Path, index: usize) -> PathBuf {
    folder.join(format!("segment-{index:04}.trace"))
}

/// The report of a job of which nothing is trained.
pub fn new_report(job: &Job) -> Report {
    Report { steps: job.steps, parameters: job.architecture.parameters(), ..Report::default() }
}

/// Reads a job file and its data, and tells what the user should know.
///
/// # Errors
/// The first thing that is wrong.
pub fn load(path: &Path) -> Result<Job> {
    let job = Job::load(path)?;
    for note in &job.notes {
        tell(&format!("note: {}: {note}", path.display()));
    }
    Ok(job)
}

/// A folder for traces, without any yet; the folder of the results is claimed already.
fn claim_traces(folder: &Path, out: &Path) -> Result<Option<Folder>> {
    std::fs::create_dir_all(folder).wrap_err_with(|| format!("cannot make the folder {}", folder.display()))?;
    let same = folder.canonicalize().ok() == out.canonicalize().ok();
    let claimed = if same { None } else { Some(Folder::claim(folder)?) };
    let first = trace_path(folder, 0);
    ensure!(!first.exists(), "{} is there already; choose another folder", first.display());
    Ok(claimed)
}

/// Writes `report.json`.
pub fn save_report(out: &Folder, report: &mut Report) -> Result<()> {
    report.peak_memory_bytes = peak_memory_bytes();
    report.test_accuracy = report.segments.last().and_then(|segment| segment.test_accuracy);
    out.save(REPORT_FILE, &serde_json::to_vec_pretty(report)?)
}

/// Writes what a run ends with: the weights, exact and for PyTorch, and `report.json`.
pub fn finish(out: &Folder, job: &Job, parameters: &Parameters, report: &mut Report) -> Result<()> {
    ensure!(report.segments.len() == job.segments(), "not all segments are trained");
    write_parameters(&out.join(EXACT_WEIGHTS_FILE), &job.architecture, parameters, Numbers::Exact)?;
    write_parameters(&out.join(WEIGHTS_FILE), &job.architecture, parameters, Numbers::Float)?;
    save_report(out, report)
}

/// Prints a report: as JSON, or a line a segment.
pub fn print_report(report: &Report, json: bool) -> Result<()> {
    if json {
        print(&serde_json::to_string(report)?);
        return Ok(());
    }
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.4}"));
    print("segment  steps  loss    accuracy  test    train     prove     verify   proof");
    for segment in &report.segments {
        let proof = segment.proof.as_ref();
        print(&format!(
            "{:<8} {:<6} {:<7} {:<9} {:<7} {:<9} {:<9} {:<8} {}",
            segment.segment,
            segment.steps,
            number(segment.loss),
            number(segment.accuracy),
            number(segment.test_accuracy),
            format!("{:.2} s", segment.train_secs),
            proof.map_or("-".into(), |proof| format!("{:.2} s", proof.total_secs)),
            proof.map_or("-".into(), |proof| format!("{:.0} ms", proof.verify_ms)),
            proof.map_or("-".into(), |proof| format!("{} bytes", proof.bytes)),
        ));
    }
    if let Some(accuracy) = report.float_accuracy {
        print(&format!("test accuracy {} (floating point: {accuracy:.4})", number(report.test_accuracy)));
    }
    Ok(())
}
