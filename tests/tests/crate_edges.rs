//! The crates of the workspace depend on each other one way: worker → prover → verifier → circuits.

use cargo_metadata::MetadataCommand;

/// From the bottom up: a crate may depend on those before it, and on no other of the workspace.
const LAYERS: [&str; 4] = ["gradproof-circuits", "gradproof-verifier", "gradproof-prover", "gradproof-worker"];
/// On top of all of them: nothing may depend on these, but the tests of the programs on what all tests share.
const TOP: [&str; 4] = ["gradproof-cuda", "gradproof-tests", "gradproof-end-to-end", "xtask"];

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
