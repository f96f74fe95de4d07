//! What the workspace depends on is what `deny.toml` allows: licences, sources, versions and duplicates.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::str::SplitWhitespace;

use cargo_metadata::semver::Version;
use cargo_metadata::{CargoOpt, Error, Metadata, MetadataCommand};
use gradproof_tests::{root, skip};
use toml::{Table, Value};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What `Cargo.lock` holds: the packages of all features and systems.
fn locked() -> Vec<Value> {
    let packages = table("Cargo.lock").remove("package").expect("packages");
    packages.as_array().expect("a list").clone()
}

fn table(file: &str) -> Table {
    let text = std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The crates of the workspace.
fn workspace() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).no_deps().exec().expect("cargo metadata answers")
}

/// All packages with what their authors say of them; none if this machine has not downloaded them all.
fn downloaded() -> Option<Metadata> {
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).features(CargoOpt::AllFeatures);
    match command.other_options(["--offline", "--locked"].map(String::from)).exec() {
        Ok(metadata) => Some(metadata),
        Err(Error::CargoMetadata { stderr }) if stderr.contains("--offline was specified") => None,
        Err(error) => panic!("cargo metadata: {error}"),
    }
}

#[test]
fn every_licence_is_allowed() {
    let Some(metadata) = downloaded() else {
        let lacks = "the crates of all systems and features";
        return skip("every_licence_is_allowed", lacks, "`cargo fetch --locked` downloads them");
    };
    let deny = table("deny.toml");
    let allowed = deny["licenses"]["allow"].as_array().expect("a list").iter();
    let allowed: BTreeSet<&str> = allowed.map(|licence| licence.as_str().expect("a text")).collect();
    for package in &metadata.packages {
        let (name, licence) = (package.name.as_str(), package.license.as_deref().unwrap_or("none"));
        assert!(is_met(licence, &allowed), "{name} {}: {licence} is not allowed by deny.toml", package.version);
    }
}

#[test]
fn every_source_is_crates_io_or_the_workspace() {
    let metadata = workspace();
    let members: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    for package in locked() {
        let (name, source) = (text(&package, "name"), text(&package, "source"));
        let right = match source {
            "" => members.contains(name),
            source => source == CRATES_IO,
        };
        assert!(right, "{name} is neither from crates.io nor of the workspace: {source}");
    }
}

#[test]
fn no_version_is_a_wildcard() {
    for package in workspace().packages {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_none()) {
            let any = dependency.req.comparators.is_empty();
            assert!(!any, "{} asks for any version of {}: name one", package.name.as_str(), dependency.name);
        }
    }
}

#[test]
fn crates_in_several_versions_are_listed() {
    let mut versions = BTreeMap::<String, BTreeSet<Version>>::new();
    for package in locked() {
        let version = text(&package, "version").parse().expect("a version");
        versions.entry(text(&package, "name").to_owned()).or_default().insert(version);
    }
    // Of each crate all but the newest, in as many parts of a version as decide what is compatible.
    let older = versions.iter().flat_map(|(name, versions)| {
        versions.iter().rev().skip(1).map(move |version| match (version.major, version.minor, version.patch) {
            (0, 0, patch) => format!("{name}:0.0.{patch}"),
            (0, minor, _) => format!("{name}:0.{minor}"),
            (major, ..) => format!("{name}:{major}"),
        })
    });
    let found: BTreeSet<String> = older.collect();
    let deny = table("deny.toml");
    let skipped = deny["bans"]["skip"].as_array().expect("a list");
    let listed: BTreeSet<String> = skipped.iter().map(|entry| text(entry, "crate").to_owned()).collect();
    let [new, gone] = [&found - &listed, &listed - &found];
    assert!(new.is_empty(), "crates in several versions that deny.toml does not list in `bans.skip`: {new:?}");
    assert!(gone.is_empty(), "deny.toml lists in `bans.skip` what is not an older version of a crate: {gone:?}");
}

/// Whether licences of `allowed` meet an SPDX expression. Older crates write `A/B` for `A OR B`.
fn is_met(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    any_of(&mut words, allowed) && words.next().is_none()
}

fn any_of(words: &mut Peekable<SplitWhitespace<'_>>, allowed: &BTreeSet<&str>) -> bool {
    let mut met = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        met |= all_of(words, allowed);
    }
    met
}

fn all_of(words: &mut Peekable<SplitWhitespace<'_>>, allowed: &BTreeSet<&str>) -> bool {
    let mut met = term(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        met &= term(words, allowed);
    }
    met
}

fn term(words: &mut Peekable<SplitWhitespace<'_>>, allowed: &BTreeSet<&str>) -> bool {
    let Some(word) = words.next() else { return false };
    if word == "(" {
        let met = any_of(words, allowed);
        return words.next() == Some(")") && met;
    }
    match words.next_if_eq(&"WITH").and_then(|_| words.next()) {
        Some(exception) => allowed.contains(format!("{word} WITH {exception}").as_str()),
        None => allowed.contains(word),
    }
}

#[test]
fn expressions_of_licences_are_read_as_spdx_does() {
    let allowed = BTreeSet::from(["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"]);
    for met in [
        "MIT",
        "GPL-3.0 OR MIT",
        "MIT/GPL-3.0",
        "(MIT OR GPL-3.0) AND Unicode-3.0",
        "GPL-3.0 AND MIT OR MIT",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0",
    ] {
        assert!(is_met(met, &allowed), "{met}");
    }
    for unmet in ["", "GPL-3.0", "MIT AND GPL-3.0", "MIT AND (GPL-3.0 OR Apache-2.0)", "Apache-2.0", "(MIT", "MIT MIT"]
    {
        assert!(!is_met(unmet, &allowed), "{unmet}");
    }
}
