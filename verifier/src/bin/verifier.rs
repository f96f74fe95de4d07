//! `verifier`: checks proofs of training.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gradproof_verifier::command::{EXIT_CODES, exit, verify};

/// Checks proofs of training, without the data and without the weights.
///
/// Core proofs are NOT zero-knowledge: their messages depend on data and weights. Proofs under the insecure set-up can be
/// forged by anyone.
#[derive(Parser)]
#[command(name = "verifier", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Checks the proofs of a whole job against its public statement: accepts, or says which check failed where.
    ///
    /// The statement must come from the requester, or from wherever the job was posted. Every value that a proof is checked
    /// against is computed from it.
    ///
    /// Core proofs are NOT zero-knowledge: their messages depend on data and weights. Proofs under the insecure set-up can
    /// be forged by anyone; JSON (`insecure_setup`, `zero_knowledge`) and each run say so.
    ///
    /// Example: verifier verify --statement out/statement.json --proofs out
    #[command(after_help = EXIT_CODES)]
    Verify(verify::Arguments),
}

fn main() -> ExitCode {
    let Task::Verify(arguments) = Arguments::parse().task;
    exit(verify::run(&arguments))
}
