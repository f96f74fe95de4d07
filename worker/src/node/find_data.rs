//! `requester find-data` and `requester license`: which sets data owners serve, and a licence for one.

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, ensure, eyre};
use gradproof_chain::market::{Deployment, SignedLicence, royalty_percent};
use gradproof_chain::{B256, U256};
use gradproof_node::NodeError;
use gradproof_node::dataset::DATASET_FILE;
use gradproof_node::facts::Role;
use gradproof_node::live::Found;
use gradproof_terminal::{Outcome, atomic, print};
use serde_json::{Value, json};

use super::options::{HomeOption, PasswordOption};
use super::quote::alone;
use super::run::{ProvingOptions, with_node};

/// Name of the file with a licence.
const LICENCE: &str = "licence.json";

/// Lists the sets that data owners serve.
#[derive(clap::Args, Clone, Debug)]
pub struct FindData {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password.
    #[command(flatten)]
    pub password: PasswordOption,
    /// Print them as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Asks a data owner for a licence.
#[derive(clap::Args, Clone, Debug)]
pub struct AskLicence {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password.
    #[command(flatten)]
    pub password: PasswordOption,
    /// Digest of the set, as `requester find-data` prints it: 32 bytes in hexadecimal.
    #[arg(value_name = "DATASET")]
    pub dataset: B256,
    /// Segments of the job.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub segments: u32,
    /// Most that the licence may cost at the start of the job, in tokens.
    #[arg(long, value_name = "TOKENS")]
    pub most_fee: String,
    /// Folder for `dataset.json` and `licence.json`, which `requester post` takes.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Print what was written as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl FindData {
    /// Runs `requester find-data`.
    ///
    /// # Errors
    /// The chain does not answer, or a node runs on the folder.
    pub fn run(&self) -> Result<Outcome> {
        let opened = self.home.opened(Some(Role::Requester))?;
        alone(&opened)?;
        let deployment = opened.deployment.clone();
        let found = with_node(opened, &self.password, &ProvingOptions::default(), |mut node| async move {
            let found = node.datasets().await;
            node.stop().await;
            found
        })?;
        if self.json {
            let sets: Vec<Value> = found.iter().map(|found| object(&deployment, found)).collect();
            print(&json!({ "sets": sets }).to_string());
        } else {
            found.iter().for_each(|found| print(&line(&deployment, found)));
            if found.is_empty() {
                print("no data owner of the register serves a set now");
            }
        }
        Ok(if found.is_empty() { Outcome::Rejected } else { Outcome::Done })
    }
}

/// A set in a line.
fn line(deployment: &Deployment, Found { card, rate_bps }: &Found) -> String {
    let (set, tokens) = (&card.set, |amount| deployment.tokens(U256::from(amount)));
    let price = match &card.price {
        Some(price) => format!(
            "a licence for {} segments at most costs {}, and {} % of a segment's price, {} at least",
            price.most_segments,
            tokens(price.fee),
            royalty_percent(*rate_bps),
            tokens(price.least_royalty)
        ),
        None => "licences are signed by hand: ask the owner".to_owned(),
    };
    let schema = &set.schema;
    format!(
        "{}: {} rows of {} values in {} classes, batches of {}, segments of {} steps, of {}; {price}",
        set.dataset, set.rows, schema.inputs, schema.classes, schema.batch, schema.steps_per_segment, set.owner
    )
}

fn object(deployment: &Deployment, Found { card, rate_bps }: &Found) -> Value {
    let tokens = |amount| deployment.tokens(U256::from(amount));
    let price = card.price.as_ref().map(|price| {
        json!({
            "fee": tokens(price.fee), "least_royalty": tokens(price.least_royalty), "most_segments": price.most_segments,
        })
    });
    json!({ "set": card.set, "royalty_percent": royalty_percent(*rate_bps), "licence": price })
}

impl AskLicence {
    /// Runs `requester license`.
    ///
    /// # Errors
    /// Nobody serves the set, or signs a licence for it; it costs more than it may; a file is there already.
    pub fn run(&self) -> Result<Outcome> {
        let files = [DATASET_FILE, LICENCE].map(|name| self.out.join(name));
        std::fs::create_dir_all(&self.out).wrap_err_with(|| format!("cannot make {}", self.out.display()))?;
        for file in &files {
            atomic::refuse_existing(file).wrap_err("--out")?;
        }
        let opened = self.home.opened(Some(Role::Requester))?;
        alone(&opened)?;
        let most = opened.deployment.amount(&self.most_fee).map_err(|error| eyre!("--most-fee: {error}"))?;
        let (dataset, segments, deployment) = (self.dataset, self.segments, opened.deployment.clone());
        let given = with_node(opened, &self.password, &ProvingOptions::default(), |mut node| async move {
            let given = async {
                let set = node.dataset(dataset).await?.card.set;
                let signed = node.licence(set.owner, dataset, segments).await?;
                Ok::<_, NodeError>((set, signed))
            };
            let given = given.await;
            node.stop().await;
            given
        });
        let (set, signed) = given?;
        let fee = signed.licence.fee;
        let tokens = |amount| deployment.tokens(U256::from(amount));
        ensure!(fee <= most, "the licence costs {}, and --most-fee is {}: nothing was paid", tokens(fee), tokens(most));
        set.save(&self.out)?;
        atomic::write_new(&files[1], signed.to_json().as_bytes())?;
        self.say(&files, &signed, &tokens(fee), &tokens(signed.licence.minRoyalty));
        Ok(Outcome::Done)
    }

    fn say(&self, [set, licence]: &[PathBuf; 2], signed: &SignedLicence, fee: &str, royalty: &str) {
        if self.json {
            let json = json!({
                "dataset": set, "licence": licence, "fee": fee, "least_royalty": royalty, "expiry": signed.expiry(),
                "most_segments": signed.licence.mostSegments,
            });
            print(&json.to_string());
            return;
        }
        let shown = |path: &Path| path.display().to_string();
        print(&format!("{}: a licence for {fee}, and {royalty} of a segment at least", shown(licence)));
        print(&format!("post with it: requester post --dataset {} --licence {}", shown(set), shown(licence)));
    }
}
