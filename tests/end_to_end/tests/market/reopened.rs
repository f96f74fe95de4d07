//! `requester reopen`, from the outside: the market says that the new job begins where the other one ended. The verifier is a stand-in
//! that takes every proof, so that nothing is proven here but what the requester registers.

use std::fs;

use gradproof_chain::market::{ComputeToken, Contract, State, TrainingMarket, Verifier, check_parent};
use gradproof_chain::{Address, Artifact, B256, Chain, Compiler, SolCall, SolValue, U256, read_key};
use gradproof_verifier::protocol::job::JobStatement;
use serde_json::Value;

use crate::program::{Ran, requester};
use crate::scene::{FORTUNE, PRICE, Party, Scene, code, contracts, tokens};

/// A job of two segments, of a step each.
pub const JOB: &str = r#"[network]
layers = [6, 5, 4, 3]
[data]
format = "csv"
images = "rows.csv"
label_column = 0
scale = 0.00390625
[training]
batch = 4
epochs = 2
steps_per_segment = 4
[learning_rate]
rate = 0.125
[initial_weights]
seed = 7
"#;
/// Rows of the job: of a batch of 4 and segments of 4 steps.
pub const ROWS: usize = 16;
const BATCH: u32 = 4;
const STEPS: u32 = 4;
/// The root of a delivery.
const ROOT: B256 = B256::repeat_byte(0x40);

/// Deploys a verifier for the key of a statement that takes every proof.
pub fn stand_in(scene: &Scene, statement: &JobStatement) -> Verifier {
    /// `Mode.AcceptAll` of the stand-in.
    const ACCEPT_ALL: u8 = 1;
    let compiler = Compiler::with_profile(&contracts(), "default").expect("the compiler is there");
    let mock = |file: &str, name| compiler.compile_file(file, name).expect("the stand-ins compile");
    let chain = &scene.provider.chain;
    let put = |artifact: &Artifact, arguments: Vec<u8>| {
        let made = chain.wait(chain.client().deploy(artifact, &arguments)).expect("it deploys");
        chain.wait(Contract::at(chain.client(), made.address, made.transaction)).expect("the node answers")
    };
    let halo2 = put(&mock("test/mocks/MockHalo2Verifier.sol", "MockHalo2Verifier"), [U256::ZERO; 4].abi_encode());
    let arguments = (halo2.address, U256::from(ACCEPT_ALL), true, BATCH, STEPS).abi_encode();
    let segment = put(&mock("test/mocks/Verifiers.sol", "MockVerifier"), arguments);
    let columns = scene.deployment.verifiers[0].columns;
    let (key, setup) = (statement.verifying_key.into(), statement.setup.digest.into());
    Verifier { key, setup, insecure_setup: true, columns, segment, halo2 }
}

/// Sends what `requester post` prepared, as the node of its account would.
pub fn open(scene: &Scene, account: &Party, folder: &std::path::Path) {
    let bytes = fs::read(folder.join("open.call")).expect("it is prepared");
    let call = TrainingMarket::openCall::abi_decode(&bytes).expect("it is a call");
    account.send(scene.market(), &call).expect("the terms are right");
}

/// The values of a row.
pub fn row(row: usize) -> String {
    (0..6).map(|column| format!(",{}", (row * row + 31 * column) % 256)).collect()
}

pub fn proof(last: B256) -> Vec<u8> {
    (B256::ZERO, last).abi_encode()
}

#[test]
fn a_job_that_ended_is_gone_on_from_by_its_requester() {
    let Some(code) = code("a_job_that_ended_is_gone_on_from_by_its_requester") else { return };
    let mut scene = Scene::new(code);
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let write = |name: &str, text: &str| fs::write(at.join(name), text).expect("written");
    write("rows.csv", &(0..ROWS).map(|index| format!("{}{}\n", index % 3, row(index))).collect::<String>());
    write("job.toml", JOB);
    write("password", "a password\n");
    let run = |line: &str| requester(at, None, &format!("{line} --key-cache keys"));
    let json = |Ran(code, out, error): Ran, expected: i32| -> Value {
        assert_eq!(code, Some(expected), "{out}{error}");
        serde_json::from_str(&out).unwrap_or_else(|_| panic!("no JSON: {out}"))
    };
    json(run("commit --job job.toml --out committed --json"), 0);
    let statement = fs::read(at.join("committed/statement.json")).expect("it is there");
    let verifier = stand_in(&scene, &JobStatement::from_json(&statement).expect("a statement"));
    scene.deployment.verifiers.push(verifier);
    write("deployment.json", &scene.deployment.to_json());
    let init = format!("init --home home --rpc {} --deployment deployment.json", scene.node.url());
    json(requester(at, None, &format!("{init} --password-file password --json")), 0);
    let signer = read_key(&at.join("home/keys/account.json"), "a password").expect("it is made");
    scene.node.fund(signer.address());
    let transfer = ComputeToken::transferCall { to: signer.address(), value: tokens(FORTUNE / 2) };
    scene.requester.send(scene.deployment.token.address, &transfer).expect("the tokens are its own");
    let account = Party { chain: Chain::connect(scene.node.url(), signer.clone()).expect("the node answers"), signer };
    let of_job = |job: &Value| -> (B256, std::path::PathBuf) {
        let id: B256 = job["job"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        (id, at.join("home/jobs").join(id.to_string()))
    };
    let home = "--home home --password-file password";
    let rest = format!("{home} --price {PRICE} --batch 1 --detach --json");
    let (parent, parents) = of_job(&json(run(&format!("post --job job.toml {rest}")), 0));
    open(&scene, &account, &parents);
    scene.start(parent, &scene.partner);
    // What the first segment comes to, `recover` says, whatever is claimed.
    let before = scene.node.snapshot();
    scene.claim_proven(&scene.partner, parent, 0, &proof(ROOT)).expect("every proof is taken");
    let recovered = json(run(&format!("recover {parent} {home} --json")), 1);
    let last: B256 = recovered["trained"].as_str().and_then(|digest| digest.parse().ok()).expect("a digest");
    scene.node.back_to(&before);
    scene.claim_proven(&scene.partner, parent, 0, &proof(last)).expect("every proof is taken");

    write("child.toml", &JOB.replace("seed = 7", &format!("parent = \"{}\"", parents.display())));
    let reopen = |job: B256, file: &str| run(&format!("reopen {job} --job {file} {rest}"));
    assert_eq!(json(reopen(parent, "child.toml"), 1)["done"], false, "it runs");
    scene.close(&scene.partner, parent, 0);
    let root = scene.batch(parent, 0).record.root;
    let taken = TrainingMarket::acknowledgeCall { id: parent, batch: U256::ZERO, last, root };
    account.send(scene.market(), &taken).expect("it was closed");
    scene.partner.send(scene.market(), &TrainingMarket::abandonCall { id: parent }).expect("nothing is open");
    scene.in_state(parent, State::Left);
    assert_eq!((scene.job(parent).current, scene.job(parent).settled), (last, 1));

    reopen(parent, "job.toml").refused("initial_weights.parent must be");
    let (child, of_child) = of_job(&json(reopen(parent, "child.toml"), 0));
    let written = fs::read(of_child.join("parcel/statement.json")).expect("it is there");
    let statement = JobStatement::from_json(&written).expect("a statement");
    assert_eq!(statement.parent.map(|parent| parent.segments), Some(1));
    // The market compares where the child begins with where its parent ended.
    open(&scene, &account, &of_child);
    let terms = scene.ask(scene.market(), &TrainingMarket::termsOfCall { id: child });
    assert_eq!((terms.parent, terms.training.first, terms.rebased), (parent, last, false));
    check_parent(&terms, &statement).expect("the market compared them");
    for (parent, rebased) in [(B256::ZERO, false), (parent, true)] {
        let error = check_parent(&TrainingMarket::Terms { parent, rebased, ..terms.clone() }, &statement);
        let error = error.expect_err("nobody says where it begins").to_string();
        assert!(error.contains("the job's parent is"), "{error}");
    }

    // Whoever has the child's parcel trains on.
    scene.start(child, &scene.partner);
    scene.claim_proven(&scene.partner, child, 0, &proof(ROOT)).expect("every proof is taken");
    let recovered = json(run(&format!("recover {child} {home} --json")), 1);
    assert_eq!(recovered["differs"], 0);
    assert_ne!(recovered["trained"], last.to_string(), "its blindings are its own");
    assert_eq!(scene.job(child).owner, scene.partner.address());
    assert_ne!(scene.job(child).owner, Address::ZERO);
}
