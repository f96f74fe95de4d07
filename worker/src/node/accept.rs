//! `provider accept`: takes a job with a transaction that the account signs elsewhere.

use std::collections::BTreeMap;
use std::path::PathBuf;

use eyre::{OptionExt, Result, bail};
use gradproof_chain::market::account::free_stake;
use gradproof_chain::market::{JobSnapshot, State, When};
use gradproof_chain::{Address, At, B256, Intent, Sight, SolCall, U256};
use gradproof_node::decide::{Call, View};
use gradproof_node::disk::{Sizes, bytes_in, left};
use gradproof_node::facts::{Facts, Role};
use gradproof_node::live::{FAILURE, accept_call, intent_id, measured_key};
use gradproof_node::message::LicencePath;
use gradproof_node::policy::{Capacity, Licensed, taken};
use gradproof_node::store::Store;
use gradproof_node::told::{self, Told};
use gradproof_terminal::{Outcome, print, tell};

use super::elsewhere::{Elsewhere, Landed, signed};
use super::options::{HomeOption, Opened};
use super::orders::in_words;
use super::status::with_folders;

/// Takes a job with a transaction that the account signs elsewhere.
#[derive(clap::Args, Clone, Debug)]
pub struct Accept {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The job's id: 32 bytes in hexadecimal.
    #[arg(value_name = "JOB")]
    pub job: B256,
    /// File with the signed transaction, in hexadecimal; `-` reads it from standard input. Without it the command prints what is to be
    /// signed.
    #[arg(long, value_name = "FILE")]
    pub transaction: Option<PathBuf>,
    /// Print what is to be signed, or what was done, as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl Accept {
    /// Runs `provider accept`.
    ///
    /// # Errors
    /// The account's key is in the folder; endpoints do not answer, or do not agree; the transaction is another one.
    pub fn run(&self) -> Result<Outcome> {
        let opened = self.home.opened(Some(Role::Provider))?;
        let Some(me) = opened.home.elsewhere()? else {
            bail!(
                "the account's key is in {}, and `provider run` accepts by itself what the configuration takes",
                opened.home.keys().display()
            );
        };
        let raw = self.transaction.as_deref().map(signed).transpose()?;
        let account = Elsewhere::of(&opened, me)?;
        let (id, market, sight) = (self.job, opened.deployment.market.address, account.look()?);
        let read = move |at: At| async move { JobSnapshot::of(&at, market, id).await };
        let job = account.agreed(&sight, "the job", read)?;
        if job.state() != Some(State::Open) {
            let whose = if job.job.owner == me { ", by this account" } else { "" };
            return self.refused(&format!("it is {}{whose}", in_words(job.state())));
        }
        let config = opened.config.provider.clone().ok_or_eyre("the configuration has no section `provider`")?;
        let capacity = capacity(&opened, &account, &sight, me, &job)?;
        let licensed = Licensed::of_job(&job.job, me, &[]);
        if let Err(reason) = taken(&job.terms, licensed, me, &opened.deployment, &config, &capacity) {
            return self.refused(&format!("not taken: {reason}"));
        }
        let least_price = licensed.least_price(&job.terms.training, &config);
        let intent = intent(id, me, market, least_price, &job);
        match raw {
            None => match account.to_sign(&intent)? {
                Err(reason) => self.refused(&format!("the market refuses: {reason}")),
                Ok(transaction) => self.to_sign(&transaction, me),
            },
            Some(raw) => match account.send(&intent, raw)? {
                Err(reason) => self.refused(&format!("the market refuses: {reason}")),
                Ok(Landed::Done) => self.done("accepted; a node that runs on this folder goes on with it"),
                Ok(Landed::Reverted) => {
                    self.refused("the market refused it in its block: somebody else was faster, perhaps")
                }
                Ok(Landed::Overtaken) => self.refused("another transaction of the account took its nonce"),
                Ok(Landed::Waiting) => {
                    self.refused("it is sent, and in no block yet: `provider explain` says when it is")
                }
            },
        }
    }

    fn to_sign(&self, transaction: &serde_json::Value, me: Address) -> Result<Outcome> {
        if self.json {
            print(&serde_json::json!({ "job": self.job, "done": false, "sign": transaction }).to_string());
            return Ok(Outcome::Done);
        }
        let id = self.job;
        print(&format!("job {id}: {me} is to sign this; then `provider accept {id} --transaction FILE`"));
        print(&serde_json::to_string_pretty(transaction)?);
        Ok(Outcome::Done)
    }

    fn done(&self, said: &str) -> Result<Outcome> {
        self.say(true, said);
        Ok(Outcome::Done)
    }

    fn refused(&self, said: &str) -> Result<Outcome> {
        self.say(false, said);
        Ok(Outcome::Rejected)
    }

    fn say(&self, done: bool, said: &str) {
        if self.json {
            print(&serde_json::json!({ "job": self.job, "done": done, "said": said }).to_string());
        } else {
            print(&format!("job {}: {said}", self.job));
        }
    }
}

/// What the transaction is to do: accept the job at the least price of the configuration.
fn intent(id: B256, me: Address, market: Address, least_price: u128, job: &JobSnapshot) -> Intent {
    let deadline = u64::try_from(job.job.deadline).unwrap_or(u64::MAX);
    Intent {
        id: intent_id(&Call::Accept { least_price }, id, me),
        to: market,
        input: accept_call(id, least_price, &LicencePath::default()).abi_encode().into(),
        value: U256::ZERO,
        until: Some(When::Time(deadline)),
    }
}

/// What the account has promised, by the chain; what only the node's store has, where no node holds it.
fn capacity(opened: &Opened, account: &Elsewhere, sight: &Sight, me: Address, job: &JobSnapshot) -> Result<Capacity> {
    let terms = &job.terms;
    let (vault, market) = (opened.deployment.vault.address, opened.deployment.market.address);
    let free = move |at: At| async move { free_stake(&at, vault, me).await };
    let mut capacity = Capacity { free_stake: account.agreed(sight, "the stake", free)?, ..Capacity::default() };
    let store = Store::open_unless_taken(&opened.home.store_file())?;
    let measured = |verifier: Address| -> Result<Option<u64>> {
        let Some(store) = &store else { return Ok(None) };
        let record = store.record(&measured_key(verifier))?;
        Ok(record.and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes))
    };
    match &store {
        Some(store) => capacity.failed = store.record(FAILURE)?.is_some(),
        None => tell(
            "a node runs on this folder, and alone knows its speed and its failures: it has logged whether it would take this job",
        ),
    }
    capacity.segment_ms = measured(terms.training.verifier)?;
    let verifiers = &opened.deployment.verifiers;
    let verifier = verifiers.iter().find(|verifier| verifier.segment.address == terms.training.verifier);
    let sizes = verifier.map(|verifier| Sizes::of(terms, &verifier.columns, job.job.stepRows, job.job.steps));
    // Of another verifier nothing is taken.
    capacity.needed_disk = sizes.map_or(u64::MAX, |sizes| sizes.of_provider());
    capacity.free_disk = left(&opened.home, opened.config.disk_bytes, bytes_in(&opened.home.blobs()));
    let now = sight.common.earliest().time;
    for (id, facts) in followed(opened, store.as_ref())? {
        let read = move |at: At| async move { JobSnapshot::of(&at, market, id).await };
        let job = account.agreed(sight, "the account's jobs", read)?;
        let ended = job.state().is_some_and(|state| state >= State::Cancelled);
        if facts.role == Role::Provider && !ended {
            let kept = facts.disk.saturating_sub(bytes_in(&opened.home.job(id)));
            capacity.free_disk = capacity.free_disk.saturating_sub(kept);
        }
        let view = View::new(id, me, job, U256::ZERO);
        capacity.follow(me, &facts, Some(&view), now, None, measured)?;
    }
    Ok(capacity)
}

/// The jobs that the node of the folder follows, by its store, or by what it says of them while it runs; and those of which there is a
/// folder only.
fn followed(opened: &Opened, store: Option<&Store>) -> Result<BTreeMap<B256, Facts>> {
    let mut jobs: BTreeMap<B256, Facts> = match store {
        Some(store) => store.jobs()?.into_iter().collect(),
        None => {
            let mut jobs = BTreeMap::new();
            for id in told::jobs(&opened.home)? {
                jobs.extend(Told::read(&opened.home, id)?.and_then(|told| told.facts).map(|facts| (id, facts)));
            }
            jobs
        }
    };
    for id in with_folders(&opened.home) {
        jobs.entry(id).or_insert_with(|| Facts { had: true, ..Facts::new(Role::Provider) });
    }
    Ok(jobs)
}
