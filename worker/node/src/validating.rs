//! In which committees a validator sits, and why not in the others.

use std::collections::{BTreeMap, BTreeSet};

use gradproof_chain::market::{ANYONE_SECS, Deployment, State, TrainingMarket, UNBONDING_SECS};
use gradproof_chain::{Address, B256, LOCAL_CHAIN, U256};

use crate::config::ValidatorConfig;
use crate::consents::Promise;
use crate::offers::MAX_OFFERS;
use crate::policy::Licensed;

/// Hand-backs until a job ends: `HAND_BACKS` of `contracts/src/market/Bounds.sol`.
const HAND_BACKS: u64 = 4;
const DAY: u64 = 24 * 3600;

/// What a validator has promised, and what it could promise still.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    /// Committees that it sits in, or has promised to: from the moment a consent was signed.
    pub promised: usize,
    /// Stake that backs nothing, in the token's smallest unit.
    pub free_stake: U256,
    /// Stake of promises that the market does not have yet.
    pub promised_stake: U256,
    /// Whether the requester has a promise already, for a job that is not posted.
    pub is_waiting: bool,
    /// Bytes of the disk that no promise needs.
    pub free_disk: u64,
    /// Most bytes of the disk that this job needs.
    pub needed_disk: u64,
}

/// A job in whose committee this validator sits, or has promised to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promised {
    /// Where it stands; `None` if nobody could read it.
    pub state: Option<State>,
    /// The consent that was given to it; `None` if it was taken up from the chain.
    pub consent: Option<Promise>,
}

impl Places {
    /// Counts what is promised at `now`, in seconds since 1970, beside `asked`.
    ///
    /// Jobs of one requester with one nonce, the offers of one job, are one promise: the market takes one of them, and none when it has one.
    pub fn count(&mut self, jobs: &[Promised], asked: &Promise, now: u64) {
        let name = |promise: &Promise| (promise.requester, promise.nonce);
        let is_posted = |job: &&Promised| job.state.is_some_and(|state| state != State::None);
        let posted: BTreeSet<_> =
            jobs.iter().filter(is_posted).filter_map(|job| job.consent.as_ref().map(name)).collect();
        let (mut others, mut same) = (BTreeMap::new(), 0);
        for job in jobs {
            match (job.state, job.consent) {
                (Some(State::Open | State::Assigned | State::Running), _) => self.promised += 1,
                (Some(State::None) | None, Some(promise)) if promise.expiry >= now => {
                    if name(&promise) == name(asked) {
                        same += 1;
                    } else if !posted.contains(&name(&promise)) {
                        let stake: &mut u128 = others.entry(name(&promise)).or_default();
                        *stake = promise.stake.max(*stake);
                    }
                }
                // The market may have it.
                (None, _) => self.promised += 1,
                _ => (),
            }
        }
        self.promised += others.len();
        self.promised_stake += others.values().map(|stake| U256::from(*stake)).sum::<U256>();
        self.is_waiting |= same >= MAX_OFFERS || others.keys().any(|(requester, _)| *requester == asked.requester);
    }
}

/// Why a validator sits in no committee of a job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSeated {
    /// Somebody else is meant.
    #[error("{me} is no member of the committee in the terms")]
    NotMember {
        /// This account.
        me: Address,
    },
    /// Nobody decides about its own job.
    #[error("the job is of this account itself")]
    Own,
    /// One after the other.
    #[error("this node consented to another job of yours, which is not posted yet: post it, or ask again in an hour")]
    Waiting,
    /// All places are taken.
    #[error("{promised} committees are promised, of at most {most}")]
    Full {
        /// Promised.
        promised: usize,
        /// The most.
        most: usize,
    },
    /// The deployment has no such verifier.
    #[error("the verifier {verifier} is none of the deployment's")]
    Verifier {
        /// The one in the terms.
        verifier: Address,
    },
    /// Anyone can forge proofs for it.
    #[error("the verifier's set-up is insecure, and this is chain {chain}")]
    Insecure {
        /// The chain.
        chain: u64,
    },
    /// The data are a registered set that the configuration does not name.
    #[error("the data are the registered set {dataset}, which `datasets` in the configuration does not let in")]
    Dataset {
        /// The set.
        dataset: B256,
    },
    /// Whoever owns the data does not let this account see them.
    #[error("the licence of the data does not admit this account, or was not shown with its path")]
    Licence,
    /// The fee is too low.
    #[error("a decided complaint pays {fee}, the least here is {least}: {} too low", least - fee)]
    Fee {
        /// Offered.
        fee: u128,
        /// What the node takes.
        least: u128,
    },
    /// Too much stake is asked for.
    #[error("the job is backed with {stake} of each member's stake, the most here is {most}")]
    MostStake {
        /// Asked for.
        stake: u128,
        /// What the node binds.
        most: u128,
    },
    /// There is not enough stake.
    #[error("the job is backed with {stake} of each member's stake, and {free} are free")]
    Stake {
        /// Asked for.
        stake: u128,
        /// Free, less what is promised.
        free: U256,
    },
    /// The stake would be bound for too long.
    #[error("the job may bind the stake for {days} days, the most here is {most}")]
    Days {
        /// By the terms.
        days: u64,
        /// What the node accepts.
        most: u64,
    },
    /// The disk has no room for it.
    #[error("the job may need {needed} bytes of the disk, and {free} are free beside what is promised: see disk_bytes")]
    Disk {
        /// Bytes, at most.
        needed: u64,
        /// Bytes.
        free: u64,
    },
}

impl NotSeated {
    /// The reason in a word, as it is counted.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotMember { .. } => "others",
            Self::Own => "own",
            Self::Waiting => "waiting",
            Self::Full { .. } => "full",
            Self::Verifier { .. } => "verifier",
            Self::Insecure { .. } => "insecure",
            Self::Dataset { .. } => "dataset",
            Self::Licence => "licence",
            Self::Fee { .. } => "price",
            Self::MostStake { .. } => "bond",
            Self::Stake { .. } => "stake",
            Self::Days { .. } => "time",
            Self::Disk { .. } => "disk",
        }
    }
}

/// Days for which a job with these terms may bind the stake of its committee: all hand-backs; each batch takes all its time, and from its
/// close on the longer one of two: it is complained about in the last moment, and has a root added in the last moment; or it is drawn late,
/// challenged in the last moment, and proven late.
pub fn bound_days(terms: &TrainingMarket::Terms) -> u64 {
    let TrainingMarket::Terms { times, batches, training, .. } = terms;
    let secs = |secs: u32| u64::from(secs);
    let wait = secs(times.openSecs) + HAND_BACKS * (secs(times.startSecs) + secs(times.reopenSecs));
    let complaint = secs(times.complainSecs) + secs(times.decideSecs) + secs(times.decideSecs) / 2;
    let drawn = secs(times.revealSecs) + ANYONE_SECS + secs(times.windowSecs);
    let draw = if batches.draws < batches.deliverEvery { drawn } else { 0 };
    // In time, and as long again.
    let proofs = 2 * secs(times.proveSecs) + u64::from(batches.deliverEvery) * secs(times.eachSecs);
    let batch = secs(times.batchSecs) + complaint.max(draw + proofs);
    let count = u64::from(training.segments).div_ceil(u64::from(batches.deliverEvery).max(1));
    (wait + count.saturating_mul(batch)).saturating_add(UNBONDING_SECS).div_ceil(DAY)
}

/// Takes a place in the committee of `requester`'s job with these terms, under this licence.
///
/// # Errors
/// The first reason against it.
pub fn seated(
    terms: &TrainingMarket::Terms,
    licensed: Licensed,
    requester: Address,
    me: Address,
    deployment: &Deployment,
    config: &ValidatorConfig,
    places: &Places,
) -> Result<(), NotSeated> {
    let TrainingMarket::Terms { training, committee, .. } = terms;
    if !committee.members.contains(&me) {
        return Err(NotSeated::NotMember { me });
    }
    if requester == me {
        return Err(NotSeated::Own);
    }
    if places.is_waiting {
        return Err(NotSeated::Waiting);
    }
    if places.promised >= config.jobs {
        return Err(NotSeated::Full { promised: places.promised, most: config.jobs });
    }
    let Some(verifier) = crate::policy::verifier(training, deployment) else {
        return Err(NotSeated::Verifier { verifier: training.verifier });
    };
    if verifier.insecure_setup && deployment.chain != LOCAL_CHAIN {
        return Err(NotSeated::Insecure { chain: deployment.chain });
    }
    if !config.datasets.let_in(training.dataset) {
        return Err(NotSeated::Dataset { dataset: training.dataset });
    }
    // The market asks for the path when the job is posted.
    if !licensed.admits {
        return Err(NotSeated::Licence);
    }
    if committee.fee < config.least_fee {
        return Err(NotSeated::Fee { fee: committee.fee, least: config.least_fee });
    }
    if committee.stake > config.most_stake {
        return Err(NotSeated::MostStake { stake: committee.stake, most: config.most_stake });
    }
    let free = places.free_stake.saturating_sub(places.promised_stake);
    if U256::from(committee.stake) > free {
        return Err(NotSeated::Stake { stake: committee.stake, free });
    }
    let days = bound_days(terms);
    if days > config.most_days {
        return Err(NotSeated::Days { days, most: config.most_days });
    }
    if places.needed_disk > places.free_disk {
        return Err(NotSeated::Disk { needed: places.needed_disk, free: places.free_disk });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use gradproof_chain::market::TIMES;

    use super::*;
    use crate::config::Datasets;
    use crate::policy::fixtures::{deployment, good};

    const ME: Address = Address::repeat_byte(7);
    const REQUESTER: Address = Address::repeat_byte(8);
    /// The set that the validator lets in.
    const SET: B256 = B256::repeat_byte(1);

    fn config() -> ValidatorConfig {
        let datasets = Datasets::These(vec![SET]);
        ValidatorConfig { least_fee: 5, most_stake: 50, jobs: 2, most_days: 600, challenge_budget: 0, datasets }
    }

    fn said(change: impl FnOnce(&mut TrainingMarket::Terms, &mut Deployment, &mut Places)) -> Result<(), NotSeated> {
        said_under(Licensed::NONE, change)
    }

    fn said_under(
        licensed: Licensed,
        change: impl FnOnce(&mut TrainingMarket::Terms, &mut Deployment, &mut Places),
    ) -> Result<(), NotSeated> {
        let (mut terms, mut deployment) = (good(), deployment());
        terms.committee.members = vec![ME, Address::repeat_byte(9)];
        (terms.committee.fee, terms.committee.stake) = (5, 50);
        let mut places = Places { free_stake: U256::from(100), ..Places::default() };
        change(&mut terms, &mut deployment, &mut places);
        seated(&terms, licensed, REQUESTER, ME, &deployment, &config(), &places)
    }

    #[test]
    fn a_place_is_taken_for_a_reason_and_refused_for_one() {
        assert_eq!(said(|_, _, _| ()), Ok(()));
        assert_eq!(said(|terms, _, _| terms.committee.members = vec![REQUESTER]), Err(NotSeated::NotMember { me: ME }));
        assert_eq!(said(|_, _, places| places.is_waiting = true), Err(NotSeated::Waiting));
        assert_eq!(said(|_, _, places| places.promised = 2), Err(NotSeated::Full { promised: 2, most: 2 }));
        let other = said(|terms, _, _| terms.training.verifierCode = B256::ZERO);
        assert!(matches!(other, Err(NotSeated::Verifier { .. })), "{other:?}");
        assert_eq!(said(|_, deployment, _| deployment.chain = 1), Err(NotSeated::Insecure { chain: 1 }));
        let low = said(|terms, _, _| terms.committee.fee = 3);
        assert_eq!(low, Err(NotSeated::Fee { fee: 3, least: 5 }));
        assert!(low.expect_err("it is low").to_string().ends_with("2 too low"));
        let high = said(|terms, _, _| terms.committee.stake = 51);
        assert_eq!(high, Err(NotSeated::MostStake { stake: 51, most: 50 }));
        let promised = said(|_, _, places| places.promised_stake = U256::from(51));
        assert_eq!(promised, Err(NotSeated::Stake { stake: 50, free: U256::from(49) }));
        let large = said(|_, _, places| (places.needed_disk, places.free_disk) = (8, 7));
        assert_eq!(large, Err(NotSeated::Disk { needed: 8, free: 7 }));
        let mut own = good();
        own.committee.members = vec![ME];
        let refused = seated(&own, Licensed::NONE, ME, ME, &deployment(), &config(), &Places::default());
        assert_eq!(refused, Err(NotSeated::Own));
    }

    #[test]
    fn it_decides_about_sets_that_it_lets_in_and_whose_licence_admits_it() {
        let other = B256::repeat_byte(2);
        let on = |set: B256, licensed| said_under(licensed, |terms, _, _| terms.training.dataset = set);
        let not_admitted = Licensed { admits: false, ..Licensed::NONE };
        assert_eq!(on(SET, Licensed::NONE), Ok(()));
        assert_eq!(on(SET, not_admitted), Err(NotSeated::Licence));
        assert_eq!(on(other, Licensed::NONE), Err(NotSeated::Dataset { dataset: other }));
    }

    #[test]
    fn stake_is_bound_for_as_long_as_the_batches_can_be_made_to_last() {
        let mut terms = good();
        // As docs/settlement.md says of the defaults: 570 days for 60 batches, beside the waits before and after.
        (terms.training.segments, terms.batches.deliverEvery) = (60, 1);
        let around = u64::from(TIMES.openSecs) + 4 * u64::from(TIMES.startSecs + TIMES.reopenSecs) + UNBONDING_SECS;
        assert_eq!(bound_days(&terms), 570 + around.div_ceil(DAY));
        let long = said(|terms, _, _| (terms.training.segments, terms.batches.deliverEvery) = (64, 1));
        assert!(matches!(long, Err(NotSeated::Days { most: 600, .. })), "{long:?}");
    }

    #[test]
    fn draws_proofs_and_windows_bind_stake_as_complaints_do() {
        let mut terms = good();
        (terms.training.segments, terms.batches.deliverEvery, terms.batches.draws) = (10, 10, 10);
        terms.times.eachSecs = 360;
        // In hours: to wait before, a batch, and to wait after; then the complaint, a proof of a week in time, and late.
        let (around, complaint, proofs) = (24 + 4 * 24 + 2 + 72 + 14 * 24, 48 + 72 + 36, 2 * 168 + 1);
        let days = |hours: u64| hours.div_ceil(24);
        assert_eq!(bound_days(&terms), days(around + complaint));
        terms.times.proveSecs = 7 * DAY as u32;
        terms.times.windowSecs = 7 * DAY as u32;
        assert_eq!(bound_days(&terms), days(around + proofs), "where all is proven there is no window");
        terms.batches.draws = 1;
        assert_eq!(bound_days(&terms), days(around + 4 + 24 + 168 + proofs), "drawn late, and a window");
    }

    #[test]
    fn the_offers_of_one_job_are_one_promise_and_none_when_the_market_has_one() {
        let promise = |nonce, stake| Promise { requester: ME, nonce: B256::repeat_byte(nonce), expiry: 100, stake };
        let job = |state, nonce, stake| Promised { state, consent: Some(promise(nonce, stake)) };
        let asked = Promise { requester: REQUESTER, ..promise(9, 50) };
        let counted = |jobs: &[Promised], asked: &Promise, now| {
            let mut places = Places::default();
            places.count(jobs, asked, now);
            (places.promised, u128::try_from(places.promised_stake).expect("small"), places.is_waiting)
        };
        let none = Some(State::None);
        let two = [job(none, 1, 30), job(None, 1, 40)];
        assert_eq!(counted(&two, &asked, 100), (1, 40, false), "the larger stake of the two");
        assert_eq!(counted(&two, &promise(2, 1), 100), (1, 40, true), "the requester has a promise");
        assert_eq!(counted(&two, &promise(1, 1), 100), (0, 0, false), "it is the same job");
        assert_eq!(counted(&[job(none, 1, 1); MAX_OFFERS], &promise(1, 1), 100), (0, 0, true), "bounded");
        assert_eq!(
            counted(&two, &asked, 101),
            (1, 0, false),
            "over; the market may have the one that nobody could read"
        );
        for (state, held) in [(State::Open, 1), (State::Running, 1), (State::Cancelled, 0)] {
            let jobs = [two[0], job(Some(state), 1, 30), two[1]];
            assert_eq!(counted(&jobs, &asked, 100), (held, 0, false), "no other can be posted");
            assert_eq!(counted(&jobs, &promise(2, 1), 100), (held, 0, false), "nothing waits");
        }
        let from_chain = |state| Promised { state, consent: None };
        assert_eq!(counted(&[from_chain(None), from_chain(Some(State::Completed))], &asked, 100), (1, 0, false));
    }
}
