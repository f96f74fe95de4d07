//! What a transaction offers for gas, and when it offers more (EIP-1559).

use super::{Policy, Price, Record};
use crate::market::When;
use crate::{Fees, Moment};

/// Nodes take another transaction for the same nonce only if it offers more by this part.
const RAISE_PART: u128 = 8;
/// Base fees that are offered at first: so much it is after six full blocks, each an eighth dearer.
const BASE_FEES: u128 = 2;
/// After how long without a deadline, or after it, more is offered.
const PATIENCE_SECS: u64 = 600;
/// The same, where the deadline is a block.
const PATIENCE_BLOCKS: u64 = 50;

/// What is offered at first: the least that an endpoint asks for, since the other may be a liar.
pub(super) fn first(fees: &[Fees], policy: &Policy) -> Option<Price> {
    let base = fees.iter().map(|fees| fees.base).min()?;
    let tip = fees.iter().map(|fees| fees.tip).min()?.min(policy.max_tip);
    let max_fee = base.saturating_mul(BASE_FEES).saturating_add(tip).min(policy.max_fee);
    Some(Price { max_fee, tip: tip.min(max_fee) })
}

/// What the endpoints ask for when a transaction has been offered `attempts` times: at the first raise what as many ask for as must
/// agree, and afterwards the most that one does. A liar that asks for much is believed only if nothing else has helped.
pub(super) fn asked(fees: &[Fees], attempts: usize, needed: usize) -> Fees {
    let most = |of: fn(&Fees) -> u128| {
        let mut all: Vec<u128> = fees.iter().map(of).collect();
        all.sort_unstable_by_key(|fee| u128::MAX - fee);
        let place = if attempts > 1 { 0 } else { needed.min(all.len()).saturating_sub(1) };
        all.get(place).copied().unwrap_or(0)
    };
    Fees { base: most(|fees| fees.base), tip: most(|fees| fees.tip) }
}

/// What is offered next: an eighth more of both, or what is asked for if that is more; `None` if it would be too much.
pub(super) fn raised(before: Price, asked: Fees, policy: &Policy) -> Option<Price> {
    let (max_fee, tip) = (more(before.max_fee), more(before.tip));
    if max_fee > policy.max_fee || tip > policy.max_tip || tip > policy.max_fee {
        return None;
    }
    let tip = tip.max(asked.tip.min(policy.max_tip)).min(policy.max_fee);
    let asked = asked.base.saturating_mul(BASE_FEES).saturating_add(tip).min(policy.max_fee);
    Some(Price { max_fee: max_fee.max(asked).max(tip), tip })
}

/// Whether nodes take a transaction instead of another for the same nonce.
pub(super) fn replaces(price: Price, before: Price) -> bool {
    price.max_fee >= more(before.max_fee) && price.tip >= more(before.tip)
}

/// An eighth more, and one at least.
fn more(amount: u128) -> u128 {
    amount.saturating_add(amount.div_ceil(RAISE_PART).max(1))
}

/// Whether `record` is to offer more: since its fee was set, a third or two of its time have passed, or of the time of one that waits
/// behind it.
pub(super) fn is_due(record: &Record, records: &[Record], now: Moment) -> bool {
    let behind = records.iter().filter(|other| other.is_pending() && other.nonce >= record.nonce);
    // A fee that was set later than now was set by a liar's time.
    let after =
        if record.priced.time > now.time || record.priced.block > now.block { record.since } else { record.priced };
    behind.into_iter().any(|other| has_passed(other.since, other.intent.until, after, now))
}

/// Whether one of the moments at which more is offered lies after `after`, and not after `now`.
fn has_passed(since: Moment, until: Option<When>, after: Moment, now: Moment) -> bool {
    let (start, end, after, now, patience) = match until {
        Some(When::Time(time)) => (since.time, time, after.time, now.time, PATIENCE_SECS),
        Some(When::Block(block)) => (since.block, block, after.block, now.block, PATIENCE_BLOCKS),
        None => (since.time, since.time.saturating_add(PATIENCE_SECS), after.time, now.time, PATIENCE_SECS),
    };
    let within = |moment: u64| after < moment && moment <= now;
    let third = end.saturating_sub(start) / 3;
    let thirds = until.is_some() && third > 0 && (within(start + third) || within(start + 2 * third));
    let end = end.max(start);
    let late = now.checked_sub(end).is_some_and(|over| within(now - over % patience));
    thirds || late
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: Policy = Policy { confirmations: 1, max_fee: 1000, max_tip: 100, max_gas: 1 };

    fn at(time: u64) -> Moment {
        Moment { time, block: time / 10 }
    }

    #[test]
    fn the_first_price_is_the_least_and_the_most_is_asked_for_last() {
        let fees = [Fees { base: 10, tip: 90 }, Fees { base: 20, tip: 3 }];
        assert_eq!(first(&fees, &POLICY), Some(Price { max_fee: 23, tip: 3 }));
        assert_eq!(asked(&fees, 1, 2), Fees { base: 10, tip: 3 }, "a liar alone raises nothing");
        assert_eq!(asked(&fees, 2, 2), Fees { base: 20, tip: 90 }, "it did not help: the other may be the liar");
        let third = [fees[0], fees[1], Fees { base: 20, tip: 4 }];
        assert_eq!(asked(&third, 1, 2), Fees { base: 20, tip: 4 });
        assert_eq!(asked(&fees[..1], 1, 2), fees[0], "who is alone is believed");
        assert_eq!(asked(&[], 1, 2), Fees { base: 0, tip: 0 });
        assert_eq!(first(&[Fees { base: 900, tip: 500 }], &POLICY), Some(Price { max_fee: 1000, tip: 100 }));
        assert_eq!(first(&[], &POLICY), None);
    }

    proptest! {
        #[test]
        fn a_raise_is_taken_by_nodes_and_never_above_the_maximum(
            max_fee in 0u128..1200, tip in 0u128..1200, base: u128, asked: u128,
        ) {
            let before = Price { max_fee, tip: tip.min(max_fee) };
            if let Some(after) = raised(before, Fees { base, tip: asked }, &POLICY) {
                prop_assert!(replaces(after, before));
                prop_assert!(after.max_fee * 8 >= before.max_fee * 9 && after.max_fee > before.max_fee);
                prop_assert!(after.tip * 8 >= before.tip * 9 && after.tip > before.tip);
                prop_assert!(after.max_fee <= POLICY.max_fee && after.tip <= POLICY.max_tip && after.tip <= after.max_fee);
            } else {
                prop_assert!(max_fee.div_ceil(8) + max_fee + 1 > POLICY.max_fee || before.tip * 9 / 8 + 1 >= POLICY.max_tip);
            }
        }
    }

    #[test]
    fn more_is_offered_after_a_third_and_after_two_and_then_now_and_then() {
        let until = Some(When::Time(3000));
        let passed = |after, now| has_passed(at(0), until, at(after), at(now));
        assert!(!passed(0, 999));
        assert!(passed(0, 1000) && passed(999, 5000));
        assert!(!passed(1000, 1999), "once for each");
        assert!(passed(1000, 2000));
        assert!(!passed(2000, 2999));
        assert!(passed(2000, 3000), "it is too late, and others wait behind it");
        assert!(!passed(3000, 3599) && passed(3000, 3600) && !passed(3600, 4199) && passed(3600, 4200));
        let block = |after, now| has_passed(at(0), Some(When::Block(30)), at(after), at(now));
        assert!(!block(0, 99) && block(0, 100) && !block(100, 199) && block(100, 200));
        let never = |after, now| has_passed(at(0), None, at(after), at(now));
        assert!(!never(0, 599) && never(0, 600) && !never(600, 1199) && never(600, 1200));
        assert!(has_passed(at(9000), until, at(0), at(9000)), "a deadline that was over from the start");
    }

    #[test]
    fn a_time_that_a_liar_told_does_not_keep_a_fee_from_being_raised() {
        let intent = super::super::Intent {
            id: "prove".into(),
            to: Default::default(),
            input: Default::default(),
            value: Default::default(),
            until: Some(When::Time(3000)),
        };
        let attempt = super::super::Attempt {
            hash: Default::default(),
            raw: Default::default(),
            price: Price { max_fee: 1, tip: 1 },
        };
        let mut record = super::super::new(intent, false, 0, 1, attempt, at(0));
        record.priced = at(1_000_000);
        assert!(!is_due(&record, std::slice::from_ref(&record), at(999)), "nothing has passed");
        assert!(is_due(&record, std::slice::from_ref(&record), at(1500)));
        record.priced = at(1200);
        assert!(!is_due(&record, std::slice::from_ref(&record), at(1500)), "it is raised already");
    }
}
