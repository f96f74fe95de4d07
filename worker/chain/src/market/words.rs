//! What a member of a committee signs (EIP-712), computed here as the market computes it: its consent to a place, and its words.

use alloy::primitives::keccak256;
use alloy::sol_types::SolValue;

use super::offer::typed;
use crate::{Address, B256, U256};

/// What a consent says: `Typed.sol`.
const CONSENT: &str = "Consent(bytes32 job,address key,uint256 expiry)";
/// What a word says: `Typed.sol`.
const ATTESTATION: &str = "Attestation(bytes32 job,uint32 batch,bytes32 last,bool yes)";

/// The question that a committee decides: whether the opening of `last`, the claim at the end of a batch, was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The job.
    pub job: B256,
    /// The batch.
    pub batch: u32,
    /// The claim.
    pub last: B256,
}

/// What a member's account signs for its place in a job's committee: that of the market's `consentDigest`.
///
/// # Units
/// `expiry`, the last second in which the job can be posted with it, in seconds since 1970.
pub fn consent_digest(chain: u64, market: Address, job: B256, key: Address, expiry: u64) -> B256 {
    typed(chain, market, keccak256((keccak256(CONSENT), job, key, U256::from(expiry)).abi_encode()))
}

/// What the key of a member's words signs: that of the market's `attestationDigest`.
pub fn attestation_digest(chain: u64, market: Address, question: Question, yes: bool) -> B256 {
    let Question { job, batch, last } = question;
    typed(chain, market, keccak256((keccak256(ATTESTATION), job, U256::from(batch), last, yes).abi_encode()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_questions_answers_or_markets_have_one_digest() {
        let question = Question { job: B256::repeat_byte(1), batch: 2, last: B256::repeat_byte(3) };
        let (market, other) = (Address::repeat_byte(4), Address::repeat_byte(5));
        let mut digests = vec![
            attestation_digest(1, market, question, true),
            attestation_digest(1, market, question, false),
            attestation_digest(2, market, question, true),
            attestation_digest(1, other, question, true),
            attestation_digest(1, market, Question { job: B256::ZERO, ..question }, true),
            attestation_digest(1, market, Question { batch: 3, ..question }, true),
            attestation_digest(1, market, Question { last: B256::ZERO, ..question }, true),
            consent_digest(1, market, question.job, market, 7),
            consent_digest(1, market, question.job, market, 8),
            consent_digest(1, market, question.job, other, 7),
            consent_digest(1, market, question.last, market, 7),
            consent_digest(2, market, question.job, market, 7),
        ];
        let all = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), all);
    }
}
