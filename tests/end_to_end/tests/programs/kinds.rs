//! The table of what new users stumbled over: each kind for each command a test, or why it does not apply.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use gradproof_tests::test_names;

use crate::fixture::{JOB, PROVED, job_folder, run};

const TABLE: &str = include_str!("kinds.toml");
const PROGRAMS: [&str; 6] = ["provider", "requester", "validator", "verifier", "node", "dataset"];

/// The commands of a program, from its help.
fn commands(program: &str) -> Vec<String> {
    let folder = job_folder();
    let help = run(folder.path(), &format!("{program} --help")).exits(0).stdout;
    let list = help.split("Commands:\n").nth(1).expect("a list of commands");
    let names = list
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.map(|name| format!("{program} {name}")).collect()
}

#[test]
fn every_kind_has_a_cell_for_every_command() {
    let table: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(TABLE).expect("a table of tables");
    let known: BTreeSet<String> = PROGRAMS.iter().flat_map(|program| commands(program)).collect();
    let tests = test_names();
    assert!(table.len() >= 19, "{} kinds", table.len());
    for (kind, cells) in &table {
        let mut filled = BTreeSet::new();
        for (commands, cell) in cells {
            for command in commands.split(", ") {
                assert!(known.contains(command), "{kind}: there is no command `{command}`");
                assert!(filled.insert(command.to_owned()), "{kind}: {command} has two cells");
            }
            match cell.strip_prefix("does not apply: ") {
                Some(why) => assert!(why.len() > 10, "{kind}: {commands}: say why"),
                None => assert!(tests.contains(cell), "{kind}: {commands}: there is no test {cell}"),
            }
            for named in cell.split(' ').map(|word| word.trim_matches([',', ';'])).filter(|word| word.contains("::")) {
                assert!(tests.contains(named), "{kind}: {commands}: there is no test {named}");
            }
        }
        let missing: Vec<&String> = known.difference(&filled).collect();
        assert!(missing.is_empty(), "{kind}: no cell for {missing:?}");
    }
}

/// Commands that a help or another message shows are taken by the programs' parsers: only what they name is not there.
#[test]
fn commands_of_the_help_can_be_parsed() {
    let folder = job_folder();
    let known: Vec<String> = PROGRAMS.iter().flat_map(|program| commands(program)).collect();
    let mut shown = 0;
    for command in known.iter().map(String::as_str).chain(PROGRAMS) {
        let help = run(folder.path(), &format!("{command} --help")).exits(0).stdout.replace("\\\n", " ");
        let words = help
            .lines()
            .flat_map(|line| line.split("Example: "))
            .map(|line| line.trim().trim_start_matches("then:").trim());
        for line in words.filter(|line| known.iter().any(|command| line.starts_with(&format!("{command} ")))) {
            let line = line.split(" > ").next().unwrap_or_default();
            // What stands for a number of so many digits.
            let line = line
                .replace("--job-id 0x…", &format!("--job-id 0x{}", "1".repeat(64)))
                .replace("--job 0x…", &format!("--job 0x{}", "1".repeat(64)))
                .replace("0x…", &format!("0x{}", "1".repeat(40)));
            if line.starts_with("provider demo")
                || line.starts_with("provider bench")
                || line.split_whitespace().count() < 3
            {
                continue;
            }
            let ran = run(folder.path(), &line);
            assert!(
                !ran.stderr.contains("Usage:") && !ran.stderr.contains("unexpected argument"),
                "{line}: {}",
                ran.stderr
            );
            shown += 1;
        }
    }
    assert!(shown >= 8, "{shown} commands were found");
}

#[test]
fn options_of_another_command_are_refused() {
    let folder = PROVED.copy();
    let at = folder.path();
    fs::write(at.join("untested.toml"), JOB.replace("test_images = \"rows.csv\"\n", "")).expect("written");
    fs::write(at.join("short.toml"), format!("{JOB}[proof]\ncolumn_bits = 9\n")).expect("written");
    for (line, why) in [
        ("requester commit --job job.toml --out o --owner 0x00", "--owner"),
        ("requester commit --job job.toml --out o --chain 1", "--chain"),
        ("provider prove --job job.toml --out o --openings x", "--statement"),
        (
            "provider prove --job job.toml --out o --proof core --backend cpu",
            "--backend is for the circuits of wrapped proofs",
        ),
        ("provider prove --job job.toml --out o --proof core --key-cache k", "--key-cache"),
        ("requester commit --job job.toml --out o --proof core --without-zero-knowledge", "--without-zero-knowledge"),
        ("provider prove --job short.toml --statement posted/statement.json --out o", "columns of 2^9"),
        ("provider train --job untested.toml --out o --float", "data.test_images"),
        ("provider bench --layers 6,5,3 --profile chain --column-bits 12", "--column-bits"),
        ("provider bench --layers 6,5,3 --proof core --contracts .", "--contracts"),
        ("verifier verify --statement s --proofs p --key k --derive-key", "--derive-key"),
        ("verifier export-contract --layers 6,5,3 --proofs posted --out o --insecure", "--statement"),
        ("provider prove --job job.toml --out o --traces nowhere", "--traces nowhere"),
        ("requester bind --statement s --out o --chain 1 --contract c --job-id j --owner o --proof core", "--proof"),
    ] {
        run(at, line).exits(2).says(why);
    }
    assert!(!at.join("o").exists());
}
