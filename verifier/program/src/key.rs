//! `verifier key`: the verifying key of a shape.

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, ensure};
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::relations::Subject;
use gradproof_evm::gas::segment_gas;
use gradproof_terminal::{Outcome, Progress, atomic, described, print};
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::key_file::KeyFile;
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::powers::ReferenceStrings;
use serde::Serialize;

use crate::files::{is_another_key, read_key, read_statement};
use crate::ptau;
use crate::shape::ShapeOptions;
use crate::warnings::warn;

/// Derives a verifying key.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Which key.
    #[command(flatten)]
    pub key: KeyOptions,
    /// Write the key to this file, for `--key` of other commands; it must not exist yet.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print the result as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Which key is meant.
#[derive(clap::Args, Debug)]
pub struct KeyOptions {
    /// Statement of a job; it gives the shape, and its digest of the key must match.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["layers", "batch", "steps", "profile", "column_bits", "proof"])]
    pub statement: Option<PathBuf>,
    /// The shape, if there is no statement.
    #[command(flatten)]
    pub shape: ShapeOptions,
    /// Powers of tau from a public ceremony (`.ptau` of snarkjs, BN254), which are checked; without them the set-up is INSECURE.
    #[arg(long, value_name = "FILE")]
    pub setup: Option<PathBuf>,
    /// Key file, instead of deriving the key; the command trusts that it was made correctly.
    #[arg(long, value_name = "FILE", conflicts_with = "setup")]
    pub key: Option<PathBuf>,
}

impl KeyOptions {
    /// The key, and the statement if there is one; whether that is for this key is checked only of a key file.
    ///
    /// # Errors
    /// If a file cannot be read, or the shape or the set-up is refused; [`is_another_key`] tells a key file that is not the
    /// statement's.
    pub fn load(&self, quiet: bool) -> Result<(VerifyingKey, Option<JobStatement>)> {
        let statement = self.statement.as_deref().map(read_statement).transpose()?;
        let (architecture, column_vars, kind) = match &statement {
            Some(job) => (job.architecture.clone(), job.column_vars, job.proof),
            None => {
                let architecture = self.shape.architecture()?;
                let column_vars = self.shape.column_vars(&architecture)?;
                (architecture, column_vars, self.shape.proof)
            }
        };
        let key = match &self.key {
            None => derive(&architecture, column_vars, kind, self.setup.as_deref(), quiet)?,
            Some(path) => {
                // A key that the statement does not name is not looked at.
                let stated = statement.as_ref().map(|job| &job.verifying_key);
                read_key(path, &architecture, column_vars, stated).wrap_err("not the key of this shape")?
            }
        };
        ensure!(key.kind() == kind, "the key is for {} proofs, {kind} ones are asked for", key.kind());
        Ok((key, statement))
    }
}

/// A key in numbers.
#[derive(Clone, Debug, Serialize)]
struct Report {
    verifying_key: String,
    setup: String,
    insecure_setup: bool,
    zero_knowledge: bool,
    column_bits: usize,
    columns: usize,
    /// Binary logarithm of the rows of the circuit of segments.
    #[serde(skip_serializing_if = "Option::is_none")]
    circuit_bits: Option<u32>,
    /// Of a segment's transaction, by the formula, without paths of data.
    #[serde(skip_serializing_if = "Option::is_none")]
    gas: Option<u64>,
    /// False for a key that was read from a file, which is trusted.
    derived: bool,
    /// Whether the statement has this key.
    #[serde(skip_serializing_if = "Option::is_none")]
    stated: Option<bool>,
}

/// Runs `verifier key`.
///
/// # Errors
/// If a file cannot be read or written, or the shape or the set-up is refused.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    if let Some(path) = &arguments.out {
        atomic::refuse_existing(path)?;
    }
    let (key, statement) = match arguments.key.load(arguments.json) {
        Err(error) if is_another_key(&error) => {
            let reason = described(&error);
            match arguments.json {
                true => print(&serde_json::json!({ "stated": false, "reason": reason }).to_string()),
                false => print(&format!("REJECTED: {reason}")),
            }
            return Ok(Outcome::Rejected);
        }
        loaded => loaded?,
    };
    let kind = key.kind();
    warn(kind, key.setup.is_insecure());
    if let Some(path) = &arguments.out {
        atomic::write_new(path, &KeyFile::of(&key).to_bytes())?;
    }
    let layout = &key.relations(Subject::Segment).layout;
    let wrap = key.wrap(Subject::Segment);
    let report = Report {
        verifying_key: hex::encode(&key.digest()),
        setup: hex::encode(&key.setup.digest()),
        insecure_setup: key.setup.is_insecure(),
        zero_knowledge: kind == ProofKind::Wrapped,
        column_bits: key.column_vars,
        columns: layout.columns(),
        circuit_bits: wrap.map(|wrap| wrap.size_bits()),
        gas: wrap.map(|_| segment_gas(layout, key.column_vars, 0)),
        derived: arguments.key.key.is_none(),
        stated: statement.as_ref().map(|job| job.verifying_key == key.digest()),
    };
    print(&if arguments.json { serde_json::to_string(&report)? } else { report.table() });
    Ok(if report.stated == Some(false) { Outcome::Rejected } else { Outcome::Done })
}

/// The key of a shape under the powers in the file `setup`, or under the insecure set-up.
fn derive(
    architecture: &Architecture,
    column_vars: usize,
    kind: ProofKind,
    setup: Option<&Path>,
    quiet: bool,
) -> Result<VerifyingKey> {
    let progress = Progress::new(2, "keys", quiet);
    progress.say("committing to the public tables");
    let Some(path) = setup else {
        progress.say("deriving the keys of the circuits");
        return Ok(VerifyingKey::insecure_of(kind, architecture, column_vars)?);
    };
    let setup = ptau::import(path, powers_needed(architecture, column_vars, kind)?)?;
    let key = setup.verifying_key(architecture, column_vars)?;
    progress.advance(1);
    match kind {
        ProofKind::Core => Ok(key),
        ProofKind::Wrapped => {
            progress.say("deriving the keys of the circuits");
            Ok(key.wrapped(&mut ReferenceStrings::new(&setup))?)
        }
    }
}

/// The binary logarithm of the powers of τ that keys of a shape need: the circuits may have more rows than a column has
/// entries.
///
/// # Errors
/// The shape is refused, or a circuit is too large.
pub fn powers_needed(architecture: &Architecture, column_vars: usize, kind: ProofKind) -> Result<u32> {
    let mut bits = column_vars as u32;
    if kind == ProofKind::Wrapped {
        let circuits = VerifyingKey::insecure(architecture, column_vars)?.circuit_bits()?;
        bits = circuits.into_iter().fold(bits, u32::max);
    }
    Ok(bits)
}

impl Report {
    fn table(&self) -> String {
        let mut rows = vec![
            ("verifying key", self.verifying_key.clone()),
            ("set-up", self.setup.clone()),
            ("columns", format!("{} of 2^{}", self.columns, self.column_bits)),
        ];
        if let Some(bits) = self.circuit_bits {
            rows.push(("circuit", format!("2^{bits} rows")));
        }
        if let Some(gas) = self.gas {
            rows.push(("gas of a segment", format!("about {gas}, and the paths of the data")));
        }
        match self.stated {
            Some(true) if self.derived => rows.push(("statement", "has this key".into())),
            Some(true) => rows.push(("statement", "has this key, which is the file's: it was not derived".into())),
            Some(false) => rows.push(("statement", "REJECTED: it has another key".into())),
            None => {}
        }
        let lines: Vec<String> = rows.iter().map(|(name, value)| format!("{name:<17} {value}")).collect();
        lines.join("\n")
    }
}
