//! The house has floors: which crate stands on which, and that no files import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;
use gradproof_tests::root;

/// Every crate with its folder and the crates of the workspace that it may depend on, from the bottom up.
const CRATES: [(&str, &str, &[&str]); 15] = [
    ("gradproof-circuits", "circuits", &[]),
    ("gradproof-verifier", "verifier", &["gradproof-circuits"]),
    ("gradproof-evm", "verifier/evm", &["gradproof-circuits", "gradproof-verifier"]),
    ("gradproof-terminal", "verifier/terminal", &[]),
    (
        "gradproof-verifier-program",
        "verifier/program",
        &["gradproof-circuits", "gradproof-verifier", "gradproof-evm", "gradproof-terminal"],
    ),
    ("gradproof-prover", "prover", &["gradproof-circuits", "gradproof-verifier"]),
    // Kernels know field elements and integers, and nothing of what is proved.
    ("gradproof-gpu", "gpu", &[]),
    // Training needs no prover.
    ("gradproof-training", "worker/training", &["gradproof-circuits", "gradproof-verifier", "gradproof-terminal"]),
    ("gradproof-chain", "worker/chain", &["gradproof-verifier", "gradproof-evm", "gradproof-terminal"]),
    ("gradproof-blobs", "worker/blobs", &["gradproof-terminal"]),
    ("gradproof-handover", "worker/handover", &["gradproof-verifier", "gradproof-terminal"]),
    // It moves bytes, and knows neither jobs nor blobs nor a chain.
    ("gradproof-network", "worker/network", &[]),
    (
        "gradproof-node",
        "worker/node",
        &[
            "gradproof-verifier",
            "gradproof-evm",
            "gradproof-terminal",
            "gradproof-chain",
            "gradproof-blobs",
            "gradproof-handover",
            "gradproof-network",
        ],
    ),
    (
        "gradproof-worker",
        "worker",
        &[
            "gradproof-circuits",
            "gradproof-verifier",
            "gradproof-evm",
            "gradproof-terminal",
            "gradproof-verifier-program",
            "gradproof-prover",
            "gradproof-training",
            "gradproof-chain",
            "gradproof-handover",
            "gradproof-network",
            "gradproof-node",
        ],
    ),
    ("gradproof-cuda", "cuda", &["gradproof-circuits", "gradproof-verifier", "gradproof-prover"]),
];
/// On top of all of them: nothing may depend on these, but the tests of the programs on what all tests share.
const TOP: [&str; 3] = ["gradproof-tests", "gradproof-end-to-end", "xtask"];

/// What a crate must not depend on, of others' crates.
const NEVER: [(&str, &[&str]); 9] = [
    ("gradproof-blobs", &["clap", "alloy", "tokio", "libp2p"]),
    ("gradproof-handover", &["clap", "alloy", "tokio", "libp2p"]),
    ("gradproof-network", &["clap", "eyre", "alloy", "redb"]),
    ("gradproof-node", &["clap", "eyre", "libp2p", "halo2-axiom"]),
    ("gradproof-circuits", &["clap", "eyre", "indicatif", "alloy", "alloy-primitives", "alloy-sol-types", "tokio"]),
    (
        "gradproof-verifier",
        &["clap", "eyre", "indicatif", "alloy", "alloy-primitives", "alloy-sol-types", "tokio", "tempfile"],
    ),
    ("gradproof-prover", &["clap", "eyre", "indicatif", "alloy", "alloy-primitives", "alloy-sol-types", "tokio"]),
    (
        "gradproof-gpu",
        &["clap", "eyre", "indicatif", "alloy", "alloy-primitives", "alloy-sol-types", "tokio", "halo2-axiom"],
    ),
    ("gradproof-training", &["clap", "alloy", "alloy-primitives", "alloy-sol-types", "tokio", "halo2-axiom"]),
];

#[test]
fn crates_depend_downwards_only() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata answers");
    let names: Vec<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    for (name, folder, _) in CRATES {
        assert!(names.contains(&name), "{name} is not in the workspace");
        let package = metadata.packages.iter().find(|package| package.name == name).expect("it is there");
        assert_eq!(package.manifest_path.as_std_path(), root().join(folder).join("Cargo.toml"), "{name}");
    }
    for package in &metadata.packages {
        let name = package.name.as_str();
        let known = CRATES.iter().find(|(known, ..)| *known == name);
        assert!(known.is_some() || TOP.contains(&name), "{name} is on no floor: give it one in this test");
        let every: Vec<&str> = CRATES.iter().map(|(name, ..)| *name).collect();
        let below = known.map_or(&every[..], |(_, _, below)| below);
        // Of every kind, tests included: a verifier whose tests need the prover is tested in `tests/`.
        for dependency in package.dependencies.iter().map(|dependency| dependency.name.as_str()) {
            if names.contains(&dependency) {
                let shared = name == "gradproof-end-to-end" && dependency == "gradproof-tests";
                assert!(below.contains(&dependency) || shared, "{name} must not depend on {dependency}");
            }
            let never = NEVER.iter().find(|(known, _)| *known == name);
            assert!(!never.is_some_and(|(_, never)| never.contains(&dependency)), "{name} must not use {dependency}");
        }
    }
}

/// The Rust sources of the crate in `folder` without those of programs: module path and code, tests cut off.
fn modules(folder: &str) -> BTreeMap<Vec<String>, String> {
    let sources = root().join(folder).join("src");
    let mut modules = BTreeMap::new();
    let mut folders = vec![sources.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "bin") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                modules.insert(module(&sources, &path), code(&path));
            }
        }
    }
    modules
}

fn module(sources: &Path, file: &Path) -> Vec<String> {
    let within: PathBuf = file.strip_prefix(sources).expect("inside").with_extension("");
    let mut names: Vec<String> = within.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| ["mod", "lib", "main"].contains(&name.as_str())) {
        names.pop();
    }
    names
}

/// The code of a file without comments and without its tests, which stand last.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("the file can be read");
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The first words of the paths between the brace before `code` and the one that closes it.
fn listed(code: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut begin, mut names) = (0usize, 0, vec![]);
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(&code[begin..at]);
                begin = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => (),
        }
    }
    names.into_iter().filter_map(|name| name.trim().split([' ', ':']).next()).filter(|name| !name.is_empty())
}

/// The modules that `code` of module `own` names by a path.
fn named(own: &[String], code: &str, modules: &BTreeMap<Vec<String>, String>) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for (at, _) in code.match_indices("::") {
        // The whole path around this `::`, counted once, at its first.
        let begin =
            code[..at].rfind(|c| !is_word(c)).map_or(0, |i| i + code[i..].chars().next().map_or(1, char::len_utf8));
        if code[..begin].ends_with("::") {
            continue;
        }
        let end = code[at..].find(|c| !is_word(c) && c != ':').map_or(code.len(), |i| at + i);
        let mut words: Vec<&str> = code[begin..end].split("::").filter(|word| !word.is_empty()).collect();
        let mut base: Vec<String> = match words.first() {
            Some(&"crate") => vec![],
            Some(&"super") => own[..own.len().saturating_sub(1)].to_vec(),
            Some(child) if modules.contains_key(&[own, &[(*child).to_owned()]].concat()) => own.to_vec(),
            _ => continue,
        };
        if matches!(words.first(), Some(&"crate" | &"super")) {
            words.remove(0);
        }
        while words.first() == Some(&"super") {
            base.pop();
            words.remove(0);
        }
        // `path::{a, b}`: each of the names.
        let mut ends = vec![vec![]];
        if code[end..].starts_with('{') {
            ends = listed(&code[end + 1..]).map(|name| vec![name]).collect();
        }
        for last in ends {
            let mut path: Vec<String> = base.clone();
            path.extend(words.iter().chain(&last).map(|word| (*word).to_owned()));
            while !path.is_empty() && !modules.contains_key(&path) {
                path.pop();
            }
            // A module and those inside of it are one room: a part may use what its parent declares.
            if !path.is_empty() && !own.starts_with(&path) {
                found.insert(path);
            }
        }
    }
    found
}

/// Modules that can be reached from `from`, by one import or more.
fn reached(from: &[String], imports: &BTreeMap<Vec<String>, BTreeSet<Vec<String>>>) -> BTreeSet<Vec<String>> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from.to_vec()];
    while let Some(module) = next.pop() {
        for import in imports.get(&module).into_iter().flatten() {
            if reached.insert(import.clone()) {
                next.push(import.clone());
            }
        }
    }
    reached
}

fn circles(modules: &BTreeMap<Vec<String>, String>) -> Vec<String> {
    let imports: BTreeMap<_, _> =
        modules.iter().map(|(module, code)| (module.clone(), named(module, code, modules))).collect();
    let in_circle = imports.keys().filter(|module| reached(module, &imports).contains(*module));
    in_circle.map(|module| module.join("::")).collect()
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    for (name, folder, _) in CRATES.iter().filter(|(name, ..)| *name != "gradproof-cuda") {
        let circles = circles(&modules(folder));
        assert!(circles.is_empty(), "{name}: in a circle of imports: {circles:?}");
    }
}

#[test]
fn a_circle_is_found() {
    let source = |path: &[&str], code: &str| (path.iter().map(|name| (*name).to_owned()).collect(), code.to_owned());
    let mut sources: BTreeMap<Vec<String>, String> = BTreeMap::from([
        source(&[], "pub mod a;\npub mod b;"),
        source(&["a"], "mod c;\nuse c::C;\nuse crate::b::B;"),
        source(&["a", "c"], "use std::fs::File;"),
        source(&["b"], "use super::a::c::C;"),
    ]);
    assert_eq!(circles(&sources), Vec::<String>::new());
    for (path, code) in [
        (&["b"][..], "use crate::a::A;"),
        (&["b"], "use super::{a, x};"),
        (&["a", "c"], "use super::super::b::B;"),
        (&["b"], "use crate::{c::{d, e}, a};"),
    ] {
        let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
        let before = sources.insert(path.clone(), code.to_owned()).expect("it is there");
        assert!(!circles(&sources).is_empty(), "{code}");
        sources.insert(path, before);
    }
}

/// The libraries of verifier and argument compute: what they are told comes in as values.
#[test]
fn verifier_and_circuits_touch_no_files_and_no_clock() {
    for folder in ["circuits", "verifier", "verifier/evm"] {
        for (module, code) in modules(folder) {
            for word in
                ["std::fs", "std::net", "std::env", "std::process", "std::{", "use std as", "Instant", "SystemTime"]
            {
                assert!(!code.contains(word), "{folder}: {} uses {word}", module.join("::"));
            }
        }
    }
}
