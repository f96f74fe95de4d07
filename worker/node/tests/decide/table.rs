//! The table of deadlines in `docs/nodes.md`, made from `duties`: what is open in each state, in the words of the terms.
//!
//! `GRADPROOF_WRITE_TABLES=1 cargo test -p gradproof-node --test decide` writes it anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gradproof_chain::market::TrainingMarket::BatchView;
use gradproof_chain::market::{BatchState, Duty, JobSnapshot, State, UNBONDING_SECS, When, duties};
use gradproof_chain::{Moment, U256};

use crate::scene::{EVERY, LEAD, batch, closed, drawn, job, uint};

/// Says that the table is written, and not compared.
const WRITE: &str = "GRADPROOF_WRITE_TABLES";
/// What stands before the table, and after it.
const MARKS: [&str; 2] = ["<!-- deadlines: from `duties` -->", "<!-- end of deadlines -->"];
/// Moments lie so far apart that no sum of durations leads from one to the next.
const MOMENT: u64 = 10_000_000_000;
/// Durations are this times powers of two, so that each sum is one of a kind.
const DURATION: u64 = 10_000_000;

/// Durations of the terms that appear in deadlines, with what they are set to here; then those that the contract fixes.
const DURATIONS: [(&str, u64); 9] = [
    ("`batchSecs`", DURATION),
    ("`revealSecs`", 2 * DURATION),
    ("`proveSecs`", 4 * DURATION),
    ("`complainSecs`", 8 * DURATION),
    ("half of `decideSecs`", 16 * DURATION),
    ("24 h", 24 * 3600),
    ("14 days", UNBONDING_SECS),
    ("8 blocks", 8),
    ("8191 blocks", 8191),
];

/// A state, and the moments from which its deadlines count.
struct Situation {
    name: &'static str,
    job: JobSnapshot,
    moments: Vec<(&'static str, u64)>,
}

fn running(change: impl FnOnce(&mut JobSnapshot), name: &'static str) -> Situation {
    let mut job = timed(job(LEAD, State::Running).job);
    job.job.progressAt = uint(MOMENT);
    job.closable_after = 2 * MOMENT;
    change(&mut job);
    Situation { name, job, moments: vec![("the last progress", MOMENT), ("the lead's time to close", 2 * MOMENT)] }
}

/// A batch that is closed, the only one of which anything is to be done.
fn batched(state: BatchState, change: impl FnOnce(&mut BatchView, &mut JobSnapshot), name: &'static str) -> Situation {
    let mut view = closed(drawn(LEAD, State::Running), state, 0, 0);
    let record = batch(&mut view);
    record.record.closedAt = uint(MOMENT);
    record.record.drawBlock = uint(2 * MOMENT);
    record.record.until = uint(3 * MOMENT);
    record.record.windowUntil = uint(4 * MOMENT);
    record.paidAfter = U256::from(5 * MOMENT);
    record.complaint.since = uint(6 * MOMENT);
    record.complaint.until = uint(7 * MOMENT);
    let mut job = timed(view.job);
    // Nothing else is trained.
    job.job.total = EVERY.into();
    job.terms.committee.members = vec![LEAD];
    let (number, mut record) = job.batches.remove(0);
    change(&mut record, &mut job);
    job.batches.insert(0, (number, record));
    let moments = vec![
        ("`close`", MOMENT),
        ("the block that draws", 2 * MOMENT),
        ("the time of the batch's proofs", 3 * MOMENT),
        ("the window", 4 * MOMENT),
        ("the times to complain and to challenge", 5 * MOMENT),
        ("the complaint", 6 * MOMENT),
        ("the complaint's time", 7 * MOMENT),
        ("the challenge's time", 8 * MOMENT),
    ];
    Situation { name, job, moments }
}

/// A job at the beginning of time, so that nothing is over.
fn timed(mut job: JobSnapshot) -> JobSnapshot {
    let value = |name: &str| {
        let found = DURATIONS.iter().find(|(other, _)| *other == name);
        u32::try_from(found.expect("it is in the list").1).expect("it fits")
    };
    let times = &mut job.terms.times;
    times.batchSecs = value("`batchSecs`");
    times.revealSecs = value("`revealSecs`");
    times.proveSecs = value("`proveSecs`");
    times.complainSecs = value("`complainSecs`");
    times.decideSecs = 2 * value("half of `decideSecs`");
    job.now = Moment { time: 0, block: 0 };
    job
}

fn situations() -> Vec<Situation> {
    let posted = |state, name, moments| {
        let mut job = timed(job(LEAD, state).job);
        job.job.deadline = uint(MOMENT);
        job.job.acceptFrom = uint(2 * MOMENT);
        job.job.endedAt = uint(3 * MOMENT);
        job.terms.committee.members = vec![LEAD];
        Situation { name, job, moments }
    };
    let full = |job: &mut JobSnapshot| job.job.claimed = EVERY.into();
    vec![
        posted(
            State::Open,
            "Open",
            vec![
                ("`openSecs` from the posting", MOMENT),
                ("the posting, or `reopenSecs` after a hand-back", 2 * MOMENT),
            ],
        ),
        posted(State::Assigned, "Assigned", vec![("`startSecs` from the acceptance", MOMENT)]),
        running(|_| (), "Running, d = k, the next batch is not full"),
        running(|job| job.terms.batches.draws = 1, "Running, d < k, the next batch is not full"),
        running(full, "Running, the next batch is full"),
        running(
            |job| {
                job.job.complaints = 1;
                full(job);
            },
            "— during a complaint",
        ),
        running(
            |job| {
                job.job.left = true;
                full(job);
            },
            "— shortened by `abandon`",
        ),
        batched(BatchState::Drawing, |_, _| (), "Drawing"),
        batched(BatchState::Drawing, |batch, _| batch.record.lateAt = uint(1), "— a late block is fixed"),
        batched(
            BatchState::Proving,
            |batch, _| (batch.record.drawn, batch.due, batch.record.acknowledged) = (1, 1, true),
            "Proving, drawn and not proven",
        ),
        batched(
            BatchState::Proving,
            |batch, job| {
                (batch.record.challenged, batch.due, batch.record.acknowledged) = (1, 1, true);
                job.challenges = vec![(0, 8 * MOMENT)];
            },
            "— challenged and not proven",
        ),
        batched(BatchState::Proving, |_, _| (), "— all that is due is proven"),
        batched(BatchState::Disputed, |_, _| (), "Disputed"),
        batched(BatchState::Disputed, |batch, _| batch.record.known = false, "— its draw is not made"),
        posted(State::Completed, "ended", vec![("the end", 3 * MOMENT)]),
    ]
}

/// A moment in words, and by how many units it is later than that.
fn in_words(situation: &Situation, when: When) -> (String, u64) {
    let (When::Time(value) | When::Block(value)) = when;
    // What is named is a moment less at most one duration, and more any of them.
    for (name, moment) in &situation.moments {
        for less in std::iter::once(None).chain(DURATIONS.iter().map(Some)) {
            let Some(rest) = (value + less.map_or(0, |(_, duration)| *duration)).checked_sub(*moment) else { continue };
            for set in 0..1u32 << DURATIONS.len() {
                let chosen: Vec<_> =
                    (0..).zip(&DURATIONS).filter(|(bit, _)| set & 1 << bit != 0).map(|(_, of)| of).collect();
                let sum: u64 = chosen.iter().map(|(_, duration)| duration).sum();
                let Some(later) = rest.checked_sub(sum).filter(|later| *later <= 1) else { continue };
                let plus: String = chosen.iter().map(|(name, _)| format!(" + {name}")).collect();
                let minus = less.map_or_else(String::new, |(name, _)| format!(" − {name}"));
                return (format!("{name}{minus}{plus}"), later);
            }
        }
    }
    panic!("{}: {when:?} is no sum of what deadlines are made of", situation.name)
}

fn row(situation: &Situation, name: &str, duty: &Duty) -> String {
    let calls: Vec<String> = duty.calls.iter().map(|call| format!("`{call}`")).collect();
    let from = duty.from.map_or_else(
        || "at once".to_owned(),
        |from| match in_words(situation, from) {
            (words, 0) => format!("from {words} on"),
            (words, _) => format!("after {words}"),
        },
    );
    let until = duty.until.map_or_else(
        || "—".to_owned(),
        |until| match in_words(situation, until) {
            (words, 0) => words,
            (words, later) => format!("{words}, {later} later"),
        },
    );
    format!("| {name} | {} | {} | {from} | {until} | {} |\n", duty.actor.in_words(), calls.join(", "), duty.otherwise)
}

fn table() -> String {
    let mut table =
        "| where | who | may call | from | until | if nobody does |\n|---|---|---|---|---|---|\n".to_owned();
    for situation in situations() {
        let found = duties(&situation.job);
        assert!(!found.is_empty(), "{}", situation.name);
        for (place, duty) in found.iter().enumerate() {
            table += &row(&situation, if place == 0 { situation.name } else { "" }, duty);
        }
    }
    table
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/nodes.md")
}

#[test]
fn the_page_has_the_table_of_deadlines() {
    let page = page();
    let text = std::fs::read_to_string(&page).expect("the page is read");
    let (before, rest) = text.split_once(MARKS[0]).expect("the page has a place for the table");
    let (stands, after) = rest.split_once(MARKS[1]).expect("the page has an end of the table");
    let made = format!("\n\n{}\n", table());
    if std::env::var_os(WRITE).is_some_and(|value| value == "1") {
        let text = [before, MARKS[0], &made, MARKS[1], after].concat();
        return std::fs::write(&page, text).expect("the page is written");
    }
    assert_eq!(stands, made, "{WRITE}=1 writes the table of {} anew", page.display());
}

#[test]
fn the_page_says_of_each_call_what_a_node_does_about_it() {
    let text = std::fs::read_to_string(page()).expect("the page is read");
    let (_, rest) =
        text.split_once("| call | provider | requester | validator |").expect("the page has the table of calls");
    let (table, _) = rest.split_once("\n\n").expect("the table ends");
    let firsts = table.lines().filter_map(|line| line.split('|').nth(1));
    let said: BTreeSet<&str> = firsts.flat_map(|first| first.split('`').skip(1).step_by(2)).collect();
    for situation in situations() {
        for call in duties(&situation.job).iter().flat_map(|duty| duty.calls) {
            assert!(said.contains(call), "{call} has no row");
        }
    }
}
