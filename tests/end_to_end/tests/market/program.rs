//! `requester deploy`, `requester check-deployment` and `provider check-job`, from the outside.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use gradproof_chain::market::{Deployment, TrainingMarket, domain};
use gradproof_chain::{Address, Anvil, Chain};
use gradproof_tests::forge::{fixture, wrapped};
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::key_file::KeyFile;
use gradproof_verifier::protocol::statement::Domain;
use serde_json::Value;

use crate::scene::{BATCH, Scene, code, contracts};
use crate::trained::{SEGMENTS, Trained};

/// Exit code, standard output, standard error.
pub struct Ran(pub Option<i32>, pub String, pub String);

impl Ran {
    #[track_caller]
    pub fn refused(self, text: &str) {
        assert_eq!(self.0, Some(2), "{}{}", self.1, self.2);
        assert!(self.2.contains(text), "`{text}` is not in\n{}", self.2);
    }
}

pub fn requester(folder: &Path, key: Option<&str>, line: &str) -> Ran {
    run(env!("CARGO_BIN_EXE_tested-requester"), folder, key, line)
}

pub fn run(program: &str, folder: &Path, key: Option<&str>, line: &str) -> Ran {
    let mut command = Command::new(program);
    command.current_dir(folder).args(line.split_whitespace()).env_remove("GRADPROOF_SIGNER_KEY");
    if let Some(key) = key {
        command.env("GRADPROOF_SIGNER_KEY", key);
    }
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
    Ran(status.code(), text(stdout), text(stderr))
}

/// What `explain` says from a node's folder: what the node does about the job, and what it said.
fn explained_by_its_node(at: &Path, url: &str, job: gradproof_chain::B256) {
    let home = at.join("home");
    fs::create_dir_all(home.join("told")).expect("made");
    let config = format!(
        "role = \"provider\"\nendpoints = [\"{url}\"]\ndeployment = \"../deployment.json\"\nlisten = [\"/ip4/127.0.0.1/tcp/0\"]\n\
         confirmations = 2\nmost_gas_price = 1\ndisk_bytes = 1\n[provider]\nleast_price = 1\nmost_bond = 1\njobs = 1\n"
    );
    fs::write(home.join("config.toml"), config).expect("written");
    let line = format!("explain --home home {job}");
    let provider = |line: &str| run(env!("CARGO_BIN_EXE_tested-provider"), at, None, line);
    let Ran(code, out, error) = provider(&line);
    assert_eq!(code, Some(0), "{error}");
    assert!(out.contains("a provider may accept") && !out.contains("this node"), "{out}");
    let told = format!(
        "{{\"account\":\"{}\",\"facts\":{{\"role\":\"provider\",\"accept\":1}},\
         \"said\":{{\"accept of job {job}\":\"WrongState\"}},\"transaction\":null}}",
        Address::repeat_byte(7)
    );
    fs::write(home.join("told").join(format!("{job}.json")), told).expect("written");
    let Ran(code, out, error) = provider(&line);
    assert_eq!(code, Some(0), "{error}");
    for line in [
        "this node: send `accept`",
        "follows it",
        "it said of accept of job it: WrongState",
        "comes back to the requester",
    ] {
        assert!(out.contains(line), "`{line}` is not in\n{out}");
    }
    let json: Value = serde_json::from_str(&provider(&format!("{line} --json")).1).expect("JSON");
    assert_eq!((&json["duties"][0]["node"][0], &json["node"]["follows"]), (&"send `accept`".into(), &true.into()));
    provider("explain --home home").refused("<JOB>");
    provider(&format!("{line} --rpc {url} --deployment deployment.json")).refused("--home");
}

#[test]
fn the_market_is_deployed_once_and_checked() {
    if code("the_market_is_deployed_once_and_checked").is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let write = |name: &str, bytes: &[u8]| fs::write(at.join(name), bytes).expect("written");
    let statement = Trained::new().statement;
    write("statement.json", &statement.to_json().expect("it is JSON"));
    write("verifying.key", &KeyFile::of(&wrapped().1).to_bytes());
    write("core.key", &KeyFile::of(&fixture().key).to_bytes());
    let node = Anvil::start(&contracts()).expect("the node starts");
    let signer = format!("{:#x}\n", node.signer().to_bytes());
    write("signer", signer.as_bytes());
    let options = |rest: &str| {
        let (rpc, contracts) = (node.url(), contracts());
        format!("deploy --rpc {rpc} --contracts {} --statement statement.json {rest}", contracts.display())
    };
    let deploy = |rest: &str| requester(at, None, &options(rest));

    // Nothing is paid for a wrong use.
    let good = "--key verifying.key --out deployment.json --signer-key signer";
    deploy(good).refused("is insecure: anyone can forge proofs");
    deploy("--key core.key --out deployment.json --signer-key signer --insecure").refused("is not the key of");
    deploy("--key verifying.key --out deployment.json --insecure").refused("no account to pay");
    deploy("--key verifying.key --out none/deployment.json --signer-key signer --insecure").refused("no folder none");
    deploy("--key verifying.key --out deployment.json --signer-key core.key --insecure").refused("more than 256 bytes");
    let short = requester(at, Some("0x12"), &options("--key verifying.key --out deployment.json --insecure"));
    assert!(!short.2.contains("0x12"), "the key is in no message");
    short.refused("GRADPROOF_SIGNER_KEY is not a private key");
    let other = Anvil::start_as(&contracts(), 10).expect("the node starts");
    let elsewhere = options(&format!("{good} --insecure")).replace(node.url(), other.url());
    requester(at, None, &elsewhere).refused("this is chain 10");
    let core = JobStatement { proof: fixture().key.kind(), verifying_key: fixture().key.digest(), ..statement };
    write("core.json", &core.to_json().expect("it is JSON"));
    let line = options(&format!("{good} --insecure")).replace("statement.json", "core.json");
    requester(at, None, &line).refused("is for core proofs");
    let chain = Chain::connect(node.url(), node.signer()).expect("the node answers");
    assert_eq!(chain.block().expect("the node answers"), 0);
    assert!(!at.join("deployment.json").exists());

    let ran = deploy(&format!("{good} --insecure --json"));
    assert_eq!(ran.0, Some(0), "{}", ran.2);
    assert!(ran.2.contains("INSECURE"), "{}", ran.2);
    let written = fs::read(at.join("deployment.json")).expect("it is there");
    let deployment: Deployment = serde_json::from_slice(&written).expect("it is a deployment");
    assert_eq!(serde_json::from_str::<Deployment>(&ran.1).expect("it is a deployment"), deployment);
    chain.wait(deployment.check(chain.client())).expect("it is what is there");
    assert!(deployment.verifier(&wrapped().1.digest()).is_some());
    deploy(&format!("{good} --insecure")).refused("deployment.json is there already");

    let check = |name: &str| requester(at, None, &format!("check-deployment --rpc {} --deployment {name}", node.url()));
    let ran = check("deployment.json");
    assert_eq!(ran.0, Some(0), "{}", ran.2);
    let sources = format!("deployment.json --contracts {}", contracts().display());
    let ran = check(&format!("{sources} --key verifying.key --statement statement.json"));
    assert_eq!(ran.0, Some(0), "{}", ran.2);
    assert!(ran.1.contains("market and verifiers were made from"), "{}", ran.1);
    check(&format!("{sources} --key core.key --statement statement.json")).refused("is not the key of");
    let mut changed = deployment;
    changed.market.address = Address::repeat_byte(1);
    write("changed.json", changed.to_json().as_bytes());
    let ran = check("changed.json");
    assert_eq!(ran.0, Some(1), "{}", ran.2);
    assert!(ran.1.contains("REJECTED: changed.json: the hash of the code of TrainingMarket"), "{}", ran.1);
    let said: Value = serde_json::from_str(&check("changed.json --json").1).expect("JSON");
    assert_eq!(said["accepted"], false);
    let said: Value = serde_json::from_str(&check("deployment.json --json").1).expect("JSON");
    assert_eq!((&said["accepted"], &said["market_of_the_sources"]), (&true.into(), &false.into()));
    // A market can pay with a token that is there.
    let token = changed.token.address;
    let there = |token: Address, name: &str| {
        deploy(&format!("--key verifying.key --out {name} --signer-key signer --insecure --token {token}"))
    };
    there(Address::repeat_byte(3), "none.json").refused("is no ERC-20 token");
    assert!(!at.join("none.json").exists());
    let ran = there(token, "other.json");
    assert_eq!(ran.0, Some(0), "{}", ran.2);
    let ran = check(&sources.replace("deployment.json", "other.json"));
    assert_eq!(ran.0, Some(0), "{}", ran.2);
    assert!(ran.1.contains(&format!("the token {token} was there before")), "{}", ran.1);
    // What is printed to check it can be pasted, whatever the file is called.
    let ran = deploy("--key verifying.key --out my'deployment.json --signer-key signer --insecure");
    let line = ran.1.lines().find_map(|line| line.strip_prefix("check it: requester ")).expect("a command").to_owned();
    let program = env!("CARGO_BIN_EXE_tested-requester");
    let shell =
        Command::new("sh").arg("-c").arg(format!("'{program}' {line}")).current_dir(at).output().expect("a shell");
    assert!(shell.status.success(), "{line}: {}", String::from_utf8_lossy(&shell.stderr));
}

#[test]
fn a_job_is_checked_before_it_is_accepted() {
    let Some(code) = code("a_job_is_checked_before_it_is_accepted") else { return };
    let scene = Scene::new(code);
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let write = |name: &str, bytes: &[u8]| fs::write(at.join(name), bytes).expect("written");
    let trained = Trained::new();
    write("statement.json", &trained.statement.to_json().expect("it is JSON"));
    write("verifying.key", &KeyFile::of(&wrapped().1).to_bytes());
    write("deployment.json", scene.deployment.to_json().as_bytes());
    let check = |job, rest: &str| {
        let line = format!("check-job --rpc {} --deployment deployment.json --job {job} {rest}", scene.node.url());
        run(env!("CARGO_BIN_EXE_tested-provider"), at, None, &line)
    };
    let good = format!("--statement statement.json --key verifying.key --contracts {}", contracts().display());
    let terms = scene.terms(&trained, BATCH, BATCH);
    let job = scene.open(&terms, 1);

    let ran = check(job, &good);
    assert_eq!(ran.0, Some(0), "{}", ran.2);
    let member = scene.validators[0].address().to_string();
    for line in [
        "Open, 0 of 3 segments settled",
        "100.000000000000000000 tokens a segment",
        "3 segments each, 3 of them",
        "no royalty",
        "of these sources",
        &member,
    ] {
        assert!(ran.1.contains(line), "`{line}` is not in\n{}", ran.1);
    }
    check(gradproof_chain::B256::repeat_byte(9), &good).refused("has no job 0x0909");

    // What anyone can be told of it.
    let explain = |program: &str, job, rest: &str| {
        let line = format!("explain --rpc {} --deployment deployment.json --job {job} {rest}", scene.node.url());
        run(program, at, None, &line)
    };
    let provider = env!("CARGO_BIN_EXE_tested-provider");
    let ran = explain(env!("CARGO_BIN_EXE_tested-requester"), job, "");
    assert_eq!(ran.0, Some(0), "{}", ran.2);
    for line in
        ["Open", "3: 0 claimed, 0 closed, 0 settled", "a provider may accept, until in 1 d 0 h", "anyone may cancel"]
    {
        assert!(ran.1.contains(line), "`{line}` is not in\n{}", ran.1);
    }
    let said: Value = serde_json::from_str(&explain(provider, job, "--json").1).expect("JSON");
    assert_eq!((&said["state"], &said["duties"][0]["calls"][0]), (&"Open".into(), &"accept".into()));
    explain(provider, gradproof_chain::B256::repeat_byte(9), "").refused("has no job 0x0909");
    explained_by_its_node(at, scene.node.url(), job);

    // What else a job of the same statement may say.
    type Change<'a> = &'a dyn Fn(&mut crate::scene::Terms);
    let changes: [(&str, Change<'_>); 5] = [
        ("the job's digest of the graph is 0x0404", &|t| t.training.graph = [4; 32].into()),
        ("the job's word on whether segments follow on each other is false", &|t| t.training.chained = false),
        ("the job's root of the data is 0x0101", &|t| t.training.dataRoot = [1; 32].into()),
        ("the job's digest of the first parameters is 0x0202", &|t| t.training.first = [2; 32].into()),
        ("the job's schedule of rates is [2, 8589934595]", &|t| t.training.rates[1] = 2 << 32 | 3),
    ];
    for (nonce, (what, change)) in (2..).zip(changes) {
        let mut terms = terms.clone();
        change(&mut terms);
        let ran = check(scene.open(&terms, nonce), &good);
        assert_eq!(ran.0, Some(1), "{}", ran.2);
        assert!(ran.1.contains(what), "`{what}` is not in\n{}", ran.1);
    }
    let said: Value = serde_json::from_str(&check(job, &format!("{good} --json")).1).expect("JSON");
    assert_eq!((&said["accepted"], &said["segments"]), (&true.into(), &SEGMENTS.into()));
    // A statement that is bound is for one job.
    let domain = domain(scene.deployment.chain, scene.deployment.market.address, job, Address::repeat_byte(7));
    for (domain, code) in [(domain, Some(0)), (Domain { job: [9; 32], ..domain }, Some(1))] {
        let bound = trained.statement.bind(domain).expect("it is not bound");
        write("statement.json", &bound.to_json().expect("it is JSON"));
        let ran = check(job, &good);
        assert_eq!(ran.0, code, "{}{}", ran.1, ran.2);
        assert_eq!(ran.1.contains("is bound to another job"), code == Some(1), "{}", ran.1);
    }
    // Once somebody has the job, for that owner.
    let taken = scene.start(job, &scene.provider);
    for (domain, code) in [(taken, Some(0)), (Domain { owner: [7; 20], ..taken }, Some(1))] {
        let bound = trained.statement.bind(domain).expect("it is not bound");
        write("statement.json", &bound.to_json().expect("it is JSON"));
        let ran = check(job, &good);
        assert_eq!(ran.0, code, "{}{}", ran.1, ran.2);
        assert_eq!(ran.1.contains("is bound to the owner"), code == Some(1), "{}", ran.1);
    }
    write("statement.json", &trained.statement.to_json().expect("it is JSON"));
    scene.provider.send(scene.market(), &TrainingMarket::abandonCall { id: job }).expect("it is the lead's");
    let ran = check(job, &good);
    assert_eq!(ran.0, Some(1), "{}", ran.2);
    assert!(ran.1.contains("it is over (Left)"), "{}", ran.1);
    // A file of another version is told by it.
    write("deployment.json", br#"{ "version": 1, "chain": 31337 }"#);
    check(job, &good).refused("version 1 of the format");
}
