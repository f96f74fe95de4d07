//! `requester example`: a job file to begin with.

use eyre::Result;
use gradproof_terminal::{Outcome, print};

use gradproof_training::job::example::Example;

/// Prints a complete, commented job file.
#[derive(clap::Args, Clone, Debug)]
pub struct PrintExample {
    /// Format of the data.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "digits")]
    pub format: Example,
}

impl PrintExample {
    /// Runs `requester example`.
    ///
    /// # Errors
    /// None.
    pub fn run(&self) -> Result<Outcome> {
        print(self.format.text().trim_end());
        Ok(Outcome::Done)
    }
}
