//! What a provider has no room for: more jobs at once than it has places and stake for, and any other after a failure.

use gradproof_chain::market::State;
use gradproof_node::live::FAILURE;

use crate::member::Member;
use crate::scene::{BATCH_PRICE, STAKE, Scene};
use crate::trade::{Trade, paid_out};

/// Jobs that are posted at once.
const JOBS: u8 = 8;
/// Places of the one provider; the other one has as many as there are jobs, and stake for fewer.
const PLACES: usize = 2;

#[test]
fn of_eight_jobs_at_once_each_provider_takes_as_many_as_it_has_places_and_stake_for() {
    let Some(scene) = Scene::start("of_eight_jobs_at_once") else { return };
    let requesters: Vec<Member> = (0..JOBS).map(|number| Member::requester(&scene, 0x60 + number)).collect();
    // All of them are open when the providers begin to look.
    let jobs: Vec<_> = requesters.iter().map(|requester| requester.post_alone(&scene, scene.terms())).collect();
    let of_places = |seed, places| {
        let mut member = Member::provider(&scene, seed).with(|config| {
            config.provider.as_mut().expect("it is a provider's").jobs = places;
        });
        member.start(&scene);
        member
    };
    let (few, poor) = (of_places(0x21, PLACES), of_places(0x22, JOBS.into()));
    let bonds = (STAKE / BATCH_PRICE) as usize;
    let taken = |member: &Member| jobs.iter().filter(|job| scene.job(**job).owner == member.account()).count();
    let settled = || {
        let counts = (taken(&few), taken(&poor));
        assert!(counts.0 <= PLACES && counts.1 <= bonds, "{counts:?} are taken, of {PLACES} and {bonds}");
        counts == (PLACES, bonds)
    };
    scene.until("each has as many as it can", settled);
    let rest: Vec<_> = jobs.iter().filter(|job| scene.is(**job, State::Open)).collect();
    assert_eq!(rest.len(), usize::from(JOBS) - PLACES - bonds);
    let said = |member: &Member, why: &str| {
        rest.iter().all(|job| member.shared().said_of(&format!("offer {job}")).is_some_and(|said| said.contains(why)))
    };
    scene.until("each says why it takes no other", || {
        settled() && said(&few, "2 jobs are promised, of at most 2") && said(&poor, "of the stake is free")
    });
}

#[test]
fn after_a_failure_no_other_job_is_taken_until_somebody_has_looked() {
    let Some(trade) = Trade::start("after_a_failure_no_other_job_is_taken") else { return };
    let Trade { scene, requester, provider } = &trade;
    provider.shop.miscompute(1);
    let first = trade.post();
    let failed = || provider.shared().store.record(FAILURE).expect("the store is read").is_some();
    scene.until("two results do not agree", failed);
    paid_out(scene, first, State::Completed, &[requester, provider]);
    let second = Member::requester(scene, 0x12).post_alone(scene, scene.terms());
    let said = || provider.shared().said_of(&format!("offer {second}"));
    scene.until("it says why", || said().is_some_and(|said| said.contains("a job failed on this node")));
    scene.mine(5);
    assert!(scene.is(second, State::Open) && failed());
    // As `provider doctor` does.
    provider.shared().store.put(FAILURE, None).expect("the store is written");
    scene.until("it takes the other one", || scene.is(second, State::Assigned));
}
