//! The static analyser Slither over the contracts. Each of its findings has an answer in `contracts/slither.json`, and each answer
//! a finding.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use eyre::{Result, WrapErr, ensure, eyre};
use serde::Deserialize;
use serde_json::Value;

use crate::contracts::install;
use crate::{contracts_folder, root, run};

const VERSION: &str = "0.11.3";

/// Why the findings of one kind are none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    answer: String,
    /// Where, as `Contract.function`; as often as it is found there.
    elements: Vec<String>,
}

/// Runs the analyser, and compares what it finds with what is answered.
pub fn check() -> Result<()> {
    install()?;
    let home = root().join("target/slither");
    install_slither(&home)?;
    let answers: BTreeMap<String, Answer> =
        serde_json::from_slice(&fs::read(contracts_folder().join("slither.json"))?)?;
    let mut expected: BTreeMap<(String, String), i64> = BTreeMap::new();
    for (kind, answer) in answers {
        ensure!(!answer.answer.is_empty(), "{kind} has no answer");
        for element in answer.elements {
            *expected.entry((kind.clone(), element)).or_default() += 1;
        }
    }
    let found = findings(&analyse(&home)?)?;
    let count = found.len();
    for finding in found {
        *expected.entry(finding).or_default() -= 1;
    }
    let mut differences = 0;
    for ((kind, element), more) in expected {
        match more {
            0 => continue,
            1.. => println!("answered, but not found any more: {kind} in {element}, {more} times"),
            _ => println!("NOT ANSWERED: {kind} in {element}, {} times", -more),
        }
        differences += 1;
    }
    println!("{count} findings of Slither {VERSION}, {differences} differences from contracts/slither.json");
    ensure!(differences == 0, "each finding needs an answer in contracts/slither.json, and each answer a finding");
    Ok(())
}

/// Puts the analyser into a virtual environment, unless it is there.
fn install_slither(home: &Path) -> Result<()> {
    let version = Command::new(home.join("bin/slither")).arg("--version").stderr(Stdio::null()).output();
    if version.is_ok_and(|output| output.stdout.trim_ascii() == VERSION.as_bytes()) {
        return Ok(());
    }
    eprintln!("Installing Slither {VERSION} into target/slither.");
    run(Command::new("python3").args(["-m", "venv"]).arg(home)).wrap_err("Slither needs Python 3 with venv")?;
    let package = format!("slither-analyzer=={VERSION}");
    run(Command::new(home.join("bin/pip")).args(["install", "--quiet", "--disable-pip-version-check", &package]))
}

/// What the analyser says of the sources, without the packages and the tests.
fn analyse(home: &Path) -> Result<Value> {
    let forge = crate::contracts::native_forge(&contracts_folder())?;
    let tools = [home.join("bin"), forge.parent().unwrap_or(Path::new(".")).to_path_buf()];
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(tools.into_iter().chain(std::env::split_paths(&inherited)))?;
    // It cleans the folders of the build first: they are its own.
    let (out, report): (PathBuf, PathBuf) = (home.join("out"), home.join("report.json"));
    if report.exists() {
        fs::remove_file(&report)?;
    }
    let output = Command::new(home.join("bin/slither"))
        .args([".", "--filter-paths", "node_modules|^test/", "--json"])
        .arg(&report)
        .arg("--foundry-out-directory")
        .arg(&out)
        .current_dir(contracts_folder())
        .env("PATH", path)
        .env("FOUNDRY_PROFILE", "quick")
        .env("FOUNDRY_OUT", &out)
        .env("FOUNDRY_CACHE_PATH", home.join("cache"))
        .stdout(Stdio::null())
        .output()?;
    // Its exit status only says that there are findings.
    let text = fs::read(&report).map_err(|_| eyre!("no report: {}", String::from_utf8_lossy(&output.stderr)))?;
    let report: Value = serde_json::from_slice(&text)?;
    ensure!(report["success"] == true, "Slither failed: {}", report["error"]);
    Ok(report)
}

/// Kind and element of each finding.
fn findings(report: &Value) -> Result<Vec<(String, String)>> {
    let found = report["results"]["detectors"].as_array().map(Vec::as_slice).unwrap_or_default();
    found
        .iter()
        .map(|finding| {
            let kind = finding["check"].as_str().ok_or_else(|| eyre!("a finding without a kind"))?;
            let element = &finding["elements"][0];
            let name = element["name"].as_str().ok_or_else(|| eyre!("a finding without an element: {kind}"))?;
            let parent = element["type_specific_fields"]["parent"]["name"].as_str();
            Ok((kind.into(), parent.map_or_else(|| name.into(), |parent| format!("{parent}.{name}"))))
        })
        .collect()
}
