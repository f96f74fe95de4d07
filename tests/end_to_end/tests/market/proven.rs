//! A job whose every segment comes with its proof.

use gradproof_chain::B256;
use gradproof_chain::market::{Level, State, TrainingMarket};
use gradproof_verifier::protocol::statement::Domain;

use crate::scene::{Balance, FEE, PRICE, STAKE, Scene, THRESHOLD, code, tokens};
use crate::trained::{SEGMENTS, Trained};

/// The refusal of a proof for another statement than the contract computes from its storage: the challenges that follow from
/// the statement's digest are others, and with them the opening does not lead to the value.
const ANOTHER_STATEMENT: &str = "OpeningValue";

#[test]
fn a_proven_job_from_end_to_end() {
    let Some(code) = code("a_proven_job_from_end_to_end") else { return };
    let scene = Scene::new(code);
    let trained = Trained::new();
    let terms = scene.terms(&trained, Level::Proven);
    // Divergence, fetchability, decision: as many fees as there may be.
    let escrow = SEGMENTS as u64 * PRICE + 3 * THRESHOLD * FEE;
    let job = scene.open(&terms, 1, tokens(escrow));
    // The same terms once more: another job, of another provider.
    let other = scene.open(&terms, 2, tokens(escrow));
    assert_ne!(job, other);
    let domain = scene.start(job, &scene.provider);
    scene.start(other, &scene.partner);

    let mut earlier: Vec<Vec<u8>> = Vec::new();
    for index in 0..SEGMENTS {
        let proof = trained.prove(index, domain);
        let wrong_index =
            |expected: usize, got: usize| Some(format!("WrongIndex {{ expected: {expected}, got: {got} }}"));
        // At another index than the next; and an earlier proof at the next index.
        assert_eq!(scene.prove(&scene.provider, job, index + 1, &proof).err(), wrong_index(index, index + 1));
        for (before, proof) in earlier.iter().enumerate() {
            assert_eq!(scene.prove(&scene.provider, job, before, proof).err(), wrong_index(index, before));
            let refused = scene.prove(&scene.provider, job, index, proof).expect_err("it is of another segment");
            // Segments at one position have the same data.
            let positions = trained.job.epoch().segments();
            let reason = if before % positions == index % positions { "FirstCommitments" } else { "DataLeaf" };
            assert!(refused.starts_with(reason), "{refused}");
        }
        if index == 0 {
            refused_elsewhere(&scene, &trained, job, other, domain, &proof);
        }
        let sent = scene.prove(&scene.provider, job, index, &proof).expect("the proof is right");
        let proved = sent.receipt.decoded_log::<TrainingMarket::Proved>().expect("there is an event");
        assert_eq!(proved.last, trained.opening(index).digest());
        println!("segment {index}: {} gas", sent.gas);
        let stored = scene.job(job);
        assert_eq!((usize::from(stored.settled), stored.current), (index + 1, proved.last));
        earlier.push(proof);
    }
    let refused = scene.prove(&scene.provider, job, SEGMENTS, &earlier[0]).expect_err("all are settled");
    assert_eq!(refused, format!("WrongState {{ job: {job}, state: Delivering }}"));
    scene.deliver(job);
    // The partner leaves the other one at once.
    let leave = TrainingMarket::abandonCall { id: other };
    scene.partner.send(scene.market(), &leave).expect("it is the partner's");
    scene.in_state(other, State::Defaulted);

    scene.collect(job);
    scene.withdraw();
    let price = (SEGMENTS as u64 * PRICE) as i64;
    scene.balances([
        Balance { who: "requester", gained: -price - (THRESHOLD * FEE) as i64, stake: 0 },
        Balance { who: "provider", gained: price, stake: STAKE },
        // A tenth of its bond for leaving with nothing done.
        Balance { who: "partner", gained: 0, stake: STAKE - crate::scene::BOND / 10 },
        Balance { who: "first validator", gained: FEE as i64, stake: STAKE },
        Balance { who: "second validator", gained: FEE as i64, stake: STAKE },
        Balance { who: "third validator", gained: 0, stake: STAKE },
    ]);
    assert_eq!(scene.balance(crate::scene::BURNT), tokens(crate::scene::BOND / 10));
    assert_eq!(scene.balance(scene.market()), tokens(0), "the market keeps nothing");
}

/// A proof counts for one job, one owner, one market and one chain.
fn refused_elsewhere(scene: &Scene, trained: &Trained, job: B256, other: B256, domain: Domain, proof: &[u8]) {
    assert_eq!(scene.prove(&scene.partner, other, 0, proof).err().as_deref(), Some(ANOTHER_STATEMENT), "another job");
    let owner = Domain { owner: scene.partner.address().into_array(), ..domain };
    let chain = Domain { chain: 1, ..domain };
    for (what, domain) in [("owner", owner), ("chain", chain)] {
        let proof = trained.prove(0, domain);
        let refused = scene.prove(&scene.provider, job, 0, &proof).err();
        assert_eq!(refused.as_deref(), Some(ANOTHER_STATEMENT), "another {what}");
    }
    let mut changed = proof.to_vec();
    if let Some(byte) = changed.last_mut() {
        *byte ^= 1;
    }
    assert!(scene.prove(&scene.provider, job, 0, &changed).is_err(), "a changed proof");
    // Whoever else brings the right one could have brought one that ends elsewhere.
    let refused = scene.prove(&scene.partner, job, 0, proof).expect_err("it is not the partner's");
    assert!(refused.starts_with("NotProvider"), "{refused}");
}
