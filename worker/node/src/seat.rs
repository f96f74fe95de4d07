//! Which seats in teams of others a provider takes, and why not the others.

use gradproof_chain::market::{Deployment, JobSnapshot};
use gradproof_chain::{Address, B256, LOCAL_CHAIN, U256};

use crate::config::ProviderConfig;
use crate::message::SignedSeat;
use crate::policy::{Licensed, verifier};

/// Part of a batch's price that members are not promised: `BOUNTY_PART` of `contracts/src/market/Bounds.sol`.
const BOUNTY_PART: u128 = 4;

/// Why a provider joins no team.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotJoined {
    /// The node joins no teams.
    #[error("this node joins no team: `provider.member` in its configuration says whose it would")]
    NoMember,
    /// Nobody here knows the lead.
    #[error("the lead {lead} is none of `leads` in the configuration")]
    Lead {
        /// The lead.
        lead: Address,
    },
    /// A result was wrong here before.
    #[error("a job failed on this node: it joins no team until `provider doctor` passes")]
    Failed,
    /// The market would not let it in.
    #[error("the terms of the job admit other providers, or this account sits in its committee")]
    NotAdmitted,
    /// The market takes no seat with so much pay.
    #[error("the pay of a proof is {pay}, and the job has at most {most} for it")]
    TooMuch {
        /// Offered.
        pay: u128,
        /// The most.
        most: u128,
    },
    /// It has joined as many as it may.
    #[error("this node is in {joined} teams, of at most {most}")]
    Full {
        /// Joined, or about to be.
        joined: usize,
        /// The most.
        most: usize,
    },
    /// The pay is too low.
    #[error("the pay of a proof is {pay}, the least here is {least}")]
    Pay {
        /// Offered.
        pay: u128,
        /// The least.
        least: u128,
    },
    /// The bond is too high.
    #[error("the bond of the seat is {bond}, the most here is {most}")]
    Bond {
        /// Asked for.
        bond: u128,
        /// The most.
        most: u128,
    },
    /// The bond is too low to take anything.
    #[error("the bond of the seat is {bond}, and a take holds {take} of it: no claim could be taken")]
    Useless {
        /// Asked for.
        bond: u128,
        /// Held for a take.
        take: u128,
    },
    /// There is not enough stake.
    #[error("the bond of the seat is {bond}, and {free} of the stake is free")]
    Stake {
        /// Asked for.
        bond: u128,
        /// Free.
        free: U256,
    },
    /// The verifier is unknown, or anyone can forge for it.
    #[error("the verifier {verifier} is none of the deployment's that can be trusted on this chain")]
    Verifier {
        /// The one in the terms.
        verifier: Address,
    },
    /// The data are a registered set that the configuration does not name.
    #[error("the data are the registered set {dataset}, which `datasets` in the configuration does not let in")]
    Dataset {
        /// The set.
        dataset: B256,
    },
    /// Whoever owns the data does not let this account see them.
    #[error("the licence of the data does not admit this account")]
    Licence,
    /// The disk has no room for it.
    #[error("the job may need {needed} bytes of the disk, and {free} are free: see disk_bytes")]
    Disk {
        /// Bytes, at most.
        needed: u64,
        /// Bytes.
        free: u64,
    },
}

/// What a node could still promise to a team.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Teams that it is in, or wants to be in, beside this one.
    pub joined: usize,
    /// Stake that no bond holds, in the token's smallest unit.
    pub free_stake: U256,
    /// Most bytes of the disk that the job needs.
    pub needed_disk: u64,
    /// Bytes that no promise needs.
    pub free_disk: u64,
    /// Whether a job failed here, or a result was wrong, and `doctor` has not passed since.
    pub failed: bool,
}

/// Most pay of a seat that the market takes in a job: of what a segment costs, or, where not all is proven, a batch, without the royalty
/// (`join` and `promisable` in `contracts/src/market/Seats.sol`).
pub fn most_pay(job: &JobSnapshot) -> u128 {
    let (price, royalty) = (job.job.price, job.job.royalty);
    let every = u128::from(job.terms.batches.deliverEvery);
    if job.terms.batches.draws == job.terms.batches.deliverEvery {
        return price.saturating_sub(royalty);
    }
    let batch = price.saturating_mul(every);
    let lost = batch - batch / BOUNTY_PART;
    lost.saturating_sub(royalty.saturating_mul(every))
}

/// Whether the terms of a job let an account into its team, without a path: its data may have an owner who does not.
pub fn is_admitted(job: &JobSnapshot, account: Address) -> bool {
    let open = |providers: B256| providers.is_zero() || providers == account.into_word();
    let decides = job.terms.committee.members.contains(&account);
    open(job.terms.providers) && !decides
}

/// Whether the provider `me` takes a seat in the team of a job, under this licence.
///
/// # Errors
/// The first reason against it.
pub fn joins(
    seat: &SignedSeat,
    job: &JobSnapshot,
    me: Address,
    licensed: Licensed,
    deployment: &Deployment,
    provider: &ProviderConfig,
    room: Room,
) -> Result<(), NotJoined> {
    let config = provider.member.as_ref().ok_or(NotJoined::NoMember)?;
    let (lead, terms) = (job.job.owner, &job.terms);
    if room.failed {
        return Err(NotJoined::Failed);
    }
    if !config.leads.contains(&lead) {
        return Err(NotJoined::Lead { lead });
    }
    if room.joined >= config.jobs {
        return Err(NotJoined::Full { joined: room.joined, most: config.jobs });
    }
    let known = verifier(&terms.training, deployment);
    if known.is_none_or(|verifier| verifier.insecure_setup && deployment.chain != LOCAL_CHAIN) {
        return Err(NotJoined::Verifier { verifier: terms.training.verifier });
    }
    if !provider.datasets.let_in(terms.training.dataset) {
        return Err(NotJoined::Dataset { dataset: terms.training.dataset });
    }
    if !is_admitted(job, me) {
        return Err(NotJoined::NotAdmitted);
    }
    // The market asks for the path when the seat is brought.
    if !licensed.admits {
        return Err(NotJoined::Licence);
    }
    let (pay, bond, take) = (seat.pay, seat.bond, terms.price.challengeBond);
    if pay > most_pay(job) {
        return Err(NotJoined::TooMuch { pay, most: most_pay(job) });
    }
    if pay < config.least_pay {
        return Err(NotJoined::Pay { pay, least: config.least_pay });
    }
    if bond > config.most_seat_bond {
        return Err(NotJoined::Bond { bond, most: config.most_seat_bond });
    }
    if bond < take {
        return Err(NotJoined::Useless { bond, take });
    }
    if U256::from(bond) > room.free_stake {
        return Err(NotJoined::Stake { bond, free: room.free_stake });
    }
    if room.needed_disk > room.free_disk {
        return Err(NotJoined::Disk { needed: room.needed_disk, free: room.free_disk });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use gradproof_chain::SolValue;
    use gradproof_chain::market::TrainingMarket;

    use super::*;
    use crate::config::{Datasets, MemberConfig};
    use crate::message::Bytes;
    use crate::policy::fixtures::{CONFIG, deployment, good};

    #[test]
    fn a_seat_is_taken_for_a_reason_and_refused_for_one() {
        let lead = Address::repeat_byte(7);
        let set = B256::repeat_byte(1);
        let member = Some(MemberConfig { leads: vec![lead], least_pay: 30, most_seat_bond: 500, jobs: 1 });
        let config = ProviderConfig { member, datasets: Datasets::These(vec![set]), ..CONFIG };
        let seat = SignedSeat { pay: 30, bond: 500, nonce: B256::ZERO, expiry: 9, signature: Bytes::default() };
        let room = Room { free_stake: U256::from(500), ..Room::default() };
        let (job, me, none) = (running(good(), lead), Address::repeat_byte(6), Licensed::NONE);
        let terms = &job.terms;
        let said = |seat: &SignedSeat, room: Room| joins(seat, &job, me, none, &deployment(), &config, room);
        assert_eq!(said(&seat, room), Ok(()));
        assert_eq!(said(&seat, Room { failed: true, ..room }), Err(NotJoined::Failed));
        assert_eq!(said(&SignedSeat { pay: 29, ..seat.clone() }, room), Err(NotJoined::Pay { pay: 29, least: 30 }));
        let much = SignedSeat { pay: 101, ..seat.clone() };
        assert_eq!(said(&much, room), Err(NotJoined::TooMuch { pay: 101, most: 100 }));
        assert_eq!(
            said(&SignedSeat { bond: 501, ..seat.clone() }, room),
            Err(NotJoined::Bond { bond: 501, most: 500 })
        );
        let take = terms.price.challengeBond;
        let low = SignedSeat { bond: take - 1, ..seat.clone() };
        assert_eq!(said(&low, room), Err(NotJoined::Useless { bond: take - 1, take }));
        let poor = Room { free_stake: U256::from(499), ..room };
        assert_eq!(said(&seat, poor), Err(NotJoined::Stake { bond: 500, free: poor.free_stake }));
        assert_eq!(said(&seat, Room { joined: 1, ..room }), Err(NotJoined::Full { joined: 1, most: 1 }));
        let full = Room { needed_disk: 8, free_disk: 7, ..room };
        assert_eq!(said(&seat, full), Err(NotJoined::Disk { needed: 8, free: 7 }));
        let other = Address::repeat_byte(8);
        let of = |lead, config: &_, deployment: &Deployment| {
            let job = running(good(), lead);
            joins(&seat, &job, me, none, deployment, config, room)
        };
        assert_eq!(of(other, &config, &deployment()), Err(NotJoined::Lead { lead: other }));
        let alone = ProviderConfig { member: None, ..config.clone() };
        assert_eq!(of(lead, &alone, &deployment()), Err(NotJoined::NoMember));
        let verifier = terms.training.verifier;
        let elsewhere = Deployment { chain: 1, ..deployment() };
        assert_eq!(of(lead, &config, &elsewhere), Err(NotJoined::Verifier { verifier }), "its set-up is insecure");
        let with = |change: &dyn Fn(&mut JobSnapshot), licensed| {
            let mut job = job.clone();
            change(&mut job);
            joins(&seat, &job, me, licensed, &deployment(), &config, room)
        };
        let on = |set, licensed| with(&|job| job.terms.training.dataset = set, licensed);
        assert_eq!(on(set, none), Ok(()));
        assert_eq!(on(set, Licensed { admits: false, ..none }), Err(NotJoined::Licence));
        let other = B256::repeat_byte(2);
        assert_eq!(on(other, none), Err(NotJoined::Dataset { dataset: other }));
        assert_eq!(with(&|job| job.terms.providers = lead.into_word(), none), Err(NotJoined::NotAdmitted));
        assert_eq!(with(&|job| job.terms.providers = me.into_word(), none), Ok(()));
        assert_eq!(with(&|job| job.terms.committee.members = vec![me], none), Err(NotJoined::NotAdmitted));
    }

    /// A job of a lead that runs with these terms.
    fn running(terms: TrainingMarket::Terms, lead: Address) -> JobSnapshot {
        let mut job = TrainingMarket::Job::abi_decode(&[0; 32 * 64]).expect("zeros are one");
        (job.price, job.owner) = (terms.price.max, lead);
        let now = gradproof_chain::Moment { time: 0, block: 0 };
        JobSnapshot { terms, job, batches: vec![], challenges: vec![], closable_after: 0, now }
    }

    #[test]
    fn a_seat_is_paid_at_most_what_the_market_takes() {
        let mut job = running(good(), Address::ZERO);
        job.job.royalty = 10;
        assert_eq!(most_pay(&job), 90);
        // Of a batch of three at 100, of which not all is proven, a quarter stays, and the royalty.
        job.terms.batches.draws = 1;
        assert_eq!(most_pay(&job), 225 - 30);
    }
}
