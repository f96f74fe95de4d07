//! Jobs of whose claims a draw says which must be proven, and anyone with a bond may say of more.

use alloy::primitives::keccak256;
use gradproof_chain::market::{BatchState, State, TrainingMarket};
use gradproof_chain::{B256, U256};

use crate::scene::{BATCH, BOND, BURNT, Balance, CHALLENGE_BOND, HOUR, PRICE, SECRET, STAKE, Scene, code, tokens};
use crate::trained::{SEGMENTS, Trained, rerun};

/// One more than there are from a close to the block from which on a secret counts.
const DRAW_BLOCKS: u32 = 17;
/// The segment whose claim is false.
const FALSE: usize = SEGMENTS - 1;

/// Closes the first batch and draws; which segments must be proven.
fn close_and_draw(scene: &Scene, job: B256) -> Vec<usize> {
    scene.close(&scene.provider, job, 0);
    scene.batch_is(job, 0, BatchState::Drawing);
    let reveal = |secret| TrainingMarket::revealCall { id: job, batch: U256::ZERO, secret };
    let early = scene.requester.send(scene.market(), &reveal(SECRET)).expect_err("the block is not made yet");
    assert!(early.starts_with("TooEarly"), "{early}");
    scene.node.mine(DRAW_BLOCKS);
    let wrong = scene.requester.send(scene.market(), &reveal(keccak256("another"))).expect_err("it leads elsewhere");
    assert!(wrong.starts_with("WrongSecret"), "{wrong}");
    let sent = scene.requester.send(scene.market(), &reveal(SECRET)).expect("the block is made");
    let drawn = sent.receipt.decoded_log::<TrainingMarket::Drawn>().expect("there is an event");
    scene.batch_is(job, 0, BatchState::Proving);
    let due = scene.batch(job, 0).due;
    assert_eq!(drawn.drawn, U256::from(due), "the event tells the draw");
    (0..SEGMENTS).filter(|index| due >> index & 1 == 1).collect()
}

#[test]
fn drawn_segments_are_proven_and_all_are_paid() {
    let Some(code) = code("drawn_segments_are_proven_and_all_are_paid") else { return };
    let scene = Scene::new(code);
    let trained = Trained::new();
    let job = scene.open(&scene.terms(&trained, BATCH, 2), 1);
    let domain = scene.start(job, &scene.provider);
    let lasts = trained.lasts(0);
    scene.claim(&scene.provider, job, 0, &lasts);

    let due = close_and_draw(&scene, job);
    assert_eq!(due.len(), 2);
    for &index in &due {
        // Whoever brings it: the lead is paid.
        scene.prove(&scene.partner, job, index, &trained.prove(index, domain)).expect("the claim was honest");
    }
    let settle = TrainingMarket::settleCall { id: job };
    let early = scene.partner.send(scene.market(), &settle).expect_err("the requester may complain");
    assert!(early.starts_with("TooEarly"), "{early}");
    // The requester says nothing.
    scene.node.pass(4 * HOUR + 60);
    scene.partner.send(scene.market(), &settle).expect("the windows are over");
    scene.in_state(job, State::Completed);

    scene.unback(job);
    scene.withdraw();
    let price = (SEGMENTS as u64 * PRICE) as i64;
    scene.balances([
        Balance { who: "requester", gained: -price, stake: 0 },
        Balance { who: "provider", gained: price, stake: STAKE },
        Balance { who: "partner", gained: 0, stake: STAKE },
        Balance { who: "first validator", gained: 0, stake: STAKE },
        Balance { who: "second validator", gained: 0, stake: STAKE },
        Balance { who: "third validator", gained: 0, stake: STAKE },
    ]);
    assert_eq!(scene.balance(scene.market()), tokens(0), "the market keeps nothing");
}

/// A false claim that the draw spares: a validator who trains again sees it, challenges, and gets a quarter of the bond.
#[test]
fn a_cheating_provider_is_challenged_and_slashed() {
    let Some(code) = code("a_cheating_provider_is_challenged_and_slashed") else { return };
    let scene = Scene::new(code);
    let trained = Trained::new();
    let job = scene.open(&scene.terms(&trained, BATCH, 1), 1);
    let domain = scene.start(job, &scene.provider);
    // Of the last segment one weight is another.
    let mut cheat = trained.opening(FALSE);
    cheat.parameters.weights[0][0] += 1;
    let honest = (0..FALSE).map(|index| trained.opening(index).digest());
    scene.claim(&scene.provider, job, 0, &honest.chain([cheat.digest()]).collect::<Vec<_>>());
    // The draw follows from a block's hash: where it finds the false claim, the chain goes back and makes other blocks.
    let mut before = scene.node.snapshot();
    let due = loop {
        let due = close_and_draw(&scene, job);
        if due != [FALSE] {
            break due;
        }
        scene.node.back_to(&before);
        before = scene.node.snapshot();
        scene.node.pass(60);
    };
    let &[drawn] = &due[..] else { panic!("one is drawn") };
    scene.prove(&scene.provider, job, drawn, &trained.prove(drawn, domain)).expect("the claim was honest");

    // Whoever has data and weights trains the segment again.
    assert_eq!(rerun(&trained.job, drawn, trained.before(drawn)).last, trained.opening(drawn).parameters);
    assert_ne!(rerun(&trained.job, FALSE, trained.before(FALSE)).last, cheat.parameters);
    let [.., challenger] = &scene.validators[..] else { panic!("there are validators") };
    let index = U256::from(FALSE);
    let challenge = TrainingMarket::challengeCall { id: job, index, last: cheat.digest() };
    challenger.send(scene.market(), &challenge).expect("the window is open");
    let refused = scene.prove(&scene.provider, job, FALSE, &trained.prove(FALSE, domain));
    let (claimed, proven) = (cheat.digest(), trained.opening(FALSE).digest());
    assert_eq!(refused.err(), Some(format!("WrongLast {{ claimed: {claimed}, given: {proven} }}")));

    let fail = TrainingMarket::failCall { id: job, index };
    let early = scene.partner.send(scene.market(), &fail).expect_err("there is time to prove");
    assert!(early.starts_with("TooEarly"), "{early}");
    // Twice the time for proofs, the second one for late ones.
    scene.node.pass(5 * HOUR);
    scene.partner.send(scene.market(), &fail).expect("no proof came");
    scene.in_state(job, State::Slashed);
    challenger.send(scene.market(), &TrainingMarket::reclaimCall { id: job, index }).expect("its bond is free");

    scene.unback(job);
    scene.withdraw();
    // Nothing of the batch is paid; its price goes back, and of the bond nothing goes to the requester.
    scene.balances([
        Balance { who: "requester", gained: 0, stake: 0 },
        Balance { who: "provider", gained: 0, stake: STAKE - BOND },
        Balance { who: "partner", gained: 0, stake: STAKE },
        Balance { who: "first validator", gained: 0, stake: STAKE },
        Balance { who: "second validator", gained: 0, stake: STAKE },
        Balance { who: "challenger", gained: (BOND / 4) as i64, stake: STAKE },
    ]);
    assert_eq!(scene.balance(BURNT), tokens(BOND / 4 * 3));
    assert_eq!(scene.balance(scene.market()), tokens(0), "the market keeps nothing");
}

#[test]
fn an_honest_provider_answers_a_challenge_with_a_proof() {
    let Some(code) = code("an_honest_provider_answers_a_challenge_with_a_proof") else { return };
    let scene = Scene::new(code);
    let trained = Trained::new();
    let job = scene.open(&scene.terms(&trained, BATCH, 1), 1);
    let domain = scene.start(job, &scene.provider);
    let lasts = trained.lasts(0);
    scene.claim(&scene.provider, job, 0, &lasts);
    let due = close_and_draw(&scene, job);
    let spared = (0..SEGMENTS).find(|index| !due.contains(index)).expect("two were not drawn");
    // Against better knowledge.
    let [.., challenger] = &scene.validators[..] else { panic!("there are validators") };
    let index = U256::from(spared);
    let challenge = TrainingMarket::challengeCall { id: job, index, last: lasts[spared] };
    challenger.send(scene.market(), &challenge).expect("the window is open");
    for index in [due[0], spared] {
        scene.prove(&scene.provider, job, index, &trained.prove(index, domain)).expect("the claim was honest");
    }
    let refused = scene.partner.send(scene.market(), &TrainingMarket::failCall { id: job, index });
    assert!(refused.is_err(), "it was answered");
    scene.acknowledge(job, 0);
    scene.in_state(job, State::Completed);

    scene.unback(job);
    scene.withdraw();
    let price = (SEGMENTS as u64 * PRICE) as i64;
    scene.balances([
        Balance { who: "requester", gained: -price, stake: 0 },
        Balance { who: "provider", gained: price + CHALLENGE_BOND as i64, stake: STAKE },
        Balance { who: "partner", gained: 0, stake: STAKE },
        Balance { who: "first validator", gained: 0, stake: STAKE },
        Balance { who: "second validator", gained: 0, stake: STAKE },
        Balance { who: "challenger", gained: 0, stake: STAKE - CHALLENGE_BOND },
    ]);
    assert_eq!(scene.balance(BURNT), tokens(0));
    assert_eq!(scene.balance(scene.market()), tokens(0), "the market keeps nothing");
}
