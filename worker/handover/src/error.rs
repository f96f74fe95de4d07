//! Why something that was handed over is not taken.

use std::path::PathBuf;

/// Why something is not sealed, opened, wrapped or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandoverError {
    /// The system gives no randomness.
    #[error("the system gives no randomness: {0}")]
    Randomness(String),
    /// Reading or writing fails.
    #[error("cannot read or write: {0}")]
    Io(#[from] std::io::Error),
    /// The file of a key, or a file that is opened into.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file of a key does not hold one.
    #[error("{}: not an encryption key: expected 0x and 64 digits 0 to 9 and a to f", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// What is read is of another kind.
    #[error("not {expected}")]
    AnotherFormat {
        /// What was expected.
        expected: &'static str,
    },
    /// What is read was written by another version.
    #[error("{what}: version is {got}, expected {expected}")]
    Version {
        /// What is read.
        what: &'static str,
        /// Version of this program.
        expected: u16,
        /// Version that is written in it.
        got: u16,
    },
    /// The key does not fit a sealed file.
    #[error("the file was sealed under another key")]
    AnotherKey,
    /// A part of a sealed file is not what was sealed there.
    #[error("part {part} of the sealed file was changed, moved or is of another file")]
    Changed {
        /// The part, from zero.
        part: u32,
    },
    /// A sealed file ends before its last part.
    #[error("the sealed file ends after {parts} parts, before its last one")]
    Truncated {
        /// Parts that were read.
        parts: u32,
    },
    /// A sealed file goes on after its last part.
    #[error("the sealed file goes on after its last part, the one after {parts} others")]
    Appended {
        /// Parts before the last one.
        parts: u32,
    },
    /// More than is taken.
    #[error("{what}: {got} are more than {limit}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The most that is taken.
        limit: u64,
        /// How much there is, as far as it was counted.
        got: u64,
    },
    /// A manifest ends within a field, or goes on after the last.
    #[error("the manifest {}", if *.more { "goes on after its last field" } else { "ends within a field" })]
    Length {
        /// There is more than expected, not less.
        more: bool,
    },
    /// A field of a manifest has a value that it cannot have.
    #[error("the manifest is not valid: {0}")]
    Field(&'static str),
    /// A sealed manifest is not the one with this root.
    #[error("the sealed manifest is not the one that was announced: its root is another")]
    AnotherRoot,
    /// A manifest is about another job, batch or kind.
    #[error("the manifest is for another {0}")]
    AnotherSubject(&'static str),
    /// A wrap opens nothing.
    #[error("the wrap is not for this node, job, batch or manifest, or was changed")]
    WrapRefused,
    /// The encryption key of a recipient is none.
    #[error("the recipient's encryption key is no key that anything can be encrypted to")]
    BadRecipient,
    /// Wraps and recipients are not as many.
    #[error("{wraps} wraps for {recipients} recipients")]
    Count {
        /// Wraps.
        wraps: usize,
        /// Recipients.
        recipients: usize,
    },
    /// Some wraps are not what the sender must have made.
    #[error("the wraps of {} recipients do not open the manifest that this node's wrap opens, the first is number {}",
            .indices.len(), .indices.first().copied().unwrap_or_default())]
    WrongWraps {
        /// Their places among the recipients, ascending.
        indices: Vec<usize>,
    },
}
