//! Commands of a node, without a chain: what they make, print and refuse.

use std::fs;
use std::path::Path;

use gradproof_chain::market::{CompilerUsed, Contract, Deployment, VERSION};
use gradproof_chain::{Address, B256, LOCAL_CHAIN};

use crate::fixture::run;

/// A deployment of a market that is nowhere.
fn deployment() -> Deployment {
    let contract = Contract { address: Address::ZERO, code_hash: B256::ZERO, transaction: B256::ZERO };
    let compiler = CompilerUsed { version: String::new(), market: Default::default(), verifiers: Default::default() };
    Deployment {
        version: VERSION,
        chain: LOCAL_CHAIN,
        block: 0,
        compiler,
        token: contract,
        decimals: 18,
        nodes: contract,
        datasets: contract,
        market: contract,
        vault: contract,
        libraries: Default::default(),
        verifiers: vec![],
    }
}

/// A folder with a deployment and a password, in which a node of `program` was made.
fn made(at: &Path, program: &str) {
    fs::write(at.join("deployment.json"), deployment().to_json()).expect("written");
    fs::write(at.join("password"), "word\n").expect("written");
    // Nothing listens there.
    let options = "--rpc http://127.0.0.1:1 --deployment deployment.json --password-file password";
    let prices = match program {
        "provider" => "--least-price 90 --most-bond 2000",
        "validator" => "--least-fee 5 --most-stake 500",
        _ => "",
    };
    let made = run(at, &format!("{program} init --home {program} {options} {prices} --json")).exits(0).json();
    assert!(made["account"].as_str().is_some_and(|account| account.starts_with("0x")), "{made}");
    run(at, &format!("{program} init --home {program} {options}")).exits(2).says("is there already");
}

#[test]
fn the_commands_of_a_node_print_json_and_name_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    for program in ["provider", "requester", "validator"] {
        made(at, program);
        let doctor =
            run(at, &format!("{program} doctor --home {program} --password-file password --json")).exits(1).json();
        assert_eq!(doctor["good"], false);
        let lines = doctor["lines"].as_array().expect("lines");
        assert!(lines.iter().any(|line| line["what"] == "endpoints" && line["grade"] == "bad"), "{doctor}");
        assert_eq!(
            run(at, &format!("{program} status --home {program} --json")).exits(0).json(),
            serde_json::json!([])
        );
    }
    made(at, "dataset");
    let set = format!("0x{}", "1".repeat(64));
    let of_owner = "--home dataset --password-file password";
    let doctor = run(at, &format!("dataset doctor {of_owner} --json")).exits(1).json();
    let lines = doctor["lines"].as_array().expect("lines");
    assert!(lines.iter().any(|line| line["what"] == "sets" && line["grade"] == "note"), "{doctor}");
    let status = run(at, "dataset status --home dataset --json").exits(0).json();
    assert_eq!(status, serde_json::json!({ "sets": [], "jobs": [] }));
    run(at, &format!("dataset explain --home dataset {set}")).exits(2).says("127.0.0.1:1");
    for command in ["status", "doctor --password-file password"] {
        run(at, &format!("dataset {command} --home provider")).exits(2).says("the folder of a provider");
    }
    run(at, &format!("dataset serve {of_owner}")).exits(2).says("`dataset doctor` says all");
    run(at, "dataset serve --home provider --password-file password").exits(2).says("the folder of a provider");
    run(at, &format!("dataset register {of_owner} --job none.toml --out set --royalty 5")).exits(2).says("127.0.0.1:1");
    run(at, &format!("dataset register {of_owner} --job none.toml --out set --royalty 99")).exits(2).says("0 to 50");
    let license = format!("dataset license {set} {of_owner} --requester 0x{} --out l", "1".repeat(40));
    run(at, &format!("{license} --fee 1 --most-segments 0")).exits(2).says("--most-segments");
    run(at, &format!("{license} --fee 1 --most-segments 1")).exits(2).says("name the accounts that may see");
    run(at, &format!("{license} --fee 0 --most-segments 1")).exits(2).says("127.0.0.1:1");
    run(at, &format!("dataset revoke {of_owner} none.json")).exits(2).says("127.0.0.1:1");
    let of_requester = "--home requester --password-file password";
    run(at, &format!("requester find-data {of_requester}")).exits(2).says("127.0.0.1:1");
    let asked = format!("requester license {set} {of_requester} --segments 1 --out given");
    run(at, &format!("{asked} --most-fee lots")).exits(2).says("--most-fee");
    run(at, &format!("{asked} --most-fee 1")).exits(2).says("127.0.0.1:1");
    let post = format!("requester post {of_requester} --job none.toml --price 1");
    run(at, &format!("{post} --dataset none.json")).exits(2).says("--licence");
    run(at, &format!("{post} --licence none.json")).exits(2).says("--same-data");
    run(at, "provider run --home provider --password-file password").exits(2).says("would lose money");
    let validator = run(at, "validator run --home validator --password-file password").exits(2);
    validator.says("would lose money").says("validator doctor");
    run(at, "validator run --home provider --password-file password").exits(2).says("the folder of a provider");
    run(at, "provider run --home requester --password-file password").exits(2).says("the folder of a requester");
    let job = format!("0x{}", "1".repeat(64));
    for command in ["cancel", "stop", "fetch", "recover"] {
        let line = format!("requester {command} --home requester --password-file password");
        run(at, &format!("{line} {job}")).exits(2).says("127.0.0.1:1");
        run(at, &format!("{line} 0x12")).exits(2).says("<JOB>");
    }
    for command in ["acknowledge", "complain"] {
        let line = format!("requester {command} --home requester --password-file password {job}");
        run(at, &format!("{line} 0")).exits(2).says("127.0.0.1:1");
        run(at, &format!("{line} first")).exits(2).says("<BATCH>");
    }
    for command in ["quote", "post"] {
        let line = format!("requester {command} --home requester --password-file password --job none.toml");
        run(at, &format!("{line} --price 10")).exits(2).says("none.toml");
        run(at, &line).exits(2).says("--price");
    }
    run(at, "requester post --home requester --job none.toml --price 1 --to nobody").exits(2).says("`best`");
    let drawn = "requester post --home requester --password-file password --job none.toml --price 1 --batch 4";
    run(at, &format!("{drawn} --draws 4 --detach")).exits(2).says("all of them are proven");
    run(at, &format!("{drawn} --draws 1")).exits(2).says("--backup");
    run(at, &format!("{drawn} --draws 1 --backup password")).exits(2).says("not replaced");
    let posted = "requester post --home requester --password-file password --job none.toml --price 1";
    run(at, &format!("{posted} --committee 0x12")).exits(2).says("--committee");
    run(at, &format!("{posted} --committee-fee 1")).exits(2).says("--committee");
    for command in ["register", "stake 1", "unbond 1", "withdraw", "rotate-key"] {
        let line = format!("node {command} --home provider");
        run(at, &format!("{line} --password-file password")).exits(2);
        run(at, &line).exits(2).says("--password-file");
    }
    run(at, "node history --home provider").exits(2).says("127.0.0.1:1");
    run(at, "node payee --home provider --password-file password 0x12").exits(2).says("<ACCOUNT>");
}

#[test]
fn a_missing_value_ends_a_program_at_once_and_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    made(at, "provider");
    let config = at.join("provider/config.toml");
    let whole = fs::read_to_string(&config).expect("it is there");
    let keys = ["role", "endpoints", "deployment", "listen", "confirmations", "most_gas_price", "disk_bytes", "jobs"];
    for key in keys.into_iter().chain(["least_price", "most_bond"]) {
        let without: String = whole
            .lines()
            .filter(|line| !line.starts_with(&format!("{key} =")))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_ne!(without, whole, "{key}");
        fs::write(&config, without).expect("written");
        run(at, "provider run --home provider --password-file password").exits(2).says(&format!("`{key}`"));
    }
}

#[test]
fn a_backup_is_restored_elsewhere_and_nothing_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    made(at, "requester");
    let backup = "node backup --home requester --password-file password";
    let written = run(at, &format!("{backup} first.backup --json")).exits(0).json();
    run(at, &format!("{backup} first.backup")).exits(2).says("not replaced");
    fs::write(at.join("other"), "another\n").expect("written");
    run(at, "node backup --home requester --password-file other second.backup").exits(2).says("password");
    let restore = "node restore --password-file password first.backup";
    let restored = run(at, &format!("{restore} --home restored --json")).exits(0).json();
    assert_eq!(restored["account"], written["account"]);
    run(at, &format!("{restore} --home requester")).exits(2).says("none is replaced");
    run(at, "node restore --password-file other first.backup --home third").exits(2).says("password is another one");
    run(at, "node restore --password-file password other --home third").exits(2).says("no backup");
    run(at, "node restore --password-file password first.backup --home third --beside")
        .exits(2)
        .says("not a provider's");
    run(at, "node restore --password-file password first.backup --home third --address-only").exits(2).says("--beside");
    assert!(!at.join("third").exists());
}

#[test]
fn a_second_node_of_a_providers_account_is_made_from_a_backup() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    made(at, "provider");
    run(at, "node backup --home provider --password-file password first.backup").exits(0);
    let restore = "node restore --password-file password first.backup --beside";
    let json = |line: &str| run(at, &format!("{restore} {line} --json")).exits(0).json();
    let (second, third) = (json("--home second"), json("--home third --address-only"));
    assert_eq!(second["account"], third["account"]);
    assert_ne!(second["hot"], third["hot"], "each machine has its own");
    let keys = |home: &str| at.join(home).join("keys");
    let same = |home: &str, file: &str| {
        fs::read(keys(home).join(file)).expect("it is read")
            == fs::read(keys("provider").join(file)).expect("it is read")
    };
    assert!(same("second", "account.json") && same("second", "encryption.key") && same("third", "encryption.key"));
    assert!(!same("second", "hot.json") && !same("second", "peer.key"));
    assert!(!keys("third").join("account.json").exists(), "it stays on the first machine");
    let restored = run(at, &format!("{restore} --home fourth")).exits(0);
    assert!(restored.stdout.contains("node register --home fourth"), "{}", restored.stdout);
}

#[test]
fn a_lead_calls_for_members_and_ends_the_call() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    made(at, "provider");
    let team = |options: &str| run(at, &format!("provider team --home provider {options}"));
    team("").exits(0);
    assert_eq!(team("--json").exits(0).json()["call"], serde_json::Value::Null);
    let member = format!("0x{}", "1".repeat(40));
    let called = team(&format!("--pay 1.5 --bond 4 --members {member} --json")).exits(0).json();
    let call = serde_json::json!({ "pay": "1.500000000000000000", "bond": "4.000000000000000000" });
    assert_eq!(called["call"]["pay"], call["pay"], "{called}");
    assert_eq!(called["call"]["bond"], call["bond"], "{called}");
    assert_eq!(called["call"]["members"], serde_json::json!([member]), "{called}");
    assert_eq!(team("--json").exits(0).json(), called, "it stays");
    team(&format!("--pay 1 --bond 4 --members {member},{member}")).exits(2).says("twice");
    team(&format!("--pay 1 --bond 4 --members {member} --hours 0")).exits(2).says("--hours");
    team(&format!("--pay x --bond 4 --members {member}")).exits(2).says("--pay x");
    team("--pay 1 --bond 4").exits(2).says("--members");
    team(&format!("0x{} --pay 1 --bond 4 --members {member}", "2".repeat(64))).exits(2).says("no such job");
    team("--end").exits(0);
    team("--end").exits(2).says("nobody was called");
    run(at, "provider team --home nowhere").exits(2).says("nowhere");
}
