//! `node`: the account of a node, and its entry in the register.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gradproof_terminal::{EXIT_CODES, exit};
use gradproof_worker::{Backup, History, Payee, Register, Restore, RotateKey, Stake, Unbond, Withdraw};

/// Enters a node in the register of a market, and moves the tokens of its account.
///
/// `provider init` and `requester init` make a node's folder. Then:
///
///   node register --home provider --password-file password
///   node stake --home provider --password-file password 5000
///   provider run --home provider --password-file password
#[derive(Parser)]
#[command(name = "node", version, verbatim_doc_comment, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Enters the node in the register, or changes its entry: peer key, hot key, encryption key, addresses.
    ///
    /// Example: node register --home provider --password-file password
    #[command(after_help = EXIT_CODES)]
    Register(Register),
    /// Puts tokens of the account into the vault, as stake that bonds are locked from.
    ///
    /// Example: node stake --home provider --password-file password 5000
    #[command(after_help = EXIT_CODES)]
    Stake(Stake),
    /// Takes tokens that back nothing out of the vault.
    ///
    /// Example: node unbond --home provider --password-file password 5000
    #[command(after_help = EXIT_CODES)]
    Unbond(Unbond),
    /// Names the account that is paid instead of this one. It takes that on with `acceptPayee` of the vault; only it changes it again.
    ///
    /// Example: node payee --home provider --password-file password 0x…
    #[command(after_help = EXIT_CODES)]
    Payee(Payee),
    /// Takes what market and vault owe the account.
    ///
    /// Example: node withdraw --home provider --password-file password
    #[command(after_help = EXIT_CODES)]
    Withdraw(Withdraw),
    /// Says how the jobs of an account ended, what was paid in them, and with whom, as the market reported to the register.
    ///
    /// The register proves that the market ended so many jobs of the account this way, with these payments in them and these accounts on
    /// the other side. It does not prove who they are: a requester that is its own provider, under another name, pays itself, and makes
    /// good jobs for the price of gas and fees. So counts, amounts and the number of counterparties are cheap to fake. What is not are jobs
    /// with an account that you know. Failures cannot be taken back, but an account that has some is left, and a new one has no history.
    ///
    /// Example: node history --home provider 0x…
    #[command(after_help = EXIT_CODES)]
    History(History),
    /// Copies what nobody could give back to the node into one file that the password encrypts: keys, configuration, deployment, and of
    /// each job seeds, terms and the secrets that draw.
    ///
    /// Not data, weights or proofs. Make another one after each job that you post.
    ///
    /// Example: node backup --home provider --password-file password provider.backup
    #[command(after_help = EXIT_CODES)]
    Backup(Backup),
    /// Makes the folder of a node from a backup. Nothing is replaced.
    ///
    /// The node takes the nonces of its accounts from the chain, so that it signs nothing in the place of what it sent before. Never run
    /// two nodes with the same keys: they overtake each other's transactions, and one of them may miss a deadline.
    ///
    /// With `--beside` it makes a second node of a provider's account for another machine, which has a hot key and a peer of its own and may
    /// run beside the first one. Both work on the account's jobs; one of them can be lost at any moment.
    ///
    /// Example: node restore --home restored --password-file password provider.backup
    #[command(after_help = EXIT_CODES)]
    Restore(Restore),
    /// Makes a new hot key, enters it in the register, and puts it in the place of the one in use, which is kept beside it.
    ///
    /// The new key must have ether first: the first run makes it and says its address, exit code 1. It can be interrupted at any
    /// moment and run again. No node may run on the folder meanwhile.
    ///
    /// Example: node rotate-key --home provider --password-file password
    #[command(after_help = EXIT_CODES)]
    RotateKey(RotateKey),
}

fn main() -> ExitCode {
    exit(match Arguments::parse().task {
        Task::Register(task) => task.run(),
        Task::Stake(task) => task.run(),
        Task::Unbond(task) => task.run(),
        Task::Payee(task) => task.run(),
        Task::Withdraw(task) => task.run(),
        Task::History(task) => task.run(),
        Task::Backup(task) => task.run(),
        Task::Restore(task) => task.run(),
        Task::RotateKey(task) => task.run(),
    })
}
