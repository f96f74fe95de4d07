//! Soundness: proofs are accepted for the statement that they were made for, and for no other.

use std::collections::BTreeMap;
use std::fs;

use ark_bn254::{Fr, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use gradproof_circuits::architecture::{MAX_BATCH, MAX_LAYERS, MAX_STEPS};
use gradproof_circuits::field::check::{Check, Strict};
use gradproof_circuits::graph::MAX_WIDTH;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::relations::{Group, Subject};
use gradproof_tests::judges::Except;
use gradproof_tests::networks::perceptron;
use gradproof_verifier::protocol::job::{JobStatement, MAX_ROWS, Parent};
use gradproof_verifier::protocol::key::{MAX_COLUMN_VARS, MIN_COLUMN_VARS};
use gradproof_verifier::protocol::key_file::KeyFile;
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier::protocol::setup::SetupKey;
use gradproof_verifier::verify_job::{JobRejection, verify_job};
use gradproof_verifier_program::files::list_proofs;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixture::{PROVED, run, verify};

/// Bytes in hexadecimal.
fn hex(byte: u8, count: usize) -> Value {
    json!(format!("0x{}", format!("{byte:02x}").repeat(count)))
}

#[test]
fn soundness_every_altered_field_is_rejected() {
    let folder = PROVED.copy();
    let path = folder.path().join("posted/statement.json");
    let whole: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
    let generator = format!("0x{:064x}{:064x}", 1, 2);
    // Field, another value, where it is rejected.
    let changes = [
        ("/domain/chain", json!(1), "segment 0"),
        ("/domain/contract", hex(1, 20), "segment 0"),
        ("/domain/job", hex(1, 32), "segment 0"),
        ("/domain/owner", hex(1, 20), "segment 0"),
        ("/architecture/graph/nodes/0/settings/outputs", json!(6), "statement"),
        ("/architecture/batch", json!(3), "statement"),
        ("/architecture/steps", json!(2), "statement"),
        ("/architecture/graph/precision/rate_bits", json!(9), "statement"),
        ("/column_vars", json!(11), "statement"),
        ("/setup/digest", hex(1, 32), "statement"),
        ("/verifying_key", hex(1, 32), "statement"),
        ("/data/root", hex(1, 32), "parameters"),
        ("/data/rows", json!(18), "parameters"),
        ("/steps", json!(9), "segment 3"),
        ("/steps", json!(15), "segment 4"),
        ("/rates/0/rate", json!(9), "parameters"),
        ("/rates/1/from_segment", json!(1), "parameters"),
        ("/rates/1/rate", json!(8), "parameters"),
        ("/first_parameters/0", json!(generator), "parameters"),
        ("/initial_seed", json!(8), "parameters"),
        ("/initial_seed", Value::Null, "parameters"),
        ("/last_seed_digest", hex(1, 32), "parameters"),
    ];
    for (field, value, part) in changes {
        let mut altered = whole.clone();
        let old = altered.pointer_mut(field).unwrap_or_else(|| panic!("{field} is not in the statement"));
        assert_ne!(*old, value, "{field}");
        *old = value;
        fs::write(&path, altered.to_string()).expect("written");
        let report = verify(folder.path()).exits(1).json();
        assert_eq!(report["part"], part, "{field}: {report}");
    }
    // Only the spelling is another.
    fs::write(&path, whole.to_string()).expect("written");
    verify(folder.path()).exits(0);
}

#[test]
fn statements_that_are_none_are_wrong_input() {
    let folder = PROVED.copy();
    let path = folder.path().join("posted/statement.json");
    let whole: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
    let zeros = format!("0x{}", "0".repeat(128));
    let changes = [
        ("/version", json!(2), "version is 2, expected 4"),
        ("/steps", json!(11), "steps is 11"),
        ("/steps", json!(0), "steps is 0"),
        ("/data/rows", json!(0), "data.rows is 0"),
        ("/data/order", hex(1, 32), "expected zeros: nothing proves another order yet"),
        ("/rates/0/rate", json!(0), "rate is 0"),
        ("/rates/0/rate", json!(65_537), "rate is 65537"),
        ("/rates/0/from_segment", json!(1), "a first entry from segment 0"),
        ("/rates/1/from_segment", json!(4), "from_segment of a rate is 4"),
        ("/rates", json!([]), "rates is 0 entries"),
        ("/column_vars", json!(40), "column_vars is 40"),
        ("/architecture/steps", json!(3), "steps per segment is 3"),
        ("/architecture/graph/nodes", json!([]), "there are no inputs, labels or nodes"),
        ("/domain/job", json!("0x12"), "2 hexadecimal digits, expected 64"),
        ("/data/root", hex(0xAB, 32).to_string().to_uppercase().into(), "expected 0x"),
        ("/first_parameters/0", json!(zeros), "infinity"),
        ("/setup/insecure", json!(false), "setup.insecure is false"),
        ("/proof", json!("plain"), "unknown variant `plain`"),
    ];
    for (field, value, message) in changes {
        let mut altered = whole.clone();
        *altered.pointer_mut(field).unwrap_or_else(|| panic!("{field} is not in the statement")) = value;
        fs::write(&path, altered.to_string()).expect("written");
        verify(folder.path()).exits(2).says("statement.json").says(message);
    }
    for field in whole.as_object().expect("an object").keys() {
        let mut altered = whole.clone();
        altered.as_object_mut().expect("an object").remove(field);
        fs::write(&path, altered.to_string()).expect("written");
        verify(folder.path()).exits(2).says(&format!("missing field `{field}`"));
        altered.as_object_mut().expect("an object").insert("more".into(), json!(1));
        fs::write(&path, altered.to_string()).expect("written");
        verify(folder.path()).exits(2).says("unknown field `more`");
    }
    run(folder.path(), "verifier verify --statement nowhere.json --proofs out").exits(2).says("nowhere.json");
    // A field that would clear the screen, if it were printed as it is.
    fs::write(&path, json!({"\u{1b}[2Jmore": 1}).to_string()).expect("written");
    let ran = verify(folder.path()).exits(2).says("unknown field `\u{fffd}[2Jmore`");
    assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
}

/// Statement and proofs of the job.
fn proved() -> (JobStatement, BTreeMap<Part, Vec<u8>>) {
    let folder = PROVED.copy();
    let statement = fs::read(folder.path().join("out/statement.json")).expect("read");
    let listed = list_proofs(&folder.path().join("out")).expect("listed");
    let proofs = listed.parts.into_iter().map(|(part, path)| (part, fs::read(path).expect("read"))).collect();
    (JobStatement::from_json(&statement).expect("a statement"), proofs)
}

#[test]
fn soundness_the_check_for_missing_proofs_is_needed() {
    let (statement, proofs) = proved();
    let key = statement.insecure_key().expect("a key");
    assert_eq!(verify_job(&key, &statement, None, &proofs, &mut Strict), Ok(()));
    for part in [Part::Parameters, Part::Data(1), Part::Segment(3)] {
        let mut fewer = proofs.clone();
        fewer.remove(&part);
        let missing = JobRejection { part, check: Check::Missing };
        assert_eq!(verify_job(&key, &statement, None, &fewer, &mut Strict), Err(missing));
        assert_eq!(verify_job(&key, &statement, None, &fewer, &mut Except(Check::Missing)), Ok(()));
    }
    // Without a segment in the middle, the next one does not go on where the one before ended.
    let mut fewer = proofs;
    fewer.remove(&Part::Segment(1));
    assert!(verify_job(&key, &statement, None, &fewer, &mut Except(Check::Missing)).is_err());
}

#[test]
fn soundness_the_check_of_the_key_is_needed() {
    let (statement, proofs) = proved();
    let key = statement.insecure_key().expect("a key");
    // A statement that passes the insecure set-up off as that of a ceremony.
    let mut false_name = statement.clone();
    false_name.setup.insecure = false;
    let refused = JobRejection { part: Part::Statement, check: Check::Key };
    assert_eq!(verify_job(&key, &false_name, None, &proofs, &mut Strict), Err(refused));
    assert_eq!(verify_job(&key, &false_name, None, &proofs, &mut Except(Check::Key)), Ok(()));
}

#[test]
fn key_files_are_those_of_the_statement() {
    let folder = PROVED.copy();
    let (statement, _) = proved();
    let key = statement.insecure_key().expect("a key");
    let mut file = KeyFile::of(&key);
    let verify = "verifier verify --statement posted/statement.json --proofs out --json --key a.key";
    let code = |file: &KeyFile, code: i32| {
        fs::write(folder.path().join("a.key"), file.to_bytes()).expect("written");
        run(folder.path(), verify).exits(code)
    };
    code(&file, 0).says("INSECURE");
    let point = file.tables[0];
    file.tables.swap(0, 1);
    assert_eq!(code(&file, 1).json()["part"], "statement");
    file.tables.swap(0, 1);
    // Another τ: that of a ceremony, made up.
    let tau_g2 = (G2Affine::generator() * Fr::from(12_345u64)).into_affine();
    file.setup = SetupKey::ceremony(tau_g2);
    assert_eq!(code(&file, 1).json()["check"], "key");
    // A digest that differs is all that is looked at.
    file.tables.push(point);
    assert_eq!(code(&file, 1).says("it is another key than the statement's").json()["check"], "key");
}

#[test]
fn soundness_the_digest_of_a_job_depends_on_every_field() {
    let (statement, _) = proved();
    let mut digests = vec![statement.digest()];
    let mut change = |change: &dyn Fn(&mut JobStatement)| {
        let mut other = statement.clone();
        change(&mut other);
        digests.push(other.digest());
    };
    change(&|s| s.version = 1);
    change(&|s| s.last_seed_digest[0] ^= 1);
    change(&|s| s.parent = Some(Parent { statement: [0; 32], segments: 0 }));
    change(&|s| s.parent = Some(Parent { statement: [1; 32], segments: 0 }));
    change(&|s| s.parent = Some(Parent { statement: [0; 32], segments: 1 }));
    change(&|s| s.domain.chain = 1);
    change(&|s| s.domain.contract[19] ^= 1);
    change(&|s| s.domain.job[31] ^= 1);
    change(&|s| s.domain.owner[0] ^= 1);
    change(&|s| s.verifying_key[0] ^= 1);
    change(&|s| s.data.root[0] ^= 1);
    change(&|s| s.data.rows += 1);
    change(&|s| s.data.order[31] ^= 1);
    change(&|s| s.steps += 1);
    change(&|s| s.initial_seed = None);
    change(&|s| s.initial_seed = Some(0));
    change(&|s| s.first_parameters.truncate(0));
    change(&|s| s.rates.truncate(1));
    change(&|s| s.rates[1].from_segment += 1);
    change(&|s| s.rates[1].rate += 1);
    let distinct: std::collections::BTreeSet<_> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len());
}

#[test]
fn soundness_the_largest_statements_exhaust_nothing() {
    let (mut statement, _) = proved();
    let precision = Precision { exponential_bits: 0, ..*statement.architecture.precision() };
    statement.architecture = perceptron(&[MAX_WIDTH; MAX_LAYERS + 1], MAX_BATCH, MAX_STEPS, precision);
    statement.data.rows = MAX_ROWS;
    statement.steps = MAX_BATCH / 16 * MAX_STEPS;
    statement.rates.truncate(1);
    for column_vars in [MIN_COLUMN_VARS, MAX_COLUMN_VARS] {
        statement.column_vars = column_vars;
        statement.proof = ProofKind::Wrapped;
        assert!(statement.insecure_key().is_err(), "no circuit has so many rows");
        statement.proof = ProofKind::Core;
        let key = statement.insecure_key().expect("a key");
        statement.verifying_key = key.digest();
        let proofs: BTreeMap<Part, Vec<u8>> = [Part::Parameters, Part::Data(0), Part::Segment(0)]
            .map(|part| (part, b"GPRF\x02\x00\x00".iter().copied().chain([0xff; 4096]).collect()))
            .into();
        // As many commitments as columns of this shape would be terabytes, or take a minute.
        if column_vars == MAX_COLUMN_VARS {
            let columns = key.relations(Subject::Segment).layout.group(Group::First).len();
            statement.first_parameters = vec![statement.first_parameters[0]; columns];
        }
        let part = if column_vars == MAX_COLUMN_VARS { Part::Parameters } else { Part::Statement };
        let refused = verify_job(&key, &statement, None, &proofs, &mut Except(Check::Missing)).expect_err("refused");
        assert_eq!(refused.part, part);
    }
}

proptest! {
    #[test]
    fn any_statement_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (statement, _) = proved();
        let mut bytes = statement.to_json().expect("JSON");
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = JobStatement::from_json(&bytes) {
            let again = JobStatement::from_json(&read.to_json().expect("JSON")).expect("read again");
            prop_assert_eq!(read, again);
        }
    }
}
