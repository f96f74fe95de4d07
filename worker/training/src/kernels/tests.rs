//! All kernels compute what the reference computes, and refuse what it refuses.

use proptest::prelude::*;

use super::*;

type Parameters = (Vec<i64>, Vec<i64>);

#[derive(Clone, Debug)]
struct Case {
    shape: DenseShape,
    weights: Vec<i64>,
    biases: Vec<i64>,
    input: Vec<i16>,
    gradient: Vec<i16>,
    rate: u32,
}

fn operand(length: usize) -> impl Strategy<Value = Vec<i16>> {
    let value = prop_oneof![3 => Just(0i16), 3 => -4000i16..4000, 1 => Just(i16::MIN), 1 => any::<i16>()];
    proptest::collection::vec(value, length)
}

fn cases() -> impl Strategy<Value = Case> {
    let sizes = (1usize..70, 1usize..70, 0usize..12, 0u32..3, prop_oneof![Just(20u32), Just(31), Just(40)]);
    sizes.prop_flat_map(|(inputs, outputs, rows, rate, bits)| {
        let range = -(1i64 << bits)..(1 << bits);
        let weights = proptest::collection::vec(range.clone(), inputs * outputs);
        let biases = proptest::collection::vec(range, outputs);
        (weights, biases, operand(rows * inputs), operand(rows * outputs)).prop_map(
            move |(weights, biases, input, gradient)| Case {
                shape: DenseShape { inputs, outputs, activation_bits: 8 },
                weights,
                biases,
                input,
                gradient,
                rate: [1, 3, u32::MAX][rate as usize],
            },
        )
    })
}

/// Forward, backward, update, and the parameters and magnitude at the end; which of several overflows is told is free.
fn run(kernels: &dyn Kernels, case: &Case) -> Result<(Vec<i64>, Vec<i64>, Parameters, u64), KernelError> {
    attempt(kernels, case).map_err(|error| match error {
        KernelError::Overflow { parameter, .. } => KernelError::Overflow { parameter, index: 0 },
        other => other,
    })
}

fn attempt(kernels: &dyn Kernels, case: &Case) -> Result<(Vec<i64>, Vec<i64>, Parameters, u64), KernelError> {
    let rows = case.input.len() / case.shape.inputs;
    let mut layer = kernels.dense(case.shape, &case.weights, &case.biases)?;
    let mut forward = vec![1; rows * case.shape.outputs];
    layer.forward(&case.input, &mut forward)?;
    let mut backward = vec![1; rows * case.shape.inputs];
    layer.backward(&case.gradient, &mut backward)?;
    layer.update(&case.input, &case.gradient, case.rate)?;
    let (mut weights, mut biases) = (case.weights.clone(), case.biases.clone());
    layer.read(&mut weights, &mut biases)?;
    Ok((forward, backward, (weights, biases), layer.magnitude()))
}

proptest! {
    #[test]
    fn all_compute_what_the_reference_computes(case in cases()) {
        for (name, kernels) in KERNELS {
            prop_assert_eq!(run(kernels, &case), run(&Reference, &case), "{}", name);
        }
    }
}

/// Large enough for the parallel paths, with rows that do not divide evenly.
#[test]
fn all_compute_what_the_reference_computes_in_parallel() {
    let (inputs, outputs, rows) = (203, 131, 37);
    let spread = |n: usize, m: u64| (0..n as u64).map(move |x| (x.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 17) ^ (m * x));
    for bits in [29, 42] {
        let weight = |x: u64| (x & ((1 << bits) - 1)) as i64 - (1 << (bits - 1));
        let case = Case {
            shape: DenseShape { inputs, outputs, activation_bits: 8 },
            weights: spread(inputs * outputs, 3).map(weight).collect(),
            biases: spread(outputs, 5).map(weight).collect(),
            input: spread(rows * inputs, 7).map(|x| if x % 3 == 0 { 0 } else { x as i16 }).collect(),
            gradient: spread(rows * outputs, 11).map(|x| if x % 2 == 0 { 0 } else { x as i16 }).collect(),
            rate: 3,
        };
        for (name, kernels) in KERNELS {
            assert_eq!(run(kernels, &case), run(&Reference, &case), "{name}");
        }
    }
}

#[test]
fn an_update_that_overflows_is_an_error_that_names_the_parameter() {
    let shape = DenseShape { inputs: 2, outputs: 40, activation_bits: 8 };
    for (_, kernels) in KERNELS {
        let mut weights = vec![0; 80];
        weights[40 + 35] = i64::MAX - 5;
        let mut gradient = vec![0; 40];
        gradient[35] = -1;
        let mut layer = kernels.dense(shape, &weights, &[0; 40]).expect("shapes fit");
        layer.update(&[0, 5], &gradient, 1).expect("reaches the largest value");
        let error = layer.update(&[0, 1], &gradient, 1).expect_err("one more overflows");
        assert_eq!(error, KernelError::Overflow { parameter: "weight", index: 75 });

        let mut layer = kernels.dense(shape, &vec![0; 80], &[i64::MIN + 255; 40]).expect("shapes fit");
        let error = layer.update(&[0, 0], &[1; 40], 1).expect_err("the bias overflows");
        assert_eq!(error, KernelError::Overflow { parameter: "bias", index: 0 });
    }
}

#[test]
fn wrong_lengths_are_errors() {
    let shape = DenseShape { inputs: 3, outputs: 2, activation_bits: 8 };
    for (_, kernels) in KERNELS {
        let empty = DenseShape { outputs: 0, ..shape };
        assert_eq!(kernels.dense(empty, &[], &[]).err(), Some(KernelError::Shape(empty)));
        assert!(kernels.dense(shape, &[0; 5], &[0; 2]).is_err());
        assert!(kernels.dense(shape, &[0; 6], &[0; 3]).is_err());
        let mut layer = kernels.dense(shape, &[0; 6], &[0; 2]).expect("shapes fit");
        assert!(layer.forward(&[0; 4], &mut [0; 2]).is_err());
        assert!(layer.forward(&[0; 6], &mut [0; 3]).is_err());
        assert!(layer.backward(&[0; 4], &mut [0; 3]).is_err());
        assert!(layer.update(&[0; 3], &[0; 4], 1).is_err());
        assert!(layer.read(&mut [0; 6], &mut [0; 1]).is_err());
    }
}
