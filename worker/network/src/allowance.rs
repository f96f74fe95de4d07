//! How much the owners of admitted peers may ask: parties of what the program does at present, each by itself, and all others together.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use crate::{
    limits::{
        MAX_OWNER_RATES, MAX_SERVED_PAGES, MAX_SERVED_PAGES_PER_OWNER, MAX_SERVED_PER_OWNER, MAX_SERVED_RANGES,
        MAX_SERVED_REQUESTS, OTHER_PAGES, OTHER_RANGES, OTHER_REQUESTS, OTHERS_PAGES, OTHERS_RANGES, OTHERS_REQUESTS,
        PARTY_PAGES, PARTY_RANGES, PARTY_REQUESTS,
    },
    protocol::Wire,
    rate::Rate,
};

/// Whoever admitted peers belong to: its Ethereum address. All peers of an owner have one allowance.
pub type Owner = [u8; 20];

/// What is counted together, so that a download does not keep an owner from asking something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    Requests,
    Ranges,
    Records,
}

/// An interval at which one more may be asked, and how many may be saved up.
pub(crate) type Allowance = (Duration, u32);

impl Class {
    pub(crate) fn of(wire: Wire) -> Self {
        match wire {
            Wire::Request(_) => Self::Requests,
            Wire::Blob => Self::Ranges,
            Wire::Records => Self::Records,
        }
    }

    /// Returns how many are served at a time, of one owner and in all.
    pub(crate) fn limits(self) -> (usize, usize) {
        match self {
            Self::Requests => (MAX_SERVED_PER_OWNER, MAX_SERVED_REQUESTS),
            Self::Ranges => (MAX_SERVED_PER_OWNER, MAX_SERVED_RANGES),
            Self::Records => (MAX_SERVED_PAGES_PER_OWNER, MAX_SERVED_PAGES),
        }
    }

    fn of_party(self) -> Allowance {
        match self {
            Self::Requests => PARTY_REQUESTS,
            Self::Ranges => PARTY_RANGES,
            Self::Records => PARTY_PAGES,
        }
    }

    fn of_other(self) -> Allowance {
        match self {
            Self::Requests => OTHER_REQUESTS,
            Self::Ranges => OTHER_RANGES,
            Self::Records => OTHER_PAGES,
        }
    }

    fn of_all_others(self) -> Allowance {
        match self {
            Self::Requests => OTHERS_REQUESTS,
            Self::Ranges => OTHERS_RANGES,
            Self::Records => OTHERS_PAGES,
        }
    }
}

/// What owners have spent.
#[derive(Debug, Default)]
pub(crate) struct Allowances {
    parties: HashSet<Owner>,
    /// By owner, class, and whether it was a party: who becomes one begins anew.
    own: HashMap<(Owner, Class, bool), Rate>,
    others: HashMap<Class, Rate>,
}

impl Allowances {
    pub(crate) fn set_parties(&mut self, parties: HashSet<Owner>) {
        self.parties = parties;
    }

    pub(crate) fn is_party(&self, owner: &Owner) -> bool {
        self.parties.contains(owner)
    }

    /// Spends one of an owner's, and of all others' unless it is a party; `false` if there is none.
    pub(crate) fn spend(&mut self, owner: Owner, class: Class, now: Instant) -> bool {
        let is_party = self.is_party(&owner);
        let key = (owner, class, is_party);
        if !self.own.contains_key(&key) && self.own.len() >= MAX_OWNER_RATES {
            // A rate that has recovered is the same as none.
            self.own.retain(|_, rate| !rate.is_fresh(now));
            if self.own.len() >= MAX_OWNER_RATES {
                return false;
            }
        }
        let own = self.own.entry(key).or_default();
        let (interval, burst) = if is_party { class.of_party() } else { class.of_other() };
        let mut spent = own.clone();
        if !spent.spend(interval, burst, now) {
            return false;
        }
        // What all others share is spent only by whoever has some of its own left.
        let (interval, burst) = class.of_all_others();
        if !is_party && !self.others.entry(class).or_default().spend(interval, burst, now) {
            return false;
        }
        *own = spent;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: [Class; 3] = [Class::Requests, Class::Ranges, Class::Records];

    fn owner(number: u32) -> Owner {
        let mut owner = [0; 20];
        owner[16..].copy_from_slice(&number.to_be_bytes());
        owner
    }

    #[test]
    fn an_owner_spends_its_burst_and_gets_more_with_time() {
        for class in CLASSES {
            for is_party in [false, true] {
                let (mut allowances, now) = (Allowances::default(), Instant::now());
                allowances.set_parties(if is_party { [owner(1)].into() } else { HashSet::new() });
                let (interval, burst) = if is_party { class.of_party() } else { class.of_other() };
                let served = (0..2 * burst).filter(|_| allowances.spend(owner(1), class, now)).count();
                assert_eq!(served, burst as usize, "{class:?} {is_party}");
                assert!(allowances.spend(owner(1), class, now + interval));
                assert!(!allowances.spend(owner(1), class, now + interval));
            }
        }
    }

    #[test]
    fn all_others_together_take_nothing_from_a_party() {
        for class in CLASSES {
            let (mut allowances, now) = (Allowances::default(), Instant::now());
            allowances.set_parties([owner(0)].into());
            let (_, most) = class.of_all_others();
            let served = (1..=2 * most).filter(|number| allowances.spend(owner(*number), class, now)).count();
            assert_eq!(served, most as usize, "{class:?}");
            let (_, burst) = class.of_party();
            assert!((0..burst).all(|_| allowances.spend(owner(0), class, now)), "{class:?}");
        }
    }

    #[test]
    fn rates_of_owners_are_forgotten_when_they_have_recovered() {
        let (mut allowances, now) = (Allowances::default(), Instant::now());
        let (interval, burst) = Class::Records.of_other();
        for number in 0..MAX_OWNER_RATES as u32 {
            let mut rate = Rate::default();
            assert!(rate.spend(interval, burst, now));
            allowances.own.insert((owner(number), Class::Records, false), rate);
        }
        let new = owner(u32::MAX);
        assert!(!allowances.spend(new, Class::Records, now));
        assert!(allowances.spend(new, Class::Records, now + interval));
        assert_eq!(allowances.own.len(), 1);
    }
}
