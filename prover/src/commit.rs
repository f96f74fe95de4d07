//! Hiding commitments to columns: `Σ x_i·[τ^i]G + s·H`.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::Zero;
use gradproof_verifier::protocol::powers::{Setup, SetupError};

use crate::columns::Column;
use crate::kernels::msm;

/// Columns with their blindings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The commitments.
    pub points: Vec<G1Affine>,
    /// The blindings, one a column.
    pub blindings: Vec<Fr>,
}

/// Commits to integer columns with the given blindings.
///
/// # Errors
/// If the set-up is shorter than a column.
pub fn commit(setup: &Setup, columns: &[Column<'_>], blindings: Vec<Fr>) -> Result<Committed, SetupError> {
    let sums = sums(setup, columns)?;
    let blinded: Vec<G1Projective> =
        sums.into_iter().zip(&blindings).map(|(sum, s)| sum + setup.key.blinder * s).collect();
    Ok(Committed { points: G1Projective::normalize_batch(&blinded), blindings })
}

/// The bare multi-scalar multiplications of columns: the floor of every prover of this kind.
///
/// # Errors
/// If the set-up is shorter than a column.
pub fn sums(setup: &Setup, columns: &[Column<'_>]) -> Result<Vec<G1Projective>, SetupError> {
    let mut small = Vec::new();
    let mut wide = Vec::new();
    let longest = columns.iter().map(Column::len).max().unwrap_or(0);
    let bases = setup.bases(longest)?;
    for (i, column) in columns.iter().enumerate() {
        match column {
            Column::Small(values) => small.push((i, values.as_ref())),
            Column::Wide(values) => wide.push((i, values.as_ref())),
        }
    }
    let short = |_| SetupError::TooShort { got: longest, powers: setup.powers.len() };
    let small_values: Vec<&[i32]> = small.iter().map(|(_, values)| *values).collect();
    let wide_values: Vec<&[i64]> = wide.iter().map(|(_, values)| *values).collect();
    let mut sums = vec![G1Projective::zero(); columns.len()];
    for ((i, _), sum) in small.iter().zip(msm::small_many(bases, &small_values).map_err(short)?) {
        sums[*i] = sum;
    }
    for ((i, _), sum) in wide.iter().zip(msm::wide_many(bases, &wide_values).map_err(short)?) {
        sums[*i] = sum;
    }
    Ok(sums)
}

/// Commits to a column of field elements.
///
/// # Errors
/// If the set-up is shorter than the column.
pub fn commit_full(setup: &Setup, column: &[Fr], blinding: Fr) -> Result<G1Affine, SetupError> {
    let short = |_| SetupError::TooShort { got: column.len(), powers: setup.powers.len() };
    let sum = msm::full(&setup.powers, column).map_err(short)?;
    Ok((sum + setup.key.blinder * blinding).into_affine())
}
