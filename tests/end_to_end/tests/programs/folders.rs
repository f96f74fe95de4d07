//! Folders and output: nothing is half written, replaced, or lost without a word.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::fixture::{JOB, PROVED, job_folder, program, run};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("listed")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_commit_that_fails_leaves_nothing() {
    let folder = job_folder();
    let at = folder.path();
    run(at, "requester first-weights --job job.toml --out first.safetensors --float").exits(0);
    // A bias of a million, in units of 2^-28, is above the 2^47 that can be registered.
    let mut bytes = fs::read(at.join("first.safetensors")).expect("read");
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).expect("a header");
    let offset = 8 + length + header["0.bias"]["data_offsets"][0].as_u64().expect("an offset") as usize;
    bytes[offset..offset + 4].copy_from_slice(&1e6f32.to_le_bytes());
    fs::write(at.join("first.safetensors"), bytes).expect("written");
    fs::write(at.join("bad.toml"), JOB.replace("seed = 7", "file = \"first.safetensors\"")).expect("written");
    let said = "first parameters: 0.bias[0] is 1000000, expected at least -524288 and less than 524288";
    run(at, "requester commit --job bad.toml --out posted").exits(2).says(said);
    assert!(!at.join("posted").exists());
    run(at, "provider prove --job bad.toml --out posted").exits(2).says(said);
    assert!(!at.join("posted").exists());
    run(at, "provider train --job bad.toml --out posted").exits(2).says(said);
    assert!(!at.join("posted").exists());
    // Mended, the same folder serves, what a killed run left there included.
    fs::create_dir_all(at.join("posted/.unfinished")).expect("made");
    fs::write(at.join("posted/.unfinished/statement.json"), "half").expect("written");
    run(at, "requester commit --job job.toml --out posted").exits(0);
    let all = ["data-0000.proof", "data-0001.proof", "parameters.proof", "private", "statement.json"];
    assert_eq!(names(&at.join("posted")), all);
}

#[test]
fn one_of_two_writers_of_a_folder_is_refused() {
    let folder = job_folder();
    let at = folder.path();
    // Held by this process, as by any other program.
    fs::create_dir(at.join("out")).expect("made");
    let lock = fs::File::open(at.join("out")).expect("opened");
    lock.lock().expect("locked");
    for line in [
        "requester commit --job job.toml --out out",
        "provider prove --job job.toml --out out",
        "provider prove --job job.toml --out out --resume",
        "provider train --job job.toml --out out",
        "provider demo --out out",
        "verifier export-contract --layers 6,5,3 --batch 4 --steps 2 --out out --insecure",
    ] {
        run(at, line).exits(2).says("another program is writing into out");
    }
    run(at, "requester commit --job job.toml --out posted").exits(0);
    let address = format!("0x{}", "1".repeat(40));
    let domain = format!("--chain 1 --contract {address} --owner {address} --job-id 0x{}", "1".repeat(64));
    let bind = format!("requester bind --statement posted/statement.json --out out {domain}");
    run(at, &bind).exits(2).says("another program is writing into out");
    assert!(names(&at.join("out")).is_empty());
    lock.unlock().expect("unlocked");
    // Two at once: one is done, and what lies there is its own.
    let commit = || {
        let mut command = program("requester", at);
        command.args(["commit", "--job", "job.toml", "--proof", "core", "--out", "out"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    };
    let mut both = [commit(), commit()];
    let mut codes = both.each_mut().map(|child| child.wait().expect("it ends").code());
    codes.sort();
    assert_eq!(codes, [Some(0), Some(2)]);
    run(at, "provider prove --job job.toml --statement out/statement.json --out proved").exits(0);
}

#[test]
fn nothing_that_is_there_is_replaced() {
    let folder = PROVED.copy();
    let at = folder.path();
    let before = |name: &str| fs::read(at.join(name)).expect("read");
    let kept = ["out/weights.exact.safetensors", "out/weights.safetensors", "out/report.json", "out/statement.json"];
    let all: Vec<_> = kept.iter().map(|name| before(name)).collect();
    fs::write(at.join("other.toml"), JOB.replace("seed = 7", "seed = 8")).expect("written");
    for line in [
        "provider train --job other.toml --out out",
        "provider prove --job other.toml --out out",
        "requester commit --job other.toml --out out",
        "provider demo --out out",
    ] {
        run(at, line).exits(2).says("is there already");
    }
    run(at, "provider train --job job.toml --out trained --traces traces").exits(0);
    run(at, "provider train --job job.toml --out trained").exits(2).says("trained/report.json is there already");
    run(at, "provider train --job job.toml --out more --traces traces")
        .exits(2)
        .says("segment-0000.trace is there already");
    assert!(!at.join("more").exists());
    run(at, "provider prove --job job.toml --out trained").exits(2).says("is there already");
    run(at, "verifier key --layers 6,5,3 --batch 4 --steps 2 --column-bits 10 --proof core --out a.key").exits(0);
    run(at, "verifier key --layers 6,5,3 --batch 4 --steps 2 --column-bits 10 --proof core --out a.key")
        .exits(2)
        .says("a.key is there already");
    assert_eq!(kept.iter().map(|name| before(name)).collect::<Vec<_>>(), all);
    // Contracts, too.
    fs::create_dir(at.join("contract")).expect("made");
    fs::write(at.join("contract/contracts.json"), "{}").expect("written");
    run(at, "verifier export-contract --layers 6,5,3 --batch 4 --steps 2 --out contract --insecure")
        .exits(2)
        .says("is there already");
}

#[test]
fn commands_that_are_printed_can_be_pasted() {
    let folder = PROVED.copy();
    let at = folder.path();
    let mut prove = program("provider", at);
    let arguments = ["prove", "--job", "job.toml", "--statement", "posted/statement.json", "--out", "out; my 'run'"];
    let output = prove.args(arguments).output().expect("it starts");
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let command = printed.lines().find_map(|line| line.strip_prefix("check it: ")).expect("a command");
    assert!(command.contains("--statement posted/statement.json"), "the requester's statement: {command}");
    let verifier = program("verifier", at).get_program().to_owned();
    let pasted = command.strip_prefix("verifier ").expect("a command of the verifier");
    let shell = Command::new("sh").arg("-c").arg(format!("'{}' {pasted}", verifier.display())).current_dir(at).output();
    let shell = shell.expect("there is a shell");
    assert!(String::from_utf8_lossy(&shell.stdout).starts_with("accepted"), "{command}");
}

#[test]
fn an_error_is_said_once() {
    let folder = job_folder();
    let at = folder.path();
    fs::write(at.join("zip.safetensors"), [&b"PK\x03\x04"[..], &[b'0'; 300]].concat()).expect("written");
    fs::write(at.join("zip.toml"), JOB.replace("seed = 7", "file = \"zip.safetensors\"")).expect("written");
    fs::write(at.join("statement.json"), "{\"version\": \"x\"}").expect("written");
    fs::write(at.join("gone.toml"), JOB.replace("rows.csv", "none.csv")).expect("written");
    fs::write(at.join("cut.gz"), [0x1f, 0x8b, 8]).expect("written");
    fs::write(at.join("cut.toml"), JOB.replace("rows.csv", "cut.gz")).expect("written");
    for line in [
        "provider train --job nope.toml --out o",
        "provider train --job zip.toml --out o",
        "provider train --job gone.toml --out o",
        "provider train --job cut.toml --out o",
        "verifier verify --statement statement.json --proofs .",
        "verifier verify --statement none.json --proofs .",
        "verifier key --setup none.ptau",
        "requester check-deployment --rpc http://127.0.0.1:1 --deployment none.json",
    ] {
        let ran = run(at, line).exits(2);
        let error = ran.stderr.lines().find_map(|line| line.strip_prefix("error: ")).expect("an error").to_owned();
        // No piece of some length between two colons stands twice.
        let pieces: Vec<&str> = error.split(": ").filter(|piece| piece.len() > 12).collect();
        let mut distinct = pieces.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), pieces.len(), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_no_success() {
    let folder = PROVED.copy();
    let at = folder.path();
    let verify = ["verify", "--statement", "posted/statement.json", "--proofs", "out"];
    for (name, arguments) in [
        ("verifier", &verify[..]),
        ("requester", &["example"]),
        ("provider", &["train", "--job", "job.toml", "--out", "trained", "--json"]),
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
        let output = program(name, at).args(arguments).stdout(full).stderr(Stdio::piped()).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(said.contains("cannot write to standard output"), "{said}");
    }
    // A reader that has seen enough is no failure.
    let mut child =
        program("verifier", at).args(verify).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn sets_that_belong_together_are_scaled_alike() {
    let folder = job_folder();
    let at = folder.path();
    let npy = |name: &str, descr: &str, shape: &str, items: Vec<u8>| {
        let header =
            format!("{:<117}\n", format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"));
        let bytes =
            [&b"\x93NUMPY\x01\x00"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes(), &items].concat();
        fs::write(at.join(name), bytes).expect("written");
    };
    let values = |row: u8| (0..6).map(move |column| row * 7 + column * 11);
    npy("x.npy", "|u1", "(17, 6)", (0..17).flat_map(values).collect());
    npy("xt.npy", "<i8", "(17, 6)", (0..17).flat_map(values).flat_map(|x| i64::from(x).to_le_bytes()).collect());
    npy("y.npy", "|u1", "(17,)", (0..17).map(|row| row % 3).collect());
    let job = JOB.replace(
        "format = \"csv\"\nimages = \"rows.csv\"\ntest_images = \"rows.csv\"\nlabel_column = 0\nscale = 0.00390625",
        "format = \"npy\"\nimages = \"x.npy\"\nlabels = \"y.npy\"\ntest_images = \"xt.npy\"\ntest_labels = \"y.npy\"",
    );
    fs::write(at.join("npy.toml"), &job).expect("written");
    let ran = run(at, "provider train --job npy.toml --out o").exits(2);
    ran.says("xt.npy, byte 8: the type of a value is <i8, expected one that is scaled as the training set's")
        .says("data.scale");
    fs::write(at.join("npy.toml"), job.replace("format =", "scale = 0.00390625\nformat =")).expect("written");
    let ran = run(at, "provider train --job npy.toml --out o").exits(0);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
}

/// A test set far outside of the training set's range: said once, not once a segment.
#[test]
fn a_test_set_that_leaves_the_range_is_told_once() {
    let folder = job_folder();
    let at = folder.path();
    let far: String = (0..17).map(|row| format!("{},{}\n", row % 3, ["32000"; 6].join(","))).collect();
    fs::write(at.join("far.csv"), far).expect("written");
    let job = JOB.replace("test_images = \"rows.csv\"", "test_images = \"far.csv\"");
    fs::write(at.join("far.toml"), job).expect("written");
    let ran = run(at, "provider train --job far.toml --out o").exits(0);
    assert_eq!(ran.stderr.matches("warning: no accuracy on the test set, said once").count(), 1, "{}", ran.stderr);
}
