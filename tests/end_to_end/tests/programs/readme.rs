//! The README's code blocks do what it says.

use std::fs;

use crate::fixture::run;

/// The contents of the code blocks of `language`.
fn blocks(text: &str, language: &str) -> Vec<String> {
    text.split("\n```")
        .filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'))
        .map(|block| block.to_owned())
        .collect()
}

fn readme() -> String {
    fs::read_to_string(gradproof_tests::root().join("README.md")).expect("there is a README")
}

#[test]
fn the_job_of_the_readme_is_proved_and_accepted() {
    let (text, folder) = (readme(), tempfile::tempdir().expect("a folder"));
    let blocks_of_jobs = blocks(&text, "toml");
    let [job, tables @ ..] = &blocks_of_jobs[..] else { panic!("a job file") };
    // The other ones are parts of what `requester example` prints.
    for (block, format) in tables.iter().zip(["csv", "npy"]) {
        let example = run(folder.path(), &format!("requester example --format {format}")).exits(0).stdout;
        assert!(block.trim().lines().all(|line| example.lines().any(|other| other == line)), "{block}");
    }
    assert_eq!(tables.len(), 2);
    let [commands, contracts] = &blocks(&text, "sh")[..] else { panic!("two blocks of commands") };
    fs::write(folder.path().join("job.toml"), job).expect("written");
    // Proofs are wrapped, as they are unless something else is asked for.
    let wrapped = |line: &str| line.replace("requester commit", "requester commit --proof wrapped");
    let all = |lines: &str| {
        let lines = lines.replace("\\\n", " ");
        lines.lines().map(|line| run(folder.path(), &wrapped(line)).exits(0)).collect::<Vec<_>>()
    };
    let ran = all(commands);
    let [.., verified, opened] = &ran[..] else { panic!("some commands") };
    assert!(verified.stdout.starts_with("accepted: 32 steps in 1 segments"), "{}", verified.stdout);
    assert!(opened.stdout.contains("has the weights that were proved"), "{}", opened.stdout);
    for name in ["segment-0000.proof", "weights.safetensors", "weights.exact.safetensors", "report.json"] {
        assert!(folder.path().join("trained").join(name).is_file(), "{name}");
    }
    all(contracts);
    for name in ["src/core/Halo2Verifier.sol", "SegmentVerifier.json", "contracts.json", "segment-0000.json"] {
        assert!(folder.path().join("contract").join(name).is_file(), "{name}");
    }
}

#[test]
fn the_commands_of_the_readme_are_those_of_the_continuous_integration() {
    let script = fs::read_to_string(gradproof_tests::root().join(".ci/run")).expect("there is a script");
    for block in blocks(&readme(), "console") {
        let command = block.trim().strip_prefix("$ ").expect("a command");
        assert!(script.contains(command), "`{command}` is not run");
    }
}
