//! Wrapped proofs, from the outside.

use std::fs;

use crate::fixture::{job_folder, run};

#[test]
fn proofs_are_wrapped_unless_asked_otherwise() {
    let folder = job_folder();
    let at = folder.path();
    let keys = "--key-cache keys";
    let report =
        run(at, &format!("provider prove --job job.toml --out out --proof wrapped --json {keys}")).exits(0).json();
    assert_eq!((&report["zero_knowledge"], &report["insecure_setup"]), (&true.into(), &true.into()));
    let kept: Vec<_> = fs::read_dir(at.join("keys")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 3, "a key for each circuit");
    let verified =
        run(at, "verifier verify --statement out/statement.json --proofs out --key out/verifying.key --json");
    let verified = verified.exits(0).json();
    assert_eq!((&verified["accepted"], &verified["zero_knowledge"]), (&true.into(), &true.into()));

    // Without the key file the verifier derives the circuits' keys itself.
    let derived = run(at, "verifier verify --statement out/statement.json --proofs out --json").exits(0);
    assert!(derived.stderr.contains("deriving the keys of the circuits"));
    assert_eq!(derived.json()["accepted"], true);

    // A statement decides about the kind.
    let refused = run(at, "provider prove --job job.toml --out other --statement out/statement.json --proof core");
    refused.exits(2).says("does not fit the statement");

    // A damaged key is not used: it is made again.
    let mut bytes = fs::read(&kept[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&kept[0], &bytes).unwrap();
    fs::remove_file(at.join("out/segment-0003.proof")).unwrap();
    run(at, &format!("provider prove --job job.toml --out out --resume {keys}")).exits(0);
    assert_ne!(fs::read(&kept[0]).unwrap(), bytes);
    run(at, "verifier verify --statement out/statement.json --proofs out --key out/verifying.key").exits(0);
}

#[test]
fn a_wrapped_proof_that_is_changed_is_refused() {
    let folder = job_folder();
    let at = folder.path();
    run(at, "provider prove --job job.toml --out out --proof wrapped").exits(0);
    let path = at.join("out/segment-0000.proof");
    let honest = fs::read(&path).unwrap();
    let verify =
        || run(at, "verifier verify --statement out/statement.json --proofs out --key out/verifying.key --json");
    for offset in (0..honest.len()).step_by(honest.len() / 40) {
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
