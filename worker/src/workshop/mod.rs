//! The workshop of the programs: their kernels, provers and files.

mod parcel;
mod session;
mod training;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use eyre::{OptionExt, Result, WrapErr};
use gradproof_chain::B256;
use gradproof_chain::market::{Deployment, TrainingMarket, check_parent, check_training};
use gradproof_node::workshop::{Claim, Work, WorkError, Workshop};
use gradproof_prover::registration::{Blinding, commit_parameters};
use gradproof_prover::witness::Witness;
use gradproof_terminal::described;
use gradproof_training::parameters_file::{Numbers, ParametersError, read_parameters, write_parameters};
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::statement::{Domain, points_digest};
use gradproof_verifier_program::files::{KEY_FILE, read_key_of};
use gradproof_verifier_program::ptau::PtauError;

pub use parcel::{pack, pack_first, write_rows};

use crate::keys::{KeyOptions, setup_of};
use session::Session;

/// Trains and proves on this machine.
#[derive(Clone, Debug, Default)]
pub struct LocalWorkshop {
    /// Set-up, cache and device of the proofs.
    pub keys: KeyOptions,
}

impl Workshop for LocalWorkshop {
    fn begin(&self, folder: &Path, domain: Domain) -> Result<Box<dyn Work>, WorkError> {
        let begun = Session::begin(folder, domain, &self.keys);
        Ok(Box::new(begun.map_err(|error| refused(&error))?))
    }

    fn is_of(&self, folder: &Path, terms: &TrainingMarket::Terms, deployment: &Deployment) -> Result<(), WorkError> {
        let compare = || -> Result<()> {
            let statement = parcel::statement(folder)?;
            let verifier = deployment.verifier(&statement.verifying_key);
            let verifier = verifier.ok_or_eyre("the deployment has no verifiers of the statement's key")?;
            check_training(&terms.training, &statement, verifier)?;
            Ok(check_parent(terms, &statement)?)
        };
        compare().map_err(|error| refused(&error))
    }

    fn opening(&self, folder: &Path, domain: Domain, segments: u64) -> Result<B256, WorkError> {
        let (_, secret) = left(folder, domain, segments).map_err(|error| WorkError::Failed(described(&error)))?;
        Ok(secret.into())
    }

    fn open(&self, folder: &Path, domain: Domain, claim: Claim, weights: &Path) -> Result<PathBuf, WorkError> {
        match self.opened(folder, domain, claim, weights) {
            Ok(opened) => opened.map_err(WorkError::Impossible),
            // A set-up that was not given, say: the weights may be right.
            Err(error) => Err(WorkError::Failed(described(&error))),
        }
    }
}

/// Why something cannot be done: because of this machine, if the system said so or its set-up is not as it should be, and else because of
/// what was handed over.
fn refused(error: &eyre::Report) -> WorkError {
    let of_this_machine = error.chain().any(|cause| {
        let source = cause.downcast_ref::<std::io::Error>();
        // The set-up is a file of this machine, which no job names.
        cause.is::<PtauError>()
            || source.is_some_and(|source| {
                !matches!(source.kind(), ErrorKind::NotFound | ErrorKind::InvalidData | ErrorKind::UnexpectedEof)
            })
    });
    if of_this_machine { WorkError::Failed(described(error)) } else { WorkError::Impossible(described(error)) }
}

/// Name of the file with the weights after some segments, for PyTorch.
fn weights_name(segments: u64) -> String {
    format!("weights-{segments:04}.safetensors")
}

/// The file with the weights after the most segments that are there, for PyTorch.
pub fn newest_weights(folder: &Path) -> Option<PathBuf> {
    let names = std::fs::read_dir(folder).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let counted = names.filter_map(|name| {
        let segments = name.strip_prefix("weights-")?.strip_suffix(".safetensors")?.parse().ok()?;
        Some((segments, name))
    });
    let newest: Option<(u64, String)> = counted.max();
    newest.map(|(_, name)| folder.join(name))
}

/// What a training that was done again came to.
pub struct Recovered {
    /// Digests at the ends of the segments.
    pub ends: Vec<B256>,
    /// The weights at the last end: exact, and rounded for PyTorch.
    pub files: [PathBuf; 2],
}

/// The statement of the job in `folder`, which counted at `domain`, and what opens its commitments after some segments, one at least.
///
/// # Errors
/// A file is missing, or refused.
pub fn left(folder: &Path, domain: Domain, segments: u64) -> Result<(JobStatement, [u8; 32])> {
    let unbound = parcel::statement(folder)?;
    let seeds = parcel::openings(folder, &unbound)?.seeds();
    let statement = unbound.bind(domain)?;
    let index = usize::try_from(segments)?.checked_sub(1).ok_or_eyre("no segment is done")?;
    let secret = seeds.after(&statement, index);
    Ok((statement, secret))
}

impl LocalWorkshop {
    /// Trains the job in `folder`, which counts at `domain`, again from its parcel to the end of `segments`.
    ///
    /// # Errors
    /// The parcel is not whole, or not what its statement says; the training diverges; a file cannot be written.
    pub fn recover(&self, folder: &Path, domain: Domain, segments: u64) -> Result<Recovered> {
        let mut session = Session::begin(folder, domain, &self.keys)?;
        let (ends, files) = session.recovered(usize::try_from(segments)?)?;
        Ok(Recovered { ends, files })
    }

    /// The inner error is a verdict on the weights.
    fn opened(&self, folder: &Path, domain: Domain, claim: Claim, weights: &Path) -> Result<Result<PathBuf, String>> {
        let unbound = parcel::statement(folder)?;
        let seeds = parcel::openings(folder, &unbound)?.seeds();
        let key = read_key_of(&folder.join(gradproof_node::workshop::PARCEL).join(KEY_FILE), &unbound)?;
        let setup = setup_of(&key, self.keys.setup.as_deref())?;
        let statement = unbound.bind(domain)?;
        let read = match read_parameters(weights, &statement.architecture) {
            Ok(read) if read.numbers == Numbers::Exact => read,
            Ok(_) => return Ok(Err(format!("{} has rounded weights", weights.display()))),
            // The system's, and not the weights'.
            Err(error @ ParametersError::File { .. }) => return Err(error.into()),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let index =
            usize::try_from(claim.segments)?.checked_sub(1).ok_or_else(|| eyre::eyre!("no segment is claimed"))?;
        let secret = seeds.after(&statement, index);
        let witness = Witness::of_parameters(key.architecture(), &read.parameters)?;
        let points = commit_parameters(&key, &setup, &witness, Blinding::Opening(&secret))?.points;
        if points_digest(&points) != claim.last.0 {
            return Ok(Err(format!(
                "the weights are not those that were claimed after segment {index}: they open to {}, the claim is {}",
                hex::encode(&points_digest(&points)),
                claim.last
            )));
        }
        let float = folder.join(weights_name(claim.segments));
        write_parameters(&float, &statement.architecture, &read.parameters, Numbers::Float)
            .wrap_err_with(|| format!("cannot write {}", float.display()))?;
        Ok(Ok(float))
    }
}

#[cfg(test)]
mod tests {
    use gradproof_verifier_program::ptau::{PtauProblem, import};

    use super::*;

    #[test]
    fn a_set_up_that_cannot_be_used_is_no_verdict_about_the_job() {
        let folder = tempfile::tempdir().expect("a folder");
        let (missing, other) = (folder.path().join("missing.ptau"), folder.path().join("other.ptau"));
        std::fs::write(&other, "no set-up").expect("written");
        for path in [&missing, &other] {
            let error = import(path, 6).expect_err("it cannot be used");
            let refused = refused(&eyre::Report::from(error).wrap_err("the keys cannot be made"));
            assert!(
                matches!(&refused, WorkError::Failed(why) if why.contains(&path.display().to_string())),
                "{refused:?}"
            );
        }
        let short = PtauError { path: other, problem: PtauProblem::TooShort { expected: 17, got: 12 } };
        assert!(matches!(refused(&short.into()), WorkError::Failed(_)), "a larger file may do");
        for kind in [ErrorKind::NotFound, ErrorKind::InvalidData, ErrorKind::UnexpectedEof] {
            let of_the_parcel = std::io::Error::new(kind, "a file of the parcel");
            assert!(matches!(refused(&of_the_parcel.into()), WorkError::Impossible(_)), "{kind}");
        }
        let full = std::io::Error::new(ErrorKind::StorageFull, "no room");
        assert!(matches!(refused(&full.into()), WorkError::Failed(_)));
    }
}
