//! `provider`: trains models and proves how.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gradproof_terminal::{EXIT_CODES, exit};
use gradproof_worker::{
    Accept, Bench, CheckJob, Demo, Explain, Prove, ProviderDoctor, ProviderInit, RunProvider, Status, Team, Train,
    keep_large_blocks,
};

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
    /// Makes the folder of a node: configuration, an account with a hot key, peer and encryption keys.
    ///
    /// Nothing is sent. What can cost a bond has no default: `--least-price` and `--most-bond`, or two lines of the configuration.
    ///
    /// Example: provider init --home provider --rpc http://127.0.0.1:8545 --deployment deployment.json --password-file password \
    ///            --least-price 90 --most-bond 2000
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Init(ProviderInit),
    /// Runs the node: takes jobs, gets their data, trains, proves, delivers, and is paid.
    ///
    /// It can be killed at any moment: what is done is on the chain and in its folder, and it goes on from there. It ends within ten
    /// seconds of SIGTERM or Ctrl-C. GRADPROOF_LOG chooses what is logged.
    ///
    /// Example: provider run --home provider --password-file password
    #[command(after_help = EXIT_CODES)]
    Run(RunProvider),
    /// Takes a job with a transaction that the account signs elsewhere: on another computer, or with a hardware wallet.
    ///
    /// For a folder of `provider init --account`. Runs the node's policy on the job, and prints what is to be signed: contract, call
    /// data, chain, nonce, gas, fees. With `--transaction` it compares what was signed with that, sends it to all endpoints, and waits
    /// until it is in a block. The node that runs on the folder goes on with the job. Exit code 1 if the job is not taken.
    ///
    /// Example: provider accept --home provider 0x… --transaction signed.hex
    #[command(after_help = EXIT_CODES)]
    Accept(Accept),
    /// Calls for members that share the proving of this provider's jobs, or says whom it called.
    ///
    /// Proving costs 20 to 220 times what training costs. Each member trains the whole job as well, compares what this node claims, proves a
    /// part of the claims, and is paid for each proof that it brought; the rest of the price is this provider's, and so is the bond. A member
    /// is a provider whose configuration names this account (`provider.member`). The node may run meanwhile: seats are signed when members
    /// ask. Without options the command prints the call.
    ///
    /// Example: provider team --home provider --pay 30 --bond 40 --members 0x…
    ///          provider team --home provider --end
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Team(Team),
    /// Says what the node's jobs are.
    ///
    /// Example: provider status --home provider
    #[command(after_help = EXIT_CODES)]
    Status(Status),
    /// Examines the node: endpoints and chain, deployment, gas, stake, its entry in the register, addresses, disk, clock, backup, speed.
    ///
    /// Each line says how something is and what to do about it. Exit code 1 if something is bad. `provider run` refuses to run a node
    /// that would lose money by running.
    ///
    /// Example: provider doctor --home provider --password-file password
    #[command(after_help = EXIT_CODES)]
    Doctor(ProviderDoctor),
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
    /// Says where a job stands: its batches, who may act now and later, until when, and what happens to whose money if nobody does.
    ///
    /// Of a job of the node in a folder also what the node does and when, its last transaction about the job, and what it refused. The
    /// node may run meanwhile. With `--rpc` and `--deployment` it is any job of a market. Sends no transaction.
    ///
    /// Example: provider explain --home provider 0x…
    ///          provider explain --rpc http://127.0.0.1:8545 --deployment deployment.json --job 0x…
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
        Task::Init(task) => task.run(),
        Task::Run(task) => task.run(),
        Task::Accept(task) => task.run(),
        Task::Team(task) => task.run(),
        Task::Status(task) => task.run(),
        Task::Doctor(task) => task.run(),
        Task::CheckJob(task) => task.run(),
        Task::Explain(task) => task.run(),
        Task::Bench(task) => task.run(),
        Task::Demo(task) => task.run(),
    })
}
