//! Quotes that were given, which are promises for a short time.

use std::collections::BTreeMap;

use gradproof_chain::Address;

use crate::promised::Needs;

/// Most quotes that are promises at a time.
const MAX_QUOTES: usize = 256;
/// After a quote that came to nothing, for how long no other one of the same requester keeps a place, in seconds.
const QUOTES_AGAIN_SECS: u64 = 3600;

/// Quotes that are promises, or were: of each requester the first, until when, and what its job needs.
#[derive(Debug, Default)]
pub(super) struct Quotes(BTreeMap<Address, (u64, Needs)>);

impl Quotes {
    /// A quote was given to a requester; the one before it is none any more.
    ///
    /// A quote that came to nothing is followed by none that keeps a place, for an hour ([`QUOTES_AGAIN_SECS`]): asking costs nothing, and
    /// a place is what others would have.
    pub fn promise(&mut self, requester: Address, expires: u64, needs: Needs) {
        if self.0.len() < MAX_QUOTES {
            self.0.entry(requester).or_insert((expires, needs));
        }
    }

    /// The quote that a requester was given became another promise.
    pub fn fulfil(&mut self, requester: Address) {
        self.0.remove(&requester);
    }

    /// What quotes need that are promises at `now`, in seconds since 1970, to others than `requester`.
    pub fn others(&mut self, now: u64, requester: Address) -> Vec<Needs> {
        self.0.retain(|_, (expires, _)| expires.saturating_add(QUOTES_AGAIN_SECS) >= now);
        let others = self.0.iter().filter(|(who, (expires, _))| **who != requester && *expires >= now);
        others.map(|(_, (_, needs))| *needs).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Address = Address::repeat_byte(1);
    const OTHER: Address = Address::repeat_byte(2);

    fn needs(ms: u64) -> Needs {
        Needs { ms, ..Needs::default() }
    }

    #[test]
    fn of_a_requester_that_takes_nothing_one_quote_an_hour_keeps_a_place() {
        let mut quotes = Quotes::default();
        quotes.promise(ONE, 100, needs(7));
        assert_eq!((quotes.others(100, OTHER), quotes.others(100, ONE)), (vec![needs(7)], vec![]));
        assert_eq!(quotes.others(101, OTHER), [], "it is over");
        for now in [50, 101, 100 + QUOTES_AGAIN_SECS] {
            quotes.others(now, OTHER);
            quotes.promise(ONE, now + 120, needs(8));
            assert!(!quotes.others(now.max(101), OTHER).contains(&needs(8)), "at {now}: it had one");
        }
        let later = 101 + QUOTES_AGAIN_SECS;
        assert_eq!(quotes.others(later, OTHER), []);
        quotes.promise(ONE, later + 120, needs(9));
        assert_eq!(quotes.others(later, OTHER), [needs(9)], "an hour later it has another");
        quotes.fulfil(ONE);
        quotes.promise(ONE, later + 120, needs(10));
        assert_eq!(quotes.others(later, OTHER), [needs(10)], "whose job was taken is quoted again at once");
    }

    #[test]
    fn so_many_are_promises_and_no_more() {
        let mut quotes = Quotes::default();
        for number in 0..=MAX_QUOTES as u64 {
            quotes.promise(Address::left_padding_from(&number.to_be_bytes()), 10, needs(number));
        }
        assert_eq!(quotes.others(10, OTHER).len(), MAX_QUOTES);
    }
}
