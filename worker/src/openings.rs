//! `private/openings.json`: what only requester and provider may know.

use std::io::Write;
use std::path::{Path, PathBuf};

use ark_bn254::Fr;
use eyre::{Result, WrapErr, ensure};
use gradproof_prover::randomness::{Use, blindings, fresh_seed, opening_seed};
use gradproof_terminal::atomic;
use gradproof_training::job::InitialWeights;
use gradproof_training::parameters::seed_of;
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::job::{JobStatement, last_seed_digest};
use gradproof_verifier_program::files::read;
use serde::{Deserialize, Serialize};

/// Version of the file.
const VERSION: u32 = 2;
/// Said in the file.
const NOTE: &str = "Secret of requester and provider: the seeds of the blindings with which data and weights are committed. \
                    The provider proves with them; the requester opens the commitments to the trained weights with them.";
/// Largest file that is read, in bytes.
const MAX_BYTES: usize = 1 << 12;

/// The seeds of the blindings that requester and provider derive alike, one a purpose.
///
/// With them and the data or weights the commitments can be opened; with them alone guesses of data and weights can be tried
/// against those. Blindings of everything else are fresh in every proof and kept nowhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    /// Of the data: the set's, for every job on the set.
    pub data: [u8; 32],
    /// Of the first parameters: the public one, if they come from that; what opens the parent's last ones, if they are those.
    pub first: [u8; 32],
    /// Of the parameters after every segment.
    pub last: [u8; 32],
}

impl Seeds {
    /// Seeds of a new job on a new set.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn fresh(weights: &InitialWeights) -> Result<Self> {
        let first = match weights {
            // The blindings are as public as the weights, so that anyone can recompute the commitments. They are not zero
            // because biases are: a column of nothing else would be committed to as the point at infinity.
            InitialWeights::Seed(number) => seed_of(*number),
            InitialWeights::File(_) | InitialWeights::Parent(_) => fresh_seed()?,
        };
        Ok(Self { data: fresh_seed()?, first, last: fresh_seed()? })
    }

    /// What opens the commitments to the parameters after segment `index` of the job with this statement.
    pub fn after(&self, statement: &JobStatement, index: usize) -> [u8; 32] {
        opening_seed(&self.last, Use::LastParameters { statement: &statement.digest(), segment: index as u64 })
    }

    /// The blindings of these commitments.
    pub fn last_blindings(&self, statement: &JobStatement, index: usize, columns: usize) -> Vec<Fr> {
        blindings(&self.after(statement, index), columns)
    }
}

/// The seeds of a job, and which job that is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Openings {
    version: u32,
    /// What the file is for, for whoever finds it.
    note: String,
    /// Digest of the statement that it is for.
    #[serde(with = "hex::bytes")]
    statement: [u8; 32],
    #[serde(with = "hex::bytes")]
    data_seed: [u8; 32],
    #[serde(with = "hex::bytes")]
    first_seed: [u8; 32],
    #[serde(with = "hex::bytes")]
    last_seed: [u8; 32],
}

impl Openings {
    /// The openings of a job.
    pub fn new(statement: &JobStatement, seeds: Seeds) -> Self {
        let Seeds { data, first, last } = seeds;
        let (note, statement) = (NOTE.into(), statement.digest());
        Self { version: VERSION, note, statement, data_seed: data, first_seed: first, last_seed: last }
    }

    /// The seeds.
    pub fn seeds(&self) -> Seeds {
        Seeds { data: self.data_seed, first: self.first_seed, last: self.last_seed }
    }

    /// Where the openings beside a statement in `folder` lie.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join("private").join("openings.json")
    }

    /// Where the openings of the statement in the file `statement` lie, unless somebody says otherwise.
    pub fn beside(statement: &Path) -> PathBuf {
        Self::path(statement.parent().unwrap_or(Path::new("")))
    }

    /// Reads the openings of `statement`.
    ///
    /// # Errors
    /// If the file cannot be read, is of another version, or is for another statement.
    pub fn load(path: &Path, statement: &JobStatement) -> Result<Self> {
        let json: serde_json::Value =
            serde_json::from_slice(&read(path, MAX_BYTES)?).wrap_err_with(|| format!("{}", path.display()))?;
        // The version first: another one has other fields.
        let version = json.get("version").and_then(serde_json::Value::as_u64);
        ensure!(
            version == Some(VERSION.into()),
            "{}: version is {}, expected {VERSION}: commit again",
            path.display(),
            version.map_or("missing".into(), |version| version.to_string())
        );
        let openings: Self = serde_json::from_value(json).wrap_err_with(|| format!("{}", path.display()))?;
        ensure!(
            openings.statement == statement.digest(),
            "{}: these are the openings of another job than the statement's, or of the statement before it was bound; pass \
             the ones that were written with it",
            path.display()
        );
        ensure!(
            last_seed_digest(&openings.last_seed) == statement.last_seed_digest,
            "{}: the statement was made with another last_seed: these are not its openings, whatever they say",
            path.display()
        );
        Ok(openings)
    }

    /// Writes the openings beside the statement in `folder`, readable by the owner only.
    ///
    /// # Errors
    /// What the system reports.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let path = Self::path(folder);
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        let private = path.parent().unwrap_or(folder);
        let save = || {
            std::fs::create_dir_all(private)?;
            restrict(private, 0o700)?;
            atomic::write_private(&path, |file| file.write_all(&bytes))
        };
        save().wrap_err_with(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bolero::check;
    use gradproof_circuits::architecture::Architecture;
    use gradproof_circuits::network::precision::Precision;
    use serde_json::json;

    /// A statement, as far as openings depend on it.
    fn statement(seeds: &Seeds) -> JobStatement {
        let zeros = |bytes: usize| format!("0x{}", "00".repeat(bytes));
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
        let statement = json!({
            "version": gradproof_verifier::protocol::job::VERSION,
            "domain": { "chain": 0, "contract": zeros(20), "job": zeros(32), "owner": zeros(20) },
            "architecture": Architecture::perceptron(&[3, 2], 2, 2, precision).expect("it is possible"),
            "column_vars": 12, "proof": "core", "setup": { "digest": zeros(32), "insecure": true },
            "verifying_key": zeros(32), "data": { "root": zeros(32), "rows": 4, "order": zeros(32) }, "steps": 2,
            "rates": [{ "from_segment": 0, "rate": 1 }], "first_parameters": [], "initial_seed": null,
            "last_seed_digest": hex::encode(&last_seed_digest(&seeds.last)), "parent": null,
        });
        JobStatement::from_json(statement.to_string().as_bytes()).expect("a statement")
    }

    #[test]
    fn any_bytes_are_openings_or_refused() {
        let seeds = Seeds { data: [1; 32], first: [2; 32], last: [3; 32] };
        let statement = statement(&seeds);
        let folder = tempfile::tempdir().expect("a folder");
        Openings::new(&statement, seeds).save(folder.path()).expect("saved");
        let path = Openings::path(folder.path());
        let good = std::fs::read(&path).expect("read");
        assert!(Openings::load(&path, &statement).expect("loaded").seeds() == seeds);
        check!().with_iterations(400).with_type::<(bool, Vec<(u16, u8)>, Vec<u8>)>().for_each(|(near, edits, raw)| {
            let mut bytes = if *near { good.clone() } else { raw.clone() };
            for (at, byte) in edits.iter().take(4).filter(|_| *near) {
                let at = usize::from(*at) % bytes.len();
                bytes[at] = *byte;
            }
            std::fs::write(&path, &bytes).expect("written");
            if let Ok(openings) = Openings::load(&path, &statement) {
                openings.save(folder.path()).expect("saved");
                assert!(Openings::load(&path, &statement).expect("loaded again") == openings);
            }
        });
    }
}
