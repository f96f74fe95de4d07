//! Complete, commented job files, one for each format of data.

use crate::data::format::{FORMATS, Format};
use crate::data::transform;

/// The example of one format of data.
#[derive(Clone, Copy)]
pub struct Example(&'static dyn Format);

impl Example {
    /// Every example; the first is that for which no format need be named.
    pub fn all() -> Vec<Self> {
        FORMATS.iter().map(|&format| Self(format)).collect()
    }

    /// The example of this format; nothing if there is no such format.
    pub fn of(format: &str) -> Option<Self> {
        Self::all().into_iter().find(|example| example.name() == format)
    }

    /// Name of the format.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// What the format is, in a line.
    pub fn about(self) -> &'static str {
        self.0.about()
    }

    /// The job file.
    pub fn text(self) -> String {
        let parts = self.0.example();
        let names: Vec<String> =
            FORMATS.iter().map(|format| format!("#   {:8} {}", format.name(), format.about())).collect();
        let data = format!(
            "# Formats, each with keys of its own that `requester example --format NAME` shows:\n{}\n{}",
            names.join("\n"),
            parts.data
        );
        let filled = [
            ("{layers}", parts.layers),
            ("{data}", &data),
            ("{transformations}", &transform::EXAMPLES.join("\n")),
            ("{batch}", parts.batch),
            ("{steps}", parts.steps),
            ("{segment}", parts.segment),
            ("{rate}", parts.rate),
            ("{schedule}", parts.schedule),
            ("{exponential}", parts.exponential),
        ];
        let template = include_str!("example.toml.in").to_owned();
        filled.into_iter().fold(template, |text, (name, value)| text.replace(name, value))
    }
}
