//! `requester`: posts jobs, and opens the trained weights.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gradproof_terminal::{EXIT_CODES, exit};
use gradproof_worker::{
    Acknowledge, AskLicence, Bind, Cancel, CheckDeployment, Commit, Complain, Deploy, Explain, Fetch, FindData,
    FirstWeights, Init, Open, Post, PrintExample, Quote, Recover, Reopen, RequesterDoctor, RunRequester, Status, Stop,
    keep_large_blocks,
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
    /// Makes the folder of a node: configuration, an account with a hot key, peer and encryption keys. Nothing is sent.
    ///
    /// Example: requester init --home requester --rpc http://127.0.0.1:8545 --deployment deployment.json --password-file password
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Init(Init),
    /// Asks the providers in the register at which price they would train a job, and prints what each says. Nothing is posted or sent.
    ///
    /// A quote is signed, and holds for two minutes; it is about the job's shape and length, and `requester post --to best` asks again.
    /// Exit code 1 if nobody quotes a price within --price: then it says by how much the least one is higher.
    ///
    /// Example: requester quote --home requester --password-file password --job job.toml --price 100 --batch 16
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Quote(Quote),
    /// Lists the registered data sets that data owners serve, with their shapes and what a licence costs. Nothing is sent.
    ///
    /// Exit code 1 if there is none.
    ///
    /// Example: requester find-data --home requester --password-file password
    #[command(after_help = EXIT_CODES)]
    FindData(FindData),
    /// Asks the owner of a registered data set for a licence, and writes it with the set's description. Nothing is paid for it yet.
    ///
    /// The owner's node signs by its own policy. The rows stay with it: it hands them to the provider of the job.
    ///
    /// Example: requester license 0x… --home requester --password-file password --segments 64 --most-fee 10 --out licensed
    /// then:    requester post --home requester --password-file password --job job.toml --price 100 \
    ///            --dataset licensed/dataset.json --licence licensed/licence.json
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    License(AskLicence),
    /// Commits to a job, posts it with its escrow, hands the data over, and takes the weights, until the job has ended.
    ///
    /// The provider, its team, and validators if the terms name some, see data and weights. Ctrl-C, or --detach, leaves the job as it is, and
    /// `requester run` goes on with it: somebody has to, because silence pays the provider.
    ///
    /// Example: requester post --home requester --password-file password --job job.toml --price 100 --batch 16
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Post(Post),
    /// Runs the node: follows all its jobs.
    ///
    /// Example: requester run --home requester --password-file password
    #[command(after_help = EXIT_CODES)]
    Run(RunRequester),
    /// Says what the node's jobs are.
    ///
    /// Example: requester status --home requester
    #[command(after_help = EXIT_CODES)]
    Status(Status),
    /// Examines the node: endpoints and chain, deployment, gas, tokens, its entry in the register, addresses, disk, clock, backup.
    ///
    /// Each line says how something is and what to do about it. Exit code 1 if something is bad.
    ///
    /// Example: requester doctor --home requester --password-file password
    #[command(after_help = EXIT_CODES)]
    Doctor(RequesterDoctor),
    /// Takes a job back that nobody has taken, and its escrow with it; or sees to it that a job is never posted.
    ///
    /// Example: requester cancel --home requester --password-file password 0x…
    #[command(after_help = EXIT_CODES)]
    Cancel(Cancel),
    /// Ends a running job early: after what is claimed of the batch that is trained now, or after more segments.
    ///
    /// What is closed is proven, delivered and paid as ever; the provider gets the fee for a hand-back, once a job. Where some proofs
    /// are drawn, a job ends with a whole batch.
    ///
    /// Example: requester stop --home requester --password-file password --after 32 0x…
    #[command(after_help = EXIT_CODES)]
    Stop(Stop),
    /// Gets the weights of all batches that are closed and not settled, and says where the weights are that came.
    ///
    /// Runs the node for that, as `requester run` does, which acknowledges what opens the claim; while a node runs on the folder it only
    /// says what is there. Exit code 1 if weights of a closed batch are missing or wrong.
    ///
    /// Example: requester fetch --home requester --password-file password --wait-secs 600 0x…
    #[command(after_help = EXIT_CODES)]
    Fetch(Fetch),
    /// Acknowledges the weights of a batch by hand, which pays for them as soon as what is due is proven. Nothing takes it back.
    ///
    /// `requester run` does it by itself for weights that open the claim.
    ///
    /// Example: requester acknowledge --home requester --password-file password 0x… 0
    #[command(after_help = EXIT_CODES)]
    Acknowledge(Acknowledge),
    /// Complains about the weights of a batch, to the committee that the terms name. It locks stake of the account.
    ///
    /// Where the terms name none, nobody could decide: `requester stop` and `requester recover` are left.
    ///
    /// Example: requester complain --home requester --password-file password 0x… 0
    #[command(after_help = EXIT_CODES)]
    Complain(Complain),
    /// Trains a job again here, from its data and seeds, to the last claim; compares, and writes the weights.
    ///
    /// For who has data and seeds and gets no weights: it costs the time of the training, and no proof. It says at which segment claim and
    /// training differ first, if they do, with exit code 1.
    ///
    /// Example: requester recover --home requester --password-file password 0x…
    #[command(after_help = EXIT_CODES)]
    Recover(Recover),
    /// Posts a job that goes on from another: from a job of this node that has ended, and of which something was paid.
    ///
    /// The new job begins with the last weights that were paid, in the commitments that the market has of them: opened before, or trained
    /// again here. Its file says `initial_weights.parent = "DIR"`, with the folder of that job in the node's folder; layers, scale and
    /// set-up are that job's, data and rates may be others. What the market owes the account is used for the escrow first. The rest is as
    /// with `requester post`. Exit code 1 if that job has not ended, or nothing of it was paid.
    ///
    /// Example: requester reopen 0x… --home requester --job more.toml --price 100
    #[command(verbatim_doc_comment, after_help = EXIT_CODES)]
    Reopen(Reopen),
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
    /// Says where a job stands: its batches, who may act now and later, until when, and what happens to whose money if nobody does.
    ///
    /// Of a job of the node in a folder also what the node does and when, its last transaction about the job, and what it refused. The
    /// node may run meanwhile. With `--rpc` and `--deployment` it is any job of a market. Sends no transaction.
    ///
    /// Example: requester explain --home requester 0x…
    ///          requester explain --rpc http://127.0.0.1:8545 --deployment deployment.json --job 0x…
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
        Task::Init(task) => task.run(),
        Task::Quote(task) => task.run(),
        Task::FindData(task) => task.run(),
        Task::License(task) => task.run(),
        Task::Post(task) => task.run(),
        Task::Run(task) => task.run(),
        Task::Status(task) => task.run(),
        Task::Doctor(task) => task.run(),
        Task::Cancel(task) => task.run(),
        Task::Stop(task) => task.run(),
        Task::Fetch(task) => task.run(),
        Task::Acknowledge(task) => task.run(),
        Task::Complain(task) => task.run(),
        Task::Recover(task) => task.run(),
        Task::Reopen(task) => task.run(),
        Task::Deploy(task) => task.run(),
        Task::CheckDeployment(task) => task.run(),
        Task::Explain(task) => task.run(),
    })
}
