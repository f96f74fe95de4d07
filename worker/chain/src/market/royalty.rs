//! What of a segment's price is the data owner's.

/// A whole price, in hundredths of a percent.
const WHOLE_BPS: u128 = 10_000;
/// Largest rate of a registered set, in hundredths of a percent: a half.
pub const MAX_ROYALTY_BPS: u16 = 5000;

/// What one percent is of what the register counts in.
pub const BPS_A_PERCENT: u16 = 100;

/// A rate of the register, in percent.
pub fn royalty_percent(bps: u16) -> f64 {
    f64::from(bps) / f64::from(BPS_A_PERCENT)
}

/// The royalty of a segment at a price: `bps` of it, rounded up, and `least` at least.
///
/// # Units
/// Prices in the token's smallest unit, `bps` in hundredths of a percent.
pub fn royalty(price: u128, bps: u16, least: u128) -> u128 {
    price.saturating_mul(u128::from(bps)).div_ceil(WHOLE_BPS).max(least)
}

/// The least price of a segment of which `net` is left without the royalty.
///
/// `p - ⌈p·b / w⌉ ≥ n` says the same as `p·(w - b) ≥ n·w`, and `p - least ≥ n` must hold as well.
///
/// # Units
/// As those of [`royalty`].
pub fn price_for(net: u128, bps: u16, least: u128) -> u128 {
    let Some(rest) = WHOLE_BPS.checked_sub(u128::from(bps)).filter(|rest| *rest > 0) else { return u128::MAX };
    let by_rate = net.checked_mul(WHOLE_BPS).map_or(u128::MAX, |scaled| scaled.div_ceil(rest));
    by_rate.max(net.saturating_add(least))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Amounts are below this, as the market has them.
    const AMOUNT: u128 = 1 << 100;

    proptest! {
        #[test]
        fn a_price_leaves_what_was_asked_for_and_one_less_does_not(
            net in 1..AMOUNT, bps in 0..=MAX_ROYALTY_BPS, least in 0..AMOUNT,
        ) {
            let price = price_for(net, bps, least);
            let left = |price: u128| price.saturating_sub(royalty(price, bps, least));
            prop_assert!(left(price) >= net && left(price - 1) < net);
        }
    }

    #[test]
    fn a_royalty_is_rounded_up_and_has_a_least() {
        assert_eq!((royalty(101, 5000, 0), royalty(100, 1, 0), royalty(100, 100, 7)), (51, 1, 7));
        assert!((royalty_percent(1250) - 12.5).abs() < f64::EPSILON);
        assert_eq!((price_for(100, 0, 0), price_for(100, 5000, 0), price_for(100, 5000, 150)), (100, 200, 250));
        assert_eq!((price_for(1, 10_000, 0), price_for(u128::MAX, 1, 0)), (u128::MAX, u128::MAX), "no price does");
    }
}
