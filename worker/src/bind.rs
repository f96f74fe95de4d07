//! `requester bind`: where a job counts, once that is known.

use std::path::PathBuf;

use eyre::{Result, WrapErr};
use gradproof_terminal::{Outcome, print};
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier_program::files::{KEY_FILE, MAX_PROOF_BYTES, list_proofs, read, read_statement};

use crate::domain::DomainOptions;
use crate::folder::claim_new;
use crate::openings::Openings;

/// Binds a statement, and its openings, to chain, contract, job and owner.
#[derive(clap::Args, Clone, Debug)]
pub struct Bind {
    /// Statement of `requester commit`. The registrations and the key beside it also serve the bound statement, and are copied.
    #[arg(long, value_name = "FILE")]
    pub statement: PathBuf,
    /// Openings of the statement [default: `private/openings.json` beside the statement].
    #[arg(long, value_name = "FILE")]
    pub openings: Option<PathBuf>,
    /// Folder for the bound statement and openings; it must not hold a job yet.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Where the job counts.
    #[command(flatten)]
    pub domain: DomainOptions,
    /// Print what was written as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl Bind {
    /// Runs `requester bind`.
    ///
    /// # Errors
    /// If the statement is bound already, an option is refused, the folder has a job already, or a file cannot be written.
    pub fn run(&self) -> Result<Outcome> {
        let domain = self.domain.domain()?;
        let unbound = read_statement(&self.statement)?;
        let path = self.statement.display();
        let statement = unbound.bind(domain).wrap_err_with(|| format!("{path}"))?;
        let beside = || Openings::beside(&self.statement);
        let openings = Openings::load(&self.openings.clone().unwrap_or_else(beside), &unbound)?;
        let folder = claim_new(&self.out, "choose another folder")?;
        let stage = folder.stage()?;
        let posted = self.statement.parent().filter(|folder| !folder.as_os_str().is_empty());
        let posted = posted.unwrap_or(std::path::Path::new("."));
        let mut copied = 0;
        for (part, proof) in list_proofs(posted)?.parts {
            // A segment's proof is for where its statement counts, and no other place.
            if !matches!(part, Part::Segment(_)) {
                stage.save(part.file_name(), &read(&proof, MAX_PROOF_BYTES)?)?;
                copied += 1;
            }
        }
        let key = posted.join(KEY_FILE);
        if key.is_file() {
            stage.save(KEY_FILE, &read(&key, MAX_PROOF_BYTES)?)?;
        }
        Openings::new(&statement, openings.seeds()).save(stage.path())?;
        stage.save(Part::Statement.file_name(), &statement.to_json()?)?;
        stage.finish(&Part::Statement.file_name())?;
        let (out, private) = (self.out.display(), Openings::path(&self.out));
        if self.json {
            let json = serde_json::json!({
                "statement": self.out.join("statement.json"),
                "openings": private,
                "digest": hex::encode(&statement.digest()),
                "registrations": copied,
                "domain": statement.domain,
            });
            print(&json.to_string());
        } else {
            print(&format!("{out}/statement.json: for job {} on chain {}", hex::encode(&domain.job), domain.chain));
            print(&format!("{}: the same seeds, for this statement. Secret", private.display()));
            print(&format!(
                "{out}: {copied} registrations, which serve both, were copied as they are: `verifier verify --registrations` checks \
                 them"
            ));
        }
        Ok(Outcome::Done)
    }
}
