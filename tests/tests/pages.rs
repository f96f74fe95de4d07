//! What the pages say about the tree: links lead somewhere, every crate and page is listed, limits, tasks and tests are those of the code.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;
use gradproof_circuits::architecture::{MAX_BATCH, MAX_LAYERS};
use gradproof_circuits::graph::MAX_WIDTH;
use gradproof_tests::root;

/// The pages of the root, of `docs`, and of the contracts.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("contracts/README.md")];
    for folder in [root().to_path_buf(), root().join("docs")] {
        let entries =
            fs::read_dir(folder).expect("the folder can be read").map(|entry| entry.expect("an entry").path());
        pages.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    pages
}

fn text(page: &Path) -> String {
    fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// How a heading is named in a link.
fn anchor(heading: &str) -> String {
    let heading = heading.trim().to_lowercase().replace(' ', "-");
    heading.chars().filter(|&c| c.is_alphanumeric() || "-_".contains(c)).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    for page in pages() {
        for link in text(&page).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap_or(root()).join(file),
            };
            assert!(target.exists(), "{}: there is no {link}", page.display());
            if !heading.is_empty() {
                let found = text(&target)
                    .lines()
                    .any(|line| line.starts_with('#') && anchor(line.trim_start_matches('#')) == heading);
                assert!(found, "{}: there is no heading {link}", page.display());
            }
            links += 1;
        }
    }
    assert!(links > 50, "{links} links");
}

/// The files whose texts may name other files of the repository.
fn sources() -> Vec<PathBuf> {
    let kinds = ["rs", "sol", "md", "toml", "mjs"].map(std::ffi::OsStr::new);
    let mut sources = vec![];
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                let made = ["target", "node_modules", "out", "cache", "data"].contains(&name.as_str());
                folders.extend((!made || path.ends_with("src/data")).then_some(path));
            } else if path.extension().is_some_and(|kind| kinds.contains(&kind)) {
                sources.push(path);
            }
        }
    }
    sources
}

/// `cargo xtask test` runs no examples in documentation: there are none, every block of it is text.
#[test]
fn documentation_has_no_examples() {
    for source in sources().iter().filter(|path| path.extension().is_some_and(|kind| kind == "rs")) {
        let text = text(source);
        let lines = text.lines().map(str::trim_start).filter(|line| line.starts_with("//"));
        let fences = lines.filter_map(|line| line.trim_start_matches(['/', '!', ' ']).strip_prefix("```"));
        for (index, language) in fences.enumerate() {
            let expected = if index % 2 == 0 { "text" } else { "" };
            assert_eq!(language, expected, "{}: block {}", source.display(), index / 2);
        }
    }
}

/// Paths in comments and pages, from the root of the repository: what they name is there.
#[test]
fn paths_lead_somewhere() {
    let begins = [
        "circuits/",
        "verifier/",
        "prover/",
        "worker/",
        "tests/tests/",
        "contracts/test/",
        "tests/src/",
        "xtask/src/",
        "contracts/src/",
        "docs/",
    ];
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/_-.".contains(c);
    let mut paths = 0;
    for source in sources() {
        let text = text(&source);
        for word in text.split(|c: char| !is_path(c)).filter(|word| begins.iter().any(|begin| word.starts_with(begin)))
        {
            let word = word.trim_end_matches(['.', '/']);
            let ends = [".rs", ".sol", ".md", ".toml", ".json", ".py", ".mjs"].iter().any(|end| word.ends_with(end));
            if ends {
                assert!(root().join(word).exists(), "{}: there is no {word}", source.display());
                paths += 1;
            }
        }
    }
    assert!(paths > 50, "{paths} paths");
}

#[test]
fn the_readme_lists_every_crate() {
    let readme = text(&root().join("README.md"));
    let mut command = MetadataCommand::new();
    let metadata = command.manifest_path(root().join("Cargo.toml")).no_deps().exec().expect("cargo metadata answers");
    for package in &metadata.packages {
        let folder = package.manifest_path.parent().expect("a folder");
        let folder = folder.strip_prefix(root()).expect("inside of the workspace");
        assert!(readme.contains(&format!("]({folder})")), "README.md does not list {folder}");
    }
}

#[test]
fn the_reading_order_lists_every_page() {
    let docs = root().join("docs");
    let order = text(&docs.join("README.md"));
    for page in pages().iter().filter(|page| page.parent() == Some(docs.as_path())) {
        let name = page.file_name().unwrap_or_default().to_string_lossy();
        assert!(name == "README.md" || order.contains(&format!("]({name})")), "docs/README.md does not list {name}");
    }
}

#[test]
fn the_limits_of_the_readme_are_those_of_the_code() {
    let readme = text(&root().join("README.md"));
    let words = readme.split_whitespace().collect::<Vec<_>>().join(" ");
    // None of them has a million.
    let grouped = |n: usize| if n < 1000 { n.to_string() } else { format!("{},{:03}", n / 1000, n % 1000) };
    let [layers, width, batch] = [MAX_LAYERS, MAX_WIDTH, MAX_BATCH].map(grouped);
    let limits = format!("up to {layers} layers of up to {width} neurons, batches of up to {batch} rows");
    assert!(words.contains(&limits), "README.md does not say: {limits}");
}

#[test]
fn tasks_that_the_pages_name_exist() {
    let tasks = text(&root().join("xtask/src/main.rs"));
    let mut named = 0;
    for page in pages() {
        for rest in text(&page).split("cargo xtask ").skip(1) {
            let name: String = rest.chars().take_while(|&c| c.is_ascii_lowercase() || c == '-').collect();
            if name.is_empty() || name.starts_with('-') {
                continue;
            }
            let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
            let variant: String = name.trim_end_matches('-').split('-').map(capital).collect();
            let exists = [",", " {", "("].iter().any(|end| tasks.contains(&format!("\n    {variant}{end}")));
            assert!(exists, "{}: there is no task `cargo xtask {name}`", page.display());
            named += 1;
        }
    }
    assert!(named > 20, "{named} tasks");
}

/// Whether a source has a test of this name.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    let is_named = |line: &str| {
        let line = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        line.and_then(|rest| rest.strip_prefix(name)).is_some_and(|rest| rest.starts_with('('))
    };
    // What is said of a function stands before it.
    let attributes = |at: usize| lines[..at].iter().rev().take_while(|line| line.starts_with(['#', '/']));
    let is_test = |line: &&str| line.starts_with("#[test") || line.starts_with("#[tokio::test");
    lines.iter().enumerate().any(|(at, line)| is_named(line) && attributes(at).any(is_test))
}

#[test]
fn a_test_is_what_is_marked_as_one() {
    let source = "#[test]\n/// So.\nfn one() {}\n    #[tokio::test(start_paused = true)]\n    async fn two() {}\n\nfn three() {}\n";
    for (name, is_one) in [("one", true), ("two", true), ("three", false), ("on", false), ("four", false)] {
        assert_eq!(has_test(source, name), is_one, "{name}");
    }
}

/// What others complained of, and the tests that it does not happen here.
#[test]
fn each_mistake_of_others_has_its_tests() {
    /// Complaints that were looked into.
    const COMPLAINTS: usize = 20;
    let page = text(&root().join("docs/nodes.md"));
    let table = page.split("\n## ").find_map(|part| part.strip_prefix("Mistakes of others\n")).expect("the section");
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| #"));
    let mut missing = vec![];
    let mut numbers = vec![];
    for row in rows {
        let number: usize = row.split('|').nth(1).and_then(|cell| cell.trim().parse().ok()).expect("a number");
        numbers.push(number);
        let named: Vec<(&str, &str)> = row.split('`').filter_map(|word| word.split_once("::")).collect();
        assert!(!named.is_empty(), "{number} names no test");
        let exists =
            |file: &str, test| fs::read_to_string(root().join(file)).is_ok_and(|source| has_test(&source, test));
        missing.extend(named.into_iter().filter(|(file, test)| !exists(file, test)));
    }
    assert_eq!(numbers, (1..=COMPLAINTS).collect::<Vec<_>>());
    assert!(missing.is_empty(), "there are no tests {missing:?}");
}
