//! Commitments to parameters, opened: recomputed from the parameters and their seed, and compared.

use ark_bn254::G1Affine;
use eyre::Result;
use gradproof_circuits::program::Tensor;
use gradproof_circuits::relations::{Group, Subject};
use gradproof_circuits::trace::Parameters;
use gradproof_prover::registration::{Blinding, commit_parameters};
use gradproof_prover::witness::Witness;
use gradproof_training::parameters::tensor_name;
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::powers::Setup;

/// What commitments to parameters, recomputed, do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differs {
    /// The first tensor in the order of the layers whose commitment differs, with those that are committed to together with it.
    pub tensors: Vec<String>,
    /// Commitments that differ.
    pub columns: usize,
    /// All commitments.
    pub of: usize,
}

impl std::fmt::Display for Differs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tensors = match &self.tensors[..] {
            [tensor] => tensor.clone(),
            tensors => format!("one of {}, which share a commitment,", tensors.join(", ")),
        };
        // With one commitment to all parameters nobody can tell.
        if self.columns == self.of && self.of > 1 {
            write!(
                f,
                "nothing fits: these are the weights of another job or step, or they were blinded otherwise than agreed"
            )
        } else if self.of == 1 {
            write!(f, "{tensors} differs from what was proved, or these are the weights of another job or step")
        } else {
            write!(f, "{tensors} differs from what was proved")
        }
    }
}

/// Opens the commitments `proved` to parameters with the secret of their blindings.
///
/// # Errors
/// If the set-up is too short.
pub fn open(
    key: &VerifyingKey,
    setup: &Setup,
    parameters: &Parameters,
    secret: &[u8; 32],
    proved: &[G1Affine],
) -> Result<Result<(), Differs>> {
    let witness = Witness::of_parameters(key.architecture(), parameters)?;
    let recomputed = commit_parameters(key, setup, &witness, Blinding::Opening(secret))?.points;
    let differing: Vec<bool> = recomputed.iter().zip(proved).map(|(a, b)| a != b).collect();
    let columns = differing.iter().filter(|differs| **differs).count() + recomputed.len().abs_diff(proved.len());
    if columns == 0 {
        return Ok(Ok(()));
    }
    Ok(Err(Differs { tensors: first_tensors(key, &differing), columns, of: recomputed.len() }))
}

/// Names of the tensors in the first column that differs, in the order of the layers.
fn first_tensors(key: &VerifyingKey, differing: &[bool]) -> Vec<String> {
    let layout = &key.relations(Subject::Parameters).layout;
    let begin = layout.group(Group::First).start;
    let columns = |tensor: Tensor| {
        let place = layout.place(tensor);
        place.map_or(0..0, |place| {
            let first = place.column - begin;
            first..first + (1usize << place.vars.saturating_sub(layout.column_vars))
        })
    };
    let parameters = &key.architecture().program().parameters;
    let differs = |column: &usize| differing.get(*column).copied().unwrap_or(false);
    let first = parameters.iter().find_map(|parameter| columns(parameter.ends[0]).find(differs));
    let held =
        parameters.iter().filter(|parameter| first.is_some_and(|first| columns(parameter.ends[0]).contains(&first)));
    held.map(tensor_name).collect()
}
