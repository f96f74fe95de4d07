//! What the market holds of a job, at one moment.

use super::{BatchState, State, TrainingMarket};
use crate::{Address, B256, ChainError, Moment, Reader, U256};

/// A job with its batches that are closed and not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSnapshot {
    /// Its terms.
    pub terms: TrainingMarket::Terms,
    /// Its counters and amounts.
    pub job: TrainingMarket::Job,
    /// Batches by their numbers.
    pub batches: Vec<(u64, TrainingMarket::BatchView)>,
    /// Segments of them that are challenged and not proven, each with the last second for its proof.
    pub challenges: Vec<(u64, u64)>,
    /// Until when only the lead closes the batch that is being filled, in seconds since 1970.
    pub closable_after: u64,
    /// When all this was so.
    pub now: Moment,
}

impl JobSnapshot {
    /// Asks the market, as it was at the block of `reader`.
    ///
    /// # Errors
    /// The node does not answer.
    pub async fn of<R: Reader>(reader: &R, market: Address, id: B256) -> Result<Self, ChainError> {
        let now = reader.moment();
        let job = reader.ask(market, &TrainingMarket::jobOfCall { id }).await?;
        let terms = reader.ask(market, &TrainingMarket::termsOfCall { id }).await?;
        let mut snapshot = Self { terms, job, batches: vec![], challenges: vec![], closable_after: 0, now };
        if snapshot.state() != Some(State::Running) {
            return Ok(snapshot);
        }
        let closable = reader.ask(market, &TrainingMarket::closableAfterCall { id }).await?;
        snapshot.closable_after = u64::try_from(closable).unwrap_or(u64::MAX);
        let every = u16::from(snapshot.terms.batches.deliverEvery).max(1);
        for batch in snapshot.job.settled / every..snapshot.job.closed.div_ceil(every) {
            let view = reader.ask(market, &TrainingMarket::batchOfCall { id, batch: U256::from(batch) }).await?;
            for bit in 0..u64::from(u64::BITS) {
                if view.record.challenged & view.due & 1 << bit == 0 {
                    continue;
                }
                let index = view.from + U256::from(bit);
                let challenge = reader.ask(market, &TrainingMarket::challengeOfCall { id, index }).await?;
                snapshot.challenges.push((u64::try_from(index).unwrap_or(u64::MAX), challenge.until.to()));
            }
            snapshot.batches.push((u64::from(batch), view));
        }
        Ok(snapshot)
    }

    /// What of a batch is due and not proven: segments, each with the last second in which its proof is in time.
    pub fn due(&self, batch: &TrainingMarket::BatchView) -> Vec<(u64, u64)> {
        let from = u64::try_from(batch.from).unwrap_or(u64::MAX);
        let bits = (0..u64::from(u64::BITS)).filter(|bit| batch.due & 1 << bit != 0);
        let until = |bit: u64| {
            let segment = from.saturating_add(bit);
            if batch.record.challenged & 1 << bit != 0 {
                return self.challenges.iter().find(|(challenged, _)| *challenged == segment).copied();
            }
            let drawn = batch.record.drawn & 1 << bit != 0;
            drawn.then(|| (segment, u64::try_from(batch.record.until).unwrap_or(u64::MAX)))
        };
        bits.filter_map(until).collect()
    }

    /// Where it stands; `None` for a number that has no name.
    pub fn state(&self) -> Option<State> {
        State::of(self.job.state)
    }

    /// Where a batch stands; `None` for a number that has no name.
    pub fn batch_state(&self, batch: &TrainingMarket::BatchView) -> Option<BatchState> {
        BatchState::ALL.into_iter().find(|state| *state as u8 == batch.state)
    }
}
