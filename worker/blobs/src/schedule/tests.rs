//! The schedule under events of every kind.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::ranges::RANGE_BYTES;

const SECOND: Duration = Duration::from_secs(1);
const HONEST: u8 = 0;

fn plan(count: u32) -> Schedule<u8> {
    Schedule::new(u64::from(count) * RANGE_BYTES, 0..count).expect("a plan")
}

/// What holds after every event.
fn bounded(schedule: &Schedule<u8>) {
    assert!(schedule.in_flight() <= MAX_IN_FLIGHT);
    assert!(schedule.asked.values().all(|askers| (1..=MAX_ASKED).contains(&askers.len())));
    assert!(schedule.wanted.iter().all(|range| !schedule.asked.contains_key(range)));
    assert!(schedule.peers.len() <= MAX_PEERS && schedule.banned.len() <= MAX_BANNED);
    let mut of_peers: BTreeMap<u8, BTreeSet<u32>> = BTreeMap::new();
    for (range, askers) in &schedule.asked {
        for (peer, _) in askers {
            assert!(of_peers.entry(*peer).or_default().insert(*range), "asked twice");
        }
    }
    for (peer, known) in &schedule.peers {
        assert!(known.in_flight.len() <= MAX_WINDOW);
        assert_eq!(of_peers.remove(peer).unwrap_or_default(), known.in_flight);
        assert!((1..=peer::MAX_STANDING).contains(&known.conduct.standing));
    }
    assert!(of_peers.is_empty(), "peers that are gone are asked for nothing");
}

#[derive(Clone, Debug)]
enum Event {
    Joined(u8),
    Left(u8),
    Next,
    /// Of what is under way, or of anything.
    Got(u8, u32),
    Wrong(u8),
    Failed(u8, u32),
    Lacks(u8, u32),
    Progress(u8, u64),
    Wait(u32),
    Wake,
}

fn event() -> impl Strategy<Value = Event> {
    let peer = 0u8..24;
    prop_oneof![
        3 => peer.clone().prop_map(Event::Joined),
        1 => peer.clone().prop_map(Event::Left),
        6 => Just(Event::Next),
        4 => (peer.clone(), 0u32..40).prop_map(|(peer, range)| Event::Got(peer, range)),
        1 => peer.clone().prop_map(Event::Wrong),
        3 => (peer.clone(), 0u32..40).prop_map(|(peer, range)| Event::Failed(peer, range)),
        1 => (peer.clone(), 0u32..50).prop_map(|(peer, first)| Event::Lacks(peer, first)),
        1 => (peer, any::<u64>()).prop_map(|(peer, bytes)| Event::Progress(peer, bytes)),
        4 => (0u32..20_000).prop_map(Event::Wait),
        2 => Just(Event::Wake),
    ]
}

/// What happens. The honest peer stays, and never sends a wrong range.
fn apply(schedule: &mut Schedule<u8>, now: &mut Duration, event: &Event, got: &mut BTreeSet<u32>) {
    match event {
        Event::Joined(peer) => {
            schedule.joined(*peer);
        }
        Event::Left(HONEST) | Event::Wrong(HONEST) => {}
        Event::Left(peer) => schedule.left(peer),
        Event::Wrong(peer) => schedule.wrong(peer),
        Event::Next => {
            for ask in schedule.next(*now) {
                assert!(!got.contains(&ask.range), "a range is asked for that is there");
                assert!(!schedule.banned.contains_key(&ask.peer), "a banned peer is asked");
            }
        }
        Event::Got(peer, range) => {
            let range = schedule.peers.get(peer).and_then(|peer| peer.in_flight.first().copied()).unwrap_or(*range);
            schedule.got(*now, peer, range);
            got.insert(range);
        }
        Event::Failed(peer, range) => schedule.failed(*now, peer, *range),
        Event::Lacks(peer, first) => schedule.lacks(*now, peer, *first..first + 9),
        Event::Progress(peer, bytes) => schedule.progress(*now, peer, *bytes),
        Event::Wait(millis) => {
            *now += Duration::from_millis((*millis).into());
            schedule.timed_out(*now);
        }
        Event::Wake => {
            let wake = schedule.wake(*now).unwrap_or(*now).max(*now);
            *now = wake;
            schedule.timed_out(*now);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_happens_every_range_is_asked_for_until_it_is_there(events in prop::collection::vec(event(), 0..300)) {
        let mut schedule = plan(40);
        let (mut now, mut got) = (Duration::ZERO, BTreeSet::new());
        schedule.joined(HONEST);
        for event in &events {
            apply(&mut schedule, &mut now, event, &mut got);
            bounded(&schedule);
        }
        // From here on only the honest peer answers; the others hold what they were asked for.
        for turn in 0.. {
            if schedule.is_done() {
                break;
            }
            prop_assert!(turn < 5_000, "{} ranges are never got", schedule.left_to_get());
            schedule.next(now);
            let answered: Vec<u32> = schedule.peers[&HONEST].in_flight.iter().copied().collect();
            if answered.is_empty() {
                // Only what the schedule asks to wait for passes.
                let wake = schedule.wake(now).expect("something is left to wait for");
                now = now.max(wake) + Duration::from_millis(1);
            } else {
                now += Duration::from_millis(300);
            }
            for range in answered {
                schedule.got(now, &HONEST, range);
                got.insert(range);
            }
            schedule.timed_out(now);
            bounded(&schedule);
        }
        prop_assert_eq!(got.len(), 40);
    }
}

#[test]
fn a_peer_that_sends_a_wrong_range_is_asked_nothing_any_more() {
    let mut schedule = plan(6);
    schedule.joined(1);
    let asked = schedule.next(SECOND);
    assert_eq!(asked, [Ask { peer: 1, range: 0 }, Ask { peer: 1, range: 1 }]);
    schedule.wrong(&1);
    assert!(schedule.next(2 * SECOND).is_empty());
    assert!(!schedule.joined(1), "it does not come back");
    schedule.left(&1);
    assert!(!schedule.joined(1), "neither after it left");
    assert!(schedule.joined(2));
    assert_eq!(schedule.next(3 * SECOND), [Ask { peer: 2, range: 0 }, Ask { peer: 2, range: 1 }]);
    let conduct: Vec<(u8, u64, u32)> = schedule.conduct().map(|(peer, is)| (*peer, is.wrong, is.standing)).collect();
    assert_eq!(conduct, [(2, 0, 8), (1, 1, 0)]);
}

#[test]
fn a_silent_peer_loses_its_ranges_to_another() {
    let mut schedule = plan(4);
    schedule.joined(1);
    schedule.next(Duration::ZERO);
    schedule.joined(2);
    schedule.next(Duration::ZERO);
    assert!(schedule.timed_out(9 * SECOND).is_empty());
    assert_eq!(schedule.wake(9 * SECOND).map(|wake| wake <= 10 * SECOND), Some(true));
    schedule.got(9 * SECOND, &2, 2);
    assert_eq!(schedule.timed_out(10 * SECOND), [Ask { peer: 1, range: 0 }, Ask { peer: 1, range: 1 }]);
    let asked = schedule.next(10 * SECOND);
    assert!(asked.iter().all(|ask| ask.peer == 2) && asked[0].range == 0, "{asked:?}");
    // Its late answer is taken, and it may be asked again at once.
    assert_eq!(schedule.got(10 * SECOND, &1, 0), [2]);
    assert!(schedule.peers[&1].is_free(10 * SECOND));
}

#[test]
fn the_last_ranges_are_asked_of_a_second_peer_when_the_first_is_late() {
    let mut schedule = plan(3);
    schedule.joined(1);
    assert_eq!(schedule.next(Duration::ZERO).len(), 2);
    schedule.joined(2);
    assert_eq!(schedule.next(Duration::ZERO), [Ask { peer: 2, range: 2 }]);
    schedule.got(SECOND, &2, 2);
    assert!(schedule.next(SECOND).is_empty(), "the second needs longer than the first has had");
    let asked = schedule.next(3 * SECOND);
    assert_eq!(asked, [Ask { peer: 2, range: 0 }, Ask { peer: 2, range: 1 }]);
    assert!(schedule.next(4 * SECOND).is_empty(), "nothing is asked of a third time");
    assert_eq!(schedule.got(4 * SECOND, &2, 0), [1]);
    assert_eq!(schedule.got(4 * SECOND, &1, 1), [2]);
    assert!(schedule.is_done() && schedule.in_flight() == 0 && schedule.wake(4 * SECOND).is_none());
}

#[test]
fn a_faster_peer_is_asked_for_more() {
    let mut schedule = plan(2000);
    assert!(schedule.joined(1) && schedule.joined(2));
    let mut now = Duration::ZERO;
    // The first sends a range every 100 ms, the second every second.
    for tick in 1..400u32 {
        schedule.next(now);
        now += SECOND / 10;
        for (peer, every) in [(1, 1), (2, 10)] {
            if let Some(range) = schedule.peers[&peer].in_flight.first().copied().filter(|_| tick % every == 0) {
                schedule.got(now, &peer, range);
            }
        }
        assert!(schedule.timed_out(now).is_empty());
    }
    let got: BTreeMap<u8, Conduct> = schedule.conduct().map(|(peer, is)| (*peer, is)).collect();
    assert!(got[&1].got > 380 && got[&2].got > 20, "{got:?}");
    assert!(got[&1].rate > 8 * got[&2].rate, "{got:?}");
}

#[test]
fn a_range_that_a_peer_lacks_is_asked_of_another_and_later_of_it_again() {
    let mut schedule = plan(1);
    schedule.joined(1);
    schedule.next(Duration::ZERO);
    schedule.failed(Duration::ZERO, &1, 0);
    assert!(schedule.next(SECOND).is_empty());
    let wake = schedule.wake(SECOND).expect("it is asked again");
    assert_eq!(schedule.next(wake), [Ask { peer: 1, range: 0 }]);
    schedule.failed(wake, &1, 0);
    schedule.joined(2);
    assert_eq!(schedule.next(wake), [Ask { peer: 2, range: 0 }]);
}

#[test]
fn a_peer_that_has_only_the_end_is_asked_for_that() {
    let mut schedule = plan(100);
    schedule.joined(1);
    assert_eq!(schedule.next(Duration::ZERO)[0].range, 0);
    schedule.lacks(Duration::ZERO, &1, 0..98);
    schedule.lacks(Duration::ZERO, &1, 5000..9000);
    let asked: Vec<u32> = schedule.next(Duration::ZERO).into_iter().map(|ask| ask.range).collect();
    assert_eq!(asked, [98, 99]);
    assert_eq!(schedule.peers[&1].conduct, Peer::new().conduct, "that is no failure");
}

#[test]
fn peers_are_bounded_and_so_are_those_that_are_banned() {
    let mut schedule: Schedule<u32> = Schedule::new(RANGE_BYTES, [0]).expect("a plan");
    assert_eq!((0..40).filter(|peer| schedule.joined(*peer)).count(), MAX_PEERS);
    for peer in 100..100 + 2 * MAX_BANNED as u32 {
        schedule.left(&0);
        assert!(schedule.joined(peer));
        schedule.wrong(&peer);
        assert!(schedule.joined(0));
    }
    assert_eq!(schedule.banned.len(), MAX_BANNED);
    assert!(matches!(Schedule::<u8>::new(RANGE_BYTES, [1]), Err(BlobError::NoSuchRange { .. })));
}
