//! The set-up that the node proves under: a file that jobs do not bring with them.

use std::path::{Path, PathBuf};

use eyre::Result;
use gradproof_node::facts::Role;
use gradproof_node::store::Store;
use gradproof_verifier_program::ptau::import;

use super::finding::Finding;
use crate::node::options::Opened;
use crate::node::run::SETUP;

/// Whether the set-up can be used: the one that is given, or else the one that the node ran with last.
pub(super) fn all(opened: &Opened, given: Option<&Path>) -> Result<Vec<Finding>> {
    let remembered = match (given, Store::open_unless_taken(&opened.home.store_file())?) {
        (None, Some(store)) => store.record(SETUP)?,
        _ => None,
    };
    let remembered = remembered.map(|bytes| PathBuf::from(String::from_utf8_lossy(&bytes).into_owned()));
    let path = given.or(remembered.as_deref());
    // The node of a data owner proves nothing.
    if opened.config.role == Role::DataOwner && path.is_none() {
        return Ok(vec![]);
    }
    let secure = opened.deployment.verifiers.iter().filter(|verifier| !verifier.insecure_setup);
    let vars = secure.filter_map(|verifier| u32::try_from(verifier.columns.vars).ok()).max();
    Ok(found(path, vars).into_iter().collect())
}

/// What is found about a file; `vars`: the longest columns that the deployment's verifiers ask a set-up for, if any do.
fn found(path: Option<&Path>, vars: Option<u32>) -> Option<Finding> {
    let what = "set-up";
    match (path, vars) {
        (None, None) => None,
        (None, Some(_)) => Some(Finding::note(
            what,
            "none was given: jobs of this deployment need the one of its verifiers",
            "give --setup FILE here, and to `run`",
        )),
        (Some(path), vars) => Some(match import(path, vars.unwrap_or(1)) {
            Ok(_) => Finding::good(what, format!("{} can be used", path.display())),
            Err(error) => Finding::bad(
                what,
                error.to_string(),
                "no job is trained without it, and startSecs may run out: put the file of the ceremony there, or name another with --setup",
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::doctor::finding::Grade;

    #[test]
    fn a_set_up_that_cannot_be_read_is_bad_and_none_where_it_is_needed_is_said() {
        let missing = Path::new("missing.ptau");
        for vars in [None, Some(12)] {
            let found = found(Some(missing), vars).expect("it is said");
            assert!(found.grade == Grade::Bad && found.said.contains("missing.ptau"), "{found:?}");
        }
        assert_eq!(found(None, Some(12)).map(|found| found.grade), Some(Grade::Note));
        assert_eq!(found(None, None), None, "an insecure set-up has no file");
    }
}
