use std::time::{Duration, Instant};

/// A rate with a burst: a token bucket, kept as the time at which it is full again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rate {
    full: Option<Instant>,
}

impl Rate {
    /// Returns whether one may be spent now, and spends it.
    pub(crate) fn spend(&mut self, interval: Duration, burst: u32, now: Instant) -> bool {
        let full = self.full.map_or(now, |full| full.max(now)) + interval;
        let possible = full.duration_since(now) <= interval * burst;
        if possible {
            self.full = Some(full);
        }
        possible
    }

    /// Returns whether the rate has recovered: it is the same as a new one then.
    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        self.full.is_none_or(|full| full <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_spent_and_comes_back_one_at_a_time() {
        let (mut rate, now, second) = (Rate::default(), Instant::now(), Duration::from_secs(1));
        let mut spend = |after: u32| rate.spend(second, 3, now + second * after);
        assert!(spend(0) && spend(0) && spend(0) && !spend(0));
        assert!(spend(1) && !spend(1));
        assert!(spend(3) && spend(3) && !spend(3));
    }

    #[test]
    fn a_rate_is_fresh_when_all_of_it_has_come_back() {
        let (mut rate, now, second) = (Rate::default(), Instant::now(), Duration::from_secs(1));
        assert!(rate.is_fresh(now));
        assert!(rate.spend(second, 3, now) && rate.spend(second, 3, now));
        assert!(!rate.is_fresh(now + second) && rate.is_fresh(now + 2 * second));
    }
}
