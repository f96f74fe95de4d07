//! Proofs of the wrap circuits on a CUDA device, for another program that asks on standard input: docs/gpu.md.
//!
//! # Soundness
//! The proofs are not known to be zero-knowledge: halo2-axiom-gpu commits to the constant 1 where halo2 commits to a random
//! polynomial, and has no mode in which it does not.

use std::io::{BufReader, BufWriter, Write, stderr, stdin, stdout};
use std::process::ExitCode;

use gradproof_prover::device::serve;

mod prover;

fn main() -> ExitCode {
    // Without a device the libraries have ended the program by now.
    match serve(BufReader::new(stdin().lock()), BufWriter::new(stdout().lock()), &mut prover::Cuda::default()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}
