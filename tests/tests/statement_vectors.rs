//! The statement's layout against stored vectors, with digests of another implementation of keccak256.

use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::relations::Subject;
use gradproof_tests::{check_vector, root};
use gradproof_verifier::protocol::keccak::keccak256;
use gradproof_verifier::protocol::statement::{Domain, STATEMENT_BYTES, Statement};
use serde_json::{Value, json};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `N` bytes that count up from `first`.
fn counting<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|i| first.wrapping_add(i as u8))
}

/// A segment with every field filled, a registration with as few as possible, and one with the largest numbers.
fn statements() -> [Statement; 3] {
    let domain = Domain { chain: 31_337, contract: counting(0x10), job: counting(0x20), owner: counting(0x40) };
    let segment = Statement {
        subject: Subject::Segment,
        domain,
        segment: 17,
        key: counting(0x50),
        setup: counting(0x60),
        graph: counting(0xb0),
        batch: 64,
        steps: 32,
        column_vars: 16,
        tables: counting(0x70),
        data_root: counting(0x80),
        order: [0; 32],
        epoch_segments: 15,
        position: 2,
        live: Live { steps: 42, last_rows: 32 },
        rate: 3,
        first: counting(0x90),
        last: counting(0xa0),
        claim: [0; 32],
    };
    let least = Statement {
        subject: Subject::Parameters,
        domain: Domain::default(),
        segment: 0,
        batch: 1,
        steps: 1,
        column_vars: 4,
        data_root: [0; 32],
        epoch_segments: 0,
        position: 0,
        live: Live { steps: 1, last_rows: 1 },
        rate: 0,
        ..segment.clone()
    };
    let most = Statement {
        subject: Subject::Data,
        domain: Domain { chain: u64::MAX, contract: [0xff; 20], job: [0xff; 32], owner: [0xff; 20] },
        segment: u64::MAX,
        batch: u32::MAX,
        steps: u32::MAX,
        order: counting(0xc0),
        claim: counting(0xd0),
        column_vars: 21,
        epoch_segments: u64::MAX,
        position: u64::MAX - 1,
        live: Live { steps: 1 << 12, last_rows: 1 << 12 },
        rate: u32::MAX,
        ..segment.clone()
    };
    [segment, least, most]
}

fn fields(statement: &Statement) -> Value {
    json!({
        "subject": format!("{:?}", statement.subject).to_lowercase(),
        "chain": statement.domain.chain.to_string(),
        "contract": hex(&statement.domain.contract),
        "job": hex(&statement.domain.job),
        "owner": hex(&statement.domain.owner),
        "segment": statement.segment.to_string(),
        "key": hex(&statement.key),
        "setup": hex(&statement.setup),
        "graph": hex(&statement.graph),
        "batch": statement.batch,
        "steps": statement.steps,
        "column_vars": statement.column_vars,
        "tables": hex(&statement.tables),
        "data_root": hex(&statement.data_root),
        "order": hex(&statement.order),
        "epoch_segments": statement.epoch_segments.to_string(),
        "position": statement.position.to_string(),
        "live_steps": statement.live.steps,
        "live_rows": statement.live.last_rows,
        "rate": statement.rate,
        "first": hex(&statement.first),
        "last": hex(&statement.last),
        "claim": hex(&statement.claim),
    })
}

#[test]
fn statements_equal_the_vectors() {
    let vectors: Vec<Value> = statements()
        .iter()
        .map(|statement| {
            let bytes = statement.to_bytes();
            assert_eq!(bytes.len(), STATEMENT_BYTES);
            json!({ "fields": fields(statement), "bytes": hex(&bytes), "keccak256": hex(&keccak256(&[&bytes])) })
        })
        .collect();
    check_vector("statement.json", &Value::from(vectors));
}

/// `statement-keccak.json` is made by `statement.mjs` from the bytes of `statement.json` with the npm package js-sha3.
#[test]
fn digests_equal_those_of_another_implementation() {
    let read = |name: &str| -> Value {
        let path = root().join("tests").join("vectors").join(name);
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let digests = read("statement-keccak.json")["digests"].clone();
    let ours: Vec<String> = statements().iter().map(|statement| hex(&keccak256(&[&statement.to_bytes()]))).collect();
    assert_eq!(digests, json!(ours));
}

/// Offset, bytes and field of each row of the table in `docs/statement.md`.
#[test]
fn the_documented_layout_is_without_gaps() {
    let page = std::fs::read_to_string(root().join("docs").join("statement.md")).unwrap();
    let mut end = 0;
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (Ok(offset), Ok(bytes)) = (cells[1].parse::<usize>(), cells[2].parse::<usize>()) else { continue };
        assert_eq!(offset, end, "{line}");
        end += bytes;
        // The counting values of the first vector tell where a field stands.
        let first = statements()[0].to_bytes();
        for (field, value) in
            [("`key`", 0x50), ("`setup`", 0x60), ("`graph`", 0xb0), ("`tables`", 0x70), ("`data_root`", 0x80)]
        {
            assert!(cells[3] != field || first[offset] == value, "{line}");
        }
    }
    assert_eq!(end, STATEMENT_BYTES);
}
