//! `dataset status`: which sets a data owner serves, which jobs are on them, and what these paid.

use std::collections::BTreeSet;
use std::path::PathBuf;

use eyre::Result;
use gradproof_chain::market::{Earned, TrainingMarket};
use gradproof_chain::{Address, B256, Chain, U256};
use gradproof_node::config::SetConfig;
use gradproof_node::dataset::{DATASET_FILE, DatasetFile};
use gradproof_node::facts::Role;
use gradproof_node::told;
use gradproof_terminal::{Outcome, print};
use serde::Serialize;

use crate::node::{HomeOption, Opened, Shown, reader, with_folders};

/// Says which sets the node serves, which jobs are on them, and what these paid.
#[derive(clap::Args, Clone, Debug)]
pub struct DatasetStatus {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// Print it as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Amounts are in tokens.
#[derive(Clone, Debug, Serialize)]
struct ShownSet {
    folder: PathBuf,
    /// What the folder has; nothing if it is of no set, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<DatasetFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrong: Option<String>,
    /// Jobs on it that the node knows.
    jobs: usize,
    fees_paid: String,
    royalties_paid: String,
}

/// A job on a set, and what it paid.
#[derive(Clone, Debug, Serialize)]
struct ShownJob {
    #[serde(flatten)]
    job: Shown,
    dataset: B256,
    /// Who is paid.
    paid_to: Address,
    fee: String,
    fee_paid: String,
    /// Of a segment; fixed when the job is accepted.
    royalty: String,
    royalties_paid: String,
    #[serde(skip)]
    earned: Earned,
}

impl DatasetStatus {
    /// Runs `dataset status`.
    ///
    /// # Errors
    /// The folder is none of a data owner's node, a file is refused, or the chain does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let opened = self.home.opened(Some(Role::DataOwner))?;
        let jobs = jobs(&opened)?;
        let configured = opened.config.data_owner.iter().flat_map(|config| &config.sets);
        let sets: Vec<ShownSet> = configured.map(|set| ShownSet::of(&opened, set, &jobs)).collect();
        if self.json {
            print(&serde_json::json!({ "sets": sets, "jobs": jobs }).to_string());
            return Ok(Outcome::Done);
        }
        if sets.is_empty() {
            print("no sets");
        }
        sets.iter().for_each(ShownSet::print);
        if jobs.is_empty() {
            print("no jobs");
        }
        jobs.iter().for_each(ShownJob::print);
        Ok(Outcome::Done)
    }
}

/// The jobs on registered sets that the node follows, or handed rows over for.
fn jobs(opened: &Opened) -> Result<Vec<ShownJob>> {
    let ids: BTreeSet<B256> = told::jobs(&opened.home)?.into_iter().chain(with_folders(&opened.home)).collect();
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let chain = reader(opened)?;
    let mut jobs = Vec::new();
    for id in ids {
        jobs.extend(ShownJob::of(opened, &chain, id)?);
    }
    Ok(jobs)
}

impl ShownJob {
    /// A job; `None` if its data are no registered set.
    fn of(opened: &Opened, chain: &Chain, id: B256) -> Result<Option<Self>> {
        let market = opened.deployment.market.address;
        let dataset = chain.call(market, &TrainingMarket::termsOfCall { id })?.training.dataset;
        if dataset.is_zero() {
            return Ok(None);
        }
        let job = chain.call(market, &TrainingMarket::jobOfCall { id })?;
        let (earned, tokens) = (Earned::of(&job), |amount: u128| in_tokens(opened, amount));
        Ok(Some(Self {
            job: Shown::of(opened, id, &job),
            dataset,
            paid_to: job.royaltyTo,
            fee: tokens(job.licenceFee),
            fee_paid: tokens(earned.fee),
            royalty: tokens(job.royalty),
            royalties_paid: tokens(earned.royalty),
            earned,
        }))
    }

    fn print(&self) {
        let Self { job, dataset, paid_to, fee, fee_paid, royalty, royalties_paid, .. } = self;
        job.print();
        print(&format!("  on data set {dataset}: of the fee of {fee} {fee_paid} are paid,"));
        print(&format!("  and {royalties_paid} of royalties, {royalty} a segment, to {paid_to}"));
    }
}

impl ShownSet {
    fn of(opened: &Opened, SetConfig { folder, .. }: &SetConfig, jobs: &[ShownJob]) -> Self {
        let (set, wrong) = match DatasetFile::in_folder(folder) {
            Ok(Some(set)) => (Some(set), None),
            Ok(None) => (None, Some(format!("{DATASET_FILE} is missing"))),
            Err(error) => (None, Some(error.to_string())),
        };
        let on_it = |job: &&ShownJob| set.as_ref().is_some_and(|set| set.dataset == job.dataset);
        let earned: Vec<Earned> = jobs.iter().filter(on_it).map(|job| job.earned).collect();
        let sum = |part: fn(&Earned) -> u128| in_tokens(opened, earned.iter().map(part).fold(0, u128::saturating_add));
        Self {
            folder: folder.clone(),
            jobs: earned.len(),
            fees_paid: sum(|earned| earned.fee),
            royalties_paid: sum(|earned| earned.royalty),
            set,
            wrong,
        }
    }

    fn print(&self) {
        let Self { folder, set, wrong, jobs, fees_paid, royalties_paid } = self;
        let folder = folder.display();
        match (set, wrong) {
            (Some(DatasetFile { dataset, rows, .. }), _) => print(&format!(
                "set {folder}: data set {dataset}, {rows} rows; {jobs} jobs paid {fees_paid} of fees and {royalties_paid} of royalties"
            )),
            (None, wrong) => print(&format!("set {folder}: not served: {}", wrong.as_deref().unwrap_or_default())),
        }
    }
}

fn in_tokens(opened: &Opened, amount: u128) -> String {
    opened.deployment.tokens(U256::from(amount))
}
