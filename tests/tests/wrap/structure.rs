//! The rows of the circuit: the same for every witness, and no more free than messages and public inputs are.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::program::Publics;
use gradproof_circuits::relations::{Relations, Subject};
use gradproof_circuits::wrap::circuit::{NUMBERS, WrapCircuit};
use gradproof_circuits::wrap::columns::{ADVICE, CONSTANTS};
use gradproof_circuits::wrap::gate::Gate;
use gradproof_circuits::wrap::rows::{Cell, Rows};
use gradproof_tests::forge::{fixture, prove};
use gradproof_tests::leaky::Leaky;
use gradproof_tests::networks::perceptron;
use gradproof_tests::weakened::weakened;
use proptest::prelude::*;

/// What stands in a cell, but for its value: nothing, a witness of its own, a variable.
#[derive(Debug, PartialEq)]
enum Place {
    Unused,
    Own,
    Shared(usize),
}

/// Gate, coefficients and copies of each row.
type Structure = Vec<(Gate, [Fr; CONSTANTS], [Place; ADVICE])>;

fn structure(circuit: &WrapCircuit) -> Structure {
    let place = |cell| match cell {
        Cell::Unused => Place::Unused,
        Cell::Own(_) => Place::Own,
        Cell::Shared(variable) => Place::Shared(Rows::index(variable)),
    };
    circuit.table().rows().map(|row| (row.gate, row.constants, row.cells.map(place))).collect()
}

fn of_relations(relations: &Relations) -> WrapCircuit {
    WrapCircuit::blank(relations).expect("there is no message to lack")
}

fn blank(architecture: &Architecture, column_vars: usize, subject: Subject) -> WrapCircuit {
    WrapCircuit::blank(&Relations::new(subject, architecture, column_vars)).expect("there is no message to lack")
}

/// Number of messages of the fixture's arguments.
fn messages(subject: Subject) -> usize {
    prove(subject, &fixture().witness(subject)).proof.messages().len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn rows_do_not_depend_on_the_witness(seed in any::<u64>(), numbers in any::<[u64; 6]>(), small in any::<bool>()) {
        static MESSAGES: std::sync::OnceLock<[usize; 3]> = std::sync::OnceLock::new();
        let subjects = [Subject::Segment, Subject::Data, Subject::Parameters];
        let lengths = MESSAGES.get_or_init(|| subjects.map(messages));
        for (subject, length) in subjects.into_iter().zip(lengths) {
            let relations = fixture().key.relations(subject);
            // Zeros and ones are where a shape could go another way.
            let number = |x: u64| Fr::from(if small { x % 2 } else { x });
            let messages: Vec<Fr> = (0..*length as u64).map(|i| number(seed.wrapping_mul(2 * i + 1) >> 7)).collect();
            let [high, low, rate, position, live_steps, live_rows] = numbers.map(number);
            let publics = Publics { digest: [high, low], rate, position, live_steps, live_rows };
            let (circuit, _) = WrapCircuit::new(relations, &publics, &messages).expect("there are enough messages");
            let blank = WrapCircuit::blank(relations).expect("there is no message to lack");
            prop_assert!(structure(&circuit) == structure(&blank), "{:?}", subject);
        }
    }
}

#[test]
fn every_shape_has_rows_of_its_own() {
    let architecture = &fixture().task.architecture;
    let of = |architecture: &Architecture, column_vars| structure(&blank(architecture, column_vars, Subject::Segment));
    let first = of(architecture, 12);
    assert!(first == of(architecture, 12));
    assert!(first != of(architecture, 13), "another column size");
    let usual = *architecture.precision();
    let mut precision = usual;
    precision.activation_bits += 1;
    let others = [
        perceptron(&[6, 5, 4, 2], 3, 4, usual),
        perceptron(&[6, 9, 4, 3], 3, 4, usual),
        perceptron(&[6, 5, 4, 4, 3], 3, 4, usual),
        perceptron(&[6, 5, 4, 3], 4, 4, usual),
        perceptron(&[6, 5, 4, 3], 3, 8, usual),
        perceptron(&[6, 5, 4, 3], 3, 4, precision),
    ];
    for other in &others {
        assert!(first != of(other, 12), "{other:?}");
    }
    for subject in [Subject::Data, Subject::Parameters] {
        assert!(first != structure(&blank(architecture, 12, subject)), "{subject:?}");
    }
}

/// So the key of a circuit, and with it the digest of a key for wrapped proofs, tells a program that lacks a primitive.
#[test]
fn every_primitive_has_rows() {
    for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
        let honest = fixture().key.relations(subject);
        let rows = structure(&of_relations(honest));
        for (what, relations) in weakened(honest) {
            assert!(rows != structure(&of_relations(&relations)), "{subject:?} without {what}");
        }
    }
}

/// An equation that determines cells from others.
struct Rule {
    from: Vec<usize>,
    to: Vec<usize>,
}

/// The equations of the rows after those of the public inputs. Cells that are tied have one number.
fn rules(circuit: &WrapCircuit, publics: usize) -> (Vec<Rule>, BTreeSet<usize>) {
    let rows: Vec<_> = circuit.table().rows().collect();
    let mut cells = BTreeSet::new();
    let mut numbered = |i: usize| -> Vec<Option<usize>> {
        let Some(row) = rows.get(i) else { return vec![None; ADVICE] };
        let number = |(j, cell): (usize, &Cell)| match *cell {
            Cell::Unused => None,
            Cell::Shared(variable) => Some(Rows::index(variable)),
            Cell::Own(_) => Some(circuit.table().variables() + ADVICE * i + j),
        };
        let numbers: Vec<_> = row.cells.iter().enumerate().map(number).collect();
        cells.extend(numbers.iter().flatten());
        numbers
    };
    let mut rules = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let (here, next) = (numbered(i), numbered(i + 1));
        let (from, to) = match row.gate {
            Gate::None => continue,
            Gate::Arithmetic if i < publics => continue,
            Gate::Arithmetic => (&here[..ADVICE - 1], &here[ADVICE - 1..]),
            Gate::EqRound | Gate::PlainRound => (&here[..], &next[..1]),
            Gate::FullRound | Gate::EnterPartial | Gate::PartialRounds | Gate::LeavePartial => (&here[..], &next[..]),
        };
        assert!(to.iter().all(Option::is_some), "row {i} determines cells that exist");
        let flat = |cells: &[Option<usize>]| cells.iter().flatten().copied().collect();
        rules.push(Rule { from: flat(from), to: flat(to) });
    }
    (rules, cells)
}

/// Messages, public inputs, bits and one inverse determine every other cell; each equation that is left is a check.
#[test]
fn every_cell_follows_from_messages_and_public_inputs() {
    for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
        let forged = prove(subject, &fixture().witness(subject));
        let relations = fixture().key.relations(subject);
        let mut leaky = Leaky::default();
        let circuit = leaky.build(relations, &forged.publics(), forged.proof.messages(), false).circuit;
        let (rules, cells) = rules(&circuit, NUMBERS + relations.layout.column_vars);

        let proper = rules.iter().filter(|rule| rule.to.iter().all(|cell| !rule.from.contains(cell)));
        let outputs: BTreeSet<usize> = proper.flat_map(|rule| rule.to.iter().copied()).collect();
        let mut known: BTreeSet<usize> = cells.difference(&outputs).copied().collect();
        assert_eq!(known.len(), 6 + forged.proof.messages().len() + leaky.free, "{subject:?}: free cells");

        let (mut waiting, mut required): (Vec<&Rule>, usize) = (rules.iter().collect(), 0);
        loop {
            let before = waiting.len();
            waiting.retain(|rule| {
                let ready = rule.from.iter().all(|cell| known.contains(cell));
                if ready {
                    let new = rule.to.iter().filter(|cell| known.insert(**cell)).count();
                    assert!(
                        new == 0 || new == rule.to.len(),
                        "{subject:?}: an equation determines all of its cells or none"
                    );
                    required += usize::from(new == 0);
                }
                !ready
            });
            if waiting.len() == before {
                break;
            }
        }
        assert!(waiting.is_empty(), "{subject:?}: {} equations stand in a circle", waiting.len());
        assert!(known == cells, "{subject:?}");
        assert_eq!(required, leaky.required, "{subject:?}: equations that check something");
    }
}
