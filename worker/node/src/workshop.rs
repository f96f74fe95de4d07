//! What trains, proves and opens: everything about a job that takes time, over the files of its folder.
//!
//! The program has one over its kernels and provers; tests have one that does nothing in a given time.

use std::ops::Range;
use std::path::{Path, PathBuf};

use gradproof_chain::B256;
use gradproof_chain::market::{Deployment, TrainingMarket};
use gradproof_verifier::protocol::statement::Domain;

/// Where a job's parcel lies in its folder: what a requester hands over, but for the openings.
pub const PARCEL: &str = "parcel";
/// Name of the file with the rows of a parcel.
pub const ROWS_FILE: &str = "rows.safetensors";
/// Name of the file with the first weights of a parcel, where they come from no public seed.
pub const FIRST_FILE: &str = "first.safetensors";
/// Name of the file with the seeds of the blindings, in the folder of secrets.
pub const OPENINGS_FILE: &str = "openings.json";
/// Name of the file with the seed of the data's blindings, in the folder of secrets, where the data are a registered set that its owner
/// hands over: it goes before the one in the openings, which the requester does not know.
pub const DATA_OPENING_FILE: &str = "data-opening.json";
/// Files of a parcel, besides the registrations: statement, key, rows, and first weights where they come from no public seed.
pub const PARCEL_FILES: [&str; 4] = ["statement.json", "verifying.key", ROWS_FILE, FIRST_FILE];
/// Where secrets of a job lie in its folder.
pub const PRIVATE: &str = "private";

/// Why work on a job ended without a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkError {
    /// The job cannot be done as it was handed over, whoever tries: a provider hands it back with this reason.
    #[error("{0}")]
    Impossible(String),
    /// This machine failed; the same may work later.
    #[error("{0}")]
    Failed(String),
    /// This machine came to two results where there is one, in words: it computes wrongly now and then.
    #[error("{0}")]
    Differs(String),
}

/// A place where jobs are worked on. Its functions block, and are called from threads that may.
pub trait Workshop: Send + Sync + 'static {
    /// Begins to work on the job in `folder`, of which the parcel and the openings are there, and which counts at `domain`: recomputes
    /// every commitment, and checks the registrations.
    ///
    /// # Errors
    /// [`WorkError::Impossible`] if the parcel is not what its statement says.
    fn begin(&self, folder: &Path, domain: Domain) -> Result<Box<dyn Work>, WorkError>;

    /// Compares the parcel in `folder` with what the market pays for: proofs of the training of these terms only.
    ///
    /// # Errors
    /// [`WorkError::Impossible`] if the parcel's statement is of another training, or goes on from a job that the terms do not name.
    fn is_of(&self, folder: &Path, terms: &TrainingMarket::Terms, deployment: &Deployment) -> Result<(), WorkError>;

    /// What opens the claim after so many segments of the job in `folder`, beside its weights.
    ///
    /// # Errors
    /// The openings are not there.
    fn opening(&self, folder: &Path, domain: Domain, segments: u64) -> Result<B256, WorkError>;

    /// Compares weights with a claim, and writes those that are right for their user, into `folder`.
    ///
    /// # Errors
    /// [`WorkError::Impossible`] says how the weights differ.
    fn open(&self, folder: &Path, domain: Domain, claim: Claim, weights: &Path) -> Result<PathBuf, WorkError>;
}

/// A claim: the digest of the commitments to the parameters after some segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Segments before it, at least 1.
    pub segments: u64,
    /// The digest.
    pub last: B256,
}

/// A job that is worked on.
pub trait Work: Send {
    /// Trains up to the end of so many segments, at least one, from where this training stands, and commits to the parameters after each:
    /// the digests of all segments up to there.
    ///
    /// # Errors
    /// [`WorkError::Impossible`] with step and layer, if the training diverges.
    fn train(&mut self, segments: u64) -> Result<Vec<B256>, WorkError>;

    /// Trains a second time, from the first parameters on: the digests at the ends of `segments`. Nothing of the training that
    /// [`Self::train`] does goes into it.
    ///
    /// # Errors
    /// [`WorkError::Differs`] if this one diverges, which the first one did not.
    fn repeat(&mut self, segments: Range<u64>) -> Result<Vec<B256>, WorkError>;

    /// Proves a segment, or takes the proof from the folder if it is there: what the market takes. The training is done again, and must
    /// come to the digest at the segment's end that [`Self::train`] came to.
    ///
    /// # Errors
    /// [`WorkError::Differs`] if it does not, or if the proof does not hold: the machine computes wrongly.
    fn prove(&mut self, index: u64) -> Result<Vec<u8>, WorkError>;

    /// The digest of a commitment to the weights after some segments, at least one, with what is said to open it.
    ///
    /// # Errors
    /// The training diverges.
    fn committed(&mut self, segments: u64, opening: B256) -> Result<B256, WorkError>;

    /// Writes the weights after some segments, at least one, exactly as they are proved.
    ///
    /// # Errors
    /// If they cannot be written.
    fn weights(&mut self, segments: u64) -> Result<PathBuf, WorkError>;
}
