//! `requester fetch`: gets the weights of the batches that wait, and says where all of them are.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eyre::Result;
use gradproof_chain::U256;
use gradproof_chain::market::{BatchState, State, TrainingMarket};
use gradproof_node::decide::View;
use gradproof_node::facts::{Facts, Opened as Came, Role};
use gradproof_node::live::Shared;
use gradproof_node::store::Store;
use gradproof_terminal::{Outcome, print};
use serde::Serialize;

use super::orders::{OfJob, Order};
use super::run::{ProvingOptions, follow_until};
use crate::workshop::newest_weights;

/// How often it is looked whether all weights are here. They take seconds at least.
const LOOK: Duration = Duration::from_millis(500);

/// Gets the weights of a job.
#[derive(clap::Args, Clone, Debug)]
pub struct Fetch {
    /// The job.
    #[command(flatten)]
    pub of: OfJob,
    /// How long to wait for the provider, in seconds. What was fetched until then stays.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub wait_secs: u64,
    /// Proofs and commitments.
    #[command(flatten)]
    pub proving: ProvingOptions,
}

/// The weights at the end of a batch.
#[derive(Clone, Debug, Serialize)]
struct Fetched {
    batch: u64,
    state: String,
    /// Segments after which these are the weights.
    segments: u64,
    acknowledged: bool,
    /// The weights as they are proved, if they are here.
    weights: Option<PathBuf>,
    /// Whether they open the claim; `None` if this process cannot tell.
    right: Option<bool>,
    /// What is wrong, or what is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<String>,
}

impl Fetch {
    /// Runs `requester fetch`.
    ///
    /// # Errors
    /// The job is nobody's, or another account's; a file is refused; the chain does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let order = self.of.begin()?;
        if order.state() == Some(State::None) {
            return order.refused("it is not posted");
        }
        let held = self.facts(&order)?;
        let facts = match &held {
            Some(facts)
                if order.state() == Some(State::Running)
                    && waits((order.job.settled, order.job.closed), order.every()?, facts) =>
            {
                Some(self.fetch(&order)?)
            }
            _ => held,
        };
        let batches = batches(&order, facts.as_ref())?;
        let float = newest_weights(&order.opened.home.job(order.id));
        if self.of.json {
            print(&serde_json::json!({ "job": order.id, "batches": batches, "for_pytorch": float }).to_string());
        } else {
            say(&order, &batches, float);
        }
        let all =
            !batches.is_empty() && batches.iter().all(|batch| batch.weights.is_some() && batch.right != Some(false));
        Ok(if all { Outcome::Done } else { Outcome::Rejected })
    }

    /// What the folder's store knows of the job; `None` while a node runs on it.
    fn facts(&self, order: &Order) -> Result<Option<Facts>> {
        let Some(store) = Store::open_unless_taken(&order.opened.home.store_file())? else { return Ok(None) };
        let facts = store.job(order.id)?;
        facts
            .map(Some)
            .ok_or_else(|| eyre::eyre!("this node did not post job {}: its folder has no secrets of it", order.id))
    }

    /// Runs the node until the weights of all closed batches were opened, or the time is over; what is known then.
    fn fetch(&self, order: &Order) -> Result<Facts> {
        let (id, last) = (order.id, Arc::new(Mutex::new(None)));
        let (seen, patience) = (last.clone(), Duration::from_secs(self.wait_secs));
        let until = move |shared: Arc<Shared>| async move {
            let there = async {
                loop {
                    tokio::time::sleep(LOOK).await;
                    let Ok(Some(facts)) = shared.store.job(id) else { continue };
                    let waiting = |view: View| {
                        let (job, every) = (&view.job.job, u64::from(view.job.terms.batches.deliverEvery));
                        waits((job.settled, job.closed), every, &facts)
                    };
                    let all = shared.view(id).is_some_and(|view| !waiting(view));
                    *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(facts);
                    if all {
                        return;
                    }
                }
            };
            // What did not come in this time is said below.
            let _ = tokio::time::timeout(patience, there).await;
        };
        let opened = self.of.home.opened(None)?;
        follow_until(opened, &self.of.password, &self.proving, Some(vec![id]), until)?;
        let facts = last.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(facts.unwrap_or_else(|| Facts::new(Role::Requester)))
    }
}

/// Whether, of so many segments that are settled and closed, a batch of `every` is closed and not settled whose weights were not
/// opened yet.
fn waits((settled, closed): (u16, u16), every: u64, facts: &Facts) -> bool {
    let every = every.max(1);
    let (settled, closed) = (u64::from(settled) / every, u64::from(closed).div_ceil(every));
    (settled..closed).any(|batch| !facts.opened.contains_key(&batch))
}

/// All closed batches, as the market and the folder have them.
fn batches(order: &Order, facts: Option<&Facts>) -> Result<Vec<Fetched>> {
    let (id, market) = (order.id, order.opened.deployment.market.address);
    let job = order.again()?;
    let every = order.every()?;
    let mut batches = Vec::new();
    for batch in 0..u64::from(job.closed).div_ceil(every) {
        let view = order.chain.call(market, &TrainingMarket::batchOfCall { id, batch: U256::from(batch) })?;
        let state = BatchState::ALL.into_iter().find(|state| *state as u8 == view.state);
        let weights = order.opened.home.job(id).join(format!("batch-{batch:04}.exact.safetensors"));
        let came = facts.and_then(|facts| facts.opened.get(&batch));
        let (right, said) = match (came, facts) {
            (Some(Came::Right(_)), _) => (Some(true), None),
            (Some(Came::Wrong { why, .. }), _) => (Some(false), Some(why.clone())),
            (None, None) => (None, Some("a node runs on this folder: its log says what it opened".to_owned())),
            (None, Some(_)) if state == Some(BatchState::Settled) => (
                Some(false),
                Some("it is settled, and was not opened here: `requester recover` trains to it".to_owned()),
            ),
            (None, Some(_)) => {
                (Some(false), Some("the provider did not hand them over: ask again, or `requester stop`".to_owned()))
            }
        };
        batches.push(Fetched {
            batch,
            state: state.map_or_else(|| view.state.to_string(), |state| format!("{state:?}")),
            segments: u64::try_from(view.end).unwrap_or(u64::MAX),
            acknowledged: view.record.acknowledged,
            weights: Some(weights).filter(|path| path.exists()),
            right,
            said,
        });
    }
    Ok(batches)
}

fn say(order: &Order, batches: &[Fetched], float: Option<PathBuf>) {
    if batches.is_empty() {
        print(&format!("job {}: no batch is closed yet", order.id));
    }
    for Fetched { batch, state, segments, acknowledged, weights, right, said } in batches {
        let word = if *acknowledged { ", acknowledged" } else { "" };
        let came = match (weights, right) {
            (Some(path), Some(true)) => format!("weights after {segments} segments open the claim: {}", path.display()),
            (Some(path), _) => format!("weights after {segments} segments: {}", path.display()),
            (None, _) => "no weights here".to_owned(),
        };
        let said = said.as_ref().map_or_else(String::new, |said| format!("; {said}"));
        print(&format!("batch {batch}, {state}{word}: {came}{said}"));
    }
    if let Some(path) = float {
        print(&format!("{}: the last weights that opened a claim, rounded for PyTorch", path.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_batch_waits_until_it_is_opened_or_settled() {
        let mut facts = Facts::new(Role::Requester);
        assert!(!waits((0, 0), 2, &facts), "nothing is closed");
        assert!(waits((0, 2), 2, &facts));
        assert!(!waits((2, 2), 2, &facts), "it is settled");
        facts.opened.insert(0, Came::Right(Default::default()));
        assert!(!waits((0, 2), 2, &facts));
        assert!(waits((0, 3), 2, &facts), "the last one is shorter");
        facts.opened.insert(1, Came::Wrong { why: "no".into(), root: Default::default(), last: Default::default() });
        assert!(!waits((2, 3), 2, &facts));
    }
}
