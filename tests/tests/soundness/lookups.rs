//! The tree of look-ups holds what it should, and tables do not answer for each other.

use gradproof_circuits::operators::{BACKWARD_LIMB, FORWARD_LIMB};
use gradproof_tests::tensors::forward_limb;
use std::collections::BTreeSet;

use gradproof_circuits::field::check::Check;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::program::{Table, Tensor};
use gradproof_circuits::relations::{Relations, Subject};
use gradproof_prover::witness::Values;
use gradproof_tests::forge::{fixture, prove};
use gradproof_tests::networks::perceptron;

#[test]
fn every_table_has_a_number_of_its_own() {
    let tables = [Table::Relu, Table::Exponential].into_iter().chain((1..=16).map(Table::Range));
    let numbers: BTreeSet<u64> = tables.map(|table| table.number()).collect();
    assert_eq!(numbers.len(), 18);
}

/// Slots of leaves do not overlap, every leaf of a look-up is in one, and each look-up has its table.
#[test]
fn slots_of_the_tree_are_apart() {
    for (fa, fg, k) in [(8, 12, 8), (1, 1, 0), (14, 14, 20), (5, 6, 6)] {
        let precision = Precision { activation_bits: fa, gradient_bits: fg, rate_bits: k, exponential_bits: 5 };
        for widths in [vec![1, 1], vec![784, 128, 10], vec![3, 1, 5, 2, 10]] {
            let architecture = perceptron(&widths, 3, 2, precision);
            for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
                let tree = Relations::new(subject, &architecture, 12).tree;
                let lookups = tree.lookups.iter().map(|(_, slot)| *slot);
                let mut end = 0;
                for slot in lookups.clone().chain(tree.tables.iter().map(|(_, slot)| *slot)) {
                    assert!(slot.offset >= end && slot.offset % (1 << slot.vars) == 0, "{slot:?} after {end}");
                    end = slot.offset + (1 << slot.vars);
                }
                assert!(end <= 1 << tree.vars);
                assert_eq!(tree.lookup_leaves(), lookups.map(|slot| 1 << slot.vars).sum::<usize>());
                for (lookup, _) in &tree.lookups {
                    assert_eq!(tree.tables.iter().filter(|(table, _)| *table == lookup.table).count(), 1);
                }
                // The limbs of a remainder are looked up in tables of exactly their widths.
                for (lookup, _) in &tree.lookups {
                    let (tensor, ..) = lookup.tuple[0].terms[0];
                    if [FORWARD_LIMB, BACKWARD_LIMB].contains(&tensor.role()) {
                        assert_eq!(lookup.table, Table::Range(precision.limb_bits()[tensor.index()]));
                    }
                }
            }
        }
    }
}

/// A limb that is too large for its own table and would be in a wider one, counted there.
#[test]
fn leaves_are_looked_up_in_their_own_table() {
    let mut witness = fixture().witness(Subject::Segment);
    let limb = forward_limb(1, 0);
    let Some(Values::Small(values)) = witness.tensors.get_mut(&limb) else { panic!("no limb") };
    let was = values[0];
    values[0] += 1 << 12;
    let key = values[0];
    for (bits, key, by) in [(12, was, -1), (16, key, 1)] {
        match witness.tensors.get_mut(&Tensor::multiplicity(Table::Range(bits))) {
            Some(Values::Small(counts)) => counts[key as usize] += by,
            _ => panic!("no table of {bits} bits"),
        }
    }
    let failures = prove(Subject::Segment, &witness).failures();
    assert!(failures.contains(&Check::LookupSum), "{failures:?}");
}
