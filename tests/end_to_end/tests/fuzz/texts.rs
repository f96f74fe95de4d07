//! Jobs and deployments.

use bolero::check;
use gradproof_chain::market::Deployment;
use gradproof_tests::fuzz::{bounded, near};
use gradproof_training::job::Job;
use gradproof_training::job::example::Example;
use serde_json::json;

/// A job over a table of its own; whatever the text says, it is read to a job that holds together, or refused.
#[test]
fn jobs() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows: String = (0..160).map(|row| format!("{},1,2,3,{}\n", row % 100, row % 3)).collect();
    for name in ["train.csv", "test.csv"] {
        std::fs::write(folder.path().join(name), format!("a,b,c,d,class\n{rows}")).expect("written");
    }
    let path = folder.path().join("job.toml");
    let csv = Example::all().into_iter().find(|example| example.name() == "csv").expect("there is one");
    let text = csv.text();
    Job::parse(&path, &text).expect("the example is a job");
    let bare: Vec<&str> = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let seeds = [bare.join("\n"), text].map(String::into_bytes);
    check!().with_iterations(300).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        let Ok(text) = str::from_utf8(&bytes) else { return };
        // The data are a part of the job.
        if let Ok(job) = bounded(&bytes, 1 << 20, 256, |_| Job::parse(&path, text)) {
            assert!((0..job.segments()).all(|index| job.segment(index).is_some()));
        }
    });
}

#[test]
fn deployments() {
    let hash = |byte: &str| format!("0x{}", byte.repeat(32));
    let contract = json!({
        "address": format!("0x{}", "11".repeat(20)), "code_hash": hash("22"), "transaction": hash("33"),
    });
    let columns = json!({ "vars": 12, "data": 1, "parameters": 2, "trace": 30 });
    let verifier = json!({
        "key": hash("44"), "setup": hash("55"), "insecure_setup": true, "columns": columns, "segment": contract,
        "halo2": contract,
    });
    let compiler = json!({ "version": "0.8.30", "market": { "viaIR": true }, "verifiers": { "optimizer": [1, null] } });
    let deployment = json!({
        "version": 2, "chain": 31337, "block": 7, "compiler": compiler, "token": contract, "decimals": 18, "nodes": contract,
        "datasets": contract, "market": contract, "vault": contract, "libraries": { "Draws": contract },
        "verifiers": [verifier],
    });
    let seeds = [deployment.to_string().into_bytes()];
    serde_json::from_slice::<Deployment>(&seeds[0]).expect("the seed is a deployment");
    check!().with_iterations(600).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        if let Ok(deployment) = bounded(&bytes, 1 << 14, 64, serde_json::from_slice::<Deployment>) {
            assert_eq!(serde_json::from_str::<Deployment>(&deployment.to_json()).expect("JSON"), deployment);
        }
    });
}
