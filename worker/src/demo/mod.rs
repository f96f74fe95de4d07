//! `provider demo`: everything on the built-in digits.

mod network;
mod outcome;
mod parties;
mod trade;

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr};
use gradproof_terminal::{Outcome, Progress, print};
use gradproof_training::job::{DEMO, Job};
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier_program::files::{MAX_PROOF_BYTES, read};
use gradproof_verifier_program::verify::{Arguments, KeyChoice, Verified, verify, verifying_key};
use serde::Serialize;

use self::network::Network;
use self::outcome::NetworkReport;
use self::trade::Trade;
use crate::columns;
use crate::commitments::{JobCommitments, first_parameters};
use crate::domain::ExpectedDomain;
use crate::folder::claim_new;
use crate::keys::KeyOptions;
use crate::openings::Openings;
use crate::parent::begin;
use crate::prove::{Prove, check_command};
use crate::report::Report;
use crate::settle::{ChainReport, LocalSettlement};
use crate::train::{KernelOptions, float_accuracy};

/// Epochs of the job that a team proves: a segment each. Of a batch of three the member has one at least, however fast the lead is.
const NETWORK_EPOCHS: usize = 6;

/// Trains on the built-in digits, proves every step, and verifies the proofs.
#[derive(clap::Args, Clone, Debug)]
pub struct Demo {
    /// Keep statement, proofs, weights and report in this folder; without it they are removed.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Also settle the job with the contracts on a local node; this is the folder `contracts` of the repository, with its tools
    /// installed.
    ///
    /// `cargo xtask demo` installs the tools and gives this option.
    #[arg(long, value_name = "DIR")]
    pub contracts: Option<PathBuf>,
    /// Print the measurements as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What the demonstration shows.
#[derive(Clone, Debug, Default, Serialize)]
struct Measurements {
    accepted: bool,
    steps: usize,
    segments: usize,
    parameters: usize,
    accuracy: Option<f64>,
    float_accuracy: Option<f64>,
    train_secs: f64,
    prove_secs_per_step: f64,
    proof_bytes: usize,
    verify_ms: f64,
    verify_ms_per_segment: f64,
    /// On a local node, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<ChainReport>,
    /// Processes of their own over a network, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<NetworkReport>,
    peak_memory_bytes: Option<u64>,
    zero_knowledge: bool,
    insecure_setup: bool,
}

impl Demo {
    /// Runs `provider demo`.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn run(&self) -> Result<Outcome> {
        let job = Job::demo()?;
        let temporary = match self.out {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("gradproof-").tempdir()?),
        };
        let folder = self.out.as_deref().or(temporary.as_ref().map(tempfile::TempDir::path)).unwrap_or(Path::new("."));
        let posted = folder.join("posted");
        // Before anything is made: the proofs go into the one, the statement into the other.
        drop(claim_new(folder, "choose another folder")?);
        let settlement = self.post(&job, &posted)?;
        let prove = Prove {
            job: PathBuf::new(),
            out: folder.to_owned(),
            resume: false,
            traces: None,
            statement: Some(posted.join(Part::Statement.file_name())),
            openings: None,
            keys: KeyOptions::default(),
            kernels: KernelOptions::default(),
            json: self.json,
            domain: ExpectedDomain::default(),
        };
        let report = prove.prove(&job)?;
        let statement = posted.join(Part::Statement.file_name());
        let arguments = Arguments {
            statement,
            proofs: folder.to_owned(),
            key: KeyChoice::default(),
            parent: vec![],
            registrations: false,
            json: self.json,
        };
        let Verified { report: verified, job: statement, .. } = verify(&arguments, None)?;
        let chain = settlement.map(|settlement| settle(settlement, &arguments, &statement)).transpose()?;
        let network = self.contracts.as_deref().map(|contracts| self.network(contracts, &job, folder)).transpose()?;
        let proved = report.segments.iter().filter_map(|segment| segment.proof);
        let measurements = Measurements {
            accepted: verified.accepted,
            steps: report.steps,
            segments: report.segments.len(),
            parameters: report.parameters,
            accuracy: report.test_accuracy,
            float_accuracy: float_accuracy(&job)?,
            train_secs: report.segments.iter().map(|segment| segment.train_secs).sum(),
            prove_secs_per_step: proved.clone().map(|proof| proof.total_secs).sum::<f64>() / report.steps as f64,
            proof_bytes: verified.proof_bytes,
            verify_ms: verified.verify_ms,
            verify_ms_per_segment: proved.map(|proof| proof.verify_ms).sum::<f64>() / report.segments.len() as f64,
            chain,
            network,
            peak_memory_bytes: report.peak_memory_bytes,
            zero_knowledge: verified.zero_knowledge,
            insecure_setup: verified.insecure_setup,
        };
        if self.json {
            print(&serde_json::to_string(&measurements)?);
        } else {
            print(&measurements.table(&report));
            if let Some(folder) = &self.out {
                print(&format!("check it: {}", check_command(&arguments.statement, folder, &[])));
            }
        }
        Ok(if verified.accepted { Outcome::Done } else { Outcome::Rejected })
    }
}

impl Demo {
    /// The same job, longer, and the same on a licensed set: posted, trained, proved, delivered and paid by processes of their own.
    fn network(&self, contracts: &Path, job: &Job, folder: &Path) -> Result<NetworkReport> {
        let progress = Progress::new(1, "networks", self.json);
        let kind = ProofKind::Wrapped;
        let keys = KeyOptions::default().keys(&job.architecture, columns::vars(job, kind), kind, &progress)?;
        let folder = folder.join("network");
        std::fs::create_dir_all(&folder).wrap_err_with(|| format!("cannot make {}", folder.display()))?;
        let write = |name: &str, text: String| {
            let file = folder.join(name);
            std::fs::write(&file, text).wrap_err_with(|| format!("cannot write {}", file.display()))?;
            Ok::<_, eyre::Report>(file)
        };
        let (first, second) = (write("job.toml", longer(DEMO))?, write("licensed.toml", licensed(DEMO))?);
        let network = Network::start(&folder, contracts, &keys.key, &progress)?;
        Trade::run(&network, &first, &second, &progress)
            .wrap_err_with(|| format!("see the logs in {}", folder.display()))
    }

    /// The requester's part: commits to data and first parameters, opens the job on a local node if one is asked for, and
    /// writes the statement into `folder`.
    fn post(&self, job: &Job, folder: &Path) -> Result<Option<LocalSettlement>> {
        let progress = Progress::new(1, "statements", self.json);
        let kind = ProofKind::Wrapped;
        let keys = KeyOptions::default().keys(&job.architecture, columns::vars(job, kind), kind, &progress)?;
        let first = first_parameters(job)?;
        let (seeds, origin) = begin(job, &keys, &first)?;
        let mut statement = JobCommitments::new(job, &keys, &first, &seeds, origin, &progress)?.statement;
        progress.say("opening the job on a local node");
        let open = |contracts: &PathBuf| LocalSettlement::open(contracts, &keys.key, &mut statement);
        let settlement = self.contracts.as_ref().map(open).transpose()?;
        let folder = claim_new(folder, "choose another folder")?;
        let stage = folder.stage()?;
        Openings::new(&statement, seeds).save(stage.path())?;
        stage.save(Part::Statement.file_name(), &statement.to_json()?)?;
        stage.finish(&Part::Statement.file_name())?;
        Ok(settlement)
    }
}

/// A job file with the epochs of the team's job.
fn longer(file: &str) -> String {
    changed(file, "epochs", &NETWORK_EPOCHS.to_string())
}

/// A job file on a registered set in the place of the digits.
fn licensed(file: &str) -> String {
    changed(file, "format", "\"licensed\"")
}

/// A job file with another value of a key.
fn changed(file: &str, key: &str, value: &str) -> String {
    let line = |line: &str| match line.split_once('=') {
        Some((name, _)) if name.trim() == key => format!("{key} = {value}\n"),
        _ => format!("{line}\n"),
    };
    file.lines().map(line).collect()
}

/// Submits the proofs that `arguments` name to the contracts.
fn settle(settlement: LocalSettlement, arguments: &Arguments, statement: &JobStatement) -> Result<ChainReport> {
    let (key, _) = verifying_key(&arguments.key, &arguments.statement, statement, &arguments.proofs)?;
    let segments = (0..statement.segments() as u64)
        .map(|index| read(&arguments.proofs.join(Part::Segment(index).file_name()), MAX_PROOF_BYTES));
    let segments = segments.collect::<Result<Vec<_>>>()?;
    let segments: Vec<&[u8]> = segments.iter().map(Vec::as_slice).collect();
    settlement.submit(&key, statement, &segments)
}

impl Measurements {
    fn table(&self, report: &Report) -> String {
        let share = |value: Option<f64>| value.map_or("-".into(), |value| format!("{:.2} %", 100.0 * value));
        let loss = report.segments.last().and_then(|segment| segment.loss);
        let mut rows = vec![
            ("verdict", if self.accepted { "accepted: every step is proved".into() } else { "REJECTED".to_owned() }),
            ("network", format!("784-128-128-10, {} parameters", self.parameters)),
            ("steps", format!("{} of 64 digits each, in {} segments", self.steps, self.segments)),
            ("accuracy", format!("{} (floating point: {})", share(self.accuracy), share(self.float_accuracy))),
            ("last loss", loss.map_or("-".into(), |loss| format!("{loss:.3}"))),
            ("training", format!("{:.2} s", self.train_secs)),
            ("proving", format!("{:.3} s a step", self.prove_secs_per_step)),
            ("proofs", format!("{} bytes, registrations included", self.proof_bytes)),
            ("verification", format!("{:.0} ms ({:.0} ms a segment)", self.verify_ms, self.verify_ms_per_segment)),
            (
                "zero-knowledge",
                if self.zero_knowledge { "yes" } else { "no: core proofs tell of data and weights" }.into(),
            ),
            ("set-up", "insecure: for trying things out, anyone can forge".into()),
        ];
        if let Some(chain) = &self.chain {
            let (accepted, gas) = (chain.accepted, chain.gas);
            rows.push(("on chain", format!("{accepted} segments accepted by the contracts, {gas} gas each at most")));
            rows.push(("paid", format!("{} tokens, by the market to the provider", chain.paid)));
        }
        rows.extend(self.network.iter().flat_map(NetworkReport::rows));
        let lines: Vec<String> = rows.iter().map(|(name, value)| format!("{name:<15} {value}")).collect();
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_s_jobs_are_the_same_but_longer_or_on_a_registered_set() {
        let (short, long) = (Job::demo().expect("it is right"), Job::parse(Path::new("job.toml"), &longer(DEMO)));
        let long = long.expect("it is right");
        assert_eq!((short.segments(), long.segments()), (4, NETWORK_EPOCHS));
        assert_eq!(short.architecture, long.architecture);
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), licensed(DEMO)).expect("written");
        let licensed = Job::load_licensed(file.path(), 2048, 784).expect("it is right");
        assert_eq!((short.segments(), short.architecture), (licensed.segments(), licensed.architecture));
    }

    #[test]
    fn the_readme_shows_the_rows_that_are_printed() {
        let readme = include_str!("../../../README.md");
        let shown = readme.split("\n```").find_map(|block| block.strip_prefix("text\n")).expect("a block of output");
        let rows = |text: &str| -> Vec<String> {
            text.lines().map(|line| line.split("  ").next().unwrap_or_default().to_owned()).collect()
        };
        let balances = vec![outcome::Balance::default(); parties::PARTIES.len()];
        let job = outcome::JobReport { balances, ..outcome::JobReport::default() };
        let killed = vec![outcome::Killed::default(); 2];
        let network = NetworkReport { jobs: [job.clone(), job], killed, ..NetworkReport::default() };
        let measurements = Measurements {
            accepted: true,
            chain: Some(ChainReport::default()),
            network: Some(network),
            ..Measurements::default()
        };
        let table = measurements.table(&Report::default());
        assert!(table.starts_with("verdict         accepted"));
        assert_eq!(rows(shown), rows(&table));
    }
}
