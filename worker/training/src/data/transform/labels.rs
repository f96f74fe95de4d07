//! Which class a label is: numbers that count from `first_label`, or the labels of all classes listed in order, `classes`.

use std::collections::{BTreeSet, HashMap};

use gradproof_circuits::graph::MAX_WIDTH;
use serde::Deserialize;

use crate::data::DataError;
use crate::data::table::{Label, LabelledRows, TablePart, is_missing};
use crate::job_file::{JobError, Section};

pub(crate) const EXAMPLE: &str = "\
# The labels of the classes in order, texts or numbers; or, for labels that are numbers, the first of them, 0 unless given.
# classes = [\"no\", \"yes\"]
# first_label = 1";

/// Most labels that an error lists.
const LISTED: usize = 64;
/// Longest label that an error shows, in characters.
const SHOWN: usize = 64;

/// The label of a class, as the job has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a class must be a text or a whole number")]
pub(crate) enum ClassName {
    /// A number.
    Integer(i64),
    /// A text.
    Text(String),
}

impl std::fmt::Display for ClassName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

/// From labels to classes.
#[derive(Clone, Debug)]
pub(crate) enum Classes {
    /// Labels are numbers, of which this one is class 0.
    From(i64),
    /// Labels are listed.
    Listed {
        /// The class of each number.
        integers: HashMap<i128, u16>,
        /// The class of each text.
        texts: HashMap<String, u16>,
        /// The labels in the order of their classes.
        names: Vec<ClassName>,
    },
}

impl Classes {
    /// What the keys say.
    pub fn new(section: &Section<'_>, names: Option<Vec<ClassName>>, first: Option<i64>) -> Result<Self, JobError> {
        let Some(names) = names else { return Ok(Self::From(first.unwrap_or(0))) };
        if first.is_some() {
            return Err(section.presence("first_label", true, "no such key where data.classes lists the labels"));
        }
        if !(1..=MAX_WIDTH).contains(&names.len()) {
            let got = format!("a list of {}", names.len());
            return Err(section.value("classes", got, format!("1 to {MAX_WIDTH} labels"), None));
        }
        let (mut integers, mut texts) = (HashMap::new(), HashMap::new());
        for (class, name) in (0..).zip(&names) {
            let (integer, text) = match name {
                ClassName::Integer(value) => (Some(i128::from(*value)), value.to_string()),
                ClassName::Text(text) => (text.parse().ok(), text.clone()),
            };
            if text.trim() != text {
                let expected = "a label without blanks around it: those of a file are taken without";
                return Err(section.value(&format!("classes[{class}]"), name, expected, None));
            }
            let twice = texts.insert(text, class).is_some()
                | integer.is_some_and(|value| integers.insert(value, class).is_some());
            if twice {
                return Err(section.value(&format!("classes[{class}]"), name, "each label once", None));
            }
        }
        Ok(Self::Listed { integers, texts, names })
    }

    /// The class of a label, which is that of `row`.
    pub fn class_of(&self, table: &dyn LabelledRows, row: usize, label: Label<'_>) -> Result<u16, DataError> {
        match self {
            Self::From(first) => {
                let value = match label {
                    Label::Integer(value) => value,
                    Label::Text(text) => text.parse().map_err(|_| no_number(table, row, text))?,
                };
                match value.checked_sub(i128::from(*first)).and_then(|class| u16::try_from(class).ok()) {
                    Some(class) if usize::from(class) < MAX_WIDTH => Ok(class),
                    _ => {
                        let mut spot = table.spot(TablePart::Label(row));
                        (spot.what, spot.got) = ("a label".into(), None);
                        let last = i128::from(*first) + MAX_WIDTH as i128 - 1;
                        Err(spot.malformed(format!("{first} to {last}"), value))
                    }
                }
            }
            Self::Listed { integers, texts, names } => {
                let class = match label {
                    Label::Integer(value) => integers.get(&value),
                    Label::Text(text) => {
                        texts.get(text).or_else(|| text.parse().ok().and_then(|value| integers.get(&value)))
                    }
                };
                class.copied().ok_or_else(|| {
                    let got = match label {
                        Label::Text(text) if is_missing(text) => return missing(table, row),
                        Label::Text(text) => format!("{:?}", text.chars().take(SHOWN).collect::<String>()),
                        Label::Integer(value) => value.to_string(),
                    };
                    let listed: Vec<String> = names.iter().take(LISTED).map(ClassName::to_string).collect();
                    let expected = format!("one of data.classes, [{}]", listed.join(", "));
                    table.spot(TablePart::Label(row)).malformed(expected, got)
                })
            }
        }
    }
}

/// The error that the label of `row` is no number: the labels of all rows may be texts, which the user can list.
fn no_number(table: &dyn LabelledRows, row: usize, text: &str) -> DataError {
    if is_missing(text) {
        return missing(table, row);
    }
    let mut texts = BTreeSet::new();
    let all = table.each_row(&[], &mut |_, label| {
        if let Label::Text(text) = label
            && texts.len() <= LISTED
            && !is_missing(text)
        {
            texts.insert(text.to_owned());
        }
        Ok(())
    });
    let spot = table.spot(TablePart::Label(row));
    let number = "a label, a whole number";
    match all {
        Ok(()) if texts.len() <= LISTED && texts.iter().all(|text| text.len() <= SHOWN) => {
            let texts: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
            let list = texts.join(", ");
            let expected =
                format!("{number}; for texts list them in the order of their classes: data.classes = [{list}]");
            spot.malformed(expected, "another")
        }
        _ => spot.malformed(format!("{number}; or list the labels in data.classes"), "another"),
    }
}

/// The error that there is no label in `row`.
fn missing(table: &dyn LabelledRows, row: usize) -> DataError {
    table.spot(TablePart::Label(row)).malformed("a label; it is missing: fill it in, or leave the row out", "missing")
}
