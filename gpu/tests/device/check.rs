//! The parts of `gpu-check` on the interpreter, and the program on a machine without a card.

use std::process::Command;

use gradproof_gpu::check::{Sizes, parts};
use gradproof_gpu::{Cuda, Error};

use crate::emulated::device;

#[test]
fn every_part_passes_on_the_interpreter() {
    let mut device = device();
    for part in parts() {
        let figures = part.run(&mut device, &Sizes::small()).unwrap_or_else(|error| panic!("{}: {error}", part.name));
        assert!(!figures.is_empty(), "{}", part.name);
        for (name, figure) in figures {
            assert!(figure.is_finite() && figure > 0.0, "{}: {name} {figure}", part.name);
        }
        assert_eq!(device.driver().live(), 0, "{}", part.name);
    }
}

#[test]
fn without_a_card_the_program_says_so() {
    let Err(error) = Cuda::open(0) else { return };
    assert!(matches!(error, Error::NoDriver | Error::NoDevice { .. } | Error::Driver { .. }), "{error}");
    let output = Command::new(env!("CARGO_BIN_EXE_gpu-check")).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(line["error"], error.to_string());
    let output = Command::new(env!("CARGO_BIN_EXE_gpu-check")).arg("x").output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
}
