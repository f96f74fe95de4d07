//! What several manifests say alike, because cargo has no way to say it once.

use gradproof_tests::root;
use toml::{Table, Value};

fn manifest(folder: &str) -> Table {
    let path = root().join(folder).join("Cargo.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What `cargo xtask test` runs has assertions and checks for overflow: cargo reads the file that asks for them.
#[test]
fn arithmetic_is_checked() {
    if std::env::var_os("GRADPROOF_SKIPS").is_none() {
        return;
    }
    let checked = std::fs::read_to_string(root().join("xtask/checked.toml")).expect("a file");
    let checked: Table = toml::from_str(&checked).expect("TOML");
    let options = &checked["profile"]["release"]["package"][env!("CARGO_PKG_NAME")];
    for option in ["debug-assertions", "overflow-checks"] {
        assert_eq!(options[option], Value::from(true), "{option}");
    }
    for (name, others) in checked["profile"]["release"]["package"].as_table().expect("packages") {
        assert_eq!(others, options, "{name}");
    }
    let overflows = std::panic::catch_unwind(|| std::hint::black_box(u8::MAX) + std::hint::black_box(1));
    assert!(overflows.is_err(), "`cargo xtask test` ignores xtask/checked.toml");
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
