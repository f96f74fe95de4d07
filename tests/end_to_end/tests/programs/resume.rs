//! Interrupted proving goes on at the next segment, keeps what is there, and shares no randomness with what was lost.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::fixture::{PROOFS, PROVED, job_folder, program, run, verify};

const RESUME: &str = "provider prove --job job.toml --out out --resume";

#[test]
fn a_folder_that_is_used_is_refused_without_resume() {
    let folder = PROVED.copy();
    run(folder.path(), "provider prove --job job.toml --out out").exits(2).says("--resume");
    run(folder.path(), "requester commit --job job.toml --out posted").exits(2).says("choose another folder");
}

#[test]
fn a_complete_job_is_left_as_it_is() {
    let folder = PROVED.copy();
    let read = |name: &str| fs::read(folder.path().join("out").join(name)).expect("read");
    let before: Vec<_> = PROOFS.iter().map(|(name, _)| read(name)).collect();
    let (weights, statement) = (read("weights.safetensors"), read("statement.json"));
    run(folder.path(), RESUME).exits(0);
    assert_eq!(PROOFS.iter().map(|(name, _)| read(name)).collect::<Vec<_>>(), before);
    assert_eq!((read("weights.safetensors"), read("statement.json")), (weights, statement));
}

#[test]
fn missing_proofs_are_made_again_with_other_randomness() {
    let folder = PROVED.copy();
    let path = |name: &str| folder.path().join("out").join(name);
    let lost = ["segment-0001.proof", "segment-0003.proof", "data-0001.proof"];
    let before = lost.map(|name| fs::read(path(name)).expect("read"));
    let kept = fs::read(path("segment-0002.proof")).expect("read");
    for name in lost {
        fs::remove_file(path(name)).expect("removed");
    }
    fs::remove_file(path("weights.safetensors")).expect("removed");
    fs::write(path(".tmp17ff.partial"), &before[1][..100]).expect("written");
    run(folder.path(), RESUME).exits(0);
    assert_eq!(fs::read(path("segment-0002.proof")).expect("read"), kept);
    assert!(!path(".tmp17ff.partial").exists());
    assert!(path("weights.safetensors").exists());
    for (name, before) in lost.iter().zip(&before) {
        let after = fs::read(path(name)).expect("read");
        assert_eq!(after.len(), before.len());
        if name.starts_with("segment") {
            // Magic, version, subject and kind; then the random column.
            assert_ne!(after[7..71], before[7..71], "{name}: the random column is the same");
            assert_ne!(after[after.len() - 128..], before[before.len() - 128..], "{name}: the opening is the same");
        }
    }
    verify(folder.path()).exits(0);
}

#[test]
fn a_proof_that_is_wrong_is_named_and_not_kept() {
    let folder = PROVED.copy();
    let path = folder.path().join("out/segment-0002.proof");
    let mut bytes = fs::read(&path).expect("read");
    bytes[1000] ^= 1;
    fs::write(&path, bytes).expect("written");
    run(folder.path(), RESUME).exits(2).says("segment-0002.proof is not a proof of this job").says("remove it");
    fs::remove_file(&path).expect("removed");
    run(folder.path(), RESUME).exits(0);
    verify(folder.path()).exits(0);
}

#[test]
fn another_job_or_statement_is_refused() {
    let folder = PROVED.copy();
    let job = fs::read_to_string(folder.path().join("job.toml")).expect("read");
    for (from, to, field) in [
        ("0.0625", "0.03125", "rates"),
        ("seed = 7", "seed = 8", "first_parameters, initial_seed"),
        ("epochs = 2", "epochs = 3", "steps"),
    ] {
        fs::write(folder.path().join("job.toml"), job.replace(from, to)).expect("written");
        run(folder.path(), RESUME).exits(2).says("not the statement of this job").says(field);
    }
    fs::write(folder.path().join("job.toml"), &job).expect("written");
    let data = fs::read_to_string(folder.path().join("rows.csv")).expect("read");
    fs::write(folder.path().join("rows.csv"), data.replacen("140", "141", 1)).expect("written");
    run(folder.path(), RESUME).exits(2).says("data differ");
    fs::write(folder.path().join("rows.csv"), &data).expect("written");
    // The openings of another commitment to the same job.
    run(folder.path(), "requester commit --job job.toml --out other").exits(0);
    let prove = "provider prove --job job.toml --out new --statement posted/statement.json";
    run(folder.path(), &format!("{prove} --openings other/private/openings.json"))
        .exits(2)
        .says("openings of another job");
    fs::remove_file(folder.path().join("posted/private/openings.json")).expect("removed");
    run(folder.path(), prove).exits(2).says("posted/private/openings.json");
    fs::remove_file(folder.path().join("out/statement.json")).expect("removed");
    run(folder.path(), RESUME).exits(2).says("statement.json is not");
}

/// Openings cannot be made again: those of another job are not replaced, whatever else is missing.
#[test]
fn openings_of_another_job_are_not_replaced() {
    let folder = PROVED.copy();
    let at = folder.path();
    let openings = || fs::read(at.join("out/private/openings.json")).expect("read");
    let before = openings();
    run(at, "requester commit --job job.toml --out other").exits(0);
    fs::rename(at.join("out/statement.json"), at.join("kept.json")).expect("moved");
    let resume = "provider prove --job job.toml --out out --resume";
    run(at, &format!("{resume} --statement other/statement.json")).exits(2).says("statement.json is not");
    let written = ["weights.safetensors", "weights.exact.safetensors", "report.json"];
    for name in PROOFS.map(|(name, _)| name).iter().chain(&written) {
        fs::remove_file(at.join("out").join(name)).expect("removed");
    }
    run(at, &format!("{resume} --statement other/statement.json")).exits(2).says("of another job").says("not replaced");
    run(at, &format!("{resume} --proof core")).exits(2).says("not replaced");
    assert_eq!(openings(), before);
    // Nor are weights of a run without proofs.
    run(at, "provider train --job job.toml --out trained").exits(0);
    run(at, "provider prove --job job.toml --out trained --resume").exits(2).says("of a run without proofs");
}

#[test]
fn a_killed_run_loses_the_segment_in_work_only() {
    let folder = job_folder();
    let mut command = program("provider", folder.path());
    command
        .args(["prove", "--job", "job.toml", "--out", "out", "--proof", "core"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("the program starts");
    let first = folder.path().join("out/segment-0000.proof");
    while !first.exists() {
        assert!(child.try_wait().expect("a child").is_none(), "the program ended without a segment");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    let kept = fs::read(&first).expect("read");
    run(folder.path(), RESUME).exits(0);
    assert_eq!(fs::read(&first).expect("read"), kept);
    run(folder.path(), "verifier verify --statement out/statement.json --proofs out").exits(0);
    let copy = PROVED.copy();
    let weights = |folder: &std::path::Path| fs::read(folder.join("out/weights.safetensors")).expect("read");
    assert_eq!(weights(folder.path()), weights(copy.path()));
}

#[cfg(unix)]
#[test]
fn openings_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = job_folder();
    run(folder.path(), "requester commit --job job.toml --out posted").exits(0);
    let mode = |name: &str| fs::metadata(folder.path().join(name)).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode("posted/private"), mode("posted/private/openings.json")), (0o700, 0o600));
}
