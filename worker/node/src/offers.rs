//! The offers of one job: signed for one provider after the other, until one of them takes it.
//!
//! All of them have one nonce, of which the market takes one job: whatever a provider does with an offer that it refused, or brings at the
//! last moment, no second job comes of it. Which of the offers was taken, the chain says.

use gradproof_chain::market::{TrainingMarket, at_price};
use gradproof_chain::{Address, B256};
use serde::{Deserialize, Serialize};

use crate::matching::Candidate;

/// Most providers that a job is offered to: with [`OFFER_SECS`] for each of them that is silent, well under an hour.
pub const MAX_OFFERS: usize = 8;
/// Seconds in which an offer can be taken: some blocks for one transaction, with time to offer more for its gas.
pub const OFFER_SECS: u64 = 300;
/// Seconds after the last offer for which the chain is still asked whether one was taken: longer than blocks are undone.
const WATCH_SECS: u64 = 24 * 3600;

/// What a provider says of an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// It takes the job.
    Yes,
    /// It does not, and why.
    No(String),
}

/// An offer to one provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// The job that comes of it.
    pub job: B256,
    /// Who may take it.
    pub to: Address,
    /// Price of a segment, in the token's smallest unit.
    pub price: u128,
    /// The last second in which it can be taken, once it is signed.
    #[serde(default)]
    pub until: Option<u64>,
    /// What the provider said.
    #[serde(default)]
    pub said: Option<Said>,
}

/// The offers of a job, in the order in which they are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offers {
    /// The nonce of all of them.
    pub nonce: B256,
    /// Whose turn it is.
    pub turn: usize,
    /// The offers.
    pub all: Vec<Offer>,
}

impl Offers {
    /// The offers to these providers, of the jobs with these ids.
    pub fn new(nonce: B256, candidates: &[Candidate], job: impl Fn(&Candidate) -> B256) -> Self {
        let offer = |candidate: &Candidate| Offer {
            job: job(candidate),
            to: candidate.owner,
            price: candidate.price,
            until: None,
            said: None,
        };
        Self { nonce, turn: 0, all: candidates.iter().take(MAX_OFFERS).map(offer).collect() }
    }

    /// The one whose turn it is.
    pub fn current(&self) -> Option<&Offer> {
        self.all.get(self.turn)
    }

    /// The place of the offer of a job.
    pub fn of(&self, job: B256) -> Option<usize> {
        self.all.iter().position(|offer| offer.job == job)
    }

    /// Changes the offer of a job.
    pub fn change(&mut self, job: B256, change: impl FnOnce(&mut Offer)) {
        if let Some(offer) = self.all.iter_mut().find(|offer| offer.job == job) {
            change(offer);
        }
    }

    /// Whose turn it is next, at `now`: if who has it refused, or its offer is over.
    pub fn next(&self, now: u64) -> Option<usize> {
        let gives_up = |offer: &Offer| matches!(offer.said, Some(Said::No(_))) || offer.is_over(now);
        let next = self.turn.checked_add(1)?;
        (self.current().is_some_and(gives_up) && next < self.all.len()).then_some(next)
    }

    /// Whether nobody can take the job any more: there is no other provider, and no offer that could be brought.
    pub fn are_over(&self, now: u64) -> bool {
        let signed = self.all.iter().filter(|offer| offer.until.is_some());
        let asked = self.all.last().is_none_or(|last| last.until.is_some() || last.said.is_some());
        asked && signed.into_iter().all(|offer| offer.is_over(now))
    }

    /// Whether one could be brought at `now`.
    pub fn are_out(&self, now: u64) -> bool {
        self.all.iter().any(|offer| offer.until.is_some_and(|until| until >= now))
    }

    /// Jobs other than `job` that may have come of an offer: the chain is asked about them.
    pub fn others(&self, job: B256, now: u64) -> Vec<B256> {
        if self.are_past(now) {
            return vec![];
        }
        self.all.iter().filter(|offer| offer.until.is_some() && offer.job != job).map(|offer| offer.job).collect()
    }

    /// Whether all of this is so long ago that no block that changes it is undone any more.
    pub fn are_past(&self, now: u64) -> bool {
        let last = self.all.iter().filter_map(|offer| offer.until).max();
        last.is_some_and(|last| now > last.saturating_add(WATCH_SECS))
    }

    /// The same for a node that is restored at `now`, in seconds since 1970: it makes no new offer, and watches all that the node before it
    /// may have made since the backup.
    pub fn restored(mut self, now: u64) -> Self {
        for offer in self.all.iter_mut().filter(|offer| offer.until.is_none()) {
            offer.until = Some(now.saturating_add(OFFER_SECS));
            offer.said = Some(Said::No("not offered: this node was restored from a backup".into()));
        }
        self
    }
}

impl Offer {
    /// Whether it cannot be brought any more.
    fn is_over(&self, now: u64) -> bool {
        self.until.is_some_and(|until| until < now)
    }

    /// The terms of the job that it is about, from those of another one of the same offers.
    pub fn terms(&self, terms: TrainingMarket::Terms) -> TrainingMarket::Terms {
        terms_for(terms, self.to, self.price)
    }
}

/// Terms at a price, for one provider alone: nobody else takes the job, also when that one hands it back.
pub fn terms_for(terms: TrainingMarket::Terms, to: Address, price: u128) -> TrainingMarket::Terms {
    TrainingMarket::Terms { providers: to.into_word(), ..at_price(terms, price) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers() -> Offers {
        let candidate = |byte| Candidate { owner: Address::repeat_byte(byte), price: byte.into(), jobs: 0, failed: 0 };
        Offers::new(B256::ZERO, &[candidate(1), candidate(2)], |candidate| B256::repeat_byte(candidate.price as u8))
    }

    #[test]
    fn the_next_one_comes_when_one_refuses_or_is_silent_and_the_end_when_nothing_can_be_brought() {
        let mut offers = offers();
        let (first, second) = (B256::repeat_byte(1), B256::repeat_byte(2));
        assert_eq!((offers.next(0), offers.are_over(99)), (None, false), "nobody was asked yet");
        offers.change(first, |offer| offer.until = Some(10));
        assert_eq!((offers.next(10), offers.next(11)), (None, Some(1)), "silent until it is over");
        assert!(offers.are_out(10) && !offers.are_out(11));
        assert!(!offers.are_over(11), "there is another one");
        offers.change(first, |offer| offer.said = Some(Said::Yes));
        assert_eq!((offers.next(10), offers.next(11)), (None, Some(1)), "who says yes has its time, and no more");
        offers.change(first, |offer| offer.said = Some(Said::No(String::new())));
        assert_eq!(offers.next(5), Some(1), "a no needs no waiting");
        offers.turn = 1;
        offers.change(second, |offer| offer.until = Some(20));
        assert_eq!((offers.next(21), offers.are_over(20), offers.are_over(21)), (None, false, true));
        assert_eq!(offers.others(second, 21), [first], "who said no may have taken it");
        assert!(offers.others(second, 21 + WATCH_SECS).is_empty() && offers.are_past(21 + WATCH_SECS), "bounded");
        offers.change(second, |offer| offer.said = Some(Said::No(String::new())));
        assert!(!offers.are_over(20), "what was refused can be brought until it is over");
    }

    #[test]
    fn a_restored_node_offers_nothing_new_and_watches_what_may_have_been_offered_since() {
        let (first, second) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let mut offers = offers();
        offers.change(first, |offer| offer.until = Some(10));
        let mut restored = offers.clone().restored(100);
        assert_eq!(restored.all[0], offers.all[0], "what was signed is as it was");
        assert_eq!((restored.all[1].job, restored.all[1].until), (second, Some(100 + OFFER_SECS)));
        assert_eq!(restored.others(first, 100), [second], "it may be taken");
        assert!(restored.are_out(100), "and can be made void");
        restored.turn = 1;
        assert!(matches!(restored.current(), Some(Offer { said: Some(Said::No(_)), .. })), "nothing is signed for it");
        assert!(restored.are_over(101 + OFFER_SECS) && restored.are_past(101 + OFFER_SECS + WATCH_SECS), "bounded");
        assert_eq!(restored.clone().restored(999), restored, "once more changes nothing");
    }

    #[test]
    fn no_more_are_asked_than_the_most() {
        let candidate = Candidate { owner: Address::ZERO, price: 1, jobs: 0, failed: 0 };
        assert_eq!(Offers::new(B256::ZERO, &[candidate; 20], |_| B256::ZERO).all.len(), MAX_OFFERS);
    }
}
