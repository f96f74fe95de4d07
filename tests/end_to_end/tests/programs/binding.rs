//! Where a job counts is said once, after everything else is fixed.

use std::fs;

use serde_json::Value;

use crate::fixture::{PROVED, WRAPPED, job_folder, run};

const CONTRACT: &str = "0x00000000000000000000000000000000000000C0";
const OWNER: &str = "0x0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
const JOB_ID: &str = "0x0707070707070707070707070707070707070707070707070707070707070707";

fn bind(out: &str) -> String {
    bind_for(out, OWNER)
}

fn bind_for(out: &str, owner: &str) -> String {
    format!(
        "requester bind --statement posted/statement.json --out {out} --chain 31337 --contract {CONTRACT} --job-id {JOB_ID} \
         --owner {owner}"
    )
}

#[test]
fn requester_and_provider_bind_to_the_same_bytes() {
    let folder = PROVED.copy();
    let at = folder.path();
    let read = |name: &str| fs::read(at.join(name)).expect("read");
    let report = run(at, &format!("{} --json", bind("one"))).exits(0).json();
    assert_eq!(report["registrations"], 3);
    run(at, &bind("two")).exits(0);
    for name in ["statement.json", "private/openings.json", "parameters.proof", "data-0000.proof", "data-0001.proof"] {
        assert_eq!(read(&format!("one/{name}")), read(&format!("two/{name}")), "{name}");
    }
    let statement: Value = serde_json::from_slice(&read("one/statement.json")).expect("JSON");
    assert_eq!((&statement["domain"]["chain"], &statement["domain"]["owner"]), (&31337.into(), &OWNER.into()));
    assert_eq!(statement["domain"]["contract"], CONTRACT.to_lowercase());
    // The registrations hold for it as they are.
    run(at, "verifier verify --statement one/statement.json --proofs one --registrations").exits(0);
    // Nothing but the domain is another, and the seeds are the same.
    let mut unbound: Value = serde_json::from_slice(&read("posted/statement.json")).expect("JSON");
    unbound["domain"] = statement["domain"].clone();
    assert_eq!(unbound, statement);
    let openings = |name: &str| -> Value { serde_json::from_slice(&read(name)).expect("JSON") };
    let (before, after) = (openings("posted/private/openings.json"), openings("one/private/openings.json"));
    for seed in ["data_seed", "first_seed", "last_seed"] {
        assert_eq!(before[seed], after[seed]);
    }
    assert_ne!(before["statement"], after["statement"]);
}

#[test]
fn a_job_is_bound_once_and_the_unbound_one_again() {
    let folder = PROVED.copy();
    let at = folder.path();
    run(at, &bind("bound")).exits(0);
    run(at, &bind("bound")).exits(2).says("is there already");
    let again = bind("again").replace("posted/", "bound/");
    run(at, &again)
        .exits(2)
        .says("the statement is bound already, to job 0x07")
        .says("bind the unbound one, into a new folder");
    assert!(!at.join("again").exists());
    // A job that was handed back has another owner.
    run(at, &bind_for("next", "0x0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b")).exits(0);
    // Proofs for one are worth nothing for the other: weights are blinded anew, and the domain is in each proof.
    run(at, "provider prove --job job.toml --statement bound/statement.json --out first_owner").exits(0);
    run(at, "provider prove --job job.toml --statement next/statement.json --out next_owner").exits(0);
    run(at, "verifier verify --statement bound/statement.json --proofs first_owner").exits(0);
    run(at, "verifier verify --statement next/statement.json --proofs first_owner").exits(1);
    let last = |statement: &str, proofs: &str| {
        let line = format!("verifier verify --statement {statement}/statement.json --proofs {proofs} --json");
        run(at, &line).exits(0).json()["last_parameters"].clone()
    };
    let ends = [last("posted", "out"), last("bound", "first_owner"), last("next", "next_owner")];
    assert!(ends[0] != ends[1] && ends[1] != ends[2] && ends[0] != ends[2], "{ends:?}");
    let weights = |name: &str| fs::read(at.join(name).join("weights.exact.safetensors")).expect("read");
    assert_eq!(weights("first_owner"), weights("next_owner"));
    for (statement, proofs, code) in [("bound", "first_owner", 0), ("next", "next_owner", 0)] {
        let line = format!("requester open --statement {statement}/statement.json --proofs {proofs} --weights");
        run(at, &format!("{line} {proofs}/weights.exact.safetensors")).exits(code);
    }
    // The openings of the unbound statement open neither.
    let line =
        "requester open --statement bound/statement.json --proofs first_owner --weights out/weights.exact.safetensors";
    run(at, &format!("{line} --openings posted/private/openings.json")).exits(2).says("before it was bound");
}

#[test]
fn a_wrong_domain_is_named_with_its_option() {
    let folder = PROVED.copy();
    let at = folder.path();
    let line = bind("o");
    run(at, &line.replace(JOB_ID, "0x12")).exits(2).says("--job-id 0x12: 2 hexadecimal digits, expected 64");
    run(at, &line.replace(OWNER, "me")).exits(2).says("--owner me: expected 0x");
    run(at, &line.replace("31337", "x")).exits(2).says("--chain");
    run(at, &line.replace("31337", "0")).exits(2).says("--chain is zero");
    run(at, &line.replace(OWNER, &format!("0x{}", "0".repeat(40)))).exits(2).says("--owner is zero");
    run(at, &line.replace(&format!("--owner {OWNER}"), "")).exits(2).says("--owner");
    assert!(!at.join("o").exists());
}

#[test]
fn where_a_job_is_expected_to_count_is_compared_with_its_statement() {
    let folder = PROVED.copy();
    let at = folder.path();
    run(at, &bind("bound")).exits(0);
    let prove = "provider prove --job job.toml --statement bound/statement.json --out proved";
    for (option, wrong) in [
        ("--chain", "1"),
        ("--contract", "0x1111111111111111111111111111111111111111"),
        ("--owner", "0x1111111111111111111111111111111111111111"),
        ("--job-id", "0x1111111111111111111111111111111111111111111111111111111111111111"),
    ] {
        run(at, &format!("{prove} {option} {wrong}"))
            .exits(2)
            .says(&format!("{option} is {wrong}, the statement says"));
        let unbound = prove.replace("bound/", "posted/");
        run(at, &format!("{unbound} {option} {wrong}")).exits(2).says("it is not bound");
        // Without a statement there is nothing to compare with: the option would have no effect.
        run(at, &format!("provider prove --job job.toml --out proved {option} {wrong}")).exits(2).says("--statement");
    }
    assert!(!at.join("proved").exists());
    run(at, &format!("{prove} --chain 31337 --contract {CONTRACT} --owner {OWNER} --job-id {JOB_ID}")).exits(0);
}

#[test]
fn jobs_on_one_set_have_its_root_and_registrations() {
    let folder = PROVED.copy();
    let at = folder.path();
    let job = fs::read_to_string(at.join("job.toml")).expect("read");
    fs::write(at.join("other.toml"), job.replace("seed = 7", "seed = 8").replace("0.0625", "0.03125"))
        .expect("written");
    run(at, "requester commit --job other.toml --out other --same-data posted").exits(0);
    let read = |name: &str| fs::read(at.join(name)).expect("read");
    let statement = |name: &str| -> Value { serde_json::from_slice(&read(name)).expect("JSON") };
    let (one, other) = (statement("posted/statement.json"), statement("other/statement.json"));
    assert_eq!(one["data"], other["data"]);
    assert_ne!(one["first_parameters"], other["first_parameters"]);
    for name in ["data-0000.proof", "data-0001.proof"] {
        assert_eq!(read(&format!("posted/{name}")), read(&format!("other/{name}")), "registered once");
    }
    let seeds = [statement("posted/private/openings.json"), statement("other/private/openings.json")];
    assert_eq!(seeds[0]["data_seed"], seeds[1]["data_seed"]);
    assert_ne!(seeds[0]["last_seed"], seeds[1]["last_seed"]);
    run(at, "provider prove --job other.toml --statement other/statement.json --out proved").exits(0);
    run(at, "verifier verify --statement other/statement.json --proofs proved").exits(0);
    // Another network on the set has its root, too, and registrations of its own key.
    fs::write(at.join("wide.toml"), job.replace("[6, 5, 4, 3]", "[6, 900, 3]")).expect("written");
    run(at, "requester commit --job wide.toml --out wide --same-data posted").exits(0);
    assert_eq!(statement("wide/statement.json")["data"], one["data"]);
    run(at, "verifier verify --statement wide/statement.json --proofs wide --registrations").exits(0);
    // Other data under the set's seed would give away the difference: they are refused before anything is written.
    let rows = fs::read_to_string(at.join("rows.csv")).expect("read");
    fs::write(at.join("rows.csv"), rows.replacen("140", "141", 1)).expect("written");
    run(at, "requester commit --job other.toml --out none --same-data posted")
        .exits(2)
        .says("--same-data posted: it has other data");
    fs::write(at.join("rows.csv"), rows).expect("written");
    fs::write(at.join("small.toml"), job.replace("batch = 4", "batch = 2")).expect("written");
    run(at, "requester commit --job small.toml --out none --same-data posted")
        .exits(2)
        .says("other data, or lays them out otherwise");
    run(at, "requester commit --job other.toml --out none --same-data nowhere").exits(2).says("--same-data");
    assert!(!at.join("none").exists());
}

#[test]
fn openings_of_an_earlier_version_are_told() {
    let folder = job_folder();
    let at = folder.path();
    run(at, "requester commit --job job.toml --out posted").exits(0);
    let path = at.join("posted/private/openings.json");
    let mut openings: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
    let fields: Vec<_> = openings.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(fields, ["data_seed", "first_seed", "last_seed", "note", "statement", "version"]);
    openings["version"] = 1.into();
    fs::write(&path, openings.to_string()).expect("written");
    let prove = "provider prove --job job.toml --statement posted/statement.json --out out";
    run(at, prove).exits(2).says("version is 1, expected 2");
    openings["version"] = 2.into();
    openings["more"] = 1.into();
    fs::write(&path, openings.to_string()).expect("written");
    run(at, prove).exits(2).says("unknown field `more`");
}

/// Requester and provider may hold different seeds by mistake or by intent: the statement says which are the right ones.
#[test]
fn openings_with_another_seed_are_not_those_of_the_statement() {
    let folder = PROVED.copy();
    let at = folder.path();
    let path = at.join("posted/private/openings.json");
    let mut openings: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
    openings["last_seed"] = format!("0x{}", "5a".repeat(32)).into();
    fs::write(&path, openings.to_string()).expect("written");
    let prove = "provider prove --job job.toml --statement posted/statement.json --out again";
    run(at, prove).exits(2).says("the statement was made with another last_seed");
    let open = "requester open --statement posted/statement.json --proofs out --weights out/weights.exact.safetensors";
    run(at, open).exits(2).says("the statement was made with another last_seed");
}

/// What wrapped proofs hide, core proofs about the same commitments would tell.
#[test]
fn core_proofs_are_not_made_about_data_or_weights_of_a_wrapped_job() {
    let folder = WRAPPED.copy();
    let at = folder.path();
    run(at, "requester commit --job job.toml --out core --same-data posted --proof core")
        .exits(2)
        .says("would tell of them");
    let job = fs::read_to_string(at.join("job.toml")).expect("read");
    fs::write(at.join("child.toml"), job.replace("seed = 7", "parent = \"out\"")).expect("written");
    run(at, "requester commit --job child.toml --out core --proof core")
        .exits(2)
        .says("core proofs would tell of the weights");
    run(at, "requester commit --job child.toml --out child --proof wrapped --same-data posted").exits(0);
    assert!(!at.join("core").exists());
}
