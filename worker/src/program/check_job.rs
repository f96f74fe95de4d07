//! `provider check-job`: a job of a market against the statement that it is said to be of.

use std::path::PathBuf;

use alloy::primitives::utils::format_ether;
use eyre::{OptionExt, Result};
use gradproof_verifier::command::files::read_statement;
use gradproof_verifier::command::{Outcome, print, tell};

use super::deploy::CheckDeployment;
use crate::chain::market::{LEVELS, STATES, State, TrainingMarket, check_training, name};
use crate::chain::{B256, Chain, ChainError, U256};

/// Compares a job of a market with a statement.
#[derive(clap::Args, Clone, Debug)]
pub struct CheckJob {
    /// Address of a node of the chain (JSON-RPC over HTTP). What it says is believed: ask one that you trust.
    #[arg(long, value_name = "URL")]
    pub rpc: String,
    /// The deployment of the market, as `requester deploy` wrote it.
    #[arg(long, value_name = "FILE")]
    pub deployment: PathBuf,
    /// The job's id: 32 bytes in hexadecimal.
    #[arg(long, value_name = "ID")]
    pub job: B256,
    /// Statement of what is to be trained, as the requester handed it over.
    #[arg(long, value_name = "FILE")]
    pub statement: PathBuf,
    /// The folder `contracts` of the sources, with its tools installed: compiles them, and checks that they made the market.
    #[arg(long, value_name = "DIR")]
    pub contracts: Option<PathBuf>,
    /// Verifying key of the statement: checks that the sources made its verifiers as well.
    #[arg(long, value_name = "FILE", requires = "contracts")]
    pub key: Option<PathBuf>,
}

impl CheckJob {
    /// Runs `provider check-job`.
    ///
    /// # Errors
    /// If a file is refused, there is no such job, or the node does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let path = self.statement.display();
        let statement = read_statement(&self.statement)?;
        let deployed = CheckDeployment {
            rpc: self.rpc.clone(),
            deployment: self.deployment.clone(),
            contracts: self.contracts.clone(),
            key: self.key.clone(),
            statement: self.key.is_some().then(|| self.statement.clone()),
        };
        let Some((chain, deployment)) = deployed.checked()? else { return Ok(Outcome::Rejected) };
        let at = deployment.market.address;
        let job = chain.call(at, &TrainingMarket::jobOfCall { id: self.job })?;
        if job.state == State::None as u8 {
            eyre::bail!("the market {at} has no job {}", self.job);
        }
        let verifier = deployment.verifier(&statement.verifying_key);
        let verifier =
            verifier.ok_or_eyre(format!("{} has no verifiers of the key of {path}", self.deployment.display()))?;
        let terms = chain.call(at, &TrainingMarket::termsOfCall { id: self.job })?;
        match check_training(&terms.training, &statement, verifier) {
            Err(error @ ChainError::Terms { .. }) => {
                tell(&format!("rejected: job {}: {error}", self.job));
                return Ok(Outcome::Rejected);
            }
            checked => checked?,
        }
        print(&format!("job {}: trains what {path} says, and its verifiers are those of the deployment", self.job));
        if self.key.is_none() {
            print("from which sources they are: --contracts DIR, with --key");
        }
        self.describe(&chain, &terms, &job, deployment.market.address)?;
        Ok(Outcome::Done)
    }

    /// What a provider wants to know before it accepts.
    fn describe(
        &self,
        chain: &Chain,
        terms: &TrainingMarket::Terms,
        job: &TrainingMarket::Job,
        market: crate::chain::Address,
    ) -> Result<()> {
        let tokens = |amount: U256| format_ether(amount);
        // Of an accepted job it is fixed.
        let price = match job.state == State::Open as u8 {
            true => chain.call(market, &TrainingMarket::priceOfCall { id: self.job })?,
            false => U256::from(job.price),
        };
        let (state, level) = (name(&STATES, job.state), name(&LEVELS, terms.checks.level));
        let committee = &terms.committee;
        print(&format!("state     {state}, {level}, {} of {} segments settled", job.settled, job.total));
        print(&format!(
            "price     {} tokens a segment, at most {}",
            tokens(price),
            tokens(U256::from(terms.price.max))
        ));
        print(&format!(
            "held back {} % of it until the weights are delivered",
            f64::from(terms.price.lastShareBps) / 100.0
        ));
        print(&format!("bond      {} tokens", tokens(U256::from(terms.price.bond))));
        print(&format!("committee {} of {} members decide", committee.threshold, committee.members.len()));
        print(&format!("time      {} s to start, {} s to train and prove", terms.times.startSecs, terms.times.runSecs));
        Ok(())
    }
}
