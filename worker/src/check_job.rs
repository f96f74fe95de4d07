//! `provider check-job`: a job of a market against the statement that it is said to be of.

use std::path::PathBuf;

use eyre::{OptionExt, Result, bail, ensure};
use gradproof_chain::market::{LEVELS, Level, STATES, State, TrainingMarket, check_training, name};
use gradproof_chain::{Address, B256, ChainError, U256, format_ether};
use gradproof_evm::gas::{TRANSACTION_GAS, job_gas};
use gradproof_terminal::{Outcome, print};
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::statement::Domain;
use gradproof_verifier_program::files::{read_key_of, read_statement};
use gradproof_verifier_program::warn;
use serde::Serialize;

use crate::deploy::{CheckDeployment, reject};

/// Compares a job of a market with a statement.
#[derive(clap::Args, Clone, Debug)]
pub struct CheckJob {
    /// Address of a node of the chain (JSON-RPC over HTTP). The command believes its answers: use a node that you trust.
    #[arg(long, value_name = "URL")]
    pub rpc: String,
    /// The deployment of the market, as `requester deploy` wrote it.
    #[arg(long, value_name = "FILE")]
    pub deployment: PathBuf,
    /// The job's id: 32 bytes in hexadecimal.
    #[arg(long, value_name = "ID")]
    pub job: B256,
    /// Statement of the job, as the requester handed it over.
    #[arg(long, value_name = "FILE")]
    pub statement: PathBuf,
    /// Verifying key of the statement.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Folder `contracts` of the sources, with its tools installed: market and verifiers must have been compiled from them.
    #[arg(long, value_name = "DIR")]
    pub contracts: PathBuf,
    /// Print terms and verdict as one JSON object.
    #[arg(long)]
    pub json: bool,
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
            json: self.json,
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
            reject(&format!("job {}: {error}", self.job), self.json);
            return Ok(Outcome::Rejected);
        }
        let Domain { chain: id, contract, job: number, .. } = statement.domain;
        let here = (chain.id(), market.into_array(), self.job.0);
        if statement.is_bound() && (id, contract, number) != here {
            let why = format!("{path} is bound to another job: {} of chain {id}", hex::encode(&number));
            reject(&why, self.json);
            return Ok(Outcome::Rejected);
        }
        let key = read_key_of(&self.key, &statement)?;
        let gas = job_gas(&key, &statement);
        if gas > TRANSACTION_GAS {
            let why = format!("job {}: a proof costs {gas} gas, a transaction has {TRANSACTION_GAS}", self.job);
            reject(&why, self.json);
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
        // Of an accepted job it is fixed.
        let price = match job.state == State::Open as u8 {
            true => chain.call(market, &TrainingMarket::priceOfCall { id: self.job })?,
            false => U256::from(job.price),
        };
        let terms = Shown::of(self.job, &terms, &job, price, gas);
        if self.json {
            print(&serde_json::to_string(&terms)?);
        } else {
            print(&format!("job {}: trains what {path} says; market and verifiers are of these sources", self.job));
            terms.print();
        }
        Ok(Outcome::Done)
    }
}

/// What a provider wants to know before it accepts, and the terms by which it can lose. Amounts are in tokens.
#[derive(Clone, Debug, Serialize)]
struct Shown {
    accepted: bool,
    job: B256,
    state: String,
    level: String,
    settled: u32,
    segments: u32,
    price: String,
    start_price: String,
    most_price: String,
    royalty_percent: f64,
    royalty_to: Address,
    held_back_percent: f64,
    bond: String,
    hand_back_fee: String,
    /// Segments that are drawn, each to be proven in so many seconds, and how long the requester has for its secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    draws: Option<[u32; 3]>,
    /// Claims at once, how long each is open to challenge, and the seconds to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<[u32; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge_bond: Option<String>,
    start_secs: u32,
    run_secs: u32,
    deliver_secs: u32,
    complain_secs: u32,
    decide_secs: u32,
    threshold: u8,
    committee: Vec<Address>,
    word_fee: String,
    word_stake: String,
    estimated_gas: u64,
}

impl Shown {
    fn of(id: B256, terms: &TrainingMarket::Terms, job: &TrainingMarket::Job, price: U256, gas: u64) -> Self {
        let tokens = |amount: u128| format_ether(U256::from(amount));
        let percent = |bps: u16| f64::from(bps) / 100.0;
        let TrainingMarket::Terms { training, price: prices, times, checks, committee, .. } = terms;
        let (sampled, optimistic) = (checks.level == Level::Sampled as u8, checks.level == Level::Optimistic as u8);
        Self {
            accepted: true,
            job: id,
            state: name(&STATES, job.state),
            level: name(&LEVELS, checks.level),
            settled: job.settled.into(),
            segments: job.total.into(),
            price: format_ether(price),
            start_price: tokens(prices.start),
            most_price: tokens(prices.max),
            royalty_percent: percent(training.royaltyBps),
            royalty_to: job.royaltyTo,
            held_back_percent: percent(prices.lastShareBps),
            bond: tokens(prices.bond),
            hand_back_fee: tokens(prices.handBackFee),
            draws: sampled.then(|| [checks.draws.into(), times.proveSecs, times.revealSecs]),
            pending: optimistic.then(|| [checks.maxPending.into(), times.windowSecs, times.answerSecs]),
            challenge_bond: optimistic.then(|| tokens(prices.challengeBond)),
            start_secs: times.startSecs,
            run_secs: times.runSecs,
            deliver_secs: times.deliverSecs,
            complain_secs: times.complainSecs,
            decide_secs: times.decideSecs,
            threshold: committee.threshold,
            committee: committee.members.clone(),
            word_fee: tokens(committee.fee),
            word_stake: tokens(committee.stake),
            estimated_gas: gas,
        }
    }

    fn print(&self) {
        let line = |text: String| print(&text);
        let Self { state, level, settled, segments, price, start_price, most_price, .. } = self;
        line(format!("state      {state}, {level}, {settled} of {segments} segments settled"));
        line(format!("price      {price} tokens a segment; grows from {start_price} to {most_price}"));
        line(format!(
            "of that    {} % royalty, to {}; {} % held back until the weights are delivered",
            self.royalty_percent, self.royalty_to, self.held_back_percent
        ));
        line(format!("bond       {} tokens; {} to hand back", self.bond, self.hand_back_fee));
        if let Some([draws, prove_secs, reveal_secs]) = self.draws {
            line(format!("draws      {draws} segments, proven in {prove_secs} s each"));
            line(format!("secret     {reveal_secs} s for the requester"));
        }
        if let (Some([pending, window_secs, answer_secs]), Some(bond)) = (self.pending, &self.challenge_bond) {
            line(format!("pending    {pending} claims at once, open to challenge for {window_secs} s"));
            line(format!("challenge  {bond} tokens, answered in {answer_secs} s each"));
        }
        line(format!("running    {} s to start, {} s to train and prove", self.start_secs, self.run_secs));
        line(format!(
            "delivery   {} s to deliver, {} s to complain, {} s to decide",
            self.deliver_secs, self.complain_secs, self.decide_secs
        ));
        line(format!("committee  {} words of {} decide", self.threshold, self.committee.len()));
        for member in &self.committee {
            line(format!("           {member}"));
        }
        line(format!("a word     {} tokens; a stake of {}", self.word_fee, self.word_stake));
        line(format!("gas        {} for a proof, about", self.estimated_gas));
    }
}
