//! Jobs whose claims are paid unless somebody challenges them.

use gradproof_chain::market::{Level, State, Task, TrainingMarket};
use gradproof_chain::{B256, U256};
use gradproof_circuits::trace::Parameters;

use crate::scene::{BOND, BURNT, Balance, CHALLENGE_BOND, FEE, HOUR, PRICE, STAKE, Scene, THRESHOLD, code, tokens};
use crate::trained::{Opening, SEGMENTS, Trained, rerun};

/// Escrow of an optimistic job: its price, and the fees of three tasks and of an opening for each segment.
fn escrow() -> U256 {
    tokens(SEGMENTS as u64 * PRICE + (3 + SEGMENTS as u64) * THRESHOLD * FEE)
}

/// What a committee does before it attests: the published opening opens the claimed commitment.
fn attest_opening(scene: &Scene, job: B256, index: usize, published: &Opening) {
    let claim = scene.ask(scene.market(), &TrainingMarket::claimOfCall { id: job, index: U256::from(index) });
    assert_eq!(published.digest(), claim.last, "the opening is not of the claim");
    scene.attest(job, Task::Opening, index);
}

/// Whether a validator that runs a segment again, from published parameters `first`, gets other ones than were published.
fn differs(trained: &Trained, index: usize, first: &Parameters, published: &Opening) -> bool {
    rerun(&trained.job, index, first).last != published.parameters
}

fn challenge(scene: &Scene, job: B256, index: usize, claimed: &Opening) {
    let call = TrainingMarket::challengeCall { id: job, index: U256::from(index), last: claimed.digest() };
    let [.., validator] = &scene.validators[..] else { panic!("there are validators") };
    validator.send(scene.market(), &call).expect("the window is open");
}

#[test]
fn a_cheating_provider_is_challenged_and_slashed() {
    let Some(code) = code("a_cheating_provider_is_challenged_and_slashed") else { return };
    let scene = Scene::new(code);
    let trained = Trained::new();
    let job = scene.open(&scene.terms(&trained, Level::Optimistic), 1, escrow());
    let domain = scene.start(job, &scene.provider);

    // The first segment is honest; of the second one weight is another.
    let honest = trained.opening(0);
    let mut cheat = trained.opening(1);
    cheat.parameters.weights[0][0] += 1;
    scene.claim(job, 0, &[honest.digest(), cheat.digest()]);
    attest_opening(&scene, job, 0, &honest);
    attest_opening(&scene, job, 1, &cheat);
    assert!(!differs(&trained, 0, trained.before(0), &honest));
    assert!(differs(&trained, 1, &honest.parameters, &cheat));
    challenge(&scene, job, 1, &cheat);

    let slash = TrainingMarket::slashCall { id: job, index: U256::from(1) };
    let early = scene.partner.send(scene.market(), &slash).expect_err("the provider has time to answer");
    assert!(early.starts_with("TooEarly"), "{early}");
    // The honest proof does not help: it is of other parameters than were claimed.
    let refused = scene.prove(&scene.provider, job, 1, &trained.prove(1, domain)).expect_err("it was not claimed");
    let (claimed, proven) = (cheat.digest(), trained.opening(1).digest());
    assert_eq!(refused, format!("WrongLast {{ claimed: {claimed}, given: {proven} }}"));
    // The time to answer passes, and the window of the first segment.
    scene.node.pass(2 * HOUR + 60);
    scene.partner.send(scene.market(), &slash).expect("no proof came");
    scene.in_state(job, State::Slashed);
    assert_eq!(scene.owed_by_vault(BURNT), tokens(BOND / 2));
    let [.., challenger] = &scene.validators[..] else { panic!("there are validators") };
    assert_eq!(scene.owed_by_vault(challenger.address()), tokens(BOND / 4));
    assert_eq!(scene.owed_by_vault(scene.requester.address()), tokens(BOND / 4));
    assert_eq!(scene.job(job).settled, 1, "the first segment stays paid");

    scene.collect(job);
    scene.withdraw();
    // The last share of the first segment, a fifth, goes back.
    let paid = PRICE / 5 * 4;
    let fees = 2 * THRESHOLD * FEE;
    scene.balances([
        Balance { who: "requester", gained: (BOND / 4) as i64 - (paid + fees) as i64, stake: 0 },
        Balance { who: "provider", gained: paid as i64, stake: STAKE - BOND },
        Balance { who: "partner", gained: 0, stake: STAKE },
        Balance { who: "first validator", gained: 2 * FEE as i64, stake: STAKE },
        Balance { who: "second validator", gained: 2 * FEE as i64, stake: STAKE },
        Balance { who: "challenger", gained: (BOND / 4) as i64, stake: STAKE },
    ]);
    assert_eq!(scene.balance(BURNT), tokens(BOND / 2));
    assert_eq!(scene.balance(scene.market()), tokens(0), "the market keeps nothing");
}

#[test]
fn an_honest_provider_answers_a_challenge_with_a_proof() {
    let Some(code) = code("an_honest_provider_answers_a_challenge_with_a_proof") else { return };
    let scene = Scene::new(code);
    let trained = Trained::new();
    let job = scene.open(&scene.terms(&trained, Level::Optimistic), 1, escrow());
    let domain = scene.start(job, &scene.provider);
    let openings: Vec<Opening> = (0..SEGMENTS).map(|index| trained.opening(index)).collect();
    scene.claim(job, 0, &openings.iter().map(Opening::digest).collect::<Vec<_>>());
    for (index, opening) in openings.iter().enumerate() {
        attest_opening(&scene, job, index, opening);
    }
    // Against better knowledge.
    assert!(!differs(&trained, 1, &openings[0].parameters, &openings[1]));
    challenge(&scene, job, 1, &openings[1]);
    let proof = trained.prove(1, domain);
    let sent = scene.prove(&scene.provider, job, 1, &proof).expect("the claim was honest");
    let answered = sent.receipt.decoded_log::<TrainingMarket::Answered>().expect("there is an event");
    assert_eq!((answered.index, answered.bond), (U256::from(1), tokens(CHALLENGE_BOND)));
    assert_eq!(scene.owed_by_vault(scene.provider.address()), tokens(CHALLENGE_BOND));
    let slash = TrainingMarket::slashCall { id: job, index: U256::from(1) };
    let refused = scene.partner.send(scene.market(), &slash).expect_err("it was answered");
    assert_eq!(refused, "NoChallenge { index: 1 }");
    let settle = TrainingMarket::settleCall { id: job };
    let refused = scene.partner.send(scene.market(), &settle).expect_err("the first window is open");
    assert_eq!(refused, "NothingToSettle");
    // The other two lapse unchallenged.
    scene.node.pass(2 * HOUR + 60);
    scene.partner.send(scene.market(), &settle).expect("the windows are over");
    scene.deliver(job);

    scene.collect(job);
    scene.withdraw();
    let price = SEGMENTS as u64 * PRICE;
    // For the openings and for the delivery.
    let tasks = SEGMENTS as u64 + 1;
    scene.balances([
        Balance { who: "requester", gained: -((price + tasks * THRESHOLD * FEE) as i64), stake: 0 },
        Balance { who: "provider", gained: (price + CHALLENGE_BOND) as i64, stake: STAKE },
        Balance { who: "partner", gained: 0, stake: STAKE },
        Balance { who: "first validator", gained: (tasks * FEE) as i64, stake: STAKE },
        Balance { who: "second validator", gained: (tasks * FEE) as i64, stake: STAKE },
        Balance { who: "challenger", gained: 0, stake: STAKE - CHALLENGE_BOND },
    ]);
    assert_eq!(scene.balance(BURNT), tokens(0));
    assert_eq!(scene.balance(scene.market()), tokens(0), "the market keeps nothing");
}
