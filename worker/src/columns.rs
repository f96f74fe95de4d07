//! How long the committed columns of a job are.

use gradproof_evm::profile::column_vars;
use gradproof_training::job::{ColumnLength, Job};
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::profile::Profile;

/// log2 of the length of a committed column in proofs of `kind` of `job`.
pub fn vars(job: &Job, kind: ProofKind) -> usize {
    match job.columns {
        ColumnLength::Usual => column_vars(Profile::default(), &job.architecture, kind),
        ColumnLength::For(profile) => column_vars(profile, &job.architecture, kind),
        ColumnLength::Bits(bits) => bits,
    }
}
