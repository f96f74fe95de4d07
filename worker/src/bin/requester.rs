//! `requester`: posts jobs, and opens the trained weights.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gradproof_terminal::{EXIT_CODES, exit};
use gradproof_worker::{
    Bind, CheckDeployment, Commit, Deploy, Explain, FirstWeights, Open, PrintExample, keep_large_blocks,
};

/// Commits to the data and the first parameters of a job, opens the trained weights that a provider hands over, and deploys the
/// market that pays providers.
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
    /// Prints a complete job file for one format of data, with a comment for each key.
    ///
    /// Example: requester example --format csv > job.toml
    #[command(after_help = EXIT_CODES)]
    Example(PrintExample),
    /// Commits to data and first parameters; writes the public statement and, separately, the private openings.
    ///
    /// `statement.json` is public: verifiers check proofs against it. `private/openings.json` is for requester and provider only.
    /// It holds the seeds of the blindings. Without them the provider cannot prove on these commitments, and the requester cannot
    /// open the commitments to the trained weights. Either all files appear, or none.
    ///
    /// The statement does not yet say where the job counts. `requester bind` adds that, once chain, contract, job and owner are
    /// known. The registrations of data serve every job on the set under the same key: see --same-data.
    ///
    /// With `--proof core` the registrations are core proofs, which are NOT zero-knowledge: their messages depend on data and
    /// weights.
    ///
    /// Example: requester commit --job job.toml --out posted
    /// then:    provider prove --job job.toml --statement posted/statement.json --out out
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Commit(Commit),
    /// Binds a statement and its openings to chain, contract, job and owner, before the provider proves the job.
    ///
    /// Requester and provider can both run it, and get the same bytes. A bound statement cannot be bound again. The unbound one can,
    /// into another folder: for example when a provider hands a job back and the job gets another owner.
    ///
    /// Example: requester bind --statement posted/statement.json --out bound \
    ///            --chain 1 --contract 0x… --job-id 0x… --owner 0x…
    /// then:    provider prove --job job.toml --statement bound/statement.json --out trained
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Bind(Bind),
    /// Compares the weights from a provider with the proved ones: accepts them, or names the first tensor that differs.
    ///
    /// Verifies the proofs, commits to the weights with the blindings that both requester and provider derive, and compares the
    /// result with the last commitment. It rejects weights of which a single one is one unit off.
    ///
    /// Example: requester open --statement posted/statement.json --proofs trained \
    ///            --weights trained/weights.exact.safetensors
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Open(Open),
    /// Writes the first weights of a job to a file. Anyone can draw the weights of a public seed again.
    ///
    /// Example: requester first-weights --job job.toml --out first.safetensors
    #[command(after_help = EXIT_CODES)]
    FirstWeights(FirstWeights),
    /// Deploys the market on a chain, with a token and the verifiers of a key; writes the addresses to a file.
    ///
    /// The account that pays receives the whole supply of the token, a billion. `deployment.json` has the address of every
    /// contract and the hash of its code. Hand it to the others, who check it with `requester check-deployment`.
    ///
    /// Example: requester deploy --rpc http://127.0.0.1:8545 --signer-key deployer.key --contracts contracts \
    ///            --statement posted/statement.json --key posted/verifying.key --out deployment.json
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Deploy(Deploy),
    /// Compares a deployment with the chain: the code of every contract, the contracts that the market calls, the verifiers' keys.
    #[command(after_help = EXIT_CODES)]
    CheckDeployment(CheckDeployment),
    /// Says where a job of a market stands: its batches, who may act now and later, until when, and what happens if nobody does.
    ///
    /// Sends no transaction.
    ///
    /// Example: requester explain --rpc http://127.0.0.1:8545 --deployment deployment.json --job 0x…
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Explain(Explain),
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
        Task::Explain(task) => task.run(),
    })
}
