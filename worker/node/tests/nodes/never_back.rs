//! A provider's node that is killed and never comes back: the job goes to another, and whoever asks is told why.

use gradproof_chain::market::State;

use crate::member::Member;
use crate::scene::{Balance, FEE, FORTUNE, STAKE};
use crate::trade::{Trade, completed, paid_out};
use crate::workshop::Point;

/// How long a provider has to start here, in seconds.
const START_SECS: u32 = 3600;

#[test]
fn a_job_of_a_provider_that_never_comes_back_is_another_ones_in_time_and_the_reason_is_told() {
    let Some(mut trade) = Trade::start("a_job_of_a_provider_that_never_comes_back") else { return };
    trade.provider.shop.hold(Point::Train);
    let mut terms = trade.scene.terms();
    terms.times.startSecs = START_SECS;
    let reopen = terms.times.reopenSecs;
    trade.requester.allow(&trade.scene, &terms);
    let job = trade.requester.post(&trade.scene, terms);
    trade.scene.until("it begins to train", || trade.provider.shop.waits(Point::Train));
    trade.provider.kill();
    let Trade { scene, requester, provider } = trade;
    scene.pass(START_SECS + 1);
    scene.until("the requester's node has the job handed back", || scene.is(job, State::Open));
    // What `requester explain` prints.
    let decline = || {
        let told = requester.told(job).and_then(|told| told.transaction);
        told.is_some_and(|last| last.what.starts_with("decline"))
    };
    scene.until("it says so", decline);
    scene.pass(reopen + 1);
    let mut other = Member::provider(&scene, 0x22);
    other.start(&scene);
    paid_out(&scene, job, State::Completed, &[&requester, &other]);
    let [of_requester, of_other] = completed(&requester, &other);
    let balances = [
        Balance { tokens: of_requester.tokens - FEE, ..of_requester },
        of_other,
        Balance { who: "killed", account: provider.account(), tokens: FORTUNE - STAKE, stake: STAKE - FEE },
    ];
    scene.balances(&balances, 2 * FEE);
}
