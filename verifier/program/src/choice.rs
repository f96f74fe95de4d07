//! Options that take one of a few words.

use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Reads one of the words of `choices`, which `--help` and the error list.
pub fn one_of<T: Copy + Send + Sync + 'static>(
    choices: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(choices.iter().map(|(name, _)| *name)).try_map(|name| {
        let found = choices.iter().find(|(known, _)| *known == name);
        found.map(|(_, choice)| *choice).ok_or("not one of the words")
    })
}
