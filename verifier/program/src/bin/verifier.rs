//! `verifier`: checks proofs of training.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gradproof_terminal::{EXIT_CODES, exit};
use gradproof_verifier_program::{export, key, verify};

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
    /// The key is `verifying.key` beside the proofs or the statement, if its digest is the statement's.
    ///
    /// Examples:
    ///
    ///   verifier verify --statement posted/statement.json --proofs trained
    ///
    ///   verifier verify --statement posted/statement.json --proofs posted --registrations
    #[command(after_help = EXIT_CODES, verbatim_doc_comment)]
    Verify(verify::Arguments),
    /// Derives the verifying key of a shape, shows its digest, and compares it with that in a statement.
    ///
    /// A statement pins its key by this digest. Whoever derives the key needs to trust nobody for it but the ceremony that made
    /// the powers of tau.
    ///
    /// Examples:
    ///
    ///   verifier key --statement out/statement.json
    ///
    ///   verifier key --layers 784,128,128,10 --batch 64 --steps 64 --profile chain \
    ///     --setup powers.ptau --out verifying.key
    #[command(after_help = EXIT_CODES, verbatim_doc_comment)]
    Key(key::Arguments),
    /// Writes the Solidity contracts that verify segments under a key, and proofs as their call data.
    ///
    /// The sources and the settings are complete, so that the same key gives the same bytes everywhere: clients compile them
    /// again and compare the code that is deployed. Keys of the insecure set-up are refused without --insecure.
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
