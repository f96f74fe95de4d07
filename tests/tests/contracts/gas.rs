//! What a segment costs on chain, but for the circuit's proof.

use gradproof_verifier::contract::gas::without_circuit;
use gradproof_verifier::merkle::depth;
use gradproof_verifier::statement::Domain;
use gradproof_worker::chain::{B256, SegmentLedger, Terms};

use crate::stage::{Stage, artifacts};
use crate::synthetic::{Job, POSITIONS, Shape};

/// Gas of a whole transaction that settles the second of three segments.
fn gas(artifacts: &crate::stage::Artifacts, shape: &Shape) -> u64 {
    let stage = Stage::new(artifacts, shape);
    let job = Job::new(shape);
    let said = job.statement(Domain::default(), 0, &job.first);
    let terms = Terms {
        verifier: stage.verifier,
        owner: [0x22; 20].into(),
        dataRoot: said.data_root.into(),
        epochSegments: job.epoch_segments,
        segments: 9,
        lastSteps: 2,
        lastRows: 1,
        rate: said.rate,
        first: said.first.into(),
    };
    let call = SegmentLedger::openCall { terms };
    let id: B256 = stage.chain.call(stage.ledger, &call).expect("the terms are right");
    stage.chain.send(stage.ledger, &call).expect("the terms are right");
    let domain = Domain { chain: 31_337, contract: stage.ledger.into(), job: id.into(), owner: [0x22; 20] };
    let mut first = job.first.clone();
    let mut gas = 0;
    // The first one pays for a counter that was zero.
    for index in 0..2 {
        let proved = job.prove(job.statement(domain, index, &first), &first);
        let call = SegmentLedger::submitCall { job: id, proof: proved.bytes.into() };
        gas = stage.chain.send(stage.ledger, &call).expect("the proof is right").gas;
        first = proved.last;
    }
    gas
}

#[test]
fn gas_of_a_segment() {
    let Some(artifacts) = artifacts("gas_of_a_segment") else { return };
    let cases = [
        (12, [1, 1, 4]),
        (16, [1, 1, 4]),
        (16, [1, 1, 12]),
        (16, [1, 3, 4]),
        (16, [3, 1, 4]),
        (20, [1, 1, 4]),
        (20, [2, 2, 10]),
        (20, [2, 2, 11]),
        (13, [1, 1, 4]),
        (17, [1, 1, 4]),
        (18, [1, 1, 4]),
        (19, [1, 1, 4]),
        (21, [1, 1, 4]),
    ];
    for (vars, columns) in cases {
        let shape = Shape::new(vars, columns, [9; 32]);
        let path = depth((POSITIONS * columns[0]) as u64);
        let (gas, formula) = (gas(artifacts, &shape), without_circuit(vars, columns, path));
        println!("column_vars {vars}, data, parameters, trace {columns:?}: {gas} gas, by the formula {formula}");
        // Bytes that are zero are cheaper, and there are a few in every proof.
        assert!(gas.abs_diff(formula) * 100 < formula, "{gas} gas, by the formula {formula}");
    }
}
