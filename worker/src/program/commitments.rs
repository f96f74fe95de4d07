//! What a job starts from: key and set-up, first parameters, commitments, and their registration.

use std::path::Path;

use eyre::{Result, WrapErr};
use gradproof_circuits::relations::Subject;
use gradproof_prover::commit::Committed;
use gradproof_prover::registration::{commit_data, commit_parameters, data_tree, register_data, register_parameters};
use gradproof_prover::trace::Parameters;
use gradproof_prover::witness::Witness;
use gradproof_verifier::command::Progress;
use gradproof_verifier::job::{DataStatement, JobStatement, SetupStatement, VERSION};
use gradproof_verifier::merkle::Tree;
use gradproof_verifier::part::Part;
use gradproof_verifier::statement::Domain;

use super::keys::Keys;
use crate::job::{InitialWeights, Job};
use crate::parameters::{initial_parameters, seed_of};
use crate::parameters_file::read_parameters;

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
        let Keys { key, setup, .. } = keys;
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
            proof: key.kind(),
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

    /// Proves a registration: the proof as bytes.
    pub fn register(&self, job: &Job, keys: &Keys, parameters: &Parameters, part: Part) -> Result<Vec<u8>> {
        let Keys { key, setup, .. } = keys;
        let (proved, subject) = match part {
            Part::Data(position) => {
                let position = position as usize;
                let rows = job.segment_rows(position)?;
                let witness = Witness::of_data(&job.architecture, &rows.inputs, &rows.labels);
                let statement = self.statement.data(key, position);
                let (statement, data) = statement
                    .zip(self.data.get(position).cloned())
                    .ok_or_else(|| eyre::eyre!("the epoch has no position {position}"))?;
                (register_data(key, setup, witness, data, &self.tree, statement)?, Subject::Data)
            }
            _ => {
                let domain = self.statement.parameters(key).domain;
                let proved = register_parameters(key, setup, parameters, self.first.clone(), domain);
                (proved.wrap_err("the first parameters cannot be registered")?, Subject::Parameters)
            }
        };
        Ok(keys.finish(subject, proved)?.to_bytes(subject))
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
