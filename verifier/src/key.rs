//! The verifying key: everything about a proof that does not change within a job.

use ark_bn254::{Fr, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Zero;
use gradproof_circuits::architecture::{Architecture, ArchitectureError};
use gradproof_circuits::arithmetic::{KEYS, exponential_table};
use gradproof_circuits::relations::{Relations, Subject};
use gradproof_circuits::tensor::Group;

use crate::keccak::keccak256;
use crate::points::encode_g1;
use crate::setup::{SetupKey, insecure_tau};

/// Shortest columns, in variables.
pub const MIN_COLUMN_VARS: usize = 4;
/// Longest columns, in variables.
pub const MAX_COLUMN_VARS: usize = 21;

/// Architecture, column size, set-up and public tables, with the relations that follow from them.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    /// The verifier's part of the set-up.
    pub setup: SetupKey,
    /// Variables of a column.
    pub column_vars: usize,
    /// Commitments to the columns of the exponential table, blinding zero.
    pub tables: Vec<G1Affine>,
    relations: [Relations; 3],
}

/// Why there is no verifying key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The architecture is refused.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// Columns too short or too long.
    #[error("columns of 2^{got} entries, expected 2^{MIN_COLUMN_VARS} to 2^{MAX_COLUMN_VARS}")]
    Columns {
        /// Variables given.
        got: usize,
    },
    /// Another number of commitments to the tables.
    #[error("{got} commitments to the tables, expected {expected}")]
    Tables {
        /// What the layout asks for.
        expected: usize,
        /// What was given.
        got: usize,
    },
}

impl VerifyingKey {
    /// The key for commitments `tables` to the table columns, which the caller has made from the set-up.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new(
        architecture: &Architecture,
        column_vars: usize,
        setup: SetupKey,
        tables: Vec<G1Affine>,
    ) -> Result<Self, KeyError> {
        architecture.validate()?;
        if !(MIN_COLUMN_VARS..=MAX_COLUMN_VARS).contains(&column_vars) {
            return Err(KeyError::Columns { got: column_vars });
        }
        let relations = [Subject::Segment, Subject::Data, Subject::Parameters]
            .map(|subject| Relations::new(subject, architecture, column_vars));
        let expected = relations[0].layout.group(Group::Table).len();
        if tables.len() != expected {
            return Err(KeyError::Tables { expected, got: tables.len() });
        }
        Ok(Self { setup, column_vars, tables, relations })
    }

    /// The key under the **insecure** set-up, whose τ everybody knows, so that it needs no file.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn insecure(architecture: &Architecture, column_vars: usize) -> Result<Self, KeyError> {
        architecture.validate()?;
        if !(MIN_COLUMN_VARS..=MAX_COLUMN_VARS).contains(&column_vars) {
            return Err(KeyError::Columns { got: column_vars });
        }
        let table = exponential_table(&architecture.precision);
        let tau = insecure_tau();
        let commit = |column: &[u16]| {
            let value = column.iter().rev().fold(Fr::zero(), |sum, &e| sum * tau + Fr::from(e));
            (G1Affine::generator() * value).into_affine()
        };
        debug_assert_eq!(table.len(), KEYS);
        let tables = table.chunks(1 << column_vars).map(commit).collect();
        Self::new(architecture, column_vars, SetupKey::insecure(), tables)
    }

    /// The shape of the network and of a segment.
    pub fn architecture(&self) -> &Architecture {
        &self.relations[0].architecture
    }

    /// The relations of a proof about `subject`.
    pub fn relations(&self, subject: Subject) -> &Relations {
        match subject {
            Subject::Segment => &self.relations[0],
            Subject::Data => &self.relations[1],
            Subject::Parameters => &self.relations[2],
        }
    }

    /// keccak256 of version, set-up, column size, architecture and tables.
    pub fn digest(&self) -> [u8; 32] {
        let architecture = architecture_bytes(self.architecture());
        let tables: Vec<u8> = self.tables.iter().flat_map(encode_g1).collect();
        let version = gradproof_circuits::argument::VERSION.to_be_bytes();
        keccak256(&[&version, &self.setup.digest(), &[self.column_vars as u8], &architecture, &tables])
    }
}

/// Number of layers, all widths (unused ones zero), batch, steps, fa, fg, k, fe, fm: big-endian, fixed width.
pub fn architecture_bytes(architecture: &Architecture) -> Vec<u8> {
    use gradproof_circuits::architecture::MAX_LAYERS;
    let mut bytes = vec![architecture.layers() as u8];
    let widths = architecture.widths.iter().copied().chain(std::iter::repeat(0)).take(MAX_LAYERS + 1);
    for number in widths.chain([architecture.batch, architecture.steps]) {
        bytes.extend((number as u32).to_be_bytes());
    }
    let p = &architecture.precision;
    let derivative_bits = 0;
    bytes.extend(
        [p.activation_bits, p.gradient_bits, p.rate_bits, p.exponential_bits, derivative_bits].map(|b| b as u8),
    );
    bytes
}
