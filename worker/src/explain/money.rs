//! What happens to whose money if nobody does what is open.

use gradproof_chain::U256;
use gradproof_chain::market::{Actor, Deployment, Duty, JobSnapshot, State};

/// In words, with amounts in tokens.
pub(super) fn of(duty: &Duty, job: &JobSnapshot, deployment: &Deployment) -> String {
    let tokens = |amount: u128| deployment.tokens(U256::from(amount));
    let (price, terms) = (job.job.price, &job.terms);
    let batch = price.saturating_mul(segments(duty, job));
    let bond = terms.price.bond;
    match (duty.calls.first().copied().unwrap_or_default(), duty.actor) {
        ("accept", _) => format!("the escrow, {}, comes back to the requester", tokens(job.job.escrow)),
        ("cancel", Actor::Requester) => "nothing moves".into(),
        ("cancel", _) => format!("the requester's escrow, {}, stays in the market", tokens(job.job.escrow)),
        ("start", _) => {
            format!("the lead's bond and the requester's escrow lose {} each", tokens(terms.price.handBackFee))
        }
        ("decline", _) => format!("the lead's bond, {}, and the requester's escrow stay in the market", tokens(bond)),
        ("claim" | "claimProven" | "close", Actor::Lead) if !job.job.left => format!(
            "the lead can lose a quarter of a batch's price, {}, and is paid for nothing that is not closed",
            tokens((batch / 4).min(bond))
        ),
        ("claim" | "claimProven" | "close", Actor::Lead) => "the lead is paid for nothing that is not closed".into(),
        ("stop", _) => format!("the requester goes on buying segments, {} each", tokens(price)),
        ("abandon", _) => "the lead's bond and the rest of the requester's escrow stay in the market".into(),
        ("challenge", _) => format!("the lead is paid the batch, {}, without that proof", tokens(batch)),
        ("acknowledge", _) if job.job.complaints == 0 => {
            format!("the lead is paid the batch, {}, when the time is over", tokens(batch))
        }
        ("acknowledge" | "addRoot", _) => format!("the committee decides about the batch's price, {}", tokens(batch)),
        ("attest", _) => {
            format!(
                "the batch's price, {}, and the complaint's bond, {}, are burnt",
                tokens(batch),
                tokens(terms.price.complaintBond)
            )
        }
        ("prove", _) if duty.from.is_none() => format!("a tenth of the lead's bond, of {}, is burnt", tokens(bond)),
        ("prove", _) => {
            format!("the lead loses its bond, {}, and the requester gets back what is not paid", tokens(bond))
        }
        ("settle", _) => format!("the batch's price, {}, waits for the lead", tokens(batch)),
        ("withdraw", _) => "what is owed stays in the market".into(),
        ("contradict", _) => {
            format!("the committee's stake, {} each, is free afterwards", tokens(terms.committee.stake))
        }
        ("unback", _) => format!("the committee's stake, {} each, stays bound", tokens(terms.committee.stake)),
        _ if job.state() == Some(State::Running) => format!("the batch's price, {}, is not paid yet", tokens(batch)),
        _ => "nothing moves".into(),
    }
}

/// Segments of the batch that is meant; of the first one, where none is.
pub(super) fn segments(duty: &Duty, job: &JobSnapshot) -> u128 {
    let every = u64::from(job.terms.batches.deliverEvery);
    // The last batch may have fewer segments.
    let left = u64::from(job.job.total).saturating_sub(duty.batch.unwrap_or_default().saturating_mul(every)).max(1);
    u128::from(left.min(every))
}
