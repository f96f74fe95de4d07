//! A line of the doctor.

use gradproof_terminal::print;
use serde::Serialize;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Grade {
    /// As it should be.
    Good,
    /// It works, and somebody should know.
    Note,
    /// It does not work.
    Bad,
}

/// What was found about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// The thing.
    pub what: String,
    /// How it is.
    pub grade: Grade,
    /// What was found.
    pub said: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Whether a node that runs in spite of it loses money.
    pub costs: bool,
}

impl Finding {
    /// All is well.
    pub fn good(what: impl Into<String>, said: impl Into<String>) -> Self {
        Self { what: what.into(), grade: Grade::Good, said: said.into(), remedy: None, costs: false }
    }

    /// It works, and `remedy` would make it better.
    pub fn note(what: impl Into<String>, said: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { grade: Grade::Note, remedy: Some(remedy.into()), ..Self::good(what, said) }
    }

    /// It does not work until `remedy` is done.
    pub fn bad(what: impl Into<String>, said: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { grade: Grade::Bad, ..Self::note(what, said, remedy) }
    }

    /// A node that runs in spite of it loses money.
    pub fn costs(self) -> Self {
        Self { costs: true, ..self }
    }

    /// Prints it.
    pub fn print(&self) {
        let Self { what, grade, said, remedy, .. } = self;
        let grade = match grade {
            Grade::Good => "good",
            Grade::Note => "note",
            Grade::Bad => "BAD ",
        };
        let remedy = remedy.as_ref().map_or_else(String::new, |remedy| format!(": {remedy}"));
        print(&format!("{grade}  {what}: {said}{remedy}"));
    }
}
