//! Segment traces as files.
//!
//! All numbers are little-endian.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `GPTRACE` and a zero byte |
//! | 4 | version, 2 |
//! | 4 | `n`, length of what follows up to the check |
//! | `n` | architecture, live counts and rate, as JSON |
//! | 4 | CRC-32 of all bytes before |
//! | … | tensors: first and last parameters (each layer's weights, then its biases; 64 bits), input (16 bits), labels (16 bits), forward, backward (64 bits) |
//! | 4 | CRC-32 of the tensors |
//!
//! Every length follows from the header, so that the file's length is checked before anything is allocated. The checks are
//! against accidents; that a trace is right is what the proof shows.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use crc32fast::Hasher;
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::program::Claimed;
use gradproof_circuits::trace::{Parameters, SegmentTrace};

const MAGIC: [u8; 8] = *b"GPTRACE\0";
const VERSION: u32 = 2;
/// Longest header that is read.
const HEADER_BYTES: u32 = 1 << 16;
/// Bytes converted at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// Why a trace file is refused or not written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct TraceFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: TraceFileProblem,
}

/// What is wrong with a trace file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceFileProblem {
    /// The system failed to read or write it.
    #[error(transparent)]
    System(#[from] std::io::Error),
    /// It does not begin as a trace does.
    #[error("not a trace file")]
    Magic,
    /// It has another version.
    #[error("format version {got}, expected {VERSION}")]
    Version {
        /// The version found.
        got: u32,
    },
    /// The header is damaged or describes no segment.
    #[error("bad header: {0}")]
    Header(String),
    /// It is truncated or has been extended.
    #[error("{got} bytes, expected {expected}")]
    Length {
        /// Bytes that the header asks for.
        expected: u64,
        /// Bytes it has.
        got: u64,
    },
    /// The tensors are damaged.
    #[error("the tensors are damaged: checksum {got:08x}, expected {expected:08x}")]
    Checksum {
        /// Checksum in the file.
        expected: u32,
        /// Checksum of the tensors.
        got: u32,
    },
    /// The trace to write does not have the architecture's shape.
    #[error("the trace does not fit the architecture")]
    Shape,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    architecture: Architecture,
    live: Live,
    rate: u32,
}

/// Bytes of the tensors of a segment's trace, in a file and in memory.
pub fn tensor_bytes(architecture: &Architecture) -> u64 {
    let samples = architecture.samples() as u64;
    let sums: usize = architecture.program().sums.iter().map(|sum| sum.columns).sum();
    let row = 2 * architecture.inputs() + 2 + 8 * sums;
    16 * architecture.parameters() as u64 + samples * row as u64
}

/// Writes a trace, replacing the file at once when all is written.
///
/// # Errors
/// If the trace does not fit the architecture or the file cannot be written.
pub fn write_trace(path: &Path, architecture: &Architecture, trace: &SegmentTrace) -> Result<(), TraceFileError> {
    let error = |problem| TraceFileError { path: path.into(), problem };
    if !trace.fits(architecture) {
        return Err(error(TraceFileProblem::Shape));
    }
    let header = Header { architecture: architecture.clone(), live: trace.live, rate: trace.rate };
    let header = serde_json::to_vec(&header).map_err(|e| error(TraceFileProblem::Header(e.to_string())))?;
    // A graph of an operator that no written graph may name could not be read again.
    serde_json::from_slice::<Header>(&header).map_err(|e| error(TraceFileProblem::Header(e.to_string())))?;
    gradproof_terminal::atomic::write_private(path, |file| {
        let mut start = [&MAGIC[..], &VERSION.to_le_bytes(), &(header.len() as u32).to_le_bytes(), &header].concat();
        start.extend_from_slice(&crc32fast::hash(&start).to_le_bytes());
        file.write_all(&start)?;
        let mut sink = Sink { file, hasher: Hasher::new() };
        for parameters in [&trace.first, &trace.last] {
            for tensor in parameters.tensors() {
                sink.put(tensor, i64::to_le_bytes)?;
            }
        }
        sink.put(&trace.input, i16::to_le_bytes)?;
        sink.put(&trace.labels, u16::to_le_bytes)?;
        for tensor in trace.forward.iter().chain(&trace.backward) {
            sink.put(tensor, i64::to_le_bytes)?;
        }
        let Sink { file, hasher } = sink;
        file.write_all(&hasher.finalize().to_le_bytes())
    })
    .map_err(|source| error(source.into()))
}

/// Reads a trace and the architecture it was made for.
///
/// # Errors
/// If the file cannot be read, is not a trace of this version, or is truncated, extended or damaged.
pub fn read_trace(path: &Path) -> Result<(Architecture, SegmentTrace), TraceFileError> {
    read(path).map_err(|problem| TraceFileError { path: path.into(), problem })
}

fn read(path: &Path) -> Result<(Architecture, SegmentTrace), TraceFileProblem> {
    let file = File::open(path)?;
    let got = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(CHUNK_BYTES, file);
    let (Header { architecture, live, rate }, start) = read_header(&mut reader, got)?;
    let expected = start + tensor_bytes(&architecture) + 4;
    if got != expected {
        return Err(TraceFileProblem::Length { expected, got });
    }
    let mut source = TraceReader { file: reader, hasher: Hasher::new() };
    let mut parameters = || -> Result<Parameters, TraceFileProblem> {
        let mut parameters = Parameters::default();
        for [inputs, outputs] in architecture.layers() {
            parameters.weights.push(source.take(inputs * outputs, i64::from_le_bytes)?);
            parameters.biases.push(source.take(outputs, i64::from_le_bytes)?);
        }
        Ok(parameters)
    };
    let (first, last) = (parameters()?, parameters()?);
    let samples = architecture.samples();
    let input = source.take(samples * architecture.inputs(), i16::from_le_bytes)?;
    let labels = source.take(samples, u16::from_le_bytes)?;
    let mut tensors = |operands: bool| -> std::io::Result<Vec<Vec<i64>>> {
        let sums = architecture.program().sums.iter().filter(|sum| (sum.claimed == Claimed::Operand) == operands);
        sums.map(|sum| source.take(samples * sum.columns, i64::from_le_bytes)).collect()
    };
    let (forward, backward) = (tensors(false)?, tensors(true)?);
    let TraceReader { mut file, hasher } = source;
    let (got, expected) = (hasher.finalize(), u32::from_le_bytes(array(&mut file)?));
    if got != expected {
        return Err(TraceFileProblem::Checksum { expected, got });
    }
    Ok((architecture, SegmentTrace { live, rate, first, last, input, labels, forward, backward }))
}

/// The checked header, and the number of bytes before the tensors.
fn read_header(reader: &mut impl Read, file_bytes: u64) -> Result<(Header, u64), TraceFileProblem> {
    const FIXED: u64 = 16;
    if file_bytes < FIXED {
        return Err(TraceFileProblem::Length { expected: FIXED, got: file_bytes });
    }
    let magic: [u8; 8] = array(reader)?;
    if magic != MAGIC {
        return Err(TraceFileProblem::Magic);
    }
    let version: [u8; 4] = array(reader)?;
    if u32::from_le_bytes(version) != VERSION {
        return Err(TraceFileProblem::Version { got: u32::from_le_bytes(version) });
    }
    let length: [u8; 4] = array(reader)?;
    let count = u32::from_le_bytes(length);
    let bad = |problem: &str| TraceFileProblem::Header(problem.into());
    if count > HEADER_BYTES {
        return Err(bad("too long"));
    }
    let start = FIXED + u64::from(count) + 4;
    if file_bytes < start {
        return Err(TraceFileProblem::Length { expected: start, got: file_bytes });
    }
    let mut json = vec![0; count as usize];
    reader.read_exact(&mut json)?;
    let check = u32::from_le_bytes(array(reader)?);
    if check != crc32fast::hash(&[&magic[..], &version, &length, &json].concat()) {
        return Err(bad("its checksum is wrong"));
    }
    let header: Header = serde_json::from_slice(&json).map_err(|e| bad(&e.to_string()))?;
    header.architecture.validate_live(header.live).map_err(|e| bad(&e.to_string()))?;
    Ok((header, start))
}

fn array<const N: usize>(reader: &mut impl Read) -> Result<[u8; N], std::io::Error> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

struct Sink<W> {
    file: W,
    hasher: Hasher,
}

impl<W: Write> Sink<W> {
    fn put<T: Copy, const N: usize>(&mut self, values: &[T], bytes_of: fn(T) -> [u8; N]) -> std::io::Result<()> {
        let mut bytes = Vec::with_capacity(CHUNK_BYTES.min(values.len() * N));
        for chunk in values.chunks(CHUNK_BYTES / N) {
            bytes.clear();
            bytes.extend(chunk.iter().flat_map(|&value| bytes_of(value)));
            self.hasher.update(&bytes);
            self.file.write_all(&bytes)?;
        }
        Ok(())
    }
}

struct TraceReader<R> {
    file: R,
    hasher: Hasher,
}

impl<R: Read> TraceReader<R> {
    fn take<T, const N: usize>(&mut self, count: usize, of_bytes: fn([u8; N]) -> T) -> std::io::Result<Vec<T>> {
        let mut values = Vec::with_capacity(count);
        let mut bytes = vec![0; CHUNK_BYTES.min(count * N)];
        while values.len() < count {
            let bytes = &mut bytes[..CHUNK_BYTES.min((count - values.len()) * N)];
            self.file.read_exact(bytes)?;
            self.hasher.update(bytes);
            values.extend(bytes.as_chunks::<N>().0.iter().map(|&word| of_bytes(word)));
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradproof_circuits::network::precision::Precision;
    use proptest::prelude::*;

    fn example() -> (Architecture, SegmentTrace) {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
        let architecture = Architecture::perceptron(&[3, 5, 2], 3, 2, precision).expect("it is possible");
        let parameters = |x: i64| Parameters {
            weights: vec![(0..15).map(|i| i * x).collect(), vec![x; 10]],
            biases: vec![vec![i64::MIN; 5], vec![i64::MAX; 2]],
        };
        let trace = SegmentTrace {
            live: Live { steps: 1, last_rows: 2 },
            rate: 3,
            first: parameters(1),
            last: parameters(-7),
            input: (-12..12).collect(),
            labels: (0..8).collect(),
            forward: vec![(0..40).collect(), (-16..0).collect()],
            backward: vec![(100..140).collect()],
        };
        (architecture, trace)
    }

    fn written() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("segment.trace");
        let (architecture, trace) = example();
        write_trace(&path, &architecture, &trace).expect("written");
        let bytes = std::fs::read(&path).expect("read");
        (folder, path, bytes)
    }

    #[test]
    fn a_trace_is_read_as_it_was_written() {
        let (folder, path, bytes) = written();
        assert_eq!(read_trace(&path).expect("read"), example());
        assert!(bytes.len() as u64 > tensor_bytes(&example().0));
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1, "no temporary file stays");
    }

    #[test]
    fn every_truncation_and_an_extension_are_refused() {
        let (_folder, path, bytes) = written();
        for length in 0..bytes.len() {
            std::fs::write(&path, &bytes[..length]).expect("written");
            assert!(read_trace(&path).is_err(), "{length} bytes");
        }
        std::fs::write(&path, [&bytes[..], &[0]].concat()).expect("written");
        let error = read_trace(&path).expect_err("extended").to_string();
        let expected = format!("segment.trace: {} bytes, expected {}", bytes.len() + 1, bytes.len());
        assert!(error.ends_with(&expected), "{error}");
    }

    #[test]
    fn every_changed_byte_is_refused() {
        let (_folder, path, mut bytes) = written();
        for at in 0..bytes.len() {
            bytes[at] ^= 0x40;
            std::fs::write(&path, &bytes).expect("written");
            assert!(read_trace(&path).is_err(), "byte {at}");
            bytes[at] ^= 0x40;
        }
    }

    #[test]
    fn a_trace_of_another_shape_is_not_written() {
        let (architecture, mut trace) = example();
        trace.forward[0].pop();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("segment.trace");
        assert!(write_trace(&path, &architecture, &trace).is_err());
        assert!(!path.exists());
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), front in 0usize..3) {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("segment.trace");
            let front = [&b""[..], &MAGIC, b"GPTRACE\0\x02\0\0\0"][front];
            std::fs::write(&path, [front, &bytes].concat()).expect("written");
            prop_assert!(read_trace(&path).is_err());
        }
    }
}
