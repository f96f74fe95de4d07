//! Keys of a job: verifying key, powers of τ, and the proving keys of the wrap circuits, which are kept on disk.

use std::env::consts::EXE_SUFFIX;
use std::io::Write;
use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, bail, ensure};
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::relations::Subject;
use gradproof_prover::device::backend::{Backend, Choice};
use gradproof_prover::prove::Proved;
use gradproof_prover::wrap::{Wrapper, Wrappers, stored_name};
use gradproof_terminal::atomic;
use gradproof_terminal::cache;
use gradproof_terminal::{Progress, tell};
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::key_file::KeyFile;
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::powers::{ReferenceStrings, Setup};
use gradproof_verifier::protocol::proof::Proof;
use gradproof_verifier_program::key::powers_needed;
use gradproof_verifier_program::one_of;
use gradproof_verifier_program::ptau::import;

/// Name of the program for CUDA devices, which stands beside this one if it was built.
const CUDA_PROGRAM: &str = "gradproof-cuda";

/// Which proofs are made, under which set-up, and on what.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct KeyOptions {
    /// Kind of proofs: `wrapped` proofs are short and zero-knowledge; `core` proofs are neither, and need no circuit.
    ///
    /// A statement says which kind it is for. Without a statement and without this option, proofs are wrapped.
    #[arg(long, value_parser = one_of(&ProofKind::NAMES), value_name = "KIND")]
    pub proof: Option<ProofKind>,
    /// Powers of tau from a public ceremony (`.ptau` of snarkjs, BN254), which are checked; without it the set-up is INSECURE.
    ///
    /// Verifiers then need `verifying.key`, which is written beside the statement.
    #[arg(long, value_name = "FILE")]
    pub setup: Option<PathBuf>,
    /// Folder that keeps the proving keys of the wrap circuits [default: `gradproof` in the user's cache folder].
    #[arg(long, value_name = "DIR")]
    pub key_cache: Option<PathBuf>,
    /// What proves the circuits of wrapped proofs. `auto` uses the CPU unless `--without-zero-knowledge` is given.
    ///
    /// `cuda` needs an NVIDIA device, and the program `gradproof-cuda` beside this one: see docs/gpu.md.
    #[arg(long, value_parser = one_of(&Choice::NAMES), value_name = "BACKEND", default_value = "auto")]
    pub backend: Choice,
    /// Allow wrapped proofs that are NOT known to be zero-knowledge, such as those of CUDA devices.
    #[arg(long)]
    pub without_zero_knowledge: bool,
}

impl KeyOptions {
    /// The kind of proofs, where a statement that was given asks for `stated`.
    pub fn kind(&self, stated: Option<ProofKind>) -> Result<ProofKind> {
        if let (Some(asked), Some(stated)) = (self.proof, stated) {
            ensure!(
                asked == stated,
                "--proof {asked} does not fit the statement, which is for {stated} proofs: leave the option out"
            );
        }
        Ok(stated.or(self.proof).unwrap_or_default())
    }

    /// The keys of a shape.
    pub fn keys(
        &self,
        architecture: &Architecture,
        column_vars: usize,
        kind: ProofKind,
        progress: &Progress,
    ) -> Result<Keys> {
        let backend = if kind == ProofKind::Wrapped { self.backend()? } else { Backend::Cpu };
        let of_circuits = [
            ("--backend", self.backend != Choice::Auto),
            ("--key-cache", self.key_cache.is_some()),
            ("--without-zero-knowledge", self.without_zero_knowledge),
        ];
        if let Some((option, _)) = of_circuits.iter().find(|(_, given)| *given && kind == ProofKind::Core) {
            bail!("{option} is for the circuits of wrapped proofs, and these are core proofs: leave it out");
        }
        progress.say("preparing the set-up");
        let mut keys = match &self.setup {
            None => Keys::insecure(architecture, column_vars)?,
            Some(path) => {
                let setup = import(path, powers_needed(architecture, column_vars, kind)?)?;
                let key = setup.verifying_key(architecture, column_vars)?;
                Keys { key, setup, wrappers: None, zero_knowledge: false }
            }
        };
        if kind == ProofKind::Wrapped {
            let folder = self.key_cache.clone().or_else(cache::folder);
            keys.wrap(folder.as_deref(), &backend, progress)?;
        }
        Ok(keys)
    }

    /// What proves the circuits.
    fn backend(&self) -> Result<Backend> {
        let program = std::env::current_exe().wrap_err("cannot tell where this program stands")?;
        let program = program.with_file_name(format!("{CUDA_PROGRAM}{EXE_SUFFIX}"));
        Ok(Backend::choose(self.backend, self.without_zero_knowledge, &program)?)
    }
}

/// A verifying key, and the powers of τ that belong to it.
pub struct Keys {
    pub key: VerifyingKey,
    pub setup: Setup,
    /// For wrapped proofs.
    pub wrappers: Option<Wrappers>,
    /// True if the proofs are zero-knowledge.
    pub zero_knowledge: bool,
}

impl Keys {
    /// The keys of core proofs of a shape under the insecure set-up.
    pub fn insecure(architecture: &Architecture, column_vars: usize) -> Result<Self> {
        let key = VerifyingKey::insecure(architecture, column_vars)?;
        Ok(Self { key, setup: Setup::insecure(column_vars as u32)?, wrappers: None, zero_knowledge: false })
    }

    /// Makes these the keys of wrapped proofs on `backend`: takes the circuits' keys from `folder`, or makes them and puts
    /// them there.
    fn wrap(&mut self, folder: Option<&Path>, backend: &Backend, progress: &Progress) -> Result<()> {
        let mut strings = ReferenceStrings::new(&self.setup);
        let (key, setup) = (&self.key, &self.setup);
        // All circuits are known to be small enough before the first key is made.
        key.circuit_bits()?;
        let wrappers = Wrappers::new(|subject| -> Result<Wrapper> {
            let name = stored_name(key, subject);
            let path =
                folder.map(|folder| folder.join(format!("{}.wrap", hex::encode(&name).trim_start_matches("0x"))));
            if let Some(bytes) = path.as_deref().and_then(|path| std::fs::read(path).ok()) {
                progress.say("reading the keys of the circuits");
                match Wrapper::from_bytes(&bytes, &name, setup) {
                    Ok(wrapper) => return Ok(wrapper.on(backend)?),
                    Err(error) => progress.say(format!("making a stored key anew: {error}")),
                }
            }
            progress.say(format!("making the keys of the circuit for {}, once for each shape", subject_name(subject)));
            let wrapper = Wrapper::new(key.relations(subject), &mut strings)?;
            if let (Some(folder), Some(path)) = (folder, &path) {
                std::fs::create_dir_all(folder)
                    .and_then(|()| atomic::write(path, |file| file.write_all(&wrapper.to_bytes(&name))))
                    .wrap_err_with(|| {
                        let folder = folder.display();
                        format!(
                            "the circuit's keys cannot be kept in {folder} (--key-cache DIR chooses another folder)"
                        )
                    })?;
            }
            Ok(wrapper.on(backend)?)
        })?;
        self.key = wrappers.verifying_key(self.key.clone());
        self.wrappers = Some(wrappers);
        self.zero_knowledge = backend.is_zero_knowledge();
        if !self.zero_knowledge {
            tell(
                "WARNING: proofs of the CUDA device are NOT known to be zero-knowledge, and verifiers cannot tell them apart",
            );
        }
        Ok(())
    }

    /// What verifiers need besides the statement, as a file, unless they can make it in no time.
    pub fn file(&self) -> Option<Vec<u8>> {
        let quick = self.key.setup.is_insecure() && self.wrappers.is_none();
        (!quick).then(|| KeyFile::of(&self.key).to_bytes())
    }

    /// The proof in the kind of these keys.
    pub fn finish(&self, subject: Subject, proved: Proved) -> Result<Proof> {
        match &self.wrappers {
            None => Ok(proved.proof),
            Some(wrappers) => {
                let relations = self.key.relations(subject);
                Ok(wrappers.get(subject).wrap(relations, &proved.publics, proved.proof)?)
            }
        }
    }
}

/// The powers of τ that belong to a key of core or wrapped proofs, as many as a column has entries: from the file of its
/// ceremony, or those that everybody knows.
///
/// # Errors
/// If the file is missing, refused, or of another ceremony.
pub fn setup_of(key: &VerifyingKey, file: Option<&Path>) -> Result<Setup> {
    let bits = key.column_vars as u32;
    match (file, key.setup.is_insecure()) {
        (None, true) => Ok(Setup::insecure(bits)?),
        (None, false) => bail!("the set-up is that of a ceremony: give its powers with --setup FILE"),
        (Some(path), true) => bail!("--setup {}: the job has the insecure set-up, without a file", path.display()),
        (Some(path), false) => {
            let setup = import(path, bits)?;
            ensure!(setup.key == key.setup, "{} is of another ceremony than the job's", path.display());
            Ok(setup)
        }
    }
}

fn subject_name(subject: Subject) -> &'static str {
    match subject {
        Subject::Segment => "segments",
        Subject::Data => "data",
        Subject::Parameters => "first parameters",
    }
}
