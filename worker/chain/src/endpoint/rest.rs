//! Endpoints that are slow, and when they are waited for again.

use std::time::Duration;

use tokio::time::Instant;

/// How long an endpoint that was slow twice in a row is not waited for. It doubles each time.
const REST: Duration = Duration::from_secs(5);
/// The longest rest: where two are named nothing is spent meanwhile, and the shortest time of the market is ten minutes.
const MAX_REST: Duration = Duration::from_secs(60);
/// Times in a row after which an endpoint is said to be slow: once is chance.
const SAID: u32 = 2;

/// How slow an endpoint was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slow {
    /// Enough others had answered when it had not. It is asked where these do not agree.
    Outrun,
    /// It was waited for, in vain. It is not asked.
    Late,
}

/// How an endpoint kept up, look for look.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Looks in a row in which it was slow.
    times: u32,
    /// How slow it was in this look, or since it rests.
    slow: Option<Slow>,
    until: Option<Instant>,
    /// Whether it answered a question in time since it was asked again.
    answered: bool,
}

impl Rest {
    /// A new look begins: who has rested is asked again, and who was asked and always in time is slow no more.
    pub fn look(&mut self, now: Instant) {
        if self.slow.is_none() && self.answered {
            *self = Self::default();
        }
        if self.until.is_none_or(|until| until <= now) {
            (self.slow, self.answered) = (None, false);
        }
    }

    /// It was slow. Of several questions of one look it counts once.
    pub fn was(&mut self, slow: Slow, now: Instant) {
        match self.slow {
            None => {
                // At first until the next look.
                let doubled = self.times.checked_sub(1).map(|times| REST * (1 << times.min(u32::BITS / 2)));
                self.until = Some(now + doubled.unwrap_or_default().min(MAX_REST));
                self.times = self.times.saturating_add(1);
                self.slow = Some(slow);
            }
            Some(Slow::Outrun) => self.slow = Some(slow),
            Some(Slow::Late) => (),
        }
    }

    /// It answered in time.
    pub fn was_in_time(&mut self) {
        self.answered = true;
    }

    /// How slow it was, while it is not waited for.
    pub fn slow(&self) -> Option<Slow> {
        self.slow
    }

    /// Whether it is slow not just by chance.
    pub fn is_slow(&self) -> bool {
        self.times >= SAID
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_slow_is_asked_at_the_next_look_and_then_less_and_less_often() {
        let (start, mut rest) = (Instant::now(), Rest::default());
        let at = |secs| start + Duration::from_secs(secs);
        rest.look(at(0));
        assert_eq!((rest.slow(), rest.is_slow()), (None, false));
        let (mut asked, mut said) = (vec![], vec![]);
        for second in 0..300 {
            rest.look(at(second));
            if rest.slow().is_none() {
                asked.push(second);
                // Of both questions of a look the graver counts, and the two count once.
                rest.was(Slow::Outrun, at(second));
                rest.was(Slow::Late, at(second));
                rest.was(Slow::Outrun, at(second));
            }
            assert_eq!(rest.slow(), Some(Slow::Late));
            said.push(rest.is_slow());
        }
        assert_eq!(asked, [0, 1, 6, 16, 36, 76, 136, 196, 256], "a minute at most");
        assert_eq!(said.iter().position(|said| *said), Some(1));
    }

    #[test]
    fn who_answers_all_of_a_look_in_time_is_slow_no_more_and_who_answers_a_part_still_is() {
        let (start, mut rest) = (Instant::now(), Rest::default());
        let at = |secs| start + Duration::from_secs(secs);
        for second in [0, 1] {
            rest.look(at(second));
            rest.was(Slow::Late, at(second));
        }
        rest.look(at(6));
        rest.was_in_time();
        rest.was(Slow::Outrun, at(6));
        assert!(rest.is_slow());
        rest.look(at(16));
        assert!(rest.slow().is_none() && rest.is_slow(), "nothing was answered");
        rest.was_in_time();
        rest.look(at(17));
        assert!(!rest.is_slow());
        rest.was(Slow::Late, at(17));
        rest.look(at(17));
        assert!(rest.slow().is_none(), "it begins anew");
    }
}
