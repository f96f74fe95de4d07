//! How long the committed columns of a job are.

use gradproof_evm::profile::column_vars;
use gradproof_training::job::{Columns, Job};
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::profile::Profile;

/// log2 of the length of a committed column in proofs of `kind` of `job`.
pub fn vars(job: &Job, kind: ProofKind) -> usize {
    match job.columns {
        Columns::Usual => column_vars(Profile::default(), &job.architecture, kind),
        Columns::For(profile) => column_vars(profile, &job.architecture, kind),
        Columns::Bits(bits) => bits,
    }
}
