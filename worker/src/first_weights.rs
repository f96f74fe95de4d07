//! `requester first-weights`: the weights that a job starts from, written out.

use std::path::PathBuf;

use eyre::Result;
use gradproof_terminal::atomic::refuse_existing;
use gradproof_terminal::{Outcome, print};
use gradproof_training::parameters_file::{Numbers, write_new_parameters};

use crate::commitments::first_parameters;
use crate::train::load;

/// Writes the first weights of a job: of a seed, which anyone can draw again, or of a file, as they are rounded.
#[derive(clap::Args, Clone, Debug)]
pub struct FirstWeights {
    /// The job file (TOML).
    #[arg(long, value_name = "FILE")]
    pub job: PathBuf,
    /// File for the weights (safetensors); it must not exist yet.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Write the nearest single-precision numbers, for PyTorch, instead of the exact integers.
    #[arg(long)]
    pub float: bool,
    /// Print what was written as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl FirstWeights {
    /// Runs `requester first-weights`.
    ///
    /// # Errors
    /// If the job is refused, or the file is there already or cannot be written.
    pub fn run(&self) -> Result<Outcome> {
        refuse_existing(&self.out)?;
        let job = load(&self.job)?;
        let numbers = if self.float { Numbers::Float } else { Numbers::Exact };
        write_new_parameters(&self.out, &job.architecture, &first_parameters(&job)?, numbers)?;
        let kind = if self.float { "rounded to single precision" } else { "exact" };
        let count = job.architecture.parameters();
        match self.json {
            true => {
                print(&serde_json::json!({ "weights": self.out, "count": count, "exact": !self.float }).to_string())
            }
            false => print(&format!("{}: {count} weights, {kind}", self.out.display())),
        }
        Ok(Outcome::Done)
    }
}
