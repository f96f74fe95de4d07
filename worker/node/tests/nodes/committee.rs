//! Jobs whose terms name a committee, of which each member has a node: it consents, holds the data, and decides complaints.

use std::time::Duration;

use gradproof_chain::market::{
    BatchState, Offering, Question, State, TrainingMarket, attestation_digest, consent_digest,
};
use gradproof_chain::{Address, B256, PrivateKeySigner, SolValue, U256};
use gradproof_node::consents::Consents;
use gradproof_node::facts::{Facts, Opened, Role};
use gradproof_node::live::TERMS_FILE;
use gradproof_node::matching::Candidate;
use gradproof_node::offers::{Offers, terms_for};

use crate::member::{Member, write};
use crate::proxy::Proxy;
use crate::scene::{BACKING, BATCH_PRICE, Balance, COMPLAINT, FORTUNE, PRICE, STAKE, Scene, WORD, tokens};
use crate::trade::paid_out;
use crate::workshop::{Point, SEGMENTS, parcel};

/// Segments that are proven when the committee decides.
const PROVEN: u64 = 4;
/// The market's number of the verdict that pays.
pub const YES: u8 = 2;

/// A market with a requester, a provider, and validators that decide about its deliveries.
pub struct Panel {
    pub scene: Scene,
    pub requester: Member,
    pub provider: Member,
    pub validators: Vec<Member>,
}

impl Panel {
    /// All are in the register, and run.
    pub fn start(test: &str, validators: u8) -> Option<Self> {
        Self::start_with(test, validators, 0)
    }

    /// The same, of which each validator risks so many tokens in challenges.
    pub fn start_with(test: &str, validators: u8, risked: u64) -> Option<Self> {
        let scene = Scene::start(test)?;
        let provider = Member::provider(&scene, 0x21);
        Some(Self::of(scene, provider, validators, risked))
    }

    /// The same with this provider.
    fn of(scene: Scene, mut provider: Member, validators: u8, risked: u64) -> Self {
        let mut requester = Member::requester(&scene, 0x11);
        let mut validators: Vec<Member> =
            (0..validators).map(|at| Member::validator(&scene, 0x41 + at).risking(&scene, risked)).collect();
        requester.stake(&scene, COMPLAINT);
        validators.iter().for_each(|validator| provider.lets_decide(validator.account()));
        requester.start(&scene);
        provider.start(&scene);
        validators.iter_mut().for_each(|validator| validator.start(&scene));
        Self { scene, requester, provider, validators }
    }

    /// The same of each batch of which one segment is drawn, posted: its id.
    pub fn post_drawn(&self) -> B256 {
        let (drawn, secrets) = self.scene.drawn_terms();
        let terms = TrainingMarket::Terms { batches: drawn.batches, ..self.terms() };
        self.requester.allow(&self.scene, &terms);
        self.requester.post_with(&self.scene, terms, Some(secrets))
    }

    pub fn terms(&self) -> TrainingMarket::Terms {
        self.scene.judged_terms(self.validators.iter().map(Member::account).collect())
    }

    /// Posts the stand-in's job, whose consents the requester's node collects: its id.
    pub fn post(&self) -> B256 {
        let terms = self.terms();
        self.requester.allow(&self.scene, &terms);
        self.requester.post(&self.scene, terms)
    }

    pub fn batch(&self, job: B256) -> TrainingMarket::BatchView {
        self.scene.ask(self.scene.market(), &TrainingMarket::batchOfCall { id: job, batch: U256::ZERO })
    }

    pub fn is(&self, job: B256, state: BatchState) -> bool {
        self.batch(job).state == state as u8
    }

    /// The requester's account complains about the first batch, whatever its node knows.
    pub fn complain(&self, job: B256) {
        let TrainingMarket::BatchView { last, record, .. } = self.batch(job);
        let complaint = TrainingMarket::complainCall { id: job, batch: U256::ZERO, last, root: record.root };
        self.requester.send(self.scene.market(), &complaint);
    }

    /// Lets the half of the time pass in which the committee says nothing.
    pub fn pass_half(&self) {
        self.scene.pass(self.terms().times.decideSecs / 2 + 1);
    }

    /// What the first validator says of the delivery of the first batch.
    fn said_of_delivery(&self, job: B256) -> Option<String> {
        let about = format!("get and open the weights of batch 0, as was asked of job {job}");
        self.validators[0].shared().said_of(&about)
    }

    /// What a validator has in the end if it decided so many complaints.
    pub fn validator(&self, at: usize, decided: u64) -> Balance {
        let tokens = FORTUNE - BACKING + decided * WORD;
        Balance { who: "validator", account: self.validators[at].account(), tokens, stake: BACKING }
    }
}

/// Whether a validator found that the delivery of the first batch opens its claim.
pub fn judged(validator: &Member, job: B256) -> Option<bool> {
    validator.facts(job)?.judged.iter().find(|one| one.batch == 0)?.right
}

#[test]
fn wrong_weights_are_complained_about_and_the_committee_gives_their_price_back() {
    let Some(panel) = Panel::start("wrong_weights_are_complained_about", 1) else { return };
    panel.provider.shop.spoil(3);
    panel.provider.shop.hold(Point::Prove(PROVEN));
    let job = panel.post();
    let Panel { scene, requester, provider, validators } = &panel;
    scene.until("the requester complains", || panel.is(job, BatchState::Disputed));
    scene.until("the provider goes on", || u64::from(scene.job(job).claimed) == PROVEN);
    scene.until("the validator has looked", || judged(&validators[0], job) == Some(false));
    let facts = validators[0].facts(job).expect("it has the job");
    assert_eq!(facts.words, [], "in the first half it says nothing");
    panel.pass_half();
    // The job ends with what is proven, of which the second batch has one segment.
    scene.until("the committee has decided", || u64::from(scene.job(job).total) == PROVEN);
    let [word] = &validators[0].facts(job).expect("it has the job").words[..] else { panic!("it gave one word") };
    assert!(!word.yes && word.signature.is_some());
    provider.shop.release_all();
    scene.until("the second batch is opened", || requester.shop.passed(Point::Open(PROVEN)) > 0);
    scene.pass(panel.terms().times.complainSecs);
    paid_out(scene, job, State::Left, &[requester, provider, &validators[0]]);
    let left = FORTUNE - COMPLAINT - PRICE - WORD;
    let all = [
        Balance { who: "requester", account: requester.account(), tokens: left, stake: COMPLAINT },
        Balance { who: "provider", account: provider.account(), tokens: FORTUNE - STAKE + PRICE, stake: STAKE },
        panel.validator(0, 1),
    ];
    scene.balances(&all, 0);
}

#[test]
fn a_lying_complaint_costs_its_bond_and_the_provider_is_paid_though_a_member_is_dead() {
    let Some(mut panel) = Panel::start("a_lying_complaint_costs_its_bond", 3) else { return };
    // It does not look at what it gets.
    panel.requester.shop.hold(Point::Open(3));
    let job = panel.post();
    panel.scene.until("the first batch is closed", || panel.is(job, BatchState::Proving));
    panel.validators[2].kill();
    panel.complain(job);
    let Panel { scene, requester, provider, validators } = &panel;
    let all_hold = || validators[..2].iter().all(|validator| judged(validator, job) == Some(true));
    scene.until("two members hold the delivery", all_hold);
    panel.pass_half();
    scene.until("they say yes", || panel.batch(job).complaint.verdict == YES);
    requester.shop.release_all();
    scene.until("all is claimed", || u64::from(scene.job(job).claimed) == SEGMENTS);
    paid_out(scene, job, State::Completed, &[requester, provider, &validators[0], &validators[1]]);
    let price = SEGMENTS * PRICE;
    let all = [
        Balance { who: "requester", account: requester.account(), tokens: FORTUNE - COMPLAINT - price, stake: 0 },
        Balance { who: "provider", account: provider.account(), tokens: FORTUNE - STAKE + price, stake: STAKE },
        panel.validator(0, 1),
        panel.validator(1, 1),
        panel.validator(2, 0),
    ];
    scene.balances(&all, COMPLAINT - 2 * WORD);
}

#[test]
fn a_member_hands_the_weights_on_when_the_provider_is_gone() {
    let Some(mut panel) = Panel::start("a_member_hands_the_weights_on", 1) else { return };
    panel.requester.shop.hold(Point::Open(3));
    let job = panel.post();
    panel.scene.until("it has the weights", || panel.requester.shop.waits(Point::Open(3)));
    // The requester loses what it got, and is offline while the committee looks.
    panel.requester.kill();
    panel.requester.shop.release_all();
    std::fs::remove_file(panel.requester.job_folder(job).join("batch-0000.exact.safetensors")).expect("it was there");
    panel.complain(job);
    panel.scene.until("the member holds the delivery", || judged(&panel.validators[0], job) == Some(true));
    panel.provider.kill();
    panel.requester.lose_blobs();
    panel.requester.start(&panel.scene);
    let opened = || panel.requester.facts(job).and_then(|facts| facts.opened.get(&0).cloned());
    panel.scene.until("the requester opens the claim", || matches!(opened(), Some(Opened::Right(_))));
    panel.scene.until("it withdraws its complaint", || panel.batch(job).record.acknowledged);
}

#[test]
fn who_reaches_nobody_does_not_say_that_a_delivery_is_not_to_be_had() {
    let Some(mut panel) = Panel::start("who_reaches_nobody", 1) else { return };
    panel.requester.shop.hold(Point::Open(3));
    let job = panel.post();
    panel.scene.until("it has the weights", || panel.requester.shop.waits(Point::Open(3)));
    panel.provider.kill();
    panel.requester.kill();
    // What waited ends, and what comes after the next start does not.
    panel.requester.shop.release_all();
    panel.scene.until("it waits no more", || !panel.requester.shop.waits(Point::Open(3)));
    panel.requester.shop.hold(Point::Open(3));
    panel.complain(job);
    let alone = || panel.said_of_delivery(job).is_some_and(|said| said.contains("no other node answers"));
    panel.scene.until("the member has asked in vain", alone);
    assert_eq!(panel.validators[0].facts(job).expect("it has the job").judged, [], "nothing follows from that");
    panel.requester.start(&panel.scene);
    let missed = || panel.validators[0].facts(job).is_some_and(|facts| facts.judged.iter().any(|one| one.missed == 1));
    panel.scene.until("the requester answers, and the provider does not", missed);
}

#[test]
fn a_delivery_that_a_node_of_the_requester_cannot_open_is_none() {
    let Some(scene) = Scene::start("a_delivery_that_a_node_of_the_requester") else { return };
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let threads = threads.expect("there are threads");
    let proxy = threads.block_on(Proxy::start(scene.url()));
    let provider = Member::provider_at(&scene, 0x21, vec![proxy.url().to_owned()]);
    let panel = Panel::of(scene, provider, 1, 0);
    panel.requester.shop.hold(Point::Open(3));
    let job = panel.post();
    panel.scene.until("the first batch is closed", || panel.is(job, BatchState::Proving));
    // The provider does not see the entry of a node that comes now, and wraps nothing for it.
    proxy.fault(|faults| faults.ceiling = Some(panel.scene.block()));
    let node = PrivateKeySigner::random();
    panel.requester.enter_other(&panel.scene, &node, B256::repeat_byte(3), "/ip4/127.0.0.1/tcp/3");
    panel.complain(job);
    let lacks = || panel.said_of_delivery(job).is_some_and(|said| said.contains("a node that is to have it as well"));
    panel.scene.until("the member misses a wrap", lacks);
    assert_eq!(judged(&panel.validators[0], job), None);
    proxy.fault(|faults| faults.ceiling = None);
    panel.scene.until("the member holds the delivery", || judged(&panel.validators[0], job) == Some(true));
    panel.requester.shop.release_all();
    drop(panel);
    drop(proxy);
    threads.shutdown_timeout(Duration::from_secs(1));
}

#[test]
fn a_member_looks_at_a_root_that_the_team_names_as_well() {
    let Some(mut panel) = Panel::start("a_member_looks_at_a_root", 1) else { return };
    panel.requester.shop.hold(Point::Open(3));
    let job = panel.post();
    panel.scene.until("the first batch is closed", || panel.is(job, BatchState::Proving));
    // Once it has one that opens the claim, it looks for no other: it learns of both at once.
    panel.validators[0].kill();
    panel.complain(job);
    let root = B256::repeat_byte(7);
    let add = TrainingMarket::addRootCall { id: job, batch: U256::ZERO, root, seat: U256::ZERO };
    panel.provider.send(panel.scene.market(), &add);
    panel.validators[0].start(&panel.scene);
    let looked = || {
        let facts = panel.validators[0].facts(job)?;
        facts.judged.iter().find(|one| one.root == root).map(|one| (one.batch, one.missed, one.right))
    };
    panel.scene.until("it looks for a delivery with that root", || looked().is_some());
    assert_eq!(looked(), Some((0, 1, None)), "the provider hands over another");
    let first = || panel.validators[0].facts(job)?.judged.iter().find(|one| one.root != root)?.right;
    panel.scene.until("the one of the close counts as well", || first() == Some(true));
    panel.requester.shop.release_all();
}

#[test]
fn a_provider_that_tells_another_root_is_asked_again() {
    let Some(mut panel) = Panel::start("a_provider_that_tells_another_root", 1) else { return };
    panel.provider.shop.hold(Point::Weights(3));
    panel.provider.shop.hold(Point::Prove(PROVEN));
    let job = panel.post();
    panel.scene.until("the weights are needed", || panel.provider.shop.waits(Point::Weights(3)));
    panel.requester.kill();
    panel.provider.shop.release(Point::Weights(3));
    panel.scene.until("the first batch is closed", || panel.is(job, BatchState::Proving));
    let (store, key) = (panel.provider.shared().store.clone(), format!("job/{job}/given/delivery/0"));
    let told = store.record(&key).expect("it is read").expect("it is told");
    let root = panel.batch(job).record.root.to_string();
    let lie = String::from_utf8(told.clone()).expect("it is text").replace(&root, &B256::repeat_byte(7).to_string());
    store.put(&key, Some(lie.as_bytes())).expect("it is stored");
    panel.requester.start(&panel.scene);
    let asked = |facts: Facts| facts.missed.contains_key(&0) || facts.opened.contains_key(&0);
    panel.scene.until("it is told another root", || panel.requester.facts(job).is_some_and(asked));
    let facts = panel.requester.facts(job).expect("it has the job");
    assert_eq!((facts.opened.get(&0), facts.missed[&0].times), (None, 1), "it did not come");
    store.put(&key, Some(&told)).expect("it is stored");
    let opened = || panel.requester.facts(job).and_then(|facts| facts.opened.get(&0).cloned());
    panel.scene.until("the requester opens the claim", || matches!(opened(), Some(Opened::Right(_))));
}

#[test]
fn a_member_that_lost_its_parcel_gets_it_again_and_judges() {
    let Some(panel) = Panel::start("a_member_that_lost_its_parcel", 1) else { return };
    panel.requester.shop.hold(Point::Open(3));
    let job = panel.post();
    panel.scene.until("the first batch is closed", || panel.is(job, BatchState::Proving));
    let lost = panel.validators[0].job_folder(job).join("parcel/statement.json");
    panel
        .scene
        .until("the member trained it", || panel.validators[0].facts(job).is_some_and(|facts| facts.trained() >= 3));
    std::fs::remove_file(&lost).expect("it was there");
    panel.complain(job);
    panel.scene.until("the member holds the delivery", || judged(&panel.validators[0], job) == Some(true));
    assert!(lost.exists());
    panel.requester.shop.release_all();
}

#[test]
fn stake_that_backs_a_committee_is_no_bond() {
    let Some(scene) = Scene::start("stake_that_backs_a_committee") else { return };
    // One account that sits in a committee and trains.
    let seat = Member::validator(&scene, 0x21);
    seat.enter_other(&scene, &PrivateKeySigner::random(), B256::repeat_byte(3), "/ip4/127.0.0.1/tcp/3");
    let (requester, other) = (Member::requester(&scene, 0x11), Member::requester(&scene, 0x12));
    let mut provider = Member::provider(&scene, 0x21);
    let account = provider.account();
    let mut terms = scene.judged_terms(vec![account]);
    terms.committee.stake = tokens(STAKE + BACKING).to();
    let (judged, mut open) = requester.prepare(&scene, terms);
    let expiry = u64::from(u32::MAX);
    let consent = consent_digest(scene.deployment.chain, scene.market(), judged, account, expiry);
    let signature = provider.sign(consent).into();
    open.consents = vec![TrainingMarket::Consent { key: account, expiry: U256::from(expiry), path: vec![], signature }];
    requester.allow(&scene, &open.terms);
    requester.send(scene.market(), &open);
    provider.start(&scene);
    let job = other.post_alone(&scene, scene.terms());
    let said = || provider.shared().said_of(&format!("offer {job}"));
    scene.until("the provider looks at the other job", || said().is_some());
    let said = said().expect("it was said");
    assert!(said.ends_with("and 0 of the stake is free"), "{said}");
}

#[test]
fn a_provider_starts_nothing_while_the_committee_holds_other_data() {
    let Some(mut panel) = Panel::start("a_provider_starts_nothing_while", 1) else { return };
    // The only member cannot hold what nobody hands to it.
    panel.validators[0].shop.hold(Point::Begin);
    let job = panel.post();
    let trained = || panel.provider.facts(job).is_some_and(|facts| facts.trained() == SEGMENTS);
    panel.scene.until("the provider is ready", trained);
    let seen = panel.scene.block() + 6;
    panel.scene.until("it has looked", || panel.scene.block() >= seen);
    assert!(panel.scene.is(job, State::Assigned), "it waits for the committee");
    panel.validators[0].shop.release(Point::Begin);
    panel.scene.until("the job runs", || panel.scene.is(job, State::Running));
    assert!(panel.provider.facts(job).is_some_and(|facts| facts.shared));
    panel.validators[0].kill();
}

#[test]
fn a_requester_that_hands_other_data_to_the_committee_gets_the_job_back() {
    let Some(mut panel) = Panel::start("a_requester_that_hands_other_data", 1) else { return };
    panel.provider.shop.hold(Point::Train);
    let job = panel.post();
    panel.scene.until_without_blocks("the job is taken", || panel.scene.is(job, State::Assigned));
    panel.validators[0].kill();
    panel.scene.until("the provider has the data", || panel.provider.shop.waits(Point::Train));
    // The same rows and openings, with a file more: another parcel.
    let shared = panel.requester.shared();
    write(&panel.requester.job_folder(job).join("parcel/first.safetensors"), b"more");
    for name in ["parcel".to_owned(), format!("given/parcel/{}", panel.provider.account())] {
        shared.store.put(&format!("job/{job}/{name}"), None).expect("it is stored");
    }
    shared.store.change(job, |facts| facts.wrapped_for = None).expect("it is stored");
    panel.scene.until("it is handed over anew", || {
        panel.requester.facts(job).is_some_and(|facts| facts.wrapped_for.is_some())
    });
    panel.validators[0].start(&panel.scene);
    let said = || panel.validators[0].shared().said_of(&format!("get and check the data of job {job}"));
    panel.scene.until("the member sees that", || said().is_some_and(|said| said.contains("holds other data")));
    assert_eq!(panel.validators[0].facts(job).expect("it has the job").lead, None);
    panel.provider.shop.release_all();
    let asked =
        || panel.provider.shared().said_of(&format!("ask the committee whether it holds the same data of job {job}"));
    panel.scene.until("the provider asks the committee", || asked().is_some());
    assert!(panel.scene.is(job, State::Assigned));
    panel.scene.pass(panel.terms().times.startSecs / 2 + 1);
    panel.scene.until("the provider hands the job back", || panel.scene.is(job, State::Open));
}

#[test]
fn a_member_that_is_restored_does_not_answer_what_was_asked_before() {
    let Some(mut panel) = Panel::start("a_member_that_is_restored", 1) else { return };
    panel.requester.shop.hold(Point::Open(3));
    let job = panel.post();
    panel.scene.until("the first batch is closed", || panel.is(job, BatchState::Proving));
    panel.complain(job);
    panel.scene.until("the member holds the delivery", || judged(&panel.validators[0], job) == Some(true));
    panel.validators[0].kill();
    panel.validators[0].lose_store();
    panel.validators[0].start(&panel.scene);
    let follows = || panel.validators[0].facts(job).is_some_and(|facts| facts.answers_from.is_some());
    panel.scene.until("it takes the job up from the chain", follows);
    panel.pass_half();
    let seen = panel.scene.block() + 8;
    let looked = || panel.validators[0].shared().view(job).is_some_and(|view| view.job.now.block >= seen);
    panel.scene.until("it has had its time", looked);
    assert_eq!(panel.validators[0].facts(job).expect("it follows the job").words, []);
    assert_eq!(panel.batch(job).complaint.yes, 0);
    panel.requester.shop.release_all();
    panel.scene.until("the requester takes it back", || panel.batch(job).record.acknowledged);
}

/// A validator that came to something else than was claimed, at a segment that is not drawn: which one.
pub fn with_a_doubt(panel: &Panel, job: B256) -> u64 {
    let validator = &panel.validators[0];
    panel.scene.until("the draw is made", || panel.is(job, BatchState::Proving));
    let drawn = panel.batch(job).record.drawn;
    let segment = (0..3).find(|bit| drawn & 1 << bit == 0).expect("one of three is drawn");
    validator.shop.misunderstand(segment);
    segment
}

#[test]
fn a_claim_that_the_provider_opens_is_not_challenged() {
    let Some(panel) = Panel::start_with("a_claim_that_the_provider_opens", 1, PRICE) else { return };
    panel.requester.shop.hold(Point::Open(3));
    panel.validators[0].shop.hold(Point::Train);
    let job = panel.post_drawn();
    let segment = with_a_doubt(&panel, job);
    panel.validators[0].shop.release_all();
    let opens = || panel.validators[0].facts(job).and_then(|facts| facts.doubts.first()?.opens);
    panel.scene.until("the provider says what opens the claim", || opens() == Some(true));
    let seen = panel.scene.block() + 6;
    let looked = || panel.validators[0].shared().view(job).is_some_and(|view| view.job.now.block >= seen);
    panel.scene.until("it has had its time", looked);
    assert_eq!(panel.batch(job).record.challenged, 0);
    let said = panel.validators[0].shared().said_of(&format!("claims of job {job}")).expect("it says so");
    assert!(said.contains(&format!("segment {segment} ")), "{said}");
    panel.requester.shop.release_all();
}

#[test]
fn a_claim_that_nobody_opens_is_challenged_and_its_proof_earns_the_bond() {
    let Some(mut panel) = Panel::start_with("a_claim_that_nobody_opens_is_challenged", 1, PRICE) else { return };
    panel.requester.shop.hold(Point::Open(3));
    panel.validators[0].shop.hold(Point::Train);
    let job = panel.post_drawn();
    let segment = with_a_doubt(&panel, job);
    panel.provider.kill();
    panel.validators[0].shop.release_all();
    let challenged = || panel.batch(job).record.challenged == 1 << segment;
    panel.scene.until("it is challenged", challenged);
    panel.provider.start(&panel.scene);
    panel.scene.until("it is proven", || panel.batch(job).record.proven & 1 << segment != 0);
    let Panel { scene, requester, provider, validators } = &panel;
    requester.shop.release_all();
    paid_out(scene, job, State::Completed, &[requester, provider, &validators[0]]);
    let price = SEGMENTS * PRICE;
    let left = [FORTUNE - COMPLAINT - price, FORTUNE - STAKE + price + PRICE, FORTUNE - BACKING - PRICE];
    // The bond of a challenge is the price of a segment.
    let all = [
        Balance { who: "requester", account: requester.account(), tokens: left[0], stake: COMPLAINT },
        Balance { who: "provider", account: provider.account(), tokens: left[1], stake: STAKE },
        Balance { who: "validator", account: validators[0].account(), tokens: left[2], stake: BACKING },
    ];
    scene.balances(&all, 0);
}

#[test]
fn bonds_that_a_void_batch_holds_come_back() {
    let Some(mut panel) = Panel::start_with("bonds_that_a_void_batch_holds", 1, PRICE) else { return };
    panel.requester.shop.hold(Point::Open(3));
    panel.validators[0].shop.hold(Point::Train);
    let job = panel.post_drawn();
    let segment = with_a_doubt(&panel, job);
    let due = |batch: u64| {
        let view = TrainingMarket::batchOfCall { id: job, batch: U256::from(batch) };
        let view = panel.scene.ask(panel.scene.market(), &view);
        view.record.known.then_some(view.due)
    };
    panel.scene.until("all that is drawn is proven", || (due(0), due(1)) == (Some(0), Some(0)));
    panel.provider.kill();
    panel.validators[0].shop.release_all();
    panel.scene.until("a claim is challenged", || panel.batch(job).record.challenged == 1 << segment);
    // The requester complains so late that the batch fails before the committee may say anything.
    let times = panel.terms().times;
    let late = times.complainSecs - 3600;
    panel.scene.pass(late);
    panel.complain(job);
    panel.scene.until("its node knows", || panel.requester.facts(job).is_some_and(|facts| !facts.asked.is_empty()));
    panel.scene.pass(2 * times.proveSecs + times.eachSecs + 60 - late);
    panel.scene.until("the job has failed", || panel.scene.is(job, State::Slashed));
    let Panel { scene, requester, provider, validators } = &panel;
    let challenge = TrainingMarket::challengeOfCall { id: job, index: U256::from(segment) };
    scene.until("the validator has its bond", || scene.ask(scene.market(), &challenge).by.is_zero());
    scene.until("the requester has its bond", || panel.batch(job).complaint.verdict == 0);
    paid_out(scene, job, State::Slashed, &[requester, &validators[0]]);
    let bounty = BATCH_PRICE / 4;
    let left = [FORTUNE - COMPLAINT, FORTUNE - STAKE, FORTUNE - BACKING - PRICE + bounty];
    let all = [
        Balance { who: "requester", account: requester.account(), tokens: left[0], stake: COMPLAINT },
        Balance { who: "provider", account: provider.account(), tokens: left[1], stake: STAKE - BATCH_PRICE },
        Balance { who: "validator", account: validators[0].account(), tokens: left[2], stake: BACKING + PRICE },
    ];
    scene.balances(&all, BATCH_PRICE - bounty);
    requester.shop.release_all();
}

#[test]
fn a_job_that_nobody_took_is_forgotten_when_its_stake_is_free_for_good() {
    let Some(mut panel) = Panel::start("a_job_that_nobody_took_is_forgotten", 1) else { return };
    panel.provider.kill();
    let job = panel.post();
    let Panel { scene, requester, validators, .. } = &panel;
    scene.until("it is open", || scene.is(job, State::Open));
    requester.send(scene.market(), &TrainingMarket::cancelCall { id: job });
    scene.until("the member forgets it", || validators[0].facts(job).is_none());
    let committee = scene.ask(scene.market(), &TrainingMarket::committeeOfCall { id: job });
    assert!(scene.is(job, State::Cancelled) && !committee.backed.bit(0), "its stake is free");
}

#[test]
fn a_member_that_refuses_keeps_the_job_from_being_posted() {
    let Some(panel) = Panel::start("a_member_that_refuses", 1) else { return };
    let mut terms = panel.terms();
    terms.committee.fee -= 1;
    panel.requester.allow(&panel.scene, &terms);
    let job = panel.requester.post(&panel.scene, terms);
    let Panel { scene, requester, validators, .. } = &panel;
    let refusal = || requester.facts(job).and_then(|facts| facts.committee?.refusal().cloned());
    scene.until("the member refuses for good", || refusal().is_some());
    let (member, reason) = refusal().expect("it refused");
    assert_eq!(member, validators[0].account());
    assert!(reason.ends_with("1 too low"), "{reason}");
    assert!(scene.is(job, State::None));
    assert_eq!(validators[0].facts(job), None, "nothing is promised");
}

#[test]
fn an_offer_carries_the_consents_of_the_committee() {
    let Some(panel) = Panel::start("an_offer_carries_the_consents", 1) else { return };
    let Panel { scene, requester, provider, .. } = &panel;
    let terms = panel.terms();
    requester.allow(scene, &terms);
    let (chain, market, nonce) = (scene.deployment.chain, scene.market(), B256::repeat_byte(0x77));
    let offering = Offering { chain, market, requester: requester.account(), nonce: nonce.into() };
    let price = tokens(PRICE).to();
    let offered = terms_for(terms.clone(), provider.account(), price);
    let candidate = Candidate { owner: provider.account(), price, jobs: 0, failed: 0 };
    let offers = Offers::new(nonce, &[candidate], |_| offering.job(&offered));
    let job = offering.job(&offered);
    let folder = requester.job_folder(job);
    for (path, content) in parcel() {
        write(&folder.join(path), &content);
    }
    write(&folder.join(TERMS_FILE), &offered.abi_encode());
    let committee = Some(Consents::of(terms.committee.members));
    let facts = Facts { offers: Some(offers), committee, ..Facts::new(Role::Requester) };
    requester.shared().store.begin(job, &facts).expect("it is stored");
    scene.until("the job runs", || scene.is(job, State::Running));
}

#[test]
fn what_is_signed_here_is_what_the_market_computes() {
    let Some(scene) = Scene::start("what_is_signed_here_is_what_the_market_computes") else { return };
    let (chain, market) = (scene.deployment.chain, scene.market());
    let (job, key, last) = (B256::repeat_byte(1), Address::repeat_byte(2), B256::repeat_byte(3));
    let asked = TrainingMarket::consentDigestCall { id: job, key, expiry: U256::from(7) };
    assert_eq!(scene.ask(market, &asked), consent_digest(chain, market, job, key, 7));
    for yes in [true, false] {
        let attestation = TrainingMarket::Attestation { job, batch: 5, last, yes };
        let asked = TrainingMarket::attestationDigestCall { attestation };
        let question = Question { job, batch: 5, last };
        assert_eq!(scene.ask(market, &asked), attestation_digest(chain, market, question, yes));
    }
}
