//! A job that another provider takes on from where the first one left.

use gradproof_chain::market::{State, TrainingMarket};

use crate::scene::{BURNT, Balance, PRICE, STAKE, Scene, code, tokens};
use crate::trained::{Opening, Trained, rerun};

#[test]
fn a_job_goes_on_with_another_provider() {
    let Some(code) = code("a_job_goes_on_with_another_provider") else { return };
    let scene = Scene::new(code);
    let trained = Trained::new();
    // Each segment is a batch.
    let left = scene.open(&scene.terms(&trained, 1, 1), 1);
    let domain = scene.start(left, &scene.provider);
    scene.claim_proven(&scene.provider, left, 0, &trained.prove(0, domain)).expect("the proof is right");
    scene.close(&scene.provider, left, 0);
    scene.acknowledge(left, 0);
    scene.provider.send(scene.market(), &TrainingMarket::abandonCall { id: left }).expect("nothing is open");
    scene.in_state(left, State::Left);

    // The provider says nothing more. The requester has the data, the first weights and the seed of the blindings: it trains the
    // segment again, and has what opens the stored commitment.
    let again = rerun(&trained.job, 0, trained.before(0));
    let current = scene.job(left).current;
    assert_eq!(Opening::after(0, &again.last).digest(), current);

    let rest = trained.going_on(0);
    let mut terms = scene.terms(&rest, 1, 1);
    assert_eq!(terms.training.first, current);
    terms.parent = left;
    // What came back from the first job is escrowed again: two segments, and what hand-backs would have cost.
    let owed = || scene.owed_by_market(scene.requester.address());
    assert_eq!(owed(), Scene::escrow(&terms));
    let job = scene.open_with(&terms, 2, tokens(0));
    assert_eq!(owed(), tokens(0));
    let domain = scene.start(job, &scene.partner);
    for index in 0..rest.statement.segments() {
        scene.claim_proven(&scene.partner, job, index, &rest.prove(index, domain)).expect("the proof is right");
        scene.close(&scene.partner, job, index as u64);
        scene.acknowledge(job, index as u64);
        assert_eq!(scene.job(job).current, rest.opening(index).digest());
    }
    scene.in_state(job, State::Completed);

    scene.unback(left);
    scene.unback(job);
    scene.withdraw();
    // A quarter of the price of a batch.
    let lost = PRICE / 4;
    let price = PRICE as i64;
    scene.balances([
        Balance { who: "requester", gained: -3 * price, stake: 0 },
        Balance { who: "provider", gained: price, stake: STAKE - lost },
        Balance { who: "partner", gained: 2 * price, stake: STAKE },
        Balance { who: "first validator", gained: 0, stake: STAKE },
        Balance { who: "second validator", gained: 0, stake: STAKE },
        Balance { who: "third validator", gained: 0, stake: STAKE },
    ]);
    assert_eq!(scene.balance(BURNT), tokens(lost));
    assert_eq!(scene.balance(scene.market()), tokens(0), "the market keeps nothing");
}
