//! `verifier`: checks proofs of training.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gradproof_terminal::{EXIT_CODES, exit};
use gradproof_verifier_program::{export, key, verify};

/// Checks proofs of training, without data or weights.
///
/// Core proofs are NOT zero-knowledge: their messages depend on data and weights. Anyone can forge proofs under the insecure
/// set-up.
#[derive(Parser)]
#[command(name = "verifier", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Checks the proofs of a whole job against its public statement: accepts them, or names the check that failed and where.
    ///
    /// The statement must come from the requester, or from where the job was posted. The verifier computes from it every value
    /// that it checks a proof against.
    ///
    /// Core proofs are NOT zero-knowledge: their messages depend on data and weights. Anyone can forge proofs under the insecure
    /// set-up. Every run says so, and so does the JSON (`insecure_setup`, `zero_knowledge`).
    ///
    /// The key is `verifying.key` beside the proofs or the statement, if the statement has its digest.
    ///
    /// Examples:
    ///
    ///   verifier verify --statement posted/statement.json --proofs trained
    ///
    ///   verifier verify --statement posted/statement.json --proofs posted --registrations
    #[command(after_help = EXIT_CODES, verbatim_doc_comment)]
    Verify(verify::Arguments),
    /// Derives the verifying key of a shape, prints its digest, and compares it with the digest in a statement.
    ///
    /// A statement pins its key by this digest. If you derive the key yourself, you only have to trust the ceremony that made the
    /// powers of tau.
    ///
    /// Examples:
    ///
    ///   verifier key --statement out/statement.json
    ///
    ///   verifier key --layers 784,128,128,10 --batch 64 --steps 64 --profile chain \
    ///     --setup powers.ptau --out verifying.key
    #[command(after_help = EXIT_CODES, verbatim_doc_comment)]
    Key(key::Arguments),
    /// Writes the Solidity contracts that verify segments under a key, and proofs as call data for them.
    ///
    /// Sources and settings are complete, so the same key gives the same bytes everywhere: clients compile them again and compare
    /// the result with the deployed code. Without --insecure the command refuses keys of the insecure set-up.
    ///
    /// Example:
    ///
    ///   verifier export-contract --statement bound/statement.json --proofs proved \
    ///     --out contract --insecure
    #[command(after_help = EXIT_CODES, verbatim_doc_comment)]
    ExportContract(export::Arguments),
}

fn main() -> ExitCode {
    exit(match Arguments::parse().task {
        Task::Verify(arguments) => verify::run(&arguments),
        Task::Key(arguments) => key::run(&arguments),
        Task::ExportContract(arguments) => export::run(&arguments),
    })
}
