//! What the nodes of one account leave to each other.

use gradproof_chain::Address;
use gradproof_chain::market::{BatchState, State};
use gradproof_node::decide::{Action, Call, Place, Task, View};
use gradproof_node::facts::Facts;

use crate::scene::*;

/// The places of so many nodes.
fn places(count: u8) -> Vec<Place> {
    let nodes: Vec<Address> = (1..=count).map(Address::repeat_byte).collect();
    nodes.iter().map(|node| Place::among(&nodes, *node)).collect()
}

/// How many nodes go before each of so many with an action.
fn before(count: u8, action: &Action) -> Vec<usize> {
    let view = job(LEAD, State::Running);
    places(count).iter().map(|place| place.before(action, &view.job).len()).collect()
}

fn send(call: Call) -> Action {
    Action::Send { call, from: None, until: None }
}

#[test]
fn a_batch_has_a_part_for_each_node_and_every_other_call_is_the_first_ones() {
    for call in
        [Call::Start, Call::Decline, Call::Close { batch: 0, root: ROOT, seat: 0 }, Call::Settle, Call::Withdraw]
    {
        assert_eq!(before(1, &send(call.clone())), [0]);
        assert_eq!(before(3, &send(call)), [0, 1, 2]);
    }
    for (segment, of_two, of_three) in
        [(0, [0, 1], [0, 1, 2]), (1, [0, 1], [2, 0, 1]), (2, [1, 0], [1, 2, 0]), (5, [1, 0], [1, 2, 0])]
    {
        for action in [send(Call::ClaimProven(segment)), send(Call::Prove(segment)), Action::Do(Task::Prove(segment))] {
            assert_eq!(before(1, &action), [0]);
            assert_eq!(before(2, &action), of_two, "{action:?}");
            assert_eq!(before(3, &action), of_three, "{action:?}");
        }
    }
    let view = job(LEAD, State::Running);
    let last = places(3)[1].before(&send(Call::ClaimProven(5)), &view.job);
    assert_eq!(last, [2, 0], "the node whose part it is comes first");
}

#[test]
fn nobody_waits_with_what_each_node_needs_or_with_what_has_one_nonce() {
    for action in [
        send(Call::Accept { least_price: 1 }),
        send(Call::Take),
        Action::Do(Task::Fetch),
        Action::Do(Task::Train(1)),
        Action::Do(Task::Repeat(1)),
        Action::Do(Task::Deliver(0)),
    ] {
        assert_eq!(before(3, &action), [0; 3], "{action:?}");
    }
}

#[test]
fn each_node_proves_its_part_of_a_batch_then_the_rest_and_meanwhile_its_part_of_the_next_one() {
    let mut view = job(LEAD, State::Running);
    let [first, second] = places(2)[..] else { panic!("there are two") };
    let proves = |place, claimed: u16, proven: &[u64], view: &mut View| {
        (view.place, view.job.job.claimed) = (place, claimed);
        let facts = Facts { proven: proven.iter().copied().collect(), ..provider() };
        let proves = |word: String| word.strip_prefix("do: prove segment ").map(str::to_owned);
        done(view, &facts).into_iter().filter_map(proves).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(proves(first, 0, &[], &mut view), "0");
    assert_eq!(proves(first, 0, &[0], &mut view), "1");
    assert_eq!(proves(first, 2, &[0, 1], &mut view), "2 3", "the other one's part, and its own of the next batch");
    assert_eq!(proves(first, 2, &[0, 1, 3, 4], &mut view), "2");
    assert_eq!(proves(second, 0, &[], &mut view), "2");
    assert_eq!(proves(second, 0, &[2], &mut view), "0 5");
    assert_eq!(proves(second, 1, &[2], &mut view), "1 5");
    assert_eq!(proves(second, 1, &[2, 5], &mut view), "1", "no further than a batch ahead");
    assert_eq!(proves(Place::ALONE, 0, &[], &mut view), "0");
    assert_eq!(proves(Place::ALONE, 2, &[0, 1], &mut view), "2");
    view.job.job.total = 2;
    assert_eq!(proves(second, 0, &[], &mut view), "1", "a short batch has two parts as well");
}

#[test]
fn of_the_proofs_that_are_due_each_node_makes_its_part_first() {
    let [first, second] = places(2)[..] else { panic!("there are two") };
    let mut view = closed(drawn(LEAD, State::Running), BatchState::Proving, 0b111, 0b111);
    view.job.job.total = 3;
    let facts = Facts { delivered: [(0, ROOT)].into(), ..provider() };
    view.place = first;
    assert_eq!(done(&view, &facts), ["do: prove segment 0"]);
    view.place = second;
    assert_eq!(done(&view, &facts), ["do: prove segment 2"]);
    let facts = Facts { proven: [2].into(), ..facts };
    assert_eq!(done(&view, &facts), ["send: prove segment 2", "do: prove segment 0"]);
}
