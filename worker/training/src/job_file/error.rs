//! Why a job file is refused: with the line, the key, and what would work.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::data::error::DataError;

/// Why a job file is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The job file itself cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Read {
        /// The job file.
        file: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Not TOML, a key that is missing, or a value of another type.
    #[error("{}:{line}: {message}", file.display())]
    Syntax {
        /// The job file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A key, or the name of a choice, that does not exist.
    #[error("{}:{line}: unknown name `{name}`, did you mean `{nearest}`? Known here: {}", file.display(), known.join(", "))]
    UnknownName {
        /// The job file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The name.
        name: String,
        /// The known name with the least edit distance.
        nearest: String,
        /// Every name that is known at this place.
        known: Vec<String>,
    },
    /// A value that cannot work.
    #[error(
        "{}:{line}: {key} is {got}, expected {expected}{}", file.display(),
        nearest.as_ref().map(|value| format!("; the nearest that works is {value}")).unwrap_or_default()
    )]
    Value {
        /// The job file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The key, with the tables it is in.
        key: Box<str>,
        /// What would work.
        expected: Box<str>,
        /// The value that was given.
        got: Box<str>,
        /// Nearest value that works.
        nearest: Option<Box<str>>,
    },
    /// A file that the job names is not there.
    #[error(
        "{}:{line}: {key}: there is no file {}{}", file.display(), path.display(),
        hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default()
    )]
    NoFile {
        /// The job file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The key that names it.
        key: String,
        /// Where it was looked for.
        path: PathBuf,
        /// What may help.
        hint: Option<String>,
    },
    /// A file of data is not as it should be.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// The text of a job file and its name: where errors come from.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub file: &'a Path,
    pub text: &'a str,
}

impl Origin<'_> {
    /// A value that cannot work.
    pub fn value(
        &self,
        key: &str,
        got: impl ToString,
        expected: impl Into<String>,
        nearest: Option<String>,
    ) -> JobError {
        JobError::Value {
            file: self.file.into(),
            line: self.line_of(key),
            key: key.into(),
            expected: expected.into().into(),
            got: got.to_string().into(),
            nearest: nearest.map(Into::into),
        }
    }

    /// A key that is missing, or one that must not be there.
    pub fn presence(&self, key: &str, present: bool, expected: impl Into<String>) -> JobError {
        self.value(key, if present { "given" } else { "missing" }, expected, None)
    }

    /// What serde and the TOML parser complain of; `beside` are names that are known at this place besides those that serde knows.
    pub fn syntax(&self, error: &toml::de::Error, beside: &[&str]) -> JobError {
        let (file, line) = (self.file.to_owned(), self.line_at(error.span().map_or(0, |span| span.start)));
        // Serde's wording is the one place that has the known names: "unknown field `a`, expected one of `b`, `c`".
        let message = error.message();
        let unknown = message.starts_with("unknown field") || message.starts_with("unknown variant");
        let mut names = message.split('`').skip(1).step_by(2).map(str::to_owned).filter(|_| unknown);
        if let Some(name) = names.next() {
            let known: Vec<String> = names.chain(beside.iter().map(|&name| name.to_owned())).collect();
            if let Some(nearest) = nearest_name(&name, &known) {
                return JobError::UnknownName { file, line, nearest: nearest.clone(), name, known };
            }
        }
        JobError::Syntax { file, line, message: message.to_owned() }
    }

    /// A word, the value of `key`, that is not one of the `known` ones.
    pub fn unknown_word(&self, key: &str, word: &str, known: &[&str]) -> JobError {
        let known: Vec<String> = known.iter().map(|&word| word.to_owned()).collect();
        let nearest = nearest_name(word, &known).cloned().unwrap_or_default();
        JobError::UnknownName { file: self.file.into(), line: self.line_of(key), name: word.into(), nearest, known }
    }

    /// Checks that a file is there.
    pub fn file(&self, key: &str, path: &Path) -> Result<PathBuf, JobError> {
        let path = self.file.parent().unwrap_or(Path::new("")).join(path);
        if path.is_file() {
            return Ok(path);
        }
        let hint = hint(&path);
        Err(JobError::NoFile { file: self.file.into(), line: self.line_of(key), key: key.into(), path, hint })
    }

    /// Checks that a folder is there.
    pub fn folder(&self, key: &str, path: &Path) -> Result<PathBuf, JobError> {
        let path = self.file.parent().unwrap_or(Path::new("")).join(path);
        if path.is_dir() { Ok(path) } else { Err(self.value(key, path.display(), "a folder that is there", None)) }
    }

    /// Line of the byte at `offset`, from 1.
    fn line_at(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
    }

    /// Line of the value of `key` (`table.key`, `table.list[1].key`), or of the innermost table of it that is there.
    fn line_of(&self, key: &str) -> usize {
        let Ok(document) = DeTable::parse(self.text) else { return 1 };
        let mut offset = document.span().start;
        let document = DeValue::Table(document.into_inner());
        let mut value = &document;
        for name in key.split(['.', '[', ']']).filter(|name| !name.is_empty()) {
            let inner = match value {
                DeValue::Table(table) => table.get(name),
                DeValue::Array(list) => name.parse().ok().and_then(|index: usize| list.get(index)),
                _ => None,
            };
            let Some(inner) = inner else { break };
            offset = inner.span().start;
            value = inner.get_ref();
        }
        self.line_at(offset)
    }
}

/// The name with the least edit distance.
pub(crate) fn nearest_name<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    known.iter().min_by_key(|candidate| strsim::damerau_levenshtein(name, candidate))
}

/// What may help if there is no file at `path`: the most similar one beside it, or the task that makes it.
fn hint(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Some(match name.ends_with("-ubyte") {
            true => "`cargo xtask fetch-data` makes data/mnist/".into(),
            false => format!("nor is there a folder {}", folder.display()),
        });
    };
    let files = entries.flatten().filter(|entry| entry.path().is_file());
    let names: Vec<String> = files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    nearest_name(&name, &names).map(|nearest| format!("the nearest in that folder is {nearest}"))
}
