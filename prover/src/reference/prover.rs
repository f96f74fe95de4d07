//! A prover that computes every answer of the argument in the plainest way.

use ark_bn254::Fr;
use gradproof_circuits::argument::transcript::{Ask, Party};
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::{Judge, Rejection};
use gradproof_circuits::program::Publics;
use gradproof_circuits::relations::{Evaluated, Relations};

use super::cube;
use super::lookup::Lookup;
use super::merge;
use super::pointwise::Pointwise;
use super::products::Products;
use super::sumcheck::Sumcheck;
use crate::argument::party::Secrets;
use crate::witness::Witness;

/// Which sumcheck is running.
enum Stage<'a> {
    Idle,
    Lookup(Lookup),
    Pointwise(Pointwise<'a>),
    Products(Products<'a>),
    Merge(Sumcheck<'a>),
}

/// Answers the argument as [`party::Prover`](crate::argument::party::Prover) does, message for message.
pub struct Prover<'a> {
    relations: &'a Relations,
    witness: &'a Witness,
    publics: &'a Publics<Fr>,
    secrets: Secrets<'a>,
    stage: Stage<'a>,
    leaf: Vec<Fr>,
    /// Everything answered so far.
    pub messages: Vec<Fr>,
}

impl<'a> Prover<'a> {
    /// A prover for `relations` over `witness`.
    pub fn new(relations: &'a Relations, witness: &'a Witness, publics: &'a Publics<Fr>, secrets: Secrets<'a>) -> Self {
        Self { relations, witness, publics, secrets, stage: Stage::Idle, leaf: vec![], messages: vec![] }
    }

    fn respond(&mut self, ask: Ask<'_, Fr>) -> Result<Vec<Fr>, Rejection> {
        let relations = self.relations;
        Ok(match (ask, &mut self.stage) {
            (Ask::Salt, _) => vec![self.secrets.salt],
            (Ask::LookupRoot { offset, combine }, _) => {
                let lookup = Lookup::new(self.witness, &relations.tree, *offset, *combine);
                let root = lookup.root();
                self.stage = Stage::Lookup(lookup);
                root
            }
            (Ask::LookupLayer { point, weight }, Stage::Lookup(lookup)) => {
                lookup.begin_layer(point, *weight);
                vec![]
            }
            (Ask::LookupChildren { challenge }, Stage::Lookup(lookup)) => lookup.children(*challenge),
            (Ask::LookupEvaluations { point }, _) => {
                self.leaf = point.to_vec();
                let at =
                    |tensor, point: &[Fr]| cube::extension(&cube::tensor(self.witness, tensor, point.len()), point);
                let evaluated = |part: &Evaluated| Ok(at(part.tensor, part.of(point)?));
                relations.tree.tensors.iter().map(evaluated).collect::<Result<_, Rejection>>()?
            }
            (Ask::Pointwise { point, combine }, _) => {
                self.stage = Stage::Pointwise(Pointwise::new(relations, self.publics, self.witness, point, *combine)?);
                vec![]
            }
            (Ask::PointwiseEvaluations { point }, Stage::Pointwise(pointwise)) => {
                let values = pointwise.evaluations(point.first().copied());
                if !relations.sums.is_empty() {
                    let rate = self.publics.rate;
                    self.stage = Stage::Products(Products::new(relations, self.witness, rate, &self.leaf, point));
                }
                values
            }
            (Ask::AddendEvaluations { .. }, Stage::Products(products)) => products.addends(),
            (Ask::Product { combine }, Stage::Products(products)) => {
                products.begin_products(*combine);
                vec![]
            }
            (Ask::ProductEvaluations { point }, Stage::Products(products)) => products.product_evaluations(point),
            (Ask::ParameterEvaluations, Stage::Products(products)) => products.parameters(),
            (Ask::Weight { combine }, Stage::Products(products)) => {
                products.begin_weights(*combine);
                vec![]
            }
            (Ask::WeightEvaluations { point }, Stage::Products(products)) => products.weight_evaluations(point),
            (Ask::Merge { combine, claims }, _) => {
                self.stage = Stage::Merge(merge::merge(&relations.layout, self.witness, claims, *combine));
                vec![]
            }
            (Ask::ColumnEvaluations { point }, _) => {
                let mut values = merge::evaluations(&relations.layout, self.witness, point);
                values.push(cube::extension(self.secrets.mask, point));
                values
            }
            (Ask::Round { challenge, .. }, Stage::Lookup(lookup)) => lookup.round(challenge.copied()),
            (Ask::Round { challenge, .. }, Stage::Pointwise(pointwise)) => pointwise.round(challenge.copied()),
            (Ask::Round { challenge, .. }, Stage::Products(products)) => products.round(challenge.copied()),
            (Ask::Round { challenge, .. }, Stage::Merge(sum)) => sum.round(challenge.copied()),
            _ => vec![],
        })
    }
}

impl<J: Judge> Party<Native<J>> for Prover<'_> {
    fn answer(&mut self, _: &mut Native<J>, ask: Ask<'_, Fr>, _: usize) -> Result<Vec<Fr>, Rejection> {
        let answer = self.respond(ask)?;
        self.messages.extend_from_slice(&answer);
        Ok(answer)
    }
}
