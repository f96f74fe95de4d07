//! What proves the circuits: this process, or a device.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use super::program::{Device, DeviceError};

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// A device where there is one and its proofs will do, this process otherwise.
    #[default]
    Auto,
    /// This process.
    Cpu,
    /// A CUDA device, or an error.
    Cuda,
}

impl Choice {
    /// The choices by name.
    pub const NAMES: [(&str, Self); 3] = [("auto", Self::Auto), ("cpu", Self::Cpu), ("cuda", Self::Cuda)];
}

impl FromStr for Choice {
    type Err = BackendError;

    fn from_str(name: &str) -> Result<Self, BackendError> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, choice)| *choice).ok_or_else(|| BackendError::Unknown { got: name.into() })
    }
}

/// Why there is no such backend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// No backend has that name.
    #[error("no backend is called {got:?}: expected auto, cpu or cuda")]
    Unknown {
        /// The name.
        got: String,
    },
    /// The program for CUDA was not built.
    #[error(
        "this build has no CUDA: {0}. Build it with `cargo build --release -p gradproof-cuda --features cuda`, which needs \
         nvcc (docs/gpu.md), or leave out `--backend cuda`"
    )]
    NotBuilt(DeviceError),
    /// There is no device.
    #[error("no CUDA device: {0}. Leave out `--backend cuda` to prove on the CPU")]
    NoDevice(DeviceError),
    /// Proofs have to be zero-knowledge, and those of the device are not known to be.
    #[error(
        "proofs of the CUDA backend are NOT known to be zero-knowledge (docs/gpu.md): add `--without-zero-knowledge` if they \
         need not be, or leave out `--backend cuda`"
    )]
    NotZeroKnowledge,
}

/// What proves the circuits.
#[derive(Clone, Debug, Default)]
pub enum Backend {
    /// This process.
    #[default]
    Cpu,
    /// A CUDA device, by another program.
    Cuda(Arc<Device>),
}

impl Backend {
    /// The backend for `choice`, where `program` is the one for CUDA.
    ///
    /// # Soundness
    /// Without `without_zero_knowledge` no choice leads to a backend whose proofs are not known to be zero-knowledge.
    ///
    /// # Errors
    /// What was asked for by name is not there, or does not do.
    pub fn choose(choice: Choice, without_zero_knowledge: bool, program: &Path) -> Result<Self, BackendError> {
        let start = || Device::start(program).map(|device| Self::Cuda(Arc::new(device)));
        match choice {
            Choice::Cpu => Ok(Self::Cpu),
            Choice::Auto if !without_zero_knowledge => Ok(Self::Cpu),
            Choice::Auto => Ok(start().unwrap_or_default()),
            Choice::Cuda => {
                let backend = start().map_err(|error| match error {
                    DeviceError::Missing { .. } => BackendError::NotBuilt(error),
                    _ => BackendError::NoDevice(error),
                })?;
                if without_zero_knowledge { Ok(backend) } else { Err(BackendError::NotZeroKnowledge) }
            }
        }
    }

    /// True if its proofs are zero-knowledge, as docs/zero-knowledge.md says.
    pub fn is_zero_knowledge(&self) -> bool {
        matches!(self, Self::Cpu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that was not built, and one that ends at once as without a device.
    const MISSING: &str = "/nonexistent/gradproof-cuda";
    const WITHOUT_DEVICE: &str = "/bin/false";

    fn choose(choice: Choice, without_zero_knowledge: bool, program: &str) -> Result<Backend, BackendError> {
        Backend::choose(choice, without_zero_knowledge, Path::new(program))
    }

    #[test]
    fn choices_have_names() {
        for (name, choice) in Choice::NAMES {
            assert_eq!(name.parse::<Choice>().expect("it is one"), choice);
        }
        assert!(matches!("gpu".parse::<Choice>(), Err(BackendError::Unknown { got }) if got == "gpu"));
    }

    #[test]
    fn without_a_device_auto_is_this_process() {
        for program in [MISSING, WITHOUT_DEVICE] {
            for without_zero_knowledge in [false, true] {
                for choice in [Choice::Auto, Choice::Cpu] {
                    let backend = choose(choice, without_zero_knowledge, program).expect("there is always one");
                    assert!(matches!(backend, Backend::Cpu) && backend.is_zero_knowledge());
                }
            }
        }
    }

    #[test]
    fn cuda_by_name_says_what_is_missing() {
        let error = choose(Choice::Cuda, true, MISSING).expect_err("it was not built");
        assert!(matches!(error, BackendError::NotBuilt(_)) && error.to_string().contains("--features cuda"), "{error}");
        let error = choose(Choice::Cuda, true, WITHOUT_DEVICE).expect_err("there is no device");
        assert!(matches!(error, BackendError::NoDevice(_)) && error.to_string().contains("--backend"), "{error}");
    }

    /// A program that is ready, as one with a device is.
    #[cfg(unix)]
    #[test]
    fn a_device_is_used_only_where_zero_knowledge_is_given_up() {
        use std::os::unix::fs::PermissionsExt;

        use crate::device::wire::{GREETING, write_frame};

        let folder = tempfile::tempdir().expect("a folder");
        let (greeting, program) = (folder.path().join("greeting"), folder.path().join("program"));
        let mut frame = Vec::new();
        write_frame(&mut frame, GREETING).expect("memory takes it");
        std::fs::write(&greeting, frame).expect("the disk takes it");
        // It ends with its input.
        std::fs::write(&program, format!("#!/bin/sh\ncat {} -\n", greeting.display())).expect("the disk takes it");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("the file is ours");

        assert!(matches!(Backend::choose(Choice::Cuda, true, &program), Ok(Backend::Cuda(_))));
        assert!(matches!(Backend::choose(Choice::Auto, true, &program), Ok(Backend::Cuda(_))));
        assert!(matches!(Backend::choose(Choice::Auto, false, &program), Ok(Backend::Cpu)));
        assert!(matches!(Backend::choose(Choice::Cuda, false, &program), Err(BackendError::NotZeroKnowledge)));
    }
}
