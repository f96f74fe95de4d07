//! Runs seeds.

use std::io::Write;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gradproof_chain::market::{State, TrainingMarket};

use crate::fault::Fault;
use crate::ledger::{Founded, founded};
use crate::rules;
use crate::world::World;

/// Seeds that run if nothing else is said.
const SEEDS: Range<u64> = 0..200;
/// Seeds in which a planted fault must be found.
const FOR_A_FAULT: Range<u64> = 0..40;
/// Lines of what happened that are printed of a seed that fails: the last ones.
const LINES: usize = 400;

/// What came of a seed.
struct Outcome {
    state: Option<State>,
    log: Vec<String>,
    broken: Vec<String>,
}

/// Says that a test is skipped, as `cargo xtask test` counts it.
pub fn skip(test: &str) {
    let line = format!("{test}: needs the tools of the contracts; `cargo xtask contracts` installs them");
    assert!(std::env::var_os("GRADPROOF_NO_SKIP").is_none_or(|value| value != "1"), "{line}");
    match std::env::var_os("GRADPROOF_SKIPS") {
        Some(path) => {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            file.and_then(|mut file| writeln!(file, "{line}")).expect("the list can be written");
        }
        None => eprintln!("skipped {line}"),
    }
}

/// Runs a seed to its end, and looks for rules that were broken.
fn run(founded: &'static Founded, seed: u64, fault: Option<Fault>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _inside = runtime.enter();
    let mut world = World::new(founded, seed, fault);
    let ran = catch_unwind(AssertUnwindSafe(|| world.run()));
    if ran.is_err() {
        let mut stage = world.stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        stage.breaks("a node panicked");
        let (log, broken) = (std::mem::take(&mut stage.log), std::mem::take(&mut stage.broken));
        return Outcome { state: None, log, broken };
    }
    rules::check(&world);
    let mut stage = world.stage();
    let (market, call) = (stage.market(), TrainingMarket::jobOfCall { id: world.job });
    let state = State::of(stage.ledger.view(market, &call).state);
    let (log, broken) = (std::mem::take(&mut stage.log), std::mem::take(&mut stage.broken));
    Outcome { state, log, broken }
}

/// The seeds that were asked for.
fn asked() -> (Range<u64>, bool) {
    let number = |text: &str| text.trim().parse().expect("a seed is a number");
    if let Ok(seed) = std::env::var("GRADPROOF_SEED") {
        let seed = number(&seed);
        return (seed..seed + 1, true);
    }
    match std::env::var("GRADPROOF_SEEDS") {
        Ok(range) => {
            let (first, end) = range.split_once("..").expect("GRADPROOF_SEEDS is a range like 0..5000");
            (number(first)..number(end), false)
        }
        Err(_) => (SEEDS, false),
    }
}

#[test]
fn whatever_goes_wrong_no_rule_is_broken() {
    let Some(founded) = founded() else { return skip("whatever_goes_wrong_no_rule_is_broken") };
    let (seeds, whole) = asked();
    let (mut ends, mut failed) = (std::collections::BTreeMap::<String, usize>::new(), vec![]);
    for seed in seeds.clone() {
        let Outcome { state, log, broken } = run(founded, seed, None);
        *ends.entry(format!("{state:?}")).or_default() += 1;
        if whole || !broken.is_empty() {
            let skipped = if whole { 0 } else { log.len().saturating_sub(LINES) };
            if failed.is_empty() {
                log.iter().take(1).chain(&log[skipped..]).for_each(|line| println!("{line}"));
            }
        }
        if !broken.is_empty() {
            println!("seed {seed}: {broken:?}");
            failed.push(seed);
        }
    }
    println!("{} seeds: {ends:?}", seeds.count());
    assert!(failed.is_empty(), "rules were broken: GRADPROOF_SEED={} shows all that happens", failed[0]);
}

#[test]
fn a_seed_comes_to_the_same_again() {
    let Some(founded) = founded() else { return skip("a_seed_comes_to_the_same_again") };
    for seed in [1, 5, 9] {
        assert_eq!(run(founded, seed, None).log, run(founded, seed, None).log, "seed {seed}");
    }
}

#[test]
fn each_rule_finds_what_breaks_it() {
    let Some(founded) = founded() else { return skip("each_rule_finds_what_breaks_it") };
    for (fault, says) in Fault::ALL {
        let found = FOR_A_FAULT.map(|seed| run(founded, seed, Some(fault)).broken);
        let mut found = found.flatten().filter(|broken| broken.contains(says));
        assert!(found.next().is_some(), "{fault:?} breaks no rule");
    }
}
