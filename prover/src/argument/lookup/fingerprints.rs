//! The lowest layer of the tree: a fingerprint for every look-up and every key of every table.

use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};
use gradproof_circuits::program::{Table, Tensor};
use gradproof_circuits::relations::Tree;
use rayon::prelude::*;

use super::layer::Layer;
use super::leaves::Leaves;
use crate::kernels::packed::{LANES, Packed};
use crate::witness::{Linear, Witness, WitnessError};

/// Leaves made by one task.
const CHUNK: usize = 1 << 12;

/// What denominators are made with: γ, and 1, η, η², η³. A denominator is `γ - (key + η·value + …)`.
struct Fingerprints {
    offset: Fr,
    powers: [Fr; 4],
}

impl Fingerprints {
    fn denominator(&self, table: Table, tuple: impl Iterator<Item = i64>) -> Fr {
        let number = self.powers[3] * Fr::from(table.number());
        self.offset - tuple.zip(&self.powers).fold(number, |sum, (part, power)| sum + Fr::from(part) * power)
    }
}

/// A table: its keys and values, and where its denominators stand among all.
struct Rows {
    table: Table,
    tuples: Vec<Vec<i64>>,
    first: usize,
}

/// Denominators `γ - fingerprint` of look-ups and tables, numerators of the tables.
///
/// # Errors
/// The witness lacks a tensor.
pub fn lowest_layer(witness: &Witness, tree: &Tree, offset: Fr, combine: Fr) -> Result<Layer, WitnessError> {
    let fingerprints =
        Fingerprints { offset, powers: [Fr::one(), combine, combine.square(), combine.square() * combine] };
    let mut known: Vec<Fr> = Vec::new();
    let mut tables: Vec<Rows> = Vec::new();
    for (table, _) in &tree.tables {
        let tuples: Vec<Vec<i64>> = (0..1usize << table.vars())
            .into_par_iter()
            .map(|key| Ok([vec![key as i64], witness.table_values(*table, key)?].concat()))
            .collect::<Result<_, WitnessError>>()?;
        let first = known.len();
        known.par_extend(tuples.par_iter().map(|tuple| fingerprints.denominator(*table, tuple.iter().copied())));
        tables.push(Rows { table: *table, tuples, first });
    }

    // Slots that are not looked up at lie between the look-ups and the tables, if anywhere: their leaves are 0 / 1.
    let ones = tree.lookup_leaves();
    let mut rows = vec![0u32; ones];
    // Only a dishonest witness has a tuple that is not in its table: it gets a value of its own.
    let mut strangers: Vec<(usize, Fr)> = Vec::new();
    for (lookup, slot) in &tree.lookups {
        let keys: Vec<Linear<'_>> =
            lookup.tuple.iter().map(|form| Linear::new(witness, form, lookup.column_vars)).collect::<Result<_, _>>()?;
        let Some(Rows { table, tuples, first }) = tables.iter().find(|rows| rows.table == lookup.table) else {
            continue;
        };
        let target = &mut rows[slot.offset..slot.offset + (1 << slot.vars)];
        let mut found: Vec<(usize, Fr)> = target
            .par_chunks_mut(CHUNK)
            .enumerate()
            .flat_map_iter(|(c, chunk)| {
                let mut strangers = Vec::new();
                for (entry, row) in (c * CHUNK..).zip(chunk) {
                    let key = keys[0].at(entry);
                    let tuple = usize::try_from(key).ok().and_then(|key| Some((key, tuples.get(key)?)));
                    match tuple {
                        Some((key, tuple))
                            if keys[1..].iter().zip(&tuple[1..]).all(|(part, v)| part.at(entry) == *v) =>
                        {
                            *row = (first + key) as u32;
                        }
                        _ => {
                            let parts = keys.iter().map(|part| part.at(entry));
                            strangers.push((slot.offset + entry, fingerprints.denominator(*table, parts)));
                        }
                    }
                }
                strangers
            })
            .collect();
        strangers.append(&mut found);
    }
    for (leaf, denominator) in strangers {
        rows[leaf] = known.len() as u32;
        known.push(denominator);
    }

    let end = tree.tables.last().map_or(ones, |(_, slot)| slot.offset + (1 << slot.vars));
    // Leading ones stay apart only as whole groups of groups, so that they pair up for some rounds.
    let apart = if ones.is_multiple_of(2 * LANES) { ones } else { 0 };
    let mut rest = vec![[Fr::zero(), Fr::one()]; end - apart];
    for (leaf, &row) in rest.iter_mut().zip(&rows[apart..]) {
        *leaf = [Fr::one(), known[row as usize]];
    }
    for ((_, slot), Rows { table, tuples, first }) in tree.tables.iter().zip(&tables) {
        let multiplicities = witness.small(Tensor::multiplicity(*table))?;
        let denominators = &known[*first..first + tuples.len()];
        for ((leaf, denominator), &count) in
            rest[slot.offset - apart..].iter_mut().zip(denominators).zip(multiplicities)
        {
            *leaf = [-Fr::from(count), *denominator];
        }
    }
    rows.truncate(apart);
    rest.resize(rest.len().next_multiple_of(LANES), [Fr::zero(), Fr::one()]);
    let rest = rest
        .par_chunks(LANES)
        .map(|nodes| [0, 1].map(|part| Packed::new(std::array::from_fn(|lane| nodes[lane][part]))));
    Ok(Layer { ones: Leaves::new(rows, &known), rest: rest.collect() })
}
