//! Jobs of whose claims a draw says which must be proven.

use alloy::primitives::keccak256;
use gradproof_chain::market::{Level, State, TrainingMarket};
use gradproof_chain::{B256, SolValue, U256};

use crate::scene::{BOND, BURNT, Balance, FEE, PRICE, STAKE, Scene, THRESHOLD, Terms, code, tokens};
use crate::trained::{SEGMENTS, Trained};

/// Segments that are drawn.
const DRAWS: usize = 2;
/// What the requester draws with.
const SECRET: B256 = B256::repeat_byte(0x5e);
/// One more than there are from the last claim to the block whose hash draws.
const DRAW_BLOCKS: u32 = 9;

fn terms(scene: &Scene, trained: &Trained, draws: usize) -> Terms {
    let mut terms = scene.terms(trained, Level::Sampled);
    terms.checks.draws = draws as u8;
    terms.checks.secretHash = keccak256(SECRET.abi_encode());
    terms
}

/// Escrow of a sampled job: its price, and the fees of three tasks.
fn escrow() -> U256 {
    tokens(SEGMENTS as u64 * PRICE + 3 * THRESHOLD * FEE)
}

/// Draws, and says which segments must be proven.
fn draw(scene: &Scene, job: B256) -> Vec<usize> {
    scene.in_state(job, State::Drawing);
    let reveal = TrainingMarket::revealCall { id: job, secret: SECRET };
    let early = scene.requester.send(scene.market(), &reveal).expect_err("the block is not made yet");
    assert!(early.starts_with("TooEarly"), "{early}");
    scene.node.mine(DRAW_BLOCKS);
    let wrong = TrainingMarket::revealCall { id: job, secret: B256::ZERO };
    assert_eq!(scene.requester.send(scene.market(), &wrong).err().as_deref(), Some("WrongSecret"));
    let sent = scene.requester.send(scene.market(), &reveal).expect("the block is made");
    let drawn = sent.receipt.decoded_log::<TrainingMarket::Drawn>().expect("there is an event");
    scene.in_state(job, State::Proving);
    let is_due =
        |index: &usize| scene.ask(scene.market(), &TrainingMarket::isDueCall { id: job, index: U256::from(*index) });
    let due: Vec<usize> = (0..SEGMENTS).filter(is_due).collect();
    let mut indices: Vec<usize> = drawn.indices.iter().map(|index| index.to()).collect();
    indices.sort_unstable();
    assert_eq!(due, indices, "the event tells the draw");
    due
}

#[test]
fn drawn_segments_are_proven_and_all_are_paid() {
    let Some(code) = code("drawn_segments_are_proven_and_all_are_paid") else { return };
    let scene = Scene::new(code);
    let trained = Trained::new();
    let job = scene.open(&terms(&scene, &trained, DRAWS), 1, escrow());
    let domain = scene.start(job, &scene.provider);
    let lasts: Vec<B256> = (0..SEGMENTS).map(|index| trained.opening(index).digest()).collect();
    scene.claim(job, 0, &lasts);

    let due = draw(&scene, job);
    assert_eq!(due.len(), DRAWS);
    let spared = (0..SEGMENTS).find(|index| !due.contains(index)).expect("one was not drawn");
    let refused = scene.prove(&scene.provider, job, spared, &trained.prove(spared, domain));
    assert_eq!(refused.err(), Some(format!("NotPending {{ index: {spared} }}")));
    for &index in &due {
        scene.prove(&scene.provider, job, index, &trained.prove(index, domain)).expect("the claim was honest");
    }
    assert_eq!(usize::from(scene.job(job).settled), SEGMENTS);
    scene.deliver(job);

    scene.collect(job);
    scene.withdraw();
    let price = (SEGMENTS as u64 * PRICE) as i64;
    scene.balances([
        Balance { who: "requester", gained: -price - (THRESHOLD * FEE) as i64, stake: 0 },
        Balance { who: "provider", gained: price, stake: STAKE },
        Balance { who: "partner", gained: 0, stake: STAKE },
        Balance { who: "first validator", gained: FEE as i64, stake: STAKE },
        Balance { who: "second validator", gained: FEE as i64, stake: STAKE },
        Balance { who: "third validator", gained: 0, stake: STAKE },
    ]);
    assert_eq!(scene.balance(scene.market()), tokens(0), "the market keeps nothing");
}

#[test]
fn a_false_claim_that_is_drawn_loses_the_bond() {
    let Some(code) = code("a_false_claim_that_is_drawn_loses_the_bond") else { return };
    let scene = Scene::new(code);
    let trained = Trained::new();
    let terms = terms(&scene, &trained, SEGMENTS);
    let job = scene.open(&terms, 1, escrow());
    let domain = scene.start(job, &scene.provider);
    // Of the last segment one weight is another.
    let mut cheat = trained.opening(SEGMENTS - 1);
    cheat.parameters.weights[0][0] += 1;
    let honest = (0..SEGMENTS - 1).map(|index| trained.opening(index).digest());
    scene.claim(job, 0, &honest.chain([cheat.digest()]).collect::<Vec<_>>());

    assert_eq!(draw(&scene, job), (0..SEGMENTS).collect::<Vec<_>>());
    for index in 0..SEGMENTS - 1 {
        scene.prove(&scene.provider, job, index, &trained.prove(index, domain)).expect("the claim was honest");
    }
    let refused = scene.prove(&scene.provider, job, SEGMENTS - 1, &trained.prove(SEGMENTS - 1, domain));
    let (claimed, proven) = (cheat.digest(), trained.opening(SEGMENTS - 1).digest());
    assert_eq!(refused.err(), Some(format!("WrongLast {{ claimed: {claimed}, given: {proven} }}")));

    let advance = TrainingMarket::advanceCall { id: job };
    let early = scene.partner.send(scene.market(), &advance).expect_err("there is time to prove");
    assert!(early.starts_with("TooEarly"), "{early}");
    scene.node.pass(SEGMENTS as u32 * terms.times.proveSecs + 60);
    scene.partner.send(scene.market(), &advance).expect("no proof came");
    scene.in_state(job, State::Slashed);

    scene.withdraw();
    // Nothing is paid before all that was drawn is proven. Without a challenger, three quarters of the bond are nobody's.
    scene.balances([
        Balance { who: "requester", gained: (BOND / 4) as i64, stake: 0 },
        Balance { who: "provider", gained: 0, stake: STAKE - BOND },
        Balance { who: "partner", gained: 0, stake: STAKE },
        Balance { who: "first validator", gained: 0, stake: STAKE },
        Balance { who: "second validator", gained: 0, stake: STAKE },
        Balance { who: "third validator", gained: 0, stake: STAKE },
    ]);
    assert_eq!(scene.balance(BURNT), tokens(BOND / 4 * 3));
    assert_eq!(scene.balance(scene.market()), tokens(0), "the market keeps nothing");
}
