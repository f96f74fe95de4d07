//! The parts of a job that have a proof of their own, and the names of their files.

use std::fmt::{Display, Formatter};

/// A part of a job, in the order in which a verifier takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The statement itself, which has no proof.
    Statement,
    /// Registration of the first parameters.
    Parameters,
    /// Registration of the data of a position of the epoch.
    Data(u64),
    /// A segment of training.
    Segment(u64),
}

impl Part {
    /// Name of the file of its proof: `parameters.proof`, `data-0000.proof`, `segment-0000.proof`.
    pub fn file_name(&self) -> String {
        match self {
            Self::Statement => "statement.json".into(),
            Self::Parameters => "parameters.proof".into(),
            Self::Data(position) => format!("data-{position:04}.proof"),
            Self::Segment(index) => format!("segment-{index:04}.proof"),
        }
    }

    /// The part whose proof has this name, if it is spelled as [`Self::file_name`] does.
    pub fn of_file_name(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(".proof")?;
        let number = |prefix| stem.strip_prefix(prefix).and_then(|digits: &str| digits.parse().ok());
        let part = match (number("data-"), number("segment-")) {
            (Some(position), _) => Self::Data(position),
            (_, Some(index)) => Self::Segment(index),
            _ => Self::Parameters,
        };
        (part.file_name() == name).then_some(part)
    }
}

impl Display for Part {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Statement => write!(f, "statement"),
            Self::Parameters => write!(f, "parameters"),
            Self::Data(position) => write!(f, "data position {position}"),
            Self::Segment(index) => write!(f, "segment {index}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for part in [Part::Parameters, Part::Data(0), Part::Segment(7), Part::Segment(12_345), Part::Data(u64::MAX)] {
            assert_eq!(Part::of_file_name(&part.file_name()), Some(part));
        }
        for name in
            ["segment-1.proof", "segment-+001.proof", "segment-00001.proof", "segment-0001", "x.proof", ".proof"]
        {
            assert_eq!(Part::of_file_name(name), None, "{name}");
        }
    }
}
