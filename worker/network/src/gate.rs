//! Who may come in: the standing of peers, and how much each may ask.

use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

use libp2p::PeerId;

use crate::{
    Error,
    allowance::{Allowances, Class, Owner},
    limits::{
        KEPT_FOR_PARTIES, MAX_ADMITTED, MAX_REFUSALS, MAX_SERVED_PER_STRANGER, MAX_SERVED_STRANGERS,
        MAX_STRANGER_RATES, PART_OF_OTHERS, STRANGER_BURST, STRANGER_INTERVAL, STRANGERS_BURST, STRANGERS_INTERVAL,
    },
    protocol::{Protocol, Wire},
    rate::Rate,
};

/// The standing of a peer, as the program set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Nobody admitted the peer. It may ask a little on the protocol `open`, and nothing else.
    Stranger,
    /// The program admitted the peer.
    Known,
}

/// Why a stream is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// The protocol is not for strangers.
    Stranger(Wire),
    /// Strangers, or the nodes of an owner, asked too often.
    Rate(Standing),
    /// As much as possible is served already.
    Busy,
}

impl Denial {
    /// Returns the reason that the peer gets to read; `None` where it should just ask again.
    pub(crate) fn reason(self) -> Option<String> {
        match self {
            Self::Stranger(wire) => Some(format!("{} is for nodes that are registered", wire.id())),
            Self::Rate(Standing::Stranger) => Some("strangers asked too often".to_owned()),
            Self::Rate(Standing::Known) => Some("the nodes of this account asked too often".to_owned()),
            Self::Busy => None,
        }
    }
}

/// Who is counted: all admitted peers of an owner together, each stranger by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    Owner(Owner),
    Stranger(PeerId),
}

/// The gate: standings, rates, and what is being served.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    admitted: HashMap<PeerId, Owner>,
    allowances: Allowances,
    served: HashMap<(Who, Class), usize>,
    served_in_all: HashMap<Class, usize>,
    /// Of these, owners that are no parties.
    served_others: HashMap<Class, usize>,
    strangers: usize,
    refusals: usize,
    stranger_rates: HashMap<PeerId, Rate>,
    strangers_rate: Rate,
}

/// A pass through the gate, to be given back with [`Gate::leave`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pass {
    who: Who,
    class: Class,
    /// Whether it is of an owner that was no party.
    is_other: bool,
    pub(crate) standing: Standing,
}

impl Gate {
    pub(crate) fn admit(&mut self, peer: PeerId, owner: Owner) -> Result<(), Error> {
        if !self.admitted.contains_key(&peer) && self.admitted.len() >= MAX_ADMITTED {
            return Err(Error::Full { what: "the list of admitted peers", limit: MAX_ADMITTED });
        }
        self.admitted.insert(peer, owner);
        self.stranger_rates.remove(&peer);
        Ok(())
    }

    pub(crate) fn dismiss(&mut self, peer: &PeerId) {
        self.admitted.remove(peer);
    }

    pub(crate) fn standing(&self, peer: &PeerId) -> Standing {
        if self.admitted.contains_key(peer) { Standing::Known } else { Standing::Stranger }
    }

    pub(crate) fn admitted(&self) -> impl Iterator<Item = &PeerId> {
        self.admitted.keys()
    }

    /// Sets the owners that are parties of what the program does at present.
    pub(crate) fn set_parties(&mut self, parties: HashSet<Owner>) {
        self.allowances.set_parties(parties);
    }

    /// Returns a pass if the peer may be served on a stream now. Nothing of the request has been read yet.
    pub(crate) fn enter(&mut self, peer: PeerId, wire: Wire, now: Instant) -> Result<Pass, Denial> {
        let standing = self.standing(&peer);
        if standing == Standing::Stranger && wire != Wire::Request(Protocol::Open) {
            return Err(Denial::Stranger(wire));
        }
        let owner = self.admitted.get(&peer).copied();
        let who = owner.map_or(Who::Stranger(peer), Who::Owner);
        let class = Class::of(wire);
        let (own_limit, all_limit) = class.limits();
        let own = self.served.get(&(who, class)).copied().unwrap_or(0);
        let all = self.served_in_all.get(&class).copied().unwrap_or(0);
        let is_other = owner.is_some_and(|owner| !self.allowances.is_party(&owner));
        let others = self.served_others.get(&class).copied().unwrap_or(0);
        let crowded = match owner {
            None => own >= MAX_SERVED_PER_STRANGER || self.strangers >= MAX_SERVED_STRANGERS,
            // Few are for those that are no parties, whoever is there; the last ones for parties that have none.
            Some(_) if is_other && others >= all_limit / PART_OF_OTHERS => true,
            Some(_) => all >= all_limit - all_limit / KEPT_FOR_PARTIES && (own > 0 || is_other),
        };
        if own >= own_limit || all >= all_limit || crowded {
            return Err(Denial::Busy);
        }
        match owner {
            None => self.spend(peer, now)?,
            Some(owner) if !self.allowances.spend(owner, class, now) => return Err(Denial::Rate(standing)),
            Some(_) => {}
        }
        self.served.insert((who, class), own + 1);
        self.served_in_all.insert(class, all + 1);
        self.served_others.insert(class, others + usize::from(is_other));
        self.strangers += usize::from(standing == Standing::Stranger);
        Ok(Pass { who, class, is_other, standing })
    }

    /// Takes a pass back.
    pub(crate) fn leave(&mut self, pass: &Pass) {
        if let Some(all) = self.served_in_all.get_mut(&pass.class) {
            *all = all.saturating_sub(1);
        }
        if let Some(own) = self.served.get_mut(&(pass.who, pass.class)) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                self.served.remove(&(pass.who, pass.class));
            }
        }
        if let Some(others) = self.served_others.get_mut(&pass.class).filter(|_| pass.is_other) {
            *others = others.saturating_sub(1);
        }
        // The standing when the peer came in: it may be another now.
        if pass.standing == Standing::Stranger {
            self.strangers = self.strangers.saturating_sub(1);
        }
    }

    /// Returns whether one more refusal may be written; [`Self::refused`] ends it.
    pub(crate) fn refuse(&mut self) -> bool {
        let room = self.refusals < MAX_REFUSALS;
        self.refusals += usize::from(room);
        room
    }

    pub(crate) fn refused(&mut self) {
        self.refusals = self.refusals.saturating_sub(1);
    }

    /// Spends one request of a stranger, and of all strangers together.
    fn spend(&mut self, peer: PeerId, now: Instant) -> Result<(), Denial> {
        if !self.stranger_rates.contains_key(&peer) && self.stranger_rates.len() >= MAX_STRANGER_RATES {
            // A rate that has recovered is the same as none.
            self.stranger_rates.retain(|_, rate| !rate.is_fresh(now));
            if self.stranger_rates.len() >= MAX_STRANGER_RATES {
                return Err(Denial::Rate(Standing::Stranger));
            }
        }
        let own = self.stranger_rates.entry(peer).or_default();
        let mut spent = own.clone();
        // The share of all is spent only by whoever has some of its own left.
        if spent.spend(STRANGER_INTERVAL, STRANGER_BURST, now)
            && self.strangers_rate.spend(STRANGERS_INTERVAL, STRANGERS_BURST, now)
        {
            *own = spent;
            return Ok(());
        }
        Err(Denial::Rate(Standing::Stranger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Identity,
        limits::{MAX_SERVED_PER_OWNER, MAX_SERVED_RANGES, OTHER_REQUESTS},
    };

    const OPEN: Wire = Wire::Request(Protocol::Open);
    const PARTY: Wire = Wire::Request(Protocol::Party);

    fn owner(number: u8) -> Owner {
        [number; 20]
    }

    fn peer(number: u32) -> PeerId {
        let mut secret = [1; 32];
        secret[28..].copy_from_slice(&number.to_be_bytes());
        Identity::from_secret(secret).unwrap().peer_id()
    }

    #[test]
    fn a_stranger_may_use_the_open_protocol_only() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        assert!(gate.enter(peer(1), OPEN, now).is_ok());
        for wire in [PARTY, Wire::Blob, Wire::Records] {
            assert_eq!(gate.enter(peer(1), wire, now).unwrap_err(), Denial::Stranger(wire));
        }
    }

    #[test]
    fn an_admitted_peer_may_use_all_and_a_dismissed_one_is_a_stranger_again() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        gate.admit(peer(1), owner(1)).unwrap();
        for wire in crate::protocol::WIRES {
            assert!(gate.enter(peer(1), wire, now).is_ok());
        }
        gate.dismiss(&peer(1));
        assert_eq!(gate.enter(peer(1), PARTY, now).unwrap_err(), Denial::Stranger(PARTY));
    }

    #[test]
    fn a_stranger_spends_its_burst_and_gets_more_with_time() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        let mut ask = |now| gate.enter(peer(1), OPEN, now).map(|pass| gate.leave(&pass));
        for _ in 0..STRANGER_BURST {
            assert_eq!(ask(now), Ok(()));
        }
        assert_eq!(ask(now), Err(Denial::Rate(Standing::Stranger)));
        assert_eq!(ask(now + STRANGER_INTERVAL), Ok(()));
        assert_eq!(ask(now + STRANGER_INTERVAL), Err(Denial::Rate(Standing::Stranger)));
    }

    #[test]
    fn many_strangers_share_one_rate_and_do_not_touch_that_of_admitted_peers() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        gate.admit(peer(0), owner(0)).unwrap();
        let served = (1..=2 * STRANGERS_BURST)
            .filter(|number| gate.enter(peer(*number), OPEN, now).map(|pass| gate.leave(&pass)).is_ok())
            .count();
        assert_eq!(served, STRANGERS_BURST as usize);
        assert!(gate.enter(peer(0), OPEN, now).is_ok());
    }

    #[test]
    fn what_is_served_at_a_time_is_limited_for_each_owner_and_for_all() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        // The nodes 10 and 11 are of one owner.
        for (number, of) in [(10, 1), (11, 1), (2, 2), (3, 3), (4, 4)] {
            gate.admit(peer(number), owner(of)).unwrap();
        }
        gate.set_parties([1, 2, 3].map(owner).into());
        let first = gate.enter(peer(10), Wire::Blob, now).unwrap();
        for number in 1..MAX_SERVED_PER_OWNER as u32 {
            gate.enter(peer(10 + number % 2), Wire::Blob, now).unwrap();
        }
        for number in [10, 11] {
            assert_eq!(gate.enter(peer(number), Wire::Blob, now).unwrap_err(), Denial::Busy);
        }
        assert!(gate.enter(peer(11), PARTY, now).is_ok(), "a download keeps nobody from asking something else");
        let free = MAX_SERVED_RANGES - MAX_SERVED_RANGES / KEPT_FOR_PARTIES;
        for _ in MAX_SERVED_PER_OWNER..free {
            gate.enter(peer(2), Wire::Blob, now).unwrap();
        }
        assert_eq!(gate.enter(peer(2), Wire::Blob, now).unwrap_err(), Denial::Busy, "it has some");
        assert_eq!(gate.enter(peer(4), Wire::Blob, now).unwrap_err(), Denial::Busy, "it is no party");
        assert!(gate.enter(peer(3), Wire::Blob, now).is_ok(), "a party that has none");
        gate.leave(&first);
        assert_eq!(gate.enter(peer(4), Wire::Blob, now).unwrap_err(), Denial::Busy);
        assert_eq!(gate.served[&(Who::Owner(owner(1)), Class::Ranges)], MAX_SERVED_PER_OWNER - 1);
    }

    #[test]
    fn owners_that_are_no_parties_leave_places_for_those_that_are() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        for number in 0..MAX_SERVED_RANGES as u32 {
            gate.admit(peer(number), owner(number as u8)).unwrap();
        }
        gate.set_parties([owner(0)].into());
        let mut enter = |number| gate.enter(peer(number), Wire::Blob, now);
        let held: Vec<Pass> = (1..MAX_SERVED_RANGES as u32).filter_map(|number| enter(number).ok()).collect();
        assert_eq!(held.len(), MAX_SERVED_RANGES / PART_OF_OTHERS);
        for _ in 0..MAX_SERVED_PER_OWNER {
            assert!(enter(0).is_ok(), "a party has its part all the same");
        }
        gate.leave(&held[0]);
        assert!(gate.enter(peer(1), Wire::Blob, now).is_ok());
    }

    #[test]
    fn an_owner_with_many_nodes_asks_as_often_as_one_with_one() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        let (_, burst) = OTHER_REQUESTS;
        for number in 0..2 * burst {
            gate.admit(peer(number), owner(1)).unwrap();
        }
        let mut ask = |number| gate.enter(peer(number), PARTY, now).map(|pass| gate.leave(&pass));
        let served = (0..2 * burst).filter(|number| ask(*number).is_ok()).count();
        assert_eq!(served, burst as usize);
        assert_eq!(ask(0), Err(Denial::Rate(Standing::Known)));
        gate.set_parties([owner(1)].into());
        assert!(gate.enter(peer(0), PARTY, now).is_ok(), "who becomes a party has its own at once");
    }

    #[test]
    fn strangers_together_hold_few_places() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        let held = (0..MAX_SERVED_STRANGERS as u32 + 4).filter(|n| gate.enter(peer(*n), OPEN, now).is_ok()).count();
        assert_eq!(held, MAX_SERVED_STRANGERS);
    }

    fn spent(now: Instant) -> Rate {
        let mut rate = Rate::default();
        assert!(rate.spend(STRANGER_INTERVAL, STRANGER_BURST, now));
        rate
    }

    #[test]
    fn rates_of_strangers_are_forgotten_when_they_have_recovered() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        gate.stranger_rates = (0..MAX_STRANGER_RATES as u32).map(|number| (peer(number + 10), spent(now))).collect();
        assert_eq!(gate.enter(peer(1), OPEN, now).unwrap_err(), Denial::Rate(Standing::Stranger));
        assert!(gate.enter(peer(1), OPEN, now + STRANGER_INTERVAL).is_ok());
        assert_eq!(gate.stranger_rates.len(), 1);
    }

    #[test]
    fn refusals_at_a_time_are_limited() {
        let mut gate = Gate::default();
        assert_eq!((0..2 * MAX_REFUSALS).filter(|_| gate.refuse()).count(), MAX_REFUSALS);
        gate.refused();
        assert!(gate.refuse());
    }
}
