//! Terms that a requester starts from.

use super::TrainingMarket::{Batches, Committee, Licence, Paths, Price, Terms, Times, Training};
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
    let batch = price.saturating_mul(u128::from(deliver_every));
    Terms {
        training,
        price: Price {
            start: price,
            max: price,
            rampSecs: 0,
            bond: batch,
            handBackFee: batch / HAND_BACK_PART,
            challengeBond: price,
            complaintBond: 0,
        },
        times: TIMES,
        batches: Batches { deliverEvery: deliver_every, draws: deliver_every, ahead: AHEAD, tip: B256::ZERO },
        committee: Committee { members: vec![], threshold: 0, fee: 0, stake: 0 },
        providers: B256::ZERO,
        parent: B256::ZERO,
        rebased: false,
    }
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
