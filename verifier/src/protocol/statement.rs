//! The statement of a proof: one fixed-width layout that a contract can hash.

use ark_bn254::{Fr, G1Affine};
use ark_ff::PrimeField;
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::program::Publics;
use gradproof_circuits::relations::Subject;

use crate::protocol::keccak::keccak256;
use crate::protocol::key::{VerifyingKey, graph_digest};
use crate::protocol::points::encode_g1;

/// Version of the layout.
pub const VERSION: u32 = 2;
/// Bytes of a statement.
pub const STATEMENT_BYTES: usize = 418;

/// Where a proof counts: the chain, the contract, the job and the owner who is paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// Chain id; zero off chain.
    pub chain: u64,
    /// Contract that settles the job; zero off chain.
    #[serde(with = "crate::protocol::hex::bytes")]
    pub contract: [u8; 20],
    /// The job.
    #[serde(with = "crate::protocol::hex::bytes")]
    pub job: [u8; 32],
    /// Owner of the provider.
    #[serde(with = "crate::protocol::hex::bytes")]
    pub owner: [u8; 20],
}

/// What a proof says.
///
/// # Layout
/// Big-endian, without gaps: `version` 4 ‖ `subject` 1 (0 segment, 1 data, 2 parameters; 3 inference and 4 evaluation are
/// reserved) ‖ `chain` 8 ‖ `contract` 20 ‖ `job` 32 ‖ `owner` 20 ‖ `segment` 8 ‖ `key` 32 ‖ `setup` 32 ‖ `graph` 32 ‖ `batch` 4 ‖
/// `steps` 4 ‖ `column_vars` 1 ‖ `tables` 32 ‖ `data_root` 32 ‖ `order` 32 ‖ `epoch_segments` 8 ‖ `position` 8 ‖ live steps 4 ‖
/// live rows 4 ‖ `rate` 4 ‖ `first` 32 ‖ `last` 32 ‖ `claim` 32.
/// Numbers that a registration does not have are zero; digests of no commitments are keccak256 of no bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What is proved.
    pub subject: Subject,
    /// Where it counts.
    pub domain: Domain,
    /// Index of the segment in the job.
    pub segment: u64,
    /// Digest of the verifying key.
    pub key: [u8; 32],
    /// Digest of the set-up.
    pub setup: [u8; 32],
    /// Digest of the graph.
    pub graph: [u8; 32],
    /// Rows of a step.
    pub batch: u32,
    /// Steps of a segment.
    pub steps: u32,
    /// Variables of a column.
    pub column_vars: usize,
    /// Digest of the commitments to the public tables.
    pub tables: [u8; 32],
    /// Root of the tree of the data's columns.
    pub data_root: [u8; 32],
    /// Reserved: the seed of another order of the data; zeros for the committed one.
    pub order: [u8; 32],
    /// Segments of an epoch.
    pub epoch_segments: u64,
    /// Position of the segment in its epoch.
    pub position: u64,
    /// Live steps and rows.
    pub live: Live,
    /// Learning rate over batch, in units of `2^-k`.
    pub rate: u32,
    /// Digest of the commitments to the first parameters.
    pub first: [u8; 32],
    /// Digest of the commitments to the last parameters.
    pub last: [u8; 32],
    /// Reserved: digest of what an evaluation claims; zeros for none.
    pub claim: [u8; 32],
}

/// keccak256 of points, 64 bytes each.
pub fn points_digest(points: &[G1Affine]) -> [u8; 32] {
    let bytes: Vec<u8> = points.iter().flat_map(encode_g1).collect();
    keccak256(&[&bytes])
}

impl Statement {
    /// What a key says, and nothing else.
    pub fn blank(key: &VerifyingKey, subject: Subject, live: Live) -> Self {
        let architecture = key.architecture();
        Self {
            subject,
            domain: Domain::default(),
            segment: 0,
            key: key.digest(),
            setup: key.setup.digest(),
            graph: graph_digest(architecture.graph()),
            batch: architecture.batch() as u32,
            steps: architecture.steps() as u32,
            column_vars: key.column_vars,
            tables: points_digest(&key.tables),
            data_root: [0; 32],
            order: [0; 32],
            epoch_segments: 0,
            position: 0,
            live,
            rate: 0,
            first: points_digest(&[]),
            last: points_digest(&[]),
            claim: [0; 32],
        }
    }

    /// This statement with what follows from a key and from commitments to the parameters at both ends.
    pub fn under(&self, key: &VerifyingKey, first: &[G1Affine], last: &[G1Affine]) -> Self {
        let Self { domain, segment, data_root, epoch_segments, position, rate, .. } = *self;
        let (first, last) = (points_digest(first), points_digest(last));
        let blank = Self::blank(key, self.subject, self.live);
        Self { domain, segment, data_root, epoch_segments, position, rate, first, last, ..blank }
    }

    /// The statement in its fixed-width layout.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(STATEMENT_BYTES);
        bytes.extend(VERSION.to_be_bytes());
        bytes.push(match self.subject {
            Subject::Segment => 0,
            Subject::Data => 1,
            Subject::Parameters => 2,
        });
        bytes.extend(self.domain.chain.to_be_bytes());
        bytes.extend(self.domain.contract);
        bytes.extend(self.domain.job);
        bytes.extend(self.domain.owner);
        bytes.extend(self.segment.to_be_bytes());
        bytes.extend(self.key);
        bytes.extend(self.setup);
        bytes.extend(self.graph);
        bytes.extend(self.batch.to_be_bytes());
        bytes.extend(self.steps.to_be_bytes());
        bytes.push(self.column_vars as u8);
        bytes.extend(self.tables);
        bytes.extend(self.data_root);
        bytes.extend(self.order);
        bytes.extend(self.epoch_segments.to_be_bytes());
        bytes.extend(self.position.to_be_bytes());
        bytes.extend((self.live.steps as u32).to_be_bytes());
        bytes.extend((self.live.last_rows as u32).to_be_bytes());
        bytes.extend(self.rate.to_be_bytes());
        bytes.extend(self.first);
        bytes.extend(self.last);
        bytes.extend(self.claim);
        bytes
    }

    /// keccak256 of the statement and all commitments, the random column's first.
    pub fn digest(&self, mask: &G1Affine, columns: &[G1Affine]) -> [u8; 32] {
        let points: Vec<u8> = std::iter::once(mask).chain(columns).flat_map(encode_g1).collect();
        keccak256(&[&self.to_bytes(), &points])
    }

    /// The public inputs of the argument, for a digest of this statement.
    pub fn publics(&self, digest: &[u8; 32]) -> Publics<Fr> {
        let (high, low) = digest.split_at(16);
        Publics {
            digest: [Fr::from_be_bytes_mod_order(high), Fr::from_be_bytes_mod_order(low)],
            rate: Fr::from(self.rate),
            position: Fr::from(self.position),
            live_steps: Fr::from(self.live.steps as u64),
            live_rows: Fr::from(self.live.last_rows as u64),
        }
    }
}
