//! `validator`: sits in committees, trains again what was claimed, and decides complaints.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gradproof_terminal::{EXIT_CODES, exit};
use gradproof_worker::{Explain, RunValidator, Status, ValidatorDoctor, ValidatorInit, keep_large_blocks};

/// Decides whether weights that were paid for were handed over.
///
/// A requester names validators in the terms of its job; each consents by the policy in its configuration. It holds the job's data and
/// openings, trains again what is closed, and says yes or no where the requester complains. It is paid for each complaint that it decides;
/// two answers to one question cost its stake.
///
///   validator init --home validator --rpc URL --rpc ANOTHER --deployment deployment.json --password-file password \
///     --least-fee 5 --most-stake 500
///   node register --home validator --password-file password
///   node stake --home validator --password-file password 1000
///   validator run --home validator --password-file password
#[derive(Parser)]
#[command(name = "validator", version, verbatim_doc_comment, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Makes the folder of a node: configuration, an account with a hot key, peer and encryption keys.
    ///
    /// Nothing is sent. What binds stake has no default: `--least-fee` and `--most-stake`, or two lines of the configuration.
    ///
    /// Example: validator init --home validator --rpc http://127.0.0.1:8545 --deployment deployment.json --password-file password \
    ///            --least-fee 5 --most-stake 500
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Init(ValidatorInit),
    /// Runs the node: consents to committees, gets the data, trains again what is closed, and decides complaints.
    ///
    /// It can be killed at any moment. A word is stored before it is signed, and never changed; what was asked before the folder's store knew
    /// the job, it does not answer. It ends within ten seconds of SIGTERM or Ctrl-C. GRADPROOF_LOG chooses what is logged.
    ///
    /// Example: validator run --home validator --password-file password
    #[command(after_help = EXIT_CODES)]
    Run(RunValidator),
    /// Says what the node's jobs are.
    ///
    /// Example: validator status --home validator
    #[command(after_help = EXIT_CODES)]
    Status(Status),
    /// Examines the node: endpoints and chain, deployment, gas, stake, its entry in the register, addresses, disk, clock, backup.
    ///
    /// Each line says how something is and what to do about it. Exit code 1 if something is bad. `validator run` refuses to run a node
    /// that nobody finds, or that cannot pay for its words.
    ///
    /// Example: validator doctor --home validator --password-file password
    #[command(after_help = EXIT_CODES)]
    Doctor(ValidatorDoctor),
    /// Says where a job stands: its batches, who may act now and later, until when, and what happens to whose money if nobody does.
    ///
    /// Of a job of the node in a folder also what the node does and when, its last transaction about the job, and what it refused. The
    /// node may run meanwhile. With `--rpc` and `--deployment` it is any job of a market. Sends no transaction.
    ///
    /// Example: validator explain --home validator 0x…
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Explain(Explain),
}

fn main() -> ExitCode {
    keep_large_blocks();
    exit(match Arguments::parse().task {
        Task::Init(task) => task.run(),
        Task::Run(task) => task.run(),
        Task::Status(task) => task.run(),
        Task::Doctor(task) => task.run(),
        Task::Explain(task) => task.run(),
    })
}
