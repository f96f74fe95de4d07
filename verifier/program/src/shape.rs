//! The shape of a job as options.

use eyre::{Result, WrapErr, ensure};
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::precision::Precision;
use gradproof_evm::profile::column_vars;
use gradproof_verifier::protocol::key::{MAX_COLUMN_VARS, MIN_COLUMN_VARS};
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::profile::Profile;

use crate::choice::one_of;

/// Network, segment, columns and kind of proofs. Scales are those of jobs that choose none.
#[derive(clap::Args, Clone, Debug)]
pub struct ShapeOptions {
    /// Widths of the input and of each hidden layer, then the number of classes.
    #[arg(long, value_delimiter = ',', value_name = "WIDTHS", default_value = "784,128,128,10")]
    pub layers: Vec<usize>,
    /// Rows in a step.
    #[arg(long, value_name = "ROWS", default_value_t = 64)]
    pub batch: usize,
    /// Steps in a segment, a power of two.
    #[arg(long, value_name = "STEPS", default_value_t = 64)]
    pub steps: usize,
    /// What the length of columns is chosen for: `local` for fast proofs, `chain` for little gas.
    #[arg(long, value_parser = one_of(&Profile::NAMES), value_name = "PROFILE", default_value = "local")]
    pub profile: Profile,
    /// log2 of the column length, instead of the profile's.
    #[arg(long, value_name = "N", conflicts_with = "profile")]
    pub column_bits: Option<usize>,
    /// Kind of the proofs.
    #[arg(long, value_parser = one_of(&ProofKind::NAMES), value_name = "KIND", default_value = "wrapped")]
    pub proof: ProofKind,
}

impl ShapeOptions {
    /// The network and its segment.
    ///
    /// # Errors
    /// The shape is impossible.
    pub fn architecture(&self) -> Result<Architecture> {
        let precision = Precision::of_classes(self.layers.last().copied().unwrap_or(1));
        let architecture = Architecture::perceptron(&self.layers, self.batch, self.steps, precision);
        architecture.wrap_err("--layers, --batch or --steps")
    }

    /// Variables of a column.
    ///
    /// # Errors
    /// They are too few or too many.
    pub fn column_vars(&self, architecture: &Architecture) -> Result<usize> {
        let bits = self.column_bits.unwrap_or_else(|| column_vars(self.profile, architecture, self.proof));
        let (least, most) = (MIN_COLUMN_VARS, MAX_COLUMN_VARS);
        ensure!((least..=most).contains(&bits), "--column-bits is {bits}, expected {least} to {most}");
        Ok(bits)
    }
}
