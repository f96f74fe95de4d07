//! What counts as a promise of a provider: a formula for the running node, and for who accepts by hand.

use gradproof_chain::market::State;
use gradproof_chain::{Address, U256};
use gradproof_node::decide::View;
use gradproof_node::facts::{Facts, Role};
use gradproof_node::policy::Capacity;
use gradproof_node::promised::Needs;

use crate::scene::{LEAD, NOW, SEGMENTS, job};

/// Milliseconds of a segment.
const MS: u64 = 1000;
/// The bond of a job.
const BOND: u128 = 77;

/// What is promised by a job.
fn counted(view: Option<&View>, facts: &Facts) -> Capacity {
    let mut capacity = Capacity { free_disk: 100, ..Capacity::default() };
    let measured = |_| Ok::<_, ()>(Some(MS));
    capacity.follow(LEAD, facts, view, NOW, None, measured).expect("it is measured");
    capacity
}

fn view(state: State) -> View {
    let mut view = job(LEAD, state);
    view.job.terms.price.bond = BOND;
    view
}

fn wanted() -> Facts {
    Facts { accept: Some(1), ..Facts::new(Role::Provider) }
}

/// Places, bonds that are not locked, and segments.
fn promised(view: &View, facts: &Facts) -> (usize, u64, u64) {
    let capacity = counted(Some(view), facts);
    assert!(!capacity.is_unknown);
    (capacity.promised, capacity.promised_bonds.to(), capacity.promised_ms / MS)
}

#[test]
fn an_open_job_that_is_wanted_is_a_promise_until_nobody_can_take_it_any_more() {
    let whole = (1, BOND as u64, u64::from(SEGMENTS));
    let mut open = view(State::Open);
    assert_eq!(promised(&open, &wanted()), whole);
    let until = u64::try_from(open.job.job.deadline).expect("a time");
    for (now, expected) in [(until, whole), (until + 1, (0, 0, 0))] {
        let mut capacity = Capacity::default();
        let measured = |_| Ok::<_, ()>(Some(MS));
        capacity.follow(LEAD, &wanted(), Some(&open), now, None, measured).expect("it is measured");
        let Capacity { promised, promised_bonds, promised_ms, .. } = capacity;
        assert_eq!((promised, promised_bonds.to(), promised_ms / MS), expected, "at {now}");
    }
    open.job.job.owner = LEAD;
    assert_eq!(promised(&open, &Facts { had: true, ..wanted() }), (0, 0, 0), "it is not taken a second time");
}

#[test]
fn a_job_that_runs_here_is_a_promise_of_what_is_not_claimed_and_another_ones_is_none() {
    for state in [State::Assigned, State::Running] {
        let mut held = view(state);
        held.job.job.claimed = 2;
        assert_eq!(promised(&held, &wanted()), (1, 0, u64::from(SEGMENTS) - 2), "its bond is locked");
        assert_eq!(promised(&held, &Facts { declines: Some("no".into()), ..wanted() }), (0, 0, 0));
        held.job.job.owner = Address::repeat_byte(9);
        assert_eq!(promised(&held, &wanted()), (0, 0, 0));
    }
    for state in [State::Completed, State::Cancelled, State::Slashed, State::None] {
        assert_eq!(promised(&view(state), &wanted()), (0, 0, 0), "{state:?}");
    }
    assert_eq!(promised(&view(State::Running), &Facts::new(Role::Requester)), (0, 0, 0));
}

#[test]
fn an_offer_that_was_agreed_to_is_a_promise_of_its_own_terms() {
    let terms = view(State::Open).job.terms;
    let agreed = Facts { offered: Some(NOW + 9), ..wanted() };
    let mut capacity = Capacity::default();
    let mut unknown = view(State::None);
    unknown.job.terms.price.bond = 0;
    let measured = |_| Ok::<_, ()>(Some(MS));
    capacity.follow(LEAD, &agreed, Some(&unknown), NOW, Some(&terms), measured).expect("it is measured");
    assert_eq!((capacity.promised, capacity.promised_bonds), (1, U256::from(BOND)));
}

#[test]
fn a_job_that_nobody_could_read_is_said_and_a_quote_takes_place_stake_time_and_disk() {
    assert!(counted(None, &wanted()).is_unknown);
    let mut capacity = counted(Some(&view(State::Running)), &wanted());
    let quoted = Capacity { segment_ms: Some(MS), needed_disk: 40, ..Capacity::default() };
    let needs = quoted.needs(&view(State::Open).job.terms);
    assert_eq!(needs, Needs { bond: U256::from(BOND), ms: MS * u64::from(SEGMENTS), disk: 40 });
    capacity.promise(needs);
    let Capacity { promised, promised_bonds, promised_ms, free_disk, .. } = capacity;
    assert_eq!((promised, promised_bonds, free_disk), (2, U256::from(BOND), 60));
    assert_eq!(promised_ms, 2 * MS * u64::from(SEGMENTS));
}
