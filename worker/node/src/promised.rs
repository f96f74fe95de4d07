//! What a provider has promised, counted one way: by the node that runs, and by whoever accepts by hand beside it.

use gradproof_chain::market::{State, TrainingMarket};
use gradproof_chain::{Address, U256};

use crate::decide::{View, own_seat};
use crate::facts::{Facts, Role};
use crate::policy::Capacity;

/// What a promise takes of its provider beside a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Stake that is not locked yet, in the token's smallest unit.
    pub bond: U256,
    /// Milliseconds, as measured.
    pub ms: u64,
    /// Bytes of the disk.
    pub disk: u64,
}

impl Capacity {
    /// What the job with these terms needs, for which this is the capacity.
    pub fn needs(&self, terms: &TrainingMarket::Terms) -> Needs {
        let ms = u64::from(terms.training.segments).saturating_mul(self.segment_ms.unwrap_or(0));
        Needs { bond: U256::from(terms.price.bond), ms, disk: self.needed_disk }
    }

    /// Counts a promise.
    pub fn promise(&mut self, needs: Needs) {
        self.promised += 1;
        self.promised_bonds = self.promised_bonds.saturating_add(needs.bond);
        self.promised_ms = self.promised_ms.saturating_add(needs.ms);
        self.free_disk = self.free_disk.saturating_sub(needs.disk);
    }

    /// Counts a job that the account `me` follows: a promise counts from the moment it is given until the chain says otherwise at `now`,
    /// in seconds since 1970.
    ///
    /// `view`: the job as the endpoints agree on it; `offered`: the terms of an offer of it, which the market does not have yet; `measured`:
    /// the milliseconds of a segment of a verifier. Disk is not counted here: what jobs keep free of it is less what they have taken.
    ///
    /// # Errors
    /// Those of `measured`.
    pub fn follow<E>(
        &mut self,
        me: Address,
        facts: &Facts,
        view: Option<&View>,
        now: u64,
        offered: Option<&TrainingMarket::Terms>,
        measured: impl FnOnce(Address) -> Result<Option<u64>, E>,
    ) -> Result<(), E> {
        if facts.role != Role::Provider || facts.declines.is_some() {
            return Ok(());
        }
        if let Some(member) = &facts.member {
            // The bond of a seat that it is about to take.
            let waits = member.offer.as_ref().filter(|offer| offer.expiry >= now);
            let joined = view.is_some_and(|view| own_seat(view).is_some());
            if let Some(offer) = waits.filter(|_| !joined) {
                self.promised_bonds = self.promised_bonds.saturating_add(U256::from(offer.bond));
            }
            return Ok(());
        }
        let Some(view) = view else {
            // Nobody knows what it takes: nothing is promised beside it.
            self.is_unknown = true;
            return Ok(());
        };
        let (state, job) = (view.job.state(), &view.job.job);
        // What the market does not have yet, only the offer says.
        let waits = facts.offered.is_some() && state == Some(State::None);
        let terms = offered.filter(|_| waits).unwrap_or(&view.job.terms);
        let bond = match state {
            Some(State::None) if !waits => return Ok(()),
            // It is not taken again, or nobody can take it any more.
            Some(State::Open) if facts.had || view.is_expired(now) => return Ok(()),
            Some(State::None | State::Open) => U256::from(terms.price.bond),
            Some(State::Assigned | State::Running) if job.owner == me => U256::ZERO,
            _ => return Ok(()),
        };
        let left = match waits {
            true => u64::from(terms.training.segments),
            false => u64::from(job.total.saturating_sub(job.claimed)),
        };
        let segment_ms = measured(terms.training.verifier)?.unwrap_or(0);
        self.promise(Needs { bond, ms: left.saturating_mul(segment_ms), disk: 0 });
        Ok(())
    }
}
