//! What a job on a registered set is to the owner of its data: what it was paid, what depends on what is open, and who may have the rows.

use gradproof_chain::market::{Actor, Deployment, Duty, Earned, JobSnapshot, State};
use gradproof_chain::{Address, B256, U256};
use gradproof_terminal::print;
use serde::Serialize;

use super::money::segments;

/// What is said of the data. Amounts are in tokens.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ExplainedData {
    dataset: B256,
    /// Who is paid.
    paid_to: Address,
    fee: String,
    fee_paid: String,
    /// Of a segment; nothing before the job is accepted, which fixes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    royalty: Option<String>,
    royalties_paid: String,
    /// To whom the owner hands the rows now.
    rows_for: Vec<Address>,
}

impl ExplainedData {
    /// What is said of a job; `None` if its data are no registered set.
    pub fn of(job: &JobSnapshot, deployment: &Deployment) -> Option<Self> {
        let (dataset, held) = (job.terms.training.dataset, &job.job);
        if dataset.is_zero() {
            return None;
        }
        let (earned, tokens) = (Earned::of(held), |amount: u128| deployment.tokens(U256::from(amount)));
        let is_trained = matches!(job.state(), Some(State::Assigned | State::Running));
        let has_them = is_trained.then(|| [held.owner].into_iter().chain(job.terms.committee.members.clone()));
        Some(Self {
            dataset,
            paid_to: held.royaltyTo,
            fee: tokens(held.licenceFee),
            fee_paid: tokens(earned.fee),
            royalty: (!held.owner.is_zero()).then(|| tokens(held.royalty)),
            royalties_paid: tokens(earned.royalty),
            rows_for: has_them.into_iter().flatten().collect(),
        })
    }

    pub fn print(&self) {
        let Self { dataset, paid_to, fee, fee_paid, royalty, royalties_paid, rows_for } = self;
        let royalty = royalty.as_deref().map_or_else(
            || "not fixed: no provider has the job".to_owned(),
            |royalty| format!("{royalty} a segment, {royalties_paid} paid"),
        );
        print(&format!("data set {dataset}, of which {paid_to} is paid"));
        print(&format!("  fee {fee}, {fee_paid} paid; royalty {royalty}"));
        let names: Vec<String> = rows_for.iter().map(ToString::to_string).collect();
        let handed = if names.is_empty() { "nobody now".to_owned() } else { names.join(", ") };
        print(&format!("  the owner hands the rows to {handed}"));
    }
}

/// What happens to the owner of the data if nobody does what is open; `None` if nothing does.
pub(super) fn otherwise(duty: &Duty, job: &JobSnapshot, deployment: &Deployment) -> Option<String> {
    if job.terms.training.dataset.is_zero() {
        return None;
    }
    let tokens = |amount: u128| deployment.tokens(U256::from(amount));
    let fee = tokens(job.job.licenceFee);
    let batch = tokens(job.job.royalty.saturating_mul(segments(duty, job)));
    Some(match (duty.calls.first().copied()?, duty.actor) {
        ("accept", _) => format!("the fee, {fee}, is not paid, and the licence is spent"),
        ("start", _) => format!("the fee, {fee}, is not paid, and whoever has the job had the rows"),
        ("claim" | "claimProven" | "close", Actor::Lead) => "what is not closed pays no royalty".to_owned(),
        ("acknowledge", _) if job.job.complaints == 0 => {
            format!("the royalty of the batch, {batch}, is paid when the time is over")
        }
        ("acknowledge" | "addRoot", _) => {
            format!("the royalty of the batch, {batch}, is paid if the committee says yes")
        }
        ("attest", _) => format!("the royalty of the batch, {batch}, is not paid"),
        ("prove", _) if duty.from.is_some() => format!("the royalty of the batch, {batch}, is not paid"),
        ("settle", _) => format!("the royalty of the batch, {batch}, waits"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use gradproof_chain::market::{TrainingMarket, terms};
    use gradproof_chain::{Moment, SolValue};

    use super::*;
    use crate::node::fixtures::deployment;

    const ROWS: u64 = 40;
    /// Segments of a batch, and of the job: the last batch has one.
    const EVERY: u8 = 3;
    const SEGMENTS: u16 = 4;

    /// A job of a set, or of none, in a state: with a fee of 50, and a royalty of 12 a segment.
    fn job(state: State, dataset: B256) -> JobSnapshot {
        // More words than either has.
        let zeros = [0; 32 * 64];
        let mut held = TrainingMarket::Job::abi_decode(&zeros).expect("zeros are a job");
        (held.state, held.total, held.royaltyTo) = (state as u8, SEGMENTS, Address::repeat_byte(1));
        (held.licenceFee, held.price, held.royalty) = (50, 100, 12);
        held.owner = Address::repeat_byte(2);
        let training = TrainingMarket::Training {
            verifier: Address::ZERO,
            verifierCode: B256::ZERO,
            halo2: Address::ZERO,
            halo2Code: B256::ZERO,
            graph: B256::ZERO,
            subject: B256::ZERO,
            order: B256::ZERO,
            chained: true,
            dataRoot: B256::ZERO,
            rows: ROWS,
            segments: SEGMENTS.into(),
            first: B256::ZERO,
            rates: vec![1],
            dataset,
            royaltyBps: 0,
        };
        let mut terms = terms(training, 100, EVERY);
        terms.committee.members = vec![Address::repeat_byte(3)];
        let now = Moment { time: 0, block: 0 };
        JobSnapshot { terms, job: held, batches: vec![], challenges: vec![], closable_after: 0, now }
    }

    fn duty(calls: &'static [&'static str], batch: u64) -> Duty {
        Duty { batch: Some(batch), actor: Actor::Lead, calls, from: None, until: None, otherwise: "" }
    }

    #[test]
    fn what_the_owner_of_the_data_has_and_loses_is_said_of_a_job_on_a_set_only() {
        let set = B256::repeat_byte(7);
        let said = |calls, batch| otherwise(&duty(calls, batch), &job(State::Running, set), &deployment());
        let digits = |amount: u128| deployment().tokens(U256::from(amount));
        for (calls, batch, words) in [
            (&["accept"][..], 0, digits(50)),
            (&["start", "decline"], 0, "had the rows".to_owned()),
            (&["claim"], 0, "pays no royalty".to_owned()),
            (&["acknowledge"], 0, digits(36)),
            (&["settle"], 1, digits(12)),
        ] {
            assert!(
                said(calls, batch).is_some_and(|said| said.contains(&words)),
                "{calls:?}: {:?}",
                said(calls, batch)
            );
        }
        assert_eq!(said(&["stop"], 0), None);
        assert_eq!(otherwise(&duty(&["start"], 0), &job(State::Assigned, B256::ZERO), &deployment()), None);
        assert!(ExplainedData::of(&job(State::Running, B256::ZERO), &deployment()).is_none());
        let rows_for = |state| ExplainedData::of(&job(state, set), &deployment()).map(|data| data.rows_for.len());
        assert_eq!(
            (rows_for(State::Assigned), rows_for(State::Completed)),
            (Some(2), Some(0)),
            "provider and committee"
        );
    }
}
