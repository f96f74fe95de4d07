//! How long committed columns are for each purpose.

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::relations::{Relations, Subject, default_column_vars};
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::profile::Profile;
use gradproof_verifier::protocol::wrap::key::circuit;

use crate::gas::chain_column_vars;

/// The binary logarithm of the length of a column that serves `profile` in proofs of `kind` of this shape.
pub fn column_vars(profile: Profile, architecture: &Architecture, kind: ProofKind) -> usize {
    match (profile, kind) {
        (Profile::Local, ProofKind::Core) => default_column_vars(architecture),
        (Profile::Local, ProofKind::Wrapped) => wrapped_column_vars(architecture),
        (Profile::Chain, _) => chain_column_vars(architecture),
    }
}

/// Shortest and longest columns that are looked at.
const SIZES: std::ops::RangeInclusive<usize> = 10..=18;
/// What a row of the circuit costs against an entry of a column, both of them in full-width multi-scalar multiplications: the
/// proof of 2^14 rows takes 2.5 s where the random column and the opening of 2^18 entries take 2.6 s (docs/benchmarks.md).
const ROW_COST: u64 = 15;

/// The column size with which wrapped proofs of a segment are made fastest.
///
/// A circuit absorbs every column, so that short columns cost rows, which double; long ones cost a random column and an opening
/// of their length. What the columns themselves cost does not change much.
fn wrapped_column_vars(architecture: &Architecture) -> usize {
    let mut best = (u64::MAX, *SIZES.end());
    // From few columns to many: the circuit only grows.
    for vars in SIZES.rev() {
        let relations = Relations::new(Subject::Segment, architecture, vars);
        let Ok((_, size_bits)) = circuit(&relations) else { break };
        let rows = ROW_COST << size_bits;
        if rows > best.0 {
            break;
        }
        best = best.min((rows + (1 << vars), vars));
    }
    best.1
}

#[cfg(test)]
mod tests {
    use gradproof_circuits::network::precision::Precision;

    use super::*;

    /// The fastest sizes of the tables in docs/benchmarks.md, or within a tenth of a second of them.
    #[test]
    fn columns_are_those_that_were_measured_to_be_fastest() {
        for (widths, batch, steps, fastest) in [
            (vec![784, 32, 10], 64, 32, [12, 14]),
            (vec![784, 128, 128, 10], 64, 16, [12, 14]),
            (vec![784, 128, 128, 10], 64, 64, [14, 17]),
            (vec![6, 5, 4, 3], 4, 4, [10, 10]),
        ] {
            let precision = Precision::of_classes(10);
            let architecture = Architecture::perceptron(&widths, batch, steps, precision).expect("it is possible");
            let kinds = [ProofKind::Core, ProofKind::Wrapped];
            let chosen = kinds.map(|kind| column_vars(Profile::Local, &architecture, kind));
            assert_eq!(chosen, fastest, "{widths:?}, T {steps}");
        }
    }
}
