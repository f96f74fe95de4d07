//! `requester`: posts what is to be trained.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gradproof_verifier::command::{EXIT_CODES, exit};
use gradproof_worker::program::{Commit, keep_large_blocks};

/// Commits to the data and first parameters of a job, so that others can prove how they trained on them.
///
/// Core proofs (`--proof core`) are NOT zero-knowledge: their messages depend on data and weights.
#[derive(Parser)]
#[command(name = "requester", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Commits to data and first parameters; writes the public statement and, apart, the private openings.
    ///
    /// `statement.json` is for everybody: proofs are checked against it. `private/openings.json` is for requester and
    /// provider only: the seed of the blindings, without which the provider cannot prove on these commitments and the
    /// requester cannot open those to the trained weights.
    ///
    /// With `--proof core` the registrations are core proofs, which are NOT zero-knowledge: their messages depend on data and
    /// weights.
    ///
    /// Example: requester commit --job job.toml --out posted
    /// then:    provider prove --job job.toml --statement posted/statement.json --out out
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Commit(Commit),
}

fn main() -> ExitCode {
    keep_large_blocks();
    let Task::Commit(task) = Arguments::parse().task;
    exit(task.run())
}
