//! Requester: the weights at the end of a batch, as they are got and opened.

use std::sync::Arc;

use gradproof_chain::market::TrainingMarket;
use gradproof_chain::{At, Reader, U256};
use tracing::info;

use super::bench::Change;
use super::deliveries::{self, Delivered};
use super::room;
use super::shared::Shared;
use super::trouble::{Trouble, blocking};
use crate::NodeError;
use crate::decide::{View, end_of};
use crate::facts::{Facts, Opened};
use crate::workshop::{Claim, WorkError};

/// Gets the weights of a batch, and opens the claim with them. That they were not to be had is counted, if other nodes answered.
pub(super) async fn open(shared: &Arc<Shared>, view: &View, batch: u64) -> Result<Change, Trouble> {
    let (market, id) = (shared.deployment.market.address, view.id);
    let asked = move |at: At| async move {
        at.ask(market, &TrainingMarket::batchOfCall { id, batch: U256::from(batch) }).await
    };
    let sight = shared.endpoints.look().await.map_err(NodeError::from)?;
    let record = shared.endpoints.read(&sight.common, asked).await.map_err(NodeError::from)?.agreed();
    let record = record.ok_or_else(|| Trouble("the endpoints do not agree on the batch".into()))?;
    let (root, last) = (record.record.root, record.last);
    let path = shared.home.job(id).join(format!("batch-{batch:04}.exact.safetensors"));
    let facts = shared.store.job(id)?.ok_or(NodeError::UnknownJob(id))?;
    if facts.opened.contains_key(&batch) {
        // Of another delivery, or for another claim, or removed: else nothing were to be done.
        let _ = std::fs::remove_file(&path);
    }
    let wrong =
        |why| -> Change { Box::new(move |facts| drop(facts.opened.insert(batch, Opened::Wrong { why, root, last }))) };
    match deliveries::got(shared, view, batch, root, &room::sizes_of(shared, view)?, vec![], &path).await? {
        Delivered::Weights(_) => (),
        Delivered::Nothing(why) => return Ok(wrong(why)),
        Delivered::Missed(why) => {
            let miss = |facts: &mut Facts| facts.missed.entry(batch).or_default().miss(view.job.now.time);
            shared.store.change(id, miss)?;
            shared.changed();
            return Err(Trouble(why));
        }
    }
    let claim = Claim { segments: end_of(&view.job, batch), last };
    let (workshop, folder) = (shared.workshop.clone(), shared.home.job(id));
    let domain = shared.domain(id, view.job.job.owner);
    let opened = blocking(move || workshop.open(&folder, domain, claim, &path)).await?;
    match opened {
        Ok(path) => {
            info!(job = %id, "the weights of batch {batch} open the claim: {}", path.display());
            Ok(Box::new(move |facts| drop(facts.opened.insert(batch, Opened::Right(last)))))
        }
        Err(WorkError::Impossible(why)) => {
            deliveries::let_go(shared, id, batch, root)?;
            Ok(wrong(why))
        }
        Err(WorkError::Failed(why) | WorkError::Differs(why)) => Err(Trouble(why)),
    }
}
