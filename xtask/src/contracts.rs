//! The tools of the contracts, installed as the lock file says, and what is done with them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use eyre::{Result, WrapErr, bail};
use serde_json::Value;

use crate::{command, contracts_folder, gas, run};

/// The tests that measure gas.
const GAS: &str = "test/market/Gas.t.sol";

/// Installs the tools, unless they are there.
pub fn install() -> Result<()> {
    if installed() {
        return Ok(());
    }
    eprintln!("Installing the tools of the contracts into contracts/node_modules.");
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    // No script of any package is run. `npm ci` would refuse a lock file that lacks the binaries of other systems, which
    // not every registry has; `install` takes the versions and digests of the lock file just so, and leaves it as it is.
    run(command(npm).current_dir(contracts_folder()).args([
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-save",
    ]))
    .wrap_err("the tools of the contracts need Node 20 and its npm")
}

/// Builds the contracts, and shows their sizes.
pub fn build() -> Result<()> {
    install()?;
    sizes(&mut forge()?)
}

/// Builds the contracts as they are deployed; fails if one has more than the 24,576 bytes of code that a chain takes (EIP-170).
fn sizes(forge: &mut Command) -> Result<()> {
    run(forge.args(["build", "--sizes", "--skip", "test/**"]))
}

/// Measures the gas of contracts that were compiled all at once, and checks their sizes: forge compiles what changed, and the code of a
/// contract is not the same where it is compiled beside others.
fn measure(snapshots: &Path) -> Result<()> {
    let [out, cache] = ["out/gas", "cache/gas"].map(|folder| contracts_folder().join(folder));
    for folder in [&out, &cache] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
    }
    let forge = || -> Result<Command> {
        let mut forge = forge()?;
        forge.env("FOUNDRY_OUT", &out).env("FOUNDRY_CACHE_PATH", &cache);
        Ok(forge)
    };
    run(gas::writing(&mut forge()?, snapshots).args(["test", "--match-path", GAS]))?;
    sizes(&mut forge()?)
}

/// Runs the tests that are written in Solidity, and compares the gas with the stored figures.
///
/// Gas is that of the code that is deployed. All other tests are of the logic, and built with the profile `quick`: the pipeline of
/// the optimiser takes some ten minutes for them. Tests in Rust deploy the contracts as they are used.
pub fn test() -> Result<()> {
    install()?;
    // As deep as in the default profile.
    let invariants = [("FOUNDRY_PROFILE", "quick"), ("FOUNDRY_INVARIANT_DEPTH", "400")];
    run(forge()?.envs(invariants).args(["test", "--no-match-path", GAS]))?;
    gas::check(measure)
}

/// Measures the gas at the bounds again, and stores it.
pub fn snapshot() -> Result<()> {
    install()?;
    measure(&contracts_folder().join("snapshots"))?;
    gas::document()
}

/// `forge` of the npm package, in the folder of the contracts.
pub fn forge() -> Result<Command> {
    forge_in(&contracts_folder())
}

/// The same in a copy of that folder.
pub fn forge_in(copy: &Path) -> Result<Command> {
    let mut command = Command::new(native_forge(copy)?);
    command.current_dir(copy);
    Ok(command)
}

/// True if what npm says it installed is what the lock file asks for.
///
/// The hidden lock file in `node_modules` holds the packages of the lock file but the project itself, and of those for other
/// systems none.
fn installed() -> bool {
    let packages = |path: PathBuf| -> Option<serde_json::Map<String, Value>> {
        let lock: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        lock["packages"].as_object().cloned()
    };
    let wanted = packages(contracts_folder().join("package-lock.json"));
    let got = packages(contracts_folder().join("node_modules").join(".package-lock.json"));
    let (Some(wanted), Some(got)) = (wanted, got) else { return false };
    let same =
        |name: &str, package: &Value| got.get(name).is_some_and(|held| held["integrity"] == package["integrity"]);
    let held = |name: &str, package: &Value| same(name, package) && contracts_folder().join(name).is_dir();
    wanted
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .all(|(name, package)| package["optional"] == true && !got.contains_key(name) || held(name, package))
}

/// The binary of forge below `node_modules` of a folder: the package's launcher ends with 0 whatever forge says.
pub fn native_forge(folder: &Path) -> Result<PathBuf> {
    for entry in
        fs::read_dir(folder.join("node_modules/@foundry-rs")).wrap_err("`cargo xtask contracts` installs them")?
    {
        let program = entry?.path().join("bin/forge");
        if program.is_file() {
            return Ok(program);
        }
    }
    bail!("the packages of contracts/ have no forge for this machine")
}
