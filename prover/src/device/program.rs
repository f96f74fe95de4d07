//! Proofs of circuits by another program on this machine, which has a device.
//!
//! Another program, because the CUDA libraries end the one that they are linked with before `main` where there is no
//! device, and because a fault on the device then ends that program only. See docs/gpu.md.

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};

use ark_bn254::Fr;
use gradproof_circuits::wrap::columns::ADVICE;

use super::wire::{GREETING, Request, answer_from_bytes, answer_to_bytes, read_frame, write_frame};

/// Why a device has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// There is no such program.
    #[error("there is no program {}", program.display())]
    Missing {
        /// The program.
        program: PathBuf,
    },
    /// The program was not ready: it found no device, or lacks a library.
    #[error("{} found no device that it can use ({ended}); run it by hand to see what it says", program.display())]
    NotReady {
        /// The program.
        program: PathBuf,
        /// How it ended.
        ended: String,
    },
    /// The program ended, or said what is no answer.
    #[error("the program with the device is gone: {0}")]
    Gone(#[from] io::Error),
    /// The program says why it has no answer.
    #[error("the device has no proof: {0}")]
    Refused(String),
}

/// A program that makes proofs on a device; it ends with this value.
///
/// # Soundness
/// Nothing that it answers is believed: whoever asks verifies the proof. It is shown the witness.
pub struct Device {
    session: Mutex<Session>,
    child: Option<Child>,
}

/// One request at a time.
struct Session {
    /// None when the program has to end.
    input: Option<Box<dyn Write + Send>>,
    output: Box<dyn Read + Send>,
    keys: u32,
}

impl Device {
    /// Starts `program`, and waits until it has found its device: about a second.
    ///
    /// # Errors
    /// [`DeviceError::Missing`]; [`DeviceError::NotReady`].
    pub fn start(program: &Path) -> Result<Self, DeviceError> {
        let missing = |_| DeviceError::Missing { program: program.into() };
        let command = &mut Command::new(program);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(missing)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(DeviceError::Gone(io::ErrorKind::BrokenPipe.into()));
        };
        match Self::over(BufReader::new(output), BufWriter::new(input)) {
            Ok(mut device) => {
                device.child = Some(child);
                Ok(device)
            }
            Err(_) => {
                // It may still run, if it is another program than was thought.
                let _ = child.kill();
                let ended = child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
                Err(DeviceError::NotReady { program: program.into(), ended })
            }
        }
    }

    /// A program that is spoken to over two streams, once it has said that it is ready.
    ///
    /// # Errors
    /// Those of the streams; something else is said.
    pub fn over(mut output: impl Read + Send + 'static, input: impl Write + Send + 'static) -> io::Result<Self> {
        if read_frame(&mut output)? != GREETING {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "another program, or another version of it"));
        }
        let session = Session { input: Some(Box::new(input)), output: Box::new(output), keys: 0 };
        Ok(Self { session: Mutex::new(session), child: None })
    }

    /// Hands over keys, and gives their number.
    ///
    /// # Errors
    /// [`DeviceError::Gone`]; [`DeviceError::Refused`].
    pub fn load(&self, keys: Vec<u8>) -> Result<u32, DeviceError> {
        let mut session = self.session()?;
        session.ask(&Request::Load(keys))?;
        session.keys += 1;
        Ok(session.keys - 1)
    }

    /// A proof under the keys of that number.
    ///
    /// # Errors
    /// [`DeviceError::Gone`]; [`DeviceError::Refused`].
    pub fn prove(&self, keys: u32, instances: Vec<Fr>, advice: Vec<[Fr; ADVICE]>) -> Result<Vec<u8>, DeviceError> {
        self.session()?.ask(&Request::Prove { keys, instances, advice })
    }

    fn session(&self) -> Result<MutexGuard<'_, Session>, DeviceError> {
        // Whoever panicked while asking has left half a request behind.
        self.session.lock().map_err(|_| DeviceError::Gone(io::ErrorKind::BrokenPipe.into()))
    }
}

impl Session {
    fn ask(&mut self, request: &Request) -> Result<Vec<u8>, DeviceError> {
        let input = self.input.as_mut().ok_or(io::Error::from(io::ErrorKind::BrokenPipe))?;
        write_frame(input, &request.to_bytes())?;
        answer_from_bytes(&read_frame(&mut self.output)?)?.map_err(DeviceError::Refused)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if let Ok(session) = self.session.get_mut() {
            session.input = None;
        }
        if let Some(child) = &mut self.child {
            let _ = child.wait();
        }
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Device").field("child", &self.child).finish_non_exhaustive()
    }
}

/// What a program with a device can do.
pub trait Proves {
    /// Keeps keys, which are numbered from zero in the order of these calls.
    ///
    /// # Errors
    /// Why it cannot.
    fn load(&mut self, keys: &[u8]) -> Result<(), String>;

    /// A proof under the keys of that number.
    ///
    /// # Errors
    /// Why there is none.
    fn prove(&mut self, keys: usize, instances: &[Fr], advice: Vec<[Fr; ADVICE]>) -> Result<Vec<u8>, String>;
}

/// The other side of [`Device`]: says that it is ready, and answers until its input ends.
///
/// # Errors
/// Those of the streams; what is read is no request.
pub fn serve(mut input: impl Read, mut output: impl Write, prover: &mut impl Proves) -> io::Result<()> {
    write_frame(&mut output, GREETING)?;
    loop {
        let content = match read_frame(&mut input) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            content => content?,
        };
        let answer = match Request::from_bytes(&content)? {
            Request::Load(keys) => prover.load(&keys).map(|()| Vec::new()),
            Request::Prove { keys, instances, advice } => prover.prove(keys as usize, &instances, advice),
        };
        write_frame(&mut output, &answer_to_bytes(&answer))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts its keys, and proves by telling what it was asked.
    struct Echo(usize);

    impl Proves for Echo {
        fn load(&mut self, keys: &[u8]) -> Result<(), String> {
            self.0 += keys.len();
            Ok(())
        }

        fn prove(&mut self, keys: usize, instances: &[Fr], advice: Vec<[Fr; ADVICE]>) -> Result<Vec<u8>, String> {
            if advice.is_empty() {
                Err("no rows".into())
            } else {
                Ok(format!("{} {keys} {instances:?}", self.0).into())
            }
        }
    }

    #[test]
    fn a_program_answers_in_order_and_ends_with_its_input() {
        let (input, to_program) = io::pipe().expect("a pipe");
        let (from_program, output) = io::pipe().expect("a pipe");
        let program = std::thread::spawn(move || serve(input, output, &mut Echo(0)));
        let device = Device::over(from_program, to_program).expect("it greets");
        assert_eq!(device.load(vec![7; 3]).expect("it keeps them"), 0);
        assert_eq!(device.load(vec![7; 4]).expect("it keeps them"), 1);
        let one = Fr::from(1);
        assert_eq!(device.prove(1, vec![one], vec![[one; ADVICE]]).expect("it answers"), b"7 1 [1]");
        let refused = device.prove(0, vec![], vec![]).expect_err("there are no rows");
        assert!(matches!(refused, DeviceError::Refused(reason) if reason == "no rows"));
        drop(device);
        program.join().expect("it does not panic").expect("it ends well");
    }

    #[test]
    fn a_program_without_a_device_is_not_ready() {
        let missing = Device::start(Path::new("/nonexistent/gradproof-cuda")).expect_err("there is none");
        assert!(matches!(missing, DeviceError::Missing { .. }), "{missing}");
        // Programs that end without a word, and with the wrong one.
        for program in ["/bin/false", "/bin/pwd"] {
            let error = Device::start(Path::new(program)).expect_err("it does not greet");
            assert!(matches!(error, DeviceError::NotReady { .. }), "{error}");
        }
    }
}
