//! What the owner of a job's data was paid: what the market credited to whom the register names.

use super::{State, TrainingMarket};

/// Fee and royalties of a job that were paid.
///
/// # Units
/// The token's smallest unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earned {
    /// The licence's fee, once the job has started.
    pub fee: u128,
    /// The royalty of the segments that were paid.
    pub royalty: u128,
}

impl Earned {
    /// What was paid by now in a job, as the market holds it.
    pub fn of(job: &TrainingMarket::Job) -> Self {
        if job.royaltyTo.is_zero() {
            return Self::default();
        }
        // A job that ends before its start is cancelled, and nothing else.
        let has_started = State::of(job.state).is_some_and(|state| state == State::Running || state > State::Cancelled);
        // A batch that is paid adds the price of each of its segments.
        let segments = job.paid.checked_div(job.price).unwrap_or_default();
        Self { fee: if has_started { job.licenceFee } else { 0 }, royalty: segments.saturating_mul(job.royalty) }
    }
}

#[cfg(test)]
mod tests {
    use alloy::sol_types::SolValue;

    use super::*;
    use crate::Address;

    /// Words of a job in the market's ABI, and more.
    const WORDS: usize = 64;

    fn job(state: State, paid: u128) -> TrainingMarket::Job {
        let zeros = TrainingMarket::Job::abi_decode(&[0; 32 * WORDS]).expect("zeros are a job");
        let (state, owner) = (state as u8, Address::repeat_byte(1));
        TrainingMarket::Job { state, royaltyTo: owner, licenceFee: 50, price: 100, royalty: 12, paid, ..zeros }
    }

    #[test]
    fn a_fee_is_paid_by_the_start_and_royalties_by_the_batch() {
        for state in [State::None, State::Open, State::Assigned, State::Cancelled] {
            assert_eq!(Earned::of(&job(state, 0)), Earned::default(), "{state:?}");
        }
        assert_eq!(Earned::of(&job(State::Running, 0)), Earned { fee: 50, royalty: 0 });
        for state in [State::Running, State::Completed, State::Stopped, State::Left, State::Slashed] {
            assert_eq!(Earned::of(&job(state, 300)), Earned { fee: 50, royalty: 36 }, "{state:?}");
        }
        let mut without = job(State::Completed, 300);
        without.royaltyTo = Address::ZERO;
        assert_eq!(Earned::of(&without), Earned::default(), "the data are no registered set");
    }
}
