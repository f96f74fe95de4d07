//! `requester commit`: commitments to data and first parameters, and their registration.

use std::path::PathBuf;

use eyre::Result;
use gradproof_circuits::check::Strict;
use gradproof_prover::randomness::fresh_seed;
use gradproof_verifier::command::{Outcome, Progress, print, warn};
use gradproof_verifier::hex;
use gradproof_verifier::part::Part;
use gradproof_verifier::verify_job::JobVerifier;

use super::commitments::{Commitments, first_parameters};
use super::domain::DomainOptions;
use super::folder::{create, refuse_used, save};
use super::keys::KeyOptions;
use super::openings::Openings;
use crate::job::Job;

/// Commits to the data and first parameters of a job.
#[derive(clap::Args, Clone, Debug)]
pub struct Commit {
    /// The job file (TOML).
    #[arg(long, value_name = "FILE")]
    pub job: PathBuf,
    /// Folder for `statement.json`, `parameters.proof`, `data-0000.proof` … and `private/openings.json`.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Kind of proofs, and set-up.
    #[command(flatten)]
    pub keys: KeyOptions,
    /// Print what was written as one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Where the job counts.
    #[command(flatten)]
    pub domain: DomainOptions,
}

impl Commit {
    /// Runs `requester commit`.
    ///
    /// # Errors
    /// If the job or an option is refused, the folder has a job already, or a file cannot be written.
    pub fn run(&self) -> Result<Outcome> {
        let job = Job::load(&self.job)?;
        let domain = self.domain.domain()?;
        refuse_used(&self.out, "choose another folder")?;
        let progress = Progress::new(1 + job.epoch().segments().min(job.segments()) as u64, "proofs", self.json);
        let kind = self.keys.kind(None)?;
        let keys = self.keys.keys(&job.architecture, job.column_vars, kind, &progress)?;
        warn(kind, keys.key.setup.is_insecure());
        let first = first_parameters(&job)?;
        let seed = fresh_seed()?;
        let commitments = Commitments::new(&job, &keys, &first, &seed, domain, &progress)?;
        let statement = &commitments.statement;
        create(&self.out)?;
        keys.save(&self.out)?;
        Openings::new(statement, seed).save(&self.out)?;
        save(&self.out.join(Part::Statement.file_name()), &statement.to_json()?)?;
        let verifier = JobVerifier::new(&keys.key, statement, &mut Strict)?;
        for part in verifier.parts().filter(|part| !matches!(part, Part::Segment(_))) {
            progress.say(format!("proving {part}"));
            save(&self.out.join(part.file_name()), &commitments.register(&job, &keys, &first, part)?)?;
            progress.advance(1);
        }
        drop(progress);
        let (out, private) = (self.out.display(), Openings::path(&self.out));
        if self.json {
            print(
                &serde_json::json!({
                    "statement": self.out.join("statement.json"),
                    "openings": private,
                    "job": hex::encode(&statement.domain.job),
                    "data_root": hex::encode(&statement.data.root),
                    "segments": statement.segments(),
                    "positions": statement.positions(),
                    "zero_knowledge": keys.zero_knowledge,
                    "insecure_setup": statement.setup.insecure,
                })
                .to_string(),
            );
        } else {
            print(&format!("{out}/statement.json: the public statement; post it with the job"));
            print(&format!("{out}/*.proof: {} registrations of data and first parameters", 1 + statement.positions()));
            print(&format!(
                "{}: the seed of the blindings. Keep it secret and keep it: only with it can the provider prove on these \
                 commitments, and you open those to the trained weights",
                private.display()
            ));
        }
        Ok(Outcome::Done)
    }
}
