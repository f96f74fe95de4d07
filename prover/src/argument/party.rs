//! The prover as the party that answers the argument: one state for each part, in protocol order.

use ark_bn254::Fr;
use gradproof_circuits::argument::transcript::{Ask, Party};
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::{Check, Judge, Rejection};
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::relations::Relations;
use rayon::prelude::*;

use crate::argument::lookup::LookupProver;
use crate::argument::merge::MergeProver;
use crate::argument::pointwise::PointwiseProver;
use crate::argument::products::ProductProver;
use crate::columns::Column;
use crate::kernels::dot::dot;
use crate::kernels::eq::eq_table;
use crate::witness::{Values, Witness};

/// Which sumcheck is running.
enum Stage<'a> {
    Idle,
    Lookup(LookupProver),
    Pointwise(PointwiseProver<'a>),
    Products(ProductProver<'a>),
    Merge(MergeProver<'a>),
}

/// Answers the argument from a witness, and keeps the answers: they are the proof.
pub struct Prover<'a> {
    relations: &'a Relations,
    witness: &'a Witness,
    columns: &'a [Column<'a>],
    live: Live,
    rate: Fr,
    salt: Fr,
    mask: &'a [Fr],
    stage: Stage<'a>,
    leaf: Vec<Fr>,
    /// Everything answered so far.
    pub messages: Vec<Fr>,
    /// Time spent in each part.
    pub clock: Clock,
}

/// Seconds spent in each part of the argument.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// The look-up argument.
    pub lookup_secs: f64,
    /// The pointwise relations.
    pub pointwise_secs: f64,
    /// Products and updates of the weights.
    pub product_secs: f64,
    /// Merging the claims.
    pub merge_secs: f64,
}

/// The random parts of a proof that its argument sees.
pub struct Secrets<'a> {
    /// First message of the transcript.
    pub salt: Fr,
    /// The random column.
    pub mask: &'a [Fr],
}

impl<'a> Prover<'a> {
    /// A prover for `relations` over `witness`, whose committed columns are `columns`.
    pub fn new(
        relations: &'a Relations,
        witness: &'a Witness,
        columns: &'a [Column<'a>],
        live: Live,
        rate: u32,
        secrets: Secrets<'a>,
    ) -> Self {
        Self {
            relations,
            witness,
            columns,
            live,
            rate: Fr::from(rate),
            salt: secrets.salt,
            mask: secrets.mask,
            stage: Stage::Idle,
            leaf: vec![],
            messages: vec![],
            clock: Clock::default(),
        }
    }

    /// The answer; an error if it is asked for out of order, which the argument never does.
    fn respond(&mut self, ask: Ask<'_, Fr>) -> Result<Vec<Fr>, Rejection> {
        let relations = self.relations;
        let out_of_order = Rejection { check: Check::Length };
        Ok(match (ask, &mut self.stage) {
            (Ask::Salt, _) => vec![self.salt],
            (Ask::LookupRoot { offset, combine }, _) => {
                let mut prover = LookupProver::new(self.witness, &relations.tree, *offset, *combine)?;
                let root = prover.root();
                self.stage = Stage::Lookup(prover);
                root
            }
            (Ask::LookupLayer { point, weight }, Stage::Lookup(prover)) => {
                prover.begin_layer(point, *weight);
                vec![]
            }
            (Ask::LookupChildren { challenge }, Stage::Lookup(prover)) => prover.children(*challenge),
            (Ask::LookupEvaluations { point }, _) => {
                self.stage = Stage::Idle;
                self.leaf = point.to_vec();
                self.looked_up(point)?
            }
            (Ask::Pointwise { point, combine }, _) => {
                let prover = PointwiseProver::new(
                    &relations.architecture,
                    self.live,
                    &relations.pointwise,
                    self.witness,
                    point,
                    *combine,
                )?;
                self.stage = Stage::Pointwise(prover);
                vec![]
            }
            (Ask::PointwiseEvaluations { point }, Stage::Pointwise(prover)) => {
                let values = prover.evaluations(point.first().copied());
                self.stage = match relations.sums.is_empty() {
                    false => {
                        Stage::Products(ProductProver::new(relations, self.witness, self.rate, &self.leaf, point)?)
                    }
                    true => Stage::Idle,
                };
                values
            }
            (Ask::AddendEvaluations { .. }, Stage::Products(prover)) => prover.addends()?,
            (Ask::Product { combine }, Stage::Products(prover)) => {
                prover.begin_products(*combine);
                vec![]
            }
            (Ask::ProductEvaluations { point }, Stage::Products(prover)) => prover.product_evaluations(point),
            (Ask::ParameterEvaluations, Stage::Products(prover)) => prover.parameters()?,
            (Ask::Weight { combine }, Stage::Products(prover)) => {
                prover.begin_weights(*combine)?;
                vec![]
            }
            (Ask::WeightEvaluations { point }, Stage::Products(prover)) => prover.weight_evaluations(point),
            (Ask::Merge { combine, claims }, _) => {
                self.stage = Stage::Merge(MergeProver::new(&relations.layout, self.columns, claims, *combine));
                vec![]
            }
            (Ask::ColumnEvaluations { point }, Stage::Merge(prover)) => {
                let mut values = prover.evaluations(point);
                let eq = eq_table(point);
                values.push(eq.iter().zip(self.mask).map(|(e, m)| *e * m).sum());
                values
            }
            (Ask::Round { challenge, claim, eq }, stage) => {
                let challenge = challenge.copied();
                match (stage, eq) {
                    (Stage::Lookup(prover), Some(eq)) => prover.round(challenge, *claim, *eq),
                    (Stage::Pointwise(prover), Some(eq)) => prover.round(challenge, *claim, *eq)?,
                    (Stage::Products(prover), _) => prover.round(challenge),
                    (Stage::Merge(prover), _) => prover.round(challenge),
                    _ => return Err(out_of_order),
                }
            }
            _ => return Err(out_of_order),
        })
    }

    /// Evaluations of the looked-up tensors at their parts of the leaf point, of which there are few different ones.
    fn looked_up(&self, point: &[Fr]) -> Result<Vec<Fr>, Rejection> {
        let parts = &self.relations.tree.tensors;
        let mut tables: Vec<(&[Fr], Vec<Fr>)> = Vec::new();
        for part in parts {
            let own = part.of(point)?;
            if !tables.iter().any(|(known, _)| *known == own) {
                tables.push((own, eq_table(own)));
            }
        }
        parts
            .par_iter()
            .map(|part| {
                let own = part.of(point)?;
                let eq = tables.iter().find(|(known, _)| *known == own).map_or(&[][..], |(_, eq)| eq);
                match self.witness.tensors.get(&part.tensor) {
                    Some(Values::Small(values)) => Ok(dot(eq, values)),
                    Some(Values::Wide(values)) => Ok(dot(eq, values)),
                    None => Err(Rejection { check: Check::Length }),
                }
            })
            .collect()
    }
}

impl<J: Judge> Party<Native<J>> for Prover<'_> {
    fn answer(&mut self, _: &mut Native<J>, ask: Ask<'_, Fr>, count: usize) -> Result<Vec<Fr>, Rejection> {
        let begin = std::time::Instant::now();
        let answer = self.respond(ask)?;
        // The channel refuses an answer of another length.
        debug_assert_eq!(answer.len(), count, "{ask:?}");
        let secs = begin.elapsed().as_secs_f64();
        match &self.stage {
            Stage::Lookup(_) => self.clock.lookup_secs += secs,
            Stage::Pointwise(_) => self.clock.pointwise_secs += secs,
            Stage::Products(_) => self.clock.product_secs += secs,
            Stage::Merge(_) => self.clock.merge_secs += secs,
            Stage::Idle => match ask {
                Ask::LookupEvaluations { .. } => self.clock.lookup_secs += secs,
                _ => self.clock.pointwise_secs += secs,
            },
        }
        self.messages.extend_from_slice(&answer);
        Ok(answer)
    }
}
