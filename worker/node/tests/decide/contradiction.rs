//! What a party of a job does about members of its committee that give two words on one question.

use gradproof_chain::market::{BatchState, State, UNBONDING_SECS, When};
use gradproof_chain::{Address, B256};
use gradproof_node::decide::{Action, Call, Seat, Task, View, decide};
use gradproof_node::facts::{Facts, Role};
use gradproof_node::message::SignedWord;

use crate::scene::*;
use crate::validator::{signature, validator};

/// Another member of the committee.
const OTHER: Address = Address::repeat_byte(0x4e);
/// How long it waits until it asks again.
const HOUR: u64 = 3600;

/// A running job about whose first batch two members were asked, as this account sees it.
fn asked(me: Address) -> View {
    let mut view = closed(job(me, State::Running), BatchState::Proving, 0, 0);
    view.job.terms.committee.members = vec![VALIDATOR, OTHER];
    let seat = |place, key| Seat { place, key, backed: true };
    view.others = [seat(0, VALIDATOR), seat(1, OTHER)].into_iter().filter(|seat| seat.key != me).collect();
    view
}

fn word(member: Address, last: B256, yes: bool) -> SignedWord {
    SignedWord { member, batch: 0, last, yes, signature: signature() }
}

/// What this one knows, which asked the others just now.
fn knowing(facts: Facts, heard: &[SignedWord]) -> Facts {
    Facts { asked: [(0, LAST), (0, ROOT)].into(), heard: heard.to_vec(), heard_at: Some(NOW), ..facts }
}

/// What it does about contradictions.
fn acts(view: &View, facts: &Facts) -> Vec<Action> {
    let is_meant =
        |action: &Action| matches!(action, Action::Send { call: Call::Contradict { .. }, .. } | Action::Do(Task::Hear));
    decide(view, facts).into_iter().filter(is_meant).collect()
}

/// That it shows both words of the other member.
fn shows(until: Option<u64>) -> [Action; 1] {
    let call = Call::Contradict { batch: 0, last: LAST, place: 1, member: OTHER };
    [Action::Send { call, from: None, until: until.map(When::Time) }]
}

#[test]
fn whoever_has_both_words_of_a_member_shows_them_while_its_stake_backs_the_job() {
    let both = [word(OTHER, LAST, true), word(VALIDATOR, LAST, false), word(OTHER, LAST, false)];
    let view = asked(VALIDATOR);
    assert_eq!(acts(&view, &knowing(validator(), &both)), shows(None));
    assert_eq!(acts(&asked(REQUESTER), &knowing(requester(), &both)), shows(None));
    assert_eq!(acts(&asked(LEAD), &knowing(provider(), &both)), shows(None));
    assert_eq!(acts(&view, &knowing(Facts::new(Role::DataOwner), &both)), [], "it has no part in that");
    let changed = |change: &dyn Fn(&mut View)| {
        let mut view = view.clone();
        change(&mut view);
        acts(&view, &knowing(validator(), &both))
    };
    assert_eq!(changed(&|view| view.others[0].backed = false), [], "its stake is taken, or free");
    assert_eq!(changed(&|view| view.others.clear()), [], "the endpoints do not agree on the places");
    let end = NOW + UNBONDING_SECS;
    let ended = |time: u64| {
        changed(&|view| {
            view.job.job.state = State::Completed as u8;
            view.job.job.endedAt = uint(NOW);
            view.job.now.time = time;
        })
    };
    assert_eq!(ended(end), [&shows(Some(end))[..], &[Action::Do(Task::Hear)]].concat());
    assert_eq!(ended(end + 1), [], "its stake is free");

    let one = |words: &[SignedWord]| acts(&view, &knowing(validator(), words));
    assert_eq!(one(&both[..2]), [], "two members may differ");
    assert_eq!(one(&[word(OTHER, LAST, true), word(OTHER, ROOT, false)]), [], "of two claims one may be right");
    assert_eq!(one(&[word(VALIDATOR, LAST, true), word(VALIDATOR, LAST, false)]), [], "it does not show itself");
}

#[test]
fn it_asks_the_others_each_hour_as_long_as_there_is_stake_to_be_taken() {
    let mut view = asked(VALIDATOR);
    let hears = [Action::Do(Task::Hear)];
    let facts = knowing(validator(), &[]);
    assert_eq!(acts(&view, &Facts { heard_at: None, ..facts.clone() }), hears, "at once");
    view.job.now.time = NOW + HOUR - 1;
    assert_eq!(acts(&view, &facts), []);
    view.job.now.time = NOW + HOUR;
    assert_eq!(acts(&view, &facts), hears);
    assert_eq!(acts(&view, &Facts { asked: [].into(), ..facts.clone() }), [], "nothing was asked");
    view.others[0].backed = false;
    assert_eq!(acts(&view, &facts), [], "nothing could be taken");
}
