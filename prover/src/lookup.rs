//! The prover of the look-up argument: a tree of fractions, and one sumcheck a layer.

use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};
use gradproof_circuits::lookup::{Table, Tree};
use rayon::prelude::*;

use crate::dot::WideAccumulator;
use crate::eq::EqPrefixes;
use crate::witness::{Key, Witness};

/// Nodes made by one task.
const CHUNK: usize = 1 << 12;

/// The nodes of one layer; past the stored ones stand fractions `0 / 1`.
struct Layer {
    /// Nodes before this index have numerator one, which is not stored.
    ones: usize,
    numerators: Vec<Fr>,
    denominators: Vec<Fr>,
}

impl Layer {
    fn get(&self, i: usize) -> (Fr, Fr) {
        match self.denominators.get(i) {
            None => (Fr::zero(), Fr::one()),
            Some(d) if i < self.ones => (Fr::one(), *d),
            Some(d) => (self.numerators[i - self.ones], *d),
        }
    }

    /// The layer above: sums of neighbouring fractions.
    fn parents(&self) -> Self {
        let count = self.denominators.len().div_ceil(2);
        let mut numerators = vec![Fr::zero(); count];
        let mut denominators = vec![Fr::zero(); count];
        numerators.par_chunks_mut(CHUNK).zip(denominators.par_chunks_mut(CHUNK)).enumerate().for_each(
            |(c, (ns, ds))| {
                for (i, (n, d)) in ns.iter_mut().zip(ds).enumerate() {
                    let i = 2 * (c * CHUNK + i);
                    if i + 1 < self.ones {
                        let (left, right) = (self.denominators[i], self.denominators[i + 1]);
                        (*n, *d) = (left + right, left * right);
                    } else {
                        let ((n0, d0), (n1, d1)) = (self.get(i), self.get(i + 1));
                        (*n, *d) = (n0 * d1 + n1 * d0, d0 * d1);
                    }
                }
            },
        );
        Self { ones: 0, numerators, denominators }
    }
}

/// The tree of fractions and the running sumcheck.
pub struct LookupProver {
    /// From the root's children down to the leaves; the layer in work is taken off the front.
    layers: std::collections::VecDeque<Layer>,
    running: Option<LayerSumcheck>,
}

impl LookupProver {
    /// Builds the tree of `witness` for the challenges γ and η.
    pub fn new(witness: &Witness, tree: &Tree, offset: Fr, combine: Fr) -> Self {
        let mut layers = std::collections::VecDeque::from([leaves(witness, tree, offset, combine)]);
        for _ in 1..tree.vars {
            let next = layers[0].parents();
            layers.push_front(next);
        }
        Self { layers, running: None }
    }

    /// The two fractions below the root: `n0 n1 d0 d1`.
    pub fn root(&mut self) -> Vec<Fr> {
        let Some(layer) = self.layers.pop_front() else { return vec![] };
        let ((n0, d0), (n1, d1)) = (layer.get(0), layer.get(1));
        vec![n0, n1, d0, d1]
    }

    /// Begins the sumcheck over the next layer's fractions, whose sums are claimed at `point`.
    pub fn begin_layer(&mut self, point: &[Fr], weight: Fr) {
        self.running = self.layers.pop_front().map(|children| LayerSumcheck::new(children, point, weight));
    }

    /// One round: see [`gradproof_circuits::sumcheck::eq_sumcheck`].
    pub fn round(&mut self, challenge: Option<Fr>, claim: Fr, eq: Fr) -> Vec<Fr> {
        let Some(running) = &mut self.running else { return vec![] };
        if let Some(challenge) = challenge {
            running.bind(challenge);
        }
        running.round(claim, eq)
    }

    /// The children's fractions where the sumcheck ended.
    pub fn children(&mut self, challenge: Fr) -> Vec<Fr> {
        let Some(mut running) = self.running.take() else { return vec![] };
        running.bind(challenge);
        running.children()
    }
}

/// Denominators `γ - fingerprint` of look-ups and tables, numerators of the tables.
fn leaves(witness: &Witness, tree: &Tree, offset: Fr, combine: Fr) -> Layer {
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
    let mut denominators = vec![Fr::one(); end];
    let mut numerators = vec![Fr::zero(); end - ones];
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
        let multiplicities = witness.small(gradproof_circuits::tensor::Tensor::Multiplicity(*table));
        denominators[slot.offset..slot.offset + known.len()].copy_from_slice(known);
        let at = slot.offset - ones;
        for (numerator, &count) in numerators[at..at + known.len()].iter_mut().zip(multiplicities) {
            *numerator = -Fr::from(count);
        }
    }
    Layer { ones, numerators, denominators }
}

/// Sumcheck over `eq · (λ·(n0·d1 + n1·d0) + d0·d1)`, lowest variable first.
///
/// With `a = λ·n0 + d0` and `b = λ·n1` the fraction is `a·d1 + b·d0`. Where both numerators are one it is
/// `(d0 + λ)(d1 + λ) - λ²`, a single product. Terms past the stored ones are `0/1` fractions, whose value is one.
struct LayerSumcheck {
    weight: Fr,
    eq: EqPrefixes,
    vars: usize,
    /// `d0 + λ`, `d1 + λ` of the leading terms, whose numerators are one.
    ones: [Vec<Fr>; 2],
    /// `a, b, d0, d1` of the other terms.
    rest: [Vec<Fr>; 4],
}

/// `a, b, d0, d1` of a padded term.
fn padding() -> [Fr; 4] {
    [Fr::one(), Fr::zero(), Fr::one(), Fr::one()]
}

impl LayerSumcheck {
    fn new(children: Layer, point: &[Fr], weight: Fr) -> Self {
        let ones = children.ones / 2;
        let terms = children.denominators.len().div_ceil(2);
        let side =
            |odd: usize| (0..ones).into_par_iter().map(|i| children.denominators[2 * i + odd] + weight).collect();
        let rest: Vec<[Fr; 4]> = (ones..terms)
            .into_par_iter()
            .map(|i| {
                let ((n0, d0), (n1, d1)) = (children.get(2 * i), children.get(2 * i + 1));
                [weight * n0 + d0, weight * n1, d0, d1]
            })
            .collect();
        let column = |i: usize| rest.par_iter().map(|term| term[i]).collect();
        Self {
            weight,
            eq: EqPrefixes::new(point),
            vars: point.len(),
            ones: [side(0), side(1)],
            rest: [column(0), column(1), column(2), column(3)],
        }
    }

    /// Gives up the short form of the leading terms.
    fn expand(&mut self) {
        let [left, right] = std::mem::take(&mut self.ones);
        let weight = self.weight;
        let back = |d: &Fr| *d - weight;
        let leading =
            [left.clone(), vec![weight; left.len()], left.iter().map(back).collect(), right.iter().map(back).collect()];
        for (rest, mut leading) in self.rest.iter_mut().zip(leading) {
            leading.append(rest);
            *rest = leading;
        }
    }

    fn round(&mut self, claim: Fr, w: Fr) -> Vec<Fr> {
        if self.ones[0].len() % 2 == 1 {
            self.expand();
        }
        let eq = self.eq.first(self.vars - 1);
        let inner = eq.inner.len();
        let ones = self.ones[0].len() / 2;
        let pairs = ones + self.rest[0].len().div_ceil(2);
        // Sums of eq·(g(0) - 1) and eq·(leading coefficient of g).
        let (at_zero, leading) = (0..pairs.div_ceil(inner))
            .into_par_iter()
            .map(|block| {
                let first = block * inner;
                let (short, end) = (ones.clamp(first, first + inner), pairs.min(first + inner));
                let (mut zero, mut lead) = self.sum_ones(first..short, eq.inner);
                let (z, l) = self.sum_rest(short..end, ones, &eq.inner[short - first..]);
                zero += z;
                lead += l;
                (eq.outer[block] * zero, eq.outer[block] * lead)
            })
            .reduce(|| (Fr::zero(), Fr::zero()), |a, b| (a.0 + b.0, a.1 + b.1));
        linear_form(claim, w, Fr::one() + at_zero, leading)
    }

    fn sum_ones(&self, pairs: std::ops::Range<usize>, eq: &[Fr]) -> (Fr, Fr) {
        let [left, right] = &self.ones;
        let (mut zero, mut lead, mut total) = (WideAccumulator::default(), WideAccumulator::default(), Fr::zero());
        for (j, e) in pairs.zip(eq) {
            let (l0, l1, r0, r1) = (left[2 * j], left[2 * j + 1], right[2 * j], right[2 * j + 1]);
            zero.add_product(e, &(l0 * r0));
            lead.add_product(e, &((l1 - l0) * (r1 - r0)));
            total += e;
        }
        (zero.finish() - total * (self.weight.square() + Fr::one()), lead.finish())
    }

    fn sum_rest(&self, pairs: std::ops::Range<usize>, ones: usize, eq: &[Fr]) -> (Fr, Fr) {
        let (mut zero, mut lead) = (WideAccumulator::default(), WideAccumulator::default());
        for (j, e) in pairs.zip(eq) {
            let i = 2 * (j - ones);
            let [a0, b0, l0, r0] = std::array::from_fn(|k| self.rest[k][i]);
            let pad = padding();
            let [a1, b1, l1, r1] = std::array::from_fn(|k| self.rest[k].get(i + 1).copied().unwrap_or(pad[k]));
            zero.add_product(e, &(Fr::sum_of_products(&[a0, b0], &[r0, l0]) - Fr::one()));
            lead.add_product(e, &Fr::sum_of_products(&[a1 - a0, b1 - b0], &[r1 - r0, l1 - l0]));
        }
        (zero.finish(), lead.finish())
    }

    fn bind(&mut self, r: Fr) {
        for column in &mut self.ones {
            *column = bound(column, r, Fr::zero());
        }
        for (column, pad) in self.rest.iter_mut().zip(padding()) {
            *column = bound(column, r, pad);
        }
        self.vars -= 1;
    }

    fn children(&mut self) -> Vec<Fr> {
        self.expand();
        let pad = padding();
        let [a, b, d0, d1] = std::array::from_fn(|k| self.rest[k].first().copied().unwrap_or(pad[k]));
        let inverse = self.weight.inverse().unwrap_or_default();
        vec![(a - d0) * inverse, b * inverse, d0, d1]
    }
}

/// The table with its lowest variable bound to `r`; `pad` stands past an odd end.
pub fn bound(table: &[Fr], r: Fr, pad: Fr) -> Vec<Fr> {
    let pair = |pair: &[Fr]| {
        let high = pair.get(1).copied().unwrap_or(pad);
        pair[0] + r * (high - pair[0])
    };
    if table.len() < CHUNK {
        table.chunks(2).map(pair).collect()
    } else {
        table.par_chunks(2).with_min_len(CHUNK / 4).map(pair).collect()
    }
}

/// The two coefficients that a round with a common `eq` sends, from `q(0)` and the leading coefficient.
///
/// `claim = q(0) + w·(a1 + a2)` gives `a1`.
pub fn linear_form(claim: Fr, w: Fr, at_zero: Fr, leading: Fr) -> Vec<Fr> {
    let slope = (claim - at_zero) * w.inverse().unwrap_or_default() - leading;
    vec![slope, leading]
}
