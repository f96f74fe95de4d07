//! What tests across crates share: saying what a machine lacks, known-answer vectors, a cheating prover, and a curious
//! reader of proofs.

pub mod cheats;
pub mod curious;
pub mod forge;
pub mod forgeries;
pub mod fuzz;
pub mod judges;
pub mod leaky;
pub mod networks;
pub mod published;
pub mod reference;
pub mod rigged;
pub mod simulator;
pub mod tensors;
pub mod weakened;

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde_json::Value;

/// Root of the workspace.
pub fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// Says that `test` is skipped because this machine lacks something, and what supplies it; then return from the test.
///
/// `cargo xtask test` counts and lists these lines at its end.
///
/// # Panics
/// If `GRADPROOF_NO_SKIP=1` is in the environment, so that the test fails.
pub fn skip(test: &str, lacks: &str, remedy: &str) {
    let line = format!("{test}: needs {lacks}; {remedy}");
    assert!(!is_set("GRADPROOF_NO_SKIP"), "{line}");
    match std::env::var_os("GRADPROOF_SKIPS") {
        Some(path) => {
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.and_then(|mut file| writeln!(file, "{line}")).expect("the list of skipped tests can be written");
        }
        None => eprintln!("skipped {line}"),
    }
}

/// Names of all tests in the Rust sources of the workspace, as `file::function`.
///
/// # Panics
/// If a folder cannot be read.
pub fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = ["circuits", "verifier", "prover", "worker", "tests"].map(|name| root().join(name)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let source = fs::read_to_string(&path).expect("the file can be read");
                for part in source.split("#[test]").skip(1) {
                    let name = part.split("fn ").nth(1).and_then(|rest| rest.split(['(', ' ']).next());
                    names.extend(name.map(|name| format!("{stem}::{name}")));
                }
            }
        }
    }
    names
}

/// The checked-in interface of a contract, from which its Rust bindings are made.
///
/// # Panics
/// If there is none.
pub fn stored_interface(name: &str) -> Value {
    let stored = fs::read(root().join("contracts/abi").join(format!("{name}.json"))).expect("the interface is there");
    serde_json::from_slice(&stored).expect("it is JSON")
}

/// The known answer in `tests/vectors/name`, if there is one.
pub fn known_vector(name: &str) -> Option<Value> {
    let known = fs::read(root().join("tests").join("vectors").join(name)).ok()?;
    serde_json::from_slice(&known).ok()
}

/// Checks `got` against the known answer in `tests/vectors/name`, or writes it there in `cargo xtask vectors`.
///
/// That task runs the tests that have `vector` in their names.
///
/// # Panics
/// If they differ, or there is none.
pub fn check_vector(name: &str, got: &Value) {
    let path = root().join("tests").join("vectors").join(name);
    if is_set("GRADPROOF_WRITE_VECTORS") {
        fs::create_dir_all(root().join("tests").join("vectors")).expect("the folder of vectors can be made");
        fs::write(&path, format!("{got:#}\n")).expect("the vector can be written");
        return;
    }
    let known = known_vector(name).unwrap_or_else(|| panic!("there is no JSON in {}", path.display()));
    assert!(
        known == *got,
        "{} differs from what this code computes; if that is meant, `cargo xtask vectors` writes it again\n{got:#}",
        path.display()
    );
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| value == "1")
}
