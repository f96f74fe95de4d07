//! The tree of look-ups over small tables of any width, full and not, with tuples that are in no table.

use ark_bn254::Fr;
use gradproof_circuits::operators::{ACTIVATION, DERIVATIVE, NEGATIVE};
use gradproof_circuits::program::{Form, LookUp, Spread, Table, Tensor};
use gradproof_circuits::relations::Tree;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{element, elements, eq_rounds, many, nonzero};
use crate::argument::lookup::LookupProver;
use crate::reference::lookup::Lookup;
use crate::witness::{Values, Witness};

/// A look-up of `ACTIVATION.at(i)` in a range, of some variables.
#[derive(Clone, Debug)]
struct Range {
    bits: u32,
    vars: usize,
    /// Added to the key.
    shift: i64,
    /// Of the variables: those of the column, with one value a sample beside the entry.
    column_vars: Option<usize>,
}

fn range() -> impl Strategy<Value = Range> {
    (1u32..5, 0usize..7, -2i64..3, proptest::option::of(0usize..7)).prop_map(|(bits, vars, shift, column_vars)| Range {
        bits,
        vars,
        shift,
        column_vars: column_vars.map(|column_vars| column_vars.min(vars)),
    })
}

/// Tree and witness; the values of all tensors are below `bound`, which is more than most tables hold.
fn case(ranges: &[Range], seed: u64, bound: i32) -> (Tree, Witness) {
    let mut witness = Witness::default();
    let mut lookups = vec![];
    let mut put = |tensor: Tensor, vars: usize, seed: u64| {
        let values = elements(1 << vars, seed).iter().map(|x| (x.0.0[0] % bound as u64) as i32 - 1).collect();
        witness.tensors.insert(tensor, Values::Small(values));
    };
    for (i, Range { bits, vars, shift, column_vars }) in ranges.iter().enumerate() {
        put(ACTIVATION.at(i), *vars, seed ^ i as u64);
        let mut expression = Form::shifted(ACTIVATION.at(i), *shift);
        if let Some(column_vars) = column_vars {
            let columns = 1 + (seed as usize) % (1 << column_vars);
            put(NEGATIVE.at(i), vars - column_vars, seed ^ (1000 + i as u64));
            expression.terms.push((NEGATIVE.at(i), 2, Spread::Sample { columns }));
        }
        lookups.push(LookUp {
            table: Table::Range(*bits),
            vars: *vars,
            column_vars: column_vars.unwrap_or(0),
            tuple: vec![expression],
        });
    }
    let tree = Tree::new(lookups);
    for (table, _) in &tree.tables {
        put(Tensor::multiplicity(*table), table.vars(), seed ^ 2000);
    }
    (tree, witness)
}

/// Every layer, every round.
fn compare(tree: &Tree, witness: &Witness, [offset, combine]: [Fr; 2], weights: &[Fr], drawn: &[Fr], last: &[Fr]) {
    let mut fast = LookupProver::new(witness, tree, offset, combine).expect("the witness has all tensors");
    let mut plain = Lookup::new(witness, tree, offset, combine);
    assert_eq!(fast.root(), plain.root());
    let mut point = vec![last[0]];
    while point.len() < tree.vars {
        let weight = weights[point.len()];
        fast.begin_layer(&point, weight);
        plain.begin_layer(&point, weight);
        // What is claimed: the layer at the point.
        let layer = &plain.layers[point.len()];
        let part = |i: usize| layer.iter().map(|node| node[i]).collect::<Vec<_>>();
        let [numerator, denominator] = [0, 1].map(|i| crate::reference::cube::extension(&part(i), &point));
        let claim = weight * numerator + denominator;
        let challenges = &drawn[point.len()..];
        let end = eq_rounds(&point, claim, challenges, |r, c, w| fast.round(r, c, w), |r| plain.round(r));
        let challenge = end[end.len() - 1];
        assert_eq!(fast.children(challenge), plain.children(challenge), "children of layer {}", point.len());
        point = end.into_iter().rev().chain([last[point.len()]]).collect();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_message(
        ranges in vec(range(), 1..6),
        seed in any::<u64>(),
        bound in 1i32..12,
        fingerprint in [element(), element()],
        weights in many(nonzero()),
        drawn in many(nonzero()),
        last in many(nonzero()),
    ) {
        let (tree, witness) = case(&ranges, seed, bound);
        let drawn = [&drawn[..], &last, &weights].concat();
        compare(&tree, &witness, fingerprint, &weights, &drawn, &last);
    }
}

/// Tables with values of their own, and a tree large enough for tasks of several threads.
#[test]
fn every_message_of_large_tables() {
    let mut witness = Witness::default();
    let h = |n: usize| (n as i32 * 7919) % 40_000 - 20_000;
    let put = |values: Vec<i32>| Values::Small(values);
    let size = 1 << 13;
    witness.tensors.insert(ACTIVATION.at(1), put((0..size).map(|n| h(n).max(0)).collect()));
    witness.tensors.insert(NEGATIVE.at(1), put((0..size).map(|n| (-h(n)).max(0)).collect()));
    // A few are wrong: such a tuple is in no row of the table.
    witness
        .tensors
        .insert(DERIVATIVE.at(1), put((0..size).map(|n| i32::from(h(n) > 0) + i32::from(n == 77)).collect()));
    let key = Form {
        terms: vec![(ACTIVATION.at(1), 1, Spread::Entry), (NEGATIVE.at(1), -1, Spread::Entry)],
        constant: 1 << 15,
    };
    let value = |tensor| Form::shifted(tensor, 0);
    let tuple = vec![key, value(ACTIVATION.at(1)), value(DERIVATIVE.at(1))];
    let tree = Tree::new(vec![LookUp { table: Table::Relu, vars: 13, column_vars: 0, tuple }]);
    witness.count_lookups(&tree).expect("the keys are in range");
    let random = elements(64, 5);
    compare(&tree, &witness, [random[0], random[1]], &random[4..], &random[5..], &random[6..]);
}
