//! `requester quote`: what providers would train a job for; and the same question for `requester post`.

use std::path::PathBuf;

use eyre::{Result, WrapErr};
use gradproof_chain::market::{Deployment, SignedLicence, TrainingMarket, Verifier, terms, training};
use gradproof_chain::{Address, B256, U256};
use gradproof_node::config::RequesterConfig;
use gradproof_node::dataset::DatasetFile;
use gradproof_node::facts::Role;
use gradproof_node::history::History;
use gradproof_node::live::{Quoted, Said};
use gradproof_node::matching::{Candidate, rank};
use gradproof_node::store::Store;
use gradproof_terminal::{Outcome, Progress, print};
use gradproof_training::job::Job;
use gradproof_verifier::protocol::job::JobStatement;
use serde_json::{Value, json};

use super::options::{HomeOption, Opened, PasswordOption};
use super::run::{ProvingOptions, with_node};
use crate::commitments::outline;
use crate::parent::column_vars;
use crate::train::load;
use crate::unseen::load_on;

/// The job that providers are asked about, and what it may cost.
#[derive(clap::Args, Clone, Debug)]
pub struct Wanted {
    /// The job file (TOML).
    #[arg(long, value_name = "FILE")]
    pub job: PathBuf,
    /// Most that a segment may cost, in tokens.
    #[arg(long, value_name = "TOKENS")]
    pub price: String,
    /// Segments of a batch, after which weights are delivered and paid: 1 to 64.
    #[arg(long, value_name = "COUNT", default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub batch: u8,
    /// The licence for a registered data set, as its owner's `dataset license` wrote it.
    #[arg(long, value_name = "FILE")]
    pub licence: Option<PathBuf>,
    /// The set whose rows go from its owner to the provider, and are not here: `dataset.json`, as `requester find-data` wrote it. The job file
    /// has `data.format = "licensed"`.
    #[arg(long, value_name = "FILE", requires = "licence")]
    pub dataset: Option<PathBuf>,
}

/// Asks providers for a price.
#[derive(clap::Args, Clone, Debug)]
pub struct Quote {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password.
    #[command(flatten)]
    pub password: PasswordOption,
    /// The job.
    #[command(flatten)]
    pub wanted: Wanted,
    /// Proofs and commitments.
    #[command(flatten)]
    pub proving: ProvingOptions,
    /// Print it as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What the providers that were asked say.
pub(super) struct Answers {
    /// The most that a segment may cost, in the token's smallest unit.
    most: u128,
    policy: RequesterConfig,
    said: Vec<(Address, Said)>,
}

impl Wanted {
    /// The set that `--dataset` names.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub(super) fn set(&self) -> Result<Option<DatasetFile>> {
        self.dataset.as_deref().map(|path| DatasetFile::read(path).wrap_err("--dataset")).transpose()
    }

    /// The job, on its own data or on a set whose rows are elsewhere.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn load(&self, set: Option<&DatasetFile>) -> Result<Job> {
        match set {
            Some(set) => load_on(&self.job, set),
            None => load(&self.job),
        }
    }
}

impl Quote {
    /// Runs `requester quote`.
    ///
    /// # Errors
    /// The job or an option is refused, the deployment has no verifiers of its shape, or the chain does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let opened = self.home.opened(Some(Role::Requester))?;
        alone(&opened)?;
        let most = most(&opened.deployment, &self.wanted.price)?;
        let (set, options) = (self.wanted.set()?, self.proving.keys());
        let (job, kind) = (self.wanted.load(set.as_ref())?, options.kind(None)?);
        let progress = Progress::new(1, "keys", self.json);
        let columns = set.as_ref().map(|set| set.schema.column_bits);
        let keys = options.keys(&job.architecture, column_vars(&job, kind, columns)?, kind, &progress)?;
        let statement = outline(&job, &keys);
        let mut training = training(&statement, verifier(&opened.deployment, &statement)?);
        let licence = self.wanted.licence(&opened, opened.accounts(&self.password)?.owner())?;
        if let Some(licence) = &licence {
            // What is committed to is no part of the question.
            training.dataRoot = licence.set.root;
            training = licence.license(training)?;
        }
        let terms = terms(training, most, self.wanted.batch);
        let deployment = opened.deployment.clone();
        let signed = licence.as_ref().map(|licence| &licence.signed);
        let answers = Answers::of(opened, &self.password, &self.proving, &terms, signed, None)?;
        let best = answers.ranked().first().map(|best| best.owner);
        if self.json {
            print(&answers.json(&deployment).to_string());
        } else {
            answers.lines(&deployment).iter().for_each(|line| print(line));
            print(&match best {
                Some(best) => format!("best: {best}"),
                None => answers.missed(&deployment),
            });
        }
        Ok(if best.is_some() { Outcome::Done } else { Outcome::Rejected })
    }
}

/// Refuses a folder on which a node runs: one process at a time has the store.
pub(super) fn alone(opened: &Opened) -> Result<()> {
    Store::open(&opened.home.store_file())
        .map(drop)
        .wrap_err("another program runs on this folder: end `requester run` first")
}

/// The most that a segment may cost, in the token's smallest unit.
pub(super) fn most(deployment: &Deployment, price: &str) -> Result<u128> {
    deployment.amount(price).map_err(|error| eyre::eyre!("--price: {error}"))
}

/// The deployment's verifiers of a job's shape.
pub(super) fn verifier<'a>(deployment: &'a Deployment, statement: &JobStatement) -> Result<&'a Verifier> {
    deployment.verifier(&statement.verifying_key).ok_or_else(|| {
        eyre::eyre!(
            "the deployment has no verifiers of this job's shape, key {}: `requester deploy` makes them",
            B256::from(statement.verifying_key)
        )
    })
}

impl Answers {
    /// Asks all providers in the register, or one.
    pub(super) fn of(
        opened: Opened,
        password: &PasswordOption,
        proving: &ProvingOptions,
        terms: &TrainingMarket::Terms,
        licence: Option<&SignedLicence>,
        only: Option<Address>,
    ) -> Result<Self> {
        let policy = opened.config.requester.clone().unwrap_or_default();
        let said = with_node(opened, password, proving, |mut node| async move {
            let said = node.quotes(terms, licence, only).await;
            node.stop().await;
            said
        })?;
        Ok(Self { most: terms.price.max, policy, said: said.into_iter().collect() })
    }

    fn is_within(&self, quoted: &Quoted) -> bool {
        (1..=self.most).contains(&quoted.price)
    }

    /// Those that quote a price within the most and that the policy does not leave out, the best first.
    pub(super) fn ranked(&self) -> Vec<Candidate> {
        let quoted = self.said.iter().filter_map(|(owner, said)| Some((*owner, said.as_ref().ok()?)));
        let within = quoted.filter(|(_, quoted)| self.is_within(quoted));
        let taken = within.filter(|(_, quoted)| self.policy.left_out(quoted.history).is_none());
        let candidate = |(owner, quoted): (Address, &Quoted)| {
            let History { jobs, failed, .. } = self.policy.counted(quoted.history);
            Candidate { owner, price: quoted.price, jobs, failed }
        };
        let mut candidates: Vec<Candidate> = taken.map(candidate).collect();
        rank(&mut candidates);
        candidates
    }

    /// What each said, a line a provider.
    pub(super) fn lines(&self, deployment: &Deployment) -> Vec<String> {
        let tokens = |amount: u128| deployment.tokens(U256::from(amount));
        let line = |(owner, said): &(Address, Said)| match said {
            Ok(quoted) if self.is_within(quoted) => {
                let History { jobs, failed, .. } = self.policy.counted(quoted.history);
                let known = if jobs > 0 { format!(", {failed} of {jobs} jobs failed") } else { String::new() };
                let out =
                    self.policy.left_out(quoted.history).map_or_else(String::new, |why| format!("; left out: {why}"));
                format!("{owner}: {} tokens a segment{known}{out}", tokens(quoted.price))
            }
            Ok(quoted) => {
                format!("{owner}: {} tokens a segment, which is not within {}", tokens(quoted.price), tokens(self.most))
            }
            Err(why) => format!("{owner}: no quote: {why}"),
        };
        self.said.iter().map(line).collect()
    }

    /// The least price that was quoted by who is not left out.
    fn least(&self) -> Option<u128> {
        let quoted = self.said.iter().filter_map(|(_, said)| said.as_ref().ok());
        let taken = quoted.filter(|quoted| self.policy.left_out(quoted.history).is_none());
        taken.map(|quoted| quoted.price).filter(|price| *price > 0).min()
    }

    /// Why there is no candidate.
    pub(super) fn missed(&self, deployment: &Deployment) -> String {
        let tokens = |amount: u128| deployment.tokens(U256::from(amount));
        match self.least() {
            Some(least) => format!(
                "no provider trains this job for {} tokens a segment: the least price is {}, {} more",
                tokens(self.most),
                tokens(least),
                tokens(least.saturating_sub(self.most))
            ),
            None => format!("none of {} providers that were asked quotes a price for this job", self.said.len()),
        }
    }

    fn json(&self, deployment: &Deployment) -> Value {
        let tokens = |amount: u128| deployment.tokens(U256::from(amount));
        let shown = |(owner, said): &(Address, Said)| match said {
            Ok(quoted) => json!({
                "provider": owner, "price": tokens(quoted.price), "expires": quoted.expires,
                "within": self.is_within(quoted), "jobs": quoted.history.jobs, "failed": quoted.history.failed,
                "paid": tokens(quoted.history.paid), "left_out": self.policy.left_out(quoted.history),
            }),
            Err(why) => json!({ "provider": owner, "refused": why }),
        };
        let best = self.ranked().first().map(|best| best.owner);
        let missed = self.least().filter(|_| best.is_none()).map(|least| tokens(least.saturating_sub(self.most)));
        json!({
            "most": tokens(self.most), "providers": self.said.iter().map(shown).collect::<Vec<_>>(), "best": best,
            "missed_by": missed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::fixtures::deployment;

    fn answers(most: u128, said: &[Result<u128, &str>]) -> Answers {
        let said = said.iter().zip(1u8..).map(|(said, byte)| {
            let said =
                said.map(|price| Quoted { price, expires: 9, history: History::default() }).map_err(str::to_owned);
            (Address::repeat_byte(byte), said)
        });
        Answers { most, policy: RequesterConfig::default(), said: said.collect() }
    }

    #[test]
    fn the_best_is_within_the_price_and_a_missed_one_is_told_by_how_much() {
        let some = answers(100, &[Ok(130), Err("full"), Ok(100), Ok(90), Ok(0)]);
        let ranked: Vec<u128> = some.ranked().iter().map(|candidate| candidate.price).collect();
        assert_eq!(ranked, [90, 100]);
        let json = some.json(&deployment());
        assert_eq!((&json["best"], &json["missed_by"]), (&json!(Address::repeat_byte(4)), &Value::Null));
        assert_eq!(json["providers"][1], json!({ "provider": Address::repeat_byte(2), "refused": "full" }));
        let missed = answers(80, &[Ok(130), Err("full"), Ok(90)]);
        assert!(missed.ranked().is_empty());
        let shown = |amount: u64| deployment().tokens(U256::from(amount));
        let by = format!("the least price is {}, {} more", shown(90), shown(10));
        assert!(missed.missed(&deployment()).ends_with(&by));
        assert_eq!(missed.json(&deployment())["missed_by"], shown(10));
        let mut judged = answers(100, &[Ok(90), Ok(80), Ok(70)]);
        judged.policy = RequesterConfig { known: vec![], min_paid: 10, max_failures: Some(1) };
        let histories = [(10, 0, 10), (10, 1, 9), (2, 2, 0)];
        for ((_, said), (jobs, failed, paid)) in judged.said.iter_mut().zip(histories) {
            said.as_mut().expect("it is a price").history = History { jobs, failed, paid };
        }
        // 90 ÷ (11 / 12) against 80 ÷ (1 / 2), of whose history too little was paid; the third failed too often.
        let ranked: Vec<u128> = judged.ranked().iter().map(|candidate| candidate.price).collect();
        assert_eq!(ranked, [90, 80]);
        assert!(judged.lines(&deployment())[2].contains("left out: 2 of its 2 jobs"));
        let nobody = answers(80, &[Err("full")]);
        assert!(nobody.missed(&deployment()).starts_with("none of 1 providers"));
    }
}
