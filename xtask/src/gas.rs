//! The gas of the contracts at their bounds: measured by `contracts/test/market/Gas.t.sol`, stored in `contracts/snapshots`, and shown in
//! `docs/settlement.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use eyre::{Result, WrapErr, bail, ensure, eyre};

use crate::contracts_folder;
use crate::root;

const REMAKE: &str = "if that is meant, `cargo xtask contracts --snapshot` stores it";

/// Gas by the name of the file and of the call.
type Figures = BTreeMap<(String, String), u64>;

/// Makes a command of forge write what it measures into a folder, and compare nothing.
pub fn writing<'a>(forge: &'a mut Command, snapshots: &Path) -> &'a mut Command {
    forge
        .env("FOUNDRY_SNAPSHOTS", snapshots)
        .env("FOUNDRY_GAS_SNAPSHOT_CHECK", "false")
        .env("FOUNDRY_GAS_SNAPSHOT_EMIT", "true")
}

/// Runs a test that writes what it measures into the folder it is given; fails if that is not what is stored and documented.
///
/// Forge's own comparison lets a call pass that one side lacks.
pub fn check(test: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let fresh = root().join("target/snapshots");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    test(&fresh)?;
    let (measured, stored) = (read(&fresh)?, read(&contracts_folder().join("snapshots"))?);
    let text = |figure: Option<&u64>| figure.map_or("nothing".into(), u64::to_string);
    for name in measured.keys().chain(stored.keys()) {
        let (got, expected) = (measured.get(name), stored.get(name));
        let (file, call) = name;
        ensure!(got == expected, "gas of {file} {call}: {} stored, {} measured; {REMAKE}", text(expected), text(got));
    }
    let documented = fs::read_to_string(document_path())?;
    ensure!(with_figures(&documented, &stored)? == documented, "docs/settlement.md shows other gas; {REMAKE}");
    Ok(())
}

/// Writes the stored figures into the table of `docs/settlement.md`.
pub fn document() -> Result<()> {
    let text = fs::read_to_string(document_path())?;
    fs::write(document_path(), with_figures(&text, &read(&contracts_folder().join("snapshots"))?)?)?;
    Ok(())
}

fn document_path() -> PathBuf {
    root().join("docs/settlement.md")
}

/// The text with the figure of each row `| file: call | figure |`; every figure has its row.
fn with_figures(text: &str, figures: &Figures) -> Result<String> {
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    for ((file, call), gas) in figures {
        let begin = format!("| {file}: {call} | ");
        let mut rows = lines.iter_mut().filter(|line| line.starts_with(&begin));
        let row = rows.next().ok_or_else(|| eyre!("docs/settlement.md has no row `{begin}`"))?;
        let rest = row[begin.len()..].find(" |").map(|end| row[begin.len() + end..].to_owned());
        *row = format!("{begin}{}{}", grouped(*gas), rest.ok_or_else(|| eyre!("a row without an end: {row}"))?);
    }
    Ok(lines.join("\n") + "\n")
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    groups.join(",")
}

fn read(snapshots: &Path) -> Result<Figures> {
    let mut figures = Figures::new();
    for entry in fs::read_dir(snapshots).wrap_err_with(|| format!("cannot read {}", snapshots.display()))? {
        let path = entry?.path();
        let calls: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&fs::read(&path)?)?;
        let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for (call, gas) in calls {
            // Forge writes numbers as text.
            let Some(gas) = gas.as_str().and_then(|text| text.parse().ok()) else {
                bail!("{}: {call} has no figure", path.display());
            };
            figures.insert((file.clone(), call), gas);
        }
    }
    Ok(figures)
}
