//! `dataset register`: commits to data, and enters them in the register of data sets.

use std::path::PathBuf;

use eyre::{Result, ensure, eyre};
use gradproof_chain::market::{BPS_A_PERCENT, DatasetRegistry, MAX_ROYALTY_BPS, royalty_percent};
use gradproof_chain::{Address, Chain};
use gradproof_node::dataset::DatasetFile;
use gradproof_node::workshop::ROWS_FILE;
use gradproof_terminal::{Outcome, Progress, print};
use gradproof_training::job::Job;
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier_program::files::read_statement;

use crate::commit::Commit;
use crate::commitments::{JobCommitments, Origin, first_parameters};
use crate::data_opening::DataOpening;
use crate::keys::KeyOptions;
use crate::node::{HomeOption, Opened, PasswordOption, ProvingOptions};
use crate::openings::{Openings, Seeds};
use crate::train::load;
use crate::workshop::write_rows;

/// Digits behind the point of a percentage that the register keeps.
const PERCENT_DIGITS: usize = 2;

/// Enters a data set in the register, or changes its royalty.
#[derive(clap::Args, Clone, Debug)]
pub struct RegisterDataset {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password.
    #[command(flatten)]
    pub password: PasswordOption,
    /// A job file (TOML) with the data, and in the shape of all jobs on them: values of a row, classes, batch, steps of a segment. Layers
    /// between, rates and epochs are free in each job.
    #[arg(long, value_name = "FILE")]
    pub job: PathBuf,
    /// Folder for the commitments and what opens them. Hand it, with the data, to those who have a licence, and to nobody else. If the
    /// commitments are there already, they are registered as they are.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Part of each paid segment's price that is the set's royalty, in percent: 0 to 50, with two digits behind the point at most.
    #[arg(long, value_name = "PERCENT")]
    pub royalty: String,
    /// Who gets fees and royalties [default: the account].
    #[arg(long, value_name = "ACCOUNT")]
    pub receiver: Option<Address>,
    /// Proofs and commitments.
    #[command(flatten)]
    pub proving: ProvingOptions,
    /// Print the set as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl RegisterDataset {
    /// Runs `dataset register`.
    ///
    /// # Errors
    /// The job or an option is refused, the register refuses, or the chain does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let rate = rate(&self.royalty)?;
        let opened = self.home.opened(None)?;
        let chain = opened.chain(opened.accounts(&self.password)?.require_account()?.clone())?;
        let statement = self.statement()?;
        self.hand_over(&statement)?;
        let register = opened.deployment.datasets.address;
        let set = DatasetFile::of(opened.deployment.chain, register, chain.sender(), &statement);
        let receiver = self.receiver.unwrap_or_else(|| chain.sender());
        let done = enter(&opened, &chain, &set, rate, receiver)?;
        set.save(&self.out)?;
        self.say(&set, rate, receiver, done);
        Ok(Outcome::Done)
    }

    /// The statement of the commitments, which are made now if they are not there.
    fn statement(&self) -> Result<JobStatement> {
        let path = self.out.join(Part::Statement.file_name());
        if path.exists() {
            let statement = read_statement(&path)?;
            Openings::load(&Openings::path(&self.out), &statement)?;
            return Ok(statement);
        }
        let job = load(&self.job)?;
        let commit = Commit {
            job: self.job.clone(),
            out: self.out.clone(),
            same_data: None,
            keys: self.proving.keys(),
            from: None,
            json: self.json,
        };
        Ok(commit.commit(&job)?.statement)
    }

    /// Writes what `dataset serve` hands over, unless it is there: the rows, and the seed of their blindings.
    fn hand_over(&self, statement: &JobStatement) -> Result<()> {
        let openings = Openings::path(&self.out);
        let seeds = Openings::load(&openings, statement)?.seeds();
        if !self.out.join(ROWS_FILE).exists() {
            let job = load(&self.job)?;
            self.require_committed(&job, statement, &seeds)?;
            write_rows(&self.out, &job.train)?;
        }
        DataOpening::new(seeds.data).save(openings.parent().unwrap_or(&self.out))
    }

    /// Refuses rows that are not those of the statement: the job file may be another one than when they were committed to.
    fn require_committed(&self, job: &Job, statement: &JobStatement, seeds: &Seeds) -> Result<()> {
        let progress = Progress::new(1, "keys", self.json);
        // No circuit is needed for that.
        let options = KeyOptions { key_cache: None, ..self.proving.keys() };
        let keys = options.keys(&job.architecture, statement.column_vars, ProofKind::Core, &progress)?;
        let (first, origin) = (first_parameters(job)?, Origin::New { seed: None });
        let made = JobCommitments::new(job, &keys, &first, seeds, origin, &progress)?.statement;
        ensure!(
            made.data.root == statement.data.root && made.data.rows == statement.data.rows,
            "--job {}: its rows, or their shape, are not those that {} has commitments to",
            self.job.display(),
            self.out.display()
        );
        Ok(())
    }

    fn say(&self, set: &DatasetFile, rate: u16, receiver: Address, done: Done) {
        let DatasetFile { dataset, owner, root, rows, .. } = set;
        let percent = royalty_percent(rate);
        if self.json {
            let json = serde_json::json!({
                "dataset": dataset, "owner": owner, "root": root, "rows": rows, "royalty_percent": percent,
                "receiver": receiver, "schema": set.schema, "changed": done != Done::Nothing,
            });
            print(&json.to_string());
            return;
        }
        let said = match done {
            Done::Registered => "is registered",
            Done::Changed => "was registered, and has another royalty or receiver from now on",
            Done::Nothing => "is as it was",
        };
        print(&format!("data set {dataset} {said}: {rows} rows, {percent} % of a segment's price to {receiver}"));
        print(&format!("{}: hand it, with the data, to those who have a licence: dataset license", self.out.display()));
    }
}

/// What was done to the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Registered,
    Changed,
    Nothing,
}

/// Enters a set of the chain's account, unless the register says all that already.
fn enter(opened: &Opened, chain: &Chain, set: &DatasetFile, rate: u16, receiver: Address) -> Result<Done> {
    let register = opened.deployment.datasets.address;
    let dataset = set.dataset;
    let entry = chain.call(register, &DatasetRegistry::entryCall { dataset })?;
    let (rate_bps, root, rows) = (rate, set.root, set.rows);
    let done = if entry.owner.is_zero() {
        let call = DatasetRegistry::registerCall { root, rows, rateBps: rate_bps, receiver };
        chain.send(register, &call)?;
        Done::Registered
    } else if (entry.rateBps, entry.receiver) != (rate, receiver) {
        chain.send(register, &DatasetRegistry::changeCall { dataset, rateBps: rate_bps, receiver })?;
        Done::Changed
    } else {
        Done::Nothing
    };
    let entry = chain.call(register, &DatasetRegistry::entryCall { dataset })?;
    ensure!(
        set.is_of(&entry) && (entry.rateBps, entry.receiver) == (rate, receiver),
        "the register has no data set {dataset} as it was sent: does the first endpoint tell the truth?"
    );
    Ok(done)
}

/// A percentage in hundredths of a percent.
fn rate(percent: &str) -> Result<u16> {
    let most = MAX_ROYALTY_BPS / BPS_A_PERCENT;
    let refuse = || {
        eyre!(
            "--royalty {percent}: expected 0 to {most} percent, with {PERCENT_DIGITS} digits behind the point at most"
        )
    };
    let (whole, part) = percent.split_once('.').unwrap_or((percent, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    ensure!(!whole.is_empty() && are_digits(whole) && are_digits(part) && part.len() <= PERCENT_DIGITS, refuse());
    let hundredths = format!("{whole}{part:0<PERCENT_DIGITS$}").parse::<u16>().map_err(|_| refuse())?;
    ensure!(hundredths <= MAX_ROYALTY_BPS, refuse());
    Ok(hundredths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_royalty_is_a_percentage_up_to_a_half() {
        let good = [("0", 0), ("5", 500), ("2.5", 250), ("0.01", 1), ("50.00", 5000)];
        for (text, bps) in good {
            assert_eq!(rate(text).expect("it is one"), bps, "{text}");
        }
        for text in ["", "-1", "50.01", "51", "0.001", "1e1", ".5", "5 %", "99999999"] {
            let error = rate(text).expect_err("it is none").to_string();
            assert!(error.contains("--royalty") && error.contains("0 to 50 percent"), "{text}: {error}");
        }
    }
}
