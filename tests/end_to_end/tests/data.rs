//! The digits that are built in, against the full MNIST where it is, and the order in which a job takes them.

use gradproof_tests::{check_vector, root, skip};
use gradproof_training::data::{DataSet, Scaling, digits};
use gradproof_training::job::Job;
use gradproof_training::job::example::Example;
use sha3::{Digest, Keccak256};

const SCALING: Scaling = Scaling { activation_bits: 8, factor: None };

/// `sample` is the first rows of `full`.
fn assert_starts_with(full: &DataSet, sample: &DataSet) {
    assert_eq!((full.width, full.classes), (sample.width, sample.classes));
    assert!(full.inputs.starts_with(&sample.inputs) && full.labels.starts_with(&sample.labels));
}

#[test]
fn built_in_digits_are_the_first_of_mnist() {
    let mnist = root().join("data").join("mnist");
    if !mnist.join("train-images-idx3-ubyte").exists() {
        return skip(
            "built_in_digits_are_the_first_of_mnist",
            "the full MNIST in data/mnist/",
            "`cargo xtask fetch-data` puts it there",
        );
    }
    let sample = digits(&SCALING).expect("the built-in digits can be read");
    let text = Example::of("idx").expect("there is this format").text();
    let Job { train, test, .. } = Job::parse(&root().join("job.toml"), &text).expect("MNIST can be read");
    let test = test.expect("there is a test set");
    assert_eq!((train.rows, test.rows), (60_000, 10_000));
    assert_starts_with(&train, &sample.train);
    assert_starts_with(&test, &sample.test);
}

#[test]
fn vector_of_the_demonstration() {
    let job = Job::demo().expect("the demonstration is a valid job");
    let segments: Vec<_> = (0..job.segments())
        .map(|index| {
            let segment = job.segment(index).expect("the job has this segment");
            let rows = job.segment_rows(segment.position).expect("the segment has rows");
            let inputs: Vec<u8> = rows.inputs.iter().flat_map(|value| value.to_le_bytes()).collect();
            let labels: Vec<u8> = rows.labels.iter().flat_map(|label| label.to_le_bytes()).collect();
            serde_json::json!({
                "epoch": segment.epoch,
                "position": segment.position,
                "live": segment.live,
                "rate": segment.rate,
                "keccak256_inputs": hex(&Keccak256::digest(inputs)),
                "keccak256_labels": hex(&Keccak256::digest(labels)),
            })
        })
        .collect();
    let vector = serde_json::json!({ "architecture": job.architecture, "segments": segments });
    check_vector("demo-job.json", &vector);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
