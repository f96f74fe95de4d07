//! The ledger: order, link, and what it refuses to open.

use ark_bn254::Fr;
use gradproof_chain::{Address, B256, LOCAL_CHAIN, SegmentLedger, SegmentVerifier, SolCall, SolValue, Terms};
use gradproof_verifier::protocol::points::encode_g1;
use gradproof_verifier::protocol::statement::Domain;

use crate::stage::{Stage, artifacts, refusal};
use crate::synthetic::{Job, Proved, Shape};

/// Somebody who is not the sender.
const OTHER: Address = Address::new([0x22; 20]);

fn terms(stage: &Stage, job: &Job<'_>) -> Terms {
    let statement = job.statement(Domain::default(), 0, &job.first);
    Terms {
        verifier: stage.verifier,
        owner: stage.chain.sender(),
        dataRoot: statement.data_root.into(),
        epochSegments: job.epoch_segments,
        segments: 4,
        lastSteps: 2,
        lastRows: 1,
        rate: statement.rate,
        first: statement.first.into(),
    }
}

/// Opens a job, and returns its id.
fn open(stage: &Stage, terms: &Terms) -> Result<B256, String> {
    let call = SegmentLedger::openCall { terms: terms.clone() };
    let job = refusal(stage.chain.call(stage.ledger, &call))?;
    let sent = refusal(stage.chain.send(stage.ledger, &call))?;
    let told = sent.receipt.decoded_log::<SegmentLedger::Opened>().expect("there is an event");
    assert_eq!((told.job, told.opener), (job, stage.chain.sender()));
    assert_eq!(told.terms.abi_encode(), terms.abi_encode());
    Ok(job)
}

fn submit(stage: &Stage, job: B256, proof: &Proved) -> Result<u64, String> {
    let call = SegmentLedger::submitCall { job, proof: proof.bytes.clone().into() };
    Ok(refusal(stage.chain.send(stage.ledger, &call))?.gas)
}

#[test]
fn a_job_is_proved_segment_by_segment() {
    let Some(artifacts) = artifacts("a_job_is_proved_segment_by_segment") else { return };
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    let job = Job::new(&shape);
    let id = open(&stage, &terms(&stage, &job)).expect("the terms are right");
    let again = open(&stage, &terms(&stage, &job)).expect("the same terms once more are another job");
    assert_ne!(id, again);
    let domain = |id: B256| Domain {
        chain: LOCAL_CHAIN,
        contract: stage.ledger.into(),
        job: id.into(),
        owner: stage.chain.sender().into(),
    };

    let mut first = job.first.clone();
    let mut proofs: Vec<Proved> = Vec::new();
    for index in 0..4 {
        let proved = job.prove(job.statement(domain(id), index, &first), &first);
        // One that comes too early begins with other parameters, and is at another position.
        let early = job.prove(job.statement(domain(id), index + 1, &proved.last), &proved.last);
        assert!(submit(&stage, id, &early).is_err(), "segment {index} left out");
        for earlier in &proofs {
            assert!(submit(&stage, id, earlier).is_err(), "a segment repeated");
        }
        assert!(submit(&stage, again, &proved).is_err(), "another job");
        let next = stage.chain.call(stage.ledger, &SegmentLedger::nextCall { job: id }).expect("it answers");
        assert_eq!(next.abi_encode(), gradproof_evm::segment(&proved.statement).abi_encode());

        let call = SegmentLedger::submitCall { job: id, proof: proved.bytes.clone().into() };
        let sent = stage.chain.send(stage.ledger, &call).expect("the proof is right");
        // An estimate is of a moment that is over when the transaction is in a block.
        assert!(sent.gas_limit >= sent.gas + sent.gas / 4, "{} of {} gas", sent.gas, sent.gas_limit);
        let event = sent.receipt.decoded_log::<SegmentLedger::Proven>().expect("there is an event");
        assert_eq!((event.job, event.index), (id, index));
        assert_eq!(event.last, B256::from(proved.statement.last));
        assert_eq!(stage.chain.input(&sent.receipt).expect("it is there").len(), call.abi_encode().len());
        first = proved.last.clone();
        proofs.push(proved);
    }
    assert_eq!(submit(&stage, id, &proofs[3]), Err(format!("Finished {{ job: {id} }}")));
    let unknown = format!("UnknownJob {{ job: {} }}", B256::ZERO);
    assert_eq!(submit(&stage, B256::ZERO, &proofs[0]), Err(unknown.clone()));
    let next = stage.chain.call(stage.ledger, &SegmentLedger::nextCall { job: B256::ZERO });
    assert_eq!(refusal(next), Err(unknown));
}

#[test]
fn a_segment_begins_where_the_last_one_ended() {
    let Some(artifacts) = artifacts("a_segment_begins_where_the_last_one_ended") else { return };
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    let job = Job::new(&shape);
    let id = open(&stage, &terms(&stage, &job)).expect("the terms are right");
    let domain = Domain {
        chain: LOCAL_CHAIN,
        contract: stage.ledger.into(),
        job: id.into(),
        owner: stage.chain.sender().into(),
    };
    let proved = job.prove(job.statement(domain, 0, &job.first), &job.first);
    submit(&stage, id, &proved).expect("the proof is right");
    // The right segment, from the parameters with which the job began.
    let back = job.prove(job.statement(domain, 1, &job.first), &job.first);
    assert!(submit(&stage, id, &back).expect_err("the link is broken").starts_with("FirstCommitments"));
    let on = job.prove(job.statement(domain, 1, &proved.last), &proved.last);
    submit(&stage, id, &on).expect("the proof is right");
}

/// The openings are enough to prove the same segment, with last commitments that nobody else can open.
#[test]
fn a_segment_is_submitted_by_its_owner() {
    let Some(artifacts) = artifacts("a_segment_is_submitted_by_its_owner") else { return };
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    let job = Job::new(&shape);
    let id = open(&stage, &Terms { owner: OTHER, ..terms(&stage, &job) }).expect("the terms are right");
    let domain = Domain { chain: LOCAL_CHAIN, contract: stage.ledger.into(), job: id.into(), owner: OTHER.into() };
    let proved = job.prove(job.statement(domain, 0, &job.first), &job.first);
    let expected = format!("NotOwner {{ got: {:?}, owner: {OTHER:?} }}", stage.chain.sender());
    assert_eq!(submit(&stage, id, &proved), Err(expected));
}

#[test]
fn terms_are_checked() {
    let Some(artifacts) = artifacts("terms_are_checked") else { return };
    let shape = Shape::fixture();
    let stage = Stage::new(artifacts, &shape);
    let job = Job::new(&shape);
    let good = terms(&stage, &job);
    type Change = fn(&mut Terms);
    let cases: [(&str, Change); 9] = [
        ("NoOwner", |t| t.owner = Address::ZERO),
        ("NoSegments", |t| t.segments = 0),
        ("NoEpoch", |t| t.epochSegments = 0),
        ("NoRate", |t| t.rate = 0),
        ("NoVerifier", |t| t.verifier = OTHER),
        ("LastSteps { got: 0, most: 4 }", |t| t.lastSteps = 0),
        ("LastSteps { got: 5, most: 4 }", |t| t.lastSteps = 5),
        ("LastRows { got: 0, most: 3 }", |t| t.lastRows = 0),
        ("LastRows { got: 4, most: 3 }", |t| t.lastRows = 4),
    ];
    for (expected, change) in cases {
        let mut terms = good.clone();
        change(&mut terms);
        assert_eq!(open(&stage, &terms), Err(expected.into()));
    }
    // An epoch may end with a whole segment.
    open(&stage, &Terms { lastSteps: 4, lastRows: 3, ..good }).expect("the terms are right");
}

#[test]
fn an_insecure_set_up_is_for_the_local_chain_alone() {
    let Some(artifacts) = artifacts("an_insecure_set_up_is_for_the_local_chain_alone") else { return };
    let shape = Shape::fixture();
    let points = crate::stage::accumulator().map(|point| encode_g1(&point)).concat();
    let stage = Stage::on(artifacts, &shape, 10, &points);
    assert_eq!(stage.chain.id(), 10);
    let job = Job::new(&shape);
    assert_eq!(open(&stage, &terms(&stage, &job)), Err("InsecureSetup".into()));
}

/// The other half: where nobody knows τ, a job is opened on any chain, and settled.
#[test]
fn the_set_up_of_a_ceremony_is_for_every_chain() {
    let Some(artifacts) = artifacts("the_set_up_of_a_ceremony_is_for_every_chain") else { return };
    let tau = Fr::from(12_345u64);
    let shape = Shape::ceremony(tau);
    let points = crate::stage::accumulator_of(tau).map(|point| encode_g1(&point)).concat();
    let stage = Stage::on(artifacts, &shape, 10, &points);
    assert!(!stage.chain.call(stage.verifier, &SegmentVerifier::insecureSetupCall {}).expect("it answers"));
    let job = Job::new(&shape);
    let id = open(&stage, &terms(&stage, &job)).expect("the terms are right");
    let owner = stage.chain.sender().into();
    let domain = Domain { chain: 10, contract: stage.ledger.into(), job: id.into(), owner };
    let proved = job.prove(job.statement(domain, 0, &job.first), &job.first);
    submit(&stage, id, &proved).expect("the proof is right");
}
