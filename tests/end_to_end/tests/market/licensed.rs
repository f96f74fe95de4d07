//! `dataset register`, `license` and `revoke`, and `requester post --licence`, from the outside. The verifier is a stand-in, so that nothing
//! is proven here but what owner and requester register.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gradproof_chain::market::{ComputeToken, DatasetRegistry, State, TrainingMarket};
use gradproof_chain::{Address, B256, Chain, PrivateKeySigner, U256, read_key};
use gradproof_verifier::protocol::job::JobStatement;
use serde_json::Value;

use crate::program::{Ran, requester, run as run_program};
use crate::reopened::{JOB, ROWS, open, proof, row, stand_in};
use crate::scene::{FORTUNE, PRICE, Party, Scene, code, tokens};

/// What a licence costs, and the least royalty, in tokens.
const FEE: u64 = 20;
const ROYALTY: u64 = 15;
/// Segments of the job, with which `requester post` makes batches of one.
const SEGMENTS: u64 = 2;
/// Hand-backs for which an escrow has the fee, a hundredth of a batch's price each.
const HAND_BACKS: u64 = 4;

/// The account of a folder.
fn party(scene: &Scene, home: &Path) -> Party {
    let signer = read_key(&home.join("keys/account.json"), "a password").expect("it is made");
    scene.node.fund(signer.address());
    Party { chain: Chain::connect(scene.node.url(), signer.clone()).expect("the node answers"), signer }
}

#[test]
fn a_requester_posts_a_job_on_a_licensed_set_and_pays_nothing_without_a_licence() {
    let Some(code) = code("a_requester_posts_a_job_on_a_licensed_set") else { return };
    let mut scene = Scene::new(code);
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let write = |name: &str, text: &str| fs::write(at.join(name), text).expect("written");
    write("rows.csv", &(0..ROWS).map(|index| format!("{}{}\n", index % 3, row(index))).collect::<String>());
    write("set.toml", JOB);
    write("job.toml", &JOB.replace("rate = 0.125", "rate = 0.25"));
    write("password", "a password\n");
    write("deployment.json", &scene.deployment.to_json());
    let json = |Ran(code, out, error): Ran, expected: i32| -> Value {
        assert_eq!(code, Some(expected), "{out}{error}");
        serde_json::from_str(&out).unwrap_or_else(|_| panic!("no JSON: {out}"))
    };
    let dataset = |line: &str| {
        let line = format!("{line} --home owner --password-file password --json");
        run_program(env!("CARGO_BIN_EXE_tested-dataset"), at, None, &line)
    };
    let digest = |json: &Value, key: &str| -> B256 {
        json[key].as_str().and_then(|digest| digest.parse().ok()).unwrap_or_else(|| panic!("{key} of {json}"))
    };

    json(dataset(&format!("init --rpc {} --deployment deployment.json", scene.node.url())), 0);
    let owner = party(&scene, &at.join("owner"));
    let register =
        |royalty: &str| dataset(&format!("register --job set.toml --out set --royalty {royalty} --key-cache keys"));
    register("50.01").refused("--royalty");
    assert!(!at.join("set").exists());
    let registered = json(register("10"), 0);
    let set = digest(&registered, "dataset");
    let entry = || scene.ask(scene.deployment.datasets.address, &DatasetRegistry::entryCall { dataset: set });
    assert_eq!((entry().owner, entry().receiver, entry().rateBps), (owner.address(), owner.address(), 1000));
    assert_eq!((entry().root, entry().rows), (digest(&registered, "root"), ROWS as u64));
    assert_eq!(registered["changed"], true);
    assert_eq!(json(register("10"), 0)["changed"], false, "it can be run again");
    assert_eq!(json(register("12.5"), 0)["changed"], true);
    assert_eq!(entry().rateBps, 1250);

    let statement = fs::read(at.join("set/statement.json")).expect("it is there");
    let verifier = stand_in(&scene, &JobStatement::from_json(&statement).expect("a statement"));
    scene.deployment.verifiers.push(verifier);
    write("deployment.json", &scene.deployment.to_json());
    let line = format!("init --home home --rpc {} --deployment deployment.json", scene.node.url());
    json(requester(at, None, &format!("{line} --password-file password --json")), 0);
    let account = party(&scene, &at.join("home"));
    let transfer = ComputeToken::transferCall { to: account.address(), value: tokens(FORTUNE / 2) };
    scene.requester.send(scene.deployment.token.address, &transfer).expect("the tokens are its own");

    let license = |who: Address, rest: &str| {
        let most = format!("--fee {FEE} --least-royalty {ROYALTY} --most-segments {SEGMENTS}");
        // Whoever may see the data is named: a provider that declines pays no fee.
        let provider = scene.partner.address();
        dataset(&format!("license {set} --requester {who} {most} --account {provider} {rest}"))
    };
    let me = account.address();
    let given = json(license(me, "--out licence.json"), 0);
    let copy = at.join(given["kept"].as_str().expect("a path"));
    assert_eq!(fs::read(copy).expect("it is kept"), fs::read(at.join("licence.json")).expect("it is there"));
    license(me, "--out licence.json").refused("is not replaced");
    json(license(owner.address(), "--out another.json"), 0);
    json(license(me, "--out short.json --hours 1"), 0);
    json(license(me, &format!("--out list.json --account {me} --account {}", owner.address())), 0);

    let post = |rest: &str| {
        let line =
            format!("post --home home --password-file password --price {PRICE} --batch 1 --detach --json {rest}");
        requester(at, None, &format!("{line} --key-cache keys"))
    };
    // Nothing is sent, and nothing may be taken, before the licence is found to hold.
    post("--job job.toml --same-data set").refused("ask its owner for a licence");
    post("--job job.toml --licence licence.json").refused("--same-data");
    post("--job job.toml --licence another.json --same-data set").refused("is for the requester");
    let stranger = PrivateKeySigner::random().address();
    post(&format!("--job job.toml --licence list.json --same-data set --committee {},{stranger}", owner.address()))
        .refused("leaves a member out");
    write("broken.json", "{}");
    post("--job job.toml --licence broken.json --same-data set").refused("--licence broken.json");
    let edited = fs::read_to_string(at.join("licence.json")).expect("it is there");
    write("edited.json", &edited.replace("\"most_segments\": 2", "\"most_segments\": 3"));
    post("--job job.toml --licence edited.json --same-data set").refused("did not sign it");
    let allowed = || {
        let call = ComputeToken::allowanceCall { owner: me, spender: scene.market() };
        scene.ask(scene.deployment.token.address, &call)
    };
    assert_eq!(allowed(), U256::ZERO);
    assert!(fs::read_dir(at.join("home/jobs")).map_or(true, |mut jobs| jobs.next().is_none()), "nothing was begun");

    let posted = json(post("--job job.toml --licence licence.json --same-data set"), 0);
    let id = digest(&posted, "job");
    let escrow = tokens(SEGMENTS * PRICE + FEE) + tokens(PRICE) * U256::from(HAND_BACKS) / U256::from(100);
    assert_eq!(allowed(), escrow, "the fee is in it");
    let of_job = at.join("home/jobs").join(id.to_string());
    assert_eq!(fs::read(of_job.join("licence.json")).expect("it is kept"), edited.as_bytes());
    open(&scene, &account, &of_job);
    scene.in_state(id, State::Open);
    let terms = scene.ask(scene.market(), &TrainingMarket::termsOfCall { id });
    assert_eq!((terms.training.dataset, terms.training.royaltyBps), (set, 1250));
    let job = scene.job(id);
    assert_eq!((job.royaltyTo, U256::from(job.licenceFee)), (owner.address(), tokens(FEE)));
    assert_eq!(U256::from(job.minRoyalty), tokens(ROYALTY));

    // One licence is for one job; and one that was taken back for none.
    post("--job job.toml --licence licence.json --same-data set").refused("is spent");
    assert_eq!(json(dataset("revoke licence.json"), 1)["done"], false, "a job has it");
    assert_eq!(json(dataset("revoke short.json"), 0)["done"], true);
    post("--job job.toml --licence short.json --same-data set").refused("is spent");
    json(license(me, "--out unseen.json"), 0);
    let unseen = rows_are_never_here(&scene, at, &account);
    seen_by_its_owner(&scene, at, set, unseen);
    let stranger = PrivateKeySigner::random().address();
    let other = B256::repeat_byte(9);
    dataset(&format!("license {other} --requester {stranger} --fee 0 --most-segments 1 --out none.json"))
        .refused("only the owner's licences count");
    assert_eq!(allowed(), U256::ZERO, "the market took what it was allowed, and is allowed no more");
}

/// Posts a job on the set by its description alone; whoever gets rows and seed from the owner trains it: the job.
fn rows_are_never_here(scene: &Scene, at: &Path, account: &Party) -> B256 {
    let (head, data) = JOB.split_once("[data]").expect("it has data");
    let (_, rest) = data.split_once("[training]").expect("it has a training");
    let job = format!("{head}[data]\nformat = \"licensed\"\n[training]{rest}");
    fs::write(at.join("unseen.toml"), &job).expect("written");
    let other = job.replace("batch = 4", "batch = 8").replace("steps_per_segment = 4", "steps_per_segment = 2");
    fs::write(at.join("other.toml"), other).expect("written");
    fs::copy(at.join("set/dataset.json"), at.join("card.json")).expect("copied");
    let run = |line: &str| {
        requester(at, None, &format!("{line} --home home --password-file password --json --key-cache keys"))
    };
    let post = |rest: &str| run(&format!("post --price {PRICE} --batch 1 --detach {rest}"));
    post("--job unseen.toml --dataset card.json").refused("--licence");
    post("--job other.toml --dataset card.json --licence unseen.json").refused("training.batch is 8");
    post("--job unseen.toml --dataset card.json --licence unseen.json --same-data set").refused("give one of them");
    post("--job set.toml --dataset card.json --licence unseen.json").refused("unknown name `csv`");
    post("--job unseen.toml --licence unseen.json --same-data set").refused("unknown name `licensed`");
    let Ran(code, out, error) = post("--job unseen.toml --dataset card.json --licence unseen.json");
    assert_eq!(code, Some(0), "{out}{error}");
    let posted: Value = serde_json::from_str(&out).expect("JSON");
    let id: B256 = posted["job"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let of_job = at.join("home/jobs").join(id.to_string());
    let parcel: BTreeSet<String> = fs::read_dir(of_job.join("parcel"))
        .expect("it is there")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    assert_eq!(parcel, ["parameters.proof", "statement.json", "verifying.key"].map(str::to_owned).into());
    open(scene, account, &of_job);
    scene.start(id, &scene.partner);
    scene.claim_proven(&scene.partner, id, 0, &proof(B256::repeat_byte(7))).expect("every proof is taken");
    let recover = || run(&format!("recover {id}"));
    recover().refused("the rows of a registered set go from its owner to the provider");
    for (from, to) in
        [("rows.safetensors", "parcel/rows.safetensors"), ("private/data-opening.json", "private/data-opening.json")]
    {
        fs::copy(at.join("set").join(from), of_job.join(to)).expect("copied");
    }
    let Ran(code, out, error) = recover();
    assert_eq!(code, Some(1), "{out}{error}");
    let recovered: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(recovered["differs"], 0, "rows and seed are those of the root, and the claim is made up: {recovered}");
    // Another seed, or other rows, do not come to the root.
    let opening = of_job.join("private/data-opening.json");
    let good = fs::read_to_string(&opening).expect("it is there");
    let seed = good.split("0x").nth(1).and_then(|rest| rest.get(..64)).expect("a seed");
    fs::write(&opening, good.replace(seed, &"ab".repeat(32))).expect("written");
    recover().refused("data differ");
    fs::write(&opening, good).expect("written");
    let rows = of_job.join("parcel/rows.safetensors");
    let mut bytes = fs::read(&rows).expect("it is there");
    *bytes.last_mut().expect("it is long") ^= 1;
    fs::write(&rows, bytes).expect("written");
    recover().refused("data differ");
    id
}

/// What the owner's folder says of its set, and of a job on it that runs.
fn seen_by_its_owner(scene: &Scene, at: &Path, set: B256, id: B256) {
    let dataset = |line: &str| {
        let line = format!("{line} --home owner --json");
        let Ran(code, out, error) = run_program(env!("CARGO_BIN_EXE_tested-dataset"), at, None, &line);
        let said: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("no JSON: {out}{error}"));
        (code, said)
    };
    let config = at.join("owner/config.toml");
    let before = fs::read_to_string(&config).expect("it is there");
    let serve = |folder: &str| {
        let set = format!("[[data_owner.sets]]\nfolder = \"{folder}\"\n");
        let policy = "[data_owner.sets.licence]\nfee = 0\nleast_royalty = 1\nmost_segments = 2\nhours = 24\n";
        fs::write(&config, format!("{before}{set}{policy}")).expect("written");
    };
    // What the doctor says of the set, and in which words.
    let found = |about: &str| {
        let (code, said) = dataset("doctor --password-file password");
        // The node is not in the register.
        assert_eq!(code, Some(1), "{said}");
        let lines = said["lines"].as_array().expect("lines").clone();
        let is_it =
            |line: &&Value| line["what"].as_str().is_some_and(|what| what.starts_with("set ") && what.ends_with(about));
        let line = lines.iter().find(is_it).unwrap_or_else(|| panic!("nothing about {about}: {said}"));
        [&line["grade"], &line["said"]].map(|word| word.as_str().expect("a word").to_owned())
    };
    serve("../none");
    assert_eq!(found("none"), ["bad", "there is no such folder"]);
    serve("../set");
    let [grade, said] = found("set");
    assert!(grade == "good" && said.contains(&set.to_string()), "{said}");
    let [grade, said] = found(": register");
    assert!(grade == "good" && said.starts_with("12.5 % of"), "{said}");
    let [grade, said] = found(": licences");
    assert!(grade == "note" && said.contains("2 segments at most, within 24 hours"), "{said}");
    assert_eq!(found(": rows")[0], "good");
    let (rows, away) = (at.join("set/rows.safetensors"), at.join("away"));
    fs::rename(&rows, &away).expect("moved");
    assert_eq!(found(": rows")[0], "bad");
    fs::rename(&away, &rows).expect("moved");

    let (code, said) = dataset("status");
    assert_eq!((code, said["jobs"].as_array().map(Vec::len)), (Some(0), Some(0)), "{said}");
    assert_eq!(said["sets"][0]["set"]["dataset"], set.to_string());
    // As the running node writes it.
    let account = scene.job(id).royaltyTo;
    let told = format!(
        "{{\"account\":\"{account}\",\"facts\":{{\"role\":\"data_owner\"}},\"said\":{{}},\"transaction\":null}}"
    );
    fs::create_dir_all(at.join("owner/told")).expect("made");
    fs::write(at.join("owner/told").join(format!("{id}.json")), told).expect("written");
    let (fee, royalty) = (scene.deployment.tokens(tokens(FEE)), scene.deployment.tokens(tokens(ROYALTY)));
    let (code, said) = dataset("status");
    let job = &said["jobs"][0];
    assert_eq!((code, &job["job"], &job["state"]), (Some(0), &id.to_string().into(), &"Running".into()));
    assert_eq!([&job["fee"], &job["fee_paid"], &job["royalty"]], [&fee, &fee, &royalty], "{said}");
    assert_eq!((&said["sets"][0]["jobs"], &said["sets"][0]["fees_paid"]), (&1.into(), &fee.clone().into()));
    let nothing = scene.deployment.tokens(U256::ZERO);
    assert_eq!(said["sets"][0]["royalties_paid"], nothing, "no batch is closed");

    let (code, said) = dataset(&format!("explain {id}"));
    let data = &said["data"];
    assert_eq!((code, &data["fee_paid"], &data["royalty"]), (Some(0), &fee.into(), &royalty.into()), "{said}");
    assert_eq!(data["rows_for"], serde_json::json!([scene.partner.address()]));
    assert_eq!((&said["node"]["account"], &said["node"]["follows"]), (&serde_json::json!(account), &true.into()));
    let duties = said["duties"].as_array().expect("duties");
    let lost = duties.iter().filter_map(|duty| duty["data_owner"].as_str());
    assert!(lost.clone().any(|words| words == "what is not closed pays no royalty"), "{said}");
}
