//! `requester`: posts what is to be trained.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gradproof_verifier::command::{EXIT_CODES, exit};
use gradproof_worker::program::{CheckDeployment, Commit, Deploy, keep_large_blocks};

/// Commits to the data and first parameters of a job, so that others can prove how they trained on them; puts the market, in
/// which they are paid for it, on a chain.
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
    /// Puts the market on a chain, with a token and the verifiers of a key; writes where everything is.
    ///
    /// The whole supply of the token, a billion, goes to the account that pays. `deployment.json` has the address of every
    /// contract and the hash of its code: hand it to the others, who check it with `requester check-deployment`.
    ///
    /// Example: requester deploy --rpc http://127.0.0.1:8545 --signer-key deployer.key --contracts contracts \
    ///            --statement posted/statement.json --key posted/verifying.key --out deployment.json
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Deploy(Deploy),
    /// Compares a deployment with the chain: code of every contract, which ones the market calls, keys of the verifiers.
    #[command(after_help = EXIT_CODES)]
    CheckDeployment(CheckDeployment),
}

fn main() -> ExitCode {
    keep_large_blocks();
    exit(match Arguments::parse().task {
        Task::Commit(task) => task.run(),
        Task::Deploy(task) => task.run(),
        Task::CheckDeployment(task) => task.run(),
    })
}
