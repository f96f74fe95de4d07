//! `requester status`, `provider status` and `validator status`: what a node's jobs are, by the chain and by its own files.

use eyre::Result;
use gradproof_chain::market::{State, TrainingMarket};
use gradproof_chain::{B256, Chain, PrivateKeySigner};
use gradproof_node::home::Home;
use gradproof_terminal::{Outcome, print};
use serde::Serialize;

use super::options::{HomeOption, Opened};

/// Says what the node's jobs are.
#[derive(clap::Args, Clone, Debug)]
pub struct Status {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// Print it as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// A job, as `status` says it. Amounts are in tokens.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    job: B256,
    state: String,
    segments: u16,
    claimed: u16,
    closed: u16,
    settled: u16,
    price: String,
    paid: String,
    provider: String,
    folder: std::path::PathBuf,
}

impl Status {
    /// Runs `status`.
    ///
    /// # Errors
    /// A file is refused, or the chain does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let opened = self.home.opened(None)?;
        let ids = with_folders(&opened.home);
        let mut jobs = Vec::new();
        if !ids.is_empty() {
            let chain = reader(&opened)?;
            for id in ids {
                let job = chain.call(opened.deployment.market.address, &TrainingMarket::jobOfCall { id })?;
                jobs.push(Shown::of(&opened, id, &job));
            }
        }
        if self.json {
            print(&serde_json::to_string(&jobs)?);
        } else if jobs.is_empty() {
            print("no jobs");
        }
        if !self.json {
            jobs.iter().for_each(Shown::print);
        }
        Ok(Outcome::Done)
    }
}

/// The jobs that have a folder.
pub fn with_folders(home: &Home) -> Vec<B256> {
    let entries = std::fs::read_dir(home.jobs()).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// A client that only reads.
///
/// # Errors
/// As [`Opened::chain`].
pub fn reader(opened: &Opened) -> Result<Chain> {
    // Nothing is sent, so that any account will do.
    opened.chain(PrivateKeySigner::random())
}

/// Says what came of a job.
pub fn tell(opened: &Opened, id: B256, json: bool) -> Result<Outcome> {
    let job = reader(opened)?.call(opened.deployment.market.address, &TrainingMarket::jobOfCall { id })?;
    let shown = Shown::of(opened, id, &job);
    if json {
        print(&serde_json::to_string(&shown)?);
    } else {
        shown.print();
    }
    Ok(if shown.state == format!("{:?}", State::Completed) { Outcome::Done } else { Outcome::Rejected })
}

impl Shown {
    /// A job of the node in a folder, as the market holds it.
    pub fn of(opened: &Opened, id: B256, job: &TrainingMarket::Job) -> Self {
        let tokens = |amount: u128| opened.deployment.tokens(gradproof_chain::U256::from(amount));
        Self {
            job: id,
            state: State::name(job.state),
            segments: job.total,
            claimed: job.claimed,
            closed: job.closed,
            settled: job.settled,
            price: tokens(job.price),
            paid: tokens(job.paid),
            provider: if job.owner.is_zero() { "nobody".into() } else { job.owner.to_string() },
            folder: opened.home.job(id),
        }
    }

    /// Prints it.
    pub fn print(&self) {
        let Self { job, state, segments, claimed, closed, settled, price, paid, provider, folder } = self;
        print(&format!("job {job}: {state}, by {provider}"));
        print(&format!("  {segments} segments: {claimed} claimed, {closed} closed, {settled} settled"));
        print(&format!("  {price} tokens a segment, {paid} paid; {}", folder.display()));
    }
}
