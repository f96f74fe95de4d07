//! What is so of all decisions, whatever chain and node know.

use gradproof_chain::U256;
use gradproof_chain::market::{BatchState, State, When};
use gradproof_node::decide::{Action, Call, Seat, Task, View, decide};
use gradproof_node::facts::{Facts, Opened, Role};
use proptest::prelude::*;

use crate::scene::*;
use crate::validator;

/// A job in any state, at any time around its deadlines.
fn views() -> impl Strategy<Value = View> {
    let states = proptest::sample::select(&State::ALL[..]);
    let batches = proptest::sample::select(&BatchState::ALL[..]);
    let counts = (any::<bool>(), any::<bool>(), any::<bool>(), 0u16..=SEGMENTS);
    (states, batches, counts, 0u64..8, 0u64..8, 0u64..2_000_000, 0u64..20_000, any::<bool>()).prop_map(
        |(state, at, (whole, mine, is_closed, claimed), drawn_bits, due, later, blocks, owed)| {
            let me = if mine { LEAD } else { REQUESTER };
            let view = if whole { job(me, state) } else { drawn(me, state) };
            let mut view = if is_closed { closed(view, at, drawn_bits, due) } else { view };
            view.job.job.claimed = view.job.job.claimed.max(claimed);
            view.job.now.time = NOW - 1000 + later;
            view.job.now.block = BLOCK - 100 + blocks;
            view.owed = U256::from(u8::from(owed));
            view.settled_lead = mine.then_some(LEAD);
            view
        },
    )
}

/// What either party may know.
fn facts() -> impl Strategy<Value = Facts> {
    let proven = proptest::collection::btree_set(0u64..6, 0..6);
    let trained = (0usize..=SEGMENTS.into(), 0u64..8, 0u64..2_000_000);
    (any::<bool>(), proven, any::<[bool; 6]>(), 0u64..8, trained).prop_map(
        |(provides, proven, known, stop, trained)| {
            let (count, agreed, training_ms) = trained;
            let base = if provides { provider() } else { requester() };
            let opened = if known[0] {
                Opened::Right(LAST)
            } else {
                Opened::Wrong { why: String::new(), root: ROOT, last: LAST }
            };
            Facts {
                accept: known[1].then_some(100),
                offered: known[0].then_some(NOW),
                parcel: known[2],
                ends: ends()[..count].to_vec(),
                agreed: agreed.min(count as u64),
                training_ms: known[3].then_some(training_ms),
                declines: known[4].then(|| "no".to_owned()),
                proven,
                delivered: if known[5] { [(0, ROOT), (1, ROOT)].into() } else { [].into() },
                opened: if known[2] { [(0, opened)].into() } else { [].into() },
                stop_at: known[3].then_some(stop),
                cancels: known[4],
                secret: known[5].then(secrets),
                ..base
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_sent_before_its_time_or_after_it(view in views(), facts in facts()) {
        let now = view.job.now;
        for action in decide(&view, &facts) {
            let Action::Send { from, until, .. } = action else { continue };
            let over = |when: Option<When>| match when {
                Some(When::Time(time)) => time < now.time,
                Some(When::Block(block)) => block < now.block,
                None => false,
            };
            let early = match from {
                Some(When::Time(time)) => time > now.time,
                Some(When::Block(block)) => block > now.block,
                None => false,
            };
            prop_assert!(!over(until) && !early, "{:?} until {:?}", from, until);
        }
    }

    #[test]
    fn the_same_is_decided_again_and_nothing_twice(view in views(), facts in facts()) {
        let actions = decide(&view, &facts);
        prop_assert_eq!(&decide(&view, &facts), &actions);
        let mut about: Vec<String> = done(&view, &facts);
        let all = about.len();
        about.sort_unstable();
        about.dedup();
        prop_assert_eq!(about.len(), all, "{:?}", actions);
    }

    #[test]
    fn nothing_is_claimed_that_two_trainings_did_not_come_to(view in views(), facts in facts()) {
        for action in decide(&view, &facts) {
            let Action::Send { call: Call::Claim { from, ends: claimed }, .. } = action else { continue };
            let (from, agreed) = (from as usize, facts.agreed as usize);
            prop_assert!(!claimed.is_empty());
            prop_assert_eq!(Some(&claimed[..]), facts.ends[..agreed].get(from..from + claimed.len()));
        }
    }

    #[test]
    fn a_validator_answers_only_what_it_is_asked_and_nothing_twice(
        view in views(), judged in validator::judged(), words in validator::words(), from in 0u64..2 * NOW, at in any::<bool>(),
    ) {
        let mut view = View { me: VALIDATOR, ..view };
        view.job.terms.committee.members = vec![VALIDATOR];
        view.seat = Some(Seat { place: 0, key: VALIDATOR, backed: at });
        for (_, batch) in &mut view.job.batches {
            batch.complaint.since = uint(NOW);
            batch.complaint.until = uint(NOW + 1);
        }
        let facts = Facts { lead: Some(LEAD), answers_from: Some(from), judged, words, ..Facts::new(Role::Validator) };
        for action in decide(&view, &facts) {
            match action {
                Action::Send { call: Call::Attest { batch, last, yes, .. }, .. } => {
                    let word = facts.words.iter().find(|word| (word.batch, word.last) == (batch, last));
                    prop_assert_eq!(word.map(|word| (word.yes, word.signature.is_some())), Some((yes, true)));
                    prop_assert!(from < NOW && at);
                }
                Action::Send { call, .. } => {
                    let own = matches!(call, Call::Withdraw | Call::WithdrawBonds | Call::Unback);
                    let ends = ["cancel", "decline", "abandon", "fixLate", "drawLate", "settle", "lapse", "fail"];
                    prop_assert!(own || ends.contains(&call.name()), "{call:?}");
                },
                Action::Do(Task::Answer { .. }) => prop_assert!(from < NOW && at),
                Action::Do(task) => {
                    let own = matches!(task, Task::Fetch | Task::Train(_) | Task::Judge(_) | Task::Doubt(_));
                    prop_assert!(own, "{task:?}");
                }
                Action::Turn(_) => prop_assert!(false, "it offers nothing"),
            }
        }
    }

    #[test]
    fn no_data_are_encrypted_for_who_has_not_the_job(view in views(), facts in facts(), other: [u8; 20]) {
        let view = View { settled_lead: Some(other.into()), ..view };
        let encrypts = |action: &Action| matches!(action, Action::Do(Task::Wrap(_)));
        prop_assert!(!decide(&view, &facts).iter().any(encrypts));
    }
}
