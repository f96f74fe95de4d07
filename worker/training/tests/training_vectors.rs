//! Training segments of an independent NumPy program (`tests/vectors/training.py`), compared bit for bit.

#![expect(clippy::expect_used, reason = "a test")]

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::arithmetic::exponential_table;
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::operators::{
    ACTIVATION, DERIVATIVE, EXPONENTIAL, GRADIENT, LOGIT, MAXIMUM, PRE_ACTIVATION, PROBABILITY, REMAINDER, SELECTOR,
    SUM,
};
use gradproof_circuits::program::Role;
use gradproof_circuits::trace::Parameters;
use gradproof_training::kernels::KERNELS;
use gradproof_training::parameters::initial_parameters;
use gradproof_training::train::{Network, SegmentPlan, StepTensors, train_segment};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "command")]
    _command: String,
    tables: Vec<Table>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    activation_bits: u32,
    exponential_bits: u32,
    head: Vec<u16>,
    weighted_sum: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    widths: Vec<usize>,
    batch: usize,
    steps: usize,
    live_steps: usize,
    last_rows: usize,
    rate: u32,
    activation_bits: u32,
    gradient_bits: u32,
    rate_bits: u32,
    exponential_bits: u32,
    seed: [u8; 32],
    input: Vec<i16>,
    labels: Vec<u16>,
    first_weights: Vec<Vec<i64>>,
    #[serde(rename = "U")]
    products: Vec<Vec<i64>>,
    #[serde(rename = "H")]
    pre_activations: Vec<Vec<i16>>,
    #[serde(rename = "A")]
    activations: Vec<Vec<i16>>,
    #[serde(rename = "V")]
    back_products: Vec<Vec<i64>>,
    #[serde(rename = "m")]
    derivatives: Vec<Vec<u8>>,
    #[serde(rename = "G")]
    gradients: Vec<Vec<i16>>,
    softmax: Softmax,
    last_weights: Vec<Vec<i64>>,
    last_biases: Vec<Vec<i64>>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Softmax {
    selected: Vec<usize>,
    maximum: Vec<i16>,
    exponentials: Vec<u16>,
    sums: Vec<u32>,
    probabilities: Vec<u16>,
    remainders: Vec<u32>,
}

impl Case {
    fn architecture(&self) -> Architecture {
        let precision = Precision {
            activation_bits: self.activation_bits,
            gradient_bits: self.gradient_bits,
            rate_bits: self.rate_bits,
            exponential_bits: self.exponential_bits,
        };
        Architecture::perceptron(&self.widths, self.batch, self.steps, precision).expect("it is possible")
    }

    fn first(&self) -> Parameters {
        let biases = self.widths[1..].iter().map(|&d| vec![0; d]).collect();
        Parameters { weights: self.first_weights.clone(), biases }
    }

    fn last(&self) -> Parameters {
        Parameters { weights: self.last_weights.clone(), biases: self.last_biases.clone() }
    }
}

fn vectors() -> Vectors {
    let text = include_str!("../../../tests/vectors/training.json");
    serde_json::from_str(text).expect("vectors of the documented form")
}

#[test]
fn exponential_tables_agree() {
    for table in vectors().tables {
        let precision = Precision {
            activation_bits: table.activation_bits,
            gradient_bits: 12,
            rate_bits: 8,
            exponential_bits: table.exponential_bits,
        };
        let ours = exponential_table(&precision);
        assert_eq!(ours[..table.head.len()], table.head);
        let sum: u64 = (1..).zip(&ours).map(|(key, &e)| key * u64::from(e)).sum();
        assert_eq!(sum, table.weighted_sum, "fa {}, fe {}", table.activation_bits, table.exponential_bits);
    }
}

#[test]
fn first_weights_agree() {
    for case in vectors().cases {
        let ours = initial_parameters(&case.architecture(), case.seed);
        assert_eq!(ours, case.first(), "{}", case.name);
    }
}

#[test]
fn segment_traces_agree() {
    for (case, kernels) in vectors().cases.iter().flat_map(|case| KERNELS.map(|(_, kernels)| (case, kernels))) {
        let live = Live { steps: case.live_steps, last_rows: case.last_rows };
        let plan = SegmentPlan { live, rate: case.rate, first_step: 0 };
        let (architecture, mut parameters) = (case.architecture(), case.first());
        let (input, labels) = (case.input.clone(), case.labels.clone());
        let trace = train_segment(&architecture, plan, kernels, &mut parameters, input, labels, &mut |_| ())
            .unwrap_or_else(|error| panic!("{} on {}: {error}", case.name, kernels.name()));
        assert!(trace.fits(&architecture));
        assert_eq!(trace.forward, case.products, "{}: U", case.name);
        assert_eq!(trace.backward, case.back_products, "{}: V", case.name);
        assert_eq!((trace.first, trace.last), (case.first(), case.last()), "{}: parameters", case.name);
        assert_eq!(parameters, case.last());
    }
}

#[test]
fn tensors_of_every_step_agree() {
    for (case, kernels) in vectors().cases.iter().flat_map(|case| KERNELS.map(|(_, kernels)| (case, kernels))) {
        let architecture = case.architecture();
        let (batch, width) = (architecture.padded_batch(), case.widths[0]);
        let mut network = Network::new(&architecture, kernels, &case.first()).expect("fits");
        let mut all = StepTensors::default();
        for (step, (input, labels)) in case.input.chunks(batch * width).zip(case.labels.chunks(batch)).enumerate() {
            let tensors = network.step(step as u64, input, labels, case.rate).expect("in range");
            tensors.sums.into_iter().for_each(|(tensor, values)| all.sums.entry(tensor).or_default().extend(values));
            tensors
                .values
                .into_iter()
                .for_each(|(tensor, values)| all.values.entry(tensor).or_default().extend(values));
        }
        // Nodes of the activations, and of the loss.
        let layers = case.widths.len() - 1;
        let node = |layer: usize| 2 * layer - 1;
        let of = |role: Role, layers: std::ops::RangeInclusive<usize>| -> Vec<Vec<i16>> {
            let narrow = |values: &Vec<i32>| values.iter().map(|&value| value as i16).collect();
            layers.map(|layer| narrow(&all.values[&role.at(node(layer))])).collect()
        };
        let sums: Vec<&Vec<i64>> =
            network.architecture().program().sums.iter().map(|sum| &all.sums[&sum.tensor]).collect();
        let (products, back_products) = sums.split_at(layers);
        assert!(products.iter().copied().eq(&case.products), "{}: U", case.name);
        assert!(back_products.iter().copied().eq(&case.back_products), "{}: V", case.name);
        let pre_activations = [of(PRE_ACTIVATION, 1..=layers - 1), of(LOGIT, layers..=layers)].concat();
        assert_eq!(pre_activations, case.pre_activations, "{}: H", case.name);
        assert_eq!(of(ACTIVATION, 1..=layers - 1), case.activations, "{}: A", case.name);
        assert_eq!(of(GRADIENT, 1..=layers), case.gradients, "{}: G", case.name);
        let derivatives: Vec<Vec<u8>> =
            of(DERIVATIVE, 1..=layers - 1).iter().map(|m| m.iter().map(|&m| m as u8).collect()).collect();
        assert_eq!(derivatives, case.derivatives, "{}: m", case.name);
        let loss = |role: Role| all.values[&role.at(node(layers))].iter();
        let softmax = Softmax {
            selected: all.values[&SELECTOR.at(node(layers))]
                .chunks(case.widths[layers])
                .filter_map(|row| row.iter().position(|&s| s == 1))
                .collect(),
            maximum: loss(MAXIMUM).map(|&m| m as i16).collect(),
            exponentials: loss(EXPONENTIAL).map(|&e| e as u16).collect(),
            sums: loss(SUM).map(|&s| s as u32).collect(),
            probabilities: loss(PROBABILITY).map(|&p| p as u16).collect(),
            remainders: loss(REMAINDER).map(|&r| r as u32).collect(),
        };
        assert_eq!(softmax, case.softmax, "{}: softmax", case.name);
        assert_eq!(network.parameters().expect("read"), case.last(), "{}: parameters", case.name);
    }
}
