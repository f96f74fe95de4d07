//! `requester`: posts what is to be trained.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gradproof_terminal::{EXIT_CODES, exit};
use gradproof_worker::{Bind, CheckDeployment, Commit, Deploy, FirstWeights, Open, PrintExample, keep_large_blocks};

/// Commits to the data and first parameters of a job, so that others can prove how they trained on them; opens the weights that
/// they hand over; puts the market, in which they are paid for it, on a chain.
///
/// A job from its file to the weights:
///
///   requester example > job.toml
///   requester commit --job job.toml --out posted
///   provider prove --job job.toml --statement posted/statement.json --out trained
///   requester open --statement posted/statement.json --proofs trained \
///     --weights trained/weights.exact.safetensors
///
/// Core proofs (`--proof core`) are NOT zero-knowledge: their messages depend on data and weights.
#[derive(Parser)]
#[command(name = "requester", version, verbatim_doc_comment, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Prints a complete, commented job file for one format of data.
    ///
    /// Example: requester example --format csv > job.toml
    #[command(after_help = EXIT_CODES)]
    Example(PrintExample),
    /// Commits to data and first parameters; writes the public statement and, apart, the private openings.
    ///
    /// `statement.json` is for everybody: proofs are checked against it. `private/openings.json` is for requester and
    /// provider only: the seeds of the blindings, without which the provider cannot prove on these commitments and the
    /// requester cannot open those to the trained weights. All files appear together when all are made, or none does.
    ///
    /// The statement does not say yet where the job counts: `requester bind` does, once chain, contract, job and owner are
    /// known. Registrations of data serve every job on the set under the same key, see --same-data.
    ///
    /// With `--proof core` the registrations are core proofs, which are NOT zero-knowledge: their messages depend on data and
    /// weights.
    ///
    /// Example: requester commit --job job.toml --out posted
    /// then:    provider prove --job job.toml --statement posted/statement.json --out out
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Commit(Commit),
    /// Binds a statement and its openings to chain, contract, job and owner, before the job is proved.
    ///
    /// Requester and provider may both do it: they get the same bytes. A bound statement cannot be bound again; the unbound one
    /// can, into another folder: a job that was handed back has another owner then.
    ///
    /// Example: requester bind --statement posted/statement.json --out bound \
    ///            --chain 1 --contract 0x… --job-id 0x… --owner 0x…
    /// then:    provider prove --job job.toml --statement bound/statement.json --out trained
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Bind(Bind),
    /// Compares weights that were handed over with what was proved: accepts, or names the first tensor that differs.
    ///
    /// Verifies the proofs, commits to the weights with the blindings that requester and provider derive alike, and compares
    /// that with the last commitment. One weight that is one unit off is refused.
    ///
    /// Example: requester open --statement posted/statement.json --proofs trained \
    ///            --weights trained/weights.exact.safetensors
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Open(Open),
    /// Writes the first weights of a job out: those of a public seed, which anyone can draw again.
    ///
    /// Example: requester first-weights --job job.toml --out first.safetensors
    #[command(after_help = EXIT_CODES)]
    FirstWeights(FirstWeights),
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
        Task::Example(task) => task.run(),
        Task::Commit(task) => task.run(),
        Task::Bind(task) => task.run(),
        Task::Open(task) => task.run(),
        Task::FirstWeights(task) => task.run(),
        Task::Deploy(task) => task.run(),
        Task::CheckDeployment(task) => task.run(),
    })
}
