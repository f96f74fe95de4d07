//! Takes every refusal out of the contracts, one at a time, and says which ones no test misses.
//!
//! A mutant has one `revert`, `require`, guard call or modifier less, one event that is not emitted, one fault in assembly that is
//! none, one operand less in a condition, or the bound of a comparison in one on its other side. The tests must fail
//! on it. All mutants are built at once for the tests in Solidity, each behind a switch (mutant schemata: Untch, Offutt, Harrold
//! 1993): a mutant then costs a run of the tests and no build. What these do not miss in the verifier and its libraries is taken out
//! of the text for the tests of the package `gradproof-end-to-end` that call them on a node, and so are the faults in assembly.

mod condition;
mod copy;
mod site;
mod switch;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use eyre::{OptionExt, Result, WrapErr, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::contracts::forge_in;
use crate::{cargo, root};
use site::Site;

/// Files that tests in Rust call on a node.
const ON_A_NODE: [&str; 2] = ["core/SegmentVerifier.sol", "core/libraries/"];
/// What those tests say then.
const DOES_NOT_COMPILE: &str = "the contracts compile: ";
/// What those tests are run as, the quick ones first.
const ROUNDS: [&[&str]; 2] =
    [&["refusals::", "points::", "mutations::", "real::"], &["calls::", "forgeries::", "wrapped::"]];
/// Tests in Solidity that take longer than all others together.
const LONG: &str = "Invariants|Events|Fuzz|Gas|Hostile|Payoffs";

/// What the tests said of a mutant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Killed,
    Survived,
    DoesNotCompile,
}

/// Tests every mutant of the files whose path contains one of `only`, or of all; fails if one survives that `docs/settlement.md` does not name.
pub fn contracts(only: &[String]) -> Result<()> {
    let contracts = root().join("contracts");
    let mut sites = Vec::new();
    for file in copy::sources(&contracts.join("src"))? {
        if only.is_empty() || only.iter().any(|part| file.to_string_lossy().contains(part)) {
            sites.extend(site::find(&file)?);
        }
    }
    let mut report = Report::new(sites.len() as u64)?;
    let (switched, mut on_a_node): (Vec<Site>, Vec<Site>) = sites.into_iter().partition(Site::has_switch);
    if !switched.is_empty() {
        let copy = Copy::new("solidity")?;
        switch::write(&contracts, &copy.0, &switched)?;
        ensure!(copy.builds()?, "the contracts with switches do not build: see `forge build` in {}", copy.0.display());
        ensure!(copy.passes(0, true)?, "the tests fail without any change: see `cargo xtask test`");
        for (number, site) in (1..).zip(switched) {
            if !copy.passes(number, !is_tested_on_a_node(&site))? {
                report.add(&site, Verdict::Killed);
            } else if is_tested_on_a_node(&site) && !report.explains(&site) {
                on_a_node.push(site);
            } else {
                report.add(&site, Verdict::Survived);
            }
        }
    }
    if !on_a_node.is_empty() {
        let copy = Copy::new("node")?;
        let tests = NodeTests::build()?;
        ensure!(tests.of(&copy.0)? == Verdict::Survived, "the tests fail without any change: see `cargo xtask test`");
        for site in &on_a_node {
            let file = copy.0.join(site.file.strip_prefix(&contracts)?);
            fs::write(&file, site.without())?;
            let verdict = match in_solidity(site, &copy)? {
                Verdict::Survived => tests.of(&copy.0)?,
                verdict => verdict,
            };
            fs::write(&file, &*site.text)?;
            report.add(site, verdict);
        }
    }
    report.end()
}

/// What the tests in Solidity say of a mutant in a copy. Those with a switch have survived them; assembly has none, so that its
/// mutants did not come before these tests yet.
fn in_solidity(site: &Site, copy: &Copy) -> Result<Verdict> {
    Ok(if site.has_switch() {
        Verdict::Survived
    } else if !copy.builds()? {
        Verdict::DoesNotCompile
    } else if copy.passes(0, false)? {
        Verdict::Survived
    } else {
        Verdict::Killed
    })
}

fn is_tested_on_a_node(site: &Site) -> bool {
    ON_A_NODE.iter().any(|part| site.file.to_string_lossy().contains(part))
}

/// A copy of the contracts, in which they may be changed.
struct Copy(PathBuf);

impl Copy {
    fn new(name: &str) -> Result<Self> {
        let folder = root().join("target/mutants").join(name);
        copy::make(&folder)?;
        Ok(Self(folder))
    }

    fn builds(&self) -> Result<bool> {
        self.forge(&["build"], 0)
    }

    /// Whether the tests in Solidity pass with this mutant switched on, none for 0.
    fn passes(&self, mutant: usize, with_invariants: bool) -> Result<bool> {
        // What takes longest is asked last. The invariants are of the market, with a stand-in for the verifier.
        Ok(self.forge(&["test", "--fail-fast", "--no-match-contract", LONG], mutant)?
            && self.forge(&["test", "--fail-fast", "--no-match-contract", "Invariants"], mutant)?
            && (!with_invariants || self.forge(&["test", "--fail-fast", "--match-contract", "Invariants"], mutant)?))
    }

    fn forge(&self, arguments: &[&str], mutant: usize) -> Result<bool> {
        let status = forge_in(&self.0)?
            .args(arguments)
            // What is tested is the logic, not the optimiser.
            .env("FOUNDRY_PROFILE", "quick")
            // What is taken out may leave a name without a use.
            .env("FOUNDRY_DENY", "never")
            .env("FOUNDRY_LINT_LINT_ON_BUILD", "false")
            // A refusal that only one input in many reaches has a test of its own.
            .env("FOUNDRY_FUZZ_RUNS", "16")
            .env(switch::VARIABLE, switch::address(mutant))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .wrap_err("cannot start forge")?;
        Ok(status.success())
    }
}

/// The tests in Rust that call the contracts on a node.
struct NodeTests(PathBuf);

impl NodeTests {
    /// Builds them once: what a test is run with must not change while the task runs.
    fn build() -> Result<Self> {
        let arguments = ["test", "--release", "-p", "gradproof-end-to-end", "--test", "contracts", "--no-run"];
        let output = cargo()
            .args(arguments)
            .args(["--message-format", "json-render-diagnostics"])
            .stderr(Stdio::inherit())
            .output()
            .wrap_err("cannot start cargo")?;
        ensure!(output.status.success(), "the tests do not build");
        let built = String::from_utf8(output.stdout)?.lines().find_map(|line| {
            let message: Value = serde_json::from_str(line).ok()?;
            // The programs that the tests start are built as well.
            let program = message["executable"].as_str().filter(|_| message["target"]["name"] == "contracts")?;
            Some(PathBuf::from(program))
        });
        let copy = root().join("target/mutants/node-tests");
        fs::copy(built.ok_or_eyre("cargo does not say where the tests are")?, &copy)?;
        Ok(Self(copy))
    }

    /// What they say of the contracts in a folder.
    fn of(&self, contracts: &Path) -> Result<Verdict> {
        for names in ROUNDS {
            let output = Command::new(&self.0)
                .args(names)
                .current_dir(root().join("tests/end_to_end"))
                .env("GRADPROOF_CONTRACTS", contracts)
                .output()
                .wrap_err("cannot start the tests")?;
            if String::from_utf8_lossy(&output.stdout).contains(DOES_NOT_COMPILE) {
                return Ok(Verdict::DoesNotCompile);
            }
            if !output.status.success() {
                return Ok(Verdict::Killed);
            }
        }
        Ok(Verdict::Survived)
    }
}

/// What was found so far, and how far the task is.
struct Report {
    bar: ProgressBar,
    explained: String,
    killed: usize,
    survived: usize,
    broken: usize,
}

impl Report {
    fn new(mutants: u64) -> Result<Self> {
        let bar = ProgressBar::new(mutants);
        bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} mutants, {eta} left  {msg}")?);
        let explained = fs::read_to_string(root().join("docs/settlement.md")).unwrap_or_default();
        Ok(Self { bar, explained, killed: 0, survived: 0, broken: 0 })
    }

    /// Whether it is documented why nothing misses it.
    fn explains(&self, site: &Site) -> bool {
        self.explained.contains(&format!("`{}` in `{}`", site.summary(), site.name()))
    }

    fn add(&mut self, site: &Site, verdict: Verdict) {
        let said = match verdict {
            Verdict::Killed => {
                self.killed += 1;
                None
            }
            Verdict::DoesNotCompile => {
                self.broken += 1;
                Some("does not compile")
            }
            Verdict::Survived if self.explains(site) => Some("survives, explained"),
            Verdict::Survived => {
                self.survived += 1;
                Some("SURVIVES")
            }
        };
        let place = site.place();
        if let Some(said) = said {
            self.bar.suspend(|| println!("{said}  {place}  {}", site.summary()));
        }
        self.bar.set_message(place);
        self.bar.inc(1);
    }

    fn end(self) -> Result<()> {
        let Self { bar, killed, survived, broken, .. } = self;
        bar.finish_and_clear();
        println!("{} mutants, {killed} killed, {survived} survive without an explanation", bar.length().unwrap_or(0));
        ensure!(survived == 0, "a refusal that no test misses");
        ensure!(broken == 0, "a mutant that does not compile shows nothing");
        Ok(())
    }
}
