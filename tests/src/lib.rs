//! What tests across crates share: saying what a machine lacks, known-answer vectors, a cheating prover, and a curious
//! reader of proofs.

pub mod cheats;
pub mod curious;
pub mod forge;
pub mod forgeries;
pub mod judges;
pub mod leaky;
pub mod published;
pub mod reference;
pub mod rigged;
pub mod simulator;

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
