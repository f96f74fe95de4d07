//! What a sender asks the endpoints.

use std::sync::Arc;

use super::judge::Word;
use super::{Book, Intent, Record, Sender};
use crate::endpoint::{gather, numbered};
use crate::{At, ChainError, Endpoint, Fees, Header, Sight};

/// Gas that a transaction may take at all (EIP-7825).
pub(super) const MAX_GAS: u64 = 1 << 24;
/// A transaction may cost more than is estimated by this part of it: between estimate and block time passes, and others act.
const SPARE_GAS: u64 = 4;

/// What a transaction would cost.
pub(super) enum Estimate {
    /// It may take so much, in gas.
    Limit(u64),
    /// The contract would refuse it, for this reason.
    Refused(String),
}

impl Sender {
    /// What an endpoint says of the records.
    pub(super) async fn word(&self, at: &At, records: &[Record]) -> Result<Word, ChainError> {
        let mut word = Word { count: at.nonce(self.account).await?, found: vec![] };
        for record in records.iter().filter(|record| record.nonce < word.count) {
            for attempt in record.attempts.iter().rev() {
                let Some(place) = at.endpoint().receipt(attempt.hash).await? else { continue };
                if place.number > at.header().number {
                    // The count says that it is in an earlier block: the chain was reorganised between both questions.
                    let endpoint = at.endpoint().name().to_owned();
                    return Err(ChainError::NoBlock { endpoint, block: at.header().hash });
                }
                word.found.push((attempt.hash, place));
                break;
            }
        }
        Ok(word)
    }

    /// How many transactions the account has sent.
    ///
    /// Where endpoints do not agree on that, no more than the journal explains: too small a number is corrected by what is stored, or the
    /// transaction is overtaken; too great a one would leave a gap, behind which nothing ever lands. A journal that is empty explains
    /// nothing, so that the number is asked for again, unless the endpoints have no block in common that they could agree at.
    pub(super) async fn count(&self, sight: &Sight, book: &Book) -> Result<u64, ChainError> {
        let account = self.account;
        let counts = self.endpoints.read(&sight.common, |at| async move { at.nonce(account).await }).await?;
        let least = counts.values().into_iter().min().copied().ok_or(ChainError::NoEndpoint)?;
        match (counts.agreed(), book.explained()) {
            (Some(count), _) => Ok(count),
            (None, Some(explained)) => Ok(least.min(explained)),
            (None, None) if sight.common.agreed().is_some() => Err(ChainError::NotCounted { account }),
            (None, None) => Ok(least),
        }
    }

    /// What an intent may cost: see [`limit`]. A contract's refusal counts if as many endpoints say so as must agree.
    pub(super) async fn estimate(&self, sight: &Sight, intent: &Intent) -> Result<Estimate, ChainError> {
        let Intent { to, value, .. } = *intent;
        let estimates = self.ask_enough(sight, move |endpoint, _| async move {
            endpoint.estimate(self.account, to, value, intent.input.clone()).await
        });
        let (mut gas, mut refusals, mut failed) = (vec![], vec![], None);
        for (endpoint, answer) in estimates.await {
            match answer {
                Ok(needed) if needed <= MAX_GAS => gas.push(needed),
                Ok(needed) => failed = failed.or(Some(ChainError::TooMuchGas { id: intent.id.clone(), needed })),
                Err(ChainError::Reverted { data }) => refusals.push((endpoint, crate::reason(&data))),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let many = refusals.len() >= self.endpoints.needed();
        match (limit(gas, self.endpoints.needed(), self.policy.max_gas), refusals.into_iter().next()) {
            (Some(limit), _) => Ok(Estimate::Limit(limit)),
            (None, Some((_, reason))) if many => Ok(Estimate::Refused(reason)),
            (None, Some((endpoint, reason))) => Err(ChainError::RefusedByOne { endpoint, reason }),
            (None, None) => Err(failed.unwrap_or(ChainError::NoEndpoint)),
        }
    }

    /// What gas costs, by each endpoint that answers: the base fee of the block at which it is read, and the tip that it advises.
    pub(super) async fn fees(&self, sight: &Sight) -> Result<Vec<Fees>, ChainError> {
        let fees = self
            .ask_enough(sight, |endpoint, at| async move { Ok(Fees { base: at.base, tip: endpoint.tip().await? }) });
        let (fees, mut failed): (Vec<_>, Vec<_>) =
            fees.await.into_iter().map(|(_, fees)| fees).partition(Result::is_ok);
        match failed.pop() {
            Some(Err(error)) if fees.is_empty() => Err(error),
            _ => Ok(fees.into_iter().flatten().collect()),
        }
    }

    /// What endpoints answer that are read, each with its name. Once as many as must agree have answered, the others have a grace.
    async fn ask_enough<T, R: Future<Output = Result<T, ChainError>>>(
        &self,
        sight: &Sight,
        ask: impl Fn(Arc<dyn Endpoint>, Header) -> R,
    ) -> Vec<(String, Result<T, ChainError>)> {
        let asked = self.endpoints.awake(sight.common.readable());
        let endpoints: Vec<_> = self.endpoints.each().collect();
        let asked: Vec<_> =
            asked.into_iter().filter_map(|(at, header)| Some((at, *endpoints.get(at)?, header))).collect();
        let is_answer = |answer: &Result<T, ChainError>| matches!(answer, Ok(_) | Err(ChainError::Reverted { .. }));
        let enough = |answers: &[Option<Result<T, ChainError>>]| {
            answers.iter().flatten().filter(|answer| is_answer(answer)).count() >= self.endpoints.needed()
        };
        let questions = asked.iter().map(|(_, endpoint, header)| ask(Arc::clone(endpoint), *header));
        let mut running = numbered(questions.collect());
        let answers = gather(&mut running, enough).await;
        let mut told = vec![];
        for ((at, endpoint, _), answer) in asked.into_iter().zip(answers) {
            match answer {
                Some(answer) => told.push((endpoint.name().to_owned(), answer)),
                None => self.endpoints.outrun(at),
            }
        }
        told
    }
}

/// The gas limit by several estimates, with what may be added until a block takes it. `None` of none.
///
/// What is not used is not paid, and a limit that is too low burns what it is: so of two estimates the larger counts, up to
/// `most`, which is more than any call is expected to take. Where more answer than must agree, the larger of those that agree.
fn limit(mut estimates: Vec<u64>, needed: usize, most: u64) -> Option<u64> {
    estimates.sort_unstable_by_key(|estimate| u64::MAX - estimate);
    let largest = *estimates.first()?;
    let agreed = estimates.get(needed.saturating_sub(1)).copied();
    let gas = match agreed {
        Some(agreed) if estimates.len() > needed => agreed,
        agreed => agreed.unwrap_or(0).max(largest.min(most)),
    };
    Some((gas + gas / SPARE_GAS).min(MAX_GAS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_liar_of_two_neither_burns_gas_nor_raises_the_limit_beyond_what_calls_take() {
        const MOST: u64 = 4_000_000;
        let of_two = |estimates: &[u64]| limit(estimates.to_vec(), 2, MOST);
        assert_eq!(of_two(&[400_000, 400_000]), Some(500_000));
        assert_eq!(of_two(&[21_000, 400_000]), Some(500_000), "too little burns what it is");
        assert_eq!(of_two(&[MAX_GAS, 400_000]), Some(5_000_000));
        assert_eq!(of_two(&[8_000_000, 8_000_000]), Some(10_000_000), "what both say is so");
        assert_eq!(of_two(&[8_000_000, MAX_GAS]), Some(10_000_000));
        assert_eq!(of_two(&[MAX_GAS]), Some(5_000_000), "one that is alone");
        assert_eq!(limit(vec![MAX_GAS], 1, MOST), Some(MAX_GAS), "on the local chain");
        for liar in [21_000, MAX_GAS] {
            assert_eq!(of_two(&[400_000, liar, 400_000]), Some(500_000), "a liar among three does not matter");
        }
        assert_eq!(of_two(&[]), None);
    }
}
