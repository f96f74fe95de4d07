//! A set-up from a ceremony: a `.ptau` file of snarkjs, imported, proved under and verified with its key.

use std::fs;

use crate::fixture::{JOB, job_folder, run};

#[test]
fn a_job_under_the_set_up_of_a_file() {
    let folder = job_folder();
    let file = gradproof_tests::root().join("tests/vectors/powers_6.ptau");
    fs::copy(&file, folder.path().join("powers.ptau")).expect("copied");
    let job = format!(
        "{}[proof]\ncolumn_bits = 6\n",
        JOB.replace("epochs = 2", "epochs = 1").replace(
            "schedule = [{ from_segment = 0, rate = 0.125 }, { from_epoch = 1, rate = 0.0625 }]",
            "rate = 0.125",
        )
    );
    fs::write(folder.path().join("job.toml"), &job).expect("written");
    let ran = run(folder.path(), "requester commit --job job.toml --out posted --setup powers.ptau --json").exits(0);
    assert!(!ran.stderr.contains("INSECURE"), "{}", ran.stderr);
    assert_eq!(ran.json()["insecure_setup"], false);
    let line = "provider prove --job job.toml --out out --statement posted/statement.json";
    run(folder.path(), line).exits(2).says("statement");
    run(folder.path(), &format!("{line} --setup powers.ptau")).exits(0);

    let line = "verifier verify --statement posted/statement.json --proofs out";
    // The key is found beside the proofs or the statement; without it nothing can be checked, and nothing derived.
    run(folder.path(), line).exits(0);
    run(folder.path(), &format!("{line} --derive-key")).exits(2).says("verifier key --setup FILE");
    let open = "requester open --statement posted/statement.json --proofs out --weights out/weights.exact.safetensors";
    run(folder.path(), open).exits(2).says("give its powers with --setup FILE");
    run(folder.path(), &format!("{open} --setup powers.ptau")).exits(0);
    fs::remove_file(folder.path().join("out/verifying.key")).expect("removed");
    run(folder.path(), line).exits(0);
    fs::rename(folder.path().join("posted/verifying.key"), folder.path().join("kept.key")).expect("moved");
    run(folder.path(), line).exits(2).says("--key");
    fs::rename(folder.path().join("kept.key"), folder.path().join("posted/verifying.key")).expect("moved");
    let ran = run(folder.path(), &format!("{line} --key posted/verifying.key --json")).exits(0);
    assert_eq!((&ran.json()["accepted"], &ran.json()["insecure_setup"]), (&true.into(), &false.into()));
    assert!(!ran.stderr.contains("INSECURE") && ran.stderr.contains("NOT zero-knowledge"), "{}", ran.stderr);

    // The insecure key in place of the ceremony's.
    let statement = fs::read_to_string(folder.path().join("posted/statement.json")).expect("read");
    let insecure = statement.replace("\"insecure\": false", "\"insecure\": true");
    assert_ne!(statement, insecure);
    fs::write(folder.path().join("insecure.json"), insecure).expect("written");
    let ran = run(folder.path(), "verifier verify --statement insecure.json --proofs out --json").exits(1);
    assert_eq!(ran.json()["check"], "key");
}

#[test]
fn files_that_are_no_set_up_are_refused() {
    let folder = job_folder();
    let file = fs::read(gradproof_tests::root().join("tests/vectors/powers_6.ptau")).expect("the vector");
    let commit = |name: &str| run(folder.path(), &format!("requester commit --job job.toml --out out --setup {name}"));
    fs::write(folder.path().join("job.toml"), format!("{JOB}[proof]\ncolumn_bits = 6\n")).expect("written");
    let mut bad = file.clone();
    bad[400] ^= 1;
    fs::write(folder.path().join("bad.ptau"), bad).expect("written");
    commit("bad.ptau").exits(2).says("bad.ptau").says("point");
    fs::write(folder.path().join("short.ptau"), &file[..2000]).expect("written");
    commit("short.ptau").exits(2).says("short.ptau");
    commit("none.ptau").exits(2).says("none.ptau");
    fs::write(folder.path().join("good.ptau"), &file).expect("written");
    fs::write(folder.path().join("job.toml"), format!("{JOB}[proof]\ncolumn_bits = 7\n")).expect("written");
    commit("good.ptau").exits(2).says("2^6 powers").says("shorter columns");
    assert!(!folder.path().join("out").exists());
}
