//! When the chain is looked at: when a block is due, and soon after if it is late.

use std::collections::VecDeque;
use std::time::Duration;

use gradproof_chain::{Header, LOCAL_CHAIN, Sight};
use tokio::time::Instant;

/// Pause between two looks on the local chain, which makes blocks when it is asked to; and elsewhere while it is not known how often
/// there are blocks.
const LOOK_LOCAL: Duration = Duration::from_millis(500);
/// The same on another chain.
const LOOK: Duration = Duration::from_secs(2);
/// The least pause while a block is late: so much later than possible it is noticed. Each slot without a block makes it longer.
const LATE: Duration = Duration::from_secs(1);
/// The longest pause, on a chain that seems to make no blocks: a minute is the least that any time of the market is counted in.
const LONGEST: Duration = Duration::from_secs(30);
/// Slots without a block after which there is one look a slot.
const MISSED: u32 = 30;
/// So much earlier than after the last one a block is looked for: looks that come late would do so for ever.
const EARLY: Duration = Duration::from_millis(250);
/// Gaps between blocks that are remembered, of which the middle one counts: slots without a block do not matter then.
const GAPS: usize = 15;
/// Gaps that must be known.
const LEAST_GAPS: usize = 3;

/// How often there are blocks, and when the newest was seen.
#[derive(Debug)]
pub(super) struct Pace {
    is_local: bool,
    gaps: VecDeque<Duration>,
    newest: Option<(Header, Instant)>,
}

impl Pace {
    /// Of the chain with this id.
    pub fn of(chain: u64) -> Self {
        Self { is_local: chain == LOCAL_CHAIN, gaps: VecDeque::new(), newest: None }
    }

    /// When to look again after a look at `now`; `sight` is what was seen, if the endpoints answered.
    pub fn next(&mut self, now: Instant, sight: Option<&Sight>) -> Instant {
        self.see(now, sight.map(|sight| sight.common.agreed().unwrap_or_else(|| sight.common.latest())))
    }

    fn see(&mut self, now: Instant, head: Option<Header>) -> Instant {
        if let Some(head) = head.filter(|head| self.newest.is_none_or(|(newest, _)| newest.hash != head.hash)) {
            let blocks =
                self.newest.and_then(|(newest, _)| head.number.checked_sub(newest.number).filter(|blocks| *blocks > 0));
            let secs = self.newest.and_then(|(newest, _)| head.time.checked_sub(newest.time));
            if let Some((blocks, secs)) = blocks.zip(secs) {
                self.gaps.push_back(Duration::from_secs(secs) / u32::try_from(blocks).unwrap_or(u32::MAX));
                self.gaps.drain(..self.gaps.len().saturating_sub(GAPS));
            }
            self.newest = Some((head, now));
        }
        if self.is_local {
            return now + LOOK_LOCAL;
        }
        let Some((gap, (_, seen))) = self.gap().zip(self.newest).filter(|_| head.is_some()) else { return now + LOOK };
        let gap = gap.clamp(LATE, LONGEST);
        let due = seen + (gap - EARLY);
        let Some(late) = now.checked_duration_since(due) else { return due };
        // Where blocks have slots, and some of these have none, the next one may be in the next slot.
        let missed = u32::try_from(late.as_nanos() / gap.as_nanos()).unwrap_or(u32::MAX);
        let pause = (LATE * missed.clamp(1, MISSED)).max((late - gap * missed) / 2);
        (now + pause).min(due + gap * missed.saturating_add(1)).max(now + EARLY)
    }

    /// What is usual between two blocks.
    fn gap(&self) -> Option<Duration> {
        let mut gaps: Vec<Duration> = self.gaps.iter().copied().collect();
        gaps.sort_unstable();
        gaps.get(gaps.len() / 2).copied().filter(|_| gaps.len() >= LEAST_GAPS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds.
    type Ms = u64;

    /// A chain with a block a slot, but for some; and what an endpoint sees of it.
    struct Chain {
        slot: Ms,
        /// The longest that a block takes to the endpoint.
        spread: Ms,
        /// Of so many slots one has no block.
        skips: u64,
    }

    impl Chain {
        /// When the blocks are at the endpoint, and their times in seconds.
        fn blocks(&self, slots: u64) -> Vec<(Ms, u64)> {
            let made = (1..=slots).filter(|slot| !slot.is_multiple_of(self.skips));
            made.map(|slot| (slot * self.slot + slot * 7919 % (self.spread + 1), slot * self.slot / 1000)).collect()
        }

        /// Looks in `slots` slots for each block, and the longest time until a block was seen, in milliseconds.
        fn watched(&self, slots: u64) -> (f64, Ms) {
            let (blocks, start) = (self.blocks(slots), Instant::now());
            let mut pace = Pace::of(1);
            let (mut now, mut looks, mut seen, mut longest) = (0, 0, 0, 0);
            while seen < blocks.len() {
                looks += 1;
                let there = blocks.iter().take_while(|(at, _)| *at <= now).count();
                // Until the pace is known, the pause is another one.
                if seen > LEAST_GAPS && there > seen {
                    longest = longest.max(now - blocks[seen].0);
                }
                seen = there;
                let head = seen.checked_sub(1).map(|number| Header {
                    number: number as u64,
                    hash: gradproof_chain::U256::from(seen).into(),
                    parent: Default::default(),
                    time: blocks[number].1,
                    base: 0,
                });
                now = (pace.see(start + Duration::from_millis(now), head) - start).as_millis() as Ms;
            }
            (f64::from(looks) / blocks.len() as f64, longest)
        }
    }

    #[test]
    fn blocks_are_seen_in_time_with_less_than_two_looks_each() {
        for (slot, spread) in [(12_000, 1500), (12_000, 0), (12_000, 4000), (6_000, 500), (2_000, 300)] {
            let chain = Chain { slot, spread, skips: 37 };
            let (looks, longest) = chain.watched(1000);
            println!("{slot} ms: {looks:.2} looks a block, at most {longest} ms late");
            assert!(looks <= 2.0, "{slot} ms: {looks} looks a block");
            assert!(longest <= 2000, "{slot} ms: {longest} ms late");
        }
    }

    #[test]
    fn fast_chains_are_not_asked_for_each_block_and_dead_ones_less_and_less() {
        let (looks, _) = Chain { slot: 250, spread: 0, skips: 1000 }.watched(1000);
        assert!(looks < 0.4, "{looks}");
        let (start, mut pace) = (Instant::now(), Pace::of(1));
        let header = |number| Header {
            number,
            hash: gradproof_chain::U256::from(number).into(),
            parent: Default::default(),
            time: 12 * number,
            base: 0,
        };
        let mut now = start;
        for number in 0..5 {
            now = pace.see(now, Some(header(number)));
        }
        let begin = now;
        let mut looks = 0;
        while now < begin + Duration::from_secs(3600) {
            now = pace.see(now, Some(header(4)));
            looks += 1;
        }
        assert!(looks <= 3600 / 12 + 40, "{looks} looks in an hour without blocks");
        // Nobody answers: it is tried again after the usual pause.
        assert_eq!(pace.see(now, None), now + LOOK);
        let mut local = Pace::of(LOCAL_CHAIN);
        for number in 0..9 {
            assert_eq!(local.see(now, Some(header(number))), now + LOOK_LOCAL);
        }
    }
}
