//! The prover of the pointwise relations: one sumcheck with a common `eq`.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, Zero};
use gradproof_circuits::algebra::Native;
use gradproof_circuits::architecture::{Architecture, Live};
use gradproof_circuits::check::Strict;
use gradproof_circuits::relations::{Mask, Pointwise};
use rayon::prelude::*;

use crate::eq::EqPrefixes;
use crate::lookup::{bound, linear_form};
use crate::witness::{Values, Witness};

/// One relation with its tables, over its own variables: the lowest of the sumcheck.
struct Instance {
    relation: Pointwise,
    weights: Vec<Fr>,
    tensors: Vec<Vec<Fr>>,
    masks: Vec<Vec<Fr>>,
    eq: EqPrefixes,
    vars: usize,
}

/// The running sumcheck.
pub struct PointwiseProver {
    architecture: Architecture,
    instances: Vec<Instance>,
    round: usize,
}

fn field_table(values: Option<&Values>, repeat: usize) -> Vec<Fr> {
    let spread = |v: Fr| std::iter::repeat_n(v, repeat);
    match values {
        Some(Values::Small(values)) => values.par_iter().map(|&v| Fr::from(v)).flat_map_iter(spread).collect(),
        Some(Values::Wide(values)) => values.par_iter().map(|&v| Fr::from(v)).flat_map_iter(spread).collect(),
        None => vec![],
    }
}

/// The entries of a public mask over (row, column).
fn mask_table(mask: Mask, architecture: &Architecture, live: Live, vars: usize, column_vars: usize) -> Vec<Fr> {
    let batch = architecture.row_vars();
    (0..1usize << vars)
        .map(|entry| {
            let (row, column) = (entry >> column_vars, entry & ((1 << column_vars) - 1));
            Fr::from(match mask {
                Mask::Columns(count) => column < count,
                Mask::Rows(count, _) => row < count,
                Mask::Live => (row & ((1 << batch) - 1)) < architecture.live_rows(live, row >> batch),
            })
        })
        .collect()
}

impl PointwiseProver {
    /// Begins the sumcheck at `point`, the relations weighted by powers of `combine`.
    pub fn new(
        architecture: &Architecture,
        live: Live,
        relations: &[Pointwise],
        witness: &Witness,
        point: &[Fr],
        combine: Fr,
    ) -> Self {
        let mut weight = Fr::from(1);
        let instances = relations
            .iter()
            .map(|relation| {
                let (vars, column_vars) = relation.vars(architecture);
                let weights = (0..relation.count())
                    .map(|_| {
                        let current = weight;
                        weight *= combine;
                        current
                    })
                    .collect();
                let tensors = relation.tensors(architecture);
                let tensors = tensors.iter().map(|(tensor, per_sample)| {
                    field_table(witness.tensors.get(tensor), if *per_sample { 1 << column_vars } else { 1 })
                });
                let masks = relation.masks(architecture);
                let masks = masks.iter().map(|mask| mask_table(*mask, architecture, live, vars, column_vars));
                Instance {
                    relation: *relation,
                    weights,
                    tensors: tensors.collect(),
                    masks: masks.collect(),
                    eq: EqPrefixes::new(&point[point.len() - vars..]),
                    vars,
                }
            })
            .collect();
        Self { architecture: architecture.clone(), instances, round: 0 }
    }

    /// One round: see [`gradproof_circuits::sumcheck::eq_sumcheck`].
    pub fn round(&mut self, challenge: Option<Fr>, claim: Fr, w: Fr) -> Vec<Fr> {
        if let Some(challenge) = challenge {
            self.bind(challenge);
        }
        let (mut at_zero, mut leading) = (Fr::zero(), Fr::zero());
        for instance in &self.instances {
            let (zero, lead) = instance.sums(&self.architecture, self.round);
            at_zero += zero;
            leading += lead;
        }
        linear_form(claim, w, at_zero, leading)
    }

    fn bind(&mut self, r: Fr) {
        for instance in &mut self.instances {
            if self.round < instance.vars {
                for table in instance.tensors.iter_mut().chain(&mut instance.masks) {
                    *table = bound(table, r, Fr::zero());
                }
            }
        }
        self.round += 1;
    }

    /// The tensors' values where the sumcheck ended.
    pub fn evaluations(&mut self, challenge: Option<Fr>) -> Vec<Fr> {
        if let Some(challenge) = challenge {
            self.bind(challenge);
        }
        self.instances.iter().flat_map(|instance| instance.tensors.iter().map(|table| table[0])).collect()
    }
}

impl Instance {
    /// Sums of `eq · q(0)` and `eq · (leading coefficient of q)`.
    fn sums(&self, architecture: &Architecture, round: usize) -> (Fr, Fr) {
        if round >= self.vars {
            return (self.value(architecture, |table| table[0]), Fr::zero());
        }
        let eq = self.eq.first(self.vars - round - 1);
        let inner = eq.inner.len();
        let half = Fr::from(2).inverse().unwrap_or_default();
        eq.outer
            .par_iter()
            .enumerate()
            .map(|(block, outer)| {
                let (mut zero, mut lead) = (Fr::zero(), Fr::zero());
                for (i, e) in eq.inner.iter().enumerate() {
                    let j = block * inner + i;
                    let (at_zero, leading) =
                        if let (Pointwise::MaskedProduct(_), [m, v]) = (self.relation, &self.tensors[..]) {
                            (m[2 * j] * v[2 * j], (m[2 * j + 1] - m[2 * j]) * (v[2 * j + 1] - v[2 * j]))
                        } else {
                            let at_zero = self.value(architecture, |table| table[2 * j]);
                            let at_one = self.value(architecture, |table| table[2 * j + 1]);
                            let at_two = self.value(architecture, |table| table[2 * j + 1].double() - table[2 * j]);
                            (at_zero, (at_two - at_one.double() + at_zero) * half)
                        };
                    zero += *e * at_zero;
                    lead += *e * leading;
                }
                let weight =
                    if matches!(self.relation, Pointwise::MaskedProduct(_)) { self.weights[0] * outer } else { *outer };
                (weight * zero, weight * lead)
            })
            .reduce(|| (Fr::zero(), Fr::zero()), |a, b| (a.0 + b.0, a.1 + b.1))
    }

    /// The weighted sum of the relations' values, where `at` reads each table.
    fn value(&self, architecture: &Architecture, at: impl Fn(&[Fr]) -> Fr) -> Fr {
        let tensors: Vec<Fr> = self.tensors.iter().map(|table| at(table)).collect();
        let masks: Vec<Fr> = self.masks.iter().map(|table| at(table)).collect();
        let values = self.relation.values(&mut Native { judge: Strict }, architecture, &tensors, &masks);
        values.iter().zip(&self.weights).map(|(value, weight)| *value * weight).sum()
    }
}
