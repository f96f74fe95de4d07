//! Training that is dishonest but consistent: everything that follows from the cheat is computed as it demands, so that
//! exactly one check can tell.

use gradproof_circuits::field::check::Check;
use gradproof_circuits::network::arithmetic::{SoftmaxRow, relu, round_shift, softmax_row};
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::operators::{BIAS, WEIGHT};
use gradproof_circuits::program::{End, Tensor};
use gradproof_circuits::relations::Subject;
use gradproof_prover::witness::Values;
use gradproof_tests::cheats::{Rate, Softmax, WrongRounding, cheated, counted};
use gradproof_tests::forge::{Forged, Witnesses, alter, count, fixture, forge, prove, registered};
use gradproof_tests::networks::widths;
use gradproof_tests::reference::{At, Cheat, Honest, Task};
use gradproof_tests::tensors::{bias, weight};

/// Asserts that exactly `check` refuses the cheat.
#[track_caller]
fn refused(cheat: &dyn Cheat, check: Check) {
    let witness = cheated(&fixture().task, cheat);
    assert_ne!(witness, fixture().witness(Subject::Segment), "the cheat changes something");
    assert_eq!(prove(Subject::Segment, &witness).failures(), [check].into());
}

#[test]
fn a_remainder_out_of_its_range_with_the_quotient_shifted() {
    refused(&WrongRounding { backward: false, keep_product: true }, Check::LookupSum);
    refused(&WrongRounding { backward: true, keep_product: true }, Check::LookupSum);
}

#[test]
fn a_quotient_that_is_not_that_of_the_product() {
    refused(&WrongRounding { backward: false, keep_product: false }, Check::Product);
    refused(&WrongRounding { backward: true, keep_product: false }, Check::Pointwise);
}

/// Rounds every product down, as many systems do.
struct Truncation;

impl Cheat for Truncation {
    fn forward(&self, _: At, product: i64, bits: u32) -> (i64, i64) {
        (product >> bits, product & ((1 << bits) - 1))
    }
}

#[test]
fn truncation_in_place_of_rounding() {
    refused(&Truncation, Check::LookupSum);
}

/// Saturates pre-activations.
struct Saturation;

impl Cheat for Saturation {
    fn forward(&self, _: At, product: i64, bits: u32) -> (i64, i64) {
        let (quotient, remainder) = round_shift(product, bits);
        (quotient.clamp(-64, 64), remainder)
    }
}

#[test]
fn saturation_that_is_not_part_of_the_arithmetic() {
    refused(&Saturation, Check::Product);
}

#[test]
fn no_update() {
    argued_at(0);
}

#[test]
fn another_learning_rate() {
    argued_at(3);
}

/// Trains and argues at `rate`, and states that of the fixture.
fn argued_at(rate: u32) {
    let witness = Task { rate, ..fixture().task.clone() }.train(&Honest);
    let witness = counted(witness);
    let parts = Witnesses { rate, ..Witnesses::same(&witness) };
    let forged = forge(Subject::Segment, parts, |_| (), &mut |_, _| ());
    assert_eq!(forged.statement.rate, fixture().task.rate);
    assert_eq!(forged.failures(), [Check::Weight].into());
}

#[test]
fn a_layer_that_is_not_updated() {
    for frozen in
        [|l, _| if l == 1 { 0 } else { 2 }, |l, _| if l == 2 { 0 } else { 2 }, |l, _| if l == 3 { 0 } else { 2 }]
    {
        let witness = cheated(&fixture().task, &Rate(frozen));
        let failures = prove(Subject::Segment, &witness).failures();
        assert!(failures.contains(&Check::Weight), "{failures:?}");
    }
}

#[test]
fn a_step_without_update() {
    let witness = cheated(&fixture().task, &Rate(|_, step| if step == 1 { 0 } else { 2 }));
    let failures = prove(Subject::Segment, &witness).failures();
    assert!(failures.contains(&Check::Weight), "{failures:?}");
}

/// Changes the weights between two steps.
struct Swap;

impl Cheat for Swap {
    fn before(&self, step: usize, weights: &mut [Vec<i64>], _: &mut [Vec<i64>]) {
        if step == 2 {
            weights[1][0] += 1 << 20;
        }
    }
}

#[test]
fn weights_changed_between_steps() {
    let witness = cheated(&fixture().task, &Swap);
    let failures = prove(Subject::Segment, &witness).failures();
    assert!(failures.contains(&Check::Weight) && failures.contains(&Check::Product), "{failures:?}");
}

/// Another gradient of the loss.
struct Loss(fn(at: At, live: bool, probability: i64, target: i64) -> i64);

impl Cheat for Loss {
    fn loss(&self, at: At, live: bool, probability: i64, target: i64) -> i64 {
        self.0(at, live, probability, target)
    }
}

#[test]
fn a_gradient_of_zero_everywhere() {
    refused(&Loss(|_, _, _, _| 0), Check::Pointwise);
}

#[test]
fn a_gradient_of_zero_in_one_step() {
    refused(&Loss(|at, live, p, y| if live && at.step != 1 { p - y } else { 0 }), Check::Pointwise);
}

#[test]
fn a_loss_for_another_label() {
    refused(&Loss(|at, live, p, y| if live { p - if at.row == 0 { y / 2 } else { y } } else { 0 }), Check::Pointwise);
}

#[test]
fn padded_rows_and_steps_that_train() {
    refused(&Loss(|at, live, p, y| if live || at.row == 3 { p - y } else { 0 }), Check::Pointwise);
    refused(&Loss(|at, live, p, y| if live || at.step == 3 { p - y } else { 0 }), Check::Pointwise);
    refused(&Loss(|at, live, p, y| if live || (at.step, at.row) == (2, 2) { p - y } else { 0 }), Check::Pointwise);
}

#[test]
fn a_padded_class_that_trains() {
    refused(
        &Loss(|at, live, p, y| {
            if at.column == 3 {
                1
            } else if live {
                p - y
            } else {
                0
            }
        }),
        Check::Pointwise,
    );
}

#[test]
fn a_probability_with_the_remainder_of_another() {
    refused(&Softmax(|row, _, _, _| row.probabilities[0] += 1), Check::Pointwise);
}

#[test]
fn a_probability_rounded_otherwise() {
    let up: fn(&mut SoftmaxRow, &[i16], &[u16], u32) = |row, _, _, _| {
        row.probabilities[0] += 1;
        row.remainders[0] = row.remainders[0].wrapping_sub(2 * row.sum);
    };
    refused(&Softmax(up), Check::LookupSum);
    let down: fn(&mut SoftmaxRow, &[i16], &[u16], u32) = |row, _, _, _| {
        let largest = row.selected;
        row.probabilities[largest] -= 1;
        row.remainders[largest] += 2 * row.sum;
    };
    refused(&Softmax(down), Check::LookupSum);
}

/// The sum of a row's exponentials.
fn summed(row: &SoftmaxRow) -> u32 {
    row.exponentials.iter().map(|&e| u32::from(e)).sum()
}

/// The probabilities and remainders that follow from a row's exponentials and sum.
fn divide(row: &mut SoftmaxRow, gradient_bits: u32) {
    let divided = |e: &u16| (2 * (u64::from(*e) << gradient_bits) + u64::from(row.sum), 2 * u64::from(row.sum));
    (row.probabilities, row.remainders) =
        row.exponentials.iter().map(divided).map(|(a, b)| ((a / b) as u16, (a % b) as u32)).unzip();
}

/// A row that follows from the chosen class, as if its logit were the largest.
fn selected(row: &mut SoftmaxRow, logits: &[i16], table: &[u16], gradient_bits: u32, choice: usize) {
    let maximum = logits[choice];
    let shifted: Vec<i16> = logits.iter().map(|h| (*h).min(maximum)).collect();
    *row = SoftmaxRow { selected: choice, ..softmax_row(&shifted, table, gradient_bits) };
}

#[test]
fn a_selector_on_a_logit_that_is_not_the_largest() {
    let smallest: fn(&mut SoftmaxRow, &[i16], &[u16], u32) = |row, logits, table, fg| {
        let choice = (0..logits.len()).min_by_key(|j| logits[*j]).unwrap_or(0);
        selected(row, logits, table, fg, choice);
    };
    refused(&Softmax(smallest), Check::LookupSum);
}

#[test]
fn a_selector_on_a_padded_class() {
    refused(&Softmax(|row, _, _, _| row.selected = 3), Check::Pointwise);
}

#[test]
fn a_maximum_above_the_largest_logit() {
    let above: fn(&mut SoftmaxRow, &[i16], &[u16], u32) = |row, logits, table, fg| {
        let maximum = row.maximum + 100;
        let with_it: Vec<i16> = logits.iter().copied().chain([maximum]).collect();
        // As if a class that does not exist had the largest logit, and did not count.
        let other = softmax_row(&with_it, table, fg);
        row.exponentials = other.exponentials[..logits.len()].to_vec();
        row.maximum = maximum;
        row.sum = summed(row);
        divide(row, fg);
    };
    refused(&Softmax(above), Check::Pointwise);
}

#[test]
fn an_exponential_that_is_not_in_the_table() {
    let doubled: fn(&mut SoftmaxRow, &[i16], &[u16], u32) = |row, _, _, fg| {
        row.exponentials.iter_mut().for_each(|e| *e /= 2);
        row.sum = summed(row);
        divide(row, fg);
    };
    refused(&Softmax(doubled), Check::LookupSum);
}

fn failures(forged: &Forged) -> Vec<Check> {
    forged.failures().into_iter().collect()
}

/// What the segment of `task` is refused for, whose data and first parameters nobody registered.
fn unregistered(task: &Task, cheat: &dyn Cheat) -> Vec<Check> {
    failures(&prove(Subject::Segment, &cheated(task, cheat)))
}

/// Counts a padded class, whose bias is that of a logit of -25, into the sum of the exponentials.
struct PaddedClass;

impl Cheat for PaddedClass {
    fn softmax(&self, _: At, logits: &[i16], table: &[u16], gradient_bits: u32) -> SoftmaxRow {
        let mut row = softmax_row(logits, table, gradient_bits);
        row.sum = row.sum + u32::from(table[25]) - u32::from(table[0]);
        divide(&mut row, gradient_bits);
        row
    }
}

#[test]
fn a_padded_class_in_the_sum() {
    let mut task = fixture().task.clone();
    let precision = task.architecture.precision();
    task.biases[2][3] = -25 << (precision.weight_bits() - precision.activation_bits);
    assert_eq!(unregistered(&task, &PaddedClass), [Check::Pointwise]);
}

#[test]
fn a_padded_neuron_that_fires() {
    let mut task = fixture().task.clone();
    let one = 1 << task.architecture.precision().weight_bits();
    // Neuron 5 of a layer of five.
    task.biases[0][5] = one;
    task.weights[1][5 * 4] = one;
    assert_eq!(unregistered(&task, &Honest), [Check::Pointwise]);
}

/// The gradient follows from the labels, so that who may choose any labels trains to what it likes.
#[test]
fn labels_of_the_provers_choice_in_a_segment() {
    let labelled = |entry: usize, label: i64| {
        let mut task = fixture().task.clone();
        task.labels[entry] = label;
        unregistered(&task, &Honest)
    };
    let hot = (0..3).find(|j| fixture().task.labels[*j] == 1).unwrap_or(0);
    assert_eq!(labelled(hot, 2), [Check::Pointwise, Check::Merge], "a label that is not a bit");
    assert_eq!(labelled((hot + 1) % 3, 1), [Check::Merge], "two labels");
    assert_eq!(labelled(hot, 0), [Check::Merge], "no label");
    // It trains, and has logits from then on.
    assert_eq!(labelled(3, 1), [Check::LookupSum, Check::Pointwise, Check::Merge], "a padded class");
    assert_eq!(labelled(3 * 4, 1), [Check::Merge], "a padded row");
    let mut task = fixture().task.clone();
    (task.labels[hot], task.labels[(hot + 1) % 3]) = (2, -1);
    assert_eq!(unregistered(&task, &Honest), [Check::Pointwise], "labels that sum to one");
}

/// Another activation function.
struct Activation(fn(At, i64) -> (i64, i64));

impl Cheat for Activation {
    fn relu(&self, at: At, h: i64) -> (i64, i64) {
        self.0(at, h)
    }
}

fn honest(h: i64) -> (i64, i64) {
    let (value, derivative) = relu(h as i16);
    (i64::from(value), i64::from(derivative))
}

/// Whether a hidden neuron is no padding: those have a check of their own.
fn is_neuron(at: At) -> bool {
    at.column < widths(&fixture().task.architecture)[at.layer]
}

#[test]
fn a_derivative_of_one_at_zero() {
    refused(&Activation(|at, h| (h.max(0), i64::from(h > 0 || h == 0 && is_neuron(at)))), Check::LookupSum);
}

#[test]
fn an_activation_that_leaks() {
    refused(&Activation(|_, h| if h < 0 { (h / 8, 0) } else { honest(h) }), Check::LookupSum);
}

#[test]
fn a_derivative_of_one_where_the_unit_is_off() {
    refused(&Activation(|at, h| (honest(h).0, i64::from(is_neuron(at)))), Check::LookupSum);
}

#[test]
fn a_derivative_that_is_not_a_bit() {
    refused(&Activation(|_, h| (honest(h).0, 2 * honest(h).1)), Check::LookupSum);
}

/// A segment of `task` that names the data root of the fixture as its own.
fn on_registered_data(task: &Task) -> Forged {
    let registered = fixture().data_root();
    let witness = cheated(task, &Honest);
    forge(Subject::Segment, Witnesses::same(&witness), |said| said.data_root = registered, &mut |_, _| ())
}

#[test]
fn other_data_and_labels() {
    assert!(on_registered_data(&fixture().task).failures().is_empty());
    let mut task = fixture().task.clone();
    task.input[0] += 1;
    assert_eq!(on_registered_data(&task).failures(), [Check::DataLeaf].into());
    let mut task = fixture().task.clone();
    let hot = task.labels[..3].iter().position(|y| *y == 1).unwrap_or(0);
    task.labels.swap(hot, (hot + 1) % 3);
    assert_eq!(on_registered_data(&task).failures(), [Check::DataLeaf].into());
    let mut task = fixture().task.clone();
    // Rows 2 and 4: another order.
    (0..8).for_each(|i| task.input.swap(2 * 8 + i, 4 * 8 + i));
    assert_eq!(on_registered_data(&task).failures(), [Check::DataLeaf].into());
}

#[test]
fn data_that_must_not_be_registered() {
    let data = |tensor, entry, by| failures(&registered(Subject::Data, tensor, entry, by));
    assert_eq!(data(Tensor::input(), 0, 1 << 16), [Check::LookupSum], "a value of more than 16 bits");
    assert_eq!(data(Tensor::input(), 6, 1), [Check::Pointwise], "a padded column");
    assert_eq!(data(Tensor::input(), 3 * 8, 1), [Check::Pointwise], "a padded row of a full step");
    assert_eq!(data(Tensor::input(), (2 * 4 + 2) * 8, 1), [Check::Pointwise], "a padded row of the last step");
    assert_eq!(data(Tensor::input(), 3 * 4 * 8, 1), [Check::Pointwise], "a padded step");
    assert_eq!(data(Tensor::labels(), 3, 1), [Check::Pointwise, Check::Merge], "a padded class");
    assert_eq!(data(Tensor::labels(), 3 * 4, 1), [Check::Merge], "a label of a padded row");
    let hot = (0..3).find(|j| fixture().task.labels[*j] == 1).unwrap_or(0);
    assert_eq!(data(Tensor::labels(), (hot + 1) % 3, 1), [Check::Merge], "two labels");
    assert_eq!(data(Tensor::labels(), hot, -1), [Check::Merge], "no label");
    assert_eq!(data(Tensor::labels(), hot, 1), [Check::Pointwise, Check::Merge], "a label that is not a bit");
}

#[test]
fn labels_that_sum_to_one_and_are_not_one_hot() {
    let mut witness = fixture().data_of(&fixture().honest);
    let hot = (0..3).find(|j| fixture().task.labels[*j] == 1).unwrap_or(0);
    alter(&mut witness, Tensor::labels(), hot, 1);
    alter(&mut witness, Tensor::labels(), (hot + 1) % 3, -1);
    count(&mut witness, &fixture().key.relations(Subject::Data).tree);
    assert_eq!(prove(Subject::Data, &witness).failures(), [Check::Pointwise].into());
}

#[test]
fn first_parameters_that_must_not_be_registered() {
    let first = |tensor, entry, by| failures(&registered(Subject::Parameters, tensor, entry, by));
    let weight = |l| weight(End::First, l);
    assert_eq!(first(weight(1), 0, 1 << 48), [Check::LookupSum], "a weight of more than 48 bits");
    assert_eq!(first(bias(End::First, 1), 0, 1 << 48), [Check::LookupSum], "a bias of more than 48 bits");
    assert_eq!(first(weight(1), 5, 1), [Check::Pointwise], "a padded neuron's weight");
    assert_eq!(first(weight(1), 6 * 8, 1), [Check::Pointwise], "the weight of a padded input");
    assert_eq!(first(weight(3), 3, 1), [Check::Pointwise], "a padded class");
    assert_eq!(first(bias(End::First, 1), 5, 1), [Check::Pointwise], "a padded neuron's bias");
}

#[test]
fn live_counts_that_are_not_those_of_the_training() {
    let witness = fixture().witness(Subject::Segment);
    for live in [Live { steps: 2, last_rows: 3 }, Live { steps: 3, last_rows: 3 }, Live { steps: 4, last_rows: 2 }] {
        let forged = forge(Subject::Segment, Witnesses::same(&witness), |said| said.live = live, &mut |_, _| ());
        assert_eq!(forged.failures(), [Check::Pointwise, Check::Merge].into(), "{live:?}");
    }
    let data = fixture().witness(Subject::Data);
    for live in [Live { steps: 2, last_rows: 3 }, Live { steps: 3, last_rows: 3 }, Live { steps: 4, last_rows: 2 }] {
        let forged = forge(Subject::Data, Witnesses::same(&data), |said| said.live = live, &mut |_, _| ());
        assert!(forged.failures().contains(&Check::Merge), "{live:?}: the labels are those of other rows");
    }
}

#[test]
fn a_rate_that_is_not_that_of_the_training() {
    let witness = fixture().witness(Subject::Segment);
    for rate in [0, 1, 3, u32::MAX] {
        let forged = forge(Subject::Segment, Witnesses::same(&witness), |said| said.rate = rate, &mut |_, _| ());
        assert_eq!(forged.failures(), [Check::Weight].into(), "{rate}");
    }
}

#[test]
fn last_parameters_that_were_not_trained() {
    let mut witness = fixture().witness(Subject::Segment);
    for (tensor, values) in witness.tensors.clone() {
        let role = tensor.role();
        if [WEIGHT, BIAS].contains(&role) {
            let [first, last] = [End::First, End::Last].map(|end| role.end(tensor.node(), end));
            if tensor == first {
                witness.tensors.insert(last, values);
            }
        }
    }
    assert!(matches!(witness.tensors[&weight(End::Last, 1)], Values::Wide(_)));
    assert_eq!(prove(Subject::Segment, &witness).failures(), [Check::Weight].into());
}
