//! What is delivered is what was proved: exact weights against the last commitment, and jobs that go on from them.

use std::fs;
use std::path::Path;

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::field::check::{Check, Strict};
use gradproof_circuits::graph::Source;
use gradproof_tests::judges::Except;
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier::verify_job::{Inheritance, JobRejection, JobVerifier, verify_job};
use gradproof_verifier_program::files::list_proofs;
use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::{JOB, PROVED, WRAPPED, job_folder, run};

const OPEN: &str = "requester open --statement posted/statement.json --proofs out --weights";
const EXACT: &str = "out/weights.exact.safetensors";

/// Names, shapes and places of the tensors of a safetensors file.
fn header(bytes: &[u8]) -> (usize, Value) {
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
    (8 + length, serde_json::from_slice(&bytes[8..8 + length]).expect("a header"))
}

/// Adds `by` to entry `index` of an exact tensor of the file at `path`.
fn add(path: &Path, tensor: &str, index: usize, by: i64) {
    let mut bytes = fs::read(path).expect("read");
    let (begin, header) = header(&bytes);
    let at = begin + header[tensor]["data_offsets"][0].as_u64().expect("an offset") as usize + 8 * index;
    let value = i64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    bytes[at..at + 8].copy_from_slice(&(value + by).to_le_bytes());
    fs::write(path, bytes).expect("written");
}

const TENSORS: [&str; 6] = ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"];

/// Opens honest weights, and refuses each tensor with one entry one unit off.
fn opens_to_the_unit(at: &Path) {
    let ran = run(at, &format!("{OPEN} {EXACT}")).exits(0);
    assert!(ran.stdout.contains("has the weights that were proved, all 74 of them"), "{}", ran.stdout);
    let honest = fs::read(at.join(EXACT)).expect("read");
    for tensor in TENSORS {
        for by in [1, -1] {
            fs::write(at.join("w.safetensors"), &honest).expect("written");
            add(&at.join("w.safetensors"), tensor, 2, by);
            let refused = run(at, &format!("{OPEN} w.safetensors --json")).exits(1).json();
            let tensors = refused["tensors"].as_array().expect("a list");
            assert!(tensors.contains(&tensor.into()), "{tensor}: {refused}");
            assert_eq!(refused["accepted"], false);
        }
    }
    // Whole other weights are not taken for a tensor.
    for tensor in TENSORS {
        add(&at.join("w.safetensors"), tensor, 0, 12345);
    }
    let refused = run(at, &format!("{OPEN} w.safetensors")).exits(1);
    assert!(refused.stdout.starts_with("REJECTED: w.safetensors: "), "{}", refused.stdout);
}

#[test]
fn weights_of_a_core_job_open_to_the_unit() {
    opens_to_the_unit(PROVED.copy().path());
}

#[test]
fn weights_of_a_wrapped_job_open_to_the_unit() {
    opens_to_the_unit(WRAPPED.copy().path());
}

/// Columns as short as the matrices, so that each tensor has some of its own.
#[test]
fn the_first_tensor_that_differs_is_named_alone_where_it_has_columns_of_its_own() {
    let folder = job_folder();
    let at = folder.path();
    fs::write(at.join("job.toml"), format!("{JOB}[proof]\ncolumn_bits = 4\n")).expect("written");
    run(at, "requester commit --job job.toml --out posted").exits(0);
    run(at, "provider prove --job job.toml --statement posted/statement.json --out out").exits(0);
    for tensor in ["0.weight", "2.weight", "4.weight"] {
        fs::copy(at.join(EXACT), at.join("w.safetensors")).expect("copied");
        add(&at.join("w.safetensors"), tensor, 7, 1);
        let refused = run(at, &format!("{OPEN} w.safetensors --json")).exits(1).json();
        assert_eq!(refused["tensors"], serde_json::json!([tensor]), "{refused}");
    }
    add(&at.join("w.safetensors"), "0.weight", 7, 1);
    let refused = run(at, &format!("{OPEN} w.safetensors")).exits(1);
    assert!(refused.stdout.contains("0.weight differs from what was proved"), "{}", refused.stdout);
}

#[test]
fn wrong_use_of_open_is_no_verdict() {
    let folder = PROVED.copy();
    let at = folder.path();
    run(at, &format!("{OPEN} out/weights.safetensors"))
        .exits(2)
        .says("floating point")
        .says("weights.exact.safetensors");
    run(at, &format!("{OPEN} nowhere.safetensors")).exits(2).says("nowhere.safetensors");
    run(at, "requester commit --job job.toml --out other").exits(0);
    run(at, &format!("{OPEN} {EXACT} --openings other/private/openings.json")).exits(2).says("openings of another job");
    // Another network's weights.
    fs::create_dir(at.join("there")).expect("made");
    run(at, &format!("{OPEN} {EXACT} --float there")).exits(2).says("is there already");
    run(at, &format!("{OPEN} {EXACT} --float float.safetensors")).exits(0);
    let float = |name: &str| fs::read(at.join(name)).expect("read");
    assert_eq!(float("float.safetensors"), float("out/weights.safetensors"));
    fs::write(at.join("wide.toml"), JOB.replace("[6, 5, 4, 3]", "[6, 7, 3]")).expect("written");
    run(at, "requester first-weights --job wide.toml --out wide.safetensors").exits(0);
    run(at, &format!("{OPEN} wide.safetensors")).exits(2).says("expected 0.weight [5, 6]").says("0.weight [7, 6]");
    run(at, &format!("{OPEN} {EXACT} --setup none.ptau")).exits(2).says("insecure set-up");
    // A file of another scale.
    fs::write(at.join("fine.toml"), JOB.replace("[training]", "[arithmetic]\nrate_bits = 9\n[training]"))
        .expect("written");
    run(at, "requester first-weights --job fine.toml --out fine.safetensors").exits(0);
    run(at, &format!("{OPEN} fine.safetensors")).exits(2).says("weight_bits is 29, expected 28");
}

#[test]
fn weights_are_opened_of_proofs_that_hold_only() {
    let folder = PROVED.copy();
    let at = folder.path();
    fs::remove_file(at.join("out/segment-0003.proof")).expect("removed");
    let refused = run(at, &format!("{OPEN} {EXACT}")).exits(1);
    assert!(
        refused.stdout.contains("the proofs are rejected: the proof of segment 3 is missing"),
        "{}",
        refused.stdout
    );
}

#[test]
fn the_first_weights_of_a_seed_are_those_that_a_job_starts_from() {
    let folder = job_folder();
    let at = folder.path();
    run(at, "requester first-weights --job job.toml --out first.safetensors").exits(0);
    run(at, "requester first-weights --job job.toml --out first.safetensors").exits(2).says("is there already");
    fs::write(at.join("file.toml"), JOB.replace("seed = 7", "file = \"first.safetensors\"")).expect("written");
    run(at, "provider train --job file.toml --out of_file").exits(0);
    run(at, "provider train --job job.toml --out of_seed").exits(0);
    let exact = |name: &str| fs::read(at.join(name).join("weights.exact.safetensors")).expect("read");
    assert_eq!(exact("of_file"), exact("of_seed"));
    run(at, "requester first-weights --job job.toml --out float.safetensors --float").exits(0);
    let names = |name: &str| header(&fs::read(at.join(name)).expect("read")).1;
    let (float, exact) = (names("float.safetensors"), names("first.safetensors"));
    for tensor in TENSORS {
        assert_eq!((&float[tensor]["dtype"], &exact[tensor]["dtype"]), (&"F32".into(), &"I64".into()));
        assert_eq!(float[tensor]["shape"], exact[tensor]["shape"]);
    }
}

/// A job of two segments that goes on from the weights of [`JOB`].
fn child_job(initial: &str) -> String {
    JOB.replace("epochs = 2", "epochs = 1")
        .replace("schedule = [{ from_segment = 0, rate = 0.125 }, { from_epoch = 1, rate = 0.0625 }]", "rate = 0.03125")
        .replace("seed = 7", initial)
}

#[test]
fn a_job_starts_from_the_exact_weights_of_another_with_commitments_of_its_own() {
    let folder = PROVED.copy();
    let at = folder.path();
    fs::write(at.join("child.toml"), child_job(&format!("file = \"{EXACT}\""))).expect("written");
    run(at, "requester commit --job child.toml --out child_posted").exits(0);
    assert!(at.join("child_posted/parameters.proof").is_file());
    run(at, "provider prove --job child.toml --statement child_posted/statement.json --out child").exits(0);
    run(at, "verifier verify --statement child_posted/statement.json --proofs child").exits(0);
    // Nothing was rounded on the way: training on is one training.
    let exact = |name: &str| fs::read(at.join(name).join("weights.exact.safetensors")).expect("read");
    let whole = JOB.replace("epochs = 2", "epochs = 3").replace(
        "{ from_epoch = 1, rate = 0.0625 }]",
        "{ from_epoch = 1, rate = 0.0625 }, { from_epoch = 2, rate = 0.03125 }]",
    );
    fs::write(at.join("whole.toml"), whole).expect("written");
    run(at, "provider train --job whole.toml --out whole").exits(0);
    assert_eq!(exact("child"), exact("whole"));
}

/// [`JOB`] and a child of it with the parent's commitments, both proved; and a child of that one.
fn family() -> TempDir {
    let folder = PROVED.copy();
    let at = folder.path();
    fs::write(at.join("child.toml"), child_job("parent = \"out\"")).expect("written");
    run(at, "requester commit --job child.toml --out child_posted").exits(0);
    // The provider is told the weights and the openings of the child, and not where the parent's are.
    fs::write(at.join("given.toml"), child_job("file = \"handed/over.safetensors\"")).expect("written");
    fs::create_dir(at.join("handed")).expect("made");
    fs::copy(at.join(EXACT), at.join("handed/over.safetensors")).expect("copied");
    run(at, "provider prove --job given.toml --statement child_posted/statement.json --out child").exits(0);
    fs::write(at.join("grandchild.toml"), child_job("parent = [\"child\", \"out\"]")).expect("written");
    run(at, "requester commit --job grandchild.toml --out grandchild_posted").exits(0);
    run(at, "provider prove --job grandchild.toml --statement grandchild_posted/statement.json --out grandchild")
        .exits(0);
    folder
}

#[test]
fn a_job_goes_on_from_the_commitments_of_its_parent() {
    let folder = family();
    let at = folder.path();
    let statement =
        |name: &str| -> Value { serde_json::from_slice(&fs::read(at.join(name)).expect("read")).expect("JSON") };
    let child = statement("child_posted/statement.json");
    assert_eq!(child["parent"]["segments"], 4);
    assert!(!at.join("child_posted/parameters.proof").exists(), "nothing is registered anew");
    let verify = "verifier verify --statement child_posted/statement.json --proofs child --json";
    let accepted = run(at, &format!("{verify} --parent out")).exits(0).json();
    assert_eq!((&accepted["accepted"], &accepted["segments"]), (&true.into(), &2.into()));
    run(at, verify).exits(2).says("give the folder of that job's statement").says("--parent");
    run(at, &format!("{verify} --registrations --parent out")).exits(0);
    let grandchild = "verifier verify --statement grandchild_posted/statement.json --proofs grandchild";
    run(at, &format!("{grandchild} --parent child --parent out")).exits(0);
    run(at, &format!("{grandchild} --parent child")).exits(2).says("--parent");
    run(at, &format!("{grandchild} --parent out")).exits(2).says("is not the statement of the parent");
    run(at, "verifier verify --statement posted/statement.json --proofs out --parent child")
        .exits(2)
        .says("has no parent");
    let open = "requester open --statement child_posted/statement.json --proofs child --weights";
    run(at, &format!("{open} child/weights.exact.safetensors --parent out")).exits(0);
    run(at, &format!("{open} {EXACT} --parent out")).exits(1);
    // The child's openings open the one commitment of the parent that it starts from, and no other.
    let seed = |name: &str, key: &str| statement(name)[key].clone();
    let parent = "posted/private/openings.json";
    for key in ["data_seed", "first_seed", "last_seed"] {
        assert_ne!(seed("child_posted/private/openings.json", "first_seed"), seed(parent, key), "{key}");
    }
    assert_ne!(seed("child_posted/private/openings.json", "last_seed"), seed(parent, "last_seed"));
}

/// A job that was stopped: its first two segments are proved, and its weights after them are those of two segments' steps.
#[test]
fn a_job_goes_on_from_one_that_was_stopped() {
    let folder = PROVED.copy();
    let at = folder.path();
    for part in ["segment-0002.proof", "segment-0003.proof"] {
        fs::remove_file(at.join("out").join(part)).expect("removed");
    }
    fs::write(at.join("child.toml"), child_job("parent = \"out\"")).expect("written");
    // The weights there are those after four segments.
    run(at, "requester commit --job child.toml --out child_posted").exits(2).says("the weights of the parent in out");
    let stopped = JOB.replace("epochs = 2", "epochs = 1").replace(", { from_epoch = 1, rate = 0.0625 }", "");
    fs::write(at.join("stopped.toml"), stopped).expect("written");
    run(at, "provider train --job stopped.toml --out stopped").exits(0);
    fs::copy(at.join("stopped/weights.exact.safetensors"), at.join(EXACT)).expect("copied");
    let opened = run(at, &format!("{OPEN} {EXACT} --segments 2")).exits(0);
    assert!(opened.stdout.contains("after 2 of 4 segments"), "{}", opened.stdout);
    run(at, &format!("{OPEN} {EXACT} --segments 1")).exits(1);
    run(at, &format!("{OPEN} {EXACT} --segments 3")).exits(1);
    run(at, &format!("{OPEN} {EXACT} --segments 5")).exits(2).says("has 4 segments, not 5");
    run(at, &format!("{OPEN} {EXACT} --segments 0")).exits(2).says("--segments 0");
    run(at, "requester commit --job child.toml --out child_posted").exits(0);
    let ran = run(at, "provider prove --job child.toml --statement child_posted/statement.json --out child").exits(0);
    // What is printed to check it can be pasted.
    let check = ran.stdout.lines().find_map(|line| line.strip_prefix("check it: ")).expect("a command").to_owned();
    run(at, &check).exits(0);
    let statement: Value =
        serde_json::from_slice(&fs::read(at.join("child/statement.json")).expect("read")).expect("JSON");
    assert_eq!(statement["parent"]["segments"], 2);
    // With one proof less there is no such parent.
    fs::remove_file(at.join("out/segment-0001.proof")).expect("removed");
    let refused = run(at, &format!("{check} --json")).exits(1).json();
    let reason = refused["reason"].as_str().expect("a reason");
    assert_eq!(reason, "the parent in out: the proof of segment 1 is missing");
}

#[test]
fn what_a_parent_did_not_prove_is_not_inherited() {
    let folder = family();
    let at = folder.path();
    let verify = "verifier verify --statement child_posted/statement.json --proofs child --json --parent out";
    // Proofs of the parent that are missing or changed.
    for part in ["segment-0003.proof", "segment-0000.proof", "parameters.proof", "data-0001.proof"] {
        let path = at.join("out").join(part);
        let honest = fs::read(&path).expect("read");
        fs::remove_file(&path).expect("removed");
        let refused = run(at, verify).exits(1).json();
        assert_eq!(refused["check"], "missing", "{part}: {refused}");
        let mut changed = honest.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        fs::write(&path, changed).expect("written");
        run(at, verify).exits(1);
        fs::write(&path, honest).expect("written");
    }
    run(at, verify).exits(0);
    // A registration of its own is one too many.
    fs::copy(at.join("out/parameters.proof"), at.join("child/parameters.proof")).expect("copied");
    let refused = run(at, verify).exits(1).json();
    assert_eq!((&refused["part"], &refused["check"]), (&"parameters".into(), &"missing".into()));
    fs::remove_file(at.join("child/parameters.proof")).expect("removed");
    // Weights that are not the parent's last ones.
    add(&at.join(EXACT), "2.weight", 0, 1);
    run(at, "requester commit --job child.toml --out again")
        .exits(2)
        .says("the weights of the parent")
        .says("2.weight");
    assert!(!at.join("again").exists());
}

/// The same layers, each on the one before it.
fn without_activations(architecture: &Architecture) -> Architecture {
    let mut graph = architecture.graph().clone();
    graph.nodes.retain(|node| node.operator.name() != "relu");
    for (before, node) in (0..).zip(graph.nodes.iter_mut().skip(1)) {
        node.inputs[0] = Source::Node(before);
    }
    Architecture::new(graph, architecture.batch(), architecture.steps()).expect("it is possible")
}

#[test]
fn soundness_the_check_of_the_parent_is_needed() {
    let folder = family();
    let at = folder.path();
    let statement = |name: &str| -> JobStatement {
        JobStatement::from_json(&fs::read(at.join(name).join("statement.json")).expect("read")).expect("a statement")
    };
    let proofs = |name: &str| -> std::collections::BTreeMap<Part, Vec<u8>> {
        let listed = list_proofs(&at.join(name)).expect("listed");
        listed.parts.into_iter().map(|(part, path)| (part, fs::read(path).expect("read"))).collect()
    };
    let (parent, child) = (statement("out"), statement("child"));
    let key = parent.insecure_key().expect("a key");
    let stands_after = |segments: u64| -> Option<Inheritance> {
        let mut verifier = JobVerifier::new(&key, &parent, &mut Strict).expect("its key");
        for (part, proof) in proofs("out").into_iter().filter(|(part, _)| *part < Part::Segment(segments)) {
            verifier.check(part, &proof, &mut Strict).expect("it holds");
        }
        verifier.inheritance()
    };
    let verdict =
        |child: &JobStatement, from: Option<&Inheritance>| verify_job(&key, child, from, &proofs("child"), &mut Strict);
    let end = stands_after(4).expect("everything was checked");
    assert_eq!(verdict(&child, Some(&end)), Ok(()));

    let refused = Err(JobRejection { part: Part::Parameters, check: Check::Parent });
    // No parent at all, the parent earlier on, and a job that claims to be the parent's.
    assert_eq!(verdict(&child, None), refused);
    let earlier = stands_after(2).expect("a job may be gone on from before its end");
    assert_eq!(verdict(&child, Some(&earlier)), refused);
    assert_eq!(verdict(&parent, Some(&end)), refused);
    // A child that begins elsewhere than it says: with only this check left out nobody would tell.
    let mut renamed = child.clone();
    renamed.parent.as_mut().expect("it has one").segments = 3;
    assert_eq!(verdict(&renamed, Some(&end)), refused);
    let without = |child: &JobStatement| verify_job(&key, child, None, &proofs("child"), &mut Except(Check::Parent));
    assert_eq!(without(&renamed), Ok(()));
    let mut moved = child.clone();
    moved.first_parameters = parent.first_parameters.clone();
    assert_eq!(verdict(&moved, Some(&end)), refused);

    // Parameters of the same shapes mean something else in a network without its activations.
    let mut linear = child.clone();
    linear.architecture = without_activations(&child.architecture);
    let other = linear.insecure_key().expect("a key");
    linear.verifying_key = other.digest();
    let mut verifier = JobVerifier::new(&other, &linear, &mut Strict).expect("its key");
    assert_eq!(verifier.inherit(&end, &mut Strict), refused.map(|_: ()| ()));

    // Nothing is handed on before registrations and a segment were checked.
    let mut verifier = JobVerifier::new(&key, &parent, &mut Strict).expect("its key");
    assert!(verifier.inheritance().is_none());
    let all = proofs("out");
    for part in [Part::Data(0), Part::Data(1), Part::Segment(0), Part::Segment(1)] {
        verifier.check(part, &all[&part], &mut Strict).expect("it holds");
        assert!(verifier.inheritance().is_none(), "first parameters that nobody registered");
    }
    verifier.check(Part::Parameters, &all[&Part::Parameters], &mut Strict).expect("it holds");
    assert!(verifier.inheritance().is_some());
    // Nor of a child whose own parent was not checked.
    let mut verifier = JobVerifier::new(&key, &child, &mut Strict).expect("its key");
    for (part, proof) in proofs("child") {
        verifier.check(part, &proof, &mut Strict).expect("it holds");
    }
    assert!(verifier.inheritance().is_none());
    verifier.inherit(&end, &mut Strict).expect("it is the parent");
    assert!(verifier.inheritance().is_some());
}

#[test]
fn a_child_keeps_what_commitments_mean() {
    let folder = PROVED.copy();
    let at = folder.path();
    let refused = |job: String, why: &str| {
        fs::write(at.join("bad.toml"), job).expect("written");
        run(at, "requester commit --job bad.toml --out bad").exits(2).says(why);
        assert!(!at.join("bad").exists());
    };
    let child = child_job("parent = \"out\"");
    refused(child.replace("[6, 5, 4, 3]", "[6, 5, 3]"), "expected 0.weight [5, 6]");
    refused(format!("{child}[proof]\ncolumn_bits = 11\n"), "a child has its set-up, layers and column_bits, 10");
    refused(format!("{child}[arithmetic]\nrate_bits = 9\n"), "weight_bits is 28, expected 29");
    refused(child.replace("\"out\"", "\"nowhere\""), "initial_weights.parent is");
    refused(child.replace("\"out\"", "\"posted\""), "weights.exact.safetensors");
    refused(child.replace("\"out\"", "[]"), "expected at least one folder");
    refused(child.replace("parent", "seed = 1\nparent"), "one of `seed`, `file`, `parent`");
    // As many steps a segment or rows a batch as it likes.
    // The length of columns is the parent's, whatever would suit the child.
    fs::write(at.join("other.toml"), child.replace("steps_per_segment = 4", "steps_per_segment = 8")).expect("written");
    run(at, "provider prove --job other.toml --out other").exits(0);
    run(at, "verifier verify --statement other/statement.json --proofs other --parent out").exits(0);
}

/// `provider train --kernels`: the same weights to the bit whatever computes them; a word that is none is refused with all words.
#[test]
fn all_kernels_train_the_same_weights() {
    let folder = job_folder();
    let at = folder.path();
    run(at, "provider train --job job.toml --out cpu").exits(0);
    run(at, "provider train --job job.toml --out plain --kernels reference").exits(0);
    let [cpu, plain] =
        ["cpu", "plain"].map(|out| fs::read(at.join(out).join("weights.exact.safetensors")).expect("read"));
    assert_eq!(cpu, plain);
    run(at, "provider train --job job.toml --out none --kernels gpu").exits(2).says("cpu, reference");
}
