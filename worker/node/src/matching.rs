//! Which provider a requester asks, of those that quote a price.

use gradproof_chain::market::TrainingMarket;
use gradproof_chain::{Address, B256, SolValue};
use gradproof_verifier::protocol::keccak::keccak256;

/// Seconds for which a quote is a promise: long enough to compare some, and to post.
pub const QUOTE_SECS: u64 = 120;

/// What a quote is about: keccak256 of the requester and the terms.
///
/// Terms without what a quote decides: the prices, and the bond and fees that follow from them.
pub fn terms_digest(requester: Address, terms: &TrainingMarket::Terms) -> B256 {
    let mut terms = terms.clone();
    terms.price = TrainingMarket::Price {
        start: 0,
        max: 0,
        rampSecs: 0,
        bond: 0,
        handBackFee: 0,
        challengeBond: 0,
        complaintBond: 0,
    };
    terms.providers = B256::ZERO;
    keccak256(&[b"gradproof terms", requester.as_slice(), &terms.abi_encode()]).into()
}

/// What a provider signs of a quote.
pub fn quote_digest(chain: u64, market: Address, owner: Address, of: B256, price: u128, expires: u64) -> B256 {
    let numbers = [&chain.to_be_bytes()[..], &price.to_be_bytes(), &expires.to_be_bytes()].concat();
    keccak256(&[b"gradproof quote", market.as_slice(), owner.as_slice(), of.as_slice(), &numbers]).into()
}

/// A provider that quoted a price, and how its jobs ended for counterparties that somebody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The provider.
    pub owner: Address,
    /// Its price of a segment.
    pub price: u128,
    /// Jobs that ended.
    pub jobs: u64,
    /// Of these, those that failed.
    pub failed: u64,
}

impl Candidate {
    /// What a segment costs that is delivered: the price over the chance that it is, which is (jobs − failed + 1) ÷ (jobs + 2) where
    /// nothing else is known (Laplace's rule of succession). As a fraction: numerator and denominator.
    fn cost(&self) -> (u128, u128) {
        let failed = self.failed.min(self.jobs);
        let (all, well) = (u128::from(self.jobs) + 2, u128::from(self.jobs - failed) + 1);
        (self.price.saturating_mul(all), well)
    }
}

/// Puts the candidate first whose delivered segment is cheapest, then the next one; by price alone where nobody has a history. Of equals
/// the first by address.
pub fn rank(candidates: &mut [Candidate]) {
    candidates.sort_by(|a, b| {
        let ((a_all, a_well), (b_all, b_well)) = (a.cost(), b.cost());
        a_all.saturating_mul(b_well).cmp(&b_all.saturating_mul(a_well)).then(a.owner.cmp(&b.owner))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(byte: u8, price: u128, jobs: u64, failed: u64) -> Candidate {
        Candidate { owner: Address::repeat_byte(byte), price, jobs, failed }
    }

    fn best(candidates: &[Candidate]) -> Option<Candidate> {
        let mut ranked = candidates.to_vec();
        rank(&mut ranked);
        ranked.first().copied()
    }

    #[test]
    fn the_cheapest_delivered_segment_is_best() {
        assert_eq!(best(&[]), None);
        let without = [candidate(2, 100, 0, 0), candidate(1, 90, 0, 0), candidate(3, 90, 0, 0)];
        assert_eq!(best(&without), Some(without[1]), "by price alone, and then by address");
        let mut ranked = without;
        rank(&mut ranked);
        assert_eq!(ranked, [without[1], without[2], without[0]]);
        // 100 ÷ (11 / 12) against 90 ÷ (1 / 2).
        let known = [candidate(1, 90, 0, 0), candidate(2, 100, 10, 0)];
        assert_eq!(best(&known), Some(known[1]));
        let failed = [candidate(1, 100, 10, 9), candidate(2, 190, 0, 0)];
        assert_eq!(best(&failed), Some(failed[1]));
        // 100 ÷ (1 / 3) against 250 ÷ (1 / 2): all of one job failed, and no more than that.
        let absurd = [candidate(1, 100, 1, 9), candidate(2, 250, 0, 0)];
        assert_eq!(best(&absurd), Some(absurd[0]), "more failures than jobs");
    }
}
