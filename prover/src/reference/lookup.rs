//! The look-up argument: every leaf from the formula of its fingerprint, every layer as a list of fractions.

use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};
use gradproof_circuits::program::{Form, Spread, Table, Tensor};
use gradproof_circuits::relations::Tree;

use super::sumcheck::Sumcheck;
use crate::witness::Witness;

/// Numerator and denominator.
pub type Fraction = [Fr; 2];

/// `constant + Σ factor·tensor` at `entry` of (sample, column).
fn value(witness: &Witness, form: &Form, entry: usize, column_vars: usize) -> i64 {
    let mut sum = form.constant;
    for (tensor, factor, spread) in &form.terms {
        let at = |index: usize| witness.tensors.get(tensor).map_or(0, |values| values.get(index));
        sum += factor
            * match spread {
                Spread::Entry => at(entry),
                Spread::Sample { columns } if entry % (1 << column_vars) < *columns => at(entry >> column_vars),
                Spread::Sample { .. } => 0,
            };
    }
    sum
}

/// `γ - (tuple_0 + η·tuple_1 + η²·tuple_2 + η³·number)`.
fn denominator(table: Table, tuple: &[i64], offset: Fr, combine: Fr) -> Fr {
    let mut fingerprint = combine.pow([3]) * Fr::from(table.number());
    for (i, part) in tuple.iter().enumerate() {
        fingerprint += combine.pow([i as u64]) * Fr::from(*part);
    }
    offset - fingerprint
}

/// All leaves of the tree: `1 / (γ - f)` for every look-up, `-multiplicity / (γ - f)` for every key of every table, and
/// `0 / 1` between and after them.
pub fn leaves(witness: &Witness, tree: &Tree, offset: Fr, combine: Fr) -> Vec<Fraction> {
    let mut leaves = vec![[Fr::zero(), Fr::one()]; 1 << tree.vars];
    for (lookup, slot) in &tree.lookups {
        for entry in 0..1usize << lookup.vars {
            let part = |form| value(witness, form, entry, lookup.column_vars);
            let tuple: Vec<i64> = lookup.tuple.iter().map(part).collect();
            leaves[slot.offset + entry] = [Fr::one(), denominator(lookup.table, &tuple, offset, combine)];
        }
    }
    for (table, slot) in &tree.tables {
        let entry = |tensor: Tensor, key: usize| witness.tensors.get(&tensor).map_or(0, |values| values.get(key));
        for key in 0..1usize << table.vars() {
            let mut tuple = vec![key as i64];
            match table.column() {
                Some(column) => tuple.push(entry(column, key)),
                None => tuple.extend(table.values(key)),
            }
            let count = entry(Tensor::multiplicity(*table), key);
            leaves[slot.offset + key] = [-Fr::from(count), denominator(*table, &tuple, offset, combine)];
        }
    }
    leaves
}

/// `n0/d0 + n1/d1 = (n0·d1 + n1·d0) / (d0·d1)` of every pair of neighbours.
pub fn parents(layer: &[Fraction]) -> Vec<Fraction> {
    layer.chunks(2).map(|pair| [pair[0][0] * pair[1][1] + pair[1][0] * pair[0][1], pair[0][1] * pair[1][1]]).collect()
}

/// The tree and the running sumcheck.
pub struct Lookup {
    /// Layer `k` has `2^k` nodes; the last are the leaves.
    pub layers: Vec<Vec<Fraction>>,
    running: Option<Sumcheck<'static>>,
}

impl Lookup {
    /// The whole tree for the challenges γ and η.
    pub fn new(witness: &Witness, tree: &Tree, offset: Fr, combine: Fr) -> Self {
        let mut layers = vec![leaves(witness, tree, offset, combine)];
        while layers[0].len() > 1 {
            layers.insert(0, parents(&layers[0]));
        }
        Self { layers, running: None }
    }

    /// The two fractions below the root: `n0 n1 d0 d1`.
    pub fn root(&self) -> Vec<Fr> {
        let children = &self.layers[1];
        vec![children[0][0], children[1][0], children[0][1], children[1][1]]
    }

    /// Begins the sumcheck `Σ eq(point, z)·(λ·(n0·d1 + n1·d0) + d0·d1)(z)` over the children of the layer at `point`.
    pub fn begin_layer(&mut self, point: &[Fr], weight: Fr) {
        let children = &self.layers[point.len() + 1];
        let part = |side: usize, part: usize| children.chunks(2).map(|pair| pair[side][part]).collect();
        let tables = vec![part(0, 0), part(1, 0), part(0, 1), part(1, 1)];
        self.running = Some(Sumcheck::with_eq(tables, point, move |row| {
            let (n0, n1, d0, d1) = (row[0], row[1], row[2], row[3]);
            weight * (n0 * d1 + n1 * d0) + d0 * d1
        }));
    }

    /// One round.
    pub fn round(&mut self, challenge: Option<Fr>) -> Vec<Fr> {
        self.running.as_mut().map(|running| running.round(challenge)).unwrap_or_default()
    }

    /// `n0 n1 d0 d1` where the sumcheck ended.
    pub fn children(&mut self, challenge: Fr) -> Vec<Fr> {
        let Some(mut running) = self.running.take() else { return vec![] };
        running.bind(challenge);
        running.values()
    }
}
