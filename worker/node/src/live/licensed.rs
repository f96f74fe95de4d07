//! The licence of a job on a registered set, as its requester keeps and shows it, and an account's path in it.

use std::path::Path;

use gradproof_chain::market::{MAX_LICENCE_BYTES, SignedLicence, TrainingMarket, admits};
use gradproof_chain::{Address, B256};
use gradproof_network::Protocol;

use super::bench::Change;
use super::choice::nodes;
use super::desk::Desk;
use super::quotes::busy;
use super::shared::{ASK, Shared};
use super::trouble::Trouble;
use crate::NodeError;
use crate::decide::View;
use crate::facts::{Facts, Role};
use crate::message::{Few, GivenLicence, LicencePath, PartyAnswer, PartyQuestion, Reason, read, written};

/// Name of the file with the licence, in the folder of a job on a registered set.
pub const LICENCE_FILE: &str = "licence.json";

/// The licence in the folder of a job; `None` if its data are no registered set.
///
/// # Errors
/// The file cannot be read, or is no licence.
pub fn licence_of(folder: &Path) -> Result<Option<SignedLicence>, NodeError> {
    let path = folder.join(LICENCE_FILE);
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(NodeError::file(&path)(error)),
        Ok(metadata) if metadata.len() > MAX_LICENCE_BYTES as u64 => {
            return Err(refused(&path, &format!("{} bytes, expected at most {MAX_LICENCE_BYTES}", metadata.len())));
        }
        Ok(_) => (),
    }
    let bytes = std::fs::read(&path).map_err(NodeError::file(&path))?;
    SignedLicence::from_json(&bytes).map(Some).map_err(|why| refused(&path, &why))
}

fn refused(path: &Path, why: &str) -> NodeError {
    NodeError::file(path)(std::io::Error::new(std::io::ErrorKind::InvalidData, why.to_owned()))
}

/// What a provider or a validator is shown of a licence; in words why not, if it does not admit that one.
pub(super) fn shown(licence: &SignedLicence, account: Address) -> Result<GivenLicence, String> {
    let path = path(licence, account)?;
    GivenLicence::new(&licence.licence, path.as_slice())
        .ok_or_else(|| "the licence is longer than a question may be".into())
}

/// The path of an account that a licence admits; in words why not, if it does not.
pub(super) fn path(licence: &SignedLicence, account: Address) -> Result<LicencePath, String> {
    let path = licence.path(account).map_err(|fault| format!("the licence: {fault}"))?;
    Few::new(path).ok_or_else(|| "the path is longer than any in a licence".into())
}

/// Provider: asks the requester's nodes for this account's path in the licence of a job: the first that is one; or why there is none, if a
/// node says so.
pub(super) async fn ask(shared: &Shared, view: &View) -> Result<Result<LicencePath, String>, Trouble> {
    let TrainingMarket::Job { licensed, requester, .. } = view.job.job;
    let question = written(&PartyQuestion::LicencePath { job: view.id });
    let (mut refused, mut trouble) = (None, Trouble(format!("the requester {requester} has no node in the register")));
    for (_, peer) in nodes(shared, &[requester]).await {
        match shared.network.ask(peer, Protocol::Party, &question, ASK).await.map(|answer| read(&answer)) {
            Ok(Ok(PartyAnswer::LicencePath(path))) if admits(licensed, shared.me, path.as_slice()) => {
                return Ok(Ok(path));
            }
            Ok(Ok(PartyAnswer::Refused(reason)) | Err(reason)) => refused = Some(reason.to_string()),
            Ok(Ok(_)) => refused = Some("it answers with something else".to_owned()),
            Err(error) => trouble = Trouble(format!("the requester {requester} cannot be asked: {error}")),
        }
    }
    refused.map_or(Err(trouble), |reason| Ok(Err(format!("the requester {requester} refuses: {reason}"))))
}

/// Provider: the same for an open job, about which nothing is decided before the requester has answered.
pub(super) async fn ask_before(shared: &Shared, view: &View) -> Result<Change, Trouble> {
    let told = ask(shared, view).await?;
    shared.keep_path(view.id, told.unwrap_or_default());
    shared.changed();
    Ok(Box::new(|_: &mut Facts| ()))
}

/// Requester: the path of an account that the licence of a job of this node admits, which is told nobody else's.
pub(super) fn path_for(shared: &Desk, job: B256, asker: Address) -> Result<LicencePath, Reason> {
    let facts = shared.store.job(job).map_err(busy)?.filter(|facts| facts.role == Role::Requester);
    let licence = facts.map(|_| licence_of(&shared.home.job(job))).transpose().map_err(busy)?.flatten();
    let licence = licence.ok_or_else(|| Reason::new("this node has posted no such job under a licence"))?;
    path(&licence, asker).map_err(Reason::new)
}
