//! A small job, proved once, and how to run the programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

/// Two epochs of five steps, of which a segment has four: segments 0 and 2 are at position 0, 1 and 3 at position 1 of the
/// epoch. The last step of an epoch has one row. The rate changes with the second epoch.
pub const JOB: &str = r#"[network]
layers = [6, 5, 4, 3]
[data]
format = "csv"
images = "rows.csv"
test_images = "rows.csv"
label_column = 0
scale = 0.00390625
[training]
batch = 4
epochs = 2
steps_per_segment = 4
[learning_rate]
schedule = [{ from_segment = 0, rate = 0.125 }, { from_epoch = 1, rate = 0.0625 }]
[initial_weights]
seed = 7
"#;

/// What a program did.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Standard output as one JSON object.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }

    /// Checks the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that standard error has `text`.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is not in\n{}", self.stderr);
        self
    }
}

/// A program, to be run in `folder`.
pub fn program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(match name {
        "provider" => env!("CARGO_BIN_EXE_tested-provider"),
        "requester" => env!("CARGO_BIN_EXE_tested-requester"),
        "validator" => env!("CARGO_BIN_EXE_tested-validator"),
        "node" => env!("CARGO_BIN_EXE_tested-node"),
        "dataset" => env!("CARGO_BIN_EXE_tested-dataset"),
        _ => env!("CARGO_BIN_EXE_tested-verifier"),
    });
    // The keys of the circuits are made once for all tests.
    command.current_dir(folder).env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// Runs a program in `folder` with the words of `line` as arguments.
///
/// Proofs are core proofs, which are made in no time, unless the line says or a statement asks otherwise.
pub fn run(folder: &Path, line: &str) -> Ran {
    let proves = line.starts_with("provider prove") || line.starts_with("requester commit");
    let chosen = ["--proof", "--statement", "--resume"].iter().any(|option| line.contains(option));
    if proves && !chosen { run_as_it_is(folder, &format!("{line} --proof core")) } else { run_as_it_is(folder, line) }
}

/// Runs a program in `folder` with exactly the words of `line` as arguments.
pub fn run_as_it_is(folder: &Path, line: &str) -> Ran {
    let mut words = line.split_whitespace();
    let mut command = program(words.next().unwrap_or_default(), folder);
    ran(command.args(words))
}

/// Runs a program as it is called.
pub fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
    Ran { code: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) }
}

/// A folder with the job in `job.toml` and its data.
pub fn job_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let value = |row: usize, column: usize| if column % 3 == row % 3 { 140 + row } else { 20 + 7 * column + row };
    let line = |row: usize| {
        let values: Vec<String> = (0..6).map(|column| value(row, column).to_string()).collect();
        format!("{},{}\n", row % 3, values.join(","))
    };
    fs::write(folder.path().join("rows.csv"), (0..17).map(line).collect::<String>()).expect("written");
    fs::write(folder.path().join("job.toml"), JOB).expect("written");
    folder
}

/// The files of [`JOB`] as `requester commit` and `provider prove` wrote them.
pub struct Proved {
    /// Names relative to the folder, `posted/…` and `out/…`.
    files: Vec<(PathBuf, Vec<u8>)>,
    /// What `provider prove --json` printed.
    pub report: Value,
}

/// [`JOB`], proved once.
pub static PROVED: LazyLock<Proved> = LazyLock::new(|| {
    let folder = job_folder();
    run(folder.path(), "requester commit --job job.toml --out posted").exits(0);
    Proved::of(folder.path())
});

/// The first account of a local node.
pub const ACCOUNT: &str = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";

/// The same with wrapped proofs, bound to a job of a contract; `unbound/statement.json` is the statement before that.
pub static WRAPPED: LazyLock<Proved> = LazyLock::new(|| {
    let folder = job_folder();
    run(folder.path(), "requester commit --job job.toml --out unbound --proof wrapped").exits(0);
    let job = format!("0x{}", "07".repeat(32));
    let domain = format!("--chain 31337 --contract {ACCOUNT} --owner {ACCOUNT} --job-id {job}");
    run(folder.path(), &format!("requester bind --statement unbound/statement.json --out posted {domain}")).exits(0);
    Proved::of(folder.path())
});

impl Proved {
    /// Proves the job in `folder` of the statement in `posted`.
    fn of(folder: &Path) -> Self {
        let line = "provider prove --job job.toml --statement posted/statement.json --out out --json";
        let report = run(folder, line).exits(0).json();
        let mut files = Vec::new();
        for name in ["unbound", "posted", "posted/private", "out", "out/private"] {
            for entry in fs::read_dir(folder.join(name)).into_iter().flatten() {
                let path = entry.expect("an entry").path();
                if path.is_file() {
                    let bytes = fs::read(&path).expect("read");
                    files.push((path.strip_prefix(folder).expect("inside").to_owned(), bytes));
                }
            }
        }
        Self { files, report }
    }

    /// A copy of the job, its statement and its proofs.
    pub fn copy(&self) -> TempDir {
        let folder = job_folder();
        for (name, bytes) in &self.files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
            fs::write(path, bytes).expect("written");
        }
        folder
    }
}

/// Verifies `out` against the statement that was posted.
pub fn verify(folder: &Path) -> Ran {
    run(folder, "verifier verify --statement posted/statement.json --proofs out --json")
}

/// Checks that `out` is rejected at `part`: the check that failed.
#[track_caller]
pub fn rejected(folder: &Path, part: &str) -> String {
    let ran = verify(folder).exits(1);
    let report = ran.json();
    assert_eq!((report["accepted"].as_bool(), report["part"].as_str()), (Some(false), Some(part)), "{report}");
    report["check"].as_str().expect("a check").to_owned()
}

/// Names of the proofs of [`JOB`], and of the part that each is of, in order.
pub const PROOFS: [(&str, &str); 7] = [
    ("parameters.proof", "parameters"),
    ("data-0000.proof", "data position 0"),
    ("data-0001.proof", "data position 1"),
    ("segment-0000.proof", "segment 0"),
    ("segment-0001.proof", "segment 1"),
    ("segment-0002.proof", "segment 2"),
    ("segment-0003.proof", "segment 3"),
];
