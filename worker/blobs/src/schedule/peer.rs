//! What a schedule knows of a peer: how fast it is, how much is asked of it at once, and whether it keeps what it promises.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::ranges::RANGE_BYTES;

/// Most ranges that are asked of one peer at once: as many as of all together, since it may be the only one.
pub const MAX_WINDOW: usize = super::MAX_IN_FLIGHT;
/// Ranges that are asked of an unknown peer at once: one travels while the next request does.
const FIRST_WINDOW: usize = 2;
/// How long an unknown peer may take for a range: 100 KiB/s.
const FIRST_ALLOWANCE: Duration = Duration::from_secs(10);
/// The least that any peer may take for a range: a fast one may pause for a moment.
const MIN_ALLOWANCE: Duration = Duration::from_secs(3);
/// The most: slower than 17 KiB/s is as good as silent.
const MAX_ALLOWANCE: Duration = Duration::from_secs(60);
/// How many times longer than by its rate a peer may take.
const SLACK: u32 = 8;
/// Ranges that come at once say nothing about a rate.
const SHORTEST_MEASURE: Duration = Duration::from_millis(1);
/// How long a range is not asked of a peer that failed to give it: it may lack it, and get it soon.
const AVOIDED: Duration = Duration::from_secs(5);
/// The first rest of a peer that is silent or fails again and again; each further one is twice as long.
const FIRST_REST: Duration = Duration::from_secs(1);
/// The longest rest: a peer that was away for an hour is asked within a minute of its return.
const MAX_REST: Duration = Duration::from_secs(60);
/// Failures in a row after which a peer rests.
const FAILURES: u32 = 3;
/// The best standing.
pub(super) const MAX_STANDING: u32 = 16;
/// The standing of an unknown peer: half of the best.
const FIRST_STANDING: u32 = 8;

/// What a peer did for this blob.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conduct {
    /// Ranges that it gave.
    pub got: u64,
    /// Ranges that it gave and that were not the blob's.
    pub wrong: u64,
    /// Ranges that it refused, lacked, or failed to give.
    pub failed: u64,
    /// Times that it made no progress for as long as it was allowed.
    pub timed_out: u64,
    /// Measured bytes a second, zero before the first range.
    pub rate: u64,
    /// From 0, which is banned, to 16.
    pub standing: u32,
}

/// A peer that may be asked.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub conduct: Conduct,
    /// Ranges that it is asked for.
    pub in_flight: BTreeSet<u32>,
    /// Most ranges that it is asked for at once.
    window: usize,
    /// The highest rate that was measured with this window or a smaller one, in bytes a second.
    peak: u64,
    /// When it has made too little progress, while it is asked for something.
    deadline: Duration,
    /// Since when bytes are counted for the rate, and how many came.
    measured: (Duration, u64),
    /// It is asked nothing before.
    rest_until: Duration,
    /// Rests since it last gave a range.
    rests: u32,
    failures: u32,
    /// Ranges that are not asked of it before a moment. It lacks them, or failed.
    avoided: BTreeMap<u32, Duration>,
}

impl Peer {
    /// A peer that nothing is known of.
    pub fn new() -> Self {
        Self {
            conduct: Conduct { standing: FIRST_STANDING, ..Conduct::default() },
            in_flight: BTreeSet::new(),
            window: FIRST_WINDOW,
            peak: 0,
            deadline: Duration::ZERO,
            measured: (Duration::ZERO, 0),
            rest_until: Duration::ZERO,
            rests: 0,
            failures: 0,
            avoided: BTreeMap::new(),
        }
    }

    /// True if it may be asked for one more range.
    pub fn is_free(&self, now: Duration) -> bool {
        self.in_flight.len() < self.window && now >= self.rest_until
    }

    /// True if it may be asked for this range.
    pub fn may_have(&self, now: Duration, range: u32) -> bool {
        !self.in_flight.contains(&range) && self.avoided.get(&range).is_none_or(|until| now >= *until)
    }

    /// How long one range takes it, in microseconds, with its standing as a part of the rate. `unknown` is the rate of a peer without one.
    pub fn pace(&self, unknown: u64) -> u64 {
        let rate = if self.conduct.rate == 0 { unknown } else { self.conduct.rate };
        let trusted = rate.saturating_mul(self.conduct.standing.into()) / u64::from(MAX_STANDING);
        RANGE_BYTES.saturating_mul(1_000_000) / trusted.max(1)
    }

    /// Whoever asks it for a range says so here.
    pub fn asked(&mut self, now: Duration, range: u32) {
        if self.in_flight.is_empty() {
            self.deadline = now + self.allowance();
            self.measured = (now, 0);
        }
        self.in_flight.insert(range);
        self.avoided.remove(&range);
    }

    /// Some bytes of a range came. The time that it has grows by what they are of a range, so that a trickle does not hold one.
    pub fn progressed(&mut self, now: Duration, bytes: u64) {
        let allowance = self.allowance();
        let part = bytes.min(RANGE_BYTES) as u32;
        let longer = allowance.saturating_mul(part) / RANGE_BYTES as u32;
        self.deadline = (self.deadline + longer).min(now + allowance).max(self.deadline);
    }

    /// A range of `bytes` came and was right.
    pub fn gave(&mut self, now: Duration, range: u32, bytes: u64) {
        self.in_flight.remove(&range);
        self.conduct.got += 1;
        self.conduct.standing = (self.conduct.standing + 1).min(MAX_STANDING);
        (self.rests, self.failures, self.rest_until) = (0, 0, now);
        self.measured.1 += bytes;
        self.measure(now);
        self.deadline = now + self.allowance();
    }

    /// Takes a new rate whenever a window of ranges came, and opens the window as long as that makes the peer faster.
    fn measure(&mut self, now: Duration) {
        let (since, bytes) = self.measured;
        let elapsed = now.saturating_sub(since);
        let sample = u128::from(bytes) * 1_000_000 / elapsed.max(SHORTEST_MEASURE).as_micros();
        let sample = u64::try_from(sample).unwrap_or(u64::MAX).max(1);
        if self.conduct.rate == 0 {
            self.conduct.rate = sample;
        }
        let all = bytes >= RANGE_BYTES * self.window as u64 || self.in_flight.is_empty();
        if !all || elapsed < SHORTEST_MEASURE {
            return;
        }
        self.conduct.rate = (self.conduct.rate - self.conduct.rate / 4 + sample / 4).max(1);
        if sample > self.peak.saturating_add(self.peak / 10) {
            (self.peak, self.window) = (sample, (self.window + 1).min(MAX_WINDOW));
        } else if sample < self.peak / 2 {
            (self.peak, self.window) = (sample, (self.window - 1).max(1));
        }
        self.measured = (now, 0);
    }

    /// It lacks ranges.
    pub fn lacks(&mut self, now: Duration, ranges: &[u32]) {
        self.avoided.retain(|_, until| *until > now);
        for range in ranges {
            self.in_flight.remove(range);
            self.avoided.insert(*range, now + AVOIDED);
        }
    }

    /// It refuses a range, lacks it, or failed to give it.
    pub fn failed(&mut self, now: Duration, range: u32) {
        self.lacks(now, &[range]);
        self.conduct.failed += 1;
        self.conduct.standing = (self.conduct.standing - 1).max(1);
        self.failures += 1;
        if self.failures >= FAILURES {
            self.rest(now);
        }
    }

    /// It made too little progress. What it was asked for is asked of others; a late answer is welcome all the same.
    pub fn timed_out(&mut self, now: Duration) -> BTreeSet<u32> {
        self.conduct.timed_out += 1;
        self.conduct.standing = (self.conduct.standing / 2).max(1);
        let presumed = RANGE_BYTES / FIRST_ALLOWANCE.as_secs();
        self.conduct.rate = if self.conduct.rate == 0 { presumed } else { (self.conduct.rate / 2).max(1) };
        (self.window, self.peak) = (1, 0);
        self.rest(now);
        std::mem::take(&mut self.in_flight)
    }

    /// An answer came after its time: it is slow and not silent.
    pub fn woke(&mut self, now: Duration) {
        (self.rests, self.failures, self.rest_until) = (0, 0, self.rest_until.min(now));
    }

    fn rest(&mut self, now: Duration) {
        let rest = FIRST_REST.saturating_mul(1 << self.rests.min(6)).min(MAX_REST);
        (self.rest_until, self.rests, self.failures) = (now + rest, self.rests + 1, 0);
    }

    /// How long it may take for a range.
    fn allowance(&self) -> Duration {
        match self.conduct.rate {
            0 => FIRST_ALLOWANCE,
            rate => {
                let micros = RANGE_BYTES.saturating_mul(1_000_000) / rate;
                Duration::from_micros(micros).saturating_mul(SLACK).clamp(MIN_ALLOWANCE, MAX_ALLOWANCE)
            }
        }
    }

    /// When it is out of time, if it is asked for something.
    pub fn deadline(&self) -> Option<Duration> {
        (!self.in_flight.is_empty()).then_some(self.deadline)
    }

    /// The moments after `now` from which more may be asked of it.
    pub fn changes(&self, now: Duration) -> impl Iterator<Item = Duration> {
        self.avoided.values().copied().chain([self.rest_until]).filter(move |moment| *moment > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_time_for_a_range_follows_the_rate_within_bounds() {
        let mut peer = Peer::new();
        let allowed = |rate, peer: &mut Peer| {
            peer.conduct.rate = rate;
            peer.allowance()
        };
        assert_eq!(allowed(0, &mut peer), FIRST_ALLOWANCE);
        assert_eq!(allowed(RANGE_BYTES, &mut peer), 8 * SECOND);
        assert_eq!(allowed(1 << 30, &mut peer), MIN_ALLOWANCE);
        assert_eq!(allowed(1, &mut peer), MAX_ALLOWANCE);
        assert_eq!(allowed(u64::MAX, &mut peer), MIN_ALLOWANCE);
    }

    #[test]
    fn a_trickle_does_not_buy_time() {
        let mut peer = Peer::new();
        peer.asked(Duration::ZERO, 0);
        for second in 1..10 {
            peer.progressed(SECOND * second, 1);
        }
        assert!(peer.deadline().expect("asked") < FIRST_ALLOWANCE + Duration::from_millis(1));
        peer.progressed(SECOND * 9, RANGE_BYTES / 2);
        let deadline = peer.deadline().expect("asked");
        assert!(deadline >= SECOND * 15 && deadline < SECOND * 16, "{deadline:?}");
        peer.progressed(SECOND * 9, u64::MAX);
        assert_eq!(peer.deadline(), Some(SECOND * 19), "never more than for a whole range");
    }

    #[test]
    fn the_window_opens_while_that_makes_the_peer_faster() {
        let mut peer = Peer::new();
        let mut now = Duration::ZERO;
        let mut range = 0;
        // A long way: the rate is what is under way.
        for _ in 0..40 {
            let window = peer.window as u32;
            (0..window).for_each(|next| peer.asked(now, range + next));
            now += SECOND;
            (0..window).for_each(|next| peer.gave(now, range + next, RANGE_BYTES));
            range += window;
        }
        assert_eq!(peer.window, MAX_WINDOW);
        // A narrow one: it is always the same.
        let mut peer = Peer::new();
        for range in 0..40 {
            peer.asked(now, range);
            now += SECOND;
            peer.gave(now, range, RANGE_BYTES);
        }
        assert_eq!((peer.window, peer.conduct.rate >> 10), (FIRST_WINDOW + 1, 1024));
        // It becomes slow.
        for range in 40..44 {
            peer.asked(now, range);
            now += 4 * SECOND;
            peer.gave(now, range, RANGE_BYTES);
        }
        assert_eq!(peer.window, FIRST_WINDOW);
    }

    #[test]
    fn rests_grow_to_a_bound_and_end_with_a_range() {
        let mut peer = Peer::new();
        let mut now = Duration::ZERO;
        let mut rests = Vec::new();
        for _ in 0..9 {
            peer.asked(now, 0);
            peer.timed_out(now);
            rests.push((peer.rest_until - now).as_secs());
            now = peer.rest_until;
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!((peer.conduct.standing, peer.window), (1, 1));
        peer.asked(now, 0);
        peer.gave(now + SECOND, 0, RANGE_BYTES);
        assert!(peer.is_free(now + SECOND));
        peer.timed_out(now);
        assert_eq!((peer.rest_until - now), SECOND);
    }
}
