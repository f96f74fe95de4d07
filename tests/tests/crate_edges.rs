//! The crates of the workspace depend on each other one way: worker → prover → verifier → circuits.

use cargo_metadata::MetadataCommand;

/// From the bottom up: a crate may depend on those before it, and on no other of the workspace.
const LAYERS: [&str; 4] = ["gradproof-circuits", "gradproof-verifier", "gradproof-prover", "gradproof-worker"];
/// On top of all of them: nothing may depend on these, but the tests of the programs on what all tests share.
const TOP: [&str; 4] = ["gradproof-cuda", "gradproof-tests", "gradproof-end-to-end", "xtask"];

/// The verifier's library computes: what it is told comes in as bytes.
#[test]
fn the_verifier_touches_files_and_the_clock_in_its_commands_only() {
    let sources = gradproof_tests::root().join("verifier/src");
    let mut folders = vec![sources.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("listed") {
            let path = entry.expect("an entry").path();
            let within = path.strip_prefix(&sources).expect("inside");
            if within.starts_with("command")
                || within.starts_with("bin")
                || within == std::path::Path::new("command.rs")
            {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("read");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in ["std::fs", "std::net", "std::env", "std::process", "Instant", "SystemTime"] {
                assert!(!code.contains(word), "{} uses {word}", path.display());
            }
        }
    }
}

#[test]
fn edges_point_one_way() {
    let metadata = MetadataCommand::new()
        .manifest_path(gradproof_tests::root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata answers");
    let names: Vec<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    for name in LAYERS {
        assert!(names.contains(&name), "{name} is not in the workspace");
    }
    for package in &metadata.packages {
        let name = package.name.as_str();
        let level = LAYERS.iter().position(|layer| *layer == name);
        assert!(level.is_some() || TOP.contains(&name), "{name} is in no layer: give it one in this test");
        let below = &LAYERS[..level.unwrap_or(LAYERS.len())];
        // Of every kind, tests included: a verifier whose tests need the prover is tested in `tests/`.
        for dependency in package.dependencies.iter().filter(|dependency| names.contains(&dependency.name.as_str())) {
            let shared = name == "gradproof-end-to-end" && dependency.name == "gradproof-tests";
            let allowed = below.contains(&dependency.name.as_str()) || shared;
            assert!(allowed, "{name} must not depend on {}", dependency.name);
        }
    }
}
