//! Forgets a job that has ended: its blobs, its facts, and of its folder what nobody asks for any more.

use std::io::ErrorKind;
use std::path::Path;

use gradproof_blobs::Root;

use super::locked::locked;
use super::shared::Shared;
use crate::NodeError;
use crate::decide::{View, has_all_weights};
use crate::facts::{Facts, Role};
use crate::workshop::PARCEL;

/// Forgets a job.
///
/// The folder goes first: whatever ends the process, the facts are there until all of it is gone, and it is forgotten again. A blob that
/// no job needs goes at the next start.
pub(super) fn job(shared: &Shared, view: &View, facts: &Facts) -> Result<(), NodeError> {
    let folder = shared.home.job(view.id);
    match facts.role {
        // It is paid. The weights are the requester's.
        Role::Provider | Role::Validator => remove(&folder)?,
        // What was handed over lies elsewhere as well.
        Role::DataOwner => remove(&folder)?,
        // Its weights, their seeds and the terms stay, and the data while they could bring back weights that never came.
        Role::Requester if has_all_weights(view, facts) => remove(&folder.join(PARCEL))?,
        Role::Requester => (),
    }
    crate::told::remove(&shared.home, view.id)?;
    let _kept = locked(&shared.keeping);
    for root in shared.store.forget(view.id)? {
        // What is gone already is gone.
        let _ = shared.blobs.remove(Root::new(root.0));
    }
    Ok(())
}

/// Removes a folder, if it is there.
fn remove(folder: &Path) -> Result<(), NodeError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(NodeError::file(folder)(error)),
        _ => Ok(()),
    }
}
