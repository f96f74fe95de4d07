//! The public statement of a job, `statement.json`: everything that its proofs are checked against.
//!
//! The requester writes it; what each proof has to say follows from it alone, never from the proof.

use ark_bn254::G1Affine;
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::epoch::Epoch;
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::relations::Subject;

use crate::protocol::hex;
use crate::protocol::keccak::keccak256;
use crate::protocol::key::{KeyError, MAX_COLUMN_VARS, MIN_COLUMN_VARS, VerifyingKey};
use crate::protocol::kind::ProofKind;
pub use crate::protocol::limits::{MAX_RATE, MAX_SEGMENTS};
use crate::protocol::statement::{Domain, Statement, points_digest};

/// Version of the format.
pub const VERSION: u32 = 4;
/// Most rows of a data set.
pub const MAX_ROWS: usize = 1 << 32;
/// Largest encoded statement, in bytes.
pub const MAX_STATEMENT_BYTES: usize = 1 << 25;

/// What a job is, in public.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobStatement {
    /// Version of the format.
    pub version: u32,
    /// Where the job counts; all zero until the statement is [bound](Self::bind).
    pub domain: Domain,
    /// The network and the shape of a segment.
    pub architecture: Architecture,
    /// log2 of the length of a committed column.
    pub column_vars: usize,
    /// Kind of all proofs of the job.
    pub proof: ProofKind,
    /// The set-up of the commitments.
    pub setup: SetupStatement,
    /// Digest of the verifying key.
    #[serde(with = "hex::bytes")]
    pub verifying_key: [u8; 32],
    /// What is trained on.
    pub data: DataStatement,
    /// Steps of the job; it ends after a whole segment.
    pub steps: usize,
    /// The learning rate from each of these segments on; the first is segment 0, and they ascend.
    pub rates: Vec<RateChange>,
    /// Commitments to the first parameters.
    #[serde(with = "hex::points")]
    pub first_parameters: Vec<G1Affine>,
    /// Seed of the first parameters and of their blindings, so that whoever has the powers of τ can recompute the
    /// commitments; none where they come from a file. The verifier does not recompute them: it takes the requester's word.
    #[serde(deserialize_with = "serde::Deserialize::deserialize")]
    pub initial_seed: Option<u64>,
    /// keccak256 of the seed of the last parameters' blindings, with a text before it: see [`last_seed_digest`]. It says which
    /// openings are the right ones.
    #[serde(with = "hex::bytes")]
    pub last_seed_digest: [u8; 32],
    /// The job that left the first parameters, where they are another job's last ones, commitments included.
    #[serde(deserialize_with = "serde::Deserialize::deserialize")]
    pub parent: Option<Parent>,
}

/// What a statement says of the secret from which the blindings of its last parameters are derived:
/// `keccak256("gradproof seed of the last parameters" ‖ seed)`.
pub fn last_seed_digest(seed: &[u8; 32]) -> [u8; 32] {
    keccak256(&[b"gradproof seed of the last parameters", seed])
}

/// A job that another one goes on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parent {
    /// Digest of its statement, as it was when its segments were proved.
    #[serde(with = "hex::bytes")]
    pub statement: [u8; 32],
    /// How many of its segments were proved; the last of them left the first parameters of this job.
    pub segments: usize,
}

/// The set-up of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetupStatement {
    /// Digest of the [`SetupKey`](crate::protocol::setup::SetupKey).
    #[serde(with = "hex::bytes")]
    pub digest: [u8; 32],
    /// True if anyone can forge proofs.
    pub insecure: bool,
}

/// The data of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataStatement {
    /// Root of the tree of the data's columns.
    #[serde(with = "hex::bytes")]
    pub root: [u8; 32],
    /// Rows of the data set.
    pub rows: usize,
    /// Reserved: the seed of another order of the rows; zeros for the committed one.
    #[serde(with = "hex::bytes")]
    pub order: [u8; 32],
}

/// A learning rate that holds from a segment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateChange {
    /// First segment of the job that has it.
    pub from_segment: usize,
    /// Learning rate over batch, `c`, in units of `2^-k`; `1 ..= MAX_RATE`.
    pub rate: u32,
}

/// What all versions have.
#[derive(serde::Deserialize)]
struct Versioned {
    version: Option<u32>,
}

/// Why a statement is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobStatementError {
    /// Not JSON, an unknown, missing or repeated field, or a value of another type.
    #[error("not a statement: {0}")]
    Json(#[from] serde_json::Error),
    /// There is no verifying key for it.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It says already where the job counts.
    #[error(
        "the statement is bound already, to job {} on chain {chain}: bind the unbound one, into a new folder",
        hex::encode(job)
    )]
    Bound {
        /// The chain.
        chain: u64,
        /// The job.
        job: [u8; 32],
    },
    /// A value cannot work.
    #[error("{name} is {got}, expected {expected}")]
    Value {
        /// The field.
        name: &'static str,
        /// What would work.
        expected: String,
        /// What it is.
        got: String,
    },
}

impl JobStatement {
    /// Reads a statement and checks everything that can be checked without a key.
    ///
    /// # Errors
    /// [`JobStatementError`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, JobStatementError> {
        within("bytes of the statement", bytes.len(), 1, MAX_STATEMENT_BYTES)?;
        // A statement of another version has other fields.
        if let Versioned { version: Some(version) } = serde_json::from_slice(bytes)? {
            within("version", version as usize, VERSION as usize, VERSION as usize)?;
        }
        let statement: Self = serde_json::from_slice(bytes)?;
        statement.validate()?;
        Ok(statement)
    }

    /// The statement as indented JSON.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn to_json(&self) -> Result<Vec<u8>, JobStatementError> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Checks every value against its range.
    ///
    /// # Errors
    /// The first value that cannot work.
    pub fn validate(&self) -> Result<(), JobStatementError> {
        within("version", self.version as usize, VERSION as usize, VERSION as usize)?;
        within("column_vars", self.column_vars, MIN_COLUMN_VARS, MAX_COLUMN_VARS)?;
        within("data.rows", self.data.rows, 1, MAX_ROWS)?;
        let order = self.data.order;
        let refused = |name, got: String, expected| Err(JobStatementError::Value { name, expected, got });
        if order != [0; 32] {
            return refused("data.order", hex::encode(&order), "zeros: nothing proves another order yet".into());
        }
        let Some(segments) = self.epoch().segments_of(self.steps) else {
            return refused("steps", self.steps.to_string(), "the steps of whole segments".into());
        };
        within("number of segments", segments, 1, MAX_SEGMENTS)?;
        if self.rates.first().is_none_or(|first| first.from_segment != 0) {
            return refused("rates", format!("{} entries", self.rates.len()), "a first entry from segment 0".into());
        }
        for (before, change) in self.rates.iter().zip(self.rates.iter().skip(1)) {
            within("from_segment of a rate", change.from_segment, before.from_segment + 1, segments - 1)?;
        }
        self.rates.iter().try_for_each(|change| within("rate", change.rate as usize, 1, MAX_RATE as usize))?;
        match (&self.parent, self.initial_seed) {
            (Some(_), Some(seed)) => {
                refused("initial_seed", seed.to_string(), "null, as the parameters are those of a parent".into())
            }
            (Some(parent), None) => within("parent.segments", parent.segments, 1, MAX_SEGMENTS),
            (None, _) => Ok(()),
        }
    }

    /// This statement for where the job counts.
    ///
    /// # Errors
    /// [`JobStatementError::Bound`] if it says so already.
    pub fn bind(&self, domain: Domain) -> Result<Self, JobStatementError> {
        if self.is_bound() {
            return Err(JobStatementError::Bound { chain: self.domain.chain, job: self.domain.job });
        }
        Ok(Self { domain, ..self.clone() })
    }

    /// True if it says where the job counts.
    pub fn is_bound(&self) -> bool {
        self.domain != Domain::default()
    }

    /// How an epoch is cut into segments.
    pub fn epoch(&self) -> Epoch {
        self.architecture.epoch(self.data.rows)
    }

    /// Number of segments; zero for a statement that [`Self::validate`] refuses.
    pub fn segments(&self) -> usize {
        self.epoch().segments_of(self.steps).unwrap_or(0)
    }

    /// Positions of the epoch that the job trains on: `0` up to this number, which the job may not reach to the end.
    pub fn positions(&self) -> usize {
        self.epoch().segments().min(self.segments())
    }

    /// The verifying key under the insecure set-up; takes seconds where proofs are wrapped.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn insecure_key(&self) -> Result<VerifyingKey, KeyError> {
        VerifyingKey::insecure_of(self.proof, &self.architecture, self.column_vars)
    }

    /// keccak256 of everything that the job consists of.
    ///
    /// Fixed width, big-endian: `version` 4 ‖ `chain` 8 ‖ `contract` 20 ‖ `job` 32 ‖ `owner` 20 ‖ `verifying_key` 32 ‖
    /// `data.root` 32 ‖ `data.rows` 8 ‖ `data.order` 32 ‖ `steps` 8 ‖ 1 and the seed 9, or zeros ‖ 1, the parent's digest and segments 41, or
    /// zeros ‖ digest of the first parameters 32 ‖ `last_seed_digest` 32 ‖ then for each rate `from_segment` 8 ‖ `rate` 4. The verifying key's digest
    /// binds graph, batch, steps of a segment, columns and set-up.
    pub fn digest(&self) -> [u8; 32] {
        let mut bytes = self.version.to_be_bytes().to_vec();
        bytes.extend(self.domain.chain.to_be_bytes());
        bytes.extend(self.domain.contract);
        bytes.extend(self.domain.job);
        bytes.extend(self.domain.owner);
        bytes.extend(self.verifying_key);
        bytes.extend(self.data.root);
        bytes.extend((self.data.rows as u64).to_be_bytes());
        bytes.extend(self.data.order);
        bytes.extend((self.steps as u64).to_be_bytes());
        bytes.push(u8::from(self.initial_seed.is_some()));
        bytes.extend(self.initial_seed.unwrap_or(0).to_be_bytes());
        let (statement, segments) =
            self.parent.map_or(([0; 32], 0), |parent| (parent.statement, parent.segments as u64));
        bytes.push(u8::from(self.parent.is_some()));
        bytes.extend(statement);
        bytes.extend(segments.to_be_bytes());
        bytes.extend(points_digest(&self.first_parameters));
        bytes.extend(self.last_seed_digest);
        for change in &self.rates {
            bytes.extend((change.from_segment as u64).to_be_bytes());
            bytes.extend(change.rate.to_be_bytes());
        }
        keccak256(&[&bytes])
    }

    /// What the registration of the first parameters says: that they are in range and padded, and are those of this job.
    ///
    /// It is made before anyone knows where the job counts, for the digest of the unbound statement.
    pub fn parameters(&self, key: &VerifyingKey) -> Statement {
        let live = Live { steps: 1, last_rows: 1 };
        let unbound = Self { domain: Domain::default(), ..self.clone() };
        let domain = Domain { job: unbound.digest(), ..Domain::default() };
        Statement {
            domain,
            first: points_digest(&self.first_parameters),
            ..Statement::blank(key, Subject::Parameters, live)
        }
    }

    /// What the registration of the data of `position` says; none beyond the end of the epoch.
    pub fn data(&self, key: &VerifyingKey, position: usize) -> Option<Statement> {
        let epoch = self.epoch();
        Some(Statement {
            data_root: self.data.root,
            epoch_segments: epoch.segments() as u64,
            position: position as u64,
            first: points_digest(&[]),
            ..Statement::blank(key, Subject::Data, epoch.live(position)?)
        })
    }

    /// What the proof of segment `index` says, from commitments to its first parameters to those to its last; none beyond
    /// the end of the job.
    pub fn segment(
        &self,
        key: &VerifyingKey,
        index: usize,
        first: &[G1Affine],
        last: &[G1Affine],
    ) -> Option<Statement> {
        if index >= self.segments() {
            return None;
        }
        let rate = self.rates.iter().rev().find(|change| change.from_segment <= index)?.rate;
        Some(Statement {
            subject: Subject::Segment,
            domain: self.domain,
            segment: index as u64,
            rate,
            first: points_digest(first),
            last: points_digest(last),
            ..self.data(key, self.epoch().position(index))?
        })
    }
}

fn within(name: &'static str, got: usize, least: usize, most: usize) -> Result<(), JobStatementError> {
    if (least..=most).contains(&got) {
        return Ok(());
    }
    let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
    Err(JobStatementError::Value { name, expected, got: got.to_string() })
}
