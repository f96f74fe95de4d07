//! The job file as TOML spells it; `example.toml.in` says what each key means.

use std::path::PathBuf;

use gradproof_verifier::protocol::profile::Profile;
use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobFile {
    pub network: Network,
    /// Its keys depend on the format: see [`crate::job_file`].
    #[serde(rename = "data")]
    pub _data: IgnoredAny,
    pub training: Training,
    pub learning_rate: LearningRate,
    pub initial_weights: InitialWeights,
    #[serde(default)]
    pub arithmetic: Arithmetic,
    #[serde(default)]
    pub proof: Proof,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Network {
    pub layers: Vec<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Training {
    pub batch: usize,
    pub steps: Option<usize>,
    pub epochs: Option<usize>,
    pub steps_per_segment: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LearningRate {
    pub rate: Option<f64>,
    #[serde(default)]
    pub round: bool,
    pub schedule: Option<Vec<Change>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    pub from_segment: Option<usize>,
    pub from_epoch: Option<usize>,
    pub rate: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InitialWeights {
    pub seed: Option<u64>,
    pub file: Option<PathBuf>,
    pub parent: Option<Parents>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "parent must be a folder, or a list of folders: the parent's, its parent's, and so on")]
pub(super) enum Parents {
    One(PathBuf),
    Many(Vec<PathBuf>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arithmetic {
    pub activation_bits: Option<u32>,
    pub gradient_bits: Option<u32>,
    pub rate_bits: Option<u32>,
    pub exponential_bits: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proof {
    pub profile: Option<Profile>,
    pub column_bits: Option<usize>,
}
