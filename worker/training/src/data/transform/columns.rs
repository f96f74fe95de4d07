//! Which columns are inputs, and in which order: `columns = ["age", 3]`, or all but some, `columns = { except = ["id"] }`.

use gradproof_circuits::graph::MAX_WIDTH;
use serde::Deserialize;

use crate::data::DataError;
use crate::data::table::{LabelledRows, TablePart};
use crate::job_file::{JobError, Section, nearest_name};

pub(crate) const EXAMPLE: &str = "\
# Which columns are inputs, and in which order, by name in the header or index from 0; or all but some.
# columns = [\"a\", 2]
# columns = { except = [\"id\"] }";

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a column must be a name in the header, or an index from 0")]
pub(crate) enum Column {
    /// By its place, from 0.
    Index(usize),
    /// By its name in the header.
    Name(String),
}

impl std::fmt::Display for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Name(name) => write!(f, "{name:?}"),
        }
    }
}

/// The value of the key.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "columns must be a list of names or indices, or { except = [ … ] }")]
pub(crate) enum Choice {
    /// These, in this order.
    Only(Vec<Column>),
    /// All but these, in the order of the file.
    But(Except),
}

/// Columns to leave out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Except {
    except: Vec<Column>,
}

/// Columns that are inputs.
#[derive(Clone, Debug)]
pub(crate) enum Columns {
    /// All of them, in the order of the file.
    All,
    /// These, in this order.
    Only(Vec<Column>),
    /// All but these, in the order of the file.
    But(Vec<Column>),
}

impl Columns {
    /// What the key says.
    pub fn new(section: &Section<'_>, choice: Option<Choice>) -> Result<Self, JobError> {
        let columns = match choice {
            None => return Ok(Self::All),
            Some(Choice::Only(columns)) => Self::Only(columns),
            Some(Choice::But(Except { except })) => Self::But(except),
        };
        let (Self::Only(listed) | Self::But(listed)) = &columns else { return Ok(columns) };
        if listed.is_empty() {
            return Err(section.value("columns", "empty", "at least one column, or no such key", None));
        }
        Ok(columns)
    }

    /// Indices in the file of the columns that are inputs.
    pub fn of(&self, table: &dyn LabelledRows) -> Result<Vec<usize>, DataError> {
        let label = table.label_column();
        let all = (0..table.columns()).filter(|&column| Some(column) != label);
        let (Self::Only(listed) | Self::But(listed)) = self else { return Ok(all.collect()) };
        let mut places = Vec::new();
        for column in listed {
            let place = place_of(column, table)?;
            let wrong = |expected: &str| Err(wrong(table, column, expected.to_owned()));
            if Some(place) == label {
                return wrong("another one: it is the label, and no input anyway");
            }
            if places.contains(&place) {
                return wrong("each column once in data.columns");
            }
            places.push(place);
        }
        if let Self::But(_) = self {
            places = all.filter(|column| !places.contains(column)).collect();
        }
        if places.is_empty() || places.len() > MAX_WIDTH {
            let got = format!("{} chosen", places.len());
            return Err(table
                .spot(TablePart::Header)
                .malformed(format!("1 to {MAX_WIDTH} columns that are inputs"), got));
        }
        Ok(places)
    }
}

/// The index of a column.
fn place_of(column: &Column, table: &dyn LabelledRows) -> Result<usize, DataError> {
    let names = table.names();
    match column {
        Column::Index(index) if *index < table.columns() => Ok(*index),
        Column::Index(_) => Err(wrong(table, column, format!("0 to {}, the columns of the file", table.columns() - 1))),
        Column::Name(_) if names.is_empty() => {
            Err(wrong(table, column, "an index from 0: the columns of this file have no names".into()))
        }
        Column::Name(name) => named(names, name).map_err(|twice| {
            let nearest = || {
                let nearest = nearest_name(name, names).map(String::as_str).unwrap_or_default();
                format!("one of the header, of which {nearest:?} is the nearest")
            };
            wrong(table, column, twice.unwrap_or_else(nearest))
        }),
    }
}

/// The index of the column of this name.
///
/// # Errors
/// What is expected instead, if there is more than one; nothing if there is none.
pub(crate) fn named(names: &[String], name: &str) -> Result<usize, Option<String>> {
    let mut places = (0..names.len()).filter(|&i| names[i] == name);
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (Some(one), Some(other)) => {
            Err(Some(format!("in the header once, and columns {one} and {other} are named so: give its index")))
        }
        (None, _) => Err(None),
    }
}

fn wrong(table: &dyn LabelledRows, column: &Column, expected: String) -> DataError {
    let mut spot = table.spot(TablePart::Header);
    spot.what = "a column of data.columns".into();
    spot.got = None;
    spot.malformed(expected, column)
}
