//! The verifying key under any set-up: commits to the public tables.

use ark_bn254::G1Projective;
use ark_ec::CurveGroup;
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::arithmetic::exponential_table;
use gradproof_verifier::key::VerifyingKey;

use crate::columns::Column;
use crate::commit::sums;
use crate::prove::ProveError;
use crate::setup::Setup;

/// The key of a shape under `setup`.
///
/// # Errors
/// If the set-up is shorter than a column, or the shape is refused.
pub fn verifying_key(
    setup: &Setup,
    architecture: &Architecture,
    column_vars: usize,
) -> Result<VerifyingKey, ProveError> {
    let table: Vec<i32> = exponential_table(&architecture.precision).into_iter().map(i32::from).collect();
    let columns: Vec<_> = table.chunks(1 << column_vars).map(|chunk| Column::Small(chunk.into())).collect();
    let tables = G1Projective::normalize_batch(&sums(setup, &columns)?);
    Ok(VerifyingKey::new(architecture, column_vars, setup.key, tables)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradproof_circuits::arithmetic::Precision;

    #[test]
    fn the_insecure_key_is_the_one_that_verifiers_make() {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
        let architecture = Architecture { widths: vec![3, 4, 2], batch: 2, steps: 2, precision };
        for column_vars in [8, 16, 17] {
            let setup = Setup::insecure(column_vars as u32).expect("small enough");
            let key = verifying_key(&setup, &architecture, column_vars).expect("the shape is possible");
            let expected = VerifyingKey::insecure(&architecture, column_vars).expect("the shape is possible");
            assert_eq!(key.digest(), expected.digest());
        }
    }
}
