//! The verifying key: everything about a proof that does not change within a job.

use ark_bn254::{Fr, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Zero;
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::graph::Graph;
use gradproof_circuits::network::arithmetic::{KEYS, exponential_table};
use gradproof_circuits::program::GraphError;
use gradproof_circuits::relations::{Group, Relations, Subject};

use crate::protocol::keccak::keccak256;
use crate::protocol::kind::ProofKind;
use crate::protocol::limits::job_limits;
use crate::protocol::points::encode_g1;
use crate::protocol::powers::SetupError;
use crate::protocol::setup::{SetupKey, insecure_tau};
use crate::protocol::wrap::key::{WrapKey, WrapKeyError, circuit};

/// Shortest columns, in variables.
pub const MIN_COLUMN_VARS: usize = 4;
/// Longest columns, in variables.
pub const MAX_COLUMN_VARS: usize = 21;

/// The subjects of proofs, in the order in which a key holds what belongs to each.
pub const SUBJECTS: [Subject; 3] = [Subject::Segment, Subject::Data, Subject::Parameters];

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
    /// Keys of the circuits, if proofs are wrapped.
    wraps: Option<[WrapKey; 3]>,
}

/// Why there is no verifying key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A relation of the graph could wrap around.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Columns too short or too long.
    #[error("columns of 2^{got} entries, expected 2^{MIN_COLUMN_VARS} to 2^{MAX_COLUMN_VARS}")]
    Columns {
        /// Variables given.
        got: usize,
    },
    /// The set-up has too few powers.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// No keys of the wrap circuits.
    #[error(transparent)]
    Wrap(#[from] WrapKeyError),
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
    /// # Soundness
    /// The primitives are lowered here from the graph, and never taken from anybody.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new(
        architecture: &Architecture,
        column_vars: usize,
        setup: SetupKey,
        tables: Vec<G1Affine>,
    ) -> Result<Self, KeyError> {
        if !(MIN_COLUMN_VARS..=MAX_COLUMN_VARS).contains(&column_vars) {
            return Err(KeyError::Columns { got: column_vars });
        }
        architecture.program().check_bounds(&job_limits(architecture))?;
        let relations = SUBJECTS.map(|subject| Relations::new(subject, architecture, column_vars));
        let expected = relations[0].layout.group(Group::Table).len();
        if tables.len() != expected {
            return Err(KeyError::Tables { expected, got: tables.len() });
        }
        Ok(Self { setup, column_vars, tables, relations, wraps: None })
    }

    /// The key for wrapped proofs with the keys of the circuits in the order of [`SUBJECTS`], which the caller has derived,
    /// or taken from somebody it trusts.
    pub fn with_wraps(self, wraps: [WrapKey; 3]) -> Self {
        Self { wraps: Some(wraps), ..self }
    }

    /// The binary logarithms of the rows of the circuits, in the order of [`SUBJECTS`].
    ///
    /// # Errors
    /// One is too large.
    pub fn circuit_bits(&self) -> Result<[u32; 3], WrapKeyError> {
        let [segment, data, parameters] = SUBJECTS.map(|subject| circuit(self.relations(subject)));
        Ok([segment?.1, data?.1, parameters?.1])
    }

    /// The key of the circuit of `subject`, if proofs are wrapped.
    pub fn wrap(&self, subject: Subject) -> Option<&WrapKey> {
        self.wraps.as_ref().map(|[segment, data, parameters]| match subject {
            Subject::Segment => segment,
            Subject::Data => data,
            Subject::Parameters => parameters,
        })
    }

    /// The keys of the circuits in the order of [`SUBJECTS`], if proofs are wrapped.
    pub fn wraps(&self) -> Option<&[WrapKey; 3]> {
        self.wraps.as_ref()
    }

    /// The kind of proofs that the key is for.
    pub fn kind(&self) -> ProofKind {
        if self.wraps.is_some() { ProofKind::Wrapped } else { ProofKind::Core }
    }

    /// The key under the **insecure** set-up, whose τ everybody knows, so that it needs no file.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn insecure(architecture: &Architecture, column_vars: usize) -> Result<Self, KeyError> {
        if !(MIN_COLUMN_VARS..=MAX_COLUMN_VARS).contains(&column_vars) {
            return Err(KeyError::Columns { got: column_vars });
        }
        let table = exponential_table(architecture.precision());
        let tau = insecure_tau();
        let commit = |column: &[u16]| {
            let value = column.iter().rev().fold(Fr::zero(), |sum, &e| sum * tau + Fr::from(e));
            (G1Affine::generator() * value).into_affine()
        };
        debug_assert_eq!(table.len(), KEYS);
        let tables = table.chunks(1 << column_vars).map(commit).collect();
        Self::new(architecture, column_vars, SetupKey::insecure(), tables)
    }

    /// The network and the shape of a segment.
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

    /// keccak256 of version, set-up, column size, graph, batch, steps and tables; after them, for wrapped proofs, the digests of the
    /// circuits' keys.
    pub fn digest(&self) -> [u8; 32] {
        let tables: Vec<u8> = self.tables.iter().flat_map(encode_g1).collect();
        let wraps: Vec<u8> = self.wraps.iter().flatten().flat_map(WrapKey::digest).collect();
        key_digest(&self.setup.digest(), self.column_vars, self.architecture(), &tables, &wraps)
    }
}

/// The digest of the key whose parts these are, tables and digests of the circuits' keys as bytes.
pub(crate) fn key_digest(
    setup: &[u8; 32],
    column_vars: usize,
    architecture: &Architecture,
    tables: &[u8],
    wraps: &[u8],
) -> [u8; 32] {
    let version = gradproof_circuits::argument::VERSION.to_be_bytes();
    let graph = graph_digest(architecture.graph());
    let shape = [architecture.batch(), architecture.steps()].map(|number| (number as u32).to_be_bytes());
    keccak256(&[&version, setup, &[column_vars as u8], &graph, shape.as_flattened(), tables, wraps])
}

/// keccak256 of a graph's canonical bytes.
pub fn graph_digest(graph: &Graph) -> [u8; 32] {
    keccak256(&[&graph.canonical_bytes()])
}
