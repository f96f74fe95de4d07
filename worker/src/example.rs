//! `requester example`: a job file to begin with.

use clap::builder::{PossibleValue, PossibleValuesParser};
use eyre::{OptionExt, Result};
use gradproof_terminal::{Outcome, print};
use gradproof_training::job::example::Example;

/// Prints a complete, commented job file.
#[derive(clap::Args, Clone, Debug)]
pub struct PrintExample {
    /// Format of the data.
    #[arg(long, value_parser = names(), value_name = "FORMAT", default_value = Example::all()[0].name())]
    pub format: String,
}

/// The formats, each with what it is.
fn names() -> PossibleValuesParser {
    let all = Example::all().into_iter();
    PossibleValuesParser::new(all.map(|example| PossibleValue::new(example.name()).help(example.about())))
}

impl PrintExample {
    /// Runs `requester example`.
    ///
    /// # Errors
    /// None that the command line lets through.
    pub fn run(&self) -> Result<Outcome> {
        let example = Example::of(&self.format).ok_or_eyre("there is no such format")?;
        print(example.text().trim_end());
        Ok(Outcome::Done)
    }
}
