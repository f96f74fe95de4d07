//! `requester commit`: commitments to data and first parameters, and their registration.

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, ensure};
use gradproof_circuits::field::check::Strict;
use gradproof_terminal::{Outcome, Progress, print};
use gradproof_training::job::Job;
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::job::{JobStatement, Parent};
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier::verify_job::JobVerifier;
use gradproof_verifier_program::files::{KEY_FILE, MAX_PROOF_BYTES, read, read_statement};
use gradproof_verifier_program::warn;

use crate::commitments::{JobCommitments, Origin, first_parameters};
use crate::folder::claim_new;
use crate::keys::KeyOptions;
use crate::openings::{Openings, Seeds};
use crate::parent::{begin, column_vars};
use crate::train::load;

/// Commits to the data and first parameters of a job.
#[derive(clap::Args, Clone, Debug)]
pub struct Commit {
    /// The job file (TOML).
    #[arg(long, value_name = "FILE")]
    pub job: PathBuf,
    /// Folder for `statement.json`, `verifying.key`, `parameters.proof`, `data-0000.proof` … and `private/openings.json`.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Folder that `requester commit` wrote for another job on the same data. The new job takes the seed of the data from it, and
    /// so has the same data root; and the registrations, if it has the same key.
    #[arg(long, value_name = "DIR")]
    pub same_data: Option<PathBuf>,
    /// Kind of proofs, and set-up.
    #[command(flatten)]
    pub keys: KeyOptions,
    /// What the job goes on from, where the market has verified that job: its statement with its segments, and what opens the weights
    /// that it left.
    #[arg(skip)]
    pub from: Option<(Parent, [u8; 32])>,
    /// Print what was written as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl Commit {
    /// Runs `requester commit`.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn run(&self) -> Result<Outcome> {
        let made = self.commit(&load(&self.job)?)?;
        self.say(&made)?;
        Ok(Outcome::Done)
    }

    /// Commits to `job`, whatever [`Self::job`] names.
    ///
    /// # Errors
    /// If the job or an option is refused, the folder has a job already, or a file cannot be written: nothing is left then.
    pub fn commit(&self, job: &Job) -> Result<Committed> {
        let set = self.same_data.as_deref().map(Set::load).transpose()?;
        let folder = claim_new(&self.out, "choose another folder")?;
        let stage = folder.stage()?;
        let progress = Progress::new(1 + job.epoch().segments().min(job.segments()) as u64, "proofs", self.json);
        let kind = self.keys.kind(None)?;
        if let Some(set) = &set {
            ensure!(
                kind == ProofKind::Wrapped || set.kind == ProofKind::Core,
                "--same-data {}: core proofs about these data would tell of them, and the proofs of that job are wrapped",
                set.folder.display()
            );
        }
        let keys = self.keys.keys(
            &job.architecture,
            column_vars(job, kind, set.as_ref().map(|set| set.column_vars))?,
            kind,
            &progress,
        )?;
        warn(kind, keys.key.setup.is_insecure());
        let first = first_parameters(job)?;
        let (mut seeds, origin) = match self.from {
            Some((parent, secret)) => {
                (Seeds { first: secret, ..Seeds::fresh(&job.initial_weights)? }, Origin::Parent(parent))
            }
            None => begin(job, &keys, &first)?,
        };
        if let Some(set) = &set {
            seeds.data = set.seed;
        }
        let commitments = JobCommitments::new(job, &keys, &first, &seeds, origin, &progress)?;
        let statement = &commitments.statement;
        if let Some(set) = &set {
            ensure!(
                statement.data.root == set.root,
                "--same-data {}: it has other data, or lays them out otherwise: same rows in the same order, same batch, steps \
                 a segment, classes and columns make the same root",
                set.folder.display()
            );
        }
        let mut verifier = JobVerifier::new(&keys.key, statement, &mut Strict)?;
        for part in verifier.registrations() {
            progress.say(format!("proving {part}"));
            let taken = set.as_ref().and_then(|set| set.proof(part, &mut verifier));
            let proof = match taken {
                Some(proof) => proof,
                None => commitments.register(job, &keys, &first, part)?,
            };
            stage.save(part.file_name(), &proof)?;
            progress.advance(1);
        }
        if let Some(key) = keys.file() {
            stage.save(KEY_FILE, &key)?;
        }
        Openings::new(statement, seeds).save(stage.path())?;
        stage.save(Part::Statement.file_name(), &statement.to_json()?)?;
        stage.finish(&Part::Statement.file_name())?;
        let registrations = verifier.registrations().count();
        let (zero_knowledge, statement) = (keys.zero_knowledge, statement.clone());
        Ok(Committed { statement, registrations, zero_knowledge })
    }

    /// Says what was written.
    fn say(&self, made: &Committed) -> Result<()> {
        let Committed { statement, registrations, zero_knowledge } = made;
        let (out, private) = (self.out.display(), Openings::path(&self.out));
        if self.json {
            print(
                &serde_json::json!({
                    "statement": self.out.join("statement.json"),
                    "openings": private,
                    "digest": hex::encode(&statement.digest()),
                    "data_root": hex::encode(&statement.data.root),
                    "parent": statement.parent,
                    "segments": statement.segments(),
                    "positions": statement.positions(),
                    "zero_knowledge": zero_knowledge,
                    "insecure_setup": statement.setup.insecure,
                })
                .to_string(),
            );
        } else {
            print(&format!("{out}/statement.json: the public statement; post it with the job"));
            let of = if statement.parent.is_some() { "data" } else { "data and first parameters" };
            print(&format!("{out}/*.proof: {registrations} registrations of {of}"));
            print(&format!(
                "{}: the seeds of the blindings. Keep it secret and keep it: only with it can the provider prove on these \
                 commitments, and you open those to the trained weights",
                private.display()
            ));
            if let Some(parent) = &statement.parent {
                print(&format!(
                    "it goes on from the job with the statement {}, after {} segments: compare that with the one you posted",
                    hex::encode(&parent.statement),
                    parent.segments
                ));
            }
            print("for a chain, `requester bind` says where the job counts, before it is proved");
        }
        Ok(())
    }
}

/// What was committed to.
pub struct Committed {
    /// The statement, not bound.
    pub statement: JobStatement,
    /// Registrations beside it.
    pub registrations: usize,
    /// Whether they are zero-knowledge.
    pub zero_knowledge: bool,
}

/// Data that were committed to before.
struct Set {
    folder: PathBuf,
    root: [u8; 32],
    column_vars: usize,
    kind: ProofKind,
    seed: [u8; 32],
}

impl Set {
    fn load(folder: &Path) -> Result<Self> {
        let load = || -> Result<Self> {
            let statement = read_statement(&folder.join(Part::Statement.file_name()))?;
            let seed = Openings::load(&Openings::path(folder), &statement)?.seeds().data;
            let JobStatement { data, column_vars, proof: kind, .. } = statement;
            Ok(Self { folder: folder.to_owned(), root: data.root, column_vars, kind, seed })
        };
        load().wrap_err("--same-data")
    }

    /// The registration of `part`, if the folder has one that holds for this job, too: of data only, under the same key.
    fn proof(&self, part: Part, verifier: &mut JobVerifier<'_>) -> Option<Vec<u8>> {
        let Part::Data(_) = part else { return None };
        let proof = read(&self.folder.join(part.file_name()), MAX_PROOF_BYTES).ok()?;
        verifier.check(part, &proof, &mut Strict).is_ok().then_some(proof)
    }
}
