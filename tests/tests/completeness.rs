//! Completeness: honest proofs over a grid of shapes are made and accepted, registrations included.

use ark_bn254::G1Affine;
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::field::check::Strict;
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::program::{End, Tensor};
use gradproof_circuits::relations::{Group, Subject};
use gradproof_circuits::trace::NO_LABEL;
use gradproof_prover::prove::{Inputs, prove};
use gradproof_prover::randomness::fresh;
use gradproof_prover::registration::{
    Blinding, commit_data, commit_parameters, data_paths, data_tree, register_data, register_parameters,
};
use gradproof_prover::witness::Witness;
use gradproof_tests::networks::perceptron;
use gradproof_tests::reference::{Honest, Task};
use gradproof_tests::tensors::weight;
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::powers::Setup;
use gradproof_verifier::protocol::statement::{Domain, Statement};
use gradproof_verifier::verify::verify;

/// Longest columns of the grid, in variables.
const COLUMN_VARS: usize = 17;

/// Registers data and first parameters of a shape, proves its segment, and verifies all three.
fn proved_and_verified(setup: &Setup, architecture: &Architecture, live: Live, column_vars: usize) {
    architecture.validate_live(live).unwrap();
    let key = VerifyingKey::insecure(architecture, column_vars).unwrap();
    let task = Task::new(architecture, live, 1, 3);
    let mut witness = task.train(&Honest);
    let seed = [5; 32];

    let part = |tensors: &[Tensor]| Witness {
        tensors: tensors.iter().map(|tensor| (*tensor, witness.tensors[tensor].clone())).collect(),
    };
    let data_witness = part(&[Tensor::input(), Tensor::labels()]);
    let data = commit_data(&key, setup, &data_witness, &seed, 0).unwrap();
    let tree = data_tree(std::slice::from_ref(&data.points));
    let said = Statement { data_root: tree.root(), epoch_segments: 1, ..Statement::blank(&key, Subject::Data, live) };
    let registered = register_data(&key, setup, data_witness, data.clone(), &tree, said.clone()).unwrap();
    verify(&key, &registered.statement, &[], &registered.proof, Strict).unwrap();

    let parameters = task.parameters();
    let first_witness = Witness::of_parameters(key.architecture(), &parameters).expect("they fit");
    let weight = weight(End::First, 1);
    assert_eq!(first_witness.tensors[&weight], witness.tensors[&weight], "both pad alike");
    let first = commit_parameters(&key, setup, &first_witness, Blinding::Seed(&seed)).unwrap();
    let registered = register_parameters(&key, setup, &parameters, first.clone(), Domain::default()).unwrap();
    verify(&key, &registered.statement, &first.points, &registered.proof, Strict).unwrap();

    let relations = key.relations(Subject::Segment);
    witness.count_lookups(&relations.tree).unwrap();
    let last_blindings = fresh(relations.layout.group(Group::Last).len()).unwrap();
    let paths = data_paths(&tree, data.points.len(), 0);
    let said = Statement { subject: Subject::Segment, rate: 1, ..said };
    let first_points: Vec<G1Affine> = first.points.clone();
    let job = Inputs { key: &key, setup, statement: said, data, paths, first, last_blindings };
    let segment = prove(job, &witness, Strict).unwrap();
    verify(&key, &segment.statement, &first_points, &segment.proof, Strict).unwrap();
}

#[test]
fn a_grid_of_shapes() {
    const PRECISIONS: [[u32; 4]; 4] = [[8, 12, 8, 5], [8, 12, 8, 8], [6, 9, 3, 4], [10, 13, 12, 5]];
    // Widths, batch, steps, live steps, rows of the last, precision, log2 of a column.
    type Shape = (&'static [usize], usize, usize, usize, usize, usize, usize);
    let shapes: [Shape; 18] = [
        (&[1, 1], 1, 1, 1, 1, 0, 10),
        (&[10, 10], 3, 1, 1, 2, 1, 12),
        (&[100, 10], 8, 4, 3, 8, 0, 14),
        (&[784, 10], 64, 1, 1, 64, 0, 16),
        (&[10, 1, 10], 1, 4, 4, 1, 2, 11),
        (&[1, 128, 1], 8, 1, 1, 7, 3, 12),
        (&[128, 100, 10], 3, 2, 2, 1, 0, 13),
        (&[100, 128, 128], 8, 2, 1, 5, 2, 14),
        (&[784, 10, 100], 1, 2, 1, 1, 0, 17),
        (&[1, 10, 128, 10], 64, 2, 2, 33, 2, 14),
        (&[10, 100, 1, 10], 3, 8, 7, 3, 3, 12),
        (&[128, 1, 100, 1], 8, 4, 4, 8, 1, 13),
        (&[784, 128, 10, 10], 3, 1, 1, 3, 0, 15),
        (&[10, 10, 10, 10, 10], 3, 4, 3, 2, 1, 11),
        (&[1, 1, 1, 1, 1], 1, 2, 2, 1, 3, 17),
        (&[100, 10, 128, 1, 10], 8, 1, 1, 8, 0, 12),
        (&[7, 10, 6, 5, 4], 4, 2, 2, 3, 2, 10),
        (&[4, 4, 3], 4, 4, 4, 4, 1, 10),
    ];
    let setup = Setup::insecure(COLUMN_VARS as u32).unwrap();
    for (widths, batch, steps, live_steps, last_rows, precision, column_vars) in shapes {
        let [activation_bits, gradient_bits, rate_bits, exponential_bits] = PRECISIONS[precision];
        let precision = Precision { activation_bits, gradient_bits, rate_bits, exponential_bits };
        let architecture = perceptron(widths, batch, steps, precision);
        let live = Live { steps: live_steps, last_rows };
        println!(
            "{widths:?}, batch {batch}, steps {live_steps} of {steps}, {last_rows} rows, columns of 2^{column_vars}"
        );
        proved_and_verified(&setup, &architecture, live, column_vars);
    }
}

/// More classes than inputs: the labels have more variables than the tree of look-ups.
#[test]
fn data_with_more_classes_than_inputs() {
    let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 5 };
    let architecture = perceptron(&[1, 100], 1024, 2, precision);
    let key = VerifyingKey::insecure(&architecture, 14).unwrap();
    let relations = key.relations(Subject::Data);
    assert!(relations.pointwise.iter().any(|relation| relation.vars > relations.tree.vars));
    let setup = Setup::insecure(14).unwrap();
    let live = Live { steps: 2, last_rows: 1000 };
    let labels: Vec<u16> = (0..2048).map(|n| if n < 2024 { n % 100 } else { NO_LABEL }).collect();
    let inputs: Vec<i16> = labels.iter().map(|label| if *label == NO_LABEL { 0 } else { 7 }).collect();
    for (label, accepted) in [(3, true), (NO_LABEL, false)] {
        let labels = [&[label], &labels[1..]].concat();
        let witness = Witness::of_data(&architecture, &inputs, &labels);
        let data = commit_data(&key, &setup, &witness, &[5; 32], 0).unwrap();
        let tree = data_tree(std::slice::from_ref(&data.points));
        let said =
            Statement { data_root: tree.root(), epoch_segments: 1, ..Statement::blank(&key, Subject::Data, live) };
        let proved = register_data(&key, &setup, witness, data, &tree, said);
        assert_eq!(proved.is_ok(), accepted, "label {label}");
        if let Ok(proved) = proved {
            verify(&key, &proved.statement, &[], &proved.proof, Strict).unwrap();
        }
    }
}
