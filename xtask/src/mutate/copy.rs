//! Copies of the contracts.

use std::fs;
use std::path::{Path, PathBuf};

use eyre::Result;

use crate::root;

/// Copies what the build reads to the folder `copy`; the packages are linked.
pub fn make(copy: &Path) -> Result<()> {
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

/// The files in Solidity below a folder, in order.
pub fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
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
