//! The command line: what the programs share, and the commands of `verifier`. The only module that touches files.

pub mod atomic;
pub mod export;
pub mod files;
pub mod key;
mod progress;
pub mod ptau;
pub mod shape;
pub mod verify;

use std::io::Write;
use std::process::ExitCode;

use crate::proof::ProofKind;

pub use progress::Progress;

/// What every program says of its exit code.
pub const EXIT_CODES: &str = "Exit codes: 0 done or accepted, 1 rejected, 2 wrong use or input.";
/// What every program says of a core proof.
pub const NOT_ZERO_KNOWLEDGE: &str = "Core proofs are NOT zero-knowledge: their messages depend on data and weights, so show them only to whom may learn of both.";
/// What every program says of the insecure set-up.
pub const INSECURE_SETUP: &str =
    "The set-up is INSECURE: everybody knows its tau, and anyone can forge proofs. It is for trying things out.";

/// How a program ended that was used rightly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or the proofs are accepted.
    Done,
    /// The proofs are rejected.
    Rejected,
}

/// The exit code of a program; an error is told on standard error.
pub fn exit(result: eyre::Result<Outcome>) -> ExitCode {
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Rejected) => ExitCode::from(1),
        Err(error) => {
            tell(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Writes a line to standard error. Nobody may be reading it, which is no reason to stop.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{}", plain(line));
}

/// Writes a line to standard output. Nobody may be reading it, which is no reason to stop.
pub fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{}", plain(line));
}

/// `text` without control characters but new lines: it may quote files of strangers, which must not steer a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Says on standard error what a proof does not give.
pub fn warn(kind: ProofKind, insecure: bool) {
    if kind == ProofKind::Core {
        tell(&format!("note: {NOT_ZERO_KNOWLEDGE}"));
    }
    if insecure {
        tell(&format!("WARNING: {INSECURE_SETUP}"));
    }
}
