//! `requester cancel` and `requester stop`: orders about a job that the account gives itself.

use eyre::{Result, WrapErr, bail, ensure};
use gradproof_chain::market::{State, TrainingMarket};
use gradproof_chain::{B256, Chain, ChainError, Reader, SolCall};
use gradproof_node::facts::{Facts, Role};
use gradproof_node::live::OPEN_FILE;
use gradproof_node::store::Store;
use gradproof_terminal::{Outcome, print};

use super::options::{HomeOption, Opened, PasswordOption};

/// A job of a requester's node.
#[derive(clap::Args, Clone, Debug)]
pub struct OfJob {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password.
    #[command(flatten)]
    pub password: PasswordOption,
    /// The job's id: 32 bytes in hexadecimal.
    #[arg(value_name = "JOB")]
    pub job: B256,
    /// Print what was done as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Takes an open job back.
#[derive(clap::Args, Clone, Debug)]
pub struct Cancel {
    /// The job.
    #[command(flatten)]
    pub of: OfJob,
}

/// Ends a running job early.
#[derive(clap::Args, Clone, Debug)]
pub struct Stop {
    /// The job.
    #[command(flatten)]
    pub of: OfJob,
    /// Segments after which the job ends; without it as soon as the market allows: after what is claimed of the batch being filled.
    #[arg(long, value_name = "SEGMENTS")]
    pub after: Option<u64>,
}

/// What an order is about, read once.
pub(super) struct Order {
    /// The node's folder.
    pub opened: Opened,
    /// The account, at the first endpoint.
    pub chain: Chain,
    /// The job's id.
    pub id: B256,
    /// What the market holds of it.
    pub job: TrainingMarket::Job,
    json: bool,
}

/// What the folder's store took of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noted {
    /// It is stored.
    Here,
    /// A node runs on the folder, and has the store.
    Taken,
    /// The store has no such job.
    Unknown,
}

impl OfJob {
    /// Reads the job. Whatever is sent about it, the account's key signs: a node that runs on the folder sends with its hot key.
    pub(super) fn begin(&self) -> Result<Order> {
        let opened = self.home.opened(Some(Role::Requester))?;
        let chain = opened.chain(opened.accounts(&self.password)?.require_account()?.clone())?;
        // A job that is offered goes on under the id of each offer in turn. Where a node has the store, its log says which.
        let store = Store::open_unless_taken(&opened.home.store_file())?;
        let now = store.map(|store| store.find(self.job)).transpose()?.flatten();
        let (id, market) = (now.map_or(self.job, |(id, _)| id), opened.deployment.market.address);
        let job = chain.call(market, &TrainingMarket::jobOfCall { id })?;
        let (state, owner) = (State::of(job.state), chain.sender());
        ensure!(
            state == Some(State::None) || job.requester == owner,
            "job {id} is of the account {}, and this node's is {owner}",
            job.requester
        );
        Ok(Order { opened, chain, id, job, json: self.json })
    }
}

impl Order {
    /// Where the job stands.
    pub fn state(&self) -> Option<State> {
        State::of(self.job.state)
    }

    /// Segments of a batch.
    pub fn every(&self) -> Result<u64> {
        let terms = TrainingMarket::termsOfCall { id: self.id };
        let terms = self.chain.call(self.opened.deployment.market.address, &terms)?;
        Ok(u64::from(terms.batches.deliverEvery).max(1))
    }

    /// Sends a call of the market, unless it would be refused: then why.
    pub fn send<C: SolCall<Return: Send> + Sync>(&self, call: &C) -> Result<Result<(), String>> {
        let market = self.opened.deployment.market.address;
        match self.chain.call(market, call) {
            Err(error @ ChainError::Reverted { .. }) => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(Ok(self.chain.send(market, call).map(drop)?)),
        }
    }

    /// Stores a wish, so that a node that is started later stands by it.
    pub fn note(&self, change: impl FnOnce(&mut Facts)) -> Result<Noted> {
        let Some(store) = Store::open_unless_taken(&self.opened.home.store_file())? else { return Ok(Noted::Taken) };
        let Some((id, _)) = store.find(self.id)? else { return Ok(Noted::Unknown) };
        store.change(id, change)?;
        Ok(Noted::Here)
    }

    /// Makes void what was signed to post the job, and could still be brought: the call itself, which may be on its way, and offers. Why
    /// that cannot be done, if it cannot.
    fn void(&self) -> Result<Result<(), String>> {
        let path = self.opened.home.job(self.id).join(OPEN_FILE);
        if path.exists() {
            let bytes = std::fs::read(&path).wrap_err_with(|| format!("{}", path.display()))?;
            let call = TrainingMarket::openCall::abi_decode_validate(&bytes)
                .wrap_err_with(|| format!("{} is no call that posts a job", path.display()))?;
            return self.send(&TrainingMarket::cancelNonceCall { nonce: call.nonce });
        }
        let Some(store) = Store::open_unless_taken(&self.opened.home.store_file())? else { return Ok(Ok(())) };
        let offers = store.find(self.id)?.and_then(|(_, facts)| facts.offers);
        drop(store);
        let time =
            self.chain.wait(async { Ok::<_, ChainError>(self.chain.client().at_head().await?.moment().time) })?;
        match offers.filter(|offers| offers.are_out(time)) {
            Some(offers) => self.send(&TrainingMarket::cancelNonceCall { nonce: offers.nonce.into() }),
            None => Ok(Ok(())),
        }
    }

    /// The job as the market has it now.
    pub fn again(&self) -> Result<TrainingMarket::Job> {
        Ok(self.chain.call(self.opened.deployment.market.address, &TrainingMarket::jobOfCall { id: self.id })?)
    }

    /// Says that the order was carried out, and how the job stands.
    pub fn done(&self, what: &str) -> Result<Outcome> {
        let job = self.again()?;
        let state = State::name(job.state);
        if self.json {
            let json = serde_json::json!({
                "job": self.id, "done": true, "state": state, "segments": job.total, "said": what,
            });
            print(&json.to_string());
        } else {
            print(&format!("job {}: {what}; it is {state}", self.id));
        }
        Ok(Outcome::Done)
    }

    /// Says why the order was not carried out.
    pub fn refused(&self, why: &str) -> Result<Outcome> {
        if self.json {
            let state = State::name(self.job.state);
            print(&serde_json::json!({ "job": self.id, "done": false, "state": state, "said": why }).to_string());
        } else {
            print(&format!("job {}: {why}", self.id));
        }
        Ok(Outcome::Rejected)
    }
}

impl Cancel {
    /// Runs `requester cancel`.
    ///
    /// # Errors
    /// The job is nobody's, or another account's; the chain does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let order = self.of.begin()?;
        match order.state() {
            Some(State::None) => match order.note(|facts| facts.cancels = true)? {
                Noted::Here => match order.void()? {
                    Err(reason) => order.refused(&format!("what was signed cannot be taken back, and may be posted still: {reason}")),
                    Ok(()) => order.done("it was not posted, and will not be"),
                },
                Noted::Taken => order.refused(
                    "it is not posted yet, and the node that runs on this folder is about to post it: end that first, or cancel \
                     again when the job is posted",
                ),
                Noted::Unknown => bail!("neither the market nor this node has a job {}", order.id),
            },
            Some(State::Open) => match order.send(&TrainingMarket::cancelCall { id: order.id })? {
                Err(reason) => order.refused(&format!("the market refuses: {reason}")),
                Ok(()) => {
                    // A block can be replaced; a node that runs sees to it that the job stays cancelled.
                    order.note(|facts| facts.cancels = true)?;
                    order.done("it was taken back; a node that runs takes the escrow, and so does `node withdraw`")
                }
            },
            state => order.refused(too_late(state)),
        }
    }
}

/// Where a job stands, in words.
pub(super) fn in_words(state: Option<State>) -> &'static str {
    match state {
        Some(State::None) => "not posted",
        Some(State::Open) => "open: nobody has taken it",
        Some(State::Assigned) => "taken, and its provider has not begun",
        Some(State::Running) => "running",
        _ => "over",
    }
}

/// Why a job in this state cannot be cancelled, and what can be done instead.
fn too_late(state: Option<State>) -> &'static str {
    match state {
        Some(State::Assigned) => {
            "a provider has taken it, and begins or hands it back within the time of the terms; then it can be cancelled, or stopped"
        }
        Some(State::Running) => "it runs: `requester stop` ends it early, and only an open job can be cancelled",
        _ => "it has ended",
    }
}

impl Stop {
    /// Runs `requester stop`.
    ///
    /// # Errors
    /// The job is nobody's, or another account's; the chain does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let order = self.of.begin()?;
        if order.state() != Some(State::Running) {
            return order.refused(not_running(order.state()));
        }
        let total = u64::from(order.job.total);
        if let Some(after) = self.after.filter(|after| *after >= total) {
            return order.refused(&format!("it has {total} segments: to end after {after} changes nothing"));
        }
        // Zero is as early as the market allows.
        let asked = gradproof_chain::U256::from(self.after.unwrap_or(0));
        if let Err(reason) = order.send(&TrainingMarket::stopCall { id: order.id, total: asked })? {
            return order.refused(&format!(
                "the market refuses, because what is claimed, or the batch that holds it, cannot be taken back: {reason}"
            ));
        }
        let ends = u64::from(order.again()?.total);
        order.note(|facts| facts.stop_at = Some(ends))?;
        order.done(&format!(
            "it ends after {ends} segments of {total}; what is closed is proven, delivered and paid as ever"
        ))
    }
}

/// Why a job in this state cannot be stopped, and what can be done instead.
fn not_running(state: Option<State>) -> &'static str {
    match state {
        Some(State::None) => "it is not posted: `requester cancel` sees to it that it never is",
        Some(State::Open) => "nobody trains it: `requester cancel` takes it back",
        Some(State::Assigned) => "its provider has not begun: it can be stopped when it runs",
        _ => "it has ended",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_comes_at_the_wrong_time_says_what_can_be_done() {
        assert!(too_late(Some(State::Running)).contains("requester stop"));
        assert!(not_running(Some(State::Open)).contains("requester cancel"));
        assert!(not_running(Some(State::None)).contains("requester cancel"));
        assert_eq!(in_words(Some(State::None)), "not posted");
        for state in State::ALL.into_iter().filter(|state| *state >= State::Cancelled) {
            assert_eq!((too_late(Some(state)), not_running(Some(state))), ("it has ended", "it has ended"));
        }
    }
}
