//! `provider`: trains models and proves how.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gradproof_terminal::{EXIT_CODES, exit};
use gradproof_worker::{Bench, CheckJob, Demo, Explain, Prove, Train, keep_large_blocks};

/// Trains networks in exact integers, and proves every step.
///
/// New here? `provider demo` shows everything on built-in digits. Then write a job file, and run:
///
///   provider prove --job job.toml --out out
///   verifier verify --statement out/statement.json --proofs out
///
/// Core proofs are NOT zero-knowledge: their messages depend on data and weights. Without `--setup` the set-up is INSECURE:
/// anyone can forge proofs under it.
#[derive(Parser)]
#[command(name = "provider", version, verbatim_doc_comment, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Trains a job and proves every segment of it.
    ///
    /// Writes `statement.json`, the registrations, each segment's proof as soon as it is made, the trained weights
    /// (`weights.exact.safetensors`, the proved ones, and `weights.safetensors`, rounded for PyTorch), and `report.json`. You may
    /// interrupt it at any time: only the segment in progress is lost, and `--resume` goes on after the last finished one.
    ///
    /// Core proofs are NOT zero-knowledge: their messages depend on data and weights.
    ///
    /// Example: provider prove --job job.toml --out out
    #[command(after_help = EXIT_CODES)]
    Prove(Prove),
    /// Trains a job without proving it.
    ///
    /// The weights are the same, bit for bit. `--traces` writes what a prover needs into files of about
    /// `8 · batch · steps · widths` bytes a segment.
    ///
    /// Example: provider train --job job.toml --out out --traces traces
    #[command(after_help = EXIT_CODES)]
    Train(Train),
    /// Compares a job of a market with its statement, before you accept the job.
    ///
    /// Compares verifiers, data, first parameters, rates and segments, because the market pays only for proofs of the job's terms.
    /// Generates the code of market and verifiers, and compares that too. Prints what the job pays, and how the bond can be lost.
    /// Sends no transaction.
    ///
    /// Example: provider check-job --rpc http://127.0.0.1:8545 --deployment deployment.json --job 0x… \
    ///            --statement posted/statement.json --key posted/verifying.key --contracts contracts
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    CheckJob(CheckJob),
    /// Says where a job of a market stands: its batches, who may act now and later, until when, and what happens if nobody does.
    ///
    /// Sends no transaction.
    ///
    /// Example: provider explain --rpc http://127.0.0.1:8545 --deployment deployment.json --job 0x…
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Explain(Explain),
    /// Measures one segment of a given shape: training, each part of the proof, verification.
    ///
    /// If the input has 784 values, the data are the built-in digits, repeated; otherwise they are made up.
    ///
    /// Example: provider bench --layers 784,128,128,10 --batch 64 --steps 64
    #[command(after_help = EXIT_CODES)]
    Bench(Bench),
    /// Trains on the built-in digits, proves every step, verifies the proofs, and prints how long each took.
    ///
    /// The set-up is insecure, for trying things out. Core proofs (`provider prove --proof core`) are NOT zero-knowledge.
    #[command(after_help = EXIT_CODES)]
    Demo(Demo),
}

fn main() -> ExitCode {
    keep_large_blocks();
    exit(match Arguments::parse().task {
        Task::Prove(task) => task.run(),
        Task::Train(task) => task.run(),
        Task::CheckJob(task) => task.run(),
        Task::Explain(task) => task.run(),
        Task::Bench(task) => task.run(),
        Task::Demo(task) => task.run(),
    })
}
