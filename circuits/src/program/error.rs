//! Why a graph has no program.

use super::tensor::Tensor;

/// Why a graph cannot be lowered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// An operator does not take its inputs, or what it is given back.
    #[error("node {node}, {operator}: {what}")]
    Refused {
        /// The node.
        node: usize,
        /// Its operator.
        operator: &'static str,
        /// What is wrong.
        what: String,
    },
    /// A relation could wrap around in the field.
    #[error("{tensor}: {what}")]
    Bound {
        /// What is too large, or not bounded.
        tensor: Tensor,
        /// In which way.
        what: String,
    },
}
