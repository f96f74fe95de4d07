//! A requester that never hands over, and an acceptance that the chain forgets.

use gradproof_chain::market::{State, TrainingMarket};

use crate::member::{CONFIRMATIONS, Member};
use crate::scene::{Balance, FEE, FORTUNE, STAKE, Scene};
use crate::trade::{Trade, completed, paid_out};

/// How long a provider has to start here, in seconds.
const START_SECS: u32 = 3600;

#[test]
fn who_is_handed_no_data_does_not_start_loses_a_fee_and_takes_the_job_no_second_time() {
    let Some(scene) = Scene::start("who_is_handed_no_data") else { return };
    let (requester, mut provider) = (Member::requester(&scene, 0x11), Member::provider(&scene, 0x21));
    provider.start(&scene);
    let mut terms = scene.terms();
    terms.times.startSecs = START_SECS;
    let reopen = terms.times.reopenSecs;
    let job = requester.post_alone(&scene, terms);
    scene.until("the job is taken", || scene.is(job, State::Assigned));
    let tries = || provider.shared().said_of(&format!("get and check the data of job {job}")).is_some();
    scene.until("it asks for the data in vain", tries);
    let facts = provider.facts(job).expect("it has the job");
    assert!(!facts.parcel && facts.ends.is_empty() && scene.is(job, State::Assigned));

    scene.pass(START_SECS + 1);
    scene.send(scene.market(), &TrainingMarket::declineCall { id: job });
    assert!(scene.is(job, State::Open));
    scene.pass(reopen + 1);
    let after = scene.block() + CONFIRMATIONS;
    let saw = || provider.shared().view(job).is_some_and(|view| view.job.now.block > after);
    scene.until("the provider sees that the job can be taken again", saw);
    assert!(scene.is(job, State::Open), "it took the job again");

    requester.send(scene.market(), &TrainingMarket::cancelCall { id: job });
    scene.send(scene.market(), &TrainingMarket::withdrawCall { account: requester.account() });
    let balances = [
        Balance { who: "requester", account: requester.account(), tokens: FORTUNE - FEE, stake: 0 },
        Balance { who: "provider", account: provider.account(), tokens: FORTUNE - STAKE, stake: STAKE - FEE },
    ];
    scene.balances(&balances, 2 * FEE);
}

#[test]
fn for_an_acceptance_that_a_reorganisation_drops_nothing_is_encrypted() {
    let Some(Trade { scene, mut requester, mut provider }) = Trade::start("for_an_acceptance_that_is_dropped") else {
        return;
    };
    let mut partner = Member::provider(&scene, 0x22);
    partner.start(&scene);
    partner.kill();
    requester.allow(&scene, &scene.terms());
    scene.automine(false);
    let job = requester.post(&scene, scene.terms());
    scene.until("the job is posted", || scene.is(job, State::Open));
    let before = scene.snapshot();
    scene.until("the job is taken", || scene.is(job, State::Assigned));
    let owner = provider.account();
    let sees = || requester.shared().view(job).is_some_and(|view| view.job.job.owner == owner);
    scene.until_without_blocks("the requester sees the acceptance", sees);
    assert_eq!(requester.facts(job).expect("it has the job").wrapped_for, None, "it is not deep enough");

    provider.kill();
    scene.back_to(&before);
    scene.drop_transactions();
    scene.mine(2 * CONFIRMATIONS as u32 + 2);
    let reached = scene.block();
    let sees = || requester.shared().view(job).is_some_and(|view| view.job.now.block >= reached);
    scene.until("the requester follows the other branch", sees);
    assert!(scene.is(job, State::Open));
    assert_eq!(requester.facts(job).expect("it has the job").wrapped_for, None, "nobody has the job");

    scene.automine(true);
    partner.start(&scene);
    paid_out(&scene, job, State::Completed, &[&requester, &partner]);
    assert_eq!(requester.facts(job).expect("it has the job").wrapped_for, Some(partner.account()));
    let [first, second] = completed(&requester, &partner);
    let rest = Balance { who: "other", account: provider.account(), tokens: FORTUNE - STAKE, stake: STAKE };
    scene.balances(&[first, second, rest], 0);
    requester.kill();
}

#[test]
fn an_open_job_that_nobody_can_take_any_more_keeps_no_place() {
    let Some(trade) = Trade::start("an_open_job_that_nobody_can_take_any_more") else { return };
    let Trade { scene, requester, provider } = &trade;
    requester.allow(scene, &scene.terms());
    scene.automine(false);
    let job = requester.post(scene, scene.terms());
    scene.until("the job is posted", || scene.is(job, State::Open));
    let sends = || provider.shared().account.list().expect("the journal is read").len() == 1;
    scene.until_without_blocks("the provider takes it", sends);
    assert!(provider.facts(job).is_some(), "that is a promise");
    scene.drop_transactions();
    scene.pass(scene.terms().times.openSecs + 1);
    assert!(scene.is(job, State::Open), "no block has its transaction");
    scene.until_without_blocks("the promise is over", || provider.facts(job).is_none());
}
