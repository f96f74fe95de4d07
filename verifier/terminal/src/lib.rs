//! What the programs share at the terminal: output and exit codes, files that appear whole, folders, progress.

pub mod atomic;
pub mod cache;
pub mod folder;
mod progress;

use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::sync::OnceLock;

pub use progress::Progress;

/// What every program says of its exit code.
pub const EXIT_CODES: &str = "Exit codes: 0 done or accepted, 1 rejected, 2 wrong use or input.";

/// How a program ended that was used rightly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or the proofs are accepted.
    Done,
    /// The proofs are rejected.
    Rejected,
}

/// Why standard output could not be written, if so: the first time.
static UNWRITTEN: OnceLock<std::io::Error> = OnceLock::new();

/// The exit code of a program; an error is told on standard error.
pub fn exit(result: eyre::Result<Outcome>) -> ExitCode {
    match (result, UNWRITTEN.get()) {
        (Err(error), _) => {
            tell(&format!("error: {}", described(&error)));
            ExitCode::from(2)
        }
        (Ok(_), Some(error)) => {
            tell(&format!("error: cannot write to standard output: {error}"));
            ExitCode::from(2)
        }
        (Ok(Outcome::Done), None) => ExitCode::SUCCESS,
        (Ok(Outcome::Rejected), None) => ExitCode::from(1),
    }
}

/// An error and its causes in a line, each once: many an error has its cause in its own words already.
pub fn described(error: &eyre::Report) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        _ if said.contains(&cause) => said,
        _ => format!("{said}: {cause}"),
    })
}

/// A command that can be pasted into a shell: `words`, quoted where a shell would read them otherwise.
pub fn pasted<W: AsRef<OsStr>>(words: impl IntoIterator<Item = W>) -> String {
    let quoted = |word: W| {
        let word = word.as_ref().to_string_lossy().into_owned();
        // Only a word with a zero byte cannot be quoted, and no file has such a name.
        shlex::try_quote(&word).map(|word| word.into_owned()).unwrap_or(word)
    };
    words.into_iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// Writes a line to standard error. Nobody may be reading it, which is no reason to stop.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{}", plain(line));
}

/// Writes a line to standard output. That the reader has gone is no reason to stop; if it cannot be written otherwise, [`exit`]
/// says so.
pub fn print(line: &str) {
    let mut out = std::io::stdout();
    let written = writeln!(out, "{}", plain(line)).and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = UNWRITTEN.set(error);
    }
}

/// `text` without control characters but new lines: it may quote files of strangers, which must not steer a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
