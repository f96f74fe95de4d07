//! The interfaces of the contracts, from which the Rust bindings are made.

use std::fs;

use eyre::{Result, WrapErr, ensure};
use serde_json::Value;

use crate::{contracts, root};

/// What has bindings, below `contracts/src`.
const BOUND: [&str; 7] = [
    "core/SegmentVerifier",
    "core/interfaces/IHalo2Verifier",
    "market/StakeVault",
    "market/TrainingMarket",
    "registry/ComputeToken",
    "registry/DatasetRegistry",
    "registry/NodeRegistry",
];

/// Writes `contracts/abi` from the sources.
pub fn write() -> Result<()> {
    contracts::install()?;
    let folder = root().join("contracts/abi");
    fs::create_dir_all(&folder)?;
    for file in BOUND {
        let name = file.rsplit('/').next().unwrap_or(file);
        let source = format!("src/{file}.sol:{name}");
        let output = contracts::forge()?.args(["inspect", &source, "abi", "--json"]).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "forge has no interface of {name}: {said}");
        let abi: Value = serde_json::from_slice(&output.stdout).wrap_err_with(|| format!("interface of {name}"))?;
        let path = folder.join(format!("{name}.json"));
        fs::write(&path, format!("{abi:#}\n")).wrap_err_with(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
