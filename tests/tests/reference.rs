//! The plain prover and the fast one give the same answers to the whole argument, message for message, and open it alike.

use ark_bn254::Fr;
use gradproof_circuits::argument;
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::Strict;
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::program::Publics;
use gradproof_circuits::relations::{Relations, Subject};
use gradproof_prover::argument::party::{self, Secrets};
use gradproof_prover::columns::columns;
use gradproof_prover::reference;
use gradproof_prover::witness::Witness;
use gradproof_tests::forge::fixture;
use gradproof_tests::networks::perceptron;
use gradproof_tests::reference::{Honest, Task, numbers};
use proptest::prelude::*;

/// The honest witness for a proof about `subject`, with its multiplicities.
fn witness(trained: &Witness, subject: Subject, relations: &Relations) -> Witness {
    let mut witness = match subject {
        Subject::Segment => trained.clone(),
        Subject::Data => fixture().data_of(trained),
        Subject::Parameters => fixture().parameters_of(trained),
    };
    witness.count_lookups(&relations.tree).expect("the witness is honest");
    witness
}

/// Runs the argument with both provers.
fn compare(subject: Subject, task: &Task, trained: &Witness, column_vars: usize, seed: u64) {
    let relations = Relations::new(subject, &task.architecture, column_vars);
    let witness = witness(trained, subject, &relations);
    let columns = columns(&relations.layout, &witness).expect("the witness has all tensors");
    let random: Vec<Fr> = numbers(seed, 1 << 31, 3 + (1 << column_vars))
        .iter()
        .map(|n| Fr::from(*n) * Fr::from(*n) - Fr::from(7))
        .collect();
    let (live, mask) = (task.live, &random[3..]);
    let publics = Publics {
        digest: [random[0], random[1]],
        rate: Fr::from(task.rate),
        position: Fr::from(0),
        live_steps: Fr::from(live.steps as u64),
        live_rows: Fr::from(live.last_rows as u64),
    };
    let secrets = || Secrets { salt: random[2], mask };
    let native = &mut Native { judge: Strict };

    let mut fast = party::Prover::new(&relations, &witness, &columns, live, task.rate, secrets());
    let reduced = argument::verify(native, &mut fast, &relations, &publics).expect("the fast prover is accepted");
    let mut plain = reference::Prover::new(&relations, &witness, &publics, secrets());
    let expected = argument::verify(native, &mut plain, &relations, &publics).expect("the plain prover is accepted");
    let different = fast.messages.iter().zip(&plain.messages).position(|(fast, plain)| fast != plain);
    assert_eq!(different, None, "{subject:?}: the first message that differs");
    assert_eq!(fast.messages.len(), plain.messages.len(), "{subject:?}");
    assert_eq!(reduced, expected, "{subject:?}");
}

/// All three subjects of a shape.
fn compare_all(task: &Task, column_vars: usize, seed: u64) {
    let trained = task.train(&Honest);
    for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
        compare(subject, task, &trained, column_vars, seed);
    }
}

const PRECISION: Precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 4, exponential_bits: 5 };

#[test]
fn every_message_of_a_grid_of_shapes() {
    // Widths, batch, steps, live steps, rows of the last, log2 of a column: one layer and many, no padding and of every kind,
    // tensors of one entry, columns longer and shorter than every tensor.
    type Shape = (&'static [usize], usize, usize, usize, usize, usize);
    let shapes: [Shape; 3] =
        [(&[1, 1], 1, 1, 1, 1, 17), (&[6, 5, 4, 3], 3, 4, 3, 2, 12), (&[17, 1, 9, 3], 1, 2, 1, 1, 9)];
    for (widths, batch, steps, live_steps, last_rows, column_vars) in shapes {
        let architecture = perceptron(widths, batch, steps, PRECISION);
        let task = Task::new(&architecture, Live { steps: live_steps, last_rows }, 2, 5);
        compare_all(&task, column_vars, 9);
    }
}

/// Every number that a task may hold is zero, or as large as it may be.
#[test]
fn every_message_of_extreme_tasks() {
    let architecture = perceptron(&[3, 2, 3], 3, 2, PRECISION);
    let task = Task::new(&architecture, Live { steps: 2, last_rows: 1 }, 1, 5);
    let constant = |weight: i64, input: i64, rate: u32| {
        let set = |values: &[i64], to: i64| values.iter().map(|v| if *v == 0 { 0 } else { to }).collect::<Vec<_>>();
        let mut other = Task { rate, input: set(&task.input, input), ..task.clone() };
        other.weights.iter_mut().for_each(|values| *values = set(values, weight));
        other.biases.iter_mut().for_each(|values| *values = set(values, weight));
        other
    };
    for task in [constant(0, 32767, 0), constant(-(1 << 21), -255, 3)] {
        compare_all(&task, 11, 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2) })]

    #[test]
    fn every_message_of_any_shape(
        widths in proptest::collection::vec(1usize..10, 2..6),
        batch in 1usize..6,
        step_vars in 0u32..4,
        live in 0.0..1.0,
        column_vars in 8usize..18,
        seed in any::<u32>(),
    ) {
        let architecture = perceptron(&widths, batch, 1 << step_vars, PRECISION);
        let part = |most: usize| 1 + (live * most as f64) as usize % most;
        let live = Live { steps: part(architecture.steps()), last_rows: part(batch) };
        compare_all(&Task::new(&architecture, live, seed % 4, seed.into()), column_vars, seed.into());
    }
}
