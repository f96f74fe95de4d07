//! Completeness: what the programs write, and that every way to the proofs leads to the same weights.

use std::fs;

use crate::fixture::{JOB, PROOFS, PROVED, job_folder, run, verify};

#[test]
fn completeness_a_proved_job_is_accepted() {
    let folder = PROVED.copy();
    let ran = verify(folder.path()).exits(0).says("NOT zero-knowledge").says("INSECURE");
    let report = ran.json();
    assert_eq!(report["accepted"], true);
    assert_eq!((&report["steps"], &report["segments"]), (&10.into(), &4.into()));
    assert_eq!((&report["zero_knowledge"], &report["insecure_setup"]), (&false.into(), &true.into()));
    assert!(report["verify_ms"].as_f64().expect("a number") > 0.0);
    assert!(report.get("check").is_none());
    let out = folder.path().join("out");
    let bytes: u64 = PROOFS.iter().map(|(name, _)| fs::metadata(out.join(name)).expect("there").len()).sum();
    assert_eq!(report["proof_bytes"], bytes);
    let ran = run(folder.path(), "verifier verify --statement out/statement.json --proofs out").exits(0);
    assert!(ran.stdout.starts_with("accepted: 10 steps in 4 segments"), "{}", ran.stdout);
}

#[test]
fn completeness_the_report_has_every_segment() {
    let report = &PROVED.report;
    let stored = PROVED.copy();
    let stored = fs::read(stored.path().join("out/report.json")).expect("read");
    assert_eq!(*report, serde_json::from_slice::<serde_json::Value>(&stored).expect("JSON"));
    let segments = report["segments"].as_array().expect("a list");
    let steps: Vec<u64> = segments.iter().filter_map(|segment| segment["steps"].as_u64()).collect();
    let rows: Vec<u64> = segments.iter().filter_map(|segment| segment["rows"].as_u64()).collect();
    let rates: Vec<f64> = segments.iter().filter_map(|segment| segment["learning_rate"].as_f64()).collect();
    assert_eq!((steps, rows), (vec![4, 1, 4, 1], vec![16, 1, 16, 1]));
    assert_eq!(rates, [0.125, 0.125, 0.0625, 0.0625]);
    for segment in segments {
        assert!(segment["loss"].as_f64().expect("a loss") > 0.0);
        assert!((0.0..=1.0).contains(&segment["accuracy"].as_f64().expect("an accuracy")));
        assert!((0.0..=1.0).contains(&segment["test_accuracy"].as_f64().expect("an accuracy")));
        let phases = ["witness", "commit", "mask", "lookup", "pointwise", "product", "merge", "opening", "total"];
        for phase in phases {
            assert!(segment["proof"][format!("{phase}_secs")].as_f64().expect("seconds") >= 0.0, "{phase}");
        }
        assert!(segment["proof"]["bytes"].as_u64().expect("bytes") > 0);
    }
    assert_eq!((&report["zero_knowledge"], &report["insecure_setup"]), (&false.into(), &true.into()));
    assert!(report["test_accuracy"].is_f64() && report["registration"]["prove_secs"].is_f64());
    #[cfg(target_os = "linux")]
    assert!(report["peak_memory_bytes"].as_u64().expect("bytes") > 1 << 20);
}

#[test]
fn completeness_registrations_are_taken_over_from_the_requester() {
    let folder = PROVED.copy();
    for (name, _) in &PROOFS[..3] {
        let [posted, out] = ["posted", "out"].map(|folder_name| fs::read(folder.path().join(folder_name).join(name)));
        assert_eq!(posted.expect("read"), out.expect("read"), "{name}");
    }
}

#[test]
fn weights_are_the_same_however_they_were_trained() {
    let folder = PROVED.copy();
    let weights = |name: &str| fs::read(folder.path().join(name).join("weights.safetensors")).expect("read");
    run(folder.path(), "provider train --job job.toml --out trained --traces traces").exits(0);
    assert_eq!(weights("trained"), weights("out"));
    run(folder.path(), "provider train --job job.toml --out again").exits(0);
    assert_eq!(weights("again"), weights("out"));
    let names: Vec<String> = (0..4).map(|segment| format!("traces/segment-{segment:04}.trace")).collect();
    assert!(names.iter().all(|name| folder.path().join(name).is_file()));
    run(folder.path(), "provider prove --job job.toml --out proved --traces traces").exits(0);
    assert_eq!(weights("proved"), weights("out"));
    run(folder.path(), "verifier verify --statement proved/statement.json --proofs proved").exits(0);
    // A trace of another segment, a damaged one, and none.
    let traces = folder.path().join("traces");
    fs::copy(traces.join("segment-0000.trace"), traces.join("segment-0002.trace")).expect("copied");
    let prove = "provider prove --job job.toml --traces traces --out";
    run(folder.path(), &format!("{prove} a"))
        .exits(2)
        .says("segment-0002.trace is not of segment 2 of this job: it has another rate");
    fs::write(traces.join("segment-0002.trace"), b"GPTRACE").expect("written");
    run(folder.path(), &format!("{prove} b")).exits(2).says("segment-0002.trace");
    fs::remove_file(traces.join("segment-0001.trace")).expect("removed");
    run(folder.path(), &format!("{prove} c")).exits(2).says("segment-0001.trace");
}

#[test]
fn completeness_a_column_of_zero_biases_has_a_commitment() {
    // Columns as short as the matrices, so that the biases have one of their own.
    let folder = job_folder();
    let job = JOB
        .replace("[6, 5, 4, 3]", "[6, 4, 4]")
        .replace("epochs = 2", "steps = 4")
        .replace("from_epoch = 1", "from_segment = 0");
    let job = job.replace(
        "schedule = [{ from_segment = 0, rate = 0.125 }, { from_segment = 0, rate = 0.0625 }]",
        "rate = 0.125",
    );
    fs::write(folder.path().join("short.toml"), format!("{job}[proof]\ncolumn_bits = 4\n")).expect("written");
    run(folder.path(), "provider prove --job short.toml --out short").exits(0);
    run(folder.path(), "verifier verify --statement short/statement.json --proofs short").exits(0);
}

#[test]
fn weights_may_come_from_a_file() {
    let folder = PROVED.copy();
    let job = JOB.replace("seed = 7", "file = \"out/weights.safetensors\"");
    fs::write(folder.path().join("more.toml"), job).expect("written");
    run(folder.path(), "provider prove --job more.toml --out more").exits(0);
    let statement = fs::read_to_string(folder.path().join("more/statement.json")).expect("read");
    assert!(statement.contains("\"initial_seed\": null"), "{statement}");
    run(folder.path(), "verifier verify --statement more/statement.json --proofs more").exits(0);
}

#[test]
fn help_says_what_a_newcomer_must_know() {
    let folder = job_folder();
    for line in
        ["verifier", "verifier verify", "provider", "provider prove", "provider demo", "requester", "requester commit"]
    {
        let ran = run(folder.path(), &format!("{line} --help")).exits(0);
        let words = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("Exit codes: 0 done or accepted, 1 rejected, 2 wrong use or input."), "{line}: {words}");
        assert!(words.contains("NOT zero-knowledge"), "{line}: {words}");
    }
    for line in ["provider train", "provider bench"] {
        assert!(run(folder.path(), &format!("{line} --help")).exits(0).stdout.contains("Example: "));
    }
}

#[test]
fn a_benchmark_prints_every_part() {
    let folder = job_folder();
    let line = "provider bench --layers 6,5,3 --batch 4 --steps 2 --column-bits 11 --json";
    let report = run(folder.path(), line).exits(0).says("INSECURE").json();
    for field in [
        "setup_secs",
        "train_secs",
        "witness_secs",
        "commit_secs",
        "mask_secs",
        "lookup_secs",
        "pointwise_secs",
        "product_secs",
        "merge_secs",
        "opening_secs",
        "wrap_secs",
        "total_secs",
        "secs_per_step",
        "floor_secs",
        "ratio_to_floor",
        "verify_ms",
    ] {
        assert!(report[field].as_f64().is_some_and(|value| value >= 0.0), "{field}: {report}");
    }
    assert!(report["estimated_gas"].as_u64().is_some_and(|gas| gas > 500_000) && report["chain"].is_null());
    assert_eq!((&report["column_bits"], &report["steps"]), (&11.into(), &2.into()));
    assert_eq!(report["zero_knowledge"], true);
    run(folder.path(), "provider bench --column-bits 3").exits(2).says("--column-bits is 3, expected 4 to 21");
    run(folder.path(), "provider bench --steps 3").exits(2).says("steps per segment is 3");
}
