//! A proof or a statement that is changed anywhere after it was made is refused.

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::field::check::{Check, Kind, Rejection, Strict};
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::relations::{Group, Subject};
use gradproof_tests::forge::{Fixture, Forged, fixture, messages, prove};
use gradproof_tests::networks::{perceptron, widths};
use gradproof_tests::reference::numbers;
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::proof::{Argument, Proof};
use gradproof_verifier::protocol::setup::SetupKey;
use gradproof_verifier::protocol::statement::{Domain, Statement};
use gradproof_verifier::verify::verify;

fn honest(subject: Subject) -> Forged {
    let forged = prove(subject, &fixture().witness(subject));
    assert_eq!(forged.judged(Strict), Ok(()), "{subject:?}");
    forged
}

/// Every scalar of a proof, part by part.
fn scalars(proof: &mut Proof) -> [&mut [Fr]; 3] {
    let Proof { mask: _, columns: _, paths: _, argument, blinding, opening } = proof;
    let Argument::Core(messages) = argument else { panic!("the fixture makes core proofs") };
    [messages, std::slice::from_mut(blinding), &mut opening.evaluations]
}

/// Every point of a proof, part by part.
fn points(proof: &mut Proof) -> [&mut [G1Affine]; 5] {
    let Proof { mask, columns, paths: _, argument: _, blinding: _, opening } = proof;
    let (w, shifted) = (&mut opening.quotient, &mut opening.shifted_quotient);
    let one = std::slice::from_mut;
    [one(mask), columns, &mut opening.folds, one(w), one(shifted)]
}

/// Ways to change a scalar of a list.
pub const SCALAR_MUTATIONS: [fn(&mut [Fr], usize); 4] = [
    |list, i| list[i] += Fr::from(1),
    |list, i| list[i] = Fr::from(0),
    |list, i| list[i] = -list[i],
    |list, i| list.swap(i, (i + 1) % list.len()),
];

/// Ways to change a point of a list.
const POINT_MUTATIONS: [fn(&mut [G1Affine], usize); 4] = [
    |list, i| list[i] = (list[i] + G1Affine::generator()).into_affine(),
    |list, i| list[i] = G1Affine::identity(),
    |list, i| list[i] = -list[i],
    |list, i| list.swap(i, (i + 1) % list.len()),
];

#[test]
fn every_scalar_of_a_proof() {
    for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
        let honest = honest(subject);
        let parts = scalars(&mut honest.proof.clone()).map(|list| list.len());
        for (part, length) in parts.into_iter().enumerate() {
            // Every element of a segment once, and a fixed sample of them in every other way.
            let sample: Vec<i64> = numbers(11, length as u64, 12).into_iter().chain([0, length as i64 - 1]).collect();
            for i in 0..length {
                let all = length < 40 || sample.contains(&(i as i64));
                let some = if all { 4 } else { usize::from(subject == Subject::Segment) };
                for (kind, mutation) in SCALAR_MUTATIONS.iter().enumerate().take(some) {
                    let mut forged = honest.clone();
                    mutation(scalars(&mut forged.proof)[part], i);
                    let changed = forged.proof != honest.proof;
                    assert!(!changed || forged.judged(Strict).is_err(), "{subject:?}: {part}, {i}, mutation {kind}");
                }
            }
        }
    }
}

/// Asserts that no point of a proof can be another one.
pub fn refuses_other_points(honest: &Forged) {
    let parts = points(&mut honest.proof.clone()).map(|list| list.len());
    for (part, length) in parts.into_iter().enumerate() {
        for i in 0..length {
            for (kind, mutation) in POINT_MUTATIONS.iter().enumerate() {
                let mut forged = honest.clone();
                mutation(points(&mut forged.proof)[part], i);
                let changed = forged.proof != honest.proof;
                let subject = honest.statement.subject;
                assert!(!changed || forged.judged(Strict).is_err(), "{subject:?}: {part}, {i}, mutation {kind}");
            }
        }
    }
}

#[test]
fn every_point_of_a_proof() {
    for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
        refuses_other_points(&honest(subject));
    }
}

#[test]
fn every_node_of_a_path() {
    let honest = honest(Subject::Segment);
    assert!(honest.proof.paths.iter().any(|path| !path.is_empty()), "the fixture has paths");
    for (i, path) in honest.proof.paths.iter().enumerate() {
        for level in 0..path.len() {
            let mut forged = honest.clone();
            forged.proof.paths[i][level][31] ^= 1;
            assert_eq!(forged.judged(Strict), Err(Rejection { check: Check::DataLeaf }));
        }
        let mut longer = honest.clone();
        longer.proof.paths[i].push([0; 32]);
        assert_eq!(longer.judged(Strict), Err(Rejection { check: Check::DataLeaf }));
        let mut shorter = honest.clone();
        shorter.proof.paths[i].pop();
        assert_eq!(shorter.judged(Strict), Err(Rejection { check: Check::DataLeaf }));
    }
}

/// Every way to change one field of a statement, by name.
pub fn statements(honest: &Statement) -> Vec<(&'static str, Statement)> {
    // A new field has to be named here.
    let Statement {
        subject,
        domain: Domain { chain, contract, job, owner },
        segment,
        key,
        setup,
        graph,
        batch,
        steps,
        column_vars,
        tables,
        data_root,
        order,
        epoch_segments,
        position,
        live: Live { steps: live_steps, last_rows },
        rate,
        first,
        last,
        claim,
    } = honest.clone();
    let mut list = Vec::new();
    let mut add = |name, change: &dyn Fn(&mut Statement)| {
        let mut other = honest.clone();
        change(&mut other);
        list.push((name, other));
    };
    let digest = |mut digest: [u8; 32]| {
        digest[31] ^= 1;
        digest
    };
    for other in [Subject::Segment, Subject::Data, Subject::Parameters] {
        if other != subject {
            add("subject", &|s| s.subject = other);
        }
    }
    add("chain", &|s| s.domain.chain = chain + 1);
    add("contract", &|s| s.domain.contract = contract.map(|b| b ^ 1));
    add("job", &|s| s.domain.job = digest(job));
    add("owner", &|s| s.domain.owner = owner.map(|b| b ^ 1));
    add("segment", &|s| s.segment = segment + 1);
    add("key", &|s| s.key = digest(key));
    add("setup", &|s| s.setup = digest(setup));
    add("graph", &|s| s.graph = digest(graph));
    for other in [0, batch - 1, batch + 1] {
        add("batch", &|s| s.batch = other);
    }
    for other in [0, steps + 1, steps * 2] {
        add("steps", &|s| s.steps = other);
    }
    for other in [0, column_vars - 1, column_vars + 1, column_vars + 256] {
        add("column_vars", &|s| s.column_vars = other);
    }
    add("tables", &|s| s.tables = digest(tables));
    add("data_root", &|s| s.data_root = digest(data_root));
    add("order", &|s| s.order = digest(order));
    for other in [0, 1, epoch_segments + 1, epoch_segments + 2, u64::MAX] {
        add("epoch_segments", &|s| s.epoch_segments = other);
    }
    for other in [position + 1, 1 << 63, u64::MAX] {
        add("position", &|s| s.position = other);
    }
    for other in [0, live_steps - 1, live_steps + 1, 5, live_steps + (1 << 32), usize::MAX] {
        add("live steps", &|s| s.live.steps = other);
    }
    for other in [0, last_rows - 1, last_rows + 1, 4, last_rows + (1 << 32), usize::MAX] {
        add("live rows", &|s| s.live.last_rows = other);
    }
    for other in [rate.wrapping_sub(1), rate + 1, u32::MAX] {
        add("rate", &|s| s.rate = other);
    }
    add("first", &|s| s.first = digest(first));
    add("last", &|s| s.last = digest(last));
    add("claim", &|s| s.claim = digest(claim));
    list
}

#[test]
fn every_field_of_a_statement() {
    for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
        let honest = honest(subject);
        for (name, statement) in statements(&honest.statement) {
            let forged = Forged { statement, ..honest.clone() };
            assert!(forged.judged(Strict).is_err(), "{subject:?}: {name}");
        }
    }
}

#[test]
fn parameters_that_the_verifier_did_not_store() {
    let honest = honest(Subject::Segment);
    for i in 0..honest.first.len() {
        let mut forged = honest.clone();
        forged.first[i] = (forged.first[i] + G1Affine::generator()).into_affine();
        assert_eq!(forged.judged(Strict), Err(Rejection { check: Check::Key }), "{i}");
    }
}

#[test]
fn a_key_that_is_not_the_statements() {
    let honest = honest(Subject::Segment);
    let Fixture { task, key, .. } = fixture();
    let refused = |key: &VerifyingKey| {
        let outcome = verify(key, &honest.statement, &honest.first, &honest.proof, Strict);
        assert!(outcome.is_err(), "{:?}", key.architecture());
        outcome.map_err(|rejection| rejection.check)
    };
    let other = |architecture: &Architecture| VerifyingKey::insecure(architecture, key.column_vars).unwrap();
    let (widths, precision) = (widths(&task.architecture), *task.architecture.precision());
    let (batch, steps) = (task.architecture.batch(), task.architecture.steps());
    // Of the same layout: only the digest tells them apart.
    let wider = [&[7], &widths[1..]].concat();
    assert_eq!(refused(&other(&perceptron(&wider, batch, steps, precision))), Err(Check::Key));
    assert_eq!(refused(&other(&perceptron(&widths, 4, steps, precision))), Err(Check::Key));
    let coarser = Precision { exponential_bits: 7, ..precision };
    assert_eq!(refused(&other(&perceptron(&widths, batch, steps, coarser))), Err(Check::Key));
    let _ = refused(&other(&perceptron(&widths, batch, 8, precision)));
    let _ = refused(&other(&perceptron(&widths[..3], batch, steps, precision)));
    let _ = refused(&VerifyingKey::insecure(&task.architecture, key.column_vars + 1).unwrap());

    let tau = (G2Affine::generator() * Fr::from(12345u64)).into_affine();
    let ceremony =
        VerifyingKey::new(&task.architecture, key.column_vars, SetupKey::ceremony(tau), key.tables.clone()).unwrap();
    assert_eq!(refused(&ceremony), Err(Check::Key));
    let mut tables = key.tables.clone();
    tables.swap(0, 1);
    let table = VerifyingKey::new(&task.architecture, key.column_vars, key.setup, tables).unwrap();
    assert_eq!(refused(&table), Err(Check::Key));
}

#[test]
fn a_proof_about_another_subject() {
    let subjects = [Subject::Segment, Subject::Data, Subject::Parameters];
    for subject in subjects {
        let honest = honest(subject);
        for other in subjects.into_iter().filter(|other| *other != subject) {
            let mut forged = honest.clone();
            forged.statement.subject = other;
            assert!(forged.judged(Strict).is_err(), "{subject:?} as {other:?}");
            let bytes = honest.proof.to_bytes(subject);
            let depth = honest.proof.paths.first().map_or(0, Vec::len);
            assert_eq!(
                Proof::from_bytes(&bytes, &fixture().key, other, depth),
                Err(Rejection { check: Check::Encoding })
            );
        }
    }
}

#[test]
fn parts_of_two_proofs_put_together() {
    // Two proofs of one statement but for the randomness, so that only the bonds between the parts can tell.
    let (one, two) = (honest(Subject::Segment), honest(Subject::Segment));
    let parts: [fn(&mut Proof, &Proof); 9] = [
        |to, from| to.mask = from.mask,
        |to, from| to.columns.clone_from(&from.columns),
        |to, from| to.argument.clone_from(&from.argument),
        |to, from| to.blinding = from.blinding,
        |to, from| to.opening = from.opening.clone(),
        |to, from| to.opening.folds.clone_from(&from.opening.folds),
        |to, from| to.opening.evaluations.clone_from(&from.opening.evaluations),
        |to, from| to.opening.quotient = from.opening.quotient,
        |to, from| to.opening.shifted_quotient = from.opening.shifted_quotient,
    ];
    for (i, part) in parts.iter().enumerate() {
        let mut forged = one.clone();
        part(&mut forged.proof, &two.proof);
        assert!(forged.judged(Strict).is_err(), "part {i}");
    }
}

#[test]
fn proofs_of_the_wrong_form() {
    let honest = honest(Subject::Segment);
    let data = fixture().key.relations(Subject::Segment).layout.group(Group::Data).len();
    assert_eq!(data, honest.proof.paths.len());
    type Mutation = (Check, fn(&mut Forged));
    let mutations: [Mutation; 15] = [
        (Check::Length, |f| {
            messages(&mut f.proof).pop();
        }),
        (Check::Length, |f| messages(&mut f.proof).push(Fr::from(0))),
        (Check::Length, |f| messages(&mut f.proof).clear()),
        (Check::OpeningFolds, |f| {
            f.proof.opening.folds.pop();
        }),
        (Check::OpeningFolds, |f| f.proof.opening.folds.push(G1Affine::generator())),
        (Check::OpeningFolds, |f| f.proof.opening.folds.clear()),
        (Check::OpeningEvaluations, |f| {
            f.proof.opening.evaluations.pop();
        }),
        (Check::OpeningEvaluations, |f| f.proof.opening.evaluations.push(Fr::from(0))),
        (Check::OpeningEvaluations, |f| f.proof.opening.evaluations.clear()),
        (Check::Commitments, |f| {
            f.proof.columns.pop();
        }),
        (Check::Commitments, |f| f.proof.columns.push(G1Affine::generator())),
        (Check::Commitments, |f| f.proof.columns.clear()),
        (Check::Commitments, |f| {
            f.proof.paths.pop();
        }),
        (Check::Commitments, |f| f.proof.paths.push(vec![])),
        (Check::Commitments, |f| {
            f.first.pop();
        }),
    ];
    for (check, mutation) in mutations {
        let mut forged = honest.clone();
        mutation(&mut forged);
        assert_eq!(forged.judged(Strict), Err(Rejection { check }));
        // No judge is asked: skipping every check does not help.
        assert_eq!(forged.judged(gradproof_tests::judges::Careless), Err(Rejection { check }));
    }
    // `Encoding` has its tests among the decoders.
    let tested = |check: Check| check == Check::Encoding || mutations.iter().any(|(tested, _)| *tested == check);
    assert!(Check::ALL.into_iter().filter(|check| check.kind() == Kind::Form).all(tested));
}

/// A shape of 2^35 columns, as a statement may name it: the verifier allocates by what was sent, not by the shape.
#[test]
fn a_shape_with_more_columns_than_memory() {
    let precision = Precision { exponential_bits: 1, ..*fixture().task.architecture.precision() };
    let key = VerifyingKey::insecure(&perceptron(&[1 << 14; 17], 1 << 12, 1 << 12, precision), 4).unwrap();
    for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
        assert!(key.relations(subject).layout.columns() > 1 << 24, "{subject:?}");
        let Forged { statement, first, proof } = honest(subject);
        let outcome = verify(&key, &statement, &first, &proof, Strict);
        assert_eq!(outcome, Err(Rejection { check: Check::Commitments }));
        let bytes = proof.to_bytes(subject);
        assert_eq!(Proof::from_bytes(&bytes, &key, subject, 64), Err(Rejection { check: Check::Encoding }));
    }
}
