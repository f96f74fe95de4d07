//! Why something that other nodes have did not come: because of them, or because of this machine. Only the first says anything of them.

use gradproof_blobs::BlobError;
use gradproof_handover::HandoverError;

use super::trouble::Trouble;
use crate::NodeError;

/// Why something did not come, in words.
#[derive(Debug)]
pub(super) enum Failed {
    /// They did not give it, or gave something else.
    Theirs(String),
    /// This machine's disk, store or keys; or another job's work on the same blob.
    Own(String),
}

impl Failed {
    /// Both failures as one: it is this machine's if one of them is.
    pub fn after(self, earlier: Self) -> Self {
        if matches!(earlier, Self::Own(_)) { earlier } else { self }
    }
}

impl From<Failed> for Trouble {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Theirs(why) | Failed::Own(why) => Self(why),
        }
    }
}

impl From<Trouble> for Failed {
    fn from(Trouble(why): Trouble) -> Self {
        Self::Own(why)
    }
}

impl From<NodeError> for Failed {
    fn from(error: NodeError) -> Self {
        Self::Own(error.to_string())
    }
}

impl From<BlobError> for Failed {
    fn from(error: BlobError) -> Self {
        let why = error.to_string();
        match error {
            // Sizes are what they say: that of a whole blob is shown.
            BlobError::AnotherSize { .. }
            | BlobError::Empty
            | BlobError::TooLarge { .. }
            | BlobError::NoSuchRange { .. }
            | BlobError::Wrong { .. } => Self::Theirs(why),
            _ => Self::Own(why),
        }
    }
}

impl From<HandoverError> for Failed {
    fn from(error: HandoverError) -> Self {
        let why = error.to_string();
        match error {
            HandoverError::Randomness(_)
            | HandoverError::Io(_)
            | HandoverError::File { .. }
            | HandoverError::NotAKey { .. } => Self::Own(why),
            _ => Self::Theirs(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use gradproof_blobs::Root;

    use super::*;

    #[test]
    fn what_this_machine_lacks_says_nothing_of_others() {
        let root = Root::of(b"x");
        let full = BlobError::Full { needed_bytes: 2, free_bytes: 1, limit_bytes: 3 };
        let io = || std::io::Error::other("no space");
        let own: [Failed; 7] = [
            full.into(),
            BlobError::TooMany { what: "incomplete blobs", limit: 64 }.into(),
            BlobError::Unknown(root).into(),
            BlobError::Io { path: "x".into(), source: io() }.into(),
            HandoverError::Io(io()).into(),
            HandoverError::File { path: "x".into(), source: io() }.into(),
            Trouble("the disk is full".into()).into(),
        ];
        assert!(own.iter().all(|failed| matches!(failed, Failed::Own(_))), "{own:?}");
        let theirs: [Failed; 5] = [
            BlobError::AnotherSize { root, expected: 1, got: 2 }.into(),
            BlobError::Wrong { root, index: 0, reason: "" }.into(),
            HandoverError::AnotherKey.into(),
            HandoverError::Changed { part: 0 }.into(),
            HandoverError::WrapRefused.into(),
        ];
        assert!(theirs.iter().all(|failed| matches!(failed, Failed::Theirs(_))), "{theirs:?}");
    }

    #[test]
    fn a_failure_of_this_machine_is_not_forgotten_over_those_of_others() {
        let theirs = || Failed::Theirs("no".into());
        let own = || Failed::Own("full".into());
        assert!(matches!(theirs().after(own()), Failed::Own(_)) && matches!(own().after(theirs()), Failed::Own(_)));
        assert!(matches!(theirs().after(theirs()), Failed::Theirs(_)));
    }
}
