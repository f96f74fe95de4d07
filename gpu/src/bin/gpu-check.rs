//! The program `gpu-check`: does an NVIDIA device compute what the CPU does, and how fast?
//!
//! `gpu-check [NUMBER]` asks the device of that number, 0 without one. It prints one JSON object a line: what the device is, then every
//! part of the check when it is done. It ends with status 1 if there is no device or a part has failed.

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use gradproof_gpu::check::{Sizes, parts};
use gradproof_gpu::{Cuda, Device, Result};
use serde_json::{Map, Value, json};

fn main() -> ExitCode {
    let number = std::env::args().nth(1).map_or(Ok(0), |number| number.parse());
    let passed = match number {
        Ok(number) => check(number),
        Err(_) => {
            print(&json!({ "error": "the number of a device is expected, from 0" }));
            false
        }
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether every part has passed.
fn check(number: usize) -> bool {
    let start = Instant::now();
    let cuda = match Cuda::open(number) {
        Ok(cuda) => cuda,
        Err(error) => {
            print(&json!({ "error": error.to_string() }));
            return false;
        }
    };
    match description(&cuda, start.elapsed().as_secs_f64()) {
        Ok(description) => print(&description),
        Err(error) => print(&json!({ "error": error.to_string() })),
    }
    let mut device = Device::new(cuda);
    let mut passed = true;
    for part in parts() {
        let start = Instant::now();
        let outcome = part.run(&mut device, &Sizes::of_a_card());
        passed &= outcome.is_ok();
        let (figures, error) = match outcome {
            Ok(figures) => (figures, Value::Null),
            Err(error) => (vec![], Value::from(error.to_string())),
        };
        let figures: Map<String, Value> =
            figures.into_iter().map(|(name, figure)| (name.into(), figure.into())).collect();
        let seconds = start.elapsed().as_secs_f64();
        print(
            &json!({ "part": part.name, "passed": error.is_null(), "error": error, "figures": figures, "part_seconds": seconds }),
        );
    }
    passed
}

fn description(cuda: &Cuda, opening_seconds: f64) -> Result<Value> {
    let (free_bytes, total_bytes) = cuda.memory_bytes()?;
    let (multiprocessors, clock_hertz) = cuda.multiprocessors()?;
    Ok(json!({
        "device": cuda.name(),
        "driver_cuda": cuda.version()?,
        "free_bytes": free_bytes,
        "total_bytes": total_bytes,
        "multiprocessors": multiprocessors,
        "clock_hertz": clock_hertz,
        "opening_seconds": opening_seconds,
    }))
}

/// A line on standard output, there for good before the next part can fail.
fn print(value: &Value) {
    let mut out = std::io::stdout().lock();
    // Nobody is left to tell when standard output is closed.
    _ = writeln!(out, "{value}").and_then(|()| out.flush());
}
