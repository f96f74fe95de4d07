//! What a job starts from: key and set-up, first parameters, commitments, and their registration.

use std::path::Path;

use eyre::{Result, WrapErr};
use gradproof_circuits::relations::Subject;
use gradproof_circuits::trace::Parameters;
use gradproof_prover::commit::Committed;
use gradproof_prover::registration::{
    Blinding, commit_data, commit_parameters, data_tree, register_data, register_parameters,
};
use gradproof_prover::witness::Witness;
use gradproof_terminal::{Progress, tell};
use gradproof_training::job::{InitialWeights, Job};
use gradproof_training::parameters::{initial_parameters, require_range, seed_of};
use gradproof_training::parameters_file::read_parameters;
use gradproof_verifier::protocol::job::{
    DataStatement, JobStatement, Parent, SetupStatement, VERSION, last_seed_digest,
};
use gradproof_verifier::protocol::merkle::MerkleTree;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier::protocol::statement::Domain;

use crate::folder::EXACT_WEIGHTS_FILE;
use crate::keys::Keys;
use crate::openings::Seeds;

/// The first parameters of a job.
///
/// # Errors
/// If their file is refused, or, for those that will be registered, a value is out of range.
pub fn first_parameters(job: &Job) -> Result<Parameters> {
    let read = |path: &Path, key: &str| -> Result<Parameters> {
        let read =
            read_parameters(path, &job.architecture).wrap_err_with(|| format!("initial_weights.{key} of the job"))?;
        for note in read.notes {
            tell(&format!("note: {}: {note}", path.display()));
        }
        Ok(read.parameters)
    };
    match &job.initial_weights {
        InitialWeights::Seed(seed) => Ok(initial_parameters(&job.architecture, seed_of(*seed))),
        InitialWeights::File(path) => read(path, "file"),
        InitialWeights::Parent(folders) => read(&folders[0].join(EXACT_WEIGHTS_FILE), "parent"),
    }
}

/// Where a job's first parameters come from, as its statement says it.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// They are committed to anew, from a public seed if there is one.
    New {
        /// The public seed.
        seed: Option<u64>,
    },
    /// They are a parent's last ones, with its commitments.
    Parent(Parent),
}

/// The commitments of a job with their blindings, and its statement.
pub struct JobCommitments {
    pub first: Committed,
    /// One a position of the epoch; none where the data are not here.
    pub data: Vec<Committed>,
    /// Of the data, where they are here.
    pub tree: MerkleTree,
    /// Not bound to where the job counts.
    pub statement: JobStatement,
}

impl JobCommitments {
    /// Commits to the data of every position of the epoch and to the first parameters.
    ///
    /// # Errors
    /// If the set-up is too short, or a first parameter that has to be registered is out of range.
    pub fn new(
        job: &Job,
        keys: &Keys,
        first: &Parameters,
        seeds: &Seeds,
        origin: Origin,
        progress: &Progress,
    ) -> Result<Self> {
        let Keys { key, setup, .. } = keys;
        let architecture = &job.architecture;
        progress.say("committing to the data");
        let mut data = Vec::new();
        for position in 0..job.epoch().segments() {
            let rows = job.segment_rows(position)?;
            let witness = Witness::of_data(architecture, &rows.inputs, &rows.labels);
            data.push(commit_data(key, setup, &witness, &seeds.data, position as u64)?);
        }
        let points: Vec<_> = data.iter().map(|position| position.points.clone()).collect();
        let tree = data_tree(&points);
        let root = tree.root();
        Self::over(job, keys, first, seeds, origin, progress, (data, tree, root))
    }

    /// Commits to the first parameters of a job on data that somebody else has committed to, whose tree has this root.
    ///
    /// # Errors
    /// As those of [`Self::new`].
    pub fn on_root(
        job: &Job,
        keys: &Keys,
        first: &Parameters,
        seeds: &Seeds,
        origin: Origin,
        progress: &Progress,
        root: [u8; 32],
    ) -> Result<Self> {
        Self::over(job, keys, first, seeds, origin, progress, (vec![], data_tree(&[]), root))
    }

    /// Commits to the first parameters of a job on these data.
    fn over(
        job: &Job,
        keys: &Keys,
        first: &Parameters,
        seeds: &Seeds,
        origin: Origin,
        progress: &Progress,
        (data, tree, root): (Vec<Committed>, MerkleTree, [u8; 32]),
    ) -> Result<Self> {
        let Keys { key, setup, .. } = keys;
        let architecture = &job.architecture;
        progress.say("committing to the first parameters");
        let witness = Witness::of_parameters(architecture, first)?;
        let (blinding, initial_seed, parent) = match origin {
            Origin::New { seed } => {
                require_range(architecture, first)?;
                (Blinding::Seed(&seeds.first), seed, None)
            }
            // Registered long ago: the parent's proofs say what they are.
            Origin::Parent(parent) => (Blinding::Opening(&seeds.first), None, Some(parent)),
        };
        let first = commit_parameters(key, setup, &witness, blinding)?;
        let outline = outline(job, keys);
        let statement = JobStatement {
            data: DataStatement { root, ..outline.data },
            first_parameters: first.points.clone(),
            initial_seed,
            last_seed_digest: last_seed_digest(&seeds.last),
            parent,
            ..outline
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
                (proved?, Subject::Parameters)
            }
        };
        Ok(keys.finish(subject, proved)?.to_bytes(subject))
    }
}

/// What a job's statement says without commitments: its shape, length and key. Those who quote a price ask for no more.
pub fn outline(job: &Job, keys: &Keys) -> JobStatement {
    let key = &keys.key;
    JobStatement {
        version: VERSION,
        domain: Domain::default(),
        architecture: job.architecture.clone(),
        column_vars: key.column_vars,
        proof: key.kind(),
        setup: SetupStatement { digest: key.setup.digest(), insecure: key.setup.is_insecure() },
        verifying_key: key.digest(),
        data: DataStatement { root: [0; 32], rows: job.train.rows, order: [0; 32] },
        steps: job.steps,
        rates: job.rates.clone(),
        first_parameters: vec![],
        initial_seed: None,
        last_seed_digest: [0; 32],
        parent: None,
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
