//! What a segment costs on chain, and how long its proof is.

use ark_bn254::{Fr, G1Affine};
use ark_ec::AffineRepr;
use gradproof_chain::SegmentVerifier;
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::argument::Reduced;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::relations::{Group, Relations, Subject};
use gradproof_evm::gas::{chain_column_vars, segment_gas, verifier_gas, without_circuit};
use gradproof_evm::segment;
use gradproof_tests::known_vector;
use gradproof_tests::networks::perceptron;
use gradproof_verifier::protocol::hyperkzg::{Opening, evaluations, folds};
use gradproof_verifier::protocol::job::MAX_SEGMENTS;
use gradproof_verifier::protocol::merkle::depth;
use gradproof_verifier::protocol::proof::{Argument, Proof};

use crate::deployed::{Deployed, OwnColumns};
use crate::stage::{Stage, artifacts};
use crate::synthetic::{Job, POSITIONS, Shape, domain};

/// Gas of a transaction that gives a proof to the verifier.
fn gas(artifacts: &crate::stage::Artifacts, shape: &Shape) -> u64 {
    let stage = Stage::new(artifacts, shape);
    let job = Job::new(shape);
    let proved = job.prove(job.statement(domain(stage.chain.sender()), 1, &job.first), &job.first);
    let call = SegmentVerifier::verifyCall { segment: segment(&proved.statement), proof: proved.bytes.into() };
    stage.chain.send(stage.verifier, &call).expect("the proof is right").gas
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

/// With columns of the length that the formula is for: the circuit has a public input for each of their variables.
#[test]
fn gas_of_a_real_segment() {
    let columns = OwnColumns::new(18);
    let Some(deployed) = Deployed::of("gas_of_a_real_segment", &columns.key) else { return };
    let (statement, proof) = columns.prove(domain(deployed.chain.sender()));
    let call = SegmentVerifier::verifyCall { segment: segment(&statement), proof: proof.into() };
    let gas = deployed.chain.send(deployed.verifier.segment.address, &call).expect("the proof is right").gas;
    let key = &columns.key;
    let formula = verifier_gas(&key.relations(Subject::Segment).layout, key.column_vars, 0);
    println!("{gas} gas, by the formula {formula}");
    assert!(gas.abs_diff(formula) * 100 < formula, "{gas} gas, by the formula {formula}");
}

/// The network of the benchmarks, with so many steps a segment.
fn network(steps: usize) -> Architecture {
    perceptron(&[784, 128, 128, 10], 64, steps, Precision::of_classes(10))
}

#[test]
fn gas_stays_within_the_budget_for_every_number_of_steps() {
    let gas = [16, 64, 128].map(|steps| {
        let vars = chain_column_vars(&network(steps));
        let layout = Relations::new(Subject::Segment, &network(steps), vars).layout;
        // The longest job has the longest paths.
        let path = depth((MAX_SEGMENTS * layout.group(Group::Data).len()) as u64);
        let gas = segment_gas(&layout, vars, path);
        println!("{steps} steps: columns of 2^{vars}, {gas} gas");
        assert!(gas <= 800_000, "{steps} steps: {gas} gas");
        gas
    });
    let [least, most] = [gas.iter().min(), gas.iter().max()].map(|gas| *gas.expect("there are three"));
    assert!(most * 100 <= least * 115, "{gas:?}");
}

/// The circuit's proof has one length for all shapes, so that of the stored one counts.
#[test]
fn a_wrapped_proof_is_short() {
    let stored = known_vector("wrap-key.json").expect("there is a stored proof");
    let circuit = stored["proof"].as_str().expect("a text").len() / 2;
    let point = G1Affine::generator();
    for steps in [16, 64, 128] {
        let vars = chain_column_vars(&network(steps));
        let scalars = |count| vec![Fr::from(1); count];
        let proof = Proof {
            mask: point,
            columns: vec![],
            paths: vec![],
            argument: Argument::Wrapped {
                reduced: Reduced { point: scalars(vars), combine: Fr::from(1), value: Fr::from(1) },
                halo2: vec![0; circuit],
            },
            blinding: Fr::from(1),
            opening: Opening {
                folds: vec![point; folds(vars)],
                evaluations: scalars(evaluations(vars)),
                quotient: point,
                shifted_quotient: point,
            },
        };
        let bytes = proof.to_bytes(Subject::Segment).len();
        println!("{steps} steps: {bytes} bytes without the columns' points and the paths of the data");
        assert!(bytes <= 8_000, "{steps} steps: {bytes} bytes");
    }
}
