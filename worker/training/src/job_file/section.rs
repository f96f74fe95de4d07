//! One table of a job file whose keys depend on what is in it: its parts are read one by one, and errors keep their lines.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::error::{JobError, Origin};

/// Keys of a table of a job file, with the place of each.
pub(crate) struct Section<'a> {
    origin: Origin<'a>,
    name: &'static str,
    table: DeTable<'a>,
    span: Range<usize>,
    /// Keys of the same table that others read: they are known as well.
    beside: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The table `name` of the file.
    pub fn new(origin: Origin<'a>, name: &'static str) -> Result<Self, JobError> {
        let mut document = DeTable::parse(origin.text).map_err(|error| origin.syntax(&error, &[]))?.into_inner();
        let table = document.remove(name).map(|value| (value.span(), value.into_inner()));
        match table {
            Some((span, DeValue::Table(table))) => Ok(Self { origin, name, table, span, beside: vec![] }),
            Some(_) => Err(origin.value(name, "a single value", "a table of keys", None)),
            None => Err(origin.presence(name, false, "a table of keys")),
        }
    }

    /// Takes the entries of these keys out, as a section of their own.
    pub fn take(&mut self, keys: &[&'static str]) -> Self {
        let mut taken = DeTable::new();
        for &key in keys {
            if let Some((key, value)) = self.table.remove_entry(key) {
                taken.insert(key, value);
            }
        }
        self.beside.extend(keys);
        Self { table: taken, span: self.span.clone(), beside: vec![], ..*self }
    }

    /// The keys that are given.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.table.keys().map(|key| key.get_ref().as_ref())
    }

    /// The entries as a structure; it should refuse fields that it does not know.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, JobError> {
        let table = Spanned::new(self.span.clone(), DeValue::Table(self.table.clone()));
        T::deserialize(ValueDeserializer::from(table)).map_err(|error| self.origin.syntax(&error, &self.beside))
    }

    /// A value of `key` that cannot work.
    pub fn value(
        &self,
        key: &str,
        got: impl ToString,
        expected: impl Into<String>,
        nearest: Option<String>,
    ) -> JobError {
        self.origin.value(&format!("{}.{key}", self.name), got, expected, nearest)
    }

    /// A key that is missing, or one that must not be there.
    pub fn presence(&self, key: &str, present: bool, expected: impl Into<String>) -> JobError {
        self.origin.presence(&format!("{}.{key}", self.name), present, expected)
    }

    /// A word that is not one of the `known` ones.
    pub fn unknown(&self, key: &str, word: &str, known: &[&str]) -> JobError {
        self.origin.unknown_word(&format!("{}.{key}", self.name), word, known)
    }

    /// The file that `key` names, which is there.
    pub fn file(&self, key: &str, path: Option<&Path>) -> Result<PathBuf, JobError> {
        match path {
            Some(path) => self.origin.file(&format!("{}.{key}", self.name), path),
            None => Err(self.presence(key, false, "the path of a file")),
        }
    }
}
