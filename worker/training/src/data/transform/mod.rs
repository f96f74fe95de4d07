//! What is done to the numbers of any format, before they become fixed point; each transformation is a file here.
//!
//! They are taken in this order: [`columns`], [`labels`], [`standardise`], [`shuffle`], the factor of [`Scaling`]. All of them are in
//! the job and nothing else is, so that the same job and files are the same data on every machine: they use additions,
//! multiplications, divisions and square roots of IEEE 754 doubles in an order that is fixed, and integers.

pub(crate) mod columns;
pub(crate) mod labels;
pub(crate) mod shuffle;
pub(crate) mod standardise;

use serde::Deserialize;

use super::Scaling;
use crate::job_file::{JobError, Section};
use columns::Columns;
use labels::{ClassName, Classes};

/// Keys of all transformations in `[data]`.
pub(crate) const KEYS: &[&str] = &["columns", "classes", "first_label", "standardise", "shuffle", "scale"];

/// What an example says of them.
pub(crate) const EXAMPLES: [&str; 5] =
    [columns::EXAMPLE, labels::EXAMPLE, standardise::EXAMPLE, shuffle::EXAMPLE, super::scaling::EXAMPLE];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    columns: Option<columns::Choice>,
    classes: Option<Vec<ClassName>>,
    first_label: Option<i64>,
    #[serde(default)]
    standardise: bool,
    shuffle: Option<u64>,
    scale: Option<f64>,
}

/// All that is done to the numbers of a data set.
pub(crate) struct Transformations {
    pub columns: Columns,
    pub classes: Classes,
    pub standardise: bool,
    pub shuffle: Option<u64>,
    pub scaling: Scaling,
}

impl Transformations {
    /// Nothing but fixed point.
    pub fn none(scaling: Scaling) -> Self {
        Self { columns: Columns::All, classes: Classes::From(0), standardise: false, shuffle: None, scaling }
    }

    /// What the keys in `section` say.
    pub fn new(section: &Section<'_>, activation_bits: u32) -> Result<Self, JobError> {
        let keys: Keys = section.read()?;
        if let Some(scale) = keys.scale.filter(|scale| !scale.is_normal()) {
            return Err(section.value("scale", scale, "a finite number that is not 0", None));
        }
        Ok(Self {
            columns: Columns::new(section, keys.columns)?,
            classes: Classes::new(section, keys.classes, keys.first_label)?,
            standardise: keys.standardise,
            shuffle: keys.shuffle,
            scaling: Scaling { activation_bits, factor: keys.scale },
        })
    }
}

#[cfg(test)]
mod tests;
