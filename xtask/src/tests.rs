//! The test run, with a count of what this machine could not test, and the stored vectors.

use std::fs;

use eyre::Result;

use crate::{cargo, command, contracts, root, run};

/// The packages that are tested with assertions and checks for overflow.
const CHECKED: [&str; 7] = [
    "gradproof-circuits",
    "gradproof-verifier",
    "gradproof-evm",
    "gradproof-prover",
    "gradproof-gpu",
    "gradproof-training",
    "gradproof-tests",
];

/// Runs `cargo test` with `arguments`, the whole workspace without any, then says which tests were skipped and why.
///
/// Without arguments the tests in Solidity run first: they are the quick ones.
///
/// A test that lacks something appends one line to the file that `GRADPROOF_SKIPS` names (`gradproof_tests::skip`).
///
/// Arithmetic, argument, proofs and verifier are tested with assertions and checks for overflow, in the profile `dev`; programs
/// and contracts as they are used, in the profile `release`.
pub fn test(arguments: &[String]) -> Result<()> {
    contracts::install()?;
    if arguments.is_empty() {
        contracts::test()?;
    }
    let target = root().join("target");
    let skips = target.join("skipped-tests.txt");
    fs::create_dir_all(&target)?;
    fs::write(&skips, "")?;
    let tests = || {
        let mut tests = cargo();
        tests.arg("test").env("GRADPROOF_SKIPS", &skips);
        tests
    };
    let outcome = if arguments.is_empty() {
        let (mut checked, mut released) = (tests(), tests());
        released.args(["--workspace", "--release"]);
        for package in CHECKED {
            checked.args(["--package", package]);
            released.args(["--exclude", package]);
        }
        run(&mut checked).and_then(|()| run(&mut released))
    } else {
        run(tests().arg("--release").args(arguments))
    };
    report(&fs::read_to_string(&skips).unwrap_or_default());
    outcome
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
    for tests in [&["--workspace"][..], &["-p", "gradproof-end-to-end", "--test", "contracts"]] {
        run(cargo().args(["test", "--release"]).args(tests).arg("vector").env("GRADPROOF_WRITE_VECTORS", "1"))?;
    }
    run(command("git").args(["status", "--short", "--", "*/vectors/*"]))
}
