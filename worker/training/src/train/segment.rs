//! The steps of one segment, with the trace that the prover takes or without it.

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::program::Claimed;
use gradproof_circuits::trace::{NO_LABEL, Parameters, SegmentTrace};

use super::{Network, StepTensors, TrainError, cross_entropy, expect_length};
use crate::kernels::Kernels;

/// What a segment trains, besides its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentPlan {
    /// Live steps and rows.
    pub live: Live,
    /// Learning rate over batch, in units of `2^-rate_bits`, at least 1.
    pub rate: u32,
    /// Steps of the job before this segment; for messages and reports only.
    pub first_step: u64,
}

/// What is told about a step of training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// The step, counted from the first of the job.
    pub step: u64,
    /// Live rows.
    pub rows: usize,
    /// Mean cross-entropy of the rows before the update, in nats.
    pub loss: f64,
    /// Rows whose largest logit is that of their label.
    pub correct: usize,
    /// Largest absolute pre-activation; the run ends above 32767.
    pub largest_pre_activation: u16,
    /// Largest absolute gradient; the run ends above 32767.
    pub largest_gradient: u16,
}

impl StepReport {
    fn new(step: u64, network: &Network, tensors: &StepTensors, labels: &[u16]) -> Self {
        let gradient_bits = network.architecture().precision().gradient_bits;
        let live = || labels.iter().enumerate().filter(|(_, label)| **label != NO_LABEL);
        let rows = live().count();
        let classified = || live().filter_map(|(row, &label)| Some((label, network.classified(tensors, row, label)?)));
        let loss: f64 = classified().map(|(_, (_, probability))| cross_entropy(probability, gradient_bits)).sum();
        let [largest_pre_activation, largest_gradient] = network.largest(tensors);
        Self {
            step,
            rows,
            loss: loss / rows.max(1) as f64,
            correct: classified().filter(|(label, (selected, _))| *selected == usize::from(*label)).count(),
            largest_pre_activation,
            largest_gradient,
        }
    }

    /// Share of the rows that are classified correctly.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.rows.max(1) as f64
    }
}

/// Trains one segment and records what the prover needs of it.
///
/// On success `parameters` holds the last parameters; on an error it is unchanged. `observe` is told every live step.
///
/// # Shapes
/// `input`: `T·padded batch × d_0`, `labels`: `T·padded batch`, both indexed by (step, row); rows that are not live have
/// input zero and label [`NO_LABEL`].
///
/// # Errors
/// If the plan or a tensor does not fit the architecture, a value leaves its range, or the device fails.
pub fn train_segment(
    architecture: &Architecture,
    plan: SegmentPlan,
    backend: &dyn Kernels,
    parameters: &mut Parameters,
    input: Vec<i16>,
    labels: Vec<u16>,
    observe: &mut dyn FnMut(&StepReport),
) -> Result<SegmentTrace, TrainError> {
    let first = parameters.clone();
    let mut recorder = Recorder::new(architecture);
    run(architecture, plan, backend, parameters, (&input, &labels), observe, &mut |step, tensors| {
        recorder.record(step, tensors, plan.live)
    })?;
    Ok(SegmentTrace {
        live: plan.live,
        rate: plan.rate,
        first,
        last: parameters.clone(),
        input,
        labels,
        forward: recorder.forward,
        backward: recorder.backward,
    })
}

/// Trains one segment without a trace: the same steps, checks and errors as [`train_segment`].
///
/// # Shapes
/// As those of [`train_segment`].
///
/// # Errors
/// As those of [`train_segment`].
pub fn train(
    architecture: &Architecture,
    plan: SegmentPlan,
    backend: &dyn Kernels,
    parameters: &mut Parameters,
    input: &[i16],
    labels: &[u16],
    observe: &mut dyn FnMut(&StepReport),
) -> Result<(), TrainError> {
    run(architecture, plan, backend, parameters, (input, labels), observe, &mut |_, _| Ok(()))
}

/// Runs the live steps, and the forward pass of one step after them if there is one; all such steps are alike.
fn run(
    architecture: &Architecture,
    plan: SegmentPlan,
    backend: &dyn Kernels,
    parameters: &mut Parameters,
    (input, labels): (&[i16], &[u16]),
    observe: &mut dyn FnMut(&StepReport),
    record: &mut dyn FnMut(usize, &StepTensors) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let mut network = Network::new(architecture, backend, parameters)?;
    check_data(architecture, plan, input, labels)?;
    let (width, batch) = (architecture.inputs(), architecture.padded_batch());
    for step in 0..architecture.steps().min(plan.live.steps + 1) {
        let live = architecture.live_rows(plan.live, step);
        // Padded rows are alike: one stands for all.
        let rows = live + usize::from(live < batch);
        let input = &input[step * batch * width..][..rows * width];
        let labels = &labels[step * batch..][..rows];
        let number = plan.first_step + step as u64;
        let tensors = network.step(number, input, labels, plan.rate)?;
        record(step, &tensors)?;
        if live > 0 {
            observe(&StepReport::new(number, &network, &tensors, labels));
        }
    }
    *parameters = network.parameters()?;
    Ok(())
}

fn check_data(architecture: &Architecture, plan: SegmentPlan, input: &[i16], labels: &[u16]) -> Result<(), TrainError> {
    architecture.validate_live(plan.live)?;
    if plan.rate == 0 {
        return Err(TrainError::Rate);
    }
    let (width, classes) = (architecture.inputs(), architecture.classes());
    expect_length("input", input.len(), architecture.samples() * width)?;
    expect_length("labels", labels.len(), architecture.samples())?;
    for (row, (input, &label)) in input.chunks_exact(width).zip(labels).enumerate() {
        let (step, place) = (row / architecture.padded_batch(), row % architecture.padded_batch());
        if place < architecture.live_rows(plan.live, step) {
            if usize::from(label) >= classes {
                return Err(TrainError::Label { row, label, classes });
            }
        } else if label != NO_LABEL || input.iter().any(|&x| x != 0) {
            return Err(TrainError::Padding { row });
        }
    }
    Ok(())
}

/// Collects the products of the steps in the layout of the trace.
struct Recorder<'a> {
    architecture: &'a Architecture,
    forward: Vec<Vec<i64>>,
    backward: Vec<Vec<i64>>,
}

impl<'a> Recorder<'a> {
    fn new(architecture: &'a Architecture) -> Self {
        Self { architecture, forward: vec![], backward: vec![] }
    }

    /// Appends a step. Its last row is repeated up to the padded batch, or to the end of the segment if nothing is live.
    fn record(&mut self, step: usize, tensors: &StepTensors, live: Live) -> Result<(), TrainError> {
        let past_the_end = step >= live.steps;
        let samples = self.architecture.samples();
        let end = if past_the_end { samples } else { (step + 1) * self.architecture.padded_batch() };
        let (mut forward, mut backward) = (0, 0);
        for sum in &self.architecture.program().sums {
            let (list, place) = match sum.claimed {
                Claimed::Rounded(_) => (&mut self.forward, &mut forward),
                Claimed::Operand => (&mut self.backward, &mut backward),
            };
            if list.len() <= *place {
                list.push(Vec::new());
            }
            append(&mut list[*place], tensors.sum(sum.tensor)?, sum.columns, end, samples);
            *place += 1;
        }
        Ok(())
    }
}

/// Appends `rows` to `tensor` and repeats the last of them until `tensor` has `end` rows.
fn append(tensor: &mut Vec<i64>, rows: &[i64], width: usize, end: usize, samples: usize) {
    tensor.reserve_exact((samples * width).saturating_sub(tensor.len()));
    tensor.extend_from_slice(rows);
    while tensor.len() < end * width {
        tensor.extend_from_within(tensor.len() - width..);
    }
}
