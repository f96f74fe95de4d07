//! A job whose every segment is proven, by a team.

use gradproof_chain::market::{BatchState, State, TrainingMarket};
use gradproof_chain::{B256, U256};
use gradproof_evm::gas::job_gas;
use gradproof_tests::forge::wrapped;
use gradproof_verifier::protocol::statement::Domain;

use crate::scene::{BATCH, BOND, BURNT, Balance, CHALLENGE_BOND, HOUR, PRICE, STAKE, Scene, code, tokens};
use crate::trained::{LONG_SEGMENTS, Trained};

/// The refusal of a proof for another statement than the contract computes from its storage: the challenges that follow from
/// the statement's digest are others, and with them the opening does not lead to the value.
const ANOTHER_STATEMENT: &str = "OpeningValue";
/// What a member is paid for a proof.
const SEAT_PAY: u64 = 70;
/// What a claim in the same call costs at most.
const CLAIM_GAS: u64 = 46_000;
/// Blocks until a take counts.
const TAKE_BLOCKS: u32 = 16;

#[test]
fn a_proven_job_from_end_to_end() {
    let Some(code) = code("a_proven_job_from_end_to_end") else { return };
    let scene = Scene::new(code);
    let trained = Trained::long();
    let terms = scene.terms(&trained, BATCH, BATCH);
    let job = scene.open(&terms, 1);
    // The same terms once more: another job, of another provider.
    let other = scene.open(&terms, 2);
    assert_ne!(job, other);
    let domain = scene.start(job, &scene.provider);
    scene.start(other, &scene.partner);

    // The lead claims and proves the first batch.
    let mut earlier: Vec<Vec<u8>> = Vec::new();
    let mut claimed = 0;
    for index in 0..BATCH.into() {
        let proof = trained.prove(index, domain);
        let wrong_index =
            |expected: usize, got: usize| Some(format!("WrongIndex {{ expected: {expected}, got: {got} }}"));
        // At another index than the next; and an earlier proof at the next index.
        let claim = |index, proof: &[u8]| scene.claim_proven(&scene.provider, job, index, proof);
        assert_eq!(claim(index + 1, &proof).err(), wrong_index(index, index + 1));
        for (before, proof) in earlier.iter().enumerate() {
            assert_eq!(claim(before, proof).err(), wrong_index(index, before));
            let refused = claim(index, proof).expect_err("it is of another segment");
            // Segments at one position have the same data.
            let positions = trained.job.epoch().segments();
            let reason = if before % positions == index % positions { "FirstCommitments" } else { "DataLeaf" };
            assert!(refused.starts_with(reason), "{refused}");
        }
        if index == 0 {
            refused_elsewhere(&scene, &trained, job, other, domain, &proof);
            // A segment left out.
            let refused = claim(0, &trained.prove(1, domain)).expect_err("it is the next one's");
            assert!(["FirstCommitments", "DataLeaf"].iter().any(|reason| refused.starts_with(reason)), "{refused}");
        }
        let sent = claim(index, &proof).expect("the proof is right");
        let proved = sent.receipt.decoded_log::<TrainingMarket::Proved>().expect("there is an event");
        assert_eq!(proved.last, trained.opening(index).digest());
        claimed = claimed.max(sent.gas);
        assert_eq!(usize::from(scene.job(job).claimed), index + 1);
        earlier.push(proof);
    }
    scene.close(&scene.provider, job, 0);
    scene.batch_is(job, 0, BatchState::Proving);
    scene.acknowledge(job, 0);
    scene.batch_is(job, 0, BatchState::Settled);
    assert_eq!(scene.job(job).current, trained.opening(2).digest());

    // In the second batch a member takes a claim, proves it from the lead's openings, and is paid for it.
    let lasts = trained.lasts(3);
    scene.claim(&scene.provider, job, 3, &lasts);
    scene.join(job, &scene.provider, &scene.partner, SEAT_PAY, 4 * CHALLENGE_BOND);
    let take = TrainingMarket::takeCall { id: job, index: U256::from(4), last: lasts[1], seat: U256::from(1) };
    scene.partner.send(scene.market(), &take).expect("it is a member");
    scene.node.mine(TAKE_BLOCKS);
    let mut proved = 0;
    for index in 3..LONG_SEGMENTS {
        // Whoever brings the proof: the holder is paid.
        let sent = scene.prove(&scene.requester, job, index, &trained.prove(index, domain)).expect("it is right");
        proved = proved.max(if index == 4 { 0 } else { sent.gas });
    }
    // The formula from which the chain profile chooses the length of columns.
    let formula = job_gas(&wrapped().1, &trained.statement);
    println!("a proof {proved} gas, with its claim {claimed}, by the formula {formula}");
    assert!(proved.abs_diff(formula) * 200 < formula, "{proved} gas, by the formula {formula}");
    assert!(claimed < proved + CLAIM_GAS, "{claimed} gas with the claim, {proved} without");
    scene.close(&scene.provider, job, 1);
    let settle = TrainingMarket::settleCall { id: job };
    let early = scene.partner.send(scene.market(), &settle).expect_err("the requester may complain");
    assert!(early.starts_with("TooEarly"), "{early}");
    scene.node.pass(4 * HOUR + 60);
    scene.partner.send(scene.market(), &settle).expect("its time is over");
    scene.in_state(job, State::Completed);
    let refused = scene.prove(&scene.provider, job, 0, &earlier[0]).expect_err("the job is over");
    assert_eq!(refused, format!("WrongState {{ job: {job}, state: Completed }}"));

    // The partner leaves the other one with nothing done: a quarter of a batch's price.
    let leave = TrainingMarket::abandonCall { id: other };
    scene.partner.send(scene.market(), &leave).expect("it is the partner's");
    scene.in_state(other, State::Left);
    let quit = TrainingMarket::quitCall { id: job, number: U256::from(1) };
    scene.partner.send(scene.market(), &quit).expect("the seat is free");
    scene.unback(job);
    scene.unback(other);
    scene.withdraw();
    let (price, pay) = ((LONG_SEGMENTS as u64 * PRICE) as i64, SEAT_PAY as i64);
    scene.balances([
        Balance { who: "requester", gained: -price, stake: 0 },
        Balance { who: "provider", gained: price - pay, stake: STAKE },
        Balance { who: "partner", gained: pay, stake: STAKE - BOND / 4 },
        Balance { who: "first validator", gained: 0, stake: STAKE },
        Balance { who: "second validator", gained: 0, stake: STAKE },
        Balance { who: "third validator", gained: 0, stake: STAKE },
    ]);
    assert_eq!(scene.balance(BURNT), tokens(BOND / 4));
    assert_eq!(scene.balance(scene.market()), tokens(0), "the market keeps nothing");
}

/// A proof counts for one job, one owner, one market and one chain.
fn refused_elsewhere(scene: &Scene, trained: &Trained, job: B256, other: B256, domain: Domain, proof: &[u8]) {
    let refused = scene.claim_proven(&scene.partner, other, 0, proof).err();
    assert_eq!(refused.as_deref(), Some(ANOTHER_STATEMENT), "another job");
    let owner = Domain { owner: scene.partner.address().into_array(), ..domain };
    let chain = Domain { chain: 1, ..domain };
    let market = Domain { contract: [7; 20], ..domain };
    for (what, domain) in [("owner", owner), ("chain", chain), ("market", market)] {
        let proof = trained.prove(0, domain);
        let refused = scene.claim_proven(&scene.provider, job, 0, &proof).err();
        assert_eq!(refused.as_deref(), Some(ANOTHER_STATEMENT), "another {what}");
    }
    let mut changed = proof.to_vec();
    if let Some(byte) = changed.last_mut() {
        *byte ^= 1;
    }
    assert!(scene.claim_proven(&scene.provider, job, 0, &changed).is_err(), "a changed proof");
    // Whoever else brings the right one could have brought one that ends elsewhere.
    let refused = scene.claim_proven(&scene.partner, job, 0, proof).expect_err("it is not the partner's");
    assert!(refused.starts_with("NotProvider"), "{refused}");
}
