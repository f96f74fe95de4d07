//! The consents that a job with a committee needs before it can be posted or offered: each member's, to this very job.
//!
//! They name the job's id, and so they come after its terms: the node asks the members' nodes for them when the job is to be posted, and
//! again when they have become too old.

use gradproof_chain::market::TrainingMarket;
use gradproof_chain::{Address, B256, U256};
use serde::{Deserialize, Serialize};

use crate::message::SignedConsent;

/// Seconds for which a validator's consent can be used: long enough to offer a job to eight providers, or to wait for a block.
pub const CONSENT_SECS: u64 = 3600;
/// Seconds that are left of consents when a job is posted with them.
const LEFT_SECS: u64 = 600;
/// Seconds for which a consent must be usable when it comes: one that is soon over would be asked for again at once.
const LEAST_SECS: u64 = CONSENT_SECS / 2;
/// How often a member refuses before that is its answer: it may be busy.
const LEAST_REFUSALS: u32 = 4;

/// The committee of a job, and what its members said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consents {
    /// The members, ascending.
    pub members: Vec<Address>,
    /// The job that the consents are for.
    #[serde(default)]
    pub job: B256,
    /// Those of all members, in their order; none before all consent.
    #[serde(default)]
    pub given: Vec<SignedConsent>,
    /// Who refused last, and why.
    #[serde(default)]
    pub refused: Option<(Address, String)>,
    /// How often somebody refused.
    #[serde(default)]
    pub refusals: u32,
}

impl Consents {
    /// Of a committee that nobody was asked of.
    pub fn of(members: Vec<Address>) -> Self {
        Self { members, job: B256::ZERO, given: vec![], refused: None, refusals: 0 }
    }

    /// Whether all members consent to this job until some time, in seconds since 1970.
    pub fn are_given(&self, job: B256, until: u64) -> bool {
        self.job == job && self.given.len() == self.members.len() && self.given.iter().all(|one| one.expiry >= until)
    }

    /// Whether they do, long enough for a transaction at `now`.
    pub fn can_post(&self, job: B256, now: u64) -> bool {
        self.are_given(job, now.saturating_add(LEFT_SECS))
    }

    /// Who does not sit in the committee, and why: nobody posts such a job.
    pub fn refusal(&self) -> Option<&(Address, String)> {
        self.refused.as_ref().filter(|_| self.refusals >= LEAST_REFUSALS)
    }

    /// A member refused.
    pub fn refuse(&mut self, member: Address, reason: String) {
        self.refused = Some((member, reason));
        self.refusals = self.refusals.saturating_add(1);
    }

    /// As the market takes them.
    pub fn to_market(&self) -> Vec<TrainingMarket::Consent> {
        self.given.iter().map(to_market).collect()
    }
}

/// Whether a consent that comes at `now`, in seconds since 1970, can be used for long enough.
pub fn is_long(consent: &SignedConsent, now: u64) -> bool {
    consent.expiry >= now.saturating_add(LEAST_SECS)
}

/// A consent as the market takes it.
pub fn to_market(consent: &SignedConsent) -> TrainingMarket::Consent {
    let SignedConsent { key, expiry, signature, path } = consent;
    let (path, signature) = (path.as_slice().to_vec(), signature.as_slice().to_vec().into());
    TrainingMarket::Consent { key: *key, expiry: U256::from(*expiry), path, signature }
}

/// What a validator has promised: a place in the committee of a job that the market may have soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// Who posts the job.
    pub requester: Address,
    /// Of the requester: of all jobs with it the market takes one.
    pub nonce: B256,
    /// Until when the consent can be used, in seconds since 1970.
    pub expiry: u64,
    /// What it would back the job with, in the token's smallest unit.
    pub stake: u128,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Bytes, Few};

    #[test]
    fn consents_count_for_one_job_and_for_their_time() {
        let (job, other) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let signature = Bytes::new(vec![0; 65]).expect("65 bytes");
        let path = Few::new(vec![job]).expect("one");
        let consent =
            |expiry| SignedConsent { key: Address::ZERO, expiry, signature: signature.clone(), path: path.clone() };
        let mut consents = Consents::of(vec![Address::repeat_byte(1), Address::repeat_byte(2)]);
        assert!(!consents.are_given(job, 0));
        (consents.job, consents.given) = (job, vec![consent(1000)]);
        assert!(!consents.are_given(job, 0), "one is missing");
        consents.given.push(consent(900));
        assert!(consents.are_given(job, 900) && !consents.are_given(job, 901) && !consents.are_given(other, 0));
        assert!(consents.can_post(job, 300) && !consents.can_post(job, 301));
        let paths: Vec<_> = consents.to_market().into_iter().map(|consent| consent.path).collect();
        assert_eq!(paths, [[job], [job]], "by which the market lets them see the data");
        assert!(is_long(&consent(1800), 0) && !is_long(&consent(1800), 1), "it would be over before it is used");
    }

    #[test]
    fn a_refusal_counts_when_it_was_said_often_enough() {
        let mut consents = Consents::of(vec![Address::ZERO]);
        for _ in 1..LEAST_REFUSALS {
            consents.refuse(Address::ZERO, "busy".into());
            assert_eq!(consents.refusal(), None);
        }
        consents.refuse(Address::ZERO, "too low".into());
        assert_eq!(consents.refusal(), Some(&(Address::ZERO, "too low".to_owned())));
    }
}
