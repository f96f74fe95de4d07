//! What the length of the committed columns is chosen for.

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::relations::default_column_vars;

use crate::contract::gas::chain_column_vars;

/// What the length of columns is chosen for: many short ones prove fast, few long ones are cheap on a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Fast proofs, for verifiers that are programs.
    #[default]
    Local,
    /// Little gas, for contracts.
    Chain,
}

impl Profile {
    /// The binary logarithm of a column's length for this shape.
    pub fn column_vars(self, architecture: &Architecture) -> usize {
        match self {
            Self::Local => default_column_vars(architecture),
            Self::Chain => chain_column_vars(architecture),
        }
    }
}
