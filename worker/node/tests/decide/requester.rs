//! What a requester does.

use gradproof_chain::market::{BatchState, State};
use gradproof_chain::{B256, U256};
use gradproof_node::consents::Consents;
use gradproof_node::decide::{Action, Call, View, decide, has_all_weights, is_declined};
use gradproof_node::facts::{Facts, Opened, Role};
use gradproof_node::matching::Candidate;
use gradproof_node::message::{Bytes, LicencePath, SignedConsent};
use gradproof_node::offers::{Offers, Said};
use gradproof_node::words::Misses;

use crate::scene::*;

const NOTHING: [&str; 0] = [];

/// A delivery that does not open the claim of the first batch.
fn wrong() -> Opened {
    Opened::Wrong { why: "one place".into(), root: ROOT, last: LAST }
}

#[test]
fn it_posts_and_takes_back() {
    let new = Facts { posts: true, ..Facts::new(Role::Requester) };
    assert_eq!(done(&job(REQUESTER, State::None), &new), ["send: open"]);
    assert_eq!(done(&job(REQUESTER, State::None), &Facts::new(Role::Requester)), NOTHING);
    let cancels = Facts { cancels: true, ..new.clone() };
    assert_eq!(done(&job(REQUESTER, State::None), &cancels), NOTHING);
    let mut open = job(REQUESTER, State::Open);
    assert_eq!(done(&open, &new), NOTHING);
    assert_eq!(done(&open, &cancels), ["send: cancel"]);
    open.job.job.deadline = uint(NOW - 1);
    assert_eq!(done(&open, &new), ["send: cancel"], "nobody took it in time");
    assert_eq!(done(&job(LEAD, State::Open), &cancels), NOTHING, "it is somebody else's");
}

#[test]
fn it_posts_and_offers_a_job_with_a_committee_when_all_members_consent() {
    let consent = |expiry| {
        let signature = Bytes::new(vec![0; 65]).expect("65 bytes");
        SignedConsent { key: LEAD, expiry, signature, path: LicencePath::default() }
    };
    let view = job(REQUESTER, State::None);
    let mut committee = Consents::of(vec![LEAD]);
    let with = |committee: &Consents, posts: bool| {
        let candidate = Candidate { owner: LEAD, price: 1, jobs: 0, failed: 0 };
        let offers = (!posts).then(|| Offers::new(B256::ZERO, &[candidate], |_| view.id));
        Facts { posts, offers, committee: Some(committee.clone()), ..Facts::new(Role::Requester) }
    };
    let asks = ["do: ask the committee for its consents"];
    assert_eq!(done(&view, &with(&committee, true)), asks);
    assert_eq!(done(&view, &with(&committee, false)), asks);
    (committee.job, committee.given) = (view.id, vec![consent(NOW + 600)]);
    assert_eq!(done(&view, &with(&committee, true)), ["send: open"]);
    assert_eq!(done(&view, &with(&committee, false)), [format!("do: offer the job to {LEAD}")]);
    committee.given = vec![consent(NOW + 299)];
    assert_eq!(done(&view, &with(&committee, true)), asks, "they are too old");
    assert_eq!(done(&view, &with(&committee, false)), asks, "the offer can be taken for longer");
    (committee.job, committee.given) = (B256::ZERO, vec![consent(u64::MAX)]);
    assert_eq!(done(&view, &with(&committee, true)), asks, "they are for another job");
    (0..9).for_each(|_| committee.refuse(LEAD, "too low".into()));
    for posts in [true, false] {
        assert_eq!(done(&view, &with(&committee, posts)), NOTHING);
        assert!(is_declined(&view, &with(&committee, posts)), "nobody posts it");
        assert!(!is_declined(&job(REQUESTER, State::Open), &with(&committee, posts)));
    }
}

#[test]
fn it_offers_to_one_after_the_other_and_follows_what_was_taken() {
    let candidate = |owner, price| Candidate { owner, price, jobs: 0, failed: 0 };
    let candidates = [candidate(LEAD, 1), candidate(REQUESTER, 2)];
    let second = B256::repeat_byte(0x11);
    let mut view = job(REQUESTER, State::None);
    let offers = Offers::new(B256::ZERO, &candidates, |candidate| if candidate.price == 1 { view.id } else { second });
    let mut facts = Facts { offers: Some(offers), ..Facts::new(Role::Requester) };
    let id = view.id;
    let set = |facts: &mut Facts, job, until, said| {
        let offers = facts.offers.as_mut().expect("there are some");
        offers.change(job, |offer| (offer.until, offer.said) = (until, said));
    };
    assert_eq!(done(&view, &facts), [format!("do: offer the job to {LEAD}")]);
    set(&mut facts, id, Some(NOW + 10), None);
    assert_eq!(done(&view, &facts), [format!("do: offer the job to {LEAD}")], "asked until it answers");
    set(&mut facts, id, Some(NOW + 10), Some(Said::Yes));
    assert_eq!(done(&view, &facts), NOTHING, "it has its time");
    view.job.now.time = NOW + 11;
    assert_eq!(decide(&view, &facts), [Action::Turn(1)], "it did not use it");
    view.job.now.time = NOW;
    set(&mut facts, id, Some(NOW + 10), Some(Said::No(String::new())));
    assert_eq!(decide(&view, &facts), [Action::Turn(1)]);
    assert_eq!(done(&view, &Facts { cancels: true, ..facts.clone() }), NOTHING, "its user wants it no more");

    // Under the other's id.
    facts.offers.as_mut().expect("there are some").turn = 1;
    view.id = second;
    assert_eq!(done(&view, &facts), [format!("do: offer the job to {REQUESTER}")]);
    view.taken = Some(id);
    assert_eq!(decide(&view, &facts), [Action::Turn(0)], "the first one took it after all");
    assert_eq!(decide(&view, &Facts { cancels: true, ..facts.clone() }), [Action::Turn(0)]);
    view.taken = None;
    set(&mut facts, second, Some(NOW + 20), Some(Said::No(String::new())));
    assert!(done(&view, &facts).is_empty() && !is_declined(&view, &facts), "what was refused can be brought still");
    assert!(!is_declined(&view, &Facts { cancels: true, ..facts.clone() }));
    view.job.now.time = NOW + 21;
    assert!(done(&view, &facts).is_empty() && is_declined(&view, &facts), "nobody can take it");
    let mut taken = job(REQUESTER, State::Assigned);
    taken.id = second;
    assert!(!is_declined(&taken, &facts) && done(&taken, &facts).is_empty());
}

#[test]
fn it_hands_over_to_a_provider_that_is_deep_in_the_chain_only() {
    let mut facts = Facts { posts: true, ..Facts::new(Role::Requester) };
    let mut view = job(REQUESTER, State::Assigned);
    assert_eq!(done(&view, &facts), NOTHING, "the acceptance is new");
    view.settled_lead = Some(REQUESTER);
    assert_eq!(done(&view, &facts), NOTHING, "another one had it then");
    view.settled_lead = Some(LEAD);
    assert_eq!(done(&view, &facts), [format!("do: encrypt the data for {LEAD}")]);
    facts.wrapped_for = Some(LEAD);
    assert_eq!(done(&view, &facts), NOTHING);
    view.job.job.deadline = uint(NOW - 1);
    assert_eq!(done(&view, &facts), ["send: decline"], "it did not start in time");
}

#[test]
fn it_stops_ends_what_stands_still_and_leaves_the_rest_alone() {
    let view = job(REQUESTER, State::Running);
    assert_eq!(done(&view, &requester()), NOTHING);
    assert_eq!(done(&view, &Facts { stop_at: Some(3), ..requester() }), ["send: stop"]);
    assert_eq!(done(&view, &Facts { stop_at: Some(6), ..requester() }), NOTHING, "the job has no more");
    let mut late = view;
    late.job.now.time = NOW + u64::from(late.job.terms.times.batchSecs) + 1;
    assert_eq!(done(&late, &requester()), ["send: abandon"]);
}

#[test]
fn it_opens_what_is_delivered_and_acknowledges_what_is_right() {
    let mut view = closed(job(REQUESTER, State::Running), BatchState::Proving, 0, 0);
    let mut facts = requester();
    assert_eq!(done(&view, &facts), ["do: get and open the weights of batch 0"]);
    facts.opened.insert(0, wrong());
    assert_eq!(done(&view, &facts), NOTHING, "who is silent pays, and nobody acknowledges what is wrong");
    for other in [
        Opened::Wrong { why: String::new(), root: LAST, last: LAST },
        Opened::Wrong { why: String::new(), root: ROOT, last: ROOT },
    ] {
        facts.opened.insert(0, other);
        let again = ["do: get and open the weights of batch 0"];
        assert_eq!(done(&view, &facts), again, "another delivery was wrong, or another claim");
    }
    facts.opened.insert(0, Opened::Right(LAST));
    let acknowledged = Call::Acknowledge { batch: 0, last: LAST, root: ROOT };
    let calls: Vec<Call> = decide(&view, &facts).into_iter().filter_map(call).collect();
    assert_eq!(calls, [acknowledged]);
    batch(&mut view).record.acknowledged = true;
    assert_eq!(done(&view, &facts), ["send: settle"], "what is acknowledged and proven waits for nobody");
    let mut late = closed(job(REQUESTER, State::Running), BatchState::Proving, 0, 0);
    late.job.job.total = 3;
    late.job.now.time = NOW + u64::from(late.job.terms.times.complainSecs) + 1;
    assert_eq!(done(&late, &facts), ["send: settle"], "the provider had its time, and is gone");
}

#[test]
fn a_claim_that_took_the_place_of_the_one_that_was_opened_is_opened_again_and_not_acknowledged() {
    let mut view = closed(job(REQUESTER, State::Running), BatchState::Proving, 0, 0);
    let facts = Facts { opened: [(0, Opened::Right(LAST))].into(), ..requester() };
    assert_eq!(done(&view, &facts), ["send: acknowledge batch 0"]);
    batch(&mut view).last = ROOT;
    assert_eq!(done(&view, &facts), ["do: get and open the weights of batch 0"]);
}

#[test]
fn it_complains_where_a_committee_decides_about_what_is_wrong_or_does_not_come() {
    let wrong = Facts { opened: [(0, wrong())].into(), ..requester() };
    let missing = |times, last_at| Facts { missed: [(0, Misses { times, last_at })].into(), ..requester() };
    let mut view = closed(job(REQUESTER, State::Running), BatchState::Proving, 0, 0);
    assert_eq!(done(&view, &wrong), NOTHING, "nobody could decide");
    view.job.terms.committee.members = vec![LEAD];
    let complaint = Call::Complain { batch: 0, last: LAST, root: ROOT };
    let calls = |view: &View, facts: &Facts| -> Vec<Call> {
        let complains = |call: &Call| matches!(call, Call::Complain { .. });
        decide(view, facts).into_iter().filter_map(call).filter(complains).collect()
    };
    assert_eq!(calls(&view, &wrong), std::slice::from_ref(&complaint), "at once");
    let right = Facts { opened: [(0, Opened::Right(LAST))].into(), ..requester() };
    assert_eq!(done(&view, &right), ["send: acknowledge batch 0"]);
    let half = NOW + u64::from(view.job.terms.times.complainSecs / 2);
    view.job.now.time = half - 1;
    assert_eq!(calls(&view, &missing(9, NOW)), [], "it may come");
    view.job.now.time = half;
    assert_eq!(calls(&view, &missing(2, half - 1)), [], "it was not tried often enough");
    assert_eq!(calls(&view, &missing(3, half - 1)), std::slice::from_ref(&complaint));
    assert_eq!(calls(&view, &missing(1, half)), [complaint], "who was gone for the first half tries once");
    assert_eq!(calls(&view, &requester()), [], "and it does try");
    assert_eq!(calls(&View { me: LEAD, ..view.clone() }, &missing(3, half)), [], "it is somebody else's job");
    let also = |opened| Facts { opened: [(0, opened)].into(), ..missing(3, half) };
    assert_eq!(calls(&view, &also(Opened::Right(LAST))), [], "it came");
    assert_eq!(calls(&view, &also(Opened::Right(ROOT))).len(), 1, "what came opened another claim");
    batch(&mut view).complaint.verdict = 2;
    assert_eq!(calls(&view, &wrong), [], "once");
    batch(&mut view).complaint.verdict = 0;
    batch(&mut view).record.acknowledged = true;
    assert_eq!(calls(&view, &wrong), [], "it took them");
    let mut late = closed(job(REQUESTER, State::Running), BatchState::Proving, 0, 0);
    late.job.terms.committee.members = vec![LEAD];
    late.job.now.time = NOW + u64::from(late.job.terms.times.complainSecs) + 1;
    assert_eq!(calls(&late, &wrong), [], "the time is over");
}

#[test]
fn data_that_could_bring_weights_back_are_kept() {
    let mut view = closed(job(REQUESTER, State::Running), BatchState::Proving, 0, 0);
    let with = |opened| Facts { opened: [(0, opened)].into(), ..requester() };
    assert!(!has_all_weights(&view, &requester()));
    assert!(!has_all_weights(&view, &with(wrong())));
    assert!(has_all_weights(&view, &with(Opened::Right(LAST))));
    batch(&mut view).last = ROOT;
    assert!(!has_all_weights(&view, &with(Opened::Right(LAST))), "another claim stands");
    view.job.job.closed = 0;
    assert!(has_all_weights(&view, &requester()), "nothing was closed");
}

#[test]
fn where_some_are_drawn_it_reveals_and_waits_for_the_proofs() {
    let opened = || [(0, Opened::Right(LAST))].into();
    let facts = Facts { secret: Some(secrets()), opened: opened(), ..requester() };
    let mut drawing = closed(drawn(REQUESTER, State::Running), BatchState::Drawing, 0, 0);
    assert_eq!(done(&drawing, &facts), NOTHING, "the hash that draws may be forgotten");
    drawing.job.now.block = BLOCK + 8;
    assert_eq!(done(&drawing, &facts), ["send: reveal batch 0"]);
    assert_eq!(done(&drawing, &Facts { opened: opened(), ..requester() }), NOTHING, "it has no secret");

    let mut proving = closed(drawn(REQUESTER, State::Running), BatchState::Proving, 0b010, 0b010);
    assert_eq!(done(&proving, &facts), NOTHING, "what is due is not proven");
    batch(&mut proving).due = 0;
    assert_eq!(done(&proving, &facts), ["send: acknowledge batch 0"]);
    let mut failed = closed(drawn(REQUESTER, State::Running), BatchState::Proving, 0b110, 0b110);
    failed.job.job.total = 3;
    failed.job.now.time = NOW + 2001 + u64::from(failed.job.terms.times.proveSecs);
    assert_eq!(done(&failed, &Facts { opened: [(0, wrong())].into(), ..facts }), ["send: fail segment 1"]);
}

#[test]
fn a_job_fails_by_the_segment_whose_time_was_over_first() {
    let mut view = closed(drawn(REQUESTER, State::Running), BatchState::Proving, 0b010, 0b011);
    view.job.job.total = 3;
    batch(&mut view).record.challenged = 0b001;
    let late = u64::from(view.job.terms.times.proveSecs) + 1;
    let facts = Facts { opened: [(0, wrong())].into(), ..requester() };
    let at = |view: &mut View, challenge: u64, time: u64| {
        view.job.challenges = vec![(0, NOW + challenge)];
        view.job.now.time = NOW + time;
        done(view, &facts)
    };
    assert_eq!(at(&mut view, 2001, 1999 + late), NOTHING);
    assert_eq!(at(&mut view, 2001, 2000 + late), ["send: fail segment 1"], "the challenge of the first one runs");
    assert_eq!(at(&mut view, 2001, 2001 + late), ["send: fail segment 1"], "both are over, and one is enough");
    assert_eq!(at(&mut view, 1999, 1999 + late), ["send: fail segment 0"], "what was drawn has its time");
    assert_eq!(at(&mut view, 2000, 2000 + late), ["send: fail segment 0"]);
}

#[test]
fn it_takes_back_what_a_void_batch_holds() {
    let mut view = job(REQUESTER, State::Slashed);
    view.void_complaints = vec![1];
    assert_eq!(done(&view, &requester()), ["send: reclaimComplaint batch 1"]);
    view.owed = U256::from(1);
    assert_eq!(done(&view, &requester()), ["send: withdraw", "send: reclaimComplaint batch 1"]);
}

#[test]
fn it_takes_what_comes_back() {
    let mut view = job(REQUESTER, State::Completed);
    assert_eq!(done(&view, &requester()), NOTHING);
    view.owed = U256::from(1);
    assert_eq!(done(&view, &requester()), ["send: withdraw"]);
}

fn call(action: Action) -> Option<Call> {
    match action {
        Action::Send { call, .. } => Some(call),
        Action::Do(_) | Action::Turn(_) => None,
    }
}
