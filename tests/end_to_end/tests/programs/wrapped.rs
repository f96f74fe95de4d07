//! Wrapped proofs, from the outside.

use std::fs;

use gradproof_verifier::protocol::key_file::KeyFile;
use gradproof_verifier_program::files::{read_key_of, read_statement};
use serde_json::Value;

use crate::fixture::{WRAPPED, job_folder, run, run_as_it_is};

#[test]
fn proofs_are_wrapped_unless_asked_otherwise() {
    let folder = job_folder();
    let at = folder.path();
    let keys = "--key-cache keys";
    let report = run_as_it_is(at, &format!("provider prove --job job.toml --out out --json {keys}")).exits(0).json();
    assert_eq!((&report["zero_knowledge"], &report["insecure_setup"]), (&true.into(), &true.into()));
    let posted = run_as_it_is(at, &format!("requester commit --job job.toml --out posted --json {keys}")).exits(0);
    assert_eq!(posted.json()["zero_knowledge"], true);
    for statement in ["out/statement.json", "posted/statement.json"] {
        let statement: Value = serde_json::from_slice(&fs::read(at.join(statement)).unwrap()).unwrap();
        assert_eq!(statement["proof"], "wrapped");
    }
    let kept: Vec<_> = fs::read_dir(at.join("keys")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 3, "a key for each circuit");
    let verified =
        run(at, "verifier verify --statement out/statement.json --proofs out --key out/verifying.key --json");
    let verified = verified.exits(0).json();
    assert_eq!((&verified["accepted"], &verified["zero_knowledge"]), (&true.into(), &true.into()));

    // The key file beside the proofs is found; without it, or if asked to, the verifier derives the circuits' keys itself.
    let found = run(at, "verifier verify --statement out/statement.json --proofs out --json").exits(0);
    assert!(!found.stderr.contains("deriving the keys of the circuits"));
    assert_eq!((&found.json()["accepted"], &found.json()["key_file"]), (&true.into(), &"out/verifying.key".into()));
    let derived = run(at, "verifier verify --statement out/statement.json --proofs out --json --derive-key").exits(0);
    assert!(derived.stderr.contains("deriving the keys of the circuits"));
    assert_eq!((&derived.json()["accepted"], derived.json()["key_file"].is_null()), (&true.into(), true));
    // One of another statement there is passed over, which is said.
    fs::rename(at.join("out/verifying.key"), at.join("kept.key")).unwrap();
    let mut other = fs::read(at.join("kept.key")).unwrap();
    *other.last_mut().unwrap() ^= 1;
    fs::write(at.join("out/verifying.key"), other).unwrap();
    let passed = run(at, "verifier verify --statement out/statement.json --proofs out --json").exits(0);
    assert!(passed.stderr.contains("another key than the statement's") && passed.stderr.contains("it is not used"));
    fs::rename(at.join("kept.key"), at.join("out/verifying.key")).unwrap();

    // A statement decides about the kind.
    let refused = run(at, "provider prove --job job.toml --out other --statement out/statement.json --proof core");
    refused.exits(2).says("does not fit the statement");

    // A damaged key is not used, nor one of another circuit: it is made again.
    let honest = fs::read(&kept[0]).unwrap();
    let mut damaged = honest.clone();
    damaged[honest.len() / 2] ^= 1;
    for bytes in [damaged, fs::read(&kept[1]).unwrap()] {
        fs::write(&kept[0], &bytes).unwrap();
        fs::remove_file(at.join("out/segment-0003.proof")).unwrap();
        run(at, &format!("provider prove --job job.toml --out out --resume {keys}")).exits(0);
        assert_eq!(fs::read(&kept[0]).unwrap().len(), honest.len());
        assert_ne!(fs::read(&kept[0]).unwrap(), bytes);
    }
    run(at, "verifier verify --statement out/statement.json --proofs out --key out/verifying.key").exits(0);
}

#[test]
fn a_wrapped_proof_that_is_changed_is_refused() {
    let folder = WRAPPED.copy();
    let at = folder.path();
    let path = at.join("out/segment-0000.proof");
    let honest = fs::read(&path).unwrap();
    let verify =
        || run(at, "verifier verify --statement out/statement.json --proofs out --key out/verifying.key --json");
    for offset in (0..honest.len()).step_by(honest.len() / 16) {
        let mut bad = honest.clone();
        bad[offset] ^= 1;
        fs::write(&path, &bad).unwrap();
        assert_eq!(verify().exits(1).json()["part"], "segment 0", "byte {offset}");
    }
    // Nor is a core proof taken for a wrapped one.
    let core = run(at, "provider prove --job job.toml --out core");
    core.exits(0);
    fs::copy(at.join("core/segment-0000.proof"), &path).unwrap();
    assert_eq!(verify().exits(1).json()["check"], "encoding");
    fs::write(&path, &honest).unwrap();
    verify().exits(0);
}

/// The statement's digest says which circuits: whoever hands out another key file gets nothing accepted by it.
#[test]
fn a_key_file_with_other_circuits_is_rejected() {
    let folder = WRAPPED.copy();
    let at = folder.path();
    let statement = read_statement(&at.join("out/statement.json")).unwrap();
    let mut file = KeyFile::of(&read_key_of(&at.join("out/verifying.key"), &statement).unwrap());
    file.wraps.as_mut().unwrap().swap(0, 1);
    fs::write(at.join("swapped.key"), file.to_bytes()).unwrap();
    let rejected = run(at, "verifier verify --statement out/statement.json --proofs out --key swapped.key --json");
    let rejected = rejected.exits(1).json();
    assert_eq!((&rejected["part"], &rejected["check"]), (&"statement".into(), &"key".into()));
    let shown = run(at, "verifier key --statement out/statement.json --key swapped.key --json").exits(1).json();
    assert_eq!(shown["stated"], false);
    let exported = "verifier export-contract --statement out/statement.json --proofs out --insecure --out contract";
    let ran = run(at, &format!("{exported} --key swapped.key")).exits(1);
    assert!(ran.stdout.contains("REJECTED: the statement is for another key"), "{}", ran.stdout);
    assert!(!at.join("contract").exists());

    // By the right key, a proof that is none; nothing is written then.
    let path = at.join("out/segment-0001.proof");
    let mut proof = fs::read(&path).unwrap();
    let middle = proof.len() / 2;
    proof[middle] ^= 1;
    fs::write(&path, proof).unwrap();
    let ran = run(at, &format!("{exported} --key out/verifying.key")).exits(1);
    assert!(ran.stdout.contains("segment-0001.proof: segment 1: ") && ran.stdout.contains("[check "), "{}", ran.stdout);
    assert!(!at.join("contract").exists());
}
