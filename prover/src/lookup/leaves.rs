//! The leaves of the tree: a fingerprint for every look-up and every key of every table.

use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};
use gradproof_circuits::lookup::{Table, Tree};
use gradproof_circuits::tensor::Tensor;
use rayon::prelude::*;

use super::layer::Layer;
use crate::witness::{Key, Witness};

/// Leaves made by one task.
const CHUNK: usize = 1 << 12;

/// Denominators `γ - fingerprint` of look-ups and tables, numerators of the tables.
pub fn leaves(witness: &Witness, tree: &Tree, offset: Fr, combine: Fr) -> Layer {
    let powers = [Fr::one(), combine, combine.square(), combine.square() * combine];
    let fingerprint = |table: Table, tuple: &[i64]| {
        let number = powers[3] * Fr::from(table.number());
        tuple.iter().zip(&powers).fold(number, |sum, (part, power)| sum + Fr::from(*part) * power)
    };
    let tables: Vec<(Table, Vec<Vec<i64>>, Vec<Fr>)> = tree
        .tables
        .iter()
        .map(|(table, _)| {
            let rows: Vec<Vec<i64>> = (0..1usize << table.vars())
                .into_par_iter()
                .map(|key| [vec![key as i64], witness.table_values(*table, key)].concat())
                .collect();
            let denominators = rows.par_iter().map(|row| offset - fingerprint(*table, row)).collect();
            (*table, rows, denominators)
        })
        .collect();

    let ones = tree.lookup_leaves();
    let end = tree.tables.last().map_or(ones, |(_, slot)| slot.offset + (1 << slot.vars));
    let mut denominators = vec![Fr::zero(); ones];
    let mut rest = vec![[Fr::zero(), Fr::one()]; end - ones];
    for (lookup, slot) in &tree.lookups {
        let keys: Vec<Key<'_>> = lookup
            .tuple
            .iter()
            .map(|expression| Key::new(witness, &expression.terms, expression.constant, lookup.column_vars))
            .collect();
        let Some((_, rows, known)) = tables.iter().find(|(table, ..)| *table == lookup.table) else { continue };
        let target = &mut denominators[slot.offset..slot.offset + (1 << slot.vars)];
        target.par_chunks_mut(CHUNK).enumerate().for_each(|(c, chunk)| {
            for (i, denominator) in chunk.iter_mut().enumerate() {
                let entry = c * CHUNK + i;
                let key = keys[0].at(entry);
                let row = usize::try_from(key).ok().and_then(|key| rows.get(key).map(|row| (key, row)));
                *denominator = match row {
                    Some((key, row)) if keys[1..].iter().zip(&row[1..]).all(|(part, v)| part.at(entry) == *v) => {
                        known[key]
                    }
                    // Only a dishonest witness has a tuple that is not in its table.
                    _ => {
                        let tuple: Vec<i64> = keys.iter().map(|part| part.at(entry)).collect();
                        offset - fingerprint(lookup.table, &tuple)
                    }
                };
            }
        });
    }
    for ((table, slot), (_, _, known)) in tree.tables.iter().zip(&tables) {
        let multiplicities = witness.small(Tensor::Multiplicity(*table));
        for ((leaf, denominator), &count) in rest[slot.offset - ones..].iter_mut().zip(known).zip(multiplicities) {
            *leaf = [-Fr::from(count), *denominator];
        }
    }
    Layer { ones: denominators, rest }
}
