//! `requester acknowledge` and `requester complain`: a requester's word on a delivery, given by hand.

use eyre::{Result, ensure};
use gradproof_chain::market::{BatchState, State, TrainingMarket};
use gradproof_chain::{B256, U256};
use gradproof_node::facts::Opened as Came;
use gradproof_node::store::Store;
use gradproof_terminal::Outcome;

use super::orders::{OfJob, Order, in_words};

/// Takes the weights of a batch.
#[derive(clap::Args, Clone, Debug)]
pub struct Acknowledge {
    /// The job.
    #[command(flatten)]
    pub of: OfJob,
    /// The batch, counted from 0.
    #[arg(value_name = "BATCH")]
    pub batch: u64,
    /// Acknowledge although this node did not open the weights, or found them wrong. It pays for them, and nothing takes that back.
    #[arg(long)]
    pub unopened: bool,
}

/// Complains about the weights of a batch.
#[derive(clap::Args, Clone, Debug)]
pub struct Complain {
    /// The job.
    #[command(flatten)]
    pub of: OfJob,
    /// The batch, counted from 0.
    #[arg(value_name = "BATCH")]
    pub batch: u64,
}

impl Acknowledge {
    /// Runs `requester acknowledge`.
    ///
    /// # Errors
    /// The job is nobody's, or another account's; the chain does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let order = self.of.begin()?;
        let view = match waiting(&order, self.batch)? {
            Ok(view) => view,
            Err(why) => return order.refused(&why),
        };
        if let Some(why) = unopened(&order, self.batch, view.last)?.filter(|_| !self.unopened) {
            return order.refused(&format!(
                "{why}; --unopened acknowledges batch {} all the same, and pays for it",
                self.batch
            ));
        }
        let (id, batch) = (order.id, U256::from(self.batch));
        let call = TrainingMarket::acknowledgeCall { id, batch, last: view.last, root: view.record.root };
        match order.send(&call)? {
            Err(reason) => order.refused(&format!("the market refuses: {reason}")),
            Ok(()) => order.done(&format!("batch {} is acknowledged", self.batch)),
        }
    }
}

impl Complain {
    /// Runs `requester complain`.
    ///
    /// # Errors
    /// The terms name no committee; the job is nobody's, or another account's; the chain does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let order = self.of.begin()?;
        let (id, deployment) = (order.id, &order.opened.deployment);
        let terms = order.chain.call(deployment.market.address, &TrainingMarket::termsOfCall { id })?;
        ensure!(
            !terms.committee.members.is_empty(),
            "the terms of job {id} name no committee, and nobody else could decide a complaint: `requester stop` ends the job before \
             more is trained, and `requester recover` trains again here to what was claimed"
        );
        let view = match waiting(&order, self.batch)? {
            Ok(view) => view,
            Err(why) => return order.refused(&why),
        };
        let bond = U256::from(terms.price.complaintBond);
        let owner = order.chain.sender();
        let free = order.opened.free_stake(&order.chain, owner)?;
        if free < bond {
            let (bond, free) = (deployment.tokens(bond), deployment.tokens(free));
            return order.refused(&format!(
                "a complaint locks {bond} of stake, and {free} are free: `node stake` puts tokens into the vault"
            ));
        }
        let batch = U256::from(self.batch);
        match order.send(&TrainingMarket::complainCall { id, batch, last: view.last, root: view.record.root })? {
            Err(reason) => order.refused(&format!("the market refuses: {reason}")),
            Ok(()) => order.done(&format!(
                "the committee decides about batch {}; {} of stake are locked until then",
                self.batch,
                deployment.tokens(bond)
            )),
        }
    }
}

/// A batch that waits for the requester's word, or why it does not.
fn waiting(order: &Order, batch: u64) -> Result<Result<TrainingMarket::BatchView, String>> {
    if order.state() != Some(State::Running) {
        return Ok(Err(format!("it is {}, and no batch waits for a word", in_words(order.state()))));
    }
    let market = order.opened.deployment.market.address;
    let terms = order.chain.call(market, &TrainingMarket::termsOfCall { id: order.id })?;
    let batches = u64::from(order.job.total).div_ceil(u64::from(terms.batches.deliverEvery).max(1));
    if batch >= batches {
        return Ok(Err(format!("it has {batches} batches, and no batch {batch}: they are counted from 0")));
    }
    let view = order.chain.call(market, &TrainingMarket::batchOfCall { id: order.id, batch: U256::from(batch) })?;
    let state = BatchState::ALL.into_iter().find(|state| *state as u8 == view.state);
    Ok(match no_word(state, view.record.acknowledged) {
        Some(why) => Err(format!("batch {batch} {why}")),
        None => Ok(view),
    })
}

/// Why a batch waits for no word.
fn no_word(state: Option<BatchState>, acknowledged: bool) -> Option<&'static str> {
    match state {
        Some(BatchState::Filling) => Some("is not closed yet"),
        Some(BatchState::Settled) => Some("is settled already"),
        Some(BatchState::Void) => Some("is void: the job ends before it"),
        _ if acknowledged => Some("is acknowledged already"),
        _ => None,
    }
}

/// Why this node cannot say that the weights of a batch open the claim `last`.
fn unopened(order: &Order, batch: u64, last: B256) -> Result<Option<String>> {
    let home = &order.opened.home;
    let Some(store) = Store::open_unless_taken(&home.store_file())? else {
        return Ok(Some(format!(
            "a node runs on {}, and acknowledges batch {batch} by itself as soon as it is proven and its weights open the claim",
            home.path().display()
        )));
    };
    let came = store.job(order.id)?.and_then(|facts| facts.opened.get(&batch).cloned());
    Ok(match came {
        Some(Came::Right(opened)) if opened == last => None,
        Some(Came::Right(_)) => {
            Some(format!("another claim took the place of the one that the weights of batch {batch} open"))
        }
        Some(Came::Wrong { why: reason, .. }) => {
            Some(format!("the weights of batch {batch} are not what was claimed: {reason}"))
        }
        None => Some(format!("this node has not opened the weights of batch {batch}: `requester fetch` gets them")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_batch_that_is_closed_and_not_settled_waits_for_a_word() {
        for state in BatchState::ALL {
            let waits = matches!(state, BatchState::Drawing | BatchState::Proving | BatchState::Disputed);
            assert_eq!(no_word(Some(state), false).is_none(), waits, "{state:?}");
            assert!(no_word(Some(state), true).is_some(), "{state:?}");
        }
    }
}
