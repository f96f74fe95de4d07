//! The test run, with a count of what this machine could not test, and the stored vectors.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use eyre::{Result, WrapErr, bail, ensure};
use serde_json::Value;

use crate::{cargo, command, contracts, root, run};

/// The variable that names the file of skipped tests.
const SKIPS: &str = "GRADPROOF_SKIPS";
/// The suites that mostly wait: for blocks of a local chain, for peers, for time-outs. They run beside those that compute.
const WAITING: [&str; 3] = ["node", "nodes", "loopback"];

/// Runs `cargo test` with `arguments`, then says which tests were skipped and why. Without arguments runs every test.
///
/// A test that lacks something appends one line to the file that `GRADPROOF_SKIPS` names (`gradproof_tests::skip`).
///
/// `checked.toml` adds assertions and checks for overflow to arithmetic, argument, proofs and verifier.
pub fn test(arguments: &[String]) -> Result<()> {
    contracts::install()?;
    let target = root().join("target");
    let skips = target.join("skipped-tests.txt");
    fs::create_dir_all(&target)?;
    fs::write(&skips, "")?;
    let outcome = if arguments.is_empty() { all(&skips) } else { run(tests().args(arguments).env(SKIPS, &skips)) };
    report(&fs::read_to_string(&skips).unwrap_or_default());
    outcome
}

/// Every test. What runs at the same time does not compete: the compiler of the contracts has one core, and who waits none.
fn all(skips: &Path) -> Result<()> {
    let suites = beside(contracts::test, || suites(skips))?;
    let (waiting, computing): (Vec<_>, Vec<_>) = suites.into_iter().partition(|suite| WAITING.contains(&&*suite.name));
    for name in WAITING {
        ensure!(waiting.iter().any(|suite| suite.name == name), "there is no suite `{name}`: see `WAITING`");
    }
    beside(|| each(&waiting), || each(&computing))
}

/// Does both, one in a thread of its own.
fn beside<T>(one: impl FnOnce() -> Result<()> + Send, other: impl FnOnce() -> Result<T>) -> Result<T> {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        one.join().unwrap_or_else(|_| bail!("a task ended by a panic"))?;
        other
    })
}

fn tests() -> Command {
    checked("test")
}

/// A task of cargo's in the profile of the tests.
fn checked(task: &str) -> Command {
    let mut cargo = cargo();
    cargo.args(["--config", "xtask/checked.toml", task, "--release"]);
    cargo
}

/// A program with tests: the unit tests of a crate, or a file or folder in its `tests`.
struct Suite {
    name: String,
    program: PathBuf,
    folder: PathBuf,
    skips: PathBuf,
}

/// Compiles all suites.
fn suites(skips: &Path) -> Result<Vec<Suite>> {
    let mut build = tests();
    // Of the examples only the one that a test needs: a library in the place of a card's driver.
    build
        .args(["--tests", "--example", "driver", "--no-run", "--message-format=json-render-diagnostics"])
        .stderr(Stdio::inherit());
    let built = build.output().wrap_err("cannot start cargo")?;
    ensure!(built.status.success(), "the tests cannot be built");
    // Of the examples only the one that a test needs: a library in the place of a card's driver.
    run(checked("build").args(["--example", "driver"]))?;
    let mut suites = vec![];
    for line in String::from_utf8(built.stdout)?.lines() {
        let message: Value = serde_json::from_str(line)?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        if message["profile"]["test"] == true
            && let (Some(program), Some(name), Some(manifest)) =
                (text(&message["executable"]), text(&message["target"]["name"]), text(&message["manifest_path"]))
        {
            let folder = Path::new(&manifest).parent().unwrap_or(root()).to_owned();
            suites.push(Suite { name, program: program.into(), folder, skips: skips.to_owned() });
        }
    }
    Ok(suites)
}

/// Runs one suite after the other, also when one fails.
fn each(suites: &[Suite]) -> Result<()> {
    let mut failed = vec![];
    for suite in suites {
        let begin = Instant::now();
        let mut tests = command(&suite.program.to_string_lossy());
        let done = tests.current_dir(&suite.folder).env(SKIPS, &suite.skips).output().wrap_err("cannot start it")?;
        // In one piece: two suites run at a time.
        let mut text =
            format!("\n== {} in {}: {:.0} s\n", suite.name, suite.folder.display(), begin.elapsed().as_secs_f64())
                .into_bytes();
        text.extend(done.stdout);
        text.extend(done.stderr);
        io::stderr().lock().write_all(&text)?;
        if !done.status.success() {
            failed.push(&*suite.name);
        }
    }
    ensure!(failed.is_empty(), "suites failed: {}", failed.join(", "));
    Ok(())
}

fn report(skips: &str) {
    let lines: Vec<&str> = skips.lines().collect();
    match lines.len() {
        0 => eprintln!("No test was skipped."),
        count => {
            eprintln!("{count} skipped, because this machine lacks what they need (GRADPROOF_NO_SKIP=1 forbids that):");
            for line in lines {
                eprintln!("  {line}");
            }
        }
    }
}

/// Runs the tests that hold vectors, in the mode in which they write them.
pub fn vectors() -> Result<()> {
    // The gas is that of the stored proof, which the tests of the first run make anew.
    for targets in [&["--workspace"][..], &["--test", "contracts"]] {
        run(tests().args(targets).arg("vector").env("GRADPROOF_WRITE_VECTORS", "1"))?;
    }
    run(command("git").args(["status", "--short", "--", "*/vectors/*"]))
}
