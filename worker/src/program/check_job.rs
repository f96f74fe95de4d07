//! `provider check-job`: a job of a market against the statement that it is said to be of.

use std::path::PathBuf;

use alloy::primitives::utils::format_ether;
use eyre::{OptionExt, Result, bail, ensure};
use gradproof_circuits::relations::Subject;
use gradproof_circuits::tensor::Group;
use gradproof_verifier::command::files::{read_key, read_statement};
use gradproof_verifier::command::{Outcome, print, tell, warn};
use gradproof_verifier::contract::gas::segment_gas;
use gradproof_verifier::job::JobStatement;
use gradproof_verifier::merkle::depth;
use gradproof_verifier::proof::ProofKind;

use super::deploy::CheckDeployment;
use crate::chain::market::{LEVELS, Level, STATES, State, TrainingMarket, check_training, name};
use crate::chain::{B256, ChainError, U256};

/// The most gas that a transaction may have (EIP-7825).
const TRANSACTION_GAS: u64 = 1 << 24;

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
    /// Verifying key of the statement.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The folder `contracts` of the sources, with its tools installed: market and verifiers must have been made from them.
    #[arg(long, value_name = "DIR")]
    pub contracts: PathBuf,
}

impl CheckJob {
    /// Runs `provider check-job`.
    ///
    /// # Errors
    /// If a file is refused, there is no such job, or the node does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let path = self.statement.display();
        let statement = read_statement(&self.statement)?;
        ensure!(statement.proof == ProofKind::Wrapped, "{path} is for core proofs, which no contract verifies");
        // What is quick comes before the compiler.
        let on_chain = CheckDeployment {
            rpc: self.rpc.clone(),
            deployment: self.deployment.clone(),
            contracts: None,
            key: None,
            statement: None,
        };
        let Some((chain, deployment)) = on_chain.checked()? else { return Ok(Outcome::Rejected) };
        let market = deployment.market.address;
        let job = chain.call(market, &TrainingMarket::jobOfCall { id: self.job })?;
        if job.state == State::None as u8 {
            bail!("the market {market} has no job {}", self.job);
        }
        let verifier = deployment.verifier(&statement.verifying_key);
        let verifier = verifier.ok_or_eyre(format!("{} has no verifiers of the key", self.deployment.display()))?;
        let terms = chain.call(market, &TrainingMarket::termsOfCall { id: self.job })?;
        if let Err(error) = check_training(&terms.training, &statement, verifier) {
            let ChainError::Terms { .. } = error else { return Err(error.into()) };
            tell(&format!("rejected: job {}: {error}", self.job));
            return Ok(Outcome::Rejected);
        }
        let gas = self.gas(&statement)?;
        if gas > TRANSACTION_GAS {
            tell(&format!("rejected: job {}: a proof costs {gas} gas, a transaction has {TRANSACTION_GAS}", self.job));
            return Ok(Outcome::Rejected);
        }
        let of_the_sources = CheckDeployment {
            contracts: Some(self.contracts.clone()),
            key: Some(self.key.clone()),
            statement: Some(self.statement.clone()),
            ..on_chain
        };
        if of_the_sources.checked()?.is_none() {
            return Ok(Outcome::Rejected);
        }
        warn(ProofKind::Wrapped, verifier.insecure_setup);
        print(&format!("job {}: trains what {path} says; market and verifiers are of these sources", self.job));
        // Of an accepted job it is fixed.
        let price = match job.state == State::Open as u8 {
            true => chain.call(market, &TrainingMarket::priceOfCall { id: self.job })?,
            false => U256::from(job.price),
        };
        describe(&terms, &job, price);
        print(&format!("gas        {gas} for a proof, about"));
        Ok(Outcome::Done)
    }

    /// Gas of the transaction with a proof, by the formula of `docs/benchmarks.md`.
    fn gas(&self, statement: &JobStatement) -> Result<u64> {
        let key = read_key(&self.key)?.key(&statement.architecture, statement.column_vars)?;
        let layout = &key.relations(Subject::Segment).layout;
        let leaves = (statement.epoch().segments() * layout.group(Group::Data).len()) as u64;
        Ok(segment_gas(layout, key.column_vars, depth(leaves)))
    }
}

/// What a provider wants to know before it accepts, and the terms by which it can lose.
fn describe(terms: &TrainingMarket::Terms, job: &TrainingMarket::Job, price: U256) {
    let tokens = |amount: u128| format_ether(U256::from(amount));
    let percent = |bps: u16| f64::from(bps) / 100.0;
    let TrainingMarket::Terms { training, price: prices, times, checks, committee, .. } = terms;
    let (state, level) = (name(&STATES, job.state), name(&LEVELS, checks.level));
    print(&format!("state      {state}, {level}, {} of {} segments settled", job.settled, job.total));
    let start = tokens(prices.start);
    print(&format!(
        "price      {} tokens a segment; grows from {start} to {}",
        format_ether(price),
        tokens(prices.max)
    ));
    print(&format!(
        "of that    {} % royalty, to {}; {} % held back until the weights are delivered",
        percent(training.royaltyBps),
        job.royaltyTo,
        percent(prices.lastShareBps)
    ));
    print(&format!("bond       {} tokens; {} to hand back", tokens(prices.bond), tokens(prices.handBackFee)));
    if checks.level == Level::Sampled as u8 {
        print(&format!("draws      {} segments, proven in {} s each", checks.draws, times.proveSecs));
        print(&format!("secret     {} s for the requester", times.revealSecs));
    }
    if checks.level == Level::Optimistic as u8 {
        print(&format!(
            "pending    {} claims at once, open to challenge for {} s",
            checks.maxPending, times.windowSecs
        ));
        print(&format!("challenge  {} tokens, answered in {} s each", tokens(prices.challengeBond), times.answerSecs));
    }
    print(&format!("running    {} s to start, {} s to train and prove", times.startSecs, times.runSecs));
    print(&format!(
        "delivery   {} s to deliver, {} s to complain, {} s to decide",
        times.deliverSecs, times.complainSecs, times.decideSecs
    ));
    print(&format!("committee  {} words of {} decide", committee.threshold, committee.members.len()));
    for member in &committee.members {
        print(&format!("           {member}"));
    }
    print(&format!("a word     {} tokens; {} behind it", tokens(committee.fee), tokens(committee.stake)));
}
