//! What the length of the committed columns is chosen for.

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::relations::{Relations, Subject, default_column_vars};

use crate::contract::gas::chain_column_vars;
use crate::proof::ProofKind;
use crate::wrap::key::circuit;

/// What the length of columns is chosen for: many short ones are committed to fast, few long ones are cheap on a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Fast proofs of the kind that is made, for verifiers that are programs.
    #[default]
    Local,
    /// Little gas, for contracts.
    Chain,
}

impl Profile {
    /// The binary logarithm of a column's length for this shape.
    pub fn column_vars(self, architecture: &Architecture, kind: ProofKind) -> usize {
        match (self, kind) {
            (Self::Local, ProofKind::Core) => default_column_vars(architecture),
            (Self::Local, ProofKind::Wrapped) => wrapped_column_vars(architecture),
            (Self::Chain, _) => chain_column_vars(architecture),
        }
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
        let Ok((_, size_bits)) = circuit(&Relations::new(Subject::Segment, architecture, vars)) else { break };
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
    use gradproof_circuits::arithmetic::Precision;

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
            let architecture = Architecture { widths, batch, steps, precision };
            let kinds = [ProofKind::Core, ProofKind::Wrapped];
            let chosen = kinds.map(|kind| Profile::Local.column_vars(&architecture, kind));
            assert_eq!(chosen, fastest, "{:?}, T {steps}", architecture.widths);
        }
    }
}
