//! Whose addresses are tried out for them, and how often.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gradproof_chain::Address;

use crate::message::Reason;

/// How often the nodes of an account may have their addresses tried out: whoever sets up a router tries again after a minute.
const AGAIN: Duration = Duration::from_secs(60);
/// Nodes whose addresses are tried out at a time, with [`MAX_ADDRESSES`] connections each.
const MAX_AT_ONCE: usize = 4;
/// Accounts that are remembered within [`AGAIN`]. When they are as many, the next one waits.
const MAX_REMEMBERED: usize = 256;
/// Who had its addresses tried out when, and how many are being tried.
#[derive(Debug, Default)]
pub(super) struct Dials {
    last: BTreeMap<Address, Instant>,
    running: usize,
}

impl Dials {
    /// Begins to try out the addresses of an account's node.
    pub fn begin(&mut self, owner: Address, now: Instant) -> Result<(), Reason> {
        self.last.retain(|_, last| now.duration_since(*last) < AGAIN);
        if self.last.contains_key(&owner) {
            return Err(Reason::new(format!("an account may ask for this once in {} s", AGAIN.as_secs())));
        }
        if self.running >= MAX_AT_ONCE || self.last.len() >= MAX_REMEMBERED {
            return Err(Reason::new("others ask for this: ask again later"));
        }
        self.last.insert(owner, now);
        self.running += 1;
        Ok(())
    }

    /// Ends a try.
    pub fn end(&mut self) {
        self.running = self.running.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_its_addresses_tried_out_once_a_minute_and_few_at_a_time() {
        let (mut dials, now) = (Dials::default(), Instant::now());
        let owner = |number: usize| Address::left_padding_from(&number.to_be_bytes());
        assert!(dials.begin(owner(1), now).is_ok());
        assert!(dials.begin(owner(1), now + AGAIN / 2).is_err(), "too soon, with whichever node");
        assert!(dials.begin(owner(1), now + AGAIN).is_ok());
        let begun = (2..100).filter(|number| dials.begin(owner(*number), now + AGAIN).is_ok()).count();
        assert_eq!(begun, MAX_AT_ONCE - 2);
        for number in 100..1000 {
            dials.running = 0;
            let _ = dials.begin(owner(number), now + AGAIN);
        }
        assert_eq!(dials.last.len(), MAX_REMEMBERED);
    }
}
