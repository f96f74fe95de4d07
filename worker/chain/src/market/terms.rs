//! Terms that a requester starts from.

use super::TrainingMarket::{Batches, Committee, Licence, Paths, Permit, Price, Terms, Times, Training};
use crate::{B256, U256};

/// Batches that may be closed and not paid.
const AHEAD: u8 = 8;
/// Parts of a batch's price of which not starting, or a stop, costs one.
const HAND_BACK_PART: u128 = 100;
const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;

/// Durations with which an honest provider at home survives an outage of a day without a loss.
///
/// # Units
/// Seconds.
pub const TIMES: Times = Times {
    openSecs: 24 * HOUR,
    reopenSecs: 30 * MINUTE,
    startSecs: 24 * HOUR,
    batchSecs: 72 * HOUR,
    closeSecs: 12 * HOUR,
    revealSecs: 4 * HOUR,
    proveSecs: 36 * HOUR,
    eachSecs: 10 * MINUTE,
    windowSecs: 24 * HOUR,
    complainSecs: 48 * HOUR,
    decideSecs: 72 * HOUR,
};

/// Terms at a fixed price a segment, in which every segment of a batch of `deliver_every` is proven: anyone may train, nobody decides
/// complaints. The bond is the price of a batch; that of a challenge or a take is no less than a proof costs, and here a segment's
/// price. The market refuses more than 60 batches of 72 hours.
///
/// # Units
/// `price` in the smallest unit of the token.
pub fn terms(training: Training, price: u128, deliver_every: u8) -> Terms {
    let none = Price { start: 0, max: 0, rampSecs: 0, bond: 0, handBackFee: 0, challengeBond: 0, complaintBond: 0 };
    let terms = Terms {
        training,
        price: none,
        times: TIMES,
        batches: Batches { deliverEvery: deliver_every, draws: deliver_every, ahead: AHEAD, tip: B256::ZERO },
        committee: Committee { members: vec![], threshold: 0, fee: 0, stake: 0 },
        providers: B256::ZERO,
        parent: B256::ZERO,
        rebased: false,
    };
    at_price(terms, price)
}

/// The same terms at another fixed price a segment, with the fee that follows from it. Bonds do not fall: who names a low price would choose
/// what it loses.
///
/// # Units
/// `price` in the smallest unit of the token.
pub fn at_price(mut terms: Terms, price: u128) -> Terms {
    let batch = price.saturating_mul(u128::from(terms.batches.deliverEvery));
    terms.price = Price {
        start: price,
        max: price,
        rampSecs: 0,
        bond: terms.price.bond.max(batch),
        handBackFee: batch / HAND_BACK_PART,
        challengeBond: terms.price.challengeBond.max(price),
        // What the committee is paid does not follow from the price.
        complaintBond: terms.price.complaintBond,
    };
    terms
}

/// No permit of the token: an allowance is there.
pub fn no_permit() -> Permit {
    Permit { value: U256::ZERO, deadline: U256::ZERO, v: 0, r: B256::ZERO, s: B256::ZERO }
}

/// The licence of a job whose data are not registered.
pub fn no_licence() -> Licence {
    Licence {
        providers: B256::ZERO,
        fee: 0,
        minRoyalty: 0,
        mostSegments: 0,
        terms: B256::ZERO,
        nonce: U256::ZERO,
        expiry: U256::ZERO,
        signature: Default::default(),
    }
}

/// The paths of an account where anyone may train.
pub fn no_paths() -> Paths {
    Paths { terms: vec![], licence: vec![] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, U256};

    #[test]
    fn who_names_a_low_price_does_not_choose_what_it_loses() {
        let training = Training {
            verifier: Address::ZERO,
            verifierCode: B256::ZERO,
            halo2: Address::ZERO,
            halo2Code: B256::ZERO,
            graph: B256::ZERO,
            subject: B256::ZERO,
            order: B256::ZERO,
            chained: true,
            dataRoot: B256::ZERO,
            rows: 1,
            segments: 8,
            first: B256::ZERO,
            rates: vec![U256::from(1).to()],
            dataset: B256::ZERO,
            royaltyBps: 0,
        };
        let asked = terms(training, 800, 4);
        let quoted = at_price(asked.clone(), 8);
        assert_eq!((quoted.price.start, quoted.price.max), (8, 8));
        assert_eq!((quoted.price.bond, quoted.price.challengeBond), (asked.price.bond, asked.price.challengeBond));
        assert!(quoted.price.handBackFee < asked.price.handBackFee, "the market bounds it by the price");
        assert_eq!(at_price(quoted, 1600).price.bond, 6400, "they rise with it");
    }
}
