//! Segments of small networks: shape of the trace, determinism, learning, and every way a run is refused.

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::trace::{NO_LABEL, Parameters};
use proptest::prelude::*;

use super::*;
use crate::float::FloatNetwork;
use crate::kernels::{Cpu, Reference};
use crate::parameters::{initial_parameters, seed_of};

fn architecture(widths: &[usize], batch: usize, steps: usize) -> Architecture {
    let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
    Architecture::perceptron(widths, batch, steps, precision).expect("it is possible")
}

/// Rows of noise around one point a class, laid out by (step, row).
fn data(architecture: &Architecture, live: Live, seed: u64) -> (Vec<i16>, Vec<u16>) {
    let (width, classes) = (architecture.inputs(), architecture.classes());
    let mut input = vec![0; architecture.samples() * width];
    let mut labels = vec![NO_LABEL; architecture.samples()];
    let mut state = seed | 1;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as usize
    };
    for step in 0..architecture.steps() {
        for row in 0..architecture.live_rows(live, step) {
            let at = step * architecture.padded_batch() + row;
            let class = random() % classes;
            labels[at] = class as u16;
            for (i, x) in input[at * width..][..width].iter_mut().enumerate() {
                *x = (random() % 64) as i16 + if i % classes == class { 190 } else { 0 };
            }
        }
    }
    (input, labels)
}

fn plan(live: Live, rate: u32) -> SegmentPlan {
    SegmentPlan { live, rate, first_step: 100 }
}

fn first(architecture: &Architecture) -> Parameters {
    initial_parameters(architecture, seed_of(3))
}

#[test]
fn a_segment_of_padded_rows_and_steps_has_the_documented_trace() {
    let architecture = architecture(&[6, 5, 7, 3], 3, 4);
    let live = Live { steps: 2, last_rows: 1 };
    let (input, labels) = data(&architecture, live, 5);
    let mut parameters = first(&architecture);
    let mut reports = Vec::new();
    let trace =
        train_segment(&architecture, plan(live, 2), &Cpu, &mut parameters, input, labels, &mut |r| reports.push(*r))
            .expect("trains");
    assert!(trace.fits(&architecture));
    assert_eq!((trace.first.clone(), trace.last.clone()), (first(&architecture), parameters.clone()));
    assert_ne!(trace.first, trace.last);
    assert_eq!(reports.iter().map(|r| (r.step, r.rows)).collect::<Vec<_>>(), [(100, 3), (101, 1)]);

    let shift = architecture.precision().activation_bits;
    let bias = |p: &Parameters| p.biases[0].iter().map(|b| b << shift).collect::<Vec<_>>();
    let row = |n: usize| &trace.forward[0][n * 5..][..5];
    assert_eq!(row(3), bias(&trace.first), "the padded row of the first step");
    for n in 8..16 {
        assert_eq!(row(n), bias(&trace.last), "row {n}, after the last live step");
    }
    for tensor in &trace.backward {
        let width = tensor.len() / 16;
        for n in (0..16).filter(|n| ![0, 1, 2, 4].contains(n)) {
            assert!(tensor[n * width..][..width].iter().all(|&v| v == 0), "row {n} has no gradient");
        }
    }

    // The whole segment again, every padded row computed for itself.
    let mut network = Network::new(&architecture, &Reference, &trace.first).expect("fits");
    for step in 0..4 {
        let labels = &trace.labels[step * 4..][..4];
        let tensors = network.step(0, &trace.input[step * 24..][..24], labels, 2).expect("trains");
        for (l, width) in [5, 7, 3].into_iter().enumerate() {
            let sum = network.architecture().program().sums[l].tensor;
            assert_eq!(tensors.sums[&sum], trace.forward[l][step * 4 * width..][..4 * width]);
        }
        for (l, width) in [5, 7].into_iter().enumerate() {
            let sum = network.architecture().program().sums[3 + l].tensor;
            assert_eq!(tensors.sums[&sum], trace.backward[l][step * 4 * width..][..4 * width]);
        }
    }
    assert_eq!(network.parameters().expect("read"), trace.last);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn both_backends_and_both_paths_train_the_same(
        widths in proptest::collection::vec(1usize..12, 2..7),
        batch in 1usize..6,
        log_steps in 0u32..3,
        (live_steps, last_rows, rate, seed) in (1usize..5, 1usize..6, 1u32..4, any::<u64>()),
    ) {
        let architecture = architecture(&widths, batch, 1 << log_steps);
        let live = Live { steps: live_steps.min(architecture.steps()), last_rows: last_rows.min(batch) };
        let (input, labels) = data(&architecture, live, seed);
        let run = |backend| {
            let mut parameters = first(&architecture);
            let (input, labels) = (input.clone(), labels.clone());
            train_segment(&architecture, plan(live, rate), backend, &mut parameters, input, labels, &mut |_| ())
        };
        let trace = run(&Cpu);
        prop_assert_eq!(&trace, &run(&Reference));
        let mut light = first(&architecture);
        let outcome = train(&architecture, plan(live, rate), &Cpu, &mut light, &input, &labels, &mut |_| ());
        match trace {
            Ok(trace) => {
                prop_assert!(trace.fits(&architecture));
                prop_assert_eq!(light, trace.last);
            }
            Err(error) => {
                prop_assert_eq!(outcome, Err(error));
                prop_assert_eq!(light, first(&architecture), "an error leaves the parameters alone");
            }
        }
    }
}

#[test]
fn training_learns_and_stays_close_to_floating_point() {
    let architecture = architecture(&[12, 16, 4], 16, 64);
    let live = Live { steps: 64, last_rows: 16 };
    let (input, labels) = data(&architecture, live, 9);
    let mut parameters = first(&architecture);
    let mut float = FloatNetwork::new(&architecture, &parameters).expect("fits");
    let mut losses = Vec::new();
    let mut observe = |r: &StepReport| losses.push(r.loss);
    train(&architecture, plan(live, 1), &Cpu, &mut parameters, &input, &labels, &mut observe).expect("trains");
    let mut float_losses = Vec::new();
    for (input, labels) in input.chunks(16 * 12).zip(labels.chunks(16)) {
        float_losses.push(float.step(input, labels, 1).expect("fits").loss);
    }
    for (step, (a, b)) in losses.iter().zip(&float_losses).enumerate() {
        assert!((a - b).abs() < 0.02, "loss at step {step}: {a} in integers, {b} in floating point");
    }
    assert!(losses[63] < 0.3 * losses[0], "{} to {}", losses[0], losses[63]);
    let evaluation = evaluate(&architecture, &Cpu, &parameters, &input, &labels).expect("in range");
    assert!(evaluation.accuracy() > 0.95 && evaluation.rows == 1024, "{evaluation:?}");
    let float = float.evaluate(&input, &labels).expect("fits");
    assert!((float.loss - evaluation.loss).abs() < 0.02, "{} and {}", float.loss, evaluation.loss);
}

#[test]
fn a_value_out_of_range_ends_the_run_with_step_layer_and_value() {
    let architecture = architecture(&[2, 2], 1, 4);
    let live = Live { steps: 4, last_rows: 1 };
    let (input, labels) = (vec![256; 8], vec![0; 4]);
    let run = |weight: i64, bias: i64, rate: u32| {
        let mut parameters = Parameters { weights: vec![vec![weight; 4]], biases: vec![vec![bias; 2]] };
        let result = train(&architecture, plan(live, rate), &Cpu, &mut parameters, &input, &labels, &mut |_| ());
        result.expect_err("refused")
    };
    let pass = Pass::Step(100);
    let error = run(100 << 28, 0, 1);
    let out_of_range =
        TrainError::OutOfRange { pass, layer: 1, tensor: "pre-activation", value: 51200, bits: "activation_bits" };
    assert_eq!(error, out_of_range);
    assert!(
        error.to_string().starts_with("training diverged at step 100, layer 1: a pre-activation is 51200, outside")
    );
    // A large rate diverges only after the first update.
    assert!(matches!(run(0, 0, 1 << 16), TrainError::OutOfRange { pass: Pass::Step(101), value: 32768.., .. }));
    assert!(matches!(run(1 << 50, 0, 1), TrainError::Magnitude { pass: Pass::Step(100), layer: 1, .. }));
    assert!(matches!(run(0, i64::MIN, 1), TrainError::Magnitude { magnitude: 0x8000_0000_0000_0000, .. }));
}

#[test]
fn the_range_of_16_bits_is_exact() {
    // The rounded value is 32767 below, 32768 at and above the half.
    let architecture = architecture(&[1, 1], 1, 1);
    let evaluate = |weight: i64, bias: i64| {
        let parameters = Parameters { weights: vec![vec![weight]], biases: vec![vec![bias]] };
        evaluate(&architecture, &Reference, &parameters, &[1], &[0])
    };
    let half = (32767 << 20) + (1 << 19);
    assert!(evaluate(255, half - 1).is_ok());
    assert!(matches!(evaluate(256, half - 1), Err(TrainError::OutOfRange { value: 32768, .. })));
    let half = -(32768 << 20) - (1 << 19);
    assert!(evaluate(0, half).is_ok());
    assert!(matches!(evaluate(-1, half), Err(TrainError::OutOfRange { value: -32769, .. })));
}

#[test]
fn data_that_does_not_fit_the_plan_is_refused() {
    let architecture = architecture(&[2, 3], 3, 2);
    let live = Live { steps: 1, last_rows: 2 };
    let (input, labels) = data(&architecture, live, 1);
    let run = |plan: SegmentPlan, input: &[i16], labels: &[u16]| {
        train(&architecture, plan, &Cpu, &mut first(&architecture), input, labels, &mut |_| ())
    };
    assert_eq!(run(plan(live, 1), &input, &labels), Ok(()));
    assert_eq!(run(plan(live, 0), &input, &labels), Err(TrainError::Rate));
    assert!(matches!(run(plan(live, 1), &input[1..], &labels), Err(TrainError::Length { tensor: "input", .. })));
    assert!(matches!(run(plan(live, 1), &input, &labels[1..]), Err(TrainError::Length { tensor: "labels", .. })));
    let wide = Live { steps: 3, last_rows: 1 };
    assert!(matches!(run(plan(wide, 1), &input, &labels), Err(TrainError::Architecture(_))));
    let with = |at: usize, label: u16| {
        let mut labels = labels.clone();
        labels[at] = label;
        run(plan(live, 1), &input, &labels)
    };
    assert_eq!(with(1, 3), Err(TrainError::Label { row: 1, label: 3, classes: 3 }));
    assert_eq!(with(1, NO_LABEL), Err(TrainError::Label { row: 1, label: NO_LABEL, classes: 3 }));
    assert_eq!(with(2, 0), Err(TrainError::Padding { row: 2 }));
    let mut padded = input.clone();
    padded[4 * 2 + 1] = 1;
    assert_eq!(run(plan(live, 1), &padded, &labels), Err(TrainError::Padding { row: 4 }));
    let mut missing = first(&architecture);
    missing.biases.pop();
    let result = train(&architecture, plan(live, 1), &Cpu, &mut missing, &input, &labels, &mut |_| ());
    assert!(matches!(result, Err(TrainError::Length { .. })));
}
