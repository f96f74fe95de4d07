//! When the last backup was made, and whether it still has all that is secret.

use std::io::Write;
use std::path::PathBuf;

use gradproof_chain::B256;
use gradproof_terminal::atomic;
use gradproof_verifier::protocol::keccak::keccak256;
use serde::{Deserialize, Serialize};

use crate::NodeError;
use crate::home::Home;

/// Name of the file in a node's folder.
const MARKER_FILE: &str = "backup.json";

/// What is known of the last backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    /// When it was made, in seconds since 1970.
    time: u64,
    /// keccak256 of the secret files of the folder then.
    secrets: B256,
}

/// How old the last backup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// There is none.
    None,
    /// Keys, or seeds of a job, came or changed since; it was made then, in seconds since 1970.
    Outdated(u64),
    /// It has all; it was made then, in seconds since 1970.
    Whole(u64),
}

/// Writes down that a backup was made of what is in `home` now, at `time` in seconds since 1970.
///
/// # Errors
/// A file cannot be read or written.
pub fn mark(home: &Home, time: u64) -> Result<(), NodeError> {
    let marker = Marker { time, secrets: secrets(home)? };
    let bytes = serde_json::to_vec(&marker).map_err(|error| NodeError::Store(error.to_string()))?;
    let path = path(home);
    atomic::write(&path, |file| file.write_all(&bytes)).map_err(NodeError::file(&path))
}

/// How old the last backup of a home is.
///
/// # Errors
/// A file cannot be read.
pub fn age(home: &Home) -> Result<Age, NodeError> {
    // A marker that is damaged says nothing.
    let marker = std::fs::read(path(home)).ok().and_then(|bytes| serde_json::from_slice::<Marker>(&bytes).ok());
    Ok(match marker {
        None => Age::None,
        Some(Marker { time, secrets: then }) if then == secrets(home)? => Age::Whole(time),
        Some(Marker { time, .. }) => Age::Outdated(time),
    })
}

fn path(home: &Home) -> PathBuf {
    home.path().join(MARKER_FILE)
}

fn secrets(home: &Home) -> Result<B256, NodeError> {
    Ok(keccak256(&[b"gradproof backup", &super::files(home)?.encode()]).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_outdated_when_a_secret_comes() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(&folder.path().join("home"));
        home.create("role = 1\n", "word", None).expect("it is made");
        assert_eq!(age(&home).expect("it is known"), Age::None);
        mark(&home, 7).expect("it is marked");
        assert_eq!(age(&home).expect("it is known"), Age::Whole(7));
        let private = home.job(B256::repeat_byte(1)).join("private");
        std::fs::create_dir_all(&private).expect("made");
        std::fs::write(private.join("openings.json"), "seeds").expect("written");
        assert_eq!(age(&home).expect("it is known"), Age::Outdated(7));
    }
}
