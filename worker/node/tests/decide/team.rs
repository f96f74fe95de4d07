//! What the lead of a team and its members do.

use gradproof_chain::market::{BatchState, State, TeamSnapshot, TrainingMarket, When};
use gradproof_chain::{Address, B256, U256};
use gradproof_node::decide::{Action, Call, Task, View, decide, differs, is_void};
use gradproof_node::facts::{Facts, Role};
use gradproof_node::message::{Bytes, SignedSeat};
use gradproof_node::team::{Heard, Membership, Share};

use crate::scene::*;

const NOTHING: [&str; 0] = [];
/// A member, which has seat 1.
const MEMBER: Address = Address::repeat_byte(0x4e);
/// Another one, which has seat 2.
const OTHER: Address = Address::repeat_byte(0x5e);

fn seat(owner: Address) -> TrainingMarket::Seat {
    TrainingMarket::Seat { owner, open: 0, gone: false, pay: 30 }
}

fn take(seat: u8, until: u64, from: u64) -> TrainingMarket::Take {
    TrainingMarket::Take { until: uint(until), fromBlock: uint(from), seat, released: false }
}

/// A running job with a team of two members beside the lead, of which so many segments are claimed, as they were trained.
fn team(me: Address, claimed: u16) -> View {
    let mut view = job(me, State::Running);
    view.job.job.claimed = claimed;
    view.job.job.seats = 2;
    let mut filling = batch_of(closed(job(me, State::Running), BatchState::Filling, 0, 0));
    filling.record.taken = 0;
    let claims = ends()[..claimed.into()].to_vec();
    let filling = (claimed > 0).then_some(filling);
    view.team = Some(TeamSnapshot { seats: vec![seat(MEMBER), seat(OTHER)], filling, claims, takes: [].into() });
    view
}

fn batch_of(view: View) -> TrainingMarket::BatchView {
    view.job.batches.into_iter().next().expect("a batch is closed").1
}

/// The same whose first batch is closed, and all of it is due.
fn due(me: Address) -> View {
    let mut view = closed(team(me, 3), BatchState::Proving, 7, 7);
    view.team.as_mut().expect("it has one").filling = None;
    let time = u64::from(view.job.terms.times.proveSecs);
    batch(&mut view).record.until = uint(NOW + time);
    view
}

/// The same whose lead does not answer since [`NOW`].
fn unheard(facts: Facts) -> Facts {
    let member = facts.member.map(|member| Membership { missed: Some(NOW), ..member });
    Facts { member, ..facts }
}

/// What a member knows that has trained all, and is to prove these.
fn member(share: &[u64]) -> Facts {
    let heard = Membership { share: share.iter().copied().collect(), ..Membership::of(LEAD) };
    Facts { member: Some(heard), accept: None, ..provider() }
}

fn taken(view: &mut View, index: u64, take: TrainingMarket::Take) {
    view.team.as_mut().expect("it has one").takes.insert(index, take);
}

#[test]
fn a_provider_joins_the_team_of_a_running_job_and_forgets_one_that_is_over() {
    let mut view = job(MEMBER, State::Running);
    let facts = Facts { member: Some(Membership::of(LEAD)), ..Facts::new(Role::Provider) };
    assert_eq!(done(&view, &facts), ["do: ask the lead for a seat in its team"]);
    let offer = SignedSeat { pay: 1, bond: 2, nonce: B256::ZERO, expiry: NOW, signature: Bytes::default() };
    let mut offered = facts.clone();
    offered.member.as_mut().expect("it is one").offer = Some(offer);
    let join = Action::Send { call: Call::Join, from: None, until: Some(When::Time(NOW)) };
    assert_eq!(decide(&view, &offered), [join]);
    let impossible = Facts { declines: Some("it is another job".into()), ..offered.clone() };
    assert_eq!(done(&view, &impossible), NOTHING);
    view.job.now.time = NOW + 1;
    assert_eq!(done(&view, &offered), ["do: ask the lead for a seat in its team"], "the seat is over");
    for state in [State::Open, State::Assigned, State::Completed] {
        assert_eq!(done(&job(MEMBER, state), &facts), NOTHING, "{state:?}");
    }
    assert!(!is_void(&view, &facts) && !is_void(&job(MEMBER, State::Assigned), &facts));
    assert!(is_void(&job(MEMBER, State::Completed), &facts) && is_void(&job(MEMBER, State::Open), &facts));
    let mut elsewhere = view;
    elsewhere.job.job.owner = REQUESTER;
    assert!(is_void(&elsewhere, &facts), "another provider has the job");
    let mut ended = team(MEMBER, 0);
    ended.job.job.state = State::Completed as u8;
    assert!(!is_void(&ended, &facts), "it had a seat");
    assert_eq!(done(&ended, &facts), ["send: quit"]);
    ended.team.as_mut().expect("it has one").seats[0].gone = true;
    assert_eq!(done(&ended, &facts), NOTHING);
}

#[test]
fn a_member_compares_all_claims_before_its_first_proof() {
    let view = team(MEMBER, 3);
    let ask = "do: ask the lead what to prove";
    let facts = member(&[1, 2]);
    assert_eq!(done(&view, &Facts { parcel: false, ..facts.clone() }), ["do: get and check the data"]);
    let untrained = Facts { ends: ends()[..2].to_vec(), ..facts.clone() };
    assert_eq!(done(&view, &untrained), [ask, "do: train to the end of 3 segments"]);
    assert_eq!(done(&view, &facts), [ask, "do: prove segment 1"]);
    assert_eq!(done(&view, &member(&[])), [ask], "nothing is proposed");
    // The last claim is another one: nothing is proven, after a second training, and the lead is named.
    let mut wrong = view;
    wrong.team.as_mut().expect("it has one").claims[2] = LAST;
    let once = Facts { agreed: 0, ..facts.clone() };
    assert_eq!(done(&wrong, &once), [ask, "do: train to the end of 3 segments again, and compare"]);
    assert_eq!(differs(&wrong, &once), None, "it may be this machine");
    assert_eq!(done(&wrong, &facts), [ask]);
    assert_eq!(differs(&wrong, &facts), Some(2));
}

#[test]
fn what_is_proven_is_taken_some_at_a_time_and_brought_when_the_take_counts() {
    let ask = "do: ask the lead what to prove";
    let mut view = team(MEMBER, 3);
    let mut facts = member(&[0, 1, 2]);
    facts.proven = [0].into();
    facts.member.as_mut().expect("it is one").made_at = [(0, NOW)].into();
    assert_eq!(done(&view, &facts), [ask, "do: prove segment 1"], "a proof waits for others");
    view.job.now.time = NOW + 192;
    assert_eq!(done(&view, &facts), [ask, "send: take segments 0", "do: prove segment 1"], "not for long");
    view.job.now.time = NOW;
    facts.proven = [0, 1, 2].into();
    assert_eq!(done(&view, &facts), [ask, "send: take segments 0, 1, 2"], "nothing else is to be proven");
    // Another one took one of them, and this one took another.
    taken(&mut view, 1, take(2, NOW, BLOCK));
    taken(&mut view, 2, take(1, NOW, BLOCK + 1));
    assert_eq!(done(&view, &facts), [ask, "send: take segments 0"], "before its block it would pay the lead");
    view.job.now.block = BLOCK + 1;
    assert_eq!(done(&view, &facts), ["send: prove segments 2", ask, "send: take segments 0"]);
    // Whatever else is to be done, and whatever the lead claims beside it: the take costs its bond.
    let mut claims = view.clone();
    claims.job.job.claimed = 4;
    claims.team.as_mut().expect("it has one").claims.push(ends()[3]);
    let half = Facts { ends: ends()[..3].to_vec(), ..facts.clone() };
    assert_eq!(done(&claims, &half)[0], "send: prove segments 2", "it has to train");
    let mut wrong = view.clone();
    wrong.team.as_mut().expect("it has one").claims[0] = LAST;
    assert_eq!(done(&wrong, &facts)[0], "send: prove segments 2", "the lead is wrong elsewhere");
    assert_eq!(
        done(&view, &Facts { parcel: false, ..facts.clone() })[0],
        "send: prove segments 2",
        "its data are gone"
    );
    // Another claim than its own has no proof.
    let mut other = view.clone();
    other.team.as_mut().expect("it has one").claims[2] = LAST;
    assert!(!done(&other, &facts).iter().any(|done| done.starts_with("send: prove")));
    view.job.now.time = NOW + 1;
    assert_eq!(done(&view, &facts), [ask, "send: take segments 0"], "what lapsed pays the lead");
    // The market holds the bond of four.
    view.team.as_mut().expect("it has one").seats[0].open = 4;
    assert_eq!(done(&view, &facts), [ask]);
}

#[test]
fn nothing_is_taken_after_a_batch_that_can_fail() {
    let mut view = due(MEMBER);
    view.job.job.claimed = 6;
    let next = TrainingMarket::BatchView { from: U256::from(3), end: U256::from(6), ..batch_of(view.clone()) };
    let team = view.team.as_mut().expect("it has one");
    team.claims = ends();
    team.filling = Some(next);
    let mut facts = member(&[3]);
    facts.proven = [3].into();
    assert_eq!(done(&view, &facts), ["do: ask the lead what to prove"]);
    batch(&mut view).due = 0;
    batch(&mut view).record.windowUntil = uint(NOW - 1);
    assert_eq!(done(&view, &facts), ["do: ask the lead what to prove", "send: take segments 3"]);
}

#[test]
fn the_lead_proves_what_no_member_does_and_everything_when_time_is_short() {
    let mut view = due(LEAD);
    let time = u64::from(view.job.terms.times.proveSecs);
    let mut facts = Facts { delivered: [(0, ROOT)].into(), ..provider() };
    let first = |view: &View, facts: &Facts| {
        decide(view, facts).into_iter().find_map(|action| match action {
            Action::Do(Task::Prove(index)) => Some(index),
            _ => None,
        })
    };
    assert_eq!(first(&view, &facts), Some(0));
    facts.sharing.members.insert(1, Heard { segment_ms: None, proof_secs: 1, at: NOW });
    facts.sharing.shares.insert(0, Share { seat: 1, made: false, since: NOW });
    assert_eq!(first(&view, &facts), Some(1), "a member has the first");
    taken(&mut view, 1, take(2, NOW + 1000, BLOCK));
    assert_eq!(first(&view, &facts), Some(2), "and another one took the second");
    facts.proven = [0, 1].into();
    assert!(!done(&view, &facts).iter().any(|done| done.starts_with("send: prove")), "they are the members'");
    // A silent one has nothing, and what lapsed is the lead's.
    view.job.now.time = NOW + 1001;
    assert!(done(&view, &facts).contains(&"send: prove segment 0".to_owned()));
    assert!(done(&view, &facts).contains(&"send: prove segment 1".to_owned()));
    // A quarter of the time for proofs is left: the bond is at stake.
    view.job.now.time = NOW;
    let short = time / 4;
    batch(&mut view).record.until = uint(NOW + short);
    assert!(!done(&view, &facts).contains(&"send: prove segment 1".to_owned()));
    batch(&mut view).record.until = uint(NOW + short - 1);
    assert!(done(&view, &facts).contains(&"send: prove segment 0".to_owned()));
    assert!(done(&view, &facts).contains(&"send: prove segment 1".to_owned()));
}

#[test]
fn a_lead_with_a_team_claims_first_and_proves_in_the_batch_that_is_filled() {
    let facts = provider();
    let claims = team(LEAD, 0);
    assert_eq!(done(&claims, &facts), ["send: claim from segment 0"]);
    let mut alone = claims;
    alone.team.as_mut().expect("it has one").seats.iter_mut().for_each(|seat| seat.gone = true);
    assert_eq!(done(&alone, &facts), ["do: prove segment 0"], "all have left");
    let view = team(LEAD, 3);
    let mut facts = Facts { proven: [0].into(), ..facts };
    let does = done(&view, &facts);
    assert_eq!(does, ["do: encrypt the weights of batch 0", "send: prove segment 0", "do: prove segment 1"]);
    facts.sharing.members.insert(2, Heard { segment_ms: None, proof_secs: 1, at: NOW });
    facts.sharing.shares = (1..3).map(|index| (index, Share { seat: 2, made: false, since: NOW })).collect();
    assert_eq!(done(&view, &facts), ["do: encrypt the weights of batch 0", "send: prove segment 0"]);
    facts.sharing.wrong.insert(2, 1);
    let does = done(&view, &facts);
    assert!(does.contains(&"do: prove segment 1".to_owned()), "who is wrong has no work: {does:?}");
}

#[test]
fn members_go_on_without_a_lead_each_from_another_place() {
    let mut view = due(MEMBER);
    let facts = member(&[]);
    let ask = "do: ask the lead what to prove";
    assert_eq!(done(&view, &facts), [ask]);
    view.job.now.time = NOW + 601;
    assert_eq!(done(&view, &facts), [ask], "the lead answers");
    let facts = unheard(facts);
    assert_eq!(done(&view, &facts), [ask, "do: prove segment 0"]);
    let of_other = View { me: OTHER, ..view.clone() };
    assert_eq!(done(&of_other, &facts), [ask, "do: prove segment 1"]);
    // It closes, once the lead's time is over, what it trained to.
    let mut full = team(MEMBER, 3);
    full.job.now.time = full.job.closable_after + 1;
    let mut facts = unheard(Facts { proven: [0, 1, 2].into(), ..member(&[]) });
    assert!(done(&full, &facts).contains(&"do: encrypt the weights of batch 0".to_owned()));
    facts.delivered = [(0, ROOT)].into();
    let close = Call::Close { batch: 0, root: ROOT, seat: 1 };
    let closes = |view: &View, facts: &Facts| {
        decide(view, facts).iter().any(|action| matches!(action, Action::Send { call, .. } if *call == close))
    };
    assert!(closes(&full, &facts));
    full.team.as_mut().expect("it has one").claims[0] = LAST;
    assert!(!closes(&full, &facts), "that is not what it trained to");
}

#[test]
fn a_member_names_its_own_delivery_behind_a_complaint() {
    let mut view = due(MEMBER);
    view.job.terms.committee.members = vec![VALIDATOR];
    {
        let batch = batch(&mut view);
        (batch.state, batch.due) = (BatchState::Disputed as u8, 0);
        (batch.complaint.since, batch.complaint.until) = (uint(NOW), uint(NOW + 100_000));
    }
    view.job.terms.times.decideSecs = 100_000;
    let facts = Facts { delivered: [(0, LAST)].into(), ..member(&[]) };
    let named = |view: &View| done(view, &facts).contains(&"send: addRoot batch 0".to_owned());
    assert!(named(&view), "whether the lead serves what it closed, it does not know");
    batch(&mut view).complaint.adders = 1 << 1;
    assert!(!named(&view), "it has named one");
    batch(&mut view).complaint.adders = 0;
    batch(&mut view).record.root = LAST;
    assert!(!named(&view), "it is the one of the close");
}

#[test]
fn no_claim_is_taken_for_too_short_a_time_or_more_of_them_than_a_batch_promises() {
    let ask = "do: ask the lead what to prove";
    let mut view = due(MEMBER);
    let mut facts = member(&[0, 1, 2]);
    facts.proven = [0, 1, 2].into();
    assert_eq!(done(&view, &facts), [ask, "send: take segments 0, 1, 2"]);
    // Half of what is left is the member's: 16 blocks go by until the take counts.
    batch(&mut view).record.until = uint(NOW + 600);
    assert_eq!(done(&view, &facts), [ask, "send: take segments 0, 1, 2"]);
    batch(&mut view).record.until = uint(NOW + 599);
    let saves = ["send: prove segments 0, 1, 2", ask];
    assert_eq!(done(&view, &facts), saves, "nobody can be paid for it, and the batch is saved");
    // What another one took, and did not prove, nobody takes any more.
    let mut lapsed = due(MEMBER);
    taken(&mut lapsed, 0, take(2, NOW - 1, BLOCK));
    facts.proven = [0].into();
    assert_eq!(done(&lapsed, &Facts { member: member(&[0]).member, ..facts.clone() }), [ask]);
    batch(&mut lapsed).record.until = uint(NOW + 1000);
    assert!(done(&lapsed, &facts).contains(&"send: prove segments 0".to_owned()), "its batch would fail");
    // Where not all is proven, one at a time: the batch promises its members no more than it has.
    let mut some = due(MEMBER);
    some.job.terms.batches.draws = 2;
    batch(&mut some).record.windowUntil = uint(NOW + 3000);
    facts.proven = [0, 1, 2].into();
    assert_eq!(done(&some, &facts), [ask, "send: take segments 0"]);
    // What was taken of a batch that is void is freed, while the job runs and after it.
    let mut void = due(MEMBER);
    taken(&mut void, 3, take(1, NOW - 1, BLOCK));
    taken(&mut void, 4, take(2, NOW - 1, BLOCK));
    assert!(!done(&void, &facts).contains(&"send: reclaim segment 3".to_owned()));
    void.job.job.total = 3;
    assert!(done(&void, &facts).contains(&"send: reclaim segment 3".to_owned()));
    void.job.job.state = State::Left as u8;
    assert_eq!(done(&void, &facts), ["send: reclaim segment 3", "send: quit"]);
    // Of a batch whose pay is gone nothing is taken, and nothing of a job that failed.
    let mut refused = due(MEMBER);
    batch(&mut refused).complaint.verdict = 3;
    assert_eq!(done(&refused, &facts), [ask]);
    let mut failed = due(MEMBER);
    failed.job.job.failed = true;
    assert_eq!(done(&failed, &facts), [ask]);
}
