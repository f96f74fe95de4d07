//! What a member of a committee does.

use gradproof_chain::market::{BatchState, State};
use gradproof_chain::{B256, U256};
use gradproof_node::decide::{Action, Call, Seat, View, decide, differs, is_over};
use gradproof_node::facts::{Facts, Role};
use gradproof_node::message::Bytes;
use gradproof_node::words::{Doubt, Judged, Word};
use proptest::prelude::*;

use crate::scene::*;

const NOTHING: [&str; 0] = [];
/// A root that the team named behind the complaint.
const ADDED: B256 = B256::repeat_byte(0x41);

pub fn signature() -> Bytes<65> {
    Bytes::new(vec![7; 65]).expect("65 bytes")
}

/// What is known of a delivery of the first batch.
fn one(root: B256, right: Option<bool>, missed: u32) -> Judged {
    Judged { batch: 0, root, last: LAST, missed, missed_at: 0, right, why: String::new() }
}

/// Deliveries as they may have been judged.
pub fn judged() -> impl Strategy<Value = Vec<Judged>> {
    let known = (prop::sample::select(vec![ROOT, ADDED]), any::<Option<bool>>(), 0u32..5);
    proptest::collection::vec(known.prop_map(|(root, right, missed)| one(root, right, missed)), 0..3)
}

/// Words as they may have been given.
pub fn words() -> impl Strategy<Value = Vec<Word>> {
    let word = (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(yes, signed, other)| Word {
        batch: 0,
        last: if other { ROOT } else { LAST },
        yes,
        signature: signed.then(signature),
    });
    proptest::collection::vec(word, 0..2)
}

/// A validator that holds the data.
pub fn validator() -> Facts {
    Facts { parcel: true, lead: Some(LEAD), ends: ends(), answers_from: Some(NOW - 1), ..Facts::new(Role::Validator) }
}

fn seated(mut view: View) -> View {
    view.me = VALIDATOR;
    view.job.terms.committee.members = vec![LEAD, VALIDATOR];
    view
}

/// A job whose first batch is complained about, at the last second of the time to decide.
fn disputed() -> View {
    let mut view = seated(closed(job(VALIDATOR, State::Running), BatchState::Disputed, 0, 0));
    view.seat = Some(Seat { place: 1, key: VALIDATOR, backed: true });
    let decide = u64::from(view.job.terms.times.decideSecs);
    let complaint = &mut batch(&mut view).complaint;
    complaint.since = uint(NOW);
    complaint.until = uint(NOW + decide);
    complaint.verdict = 1;
    view.job.job.complaints = 1;
    view.job.now.time = NOW + decide;
    view
}

#[test]
fn it_gets_the_data_of_each_provider_and_trains_what_is_closed() {
    let assigned = seated(job(VALIDATOR, State::Assigned));
    let fetch = ["do: get and check the data"];
    assert_eq!(done(&assigned, &Facts::new(Role::Validator)), fetch);
    assert_eq!(done(&assigned, &Facts { lead: Some(REQUESTER), ..validator() }), fetch, "another one had the job");
    assert_eq!(done(&assigned, &Facts { parcel: false, ..validator() }), fetch, "a file of it is gone");
    assert_eq!(done(&assigned, &validator()), NOTHING, "nothing is closed");
    assert_eq!(done(&seated(job(VALIDATOR, State::Open)), &Facts::new(Role::Validator)), NOTHING);
    let mut others = assigned;
    others.job.terms.committee.members = vec![LEAD];
    assert_eq!(done(&others, &Facts::new(Role::Validator)), NOTHING, "it is in no committee");

    let running = seated(closed(job(VALIDATOR, State::Running), BatchState::Proving, 0, 0));
    let behind = Facts { ends: ends()[..2].to_vec(), ..validator() };
    assert_eq!(done(&running, &behind), ["do: train to the end of 3 segments"]);
    assert_eq!(done(&running, &Facts { declines: Some("it diverges".into()), ..behind }), NOTHING);
    assert_eq!(done(&running, &validator()), NOTHING);
}

#[test]
fn it_says_which_claim_is_another_one() {
    let mut view = seated(closed(job(VALIDATOR, State::Running), BatchState::Proving, 0, 0));
    view.claims = ends()[..3].to_vec();
    assert_eq!(differs(&view, &validator()), None);
    view.claims[1] = LAST;
    assert_eq!(differs(&view, &validator()), Some(1));
    assert_eq!(differs(&view, &Facts { ends: ends()[..1].to_vec(), ..validator() }), None, "it was not trained yet");
    assert_eq!(differs(&view, &provider()), None);
    view.job.job.settled = 3;
    view.job.job.closed = 6;
    view.claims = ends()[3..].to_vec();
    assert_eq!(differs(&view, &validator()), None, "the claims begin where nothing is settled");
}

#[test]
fn it_looks_at_what_is_complained_about_and_says_what_it_knows() {
    let mut view = disputed();
    let judge = "do: get and open the weights of batch 0, as was asked";
    let with = |judged: &[Judged]| Facts { judged: judged.to_vec(), ..validator() };
    assert_eq!(done(&view, &validator()), [judge]);
    assert_eq!(done(&view, &with(&[one(ROOT, Some(true), 0)])), ["do: say yes of batch 0"]);
    assert_eq!(done(&view, &with(&[one(ROOT, Some(false), 0)])), ["do: say no of batch 0"]);
    assert_eq!(done(&view, &with(&[one(ROOT, None, 2)])), [judge], "it may come");
    assert_eq!(done(&view, &with(&[one(ROOT, None, 3)])), ["do: say no of batch 0", judge]);
    let stale = Judged { last: ROOT, ..one(ROOT, Some(true), 0) };
    assert_eq!(done(&view, &with(&[stale])), [judge], "it was compared with another claim");

    // One of the roots is enough for a yes; for a no all are needed.
    let roots = || [(0, [ADDED].into())].into();
    let also = |judged: &[Judged]| Facts { roots: roots(), ..with(judged) };
    assert_eq!(done(&view, &also(&[one(ROOT, Some(false), 0)])), [judge]);
    assert_eq!(done(&view, &also(&[one(ROOT, Some(false), 0), one(ADDED, Some(true), 0)])), ["do: say yes of batch 0"]);
    assert_eq!(done(&view, &also(&[one(ROOT, Some(false), 0), one(ADDED, Some(false), 0)])), ["do: say no of batch 0"]);

    // In the first half the team may name another delivery.
    view.job.now.time -= u64::from(view.job.terms.times.decideSecs / 2);
    assert_eq!(done(&view, &with(&[one(ROOT, Some(false), 9)])), NOTHING);
    assert_eq!(done(&view, &with(&[one(ROOT, None, 9)])), [judge], "it is looked for all the time");
}

#[test]
fn a_word_that_is_stored_and_signed_is_brought_and_no_other() {
    let view = disputed();
    let word = |yes, signature| Word { batch: 0, last: LAST, yes, signature };
    let with = |word: Word, right| Facts { words: vec![word], judged: vec![one(ROOT, Some(right), 0)], ..validator() };
    // Whatever it finds out later.
    assert_eq!(done(&view, &with(word(false, None), true)), ["do: say no of batch 0"]);
    let signed = with(word(false, Some(signature())), true);
    let attest = Call::Attest { batch: 0, last: LAST, place: 1, yes: false };
    let calls = |view: &View| -> Vec<Call> {
        let call = |action| match action {
            Action::Send { call, .. } => Some(call),
            _ => None,
        };
        decide(view, &signed).into_iter().filter_map(call).collect()
    };
    assert_eq!(calls(&view), [attest]);
    let changed = |change: &dyn Fn(&mut View)| {
        let mut view = view.clone();
        change(&mut view);
        calls(&view)
    };
    assert_eq!(changed(&|view| batch(view).complaint.no = 0b10), [], "it counts already");
    assert_eq!(changed(&|view| batch(view).complaint.yes = 0b10), [], "it counts already");
    assert_eq!(changed(&|view| batch(view).complaint.no = 0b01).len(), 1, "that is another member's");
    assert_eq!(changed(&|view| batch(view).last = ROOT), [], "that is another question");
    assert_eq!(changed(&|view| view.seat = None), []);
    assert_eq!(changed(&|view| view.seat = Some(Seat { place: 1, key: LEAD, backed: true })), [], "another key");
    assert_eq!(changed(&|view| view.seat = Some(Seat { place: 1, key: VALIDATOR, backed: false })), [], "no stake");
    assert_eq!(changed(&|view| view.job.now.time += 1), [], "it is over");
}

#[test]
fn what_was_asked_before_it_knew_the_job_it_does_not_answer() {
    let view = disputed();
    let right = vec![one(ROOT, Some(true), 0)];
    let from = |answers_from| Facts { answers_from, judged: right.clone(), ..validator() };
    assert_eq!(done(&view, &from(Some(NOW - 1))), ["do: say yes of batch 0"]);
    assert_eq!(done(&view, &from(Some(NOW))), NOTHING, "it may have answered in that second");
    assert_eq!(done(&view, &from(None)), NOTHING, "it has just been restored");
    let silent = Facts { answers_from: Some(NOW), ..validator() };
    assert_eq!(done(&view, &silent), NOTHING, "it looks at nothing that it says nothing of");
}

#[test]
fn it_challenges_the_first_claim_that_is_false_and_that_nobody_opens() {
    let mut view = seated(closed(drawn(VALIDATOR, State::Running), BatchState::Proving, 0b001, 0b001));
    view.claims = ends()[..3].to_vec();
    view.claims[1] = LAST;
    view.job.terms.times.windowSecs = 3000;
    let bond = view.job.terms.price.challengeBond;
    let certain = Facts { agreed: 3, budget: bond, ..validator() };
    let doubt = |opens, missed| Doubt { segment: 1, claim: LAST, missed, opens };
    let with = |doubts: &[Doubt]| Facts { doubts: doubts.to_vec(), ..certain.clone() };
    let challenge = ["send: challenge segment 1"];
    let asks = ["do: ask what opens the claim of segment 1"];
    assert_eq!(
        done(&view, &Facts { agreed: 1, ..certain.clone() }),
        ["do: train to the end of 2 segments again, and compare"]
    );
    assert_eq!(done(&view, &certain), asks);
    assert_eq!(done(&view, &with(&[doubt(None, 2)])), asks);
    assert_eq!(done(&view, &with(&[doubt(None, 3)])), challenge, "it is silent");
    assert_eq!(done(&view, &with(&[doubt(Some(false), 0)])), challenge, "it opens to something else");
    assert_eq!(
        done(&view, &with(&[doubt(Some(true), 9)])),
        NOTHING,
        "a right claim with other blindings can be proven"
    );
    assert_eq!(done(&view, &with(&[Doubt { claim: ROOT, ..doubt(Some(true), 0) }])), asks, "that was another claim");

    // What may be lost is bounded.
    let less = Facts { budget: bond - 1, ..with(&[doubt(None, 3)]) };
    assert_eq!(done(&view, &less), NOTHING);
    let before = Doubt { segment: 0, ..doubt(None, 3) };
    let twice = with(&[before, doubt(None, 3)]);
    assert_eq!(done(&view, &twice), NOTHING, "a challenge was made, and lost perhaps");
    assert_eq!(done(&view, &Facts { budget: 2 * bond, ..twice }), challenge);

    let ready = with(&[doubt(None, 3)]);
    let Some(Action::Send { call, .. }) = decide(&view, &ready).pop() else { panic!("it challenges") };
    assert_eq!(call, Call::Challenge { index: 1, claim: LAST });
    let changed = |change: &dyn Fn(&mut View)| {
        let mut view = view.clone();
        change(&mut view);
        done(&view, &ready)
    };
    assert_eq!(changed(&|view| batch(view).record.drawn = 0b010), NOTHING, "it is due as it is");
    assert_eq!(changed(&|view| batch(view).record.challenged = 0b010), NOTHING, "somebody did");
    assert_eq!(changed(&|view| batch(view).record.proven = 0b010), NOTHING, "it is proven");
    assert_eq!(changed(&|view| batch(view).record.acknowledged = true), NOTHING, "the window is closed");
    assert_eq!(changed(&|view| view.job.now.time = NOW + 3001), NOTHING, "the window is over");
    assert_eq!(changed(&|view| view.claims = vec![]), NOTHING, "the endpoints do not agree on the claims");
    let first = |proven: u64| {
        changed(&move |view| {
            view.claims[0] = ROOT;
            let record = batch(view);
            (record.record.proven, record.due) = (proven, 0b001 & !proven);
        })
    };
    assert_eq!(first(0), NOTHING, "the first one that differs is drawn, and its proof may come");
    assert_eq!(first(0b001), challenge, "what is proven hides nothing");

    // What the provider opens hides nothing either.
    view.claims[0] = ROOT;
    let record = batch(&mut view);
    (record.record.drawn, record.due) = (0b100, 0b100);
    let harmless = Doubt { segment: 0, claim: ROOT, missed: 0, opens: Some(true) };
    assert_eq!(done(&view, &with(&[])), ["do: ask what opens the claim of segment 0"]);
    assert_eq!(done(&view, &with(std::slice::from_ref(&harmless))), asks, "it opens the first one");
    assert_eq!(done(&view, &with(&[harmless, doubt(None, 3)])), challenge);
}

#[test]
fn a_claim_that_is_due_hides_later_ones_until_the_last_quarter_of_their_window_and_they_cost_half_of_the_budget() {
    // All claims are other ones, and the first is drawn and not proven.
    let mut view = seated(closed(drawn(VALIDATOR, State::Running), BatchState::Proving, 0b000001, 0b000001));
    view.job.terms.batches.deliverEvery = 6;
    view.job.terms.times.windowSecs = 4000;
    view.claims = vec![LAST; 6];
    let bond = view.job.terms.price.challengeBond;
    let doubt = |segment| Doubt { segment, claim: LAST, missed: 3, opens: None };
    // Within a quarter of the window, which ends at 3000; so many times the bond is risked, and so many claims are in doubt.
    let late = |view: &View, risked: u128, doubts: &[Doubt], time: u64| {
        let mut view = view.clone();
        view.job.now.time = NOW + time;
        done(&view, &Facts { agreed: 6, budget: risked * bond, doubts: doubts.to_vec(), ..validator() })
    };
    let asks = |segment: u64| [format!("do: ask what opens the claim of segment {segment}")];
    assert_eq!(late(&view, 2, &[], 0), asks(1), "it is ready when the time comes");
    assert_eq!(late(&view, 2, &[doubt(1)], 1999), NOTHING, "the proof of the first one may come");
    assert_eq!(late(&view, 2, &[doubt(1)], 2000), ["send: challenge segment 1"]);
    assert_eq!(late(&view, 1, &[doubt(1)], 2000), ["send: challenge segment 1"], "one in any case");
    assert_eq!(late(&view, 0, &[doubt(1)], 2000), NOTHING, "but of what is risked");
    assert_eq!(late(&view, 2, &[doubt(1)], 3001), NOTHING, "the window is over");

    // Whoever proves them all, from wrong weights, earns half.
    let record = batch(&mut view);
    (record.record.challenged, record.record.proven) = (0b000010, 0b000010);
    assert_eq!(late(&view, 3, &[doubt(1)], 2000), NOTHING);
    assert_eq!(late(&view, 4, &[doubt(1)], 2000), asks(2));
    assert_eq!(late(&view, 4, &[doubt(1), doubt(2)], 1999), NOTHING);
    assert_eq!(late(&view, 4, &[doubt(1), doubt(2)], 2000), ["send: challenge segment 2"]);
    batch(&mut view).record.challenged = 0b000110;
    assert_eq!(late(&view, 5, &[doubt(1), doubt(2)], 2000), NOTHING, "neither proven nor out of time");
    assert_eq!(late(&view, 6, &[doubt(1), doubt(2)], 2000), asks(3));

    // Once the first one is proven, the next ones are challenged in their order, each when the one before is proven.
    let record = batch(&mut view);
    (record.record.proven, record.due) = (0b000111, 0);
    assert_eq!(late(&view, 3, &[doubt(1), doubt(2)], 0), asks(3));
    assert_eq!(late(&view, 3, &[doubt(1), doubt(2), doubt(3)], 0), ["send: challenge segment 3"]);
    assert_eq!(late(&view, 2, &[doubt(1), doubt(2), doubt(3)], 0), NOTHING, "the budget is spent");
    let record = batch(&mut view);
    (record.record.challenged, record.due) = (0b001110, 0b001000);
    assert_eq!(late(&view, 8, &[doubt(1), doubt(2), doubt(3), doubt(4)], 1999), NOTHING, "its own challenge runs");
    let last = late(&view, 8, &[doubt(1), doubt(2), doubt(3), doubt(4)], 2000);
    assert_eq!(last, ["send: challenge segment 4"], "a proof that comes late hides nothing either");
}

#[test]
fn it_takes_its_bond_back_where_the_batch_is_void() {
    let mut view = seated(job(VALIDATOR, State::Slashed));
    view.void_challenges = vec![4, 5];
    assert_eq!(done(&view, &validator()), ["send: reclaim segment 4", "send: reclaim segment 5"]);
    view.void_challenges.clear();
    assert_eq!(done(&view, &validator()), NOTHING);
}

#[test]
fn a_complaint_hides_no_draw_and_no_challenge() {
    let mut view = disputed();
    view.job.now.time = NOW + 1;
    view.job.terms.batches.draws = 1;
    view.claims = vec![ends()[0], LAST, ends()[2]];
    let bond = view.job.terms.price.challengeBond;
    let doubts = vec![Doubt { segment: 1, claim: LAST, missed: 3, opens: None }];
    let judged = vec![one(ROOT, None, 9)];
    let facts = Facts { agreed: 3, budget: bond, doubts, judged, ..validator() };
    assert!(done(&view, &facts).contains(&"send: challenge segment 1".to_owned()));
    batch(&mut view).record.known = false;
    assert!(!done(&view, &facts).contains(&"send: challenge segment 1".to_owned()), "its draw is not made");
    let mut lead = View { me: LEAD, ..view.clone() };
    lead.job.now.time = NOW + u64::from(view.job.terms.times.revealSecs) + 1;
    assert!(done(&lead, &provider()).contains(&"send: fixLate batch 0".to_owned()));
    let mut revealing = View { me: REQUESTER, ..view };
    revealing.job.now.block = BLOCK + 8;
    let secret = Facts { secret: Some(secrets()), ..requester() };
    assert!(done(&revealing, &secret).contains(&"send: reveal batch 0".to_owned()));
}

#[test]
fn what_anyone_can_do_to_end_a_job_it_does_when_nobody_did_for_a_day() {
    const DAY: u64 = 24 * 3600;
    // It knows what it says of the complaint.
    let facts = Facts { judged: vec![one(ROOT, Some(false), 0)], ..validator() };
    let at = |mut view: View, time: u64| {
        view.job.now.time = time;
        done(&view, &facts)
    };
    let waits = |view: View, from: u64, call: &str| {
        assert_eq!(at(view.clone(), from + DAY), NOTHING, "{call}: somebody else may");
        assert_eq!(at(view.clone(), from + DAY + 1), [format!("send: {call}")]);
        let mut free = view.clone();
        free.seat = Some(Seat { place: 1, key: VALIDATOR, backed: false });
        assert_eq!(at(free, from + DAY + 1), NOTHING, "{call}: its stake is free");
        let mut others = view;
        others.job.terms.committee.members = vec![LEAD];
        assert_eq!(at(others, from + DAY + 1), NOTHING, "{call}: it is in no committee");
    };
    waits(seated(job(VALIDATOR, State::Open)), NOW + 101, "cancel");
    waits(seated(job(VALIDATOR, State::Assigned)), NOW + 101, "decline");
    let running = seated(job(VALIDATOR, State::Running));
    let batch_secs = u64::from(running.job.terms.times.batchSecs);
    waits(running, NOW + batch_secs + 1, "abandon");

    // Nothing but the first batch is left.
    let batched = |state, drawn_bits, due| {
        let mut view = seated(closed(drawn(VALIDATOR, State::Running), state, drawn_bits, due));
        view.job.job.total = EVERY.into();
        view
    };
    waits(batched(BatchState::Proving, 0, 0), NOW + 10_001, "settle");
    let times = batched(BatchState::Drawing, 0, 0).job.terms.times;
    waits(batched(BatchState::Proving, 0b001, 0b001), NOW + 2000 + u64::from(times.proveSecs) + 1, "fail segment 0");
    waits(batched(BatchState::Drawing, 0, 0), NOW + u64::from(times.revealSecs) + DAY + 1, "fixLate batch 0");
    let mut fixed = batched(BatchState::Drawing, 0, 0);
    batch(&mut fixed).record.lateAt = uint(NOW);
    fixed.job.now.block = BLOCK + 1;
    waits(fixed, NOW, "drawLate batch 0");
    let mut lapsed = disputed();
    lapsed.job.job.total = EVERY.into();
    waits(lapsed.clone(), NOW + u64::from(lapsed.job.terms.times.decideSecs) + 1, "lapse batch 0");
}

#[test]
fn it_takes_what_it_earned_and_its_stake_back() {
    let mut view = seated(job(VALIDATOR, State::Completed));
    view.owed = U256::from(1);
    assert_eq!(done(&view, &validator()), ["send: withdraw"]);
    view.owed_bonds = U256::from(1);
    assert_eq!(done(&view, &validator()), ["send: withdraw", "send: withdraw from the vault"]);
    assert!(!is_over(&view));
    (view.owed, view.owed_bonds) = (U256::ZERO, U256::ZERO);
    assert!(is_over(&view));
    view.job.job.endedAt = uint(NOW);
    view.seat = Some(Seat { place: 1, key: VALIDATOR, backed: true });
    assert_eq!(done(&view, &validator()), NOTHING, "contradictions can be shown still");
    view.job.now.time = NOW + gradproof_chain::market::UNBONDING_SECS + 1;
    assert_eq!(done(&view, &validator()), ["send: unback"]);
    view.seat = Some(Seat { place: 1, key: VALIDATOR, backed: false });
    assert_eq!(done(&view, &validator()), NOTHING, "somebody freed it");
    let mut never = seated(job(VALIDATOR, State::Cancelled));
    never.seat = Some(Seat { place: 1, key: VALIDATOR, backed: true });
    assert_eq!(done(&never, &validator()), ["send: unback"], "nothing was ever asked");
}
