//! What several manifests say alike, because cargo has no way to say it once.

use gradproof_tests::root;
use toml::{Table, Value};

fn manifest(folder: &str) -> Table {
    let path = root().join(folder).join("Cargo.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The crates of others that proving and reading data spend their time in are optimised alike in both profiles.
#[test]
fn both_profiles_optimise_the_same_crates() {
    let profiles = manifest("")["profile"].clone();
    let hot = |profile: &str| {
        let packages = profiles[profile]["package"].as_table().expect("packages").clone();
        let hot =
            packages.into_iter().filter(|(_, options)| options.get("opt-level").and_then(Value::as_integer) == Some(3));
        hot.map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert!(hot("dev").len() > 20);
    assert_eq!(hot("dev"), hot("release"));
}

/// Tests and tasks have the lints of the workspace, but for those that forbid to unwrap, panic and print.
#[test]
fn tests_have_the_lints_of_the_workspace() {
    let mut lints = manifest("")["workspace"]["lints"].clone();
    let clippy = lints["clippy"].as_table_mut().expect("lints of clippy");
    for lint in ["expect_used", "panic", "print_stderr", "print_stdout", "unwrap_used"] {
        assert_eq!(clippy.remove(lint), Some(Value::from("warn")), "{lint}");
    }
    for folder in ["tests", "tests/end_to_end", "xtask"] {
        assert_eq!(manifest(folder)["lints"], lints, "{folder}/Cargo.toml");
    }
}
