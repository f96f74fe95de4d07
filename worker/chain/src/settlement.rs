//! What a chain does for a job: the one place where another kind of chain comes in.

use std::future::Future;

use ark_bn254::G1Affine;
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::proof::Proof;
use gradproof_verifier::protocol::statement::Domain;

use super::ChainError;

/// Where jobs are opened, and the proofs of their segments taken one after the other; [`Trade`](super::market::Trade) is one.
pub trait Settlement: Sync {
    /// What is left of a proof that was taken: what that cost, for example.
    type Receipt: Send;

    /// Opens the job of `statement`, which is not bound yet, for the account that pays; where its proofs count.
    ///
    /// # Errors
    /// The chain refuses the job, or does not answer.
    fn open(&self, statement: &JobStatement) -> impl Future<Output = Result<Domain, ChainError>> + Send;

    /// Submits the proof of the job's next segment, which begins with the parameters committed to in `first`.
    ///
    /// # Errors
    /// The proof is not wrapped, or the chain refuses it, or does not answer.
    fn submit(
        &self,
        job: &Domain,
        first: &[G1Affine],
        proof: &Proof,
    ) -> impl Future<Output = Result<Self::Receipt, ChainError>> + Send;
}
