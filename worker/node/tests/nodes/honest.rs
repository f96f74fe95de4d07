//! A job from its posting to its payment.

use gradproof_chain::market::{State, ends_of};
use gradproof_node::facts::Opened;
use gradproof_node::history::{As, History, counterparties};

use crate::member::Member;
use crate::scene::{Balance, FORTUNE, PRICE, STAKE, Scene, tokens};
use crate::trade::{completed, paid_out};
use crate::workshop::{SEGMENTS, digest};

#[test]
fn a_job_is_posted_taken_by_one_of_two_trained_proved_delivered_and_paid() {
    let Some(scene) = Scene::start("a_job_is_posted_and_paid") else { return };
    let mut requester = Member::requester(&scene, 0x11);
    let mut providers = [Member::provider(&scene, 0x21), Member::provider(&scene, 0x22)];
    requester.start(&scene);
    providers.iter_mut().for_each(|provider| provider.start(&scene));
    requester.allow(&scene, &scene.terms());
    let job = requester.post(&scene, scene.terms());
    scene.until("somebody takes the job", || scene.is(job, State::Assigned));
    let owner = scene.job(job).owner;
    let [one, other] = &providers;
    let (lead, other) = if one.account() == owner { (one, other) } else { (other, one) };
    assert_eq!(lead.account(), owner, "it is one of the two");
    paid_out(&scene, job, State::Completed, &[&requester, lead, other]);

    let facts = requester.facts(job).expect("it follows the job");
    assert_eq!(facts.wrapped_for, Some(owner));
    let opened = [(0, 3), (1, 6)].map(|(batch, segments)| (batch, Opened::Right(digest(job, segments))));
    assert_eq!(facts.opened, opened.into());
    let [first, second] = completed(&requester, lead);
    let rest = Balance { who: "other", account: other.account(), tokens: FORTUNE - STAKE, stake: STAKE };
    scene.balances(&[first, second, rest], 0);
    let said = |account| {
        let ends = scene.chain.wait(ends_of(scene.chain.client(), &scene.deployment, account));
        counterparties(&ends.expect("the node answers")).into_iter().collect::<Vec<_>>()
    };
    let history = History { jobs: 1, failed: 0, paid: tokens(SEGMENTS * PRICE).to() };
    assert_eq!(said(owner), [((As::Provider, requester.account()), history)]);
    assert_eq!(said(requester.account()), [((As::Requester, owner), history)]);
    assert_eq!(said(other.account()), []);
    assert!(!other.facts(job).is_some_and(|facts| facts.parcel), "who does not train gets no data");
}
