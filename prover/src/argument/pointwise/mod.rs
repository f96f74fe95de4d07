//! The prover of the pointwise relations: one sumcheck with a common `eq`.

mod general;
mod masked;

use ark_bn254::Fr;
use ark_ff::{One, Zero};
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::field::check::Rejection;
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::program::Pointwise;

use crate::kernels::tables::linear_form;
use crate::witness::{Values, Witness, WitnessError};
use general::GeneralSum;
use masked::MaskedSum;

/// The sum of one relation over its own variables: the lowest of the sumcheck.
enum RelationSum<'a> {
    Masked(MaskedSum<'a>),
    General(GeneralSum<'a>),
}

/// The running sumcheck.
pub struct PointwiseProver<'a> {
    sums: Vec<RelationSum<'a>>,
}

impl<'a> PointwiseProver<'a> {
    /// Begins the sumcheck at `point`, the relations weighted by powers of `combine`.
    ///
    /// # Errors
    /// The witness lacks a tensor.
    pub fn new(
        architecture: &Architecture,
        live: Live,
        relations: &'a [Pointwise],
        witness: &'a Witness,
        point: &[Fr],
        combine: Fr,
    ) -> Result<Self, WitnessError> {
        let mut powers = std::iter::successors(Some(Fr::one()), |power| Some(*power * combine));
        let sums = relations
            .iter()
            .map(|relation| {
                let weights: Vec<Fr> = powers.by_ref().take(relation.formula.count()).collect();
                let own = &point[point.len() - relation.vars..];
                Ok(match relation.tensors[..] {
                    [(mask, false), (product, false)]
                        if relation.formula.is_product()
                            && matches!(witness.tensors.get(&product), Some(Values::Wide(_))) =>
                    {
                        RelationSum::Masked(MaskedSum::new(witness, mask, product, weights[0], own)?)
                    }
                    _ => RelationSum::General(GeneralSum::new(architecture, live, relation, weights, witness, own)?),
                })
            })
            .collect::<Result<_, WitnessError>>()?;
        Ok(Self { sums })
    }

    /// One round: see [`gradproof_circuits::argument::sumcheck::eq_sumcheck`].
    ///
    /// # Errors
    /// A relation does not take its tables.
    pub fn round(&mut self, challenge: Option<Fr>, claim: Fr, w: Fr) -> Result<Vec<Fr>, Rejection> {
        self.bind(challenge);
        let [mut at_zero, mut leading] = [Fr::zero(); 2];
        for sum in &self.sums {
            let [zero, lead] = match sum {
                RelationSum::Masked(sum) => sum.sums(),
                RelationSum::General(sum) => sum.sums()?,
            };
            at_zero += zero;
            leading += lead;
        }
        Ok(linear_form(claim, w, at_zero, leading))
    }

    fn bind(&mut self, challenge: Option<Fr>) {
        let Some(r) = challenge else { return };
        for sum in &mut self.sums {
            match sum {
                RelationSum::Masked(sum) => sum.bind(r),
                RelationSum::General(sum) => sum.bind(r),
            }
        }
    }

    /// The tensors' values where the sumcheck ended.
    pub fn evaluations(&mut self, challenge: Option<Fr>) -> Vec<Fr> {
        self.bind(challenge);
        self.sums
            .iter()
            .flat_map(|sum| match sum {
                RelationSum::Masked(sum) => sum.values().to_vec(),
                RelationSum::General(sum) => sum.values(),
            })
            .collect()
    }
}
