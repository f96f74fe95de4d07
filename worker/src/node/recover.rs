//! `requester recover`: the weights without the provider, by training again to what was claimed.

use std::path::PathBuf;

use eyre::{Result, ensure};
use gradproof_chain::market::{TrainingMarket, domain};
use gradproof_chain::{B256, U256};
use gradproof_node::workshop::{PARCEL, PRIVATE};
use gradproof_terminal::{Outcome, print};
use serde::Serialize;

use super::orders::{OfJob, Order, in_words};
use super::run::ProvingOptions;
use crate::workshop::LocalWorkshop;

/// Trains a job again to the last claim.
#[derive(clap::Args, Clone, Debug)]
pub struct Recover {
    /// The job.
    #[command(flatten)]
    pub of: OfJob,
    /// Proofs and commitments.
    #[command(flatten)]
    pub proving: ProvingOptions,
}

/// What the training came to.
#[derive(Clone, Debug, Serialize)]
struct Said {
    job: B256,
    /// Segments that were claimed, and trained here.
    segments: u64,
    /// Whether the last of them is proven.
    proven: bool,
    /// The claim at the end of the last segment.
    claimed: B256,
    /// What this training came to there.
    trained: B256,
    /// The first segment at whose end claim and training differ.
    differs: Option<u64>,
    weights: PathBuf,
    for_pytorch: PathBuf,
}

impl Recover {
    /// Runs `requester recover`.
    ///
    /// # Errors
    /// The data of the job are not here, the training diverges, or the chain does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let order = self.of.begin()?;
        let folder = order.opened.home.job(order.id);
        ensure!(
            folder.join(PARCEL).is_dir() && folder.join(PRIVATE).is_dir(),
            "{} has no data and seeds of the job: only who has them can train again",
            folder.display()
        );
        let segments = u64::from(order.job.claimed.min(order.job.total));
        if segments == 0 {
            return order.refused(&format!("it is {}, and nothing is claimed", in_words(order.state())));
        }
        let (id, deployment) = (order.id, &order.opened.deployment);
        let call = TrainingMarket::claimsOfCall { id, from: U256::ZERO, count: U256::from(segments) };
        let claims = order.chain.call(deployment.market.address, &call)?;
        let workshop = LocalWorkshop { keys: self.proving.keys() };
        let domain = domain(deployment.chain, deployment.market.address, id, order.job.owner);
        let recovered = workshop.recover(&folder, domain, segments)?;
        let differs = first_difference(&claims, &recovered.ends);
        let [weights, for_pytorch] = recovered.files;
        let last = |digests: &[B256]| digests.last().copied().unwrap_or_default();
        let (claimed, trained) = (last(&claims), last(&recovered.ends));
        let proven = is_proven(&order, segments - 1)?;
        let said = Said { job: id, segments, proven, claimed, trained, differs, weights, for_pytorch };
        if self.of.json {
            print(&serde_json::to_string(&said)?);
        } else {
            said.print();
        }
        Ok(if differs.is_none() { Outcome::Done } else { Outcome::Rejected })
    }
}

/// The first segment at whose end two lists of digests differ.
fn first_difference(claims: &[B256], trained: &[B256]) -> Option<u64> {
    let differs = |at: &usize| claims.get(*at) != trained.get(*at);
    (0..claims.len().max(trained.len())).find(differs).map(|at| at as u64)
}

/// Whether a segment that is claimed is proven.
fn is_proven(order: &Order, index: u64) -> Result<bool> {
    let every = order.every()?;
    let batch = TrainingMarket::batchOfCall { id: order.id, batch: U256::from(index / every) };
    let view = order.chain.call(order.opened.deployment.market.address, &batch)?;
    // A batch has at most 64 segments.
    Ok(view.record.proven.checked_shr((index % every) as u32).is_some_and(|bits| bits & 1 == 1))
}

impl Said {
    fn print(&self) {
        let Self { job, segments, proven, differs, weights, for_pytorch, .. } = self;
        let proof = if *proven { "proven" } else { "not proven" };
        match differs {
            None => print(&format!(
                "job {job}: this training comes to each claim, up to segment {} of {segments} that are claimed, which is {proof}",
                segments - 1
            )),
            Some(at) => print(&format!(
                "job {job}: the claim at the end of segment {at} is not what the training comes to: it was claimed falsely, or with \
                 other blindings; the weights are those of this training"
            )),
        }
        print(&format!("{}: the weights after {segments} segments, exact", weights.display()));
        print(&format!("{}: the same, rounded for PyTorch", for_pytorch.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_claim_that_differs_is_named() {
        let digests = |bytes: &[u8]| bytes.iter().map(|byte| B256::repeat_byte(*byte)).collect::<Vec<_>>();
        assert_eq!(first_difference(&digests(&[1, 2]), &digests(&[1, 2])), None);
        assert_eq!(first_difference(&digests(&[1, 3, 4]), &digests(&[1, 2, 5])), Some(1));
        assert_eq!(first_difference(&digests(&[1, 2]), &digests(&[1])), Some(1), "one that was not trained");
    }
}
