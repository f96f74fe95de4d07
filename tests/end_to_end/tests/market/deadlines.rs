//! The table of deadlines, held to what the contract says that anyone can do: a job that walks through all its silences.

use std::collections::BTreeSet;

use gradproof_chain::B256;
use gradproof_chain::U256;
use gradproof_chain::market::{State, TrainingMarket, no_paths};

use crate::scene::{BATCH, HOUR, Scene, code};
use crate::trained::Trained;

/// One more than there are until the late block is made.
const LATE_BLOCKS: u32 = 9;

#[test]
fn what_anyone_can_do_is_what_the_table_says() {
    let Some(code) = code("what_anyone_can_do_is_what_the_table_says") else { return };
    let scene = Scene::new(code);
    let trained = Trained::new();
    // A chain of secrets serves one job.
    let open = |nonce: u64| {
        let mut terms = scene.terms(&trained, BATCH, 1);
        terms.batches.tip = B256::with_last_byte(nonce as u8);
        scene.open(&terms, nonce)
    };
    let ready = |job: B256, calls: &[&'static str]| {
        assert_eq!(scene.ready(job), calls.iter().copied().collect::<BTreeSet<_>>());
    };
    // Nobody takes it.
    let alone = open(1);
    ready(alone, &[]);
    // Taken, and not started; taken by another, and not trained.
    let idle = open(2);
    let accept = |id| TrainingMarket::acceptCall { id, minPrice: U256::ZERO, paths: no_paths() };
    scene.provider.send(scene.market(), &accept(idle)).expect("it is open");
    ready(idle, &[]);
    let slow = open(3);
    scene.start(slow, &scene.partner);
    ready(slow, &[]);
    // Claimed and closed; nobody reveals, nobody proves.
    let silent = open(4);
    scene.start(silent, &scene.provider);
    let lasts = trained.lasts(0);
    scene.claim(&scene.provider, silent, 0, &lasts);
    scene.close(&scene.provider, silent, 0);
    ready(silent, &[]);

    scene.node.pass(HOUR + 60);
    ready(idle, &["decline"]);
    // For a day the team alone fixes the late block.
    ready(silent, &[]);
    scene.node.pass(24 * HOUR);
    ready(alone, &["cancel"]);
    ready(silent, &["fixLate"]);
    let late = TrainingMarket::fixLateCall { id: silent, batch: U256::ZERO, seat: U256::ZERO };
    scene.partner.send(scene.market(), &late).expect("its time has come");
    ready(silent, &[]);
    scene.node.mine(LATE_BLOCKS);
    ready(silent, &["drawLate"]);
    let draw = TrainingMarket::drawLateCall { id: silent, batch: U256::ZERO };
    scene.partner.send(scene.market(), &draw).expect("the block is made");
    ready(silent, &[]);
    // Late, and then over.
    scene.node.pass(3 * HOUR);
    ready(silent, &[]);
    scene.node.pass(2 * HOUR);
    ready(silent, &["fail"]);
    ready(slow, &[]);
    scene.node.pass(24 * HOUR);
    ready(slow, &["abandon"]);

    // What is complained about is drawn all the same.
    let drawing = open(7);
    scene.start(drawing, &scene.provider);
    scene.claim(&scene.provider, drawing, 0, &lasts);
    scene.close(&scene.provider, drawing, 0);
    scene.complain(drawing, 0);
    scene.node.pass(HOUR + 60);
    ready(drawing, &[]);
    let late = TrainingMarket::fixLateCall { id: drawing, batch: U256::ZERO, seat: U256::ZERO };
    scene.provider.send(scene.market(), &late).expect("the team fixes it");
    ready(drawing, &[]);
    scene.node.mine(LATE_BLOCKS);
    ready(drawing, &["drawLate"]);
    let draw = TrainingMarket::drawLateCall { id: drawing, batch: U256::ZERO };
    scene.partner.send(scene.market(), &draw).expect("the block is made");
    ready(drawing, &[]);

    // A complaint that nobody decides.
    let disputed = open(5);
    let domain = scene.start(disputed, &scene.provider);
    scene.claim(&scene.provider, disputed, 0, &lasts);
    scene.close(&scene.provider, disputed, 0);
    scene.complain(disputed, 0);
    scene.node.pass(24 * HOUR + 60);
    ready(disputed, &["lapse"]);
    let lapse = TrainingMarket::lapseCall { id: disputed, batch: U256::ZERO };
    scene.partner.send(scene.market(), &lapse).expect("nobody decided");
    assert_eq!(domain.job, disputed.0);
    for (call, job) in [("cancel", alone), ("decline", idle), ("abandon", slow), ("fail", silent)] {
        ready(job, &[call]);
    }
    // As long as nobody ends the job, its lead goes on.
    assert_eq!(scene.lead_may(slow), ["claim"].into());
    scene.claim(&scene.partner, slow, 0, &lasts);
    assert_eq!(scene.lead_may(slow), ["close"].into());
    scene.close(&scene.partner, slow, 0);
    ready(slow, &[]);
    // Proven, and not acknowledged.
    let whole = scene.open(&scene.terms(&trained, 1, 1), 6);
    let domain = scene.start(whole, &scene.provider);
    scene.claim_proven(&scene.provider, whole, 0, &trained.prove(0, domain)).expect("the proof is right");
    scene.close(&scene.provider, whole, 0);
    ready(whole, &[]);
    scene.node.pass(4 * HOUR + 60);
    ready(whole, &["settle"]);
    let settle = TrainingMarket::settleCall { id: whole };
    scene.partner.send(scene.market(), &settle).expect("its time has come");
    ready(whole, &[]);
    scene.partner.send(scene.market(), &TrainingMarket::cancelCall { id: alone }).expect("its time has come");
    scene.in_state(alone, State::Cancelled);
    ready(alone, &[]);
}
