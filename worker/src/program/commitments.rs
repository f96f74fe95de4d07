//! What a job starts from: key and set-up, first parameters, commitments, and their registration.

use std::path::Path;

use eyre::{Result, WrapErr};
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::relations::Subject;
use gradproof_prover::commit::Committed;
use gradproof_prover::key::verifying_key;
use gradproof_prover::prove::Proved;
use gradproof_prover::ptau::import;
use gradproof_prover::registration::{commit_data, commit_parameters, data_tree, register_data, register_parameters};
use gradproof_prover::setup::Setup;
use gradproof_prover::trace::Parameters;
use gradproof_prover::witness::Witness;
use gradproof_verifier::command::Progress;
use gradproof_verifier::job::{DataStatement, JobStatement, SetupStatement, VERSION};
use gradproof_verifier::key::VerifyingKey;
use gradproof_verifier::key_file::KeyFile;
use gradproof_verifier::merkle::Tree;
use gradproof_verifier::part::Part;
use gradproof_verifier::statement::Domain;

use super::folder::save;
use crate::job::{InitialWeights, Job};
use crate::parameters::{initial_parameters, seed_of};
use crate::parameters_file::read_parameters;

/// Name of the file that verifiers need where the set-up is not the insecure one.
pub const KEY_FILE: &str = "verifying.key";

/// A verifying key, and the powers of τ that belong to it.
pub struct Keys {
    pub key: VerifyingKey,
    pub setup: Setup,
}

impl Keys {
    /// The keys of a shape under the set-up of a ceremony in a `.ptau` file, or under the insecure one.
    pub fn new(architecture: &Architecture, column_vars: usize, file: Option<&Path>) -> Result<Self> {
        let Some(path) = file else { return Self::insecure(architecture, column_vars) };
        let setup = import(path, column_vars as u32)?;
        let key = verifying_key(&setup, architecture, column_vars)?;
        Ok(Self { key, setup })
    }

    /// Writes what verifiers need of the set-up into `folder`, unless everybody has it.
    pub fn save(&self, folder: &Path) -> Result<()> {
        if self.key.setup.is_insecure() {
            return Ok(());
        }
        let file = KeyFile { setup: self.key.setup, tables: self.key.tables.clone() };
        save(&folder.join(KEY_FILE), &file.to_bytes())
    }

    /// The keys of a shape under the insecure set-up.
    pub fn insecure(architecture: &Architecture, column_vars: usize) -> Result<Self> {
        let key = VerifyingKey::insecure(architecture, column_vars)?;
        Ok(Self { key, setup: Setup::insecure(column_vars as u32)? })
    }
}

/// The first parameters of a job.
pub fn first_parameters(job: &Job) -> Result<Parameters> {
    match &job.initial_weights {
        InitialWeights::Seed(seed) => Ok(initial_parameters(&job.architecture, seed_of(*seed))?),
        InitialWeights::File(path) => {
            read_parameters(path, &job.architecture).wrap_err("initial_weights.file of the job")
        }
    }
}

/// The commitments of a job with their blindings, and its statement.
pub struct Commitments {
    pub first: Committed,
    /// One a position of the epoch.
    pub data: Vec<Committed>,
    pub tree: Tree,
    pub statement: JobStatement,
}

impl Commitments {
    /// Commits to the data of every position of the epoch and to the first parameters.
    pub fn new(
        job: &Job,
        keys: &Keys,
        first: &Parameters,
        seed: &[u8; 32],
        domain: Domain,
        progress: &Progress,
    ) -> Result<Self> {
        let Keys { key, setup } = keys;
        let architecture = &job.architecture;
        progress.say("committing to the first parameters");
        let witness = Witness::of_parameters(architecture, first);
        // From a public seed the blindings follow too, so that anyone can recompute the commitments. They are not zero
        // because biases are: a column of nothing else would be committed to as the point at infinity.
        let (blinding_seed, initial_seed) = match job.initial_weights {
            InitialWeights::Seed(number) => (seed_of(number), Some(number)),
            InitialWeights::File(_) => (*seed, None),
        };
        let first = commit_parameters(key, setup, &witness, &blinding_seed)?;
        progress.say("committing to the data");
        let mut data = Vec::new();
        for position in 0..job.epoch().segments() {
            let rows = job.segment_rows(position)?;
            let witness = Witness::of_data(architecture, &rows.inputs, &rows.labels);
            data.push(commit_data(key, setup, &witness, seed, position as u64)?);
        }
        let points: Vec<_> = data.iter().map(|position| position.points.clone()).collect();
        let tree = data_tree(&points);
        let statement = JobStatement {
            version: VERSION,
            domain,
            architecture: architecture.clone(),
            column_vars: key.column_vars,
            setup: SetupStatement { digest: key.setup.digest(), insecure: key.setup.is_insecure() },
            verifying_key: key.digest(),
            data: DataStatement { root: tree.root(), rows: job.train.rows },
            steps: job.steps,
            rates: job.rates.clone(),
            first_parameters: first.points.clone(),
            initial_seed,
        };
        statement.validate()?;
        Ok(Self { first, data, tree, statement })
    }

    /// Proves a registration.
    pub fn register(&self, job: &Job, keys: &Keys, parameters: &Parameters, part: Part) -> Result<(Proved, Subject)> {
        let Keys { key, setup } = keys;
        match part {
            Part::Data(position) => {
                let position = position as usize;
                let rows = job.segment_rows(position)?;
                let witness = Witness::of_data(&job.architecture, &rows.inputs, &rows.labels);
                let statement = self.statement.data(key, position);
                let (statement, data) = statement
                    .zip(self.data.get(position).cloned())
                    .ok_or_else(|| eyre::eyre!("the epoch has no position {position}"))?;
                Ok((register_data(key, setup, witness, data, &self.tree, statement)?, Subject::Data))
            }
            _ => {
                let domain = self.statement.parameters(key).domain;
                let proved = register_parameters(key, setup, parameters, self.first.clone(), domain);
                Ok((proved.wrap_err("the first parameters cannot be registered")?, Subject::Parameters))
            }
        }
    }
}

/// Checks that `got`, which follows from the job file, is the statement that was given.
pub fn require_same(got: &JobStatement, given: &JobStatement, path: &Path) -> Result<()> {
    if got == given {
        return Ok(());
    }
    let (got, given) = (serde_json::to_value(got)?, serde_json::to_value(given)?);
    let differing: Vec<&str> = got
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| given.get(name) != Some(value))
        .map(|(name, _)| name.as_str())
        .collect();
    eyre::bail!(
        "{} is not the statement of this job: {} differ; use the job file, data and openings that it was made from",
        path.display(),
        differing.join(", ")
    )
}
