//! Why a contract cannot be written.

/// Why no contract can be written for a verifying key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The circuit uses something that the contract does not do.
    #[error("a contract cannot verify a circuit with {feature}")]
    Unsupported {
        /// What it uses.
        feature: &'static str,
    },
    /// The numbers of instances are not one for each instance column.
    #[error("the circuit has {expected} instance columns, got the lengths of {got}")]
    InstanceColumns {
        /// Instance columns of the circuit.
        expected: usize,
        /// Lengths given.
        got: usize,
    },
    /// There are more instances than usable rows.
    #[error("{got} instances in a column of {expected} usable rows")]
    TooManyInstances {
        /// Rows that are not for blinding.
        expected: usize,
        /// Instances given.
        got: usize,
    },
    /// The degree of the verifying key is below that of a gate, so that no proof could be right.
    ///
    /// halo2-axiom lowers the degree of a circuit to 5, unless `ConstraintSystem::set_minimum_degree` raises it.
    #[error("a gate has degree {got}, the verifying key allows {expected}; set the minimum degree of the circuit")]
    Degree {
        /// Degree for which the quotient has enough pieces.
        expected: usize,
        /// Degree of the gate.
        got: usize,
    },
    /// One column is asked for twice at the same row.
    #[error("two rotations of one column are the same row")]
    Collision,
}
