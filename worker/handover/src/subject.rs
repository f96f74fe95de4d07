//! What a hand-over is for.

use gradproof_verifier::protocol::statement::Domain;

use crate::HandoverError;

/// Who hands over, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The requester hands data, first parameters and openings to the provider.
    Data,
    /// The owner of a registered data set hands its rows, and what opens their commitments, to the provider and the committee.
    Rows,
    /// The provider hands the weights at the end of a batch to the requester and the committee.
    Weights {
        /// The batch, from zero.
        batch: u64,
    },
}

/// What a hand-over is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Chain, market, job, and the owner of the provider, as in the job's statement.
    pub domain: Domain,
    /// Who hands over, and what.
    pub kind: Kind,
}

impl Subject {
    /// Refuses what is for something else, and says in what it differs.
    pub(crate) fn is(&self, expected: &Self) -> Result<(), HandoverError> {
        let (ours, theirs) = (&self.domain, &expected.domain);
        let equal = [
            ("chain", ours.chain == theirs.chain),
            ("market", ours.contract == theirs.contract),
            ("job", ours.job == theirs.job),
            ("owner", ours.owner == theirs.owner),
            ("kind or batch", self.kind == expected.kind),
        ];
        match equal.into_iter().find(|(_, equal)| !equal) {
            Some((what, _)) => Err(HandoverError::AnotherSubject(what)),
            None => Ok(()),
        }
    }
}
