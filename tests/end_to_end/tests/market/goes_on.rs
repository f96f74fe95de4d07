//! A job that another provider takes on from where the first one left.

use gradproof_chain::market::{Level, State, TrainingMarket};

use crate::scene::{BOND, BURNT, Balance, FEE, PRICE, STAKE, Scene, THRESHOLD, code, tokens};
use crate::trained::{Opening, Trained, rerun};

#[test]
fn a_job_goes_on_with_another_provider() {
    let Some(code) = code("a_job_goes_on_with_another_provider") else { return };
    let scene = Scene::new(code);
    let trained = Trained::new();
    let escrow = |segments: u64| tokens(segments * PRICE + 3 * THRESHOLD * FEE);
    let left = scene.open(&scene.terms(&trained, Level::Proven), 1, escrow(3));
    let domain = scene.start(left, &scene.provider);
    scene.prove(&scene.provider, left, 0, &trained.prove(0, domain)).expect("the proof is right");
    scene.provider.send(scene.market(), &TrainingMarket::abandonCall { id: left }).expect("nothing can be challenged");
    scene.in_state(left, State::Defaulted);

    // The provider says nothing more. The requester has the data, the first weights and the seed of the blindings: it trains the
    // segment again, and has what opens the stored commitment.
    let again = rerun(&trained.job, 0, trained.before(0));
    let current = scene.job(left).current;
    assert_eq!(Opening::after(0, &again.last).digest(), current);

    let rest = trained.going_on(0);
    let mut terms = scene.terms(&rest, Level::Proven);
    assert_eq!(terms.training.first, current);
    terms.parent = left;
    // What came back from the first job is escrowed again; the first segment's last share is over.
    let owed = || scene.owed_by_market(scene.requester.address());
    let last_share = tokens(PRICE / 5);
    assert_eq!(owed(), escrow(2) + last_share);
    let job = scene.open(&terms, 2, escrow(2));
    assert_eq!(owed(), last_share);
    let domain = scene.start(job, &scene.partner);
    for index in 0..rest.statement.segments() {
        scene.prove(&scene.partner, job, index, &rest.prove(index, domain)).expect("the proof is right");
        assert_eq!(scene.job(job).current, rest.opening(index).digest());
    }
    scene.in_state(job, State::Delivering);
    scene.requester.send(scene.market(), &TrainingMarket::acknowledgeCall { id: job }).expect("it has the weights");
    scene.in_state(job, State::Completed);

    scene.collect(left);
    scene.collect(job);
    scene.withdraw();
    // Four fifths of the first segment: its last share came back, as the delivery did not come.
    let first = (PRICE * 4 / 5) as i64;
    // A tenth of the bond, for the two segments of three that were not done.
    let lost = BOND / 10 * 2 / 3;
    scene.balances([
        Balance { who: "requester", gained: -first - 2 * PRICE as i64, stake: 0 },
        Balance { who: "provider", gained: first, stake: STAKE - lost },
        Balance { who: "partner", gained: 2 * PRICE as i64, stake: STAKE },
        Balance { who: "first validator", gained: 0, stake: STAKE },
        Balance { who: "second validator", gained: 0, stake: STAKE },
        Balance { who: "third validator", gained: 0, stake: STAKE },
    ]);
    assert_eq!(scene.balance(BURNT), tokens(lost));
    assert_eq!(scene.balance(scene.market()), tokens(0), "the market keeps nothing");
}
