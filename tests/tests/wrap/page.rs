//! The tables of `docs/wrap.md`.

use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::program::Publics;
use gradproof_circuits::relations::{Relations, Subject};
use gradproof_circuits::wrap::circuit::WrapCircuit;
use gradproof_circuits::wrap::gate::Gate;
use gradproof_tests::leaky::Leaky;
use gradproof_tests::networks::perceptron;
use gradproof_tests::root;

/// Rows of sums and products, of rounds, of permutations, and those without a gate.
fn counts(circuit: &WrapCircuit) -> [usize; 4] {
    let mut counts = [0; 4];
    for (gate, rows) in circuit.rows_by_gate() {
        counts[match gate {
            Gate::Arithmetic => 0,
            Gate::EqRound | Gate::PlainRound => 1,
            Gate::FullRound | Gate::EnterPartial | Gate::PartialRounds | Gate::LeavePartial => 2,
            Gate::None => 3,
        }] += rows;
    }
    counts
}

fn line(name: &str, counts: [usize; 4]) -> String {
    let [arithmetic, rounds, poseidon, none] = counts;
    let total: usize = counts.iter().sum();
    format!("| {name} | {arithmetic} | {rounds} | {poseidon} | {none} | {total} |")
}

/// The rows part by part: a part begins where its first message is asked for.
fn parts(column_vars: usize) -> (String, WrapCircuit) {
    let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
    let architecture = perceptron(&[784, 128, 128, 10], 64, 64, precision);
    let relations = Relations::new(Subject::Segment, &architecture, column_vars);
    let live = Live { steps: 1, last_rows: 1 };
    let [one, zero] = [live.steps as u64, 0].map(ark_bn254::Fr::from);
    let publics = Publics { digest: [zero; 2], rate: zero, position: zero, live_steps: one, live_rows: one };
    let built = Leaky::default().build(&relations, &publics, &[], true);
    let mut lines = Vec::new();
    let (mut name, mut before) = ("public inputs, digest", [0; 4]);
    for (next, table) in built.parts.iter().chain([&("", built.circuit.clone())]) {
        let now = counts(table);
        lines.push(line(name, std::array::from_fn(|i| now[i] - before[i])));
        (name, before) = (next, now);
    }
    lines.push(line("**all**", before));
    (lines.join("\n"), built.circuit)
}

#[test]
fn the_page_has_the_rows_of_the_circuit() {
    let page = std::fs::read_to_string(root().join("docs").join("wrap.md")).expect("the page is there");
    for column_vars in [14, 20] {
        let (table, circuit) = parts(column_vars);
        assert!(page.contains(&table), "docs/wrap.md lacks, for 2^{column_vars}:\n{table}");
        let gates: Vec<String> = circuit.rows_by_gate().iter().map(|(gate, rows)| format!("{gate:?} {rows}")).collect();
        let line = format!("{}; k = {}", gates.join(", "), circuit.size_bits());
        assert!(page.contains(&line), "docs/wrap.md lacks, for 2^{column_vars}:\n{line}");
    }
}
