//! Takes every refusal out of the contracts, one at a time, and says which ones no test misses.
//!
//! A mutant is a copy of `contracts/` with one `revert`, `require`, guard call or modifier less, with one event that is not
//! emitted, or with one fault in assembly that is none. The tests must fail on it: those in Solidity, and for the verifier and
//! the ledger those of the package `gradproof-tests` that call them on a node. The copy is built with the profile `quick` by the
//! former: what is tested is the logic, not the optimiser.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use eyre::{Result, WrapErr, bail, ensure};

use crate::{cargo, root};

/// One change of one file.
struct Mutant {
    file: PathBuf,
    bytes: Range<usize>,
    replacement: String,
}

impl Mutant {
    /// Whether tests in Rust call what is changed.
    fn is_tested_on_a_node(&self) -> bool {
        ON_A_NODE.iter().any(|part| self.file.to_string_lossy().contains(part))
    }
}

/// What the tests said of a mutant.
enum Verdict {
    Killed,
    Survived,
    DoesNotCompile,
}

/// Calls that only refuse, and stand as statements.
const GUARDS: [&str; 10] = [
    "Guards.",
    "Rules.check(",
    "checkCode(",
    "Opening.checkCode(",
    "checkParent(",
    "canOpen(",
    "Challenges.canOpen(",
    "isMember(",
    "notReported(",
    "within(",
];
const MODIFIERS: [&str; 2] = ["nonReentrant", "onlyMarket"];
/// Names of what is refused or good in assembly, and what they are set to in a mutant.
const FAULTS: [(&str, &str); 2] = [("fault := ", "0"), ("good := ", "1")];
/// Files that tests in Rust call on a node.
const ON_A_NODE: [&str; 3] = ["SegmentVerifier.sol", "SegmentLedger.sol", "libraries/"];

/// Tests every mutant of the files whose path contains one of `only`, or of all; fails if one survives that `docs/settlement.md` does not name.
pub fn contracts(only: &[String]) -> Result<()> {
    let copy = root().join("target/mutants");
    make_copy(&copy)?;
    let mutants: Vec<Mutant> = sources(&root().join("contracts/src"))?
        .into_iter()
        .filter(|file| only.is_empty() || only.iter().any(|part| file.to_string_lossy().contains(part)))
        .map(|file| find(&file))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect();
    let unchanged = verdict(&copy, mutants.iter().any(Mutant::is_tested_on_a_node))?;
    ensure!(matches!(unchanged, Verdict::Survived), "the tests fail without any change: see `cargo xtask test`");
    let explained = fs::read_to_string(root().join("docs/settlement.md")).unwrap_or_default();
    let (mut killed, mut unexplained) = (0, 0);
    for mutant in &mutants {
        let original = fs::read_to_string(&mutant.file)?;
        let inside = mutant.file.strip_prefix(root().join("contracts"))?;
        let changed = [&original[..mutant.bytes.start], &mutant.replacement, &original[mutant.bytes.end..]].concat();
        fs::write(copy.join(inside), changed)?;
        let verdict = verdict(&copy, mutant.is_tested_on_a_node())?;
        fs::write(copy.join(inside), &original)?;
        let line = original[..mutant.bytes.start].matches('\n').count() + 1;
        let text = original[mutant.bytes.clone()].split_whitespace().collect::<Vec<_>>().join(" ");
        match verdict {
            Verdict::Killed => killed += 1,
            Verdict::DoesNotCompile => println!("does not compile  {}:{line}  {text}", inside.display()),
            Verdict::Survived if explained.contains(&format!("`{text}`")) => {
                println!("survives, explained  {}:{line}  {text}", inside.display());
            }
            Verdict::Survived => {
                unexplained += 1;
                println!("SURVIVES  {}:{line}  {text}", inside.display());
            }
        }
    }
    println!("{} mutants, {killed} killed, {unexplained} survive without an explanation", mutants.len());
    ensure!(unexplained == 0, "a refusal that no test misses");
    Ok(())
}

/// Copies what the build reads; the packages are linked.
fn make_copy(copy: &Path) -> Result<()> {
    let contracts = root().join("contracts");
    for folder in ["src", "test", "tools"] {
        let target = copy.join(folder);
        if target.exists() {
            fs::remove_dir_all(&target)?;
        }
        copy_folder(&contracts.join(folder), &target)?;
    }
    for file in ["foundry.toml", "package.json"] {
        fs::copy(contracts.join(file), copy.join(file))?;
    }
    let packages = copy.join("node_modules");
    if !packages.exists() {
        std::os::unix::fs::symlink(contracts.join("node_modules"), packages)?;
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Builds and tests the copy, on a node as well if asked to.
fn verdict(copy: &Path, on_a_node: bool) -> Result<Verdict> {
    let program = native_forge(copy)?;
    let forge = |arguments: &[&str]| -> Result<bool> {
        let status = Command::new(&program)
            .args(arguments)
            .current_dir(copy)
            .env("FOUNDRY_PROFILE", "quick")
            // What is taken out may leave a name without a use.
            .env("FOUNDRY_DENY", "never")
            .env("FOUNDRY_LINT_LINT_ON_BUILD", "false")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .wrap_err("cannot start forge")?;
        Ok(status.success())
    };
    if !forge(&["build"])? {
        return Ok(Verdict::DoesNotCompile);
    }
    // The invariants take longest: they are asked last.
    let survives = forge(&["test", "--fail-fast", "--no-match-contract", "Invariants"])?
        && forge(&["test", "--fail-fast", "--match-contract", "Invariants"])?
        && (!on_a_node || passes_on_a_node(copy)?);
    Ok(if survives { Verdict::Survived } else { Verdict::Killed })
}

/// Whether the tests in Rust pass with the contracts of the copy.
fn passes_on_a_node(copy: &Path) -> Result<bool> {
    let tests = ["test", "--quiet", "--release", "-p", "gradproof-tests", "--test", "contracts"];
    let status = cargo()
        .args(tests)
        .env("GRADPROOF_CONTRACTS", copy)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .wrap_err("cannot start cargo")?;
    Ok(status.success())
}

/// The binary of forge below `node_modules` of a folder: the package's launcher ends with 0 even if tests fail.
pub fn native_forge(copy: &Path) -> Result<PathBuf> {
    for entry in
        fs::read_dir(copy.join("node_modules/@foundry-rs")).wrap_err("`cargo xtask contracts` installs them")?
    {
        let program = entry?.path().join("bin/forge");
        if program.is_file() {
            return Ok(program);
        }
    }
    bail!("the packages of contracts/ have no forge for this machine")
}

fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "sol") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Every refusal of a file.
fn find(file: &Path) -> Result<Vec<Mutant>> {
    let text = fs::read_to_string(file)?;
    let mut mutants = Vec::new();
    let mut add = |bytes: Range<usize>, replacement: &str| {
        mutants.push(Mutant { file: file.into(), bytes, replacement: replacement.into() });
    };
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let code = line.trim_start();
        let start = offset + line.len() - code.len();
        offset += line.len();
        if code.starts_with("//") || code.starts_with("error ") || code.starts_with("import ") {
            continue;
        }
        for statement in ["revert ", "emit "] {
            if let Some(at) = line.find(statement) {
                let at = offset - line.len() + at;
                add(at..statement_end(&text, at)?, "{}");
            }
        }
        for (name, none) in FAULTS {
            if let Some(at) = line.find(name).map(|at| at + name.len()) {
                let end = line[at..].find(" }").unwrap_or(line.trim_end().len() - at);
                let start = offset - line.len() + at;
                add(start..start + end, none);
            }
        }
        let is_guard = code.starts_with("require(") || GUARDS.iter().any(|guard| code.starts_with(guard));
        if is_guard {
            add(start..statement_end(&text, start)?, "");
        }
        if let Some(at) = line.find(") Guards.") {
            let at = offset - line.len() + at + 2;
            add(at..statement_end(&text, at)?, "{}");
        }
        if let Some(at) = line.find("Guards.inState(").filter(|_| !code.starts_with("Guards.inState(")) {
            let at = offset - line.len() + at;
            let end = at + text[at..].find(')').map_or(0, |end| end + 1);
            let job = text[at..end].split(", ").nth(1).unwrap_or_default();
            add(at..end, &format!("s.jobs[{job}]"));
        }
        for modifier in MODIFIERS {
            let names = |word: &str| word == modifier;
            if code.starts_with("modifier") || !code.split(|c: char| !c.is_alphanumeric()).any(names) {
                continue;
            }
            if let Some(at) = line.find(modifier) {
                let at = offset - line.len() + at;
                add(at..at + modifier.len(), "");
            }
        }
    }
    Ok(mutants)
}

/// End of the statement that starts at `start`, its semicolon included.
fn statement_end(text: &str, start: usize) -> Result<usize> {
    match text[start..].find(';') {
        Some(end) => Ok(start + end + 1),
        None => bail!("a statement without an end"),
    }
}
