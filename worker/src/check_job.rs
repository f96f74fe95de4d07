//! `provider check-job`: a job of a market against the statement that it is said to be of.

use std::path::PathBuf;

use eyre::{OptionExt, Result, bail, ensure};
use gradproof_chain::market::{Deployment, State, TrainingMarket, check_parent, check_training};
use gradproof_chain::{Address, B256, ChainError, U256};
use gradproof_evm::gas::{TRANSACTION_GAS, job_gas};
use gradproof_terminal::{Outcome, print};
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::statement::Domain;
use gradproof_verifier_program::files::{read_key_of, read_statement};
use gradproof_verifier_program::warn;
use serde::Serialize;

use crate::deploy::{CheckDeployment, reject};

/// A whole, in hundredths of a percent.
const WHOLE_BPS: u16 = 10_000;

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
        let on_chain = CheckDeployment::without_sources(&self.rpc, &self.deployment, self.json);
        let Some((chain, deployment)) = on_chain.checked()? else { return Ok(Outcome::Rejected) };
        let market = deployment.market.address;
        let job = chain.call(market, &TrainingMarket::jobOfCall { id: self.job })?;
        if job.state == State::None as u8 {
            bail!("the market {market} has no job {}", self.job);
        }
        let verifier = deployment.verifier(&statement.verifying_key);
        let verifier = verifier.ok_or_eyre(format!("{} has no verifiers of the key", self.deployment.display()))?;
        let terms = chain.call(market, &TrainingMarket::termsOfCall { id: self.job })?;
        let compared = check_training(&terms.training, &statement, verifier);
        if let Err(error) = compared.and_then(|()| check_parent(&terms, &statement)) {
            let ChainError::Terms { .. } = error else { return Err(error.into()) };
            reject(&format!("job {}: {error}", self.job), self.json);
            return Ok(Outcome::Rejected);
        }
        let Domain { chain: id, contract, job: number, owner } = statement.domain;
        let here = (chain.id(), market.into_array(), self.job.0);
        if statement.is_bound() && (id, contract, number) != here {
            let why = format!("{path} is bound to another job: {} of chain {id}", hex::encode(&number));
            reject(&why, self.json);
            return Ok(Outcome::Rejected);
        }
        if job.state >= State::Cancelled as u8 {
            reject(&format!("job {}: it is over ({})", self.job, State::name(job.state)), self.json);
            return Ok(Outcome::Rejected);
        }
        if statement.is_bound() && job.state != State::Open as u8 && owner != job.owner.into_array() {
            let why = format!("{path} is bound to the owner {}, the job is {}'s", Address::from(owner), job.owner);
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
        let terms = Shown::of(self.job, &deployment, &terms, &job, price, gas);
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
    requester: Address,
    /// The token that pays, and whether it is of the market's sources.
    token: Address,
    own_token: bool,
    decimals: u8,
    claimed: u16,
    closed: u16,
    settled: u16,
    segments: u16,
    price: String,
    start_price: String,
    most_price: String,
    ramp_secs: u32,
    /// Of a segment, at the price above.
    royalty: String,
    royalty_percent: f64,
    least_royalty: String,
    royalty_to: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset: Option<B256>,
    /// Segments of a batch, and how many of them are drawn and proven.
    batch: u8,
    draws: u8,
    ahead: u8,
    bond: String,
    hand_back_fee: String,
    challenge_bond: String,
    complaint_bond: String,
    /// How often it was handed back, and from when it can be accepted, in seconds since 1970.
    hand_backs: u8,
    accept_from: u64,
    open_secs: u32,
    reopen_secs: u32,
    start_secs: u32,
    batch_secs: u32,
    close_secs: u32,
    reveal_secs: u32,
    prove_secs: u32,
    each_secs: u32,
    window_secs: u32,
    complain_secs: u32,
    decide_secs: u32,
    threshold: u8,
    committee: Vec<Address>,
    word_fee: String,
    word_stake: String,
    /// Who may train: an address or a root; none for anyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    providers: Option<B256>,
    /// Who may see the data by the licence, as `providers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    licensed: Option<B256>,
    /// The job that it goes on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<B256>,
    rebased: bool,
    /// Gas of `prove`, about.
    estimated_gas: u64,
}

impl Shown {
    fn of(
        id: B256,
        deployment: &Deployment,
        terms: &TrainingMarket::Terms,
        job: &TrainingMarket::Job,
        price: U256,
        gas: u64,
    ) -> Self {
        let tokens = |amount: u128| deployment.tokens(U256::from(amount));
        let named = |digest: B256| (!digest.is_zero()).then_some(digest);
        // As the market fixes it when the job is accepted.
        let share = (price * U256::from(terms.training.royaltyBps)).div_ceil(U256::from(WHOLE_BPS));
        let royalty = match job.state == State::Open as u8 {
            true => share.max(U256::from(job.minRoyalty)),
            false => U256::from(job.royalty),
        };
        let TrainingMarket::Terms { training, price: prices, times, batches, committee, .. } = terms;
        Self {
            accepted: true,
            job: id,
            state: State::name(job.state),
            requester: job.requester,
            token: deployment.token.address,
            own_token: deployment.own_token(),
            decimals: deployment.decimals,
            claimed: job.claimed,
            closed: job.closed,
            settled: job.settled,
            segments: job.total,
            price: deployment.tokens(price),
            start_price: tokens(prices.start),
            most_price: tokens(prices.max),
            ramp_secs: prices.rampSecs,
            royalty: deployment.tokens(royalty),
            royalty_percent: f64::from(training.royaltyBps) / 100.0,
            least_royalty: tokens(job.minRoyalty),
            dataset: named(training.dataset),
            royalty_to: job.royaltyTo,
            batch: batches.deliverEvery,
            draws: batches.draws,
            ahead: batches.ahead,
            bond: tokens(prices.bond),
            hand_back_fee: tokens(prices.handBackFee),
            challenge_bond: tokens(prices.challengeBond),
            complaint_bond: tokens(prices.complaintBond),
            hand_backs: job.handBacks,
            accept_from: job.acceptFrom.to(),
            open_secs: times.openSecs,
            reopen_secs: times.reopenSecs,
            start_secs: times.startSecs,
            batch_secs: times.batchSecs,
            close_secs: times.closeSecs,
            reveal_secs: times.revealSecs,
            prove_secs: times.proveSecs,
            each_secs: times.eachSecs,
            window_secs: times.windowSecs,
            complain_secs: times.complainSecs,
            decide_secs: times.decideSecs,
            threshold: committee.threshold,
            committee: committee.members.clone(),
            word_fee: tokens(committee.fee),
            word_stake: tokens(committee.stake),
            providers: named(terms.providers),
            licensed: named(job.licensed),
            parent: named(terms.parent),
            rebased: terms.rebased,
            estimated_gas: gas,
        }
    }

    fn print(&self) {
        let line = |text: String| print(&text);
        let Self { state, settled, segments, price, start_price, most_price, batch, draws, ahead, .. } = self;
        line(format!(
            "state      {state}, {settled} of {segments} segments settled; handed back {} times",
            self.hand_backs
        ));
        line(format!("requester  {}", self.requester));
        match self.own_token {
            true => line(format!("token      {}, of these sources", self.token)),
            false => line(format!("token      {}: it was there before the market; NOT of these sources", self.token)),
        }
        line(format!(
            "price      {price} tokens a segment; grows from {start_price} to {most_price} in {} s",
            self.ramp_secs
        ));
        if let Some(dataset) = self.dataset {
            line(format!(
                "of that    {} tokens royalty, to {}, for the data set {dataset}",
                self.royalty, self.royalty_to
            ));
        } else {
            line("of that    no royalty".to_owned());
        }
        line(format!("batches    {batch} segments each, {draws} of them proven; {ahead} may be closed and not paid"));
        line(format!("bond       {} tokens; {} if it is not started", self.bond, self.hand_back_fee));
        line(format!("running    {} s to start, {} s a batch", self.start_secs, self.batch_secs));
        line(format!("proofs     {} s for a batch, {} s more for each", self.prove_secs, self.each_secs));
        line(format!("take       {} tokens to hold a claim; so much to challenge one", self.challenge_bond));
        if draws < batch {
            line(format!("secret     {} s for the requester", self.reveal_secs));
            line(format!("challenge  within {} s of the draw", self.window_secs));
        }
        line(format!(
            "delivery   a member may close after {} s; {} s to acknowledge or complain",
            self.close_secs, self.complain_secs
        ));
        if self.committee.is_empty() {
            line("committee  none: nobody decides complaints".to_owned());
        } else {
            line(format!(
                "committee  {} words of {} decide within {} s; a complaint costs {} tokens",
                self.threshold,
                self.committee.len(),
                self.decide_secs,
                self.complaint_bond
            ));
            for member in &self.committee {
                line(format!("           {member}"));
            }
            line(format!("a word     {} tokens; a stake of {}", self.word_fee, self.word_stake));
        }
        if let Some(providers) = self.providers {
            line(format!("providers  only {providers}, an address or the root of a tree of addresses"));
        }
        if let Some(licensed) = self.licensed {
            line(format!("licence    only {licensed}, an address or the root of a tree of addresses"));
        }
        if let Some(parent) = self.parent {
            let fresh = if self.rebased { ", from fresh commitments" } else { "" };
            line(format!("goes on    from job {parent}{fresh}"));
        }
        line(format!("gas        {} for a proof, about", self.estimated_gas));
    }
}
