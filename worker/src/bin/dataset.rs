//! `dataset`: a data owner's sets, and licences for them.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gradproof_terminal::{EXIT_CODES, exit};
use gradproof_worker::{
    DatasetDoctor, DatasetStatus, Explain, InitOwner, License, RegisterDataset, Revoke, Serve, keep_large_blocks,
};

/// Registers data sets in a market, and signs licences, by which others train on them and pay for it.
///
/// Fee and royalty are taken with `node withdraw`.
///
///   dataset init --home owner --rpc URL --rpc ANOTHER --deployment deployment.json --password-file password
///   dataset register --home owner --password-file password --job set.toml --out set --royalty 5
///   dataset license 0x… --home owner --password-file password --requester 0x… --fee 10 --account 0x… \
///     --most-segments 64 --out licence.json
///
/// The requester commits with the folder that `register` wrote, and posts with the licence:
///
///   requester post --home requester --password-file password --job job.toml --price 100 \
///     --licence licence.json --same-data set
///
/// Or it needs neither data nor folder, but `set/dataset.json`, where the owner's node hands the rows to the provider:
///
///   node register --home owner --password-file password
///   dataset serve --home owner --password-file password
///   requester post --home requester --password-file password --job job.toml --price 100 \
///     --licence licence.json --dataset dataset.json
#[derive(Parser)]
#[command(name = "dataset", version, verbatim_doc_comment, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Makes the folder of a data owner's node: configuration, an account with a hot key, peer and encryption keys. Nothing is sent.
    ///
    /// Example: dataset init --home owner --rpc http://127.0.0.1:8545 --deployment deployment.json --password-file password
    #[command(after_help = EXIT_CODES)]
    Init(InitOwner),
    /// Commits to data, and enters root, rows and royalty in the register of data sets; or changes the royalty.
    ///
    /// The root is that of the data in their order, in one shape: values of a row, classes, batch, steps of a segment, length of the columns,
    /// set-up. `DIR/dataset.json` says it. It can be interrupted at any moment and run again.
    ///
    /// The market cannot see who commits to the same data under another root: only those who have data, and the seed of their
    /// blindings in DIR, from the owner can train on this one.
    ///
    /// Example: dataset register --home owner --password-file password --job set.toml --out set --royalty 5
    #[command(after_help = EXIT_CODES)]
    Register(RegisterDataset),
    /// Signs a licence by which one requester may post one job on a set.
    ///
    /// Nothing is sent. A copy stays in the owner's folder, by its nonce. The fee is paid at the start of the job, the royalty with each
    /// batch; a job that is stopped before its first batch pays the fee only, one that is handed back before its start not even that, and the
    /// data were seen.
    ///
    /// Example: dataset license 0x… --home owner --password-file password --requester 0x… --fee 10 --account 0x… --most-segments 64 --out licence.json
    #[command(after_help = EXIT_CODES)]
    License(License),
    /// Runs the data owner's node: it tells which sets it serves, signs licences by the policy of its configuration, and hands the rows of a
    /// set to the provider of a licensed job, to its team, and to the committee.
    ///
    /// The configuration names the folders that `dataset register` wrote. The node must be in the register: `node register`.
    ///
    /// Example: dataset serve --home owner --password-file password
    #[command(after_help = EXIT_CODES)]
    Serve(Serve),
    /// Takes a licence back that no job has. Exit code 1 if a job has it already.
    ///
    /// Example: dataset revoke --home owner --password-file password licence.json
    #[command(after_help = EXIT_CODES)]
    Revoke(Revoke),
    /// Says which sets the node serves, which jobs are on them, and what these paid.
    ///
    /// The node knows a job from its posting, or from the moment it hands rows over, until 14 days after its end.
    ///
    /// Example: dataset status --home owner
    #[command(after_help = EXIT_CODES)]
    Status(DatasetStatus),
    /// Examines the node: endpoints and chain, deployment, gas, earnings, its entry in the register, addresses, disk, clock, backup; and each
    /// set of the configuration: its folder, rows and seed, its entry in the register of data sets, for what licences are signed.
    ///
    /// Each line says how something is and what to do about it. Exit code 1 if something is bad.
    ///
    /// Example: dataset doctor --home owner --password-file password
    #[command(after_help = EXIT_CODES)]
    Doctor(DatasetDoctor),
    /// Says where a job stands: its batches, who may act now and later, until when, and what happens to whose money if nobody does.
    ///
    /// Of a job on a registered set also what fee and royalty it paid, what its owner loses, and who may have the rows. Of a job of the node
    /// in a folder what the node does and when, its last transaction about the job, and what it refused. The node may run meanwhile. With
    /// `--rpc` and `--deployment` it is any job of a market. Sends no transaction.
    ///
    /// Example: dataset explain --home owner 0x…
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Explain(Explain),
}

fn main() -> ExitCode {
    keep_large_blocks();
    exit(match Arguments::parse().task {
        Task::Init(task) => task.run(),
        Task::Serve(task) => task.run(),
        Task::Register(task) => task.run(),
        Task::License(task) => task.run(),
        Task::Revoke(task) => task.run(),
        Task::Status(task) => task.run(),
        Task::Doctor(task) => task.run(),
        Task::Explain(task) => task.run(),
    })
}
