//! Right proofs of something else.

use ark_bn254::{Fq, Fq2, Fr, G2Affine};
use ark_ec::AffineRepr;
use gradproof_chain::{B256, Segment, SegmentKey, SegmentVerifier, SolValue, U256};
use gradproof_circuits::network::epoch::Live;
use gradproof_evm::segment;
use gradproof_verifier::protocol::points::{encode_g1, encode_g2};
use gradproof_verifier::protocol::statement::{Domain, Statement};

use crate::stage::{Stage, accumulator_of, artifacts, refusal, segment_key, words};
use crate::synthetic::{HALO2, Job, Shape, domain, offsets};

#[test]
fn instances_and_digest_are_those_of_the_rust_verifier() {
    let Some(artifacts) = artifacts("instances_and_digest_are_those_of_the_rust_verifier") else { return };
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    let job = Job::new(&shape);
    for index in 0..4 {
        let proved = job.prove(job.statement(domain(stage.chain.sender()), index, &job.first), &job.first);
        stage.expect(Some((&proved.instances, HALO2)));
        assert_eq!(stage.verify(&segment(&proved.statement), &proved.bytes), Ok(proved.statement.last.into()));
        let mut other = proved.instances.clone();
        for at in 0..other.len() {
            other[at] += U256::from(1);
            stage.expect(Some((&other, HALO2)));
            let refused = stage.verify(&segment(&proved.statement), &proved.bytes);
            assert!(refused.is_err_and(|refused| refused.contains("another contract")), "instance {at}");
            other[at] -= U256::from(1);
        }
    }
}

#[test]
fn a_proof_counts_for_its_statement_alone() {
    let Some(artifacts) = artifacts("a_proof_counts_for_its_statement_alone") else { return };
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    let job = Job::new(&shape);
    let said = job.statement(domain(stage.chain.sender()), 1, &job.first);
    let segment = segment(&said);
    type Say = fn(&mut Statement);
    let says: [(&str, Say); 19] = [
        ("chain", |s| s.domain.chain += 1),
        ("contract", |s| s.domain.contract[0] ^= 1),
        ("job", |s| s.domain.job[31] ^= 1),
        ("owner", |s| s.domain.owner[19] ^= 1),
        ("segment", |s| s.segment += 3),
        ("key", |s| s.key[0] ^= 1),
        ("setup", |s| s.setup[0] ^= 1),
        ("graph", |s| s.graph[0] ^= 1),
        ("batch", |s| s.batch += 1),
        ("steps", |s| s.steps *= 2),
        ("order", |s| s.order[31] ^= 1),
        ("column size", |s| s.column_vars += 1),
        ("tables", |s| s.tables[31] ^= 1),
        ("data root", |s| s.data_root[0] ^= 1),
        ("epoch", |s| s.epoch_segments += 1),
        ("live steps", |s| s.live.steps -= 1),
        ("live rows", |s| s.live.last_rows -= 1),
        ("rate", |s| s.rate += 1),
        ("claim", |s| s.claim[0] ^= 1),
    ];
    for (name, say) in says {
        let mut other = said.clone();
        say(&mut other);
        let proved = job.prove(other, &job.first);
        assert_eq!(stage.verify(&segment, &proved.bytes), Err("OpeningValue".into()), "{name}");
    }
    let proved = job.prove_with(Statement { position: 2, ..said.clone() }, &job.first, 1);
    assert_eq!(stage.verify(&segment, &proved.bytes), Err("OpeningValue".into()), "position");
    let proved = job.prove(said.clone(), &shape.columns(99, shape.parameters));
    let refused = stage.verify(&segment, &proved.bytes).expect_err("other first parameters");
    assert!(refused.starts_with("FirstCommitments"), "{refused}");
    // The last parameters are the proof's own: other ones give another digest, for another proof.
    let proved = job.prove(said, &job.first);
    let last = offsets(&shape)[3];
    let mut bytes = proved.bytes.clone();
    bytes[last..last + 64].copy_from_slice(&encode_g1(&job.first.points[0]));
    assert_eq!(stage.verify(&segment, &bytes), Err("OpeningValue".into()));
}

#[test]
fn numbers_stay_in_their_ranges() {
    let Some(artifacts) = artifacts("numbers_stay_in_their_ranges") else { return };
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    let job = Job::new(&shape);
    let said = job.statement(domain(stage.chain.sender()), 1, &job.first);
    let (steps, batch) = (shape.architecture.steps(), shape.architecture.batch());
    let cases: [(Live, u32, &str); 5] = [
        (Live { steps: 0, last_rows: 1 }, 1, "LiveSteps { got: 0, most: 4 }"),
        (Live { steps: steps + 1, last_rows: 1 }, 1, "LiveSteps { got: 5, most: 4 }"),
        (Live { steps, last_rows: 0 }, 1, "LiveRows { got: 0, most: 3 }"),
        (Live { steps, last_rows: batch + 1 }, 1, "LiveRows { got: 4, most: 3 }"),
        (Live { steps, last_rows: batch }, 0, "Rate"),
    ];
    for (live, rate, expected) in cases {
        let proved = job.prove(Statement { live, rate, ..said.clone() }, &job.first);
        assert_eq!(stage.verify(&segment(&proved.statement), &proved.bytes), Err(expected.into()));
    }
    // Everything else about this proof is right: the leaves of an epoch's columns go on after its end.
    let proved = job.prove_with(Statement { position: 3, ..said }, &job.first, 0);
    let refused = stage.verify(&segment(&proved.statement), &proved.bytes);
    assert_eq!(refused, Err("Position { got: 3, below: 3 }".into()));
}

#[test]
fn data_are_those_of_the_position() {
    let Some(artifacts) = artifacts("data_are_those_of_the_position") else { return };
    // There is a column to repeat.
    let shape = Shape::new(12, [2, 1, 3], [9; 32]);
    let stage = Stage::new(artifacts, &shape);
    let job = Job::new(&shape);
    let said = job.statement(domain(stage.chain.sender()), 1, &job.first);
    let leaf = |column: usize| Err(format!("DataLeaf {{ column: {column} }}"));

    let another_position = job.prove_with(said.clone(), &job.first, 0);
    assert_eq!(stage.verify(&segment(&said), &another_position.bytes), leaf(0));

    let other = Job::new(&shape);
    let another_set = other.prove(Statement { data_root: job.tree.root(), ..said.clone() }, &job.first);
    assert_eq!(stage.verify(&segment(&said), &another_set.bytes), leaf(0));

    let mut repeated = Job::new(&shape);
    repeated.tree = job.tree.clone();
    repeated.data = job.data.clone();
    let first_column = repeated.data[1].points[0];
    repeated.data[1].points[1] = first_column;
    let proved = repeated.prove(said.clone(), &job.first);
    assert_eq!(stage.verify(&segment(&said), &proved.bytes), leaf(1));
    // With the path of the column that it repeats.
    let [.., paths, scalars, _, _, _, _, _] = offsets(&shape);
    let mut bytes = proved.bytes.clone();
    let size = (scalars - paths) / shape.data;
    bytes.copy_within(paths..paths + size, paths + size);
    assert_eq!(stage.verify(&segment(&said), &bytes), leaf(1));
}

#[test]
fn a_verifier_says_what_it_was_made_for() {
    let Some(artifacts) = artifacts("a_verifier_says_what_it_was_made_for") else { return };
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    let (chain, verifier) = (&stage.chain, stage.verifier);
    assert_eq!(chain.call(verifier, &SegmentVerifier::keyCall {}).expect("it answers"), B256::from(shape.key));
    let setup = B256::from(shape.setup.key.digest());
    assert_eq!(chain.call(verifier, &SegmentVerifier::setupCall {}).expect("it answers"), setup);
    assert!(chain.call(verifier, &SegmentVerifier::insecureSetupCall {}).expect("it answers"));
    let answer = chain.call(verifier, &SegmentVerifier::shapeCall {}).expect("it answers");
    assert_eq!((answer.batch, answer.steps), (3, 4));

    // The set-up of a ceremony has another digest, and no proof under it pairs.
    let ceremony = gradproof_verifier::protocol::setup::SetupKey::ceremony(ark_ec::CurveGroup::into_affine(
        shape.setup.key.g2 * Fr::from(5u64),
    ));
    let key = SegmentKey {
        insecure: false,
        tauG2: words(&encode_g2(&ceremony.tau_g2)).try_into().expect("four"),
        ..segment_key(&shape, stage.mock)
    };
    let other = chain.deploy(&artifacts.verifier, &key.abi_encode()).expect("it deploys").address;
    let setup = B256::from(ceremony.digest());
    assert_eq!(chain.call(other, &SegmentVerifier::setupCall {}).expect("it answers"), setup);
    let job = Job::new(&shape);
    let said = Statement { setup: ceremony.digest(), ..job.statement(domain(chain.sender()), 1, &job.first) };
    let proved = job.prove(said, &job.first);
    let segment: Segment = segment(&proved.statement);
    let call = SegmentVerifier::verifyCall { segment, proof: proved.bytes.into() };
    assert_eq!(refusal(chain.call(other, &call)), Err("Pairing".into()));
}

#[test]
fn tau_outside_of_the_subgroup_is_refused() {
    let Some(artifacts) = artifacts("tau_outside_of_the_subgroup_is_refused") else { return };
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    // On the curve, whose order is a multiple of r, so that most of its points are outside.
    let outside = (1u64..)
        .find_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(x), Fq::from(1)), true))
        .expect("half of the x coordinates are on the curve");
    assert!(outside.is_on_curve() && !outside.is_in_correct_subgroup_assuming_on_curve());
    let deploy = |tau: &G2Affine| {
        let tau_g2 = words(&encode_g2(tau)).try_into().expect("four");
        let key = SegmentKey { insecure: false, tauG2: tau_g2, ..segment_key(&shape, stage.mock) };
        refusal(stage.chain.deploy(&artifacts.verifier, &key.abi_encode()))
    };
    assert_eq!(deploy(&outside).map(|deployed| deployed.gas), Err("TauPoint".into()));
    // What differs is the subgroup alone: its multiple by the rest of the order is taken.
    deploy(&outside.clear_cofactor()).expect("it is in the group");
}

/// Where nobody knows τ, the verifier says so, and a market takes it on any chain.
#[test]
fn the_set_up_of_a_ceremony_is_for_every_chain() {
    let Some(artifacts) = artifacts("the_set_up_of_a_ceremony_is_for_every_chain") else { return };
    let tau = Fr::from(12_345u64);
    let shape = Shape::ceremony(tau);
    let points = accumulator_of(tau).map(|point| encode_g1(&point)).concat();
    let stage = Stage::on(artifacts, &shape, 10, &points);
    assert!(!stage.chain.call(stage.verifier, &SegmentVerifier::insecureSetupCall {}).expect("it answers"));
    let job = Job::new(&shape);
    let place = Domain { chain: 10, ..domain(stage.chain.sender()) };
    let proved = job.prove(job.statement(place, 0, &job.first), &job.first);
    assert_eq!(stage.verify(&segment(&proved.statement), &proved.bytes), Ok(proved.statement.last.into()));
    let here = job.prove(job.statement(domain(stage.chain.sender()), 0, &job.first), &job.first);
    assert_eq!(stage.verify(&segment(&here.statement), &here.bytes), Err("OpeningValue".into()), "of another chain");
}
