//! Traces and weights.

use bolero::check;
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::trace::{Parameters, SegmentTrace};
use gradproof_tests::fuzz::{bounded, near};
use gradproof_tests::networks::perceptron;
use gradproof_training::parameters_file::{Numbers, read_parameters, write_parameters};
use gradproof_training::trace_file::{read_trace, write_trace};

fn example() -> (Architecture, SegmentTrace) {
    let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
    let architecture = perceptron(&[3, 5, 2], 3, 2, precision);
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

/// Makes the two checksums of a trace right, where they stand.
fn repaired(mut bytes: Vec<u8>) -> Vec<u8> {
    let header =
        bytes.get(12..16).map_or(0, |n| n.iter().rev().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte)));
    let end = header.saturating_add(16);
    let len = bytes.len();
    if end.saturating_add(8) <= len {
        let check = crc32fast::hash(&bytes[..end]).to_le_bytes();
        bytes[end..end + 4].copy_from_slice(&check);
        let check = crc32fast::hash(&bytes[end + 4..len - 4]).to_le_bytes();
        bytes[len - 4..].copy_from_slice(&check);
    }
    bytes
}

#[test]
fn traces() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, again) = (folder.path().join("segment.trace"), folder.path().join("again.trace"));
    let (architecture, trace) = example();
    write_trace(&path, &architecture, &trace).expect("written");
    let seeds = [std::fs::read(&path).expect("read")];
    assert_eq!(repaired(seeds[0].clone()), seeds[0]);
    check!().with_iterations(400).for_each(|script: &[u8]| {
        let bytes = match script.split_first() {
            Some((repair, script)) if repair & 1 == 1 => repaired(near(&seeds, script)),
            _ => near(&seeds, script),
        };
        std::fs::write(&path, &bytes).expect("written");
        // The buffer of the file is a mebibyte, and so is that of a tensor.
        let taken = bounded(&bytes, 1 << 22, 4, |_| read_trace(&path));
        if let Ok((architecture, trace)) = taken {
            write_trace(&again, &architecture, &trace).expect("written");
            assert_eq!(read_trace(&again).expect("read"), (architecture, trace));
        }
    });
}

#[test]
fn weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, again) = (folder.path().join("a.safetensors"), folder.path().join("b.safetensors"));
    let (architecture, trace) = example();
    let parameters = Parameters { biases: vec![vec![-5; 5], vec![5; 2]], ..trace.first };
    let seeds = [Numbers::Exact, Numbers::Float].map(|numbers| {
        write_parameters(&path, &architecture, &parameters, numbers).expect("written");
        std::fs::read(&path).expect("read")
    });
    check!().with_iterations(400).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        std::fs::write(&path, &bytes).expect("written");
        if let Ok(read) = bounded(&bytes, 1 << 16, 64, |_| read_parameters(&path, &architecture)) {
            write_parameters(&again, &architecture, &read.parameters, Numbers::Exact).expect("written");
            assert_eq!(read_parameters(&again, &architecture).expect("read").parameters, read.parameters);
        }
    });
}
