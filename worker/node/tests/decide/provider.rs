//! What a provider does.

use gradproof_chain::U256;
use gradproof_chain::market::{BatchState, State, When};
use gradproof_node::decide::{Action, Call, decide, is_over};
use gradproof_node::facts::{Facts, Role};

use crate::scene::*;

const NOTHING: [&str; 0] = [];

#[test]
fn it_takes_what_it_wants_once_and_in_time() {
    let view = job(LEAD, State::Open);
    let open = Facts { accept: Some(90), ..Facts::new(Role::Provider) };
    let Some(Action::Send { call: Call::Accept { least_price: 90 }, .. }) = decide(&view, &open).pop() else {
        panic!("it accepts at its price")
    };
    assert_eq!(done(&view, &open), ["send: accept"]);
    assert_eq!(done(&view, &Facts::new(Role::Provider)), NOTHING, "nobody wants the job");
    assert_eq!(done(&view, &Facts { declines: Some("late".into()), ..open.clone() }), NOTHING, "it handed it back");
    let mut early = view.clone();
    early.job.job.acceptFrom = uint(NOW + 1);
    assert_eq!(done(&early, &open), NOTHING);
    let mut late = view;
    late.job.job.deadline = uint(NOW - 1);
    assert_eq!(done(&late, &open), NOTHING);
}

#[test]
fn it_takes_the_offer_that_it_agreed_to_while_the_market_takes_it() {
    let mut view = job(LEAD, State::None);
    let facts = Facts { accept: Some(90), offered: Some(NOW), ..Facts::new(Role::Provider) };
    let taken = Action::Send { call: Call::Take, from: None, until: Some(When::Time(NOW)) };
    assert_eq!(decide(&view, &facts), [taken]);
    assert_eq!(done(&view, &Facts { offered: None, ..facts.clone() }), NOTHING, "nobody offered it");
    view.job.now.time = NOW + 1;
    assert_eq!(done(&view, &facts), NOTHING, "it is over");
    let mut assigned = job(LEAD, State::Assigned);
    assigned.job.job.owner = REQUESTER;
    assert_eq!(done(&assigned, &facts), NOTHING, "somebody has it");
    assert_eq!(done(&job(LEAD, State::Open), &facts), ["send: accept"], "posted for all it is promised as well");
}

#[test]
fn it_starts_when_it_has_checked_the_data_and_trained() {
    let view = job(LEAD, State::Assigned);
    let mut facts = Facts { accept: Some(90), ..Facts::new(Role::Provider) };
    assert_eq!(done(&view, &facts), ["do: get and check the data"]);
    facts.parcel = true;
    assert_eq!(done(&view, &facts), ["do: train to the end of 1 segments"], "which says how long the whole job takes");
    // A quarter of the time is for six segments.
    let longest = u64::from(view.job.terms.times.startSecs) * 1000 / 4 / u64::from(SEGMENTS);
    facts.ends = ends()[..1].to_vec();
    facts.training_ms = Some(longest);
    assert_eq!(done(&view, &facts), ["do: train to the end of 6 segments"]);
    facts.training_ms = Some(longest + 1);
    assert_eq!(done(&view, &facts), ["send: start"], "the whole job would take too long");
    facts.training_ms = Some(longest);
    facts.ends = ends();
    assert_eq!(done(&view, &facts), ["send: start"]);
    facts.declines = Some("it diverges".into());
    assert_eq!(done(&view, &facts), ["send: decline"]);
    let mut late = view.clone();
    late.job.job.deadline = uint(NOW - 1);
    assert_eq!(done(&late, &facts), ["send: decline"], "the bond is held until somebody hands it back");
    let mut others = view;
    others.job.job.owner = REQUESTER;
    assert_eq!(done(&others, &facts), NOTHING);
}

#[test]
fn it_starts_a_job_with_a_committee_only_when_that_holds_the_same_data() {
    let mut view = job(LEAD, State::Assigned);
    view.job.terms.committee.members = vec![REQUESTER];
    let start = u64::from(view.job.terms.times.startSecs);
    view.job.job.deadline = uint(NOW + start);
    let mut facts = Facts { training_ms: Some(1), ..provider() };
    let asks = ["do: ask the committee whether it holds the same data"];
    assert_eq!(done(&view, &facts), asks);
    view.job.now.time = NOW + start / 2;
    assert_eq!(done(&view, &facts), asks);
    view.job.now.time += 1;
    assert_eq!(done(&view, &facts), ["send: decline"], "who would judge cannot");
    facts.shared = true;
    assert_eq!(done(&view, &facts), ["send: start"]);
}

#[test]
fn a_job_that_was_too_long_for_the_start_is_trained_a_batch_at_a_time() {
    let mut view = job(LEAD, State::Running);
    let mut facts = Facts { ends: ends()[..1].to_vec(), agreed: 0, ..provider() };
    assert_eq!(done(&view, &facts), ["do: prove segment 0"]);
    facts.proven.insert(0);
    assert_eq!(done(&view, &facts), ["send: claimProven segment 0", "do: train to the end of 3 segments"]);
    facts.ends = ends()[..3].to_vec();
    facts.proven.extend([1, 2]);
    view.job.job.claimed = 2;
    let ahead = ["send: claimProven segment 2", "do: train to the end of 6 segments"];
    assert_eq!(done(&view, &facts), ahead, "the prover waits for no block");
    facts.declines = Some("it diverges".into());
    assert_eq!(done(&view, &facts), ["send: claimProven segment 2"], "it would diverge again");
}

#[test]
fn where_all_is_proven_it_claims_with_proofs_and_closes_what_it_delivers() {
    let mut view = job(LEAD, State::Running);
    let mut facts = provider();
    assert_eq!(done(&view, &facts), ["do: prove segment 0"]);
    facts.proven.insert(0);
    assert_eq!(done(&view, &facts), ["send: claimProven segment 0", "do: prove segment 1"]);
    facts.proven.extend([1, 2]);
    view.job.job.claimed = 2;
    assert_eq!(done(&view, &facts), ["send: claimProven segment 2", "do: prove segment 3"], "it proves ahead");
    view.job.job.claimed = 3;
    assert_eq!(done(&view, &facts), ["do: encrypt the weights of batch 0"]);
    facts.delivered.insert(0, ROOT);
    assert_eq!(done(&view, &facts), ["send: close batch 0"]);
    assert!(decide(&view, &facts).contains(&Action::Send {
        call: Call::Close { batch: 0, root: ROOT, seat: 0 },
        from: None,
        until: Some(When::Time(NOW + u64::from(view.job.terms.times.batchSecs))),
    }));
    view.job.now.time = NOW + u64::from(view.job.terms.times.batchSecs) + 1;
    assert_eq!(done(&view, &facts), ["send: close batch 0"], "it is late, and nobody has ended the job");
    view.job.job.claimed = 2;
    assert_eq!(done(&view, &facts), ["send: claimProven segment 2", "do: prove segment 3"]);
}

#[test]
fn where_some_are_drawn_it_claims_what_it_trained_to_and_proves_what_is_due() {
    let view = drawn(LEAD, State::Running);
    let mut facts = provider();
    let [Action::Send { call: Call::Claim { from: 0, ends: claimed }, .. }] = &decide(&view, &facts)[..] else {
        panic!("it claims a batch")
    };
    assert_eq!(claimed[..], ends()[..3], "one batch at a time");
    let mut short = Facts { ends: vec![], agreed: 0, ..facts.clone() };
    let train = ["do: train to the end of 3 segments"];
    assert_eq!(done(&view, &short), train, "it claims nothing that it has not trained");
    short.declines = Some("it diverges".into());
    assert_eq!(done(&view, &short), NOTHING, "it would diverge again");
    let again = |segments: u64| format!("do: train to the end of {segments} segments again, and compare");
    let once = Facts { agreed: 0, ..facts.clone() };
    assert_eq!(done(&view, &once), [again(3)], "it claims nothing that it trained once");
    let part = Facts { agreed: 2, ..facts.clone() };
    assert_eq!(done(&view, &part), ["send: claim from segment 0".to_owned(), again(3)]);
    let late = Facts { agreed: 3, ..facts.clone() };
    assert_eq!(done(&closed(view.clone(), BatchState::Drawing, 0, 0), &late)[0], again(6));
    let mut full = view.clone();
    full.job.job.claimed = 3;
    assert_eq!(done(&full, &facts), ["do: encrypt the weights of batch 0"]);

    let mut drawing = closed(view.clone(), BatchState::Drawing, 0, 0);
    let lost = ["send: claim from segment 3", "do: encrypt the weights of batch 0"];
    assert_eq!(done(&drawing, &facts), lost, "the delivery comes out as the one that was lost");
    facts.delivered.insert(0, ROOT);
    assert_eq!(done(&drawing, &facts), ["send: claim from segment 3"], "it goes on, and waits for the draw");
    drawing.job.job.claimed = 6;
    facts.delivered.insert(1, ROOT);
    drawing.job.now.time = NOW + u64::from(drawing.job.terms.times.revealSecs) + 1;
    assert_eq!(done(&drawing, &facts), ["send: close batch 1", "send: fixLate batch 0"]);

    let mut proving = closed(view, BatchState::Proving, 0b010, 0b010);
    proving.job.job.total = 3;
    assert_eq!(done(&proving, &facts), ["do: prove segment 1"]);
    let lost = Facts { parcel: false, ends: vec![], delivered: [].into(), ..facts.clone() };
    assert_eq!(done(&proving, &lost), ["do: get and check the data"]);
    let first = ["do: train to the end of 3 segments", "do: encrypt the weights of batch 0"];
    assert_eq!(done(&proving, &Facts { parcel: true, ..lost }), first);
    let mut both = closed(drawn(LEAD, State::Running), BatchState::Proving, 0b010, 0b010);
    let behind = Facts { agreed: 3, ..facts.clone() };
    assert_eq!(done(&both, &behind), ["do: prove segment 1".to_owned(), again(6)], "what is due comes first");
    both.job.job.claimed = 6;
    assert_eq!(done(&both, &facts), ["do: prove segment 1", "send: close batch 1"]);
    facts.proven.insert(1);
    assert_eq!(done(&proving, &facts), ["send: prove segment 1"]);
    proving.job.now.time = NOW + 2001;
    assert_eq!(done(&proving, &facts), ["send: prove segment 1"], "late, and not lost");
    proving.job.now.time = NOW + 2001 + u64::from(proving.job.terms.times.proveSecs);
    assert_eq!(done(&proving, &facts), NOTHING, "it is lost");
    batch(&mut proving).due = 0;
    proving.job.now.time = NOW + 10_001;
    assert_eq!(done(&proving, &facts), ["send: settle"]);
}

#[test]
fn it_takes_what_it_is_owed_and_then_the_job_is_over() {
    for state in [State::Cancelled, State::Completed, State::Stopped, State::Left, State::Slashed] {
        let mut view = job(LEAD, state);
        assert_eq!((done(&view, &provider()), is_over(&view)), (vec![], true), "{state:?}");
        view.owed = U256::from(1);
        assert_eq!((done(&view, &provider()), is_over(&view)), (vec!["send: withdraw".to_owned()], false), "{state:?}");
    }
    assert_eq!(done(&job(LEAD, State::None), &provider()), NOTHING);
}
