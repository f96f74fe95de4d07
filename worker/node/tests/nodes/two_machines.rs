//! Two nodes of one provider's account: both work on its jobs, one of them sends each thing, and either can be lost.

use std::cell::Cell;

use gradproof_chain::B256;
use gradproof_chain::market::State;
use gradproof_node::facts::Opened;

use crate::member::Member;
use crate::scene::{PRICE, Scene, tokens};
use crate::trade::{PROVIDER_SENDS, completed, paid_out};
use crate::workshop::{Point, SEGMENTS, digest};

/// Looks after which time passes, where it passes quickly.
const LOOKS: u32 = 12;
/// How many seconds then.
const SECS: u32 = 3;

/// A market with a requester, and two nodes of one provider's account in the order of their places.
struct Machines {
    scene: Scene,
    requester: Member,
    first: Member,
    second: Member,
}

impl Machines {
    /// All are in the register, and run; `None`, and it is said, where the tools are not installed.
    fn start(test: &str) -> Option<Self> {
        let scene = Scene::start(test)?;
        let (mut requester, one) = (Member::requester(&scene, 0x11), Member::provider(&scene, 0x21));
        let other = Member::beside(&scene, &one, 0x23);
        let (mut first, mut second) =
            if one.peer_signer().address() < other.peer_signer().address() { (one, other) } else { (other, one) };
        requester.start(&scene);
        first.start(&scene);
        second.start(&scene);
        let knows = |one: &Member, other: &Member| one.shared().entry(other.peer_signer().address()).is_some();
        scene.until("they know of each other", || knows(&first, &second) && knows(&second, &first));
        Some(Self { scene, requester, first, second })
    }

    /// Posts the stand-in's job: its id.
    fn post(&self) -> B256 {
        let terms = self.scene.terms();
        self.requester.allow(&self.scene, &terms);
        self.requester.post(&self.scene, terms)
    }

    /// Waits for something that a node does in place of another, which takes a minute of the chain: time passes quickly.
    #[track_caller]
    fn hurry(&self, what: &str, is_so: impl Fn() -> bool) {
        let looks = Cell::new(0u32);
        self.scene.until(what, || {
            looks.set(looks.get() + 1);
            if looks.get().is_multiple_of(LOOKS) {
                self.scene.pass(SECS);
            }
            is_so()
        });
    }

    /// Waits until the job is completed, by one node after the other is gone.
    #[track_caller]
    fn complete_alone(&self, job: B256) {
        self.hurry("the job is completed", || self.scene.is(job, State::Completed));
        self.complete(job);
    }

    /// Waits until the job is completed; then compares balances, and what the requester has.
    #[track_caller]
    fn complete(&self, job: B256) {
        let Self { scene, requester, first, .. } = self;
        paid_out(scene, job, State::Completed, &[requester, first]);
        scene.balances(&completed(requester, first), 0);
        let opened = [(0, 3), (1, 6)].map(|(batch, segments)| (batch, Opened::Right(digest(job, segments))));
        assert_eq!(requester.facts(job).expect("it follows the job").opened, opened.into());
    }
}

/// Whether a running node sent a call about a job, in words.
fn sent(member: &Member, call: &str, job: B256) -> bool {
    member.shared().said_of(&format!("{call} of job {job}")).as_deref() == Some("sent")
}

#[test]
fn two_nodes_of_one_owner_work_and_one_submits() {
    let Some(machines) = Machines::start("two_nodes_of_one_owner_work") else { return };
    let Machines { scene, first, second, .. } = &machines;
    let before = scene.sent_by(first.account());
    // So that none of them is taken for one that is gone, however slow this machine is.
    first.shop.hold(Point::Prove(0));
    second.shop.hold(Point::Prove(2));
    let job = machines.post();
    let both_prove = || first.shop.waits(Point::Prove(0)) && second.shop.waits(Point::Prove(2));
    scene.until("each begins with its part of the batch", both_prove);
    // Whoever starts the job has trained it whole; the other one as far as it proves.
    assert!([first, second].iter().all(|member| member.facts(job).is_some_and(|facts| facts.trained() >= 3)));
    second.shop.release(Point::Prove(2));
    scene.until("the later part is proven", || second.shop.passed(Point::Prove(2)) == 1);
    first.shop.release(Point::Prove(0));
    machines.complete(job);

    assert_eq!(scene.sent_by(first.account()) - before, 1, "the account's key takes the job once");
    let settles = [first, second].iter().filter(|member| sent(member, "settle", job)).count() as u64;
    let sends = scene.sent_by(first.hot()) + scene.sent_by(second.hot());
    assert_eq!(sends, PROVIDER_SENDS + settles, "transactions of both hot keys together");
    for (segment, member) in [(0, first), (1, first), (2, second), (3, first), (4, first), (5, second)] {
        assert!(
            sent(member, &format!("claimProven segment {segment}"), job),
            "segment {segment} is another one's part"
        );
        let proofs = first.shop.passed(Point::Prove(segment)) + second.shop.passed(Point::Prove(segment));
        assert_eq!(proofs, 1, "proofs of segment {segment}");
    }
    let delivered = |member: &Member| member.facts(job).expect("it has the job").delivered;
    let (one, other) = (delivered(first), delivered(second));
    assert_eq!(one.len(), 2, "{one:?}");
    assert!(other.iter().all(|(batch, root)| one.get(batch) == Some(root)), "{one:?}, {other:?}");
}

#[test]
fn the_second_goes_on_when_the_first_dies_in_the_middle_of_a_batch() {
    let Some(mut machines) = Machines::start("the_second_goes_on_when_the_first_dies") else { return };
    machines.first.shop.hold(Point::Prove(1));
    let job = machines.post();
    machines.scene.until("a segment is claimed", || machines.scene.job(job).claimed == 1);
    machines.scene.until("the first proves another", || machines.first.shop.waits(Point::Prove(1)));
    machines.first.kill();
    machines.first.shop.release_all();
    machines.complete_alone(job);
    assert!(sent(&machines.second, "close batch 0", job) && sent(&machines.second, "close batch 1", job));
    assert_eq!(machines.second.shop.passed(Point::Prove(0)), 0, "what is claimed is not proven again");
}

#[test]
fn the_first_goes_on_when_the_second_dies_with_its_part() {
    let Some(mut machines) = Machines::start("the_first_goes_on_when_the_second_dies") else { return };
    machines.second.shop.hold(Point::Prove(2));
    let job = machines.post();
    machines.scene.until("the second proves its part", || machines.second.shop.waits(Point::Prove(2)));
    machines.second.kill();
    machines.second.shop.release_all();
    machines.complete_alone(job);
    assert_eq!(machines.scene.sent_by(machines.second.hot()), 0);
}

#[test]
fn the_second_takes_up_the_job_when_the_first_dies_as_soon_as_it_has_it() {
    let Some(mut machines) = Machines::start("the_second_takes_up_the_job") else { return };
    machines.first.shop.hold(Point::Begin);
    let job = machines.post();
    machines.scene.until("the first has the data", || machines.first.shop.waits(Point::Begin));
    machines.first.kill();
    machines.first.shop.release_all();
    machines.complete_alone(job);
    assert!(sent(&machines.second, "start", job));
}

#[test]
fn the_second_closes_what_the_first_did_not() {
    let Some(mut machines) = Machines::start("the_second_closes_what_the_first_did_not") else { return };
    machines.first.shop.hold(Point::Weights(3));
    let job = machines.post();
    machines.scene.until("the first makes the weights", || machines.first.shop.waits(Point::Weights(3)));
    assert_eq!(machines.scene.job(job).closed, 0);
    machines.first.kill();
    machines.first.shop.release_all();
    machines.complete_alone(job);
    assert!(sent(&machines.second, "close batch 0", job));
}

#[test]
fn the_second_hands_over_what_the_first_closed() {
    let Some(mut machines) = Machines::start("the_second_hands_over_what_the_first_closed") else { return };
    machines.first.shop.hold(Point::Weights(3));
    let job = machines.post();
    machines.scene.until("the first makes the weights", || machines.first.shop.waits(Point::Weights(3)));
    // So that nobody has fetched them when their sender dies.
    machines.requester.kill();
    machines.first.shop.release(Point::Weights(3));
    machines.scene.until("the batch is closed", || machines.scene.job(job).closed == 3);
    assert!(sent(&machines.first, "close batch 0", job) && !sent(&machines.second, "close batch 0", job));
    let root = |member: &Member| member.facts(job).expect("it has the job").delivered.get(&0).copied();
    let closed = root(&machines.first);
    machines.first.kill();
    machines.scene.until("the second has the same delivery", || root(&machines.second) == closed);
    machines.requester.start(&machines.scene);
    machines.complete_alone(job);
}

#[test]
fn a_node_that_comes_back_goes_on_beside_the_other_one() {
    let Some(mut machines) = Machines::start("a_node_that_comes_back_goes_on") else { return };
    machines.first.shop.hold(Point::Prove(1));
    let job = machines.post();
    machines.scene.until("the first proves", || machines.first.shop.waits(Point::Prove(1)));
    machines.first.kill();
    machines.first.shop.release_all();
    machines.second.shop.hold(Point::Weights(3));
    machines.hurry("the second has proven the batch", || machines.second.shop.waits(Point::Weights(3)));
    machines.first.start(&machines.scene);
    machines.scene.until("the first closes it", || machines.scene.job(job).closed == 3);
    machines.second.shop.release_all();
    machines.complete_alone(job);
    assert!(sent(&machines.first, "close batch 0", job));
}

#[test]
fn an_offer_and_a_quote_come_from_whichever_node_is_alive() {
    let Some(mut machines) = Machines::start("an_offer_and_a_quote_come_from_whichever_node") else { return };
    machines.requester.kill();
    for is_first_gone in [true, false] {
        let gone = if is_first_gone { &mut machines.first } else { &mut machines.second };
        gone.kill();
        let account = gone.account();
        let quotes = machines.requester.quotes(&machines.scene, &machines.scene.terms(), None, Some(account));
        let price = quotes.get(&account).map(|said| said.as_ref().map(|quoted| quoted.price));
        assert_eq!(price, Some(Ok(tokens(PRICE).to())));
        let gone = if is_first_gone { &mut machines.first } else { &mut machines.second };
        gone.start(&machines.scene);
    }
}

#[test]
fn a_validator_does_not_run_where_the_register_has_another_node_of_its_account() {
    let Some(scene) = Scene::start("a_validator_does_not_run_where") else { return };
    let mut first = Member::validator(&scene, 0x31);
    first.start(&scene);
    let second = Member::beside(&scene, &first, 0x33);
    let why = second.refuses(&scene).to_string();
    let peer = first.peer_signer().address();
    assert!(why.contains(&format!("`remove({peer})`")), "{why}");
    scene.mine(5);
    // Whose only entry is its own runs, and runs again.
    first.kill();
    first.start(&scene);
    let seen = scene.block() + 3;
    scene.until("it follows the chain", || scene.block() >= seen);
    first.kill();
}

#[test]
fn of_a_drawn_batch_two_nodes_make_one_proof_and_claim_once() {
    let Some(machines) = Machines::start("of_a_drawn_batch_two_nodes_make_one_proof") else { return };
    let Machines { scene, requester, first, second } = &machines;
    let (terms, secrets) = scene.drawn_terms();
    requester.allow(scene, &terms);
    let job = requester.post_with(scene, terms, Some(secrets));
    paid_out(scene, job, State::Completed, &[requester, first]);
    scene.balances(&completed(requester, first), 0);
    let proofs = |index| first.shop.passed(Point::Prove(index)) + second.shop.passed(Point::Prove(index));
    for batch in [0..3, 3..SEGMENTS] {
        assert_eq!(batch.map(proofs).sum::<usize>(), 1, "one segment is drawn");
    }
    for segment in [0, 3] {
        let claim = format!("claim from segment {segment}");
        assert!(sent(first, &claim, job) && !sent(second, &claim, job), "{claim}");
    }
}

#[test]
fn a_node_says_that_another_one_cannot_deliver_what_it_delivers() {
    let Some(scene) = Scene::start("a_node_says_that_another_one_cannot_deliver") else { return };
    let mut first = Member::provider(&scene, 0x21);
    first.start(&scene);
    let mut second = Member::beside(&scene, &first, 0x23);
    std::fs::write(second.folder().join("keys/encryption.key"), format!("{}\n", B256::repeat_byte(7)))
        .expect("written");
    second.start(&scene);
    // The entry of its first start is read at the next one.
    second.kill();
    second.start(&scene);
    let about = format!("node {}", first.peer_signer().address());
    scene.until("it is said", || second.shared().said_of(&about).is_some_and(|said| said.contains("--beside")));
}
