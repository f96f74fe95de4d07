//! Jobs that are offered to one provider after the other, and taken in one transaction.

use std::cell::RefCell;
use std::time::Duration;

use gradproof_chain::market::{Offering, State, TrainingMarket, at_price, no_licence, no_paths, no_permit};
use gradproof_chain::{Address, B256, SolValue, U256};
use gradproof_network::Protocol;
use gradproof_node::decide::is_declined;
use gradproof_node::facts::{Facts, Role, Secrets};
use gradproof_node::history::History;
use gradproof_node::live::TERMS_FILE;
use gradproof_node::matching::Candidate;
use gradproof_node::message::{Bytes, Few, PartyAnswer, PartyQuestion, SignedOffer, read, written};
use gradproof_node::offers::{OFFER_SECS, Offer, Offers, Said, terms_for};

use crate::member::{Member, write};
use crate::scene::{Balance, FORTUNE, PRICE, STAKE, Scene, tokens};
use crate::trade::{Trade, completed, paid_out};
use crate::workshop::{SEGMENTS, parcel};

/// The nonce of all offers.
const NONCE: B256 = B256::repeat_byte(0x77);
/// How long a node may take to answer.
const WITHIN: Duration = Duration::from_secs(20);

/// The price of a segment of the scene's job.
fn price() -> u128 {
    tokens(PRICE).to()
}

fn offering(scene: &Scene, requester: &Member) -> Offering {
    let (chain, market) = (scene.deployment.chain, scene.market());
    Offering { chain, market, requester: requester.account(), nonce: NONCE.into() }
}

/// The id of the scene's job, offered to an account.
fn id_of(scene: &Scene, requester: &Member, to: Address) -> B256 {
    offering(scene, requester).job(&terms_for(scene.terms(), to, price()))
}

/// Writes down a job that the running node offers to these accounts: its first id.
fn offer(scene: &Scene, requester: &Member, to: &[Address]) -> B256 {
    let id = written_down(scene, requester, to, &scene.terms(), None);
    // The node looks at its jobs when there is a block.
    scene.mine(1);
    id
}

/// Writes down a job with these terms, which the running node offers to these accounts at the next block: its first id.
fn written_down(
    scene: &Scene,
    requester: &Member,
    to: &[Address],
    terms: &TrainingMarket::Terms,
    secret: Option<Secrets>,
) -> B256 {
    requester.allow(scene, terms);
    let candidates: Vec<Candidate> =
        to.iter().map(|owner| Candidate { owner: *owner, price: price(), jobs: 0, failed: 0 }).collect();
    let offered = |owner| terms_for(terms.clone(), owner, price());
    let offers = Offers::new(NONCE, &candidates, |candidate| offering(scene, requester).job(&offered(candidate.owner)));
    let id = offers.all[0].job;
    let shared = requester.shared();
    let folder = shared.home.job(id);
    for (path, content) in parcel() {
        write(&folder.join(path), &content);
    }
    write(&folder.join(TERMS_FILE), &offered(to[0]).abi_encode());
    let facts = Facts { offers: Some(offers), secret, ..Facts::new(Role::Requester) };
    shared.store.begin(id, &facts).expect("it is stored");
    id
}

/// The offer to an account as the requester's node has it, under whichever id.
fn held(requester: &Member, id: B256, to: Address) -> Offer {
    let (_, facts) = requester.shared().store.find(id).expect("the store is read").expect("it has the job");
    facts.offers.expect("it is offered").all.into_iter().find(|offer| offer.to == to).expect("to this one")
}

/// What brings an offer to the market, as the requester signed it.
fn bring(scene: &Scene, requester: &Member, to: Address, expiry: u64) -> TrainingMarket::openAndAcceptCall {
    let terms = terms_for(scene.terms(), to, price());
    let signature = requester.sign(offering(scene, requester).digest(to, &terms, B256::ZERO, expiry));
    TrainingMarket::openAndAcceptCall {
        terms,
        offer: TrainingMarket::Offer {
            requester: requester.account(),
            provider: to,
            licence: B256::ZERO,
            nonce: NONCE.into(),
            expiry: U256::from(expiry),
            signature: signature.into(),
        },
        licence: no_licence(),
        consents: vec![],
        permit: no_permit(),
        minPrice: U256::ZERO,
        paths: no_paths(),
    }
}

/// What a node answers to an offer that the requester's node brings.
fn answer(scene: &Scene, requester: &Member, provider: &Member, call: &TrainingMarket::openAndAcceptCall) -> String {
    let question = PartyQuestion::Offer(SignedOffer {
        terms: Bytes::new(call.terms.abi_encode()).expect("they are short"),
        nonce: call.offer.nonce.into(),
        expiry: call.offer.expiry.to(),
        signature: Bytes::new(call.offer.signature.to_vec()).expect("it is short"),
        licence: None,
        consents: Few::default(),
    });
    let (question, heard) = (written(&question), RefCell::new(None));
    // A node that was just started is not known at once.
    scene.until("it answers", || {
        let asked = requester.shared().network.ask(provider.peer(), Protocol::Party, &question, WITHIN);
        *heard.borrow_mut() = scene.chain.wait(asked).ok();
        heard.borrow().is_some()
    });
    match read(&heard.take().expect("it answered")).expect("it is an answer") {
        PartyAnswer::Takes { .. } => "yes".into(),
        PartyAnswer::Refused(reason) => reason.to_string(),
        PartyAnswer::Sealed(_)
        | PartyAnswer::Licence(_)
        | PartyAnswer::Consents(_)
        | PartyAnswer::LicencePath(_)
        | PartyAnswer::Opening { .. }
        | PartyAnswer::TeamSeat(_)
        | PartyAnswer::Share(_)
        | PartyAnswer::Words(_) => "something else".into(),
    }
}

#[test]
fn an_offer_is_posted_and_taken_in_one_transaction() {
    let Some(trade) = Trade::start("an_offer_is_posted_and_taken") else { return };
    let Trade { scene, requester, provider } = &trade;
    let before = scene.sent_by(provider.account());
    let id = offer(scene, requester, &[provider.account()]);
    let sent = scene.sent_by(requester.account());
    scene.until("the job is taken", || scene.is(id, State::Assigned));
    assert_eq!(scene.sent_by(provider.account()), before + 1, "one transaction of the provider");
    assert_eq!(scene.sent_by(requester.account()), sent, "none of the requester");

    // What was signed here is what the market computes.
    let until = held(requester, id, provider.account()).until.expect("it was signed");
    let call = bring(scene, requester, provider.account(), until);
    let (terms, account) = (call.terms.clone(), requester.account());
    let asked = TrainingMarket::idOfCall { requester: account, nonce: NONCE.into(), terms: terms.clone() };
    assert_eq!(scene.ask(scene.market(), &asked), id);
    let asked = TrainingMarket::offerDigestCall { offer: call.offer.clone(), terms: terms.clone() };
    let digest = offering(scene, requester).digest(provider.account(), &terms, B256::ZERO, until);
    assert_eq!(scene.ask(scene.market(), &asked), digest);
    trade.completes(id);
}

#[test]
fn a_provider_that_refuses_is_followed_by_the_next_one() {
    let Some(scene) = Scene::start("a_provider_that_refuses") else { return };
    let mut requester = Member::requester(&scene, 0x11);
    let (mut dear, mut next) = (Member::provider(&scene, 0x21), Member::provider(&scene, 0x22));
    dear.asks(price() + 1);
    requester.start(&scene);
    dear.start(&scene);
    next.start(&scene);
    let first = offer(&scene, &requester, &[dear.account(), next.account()]);
    let id = id_of(&scene, &requester, next.account());
    scene.until("the next one takes the job", || scene.is(id, State::Assigned));
    assert!(scene.is(first, State::None));
    let said = held(&requester, first, dear.account()).said;
    assert!(matches!(&said, Some(Said::No(reason)) if reason.ends_with("1 too low")), "{said:?}");
    assert_eq!(dear.facts(first), None, "nothing is promised by a no");

    paid_out(&scene, id, State::Completed, &[&requester, &next]);
    let [one, other] = completed(&requester, &next);
    let rest = Balance { who: "first", account: dear.account(), tokens: FORTUNE - STAKE, stake: STAKE };
    scene.balances(&[one, other, rest], 0);
}

#[test]
fn a_silent_provider_is_followed_by_the_next_one_and_brings_its_offer_in_vain() {
    let Some(scene) = Scene::start("a_silent_provider") else { return };
    let mut requester = Member::requester(&scene, 0x11);
    let (mut silent, mut next) = (Member::provider(&scene, 0x21), Member::provider(&scene, 0x22));
    requester.start(&scene);
    silent.start(&scene);
    silent.kill();
    next.start(&scene);
    let first = offer(&scene, &requester, &[silent.account(), next.account()]);
    scene.until("the first offer is signed", || held(&requester, first, silent.account()).until.is_some());
    let until = held(&requester, first, silent.account()).until.expect("it is signed");
    // Killed with an offer that is out: the same one is signed again.
    requester.kill();
    requester.start(&scene);
    let call = bring(&scene, &requester, silent.account(), until);
    let refused = |member: &Member, call| member.tries(scene.market(), call).expect_err("it is refused");
    assert!(refused(&next, &call).contains("OfferForAnother"), "another account cannot bring it");
    let said = answer(&scene, &requester, &next, &call);
    assert!(said.contains("signed no such offer"), "another node does not take it: {said}");
    let unsigned = bring(&scene, &requester, next.account(), until);
    let spoilt = TrainingMarket::Offer { signature: call.offer.signature.clone(), ..unsigned.offer.clone() };
    let spoilt = TrainingMarket::openAndAcceptCall { offer: spoilt, ..unsigned.clone() };
    assert!(answer(&scene, &requester, &next, &spoilt).contains("signed no such offer"));
    let late = bring(&scene, &requester, next.account(), until + 3 * OFFER_SECS);
    assert!(answer(&scene, &requester, &next, &late).contains("expected at most"));

    scene.pass(OFFER_SECS as u32 + 1);
    assert!(refused(&silent, &call).contains("SignatureExpired"), "it is too late");
    let id = id_of(&scene, &requester, next.account());
    scene.until("the next one takes the job", || scene.is(id, State::Assigned));
    assert_eq!(held(&requester, first, silent.account()).until, Some(until), "one offer a provider");
    let again = bring(&scene, &requester, silent.account(), until + 3 * OFFER_SECS);
    assert!(refused(&silent, &again).contains("NonceUsed"), "of all offers comes one job");
    paid_out(&scene, id, State::Completed, &[&requester, &next]);
    let [one, other] = completed(&requester, &next);
    let rest = Balance { who: "silent", account: silent.account(), tokens: FORTUNE - STAKE, stake: STAKE };
    scene.balances(&[one, other, rest], 0);
}

#[test]
fn who_brings_an_offer_that_it_refused_has_the_job() {
    let Some(scene) = Scene::start("who_brings_an_offer_that_it_refused") else { return };
    let mut requester = Member::requester(&scene, 0x11);
    let (mut sly, mut silent) = (Member::provider(&scene, 0x21), Member::provider(&scene, 0x22));
    sly.asks(price() + 1);
    requester.start(&scene);
    sly.start(&scene);
    silent.start(&scene);
    silent.kill();
    let first = offer(&scene, &requester, &[sly.account(), silent.account()]);
    let next = id_of(&scene, &requester, silent.account());
    scene.until("it is the next one's turn", || requester.facts(next).is_some());
    let until = held(&requester, first, sly.account()).until.expect("it is signed");
    sly.send(scene.market(), &bring(&scene, &requester, sly.account(), until));
    scene.until("the requester follows what was taken", || requester.facts(first).is_some());
    paid_out(&scene, first, State::Completed, &[&requester, &sly]);
    assert!(scene.is(next, State::None));
    let [one, other] = completed(&requester, &sly);
    let rest = Balance { who: "silent", account: silent.account(), tokens: FORTUNE - STAKE, stake: STAKE };
    scene.balances(&[one, other, rest], 0);
}

#[test]
fn a_provider_that_dies_with_a_promise_keeps_it_once() {
    let Some(mut trade) = Trade::start("a_provider_that_dies_with_a_promise") else { return };
    let before = trade.scene.sent_by(trade.provider.account());
    let id = {
        let Trade { scene, requester, provider } = &trade;
        let seen = scene.block();
        scene.until("nodes know each other", || scene.block() > seen + 2);
        let id = offer(scene, requester, &[provider.account()]);
        scene.automine(false);
        let promised = || provider.shared().account.list().expect("the journal is read").len() == 1;
        scene.until_without_blocks("the provider sends", promised);
        id
    };
    trade.provider.kill();
    trade.scene.drop_transactions();
    trade.scene.automine(true);
    trade.provider.start(&trade.scene);
    trade.scene.until("the job is taken", || trade.scene.is(id, State::Assigned));
    assert_eq!(trade.scene.sent_by(trade.provider.account()), before + 1, "once");
    trade.completes(id);
}

#[test]
fn a_job_that_nobody_takes_costs_nothing_and_a_place_is_free_again() {
    let Some(Trade { scene, requester, mut provider }) = Trade::start("a_job_that_nobody_takes") else { return };
    let id = offer(&scene, &requester, &[provider.account()]);
    scene.automine(false);
    let agreed = || held(&requester, id, provider.account()).said == Some(Said::Yes);
    scene.until_without_blocks("the provider agrees", agreed);
    let until = held(&requester, id, provider.account()).until;
    assert_eq!(provider.facts(id).and_then(|facts| facts.offered), until);
    let again = bring(&scene, &requester, provider.account(), until.expect("it is signed"));
    assert_eq!(answer(&scene, &requester, &provider, &again), "yes", "asked again it says the same");
    // Its transaction does not come into a block in time.
    provider.kill();
    scene.drop_transactions();
    scene.pass(OFFER_SECS as u32 + 1);
    provider.start(&scene);
    scene.until("the provider gives the promise up", || provider.facts(id).is_none());
    scene.automine(true);
    let ended = || {
        let (view, facts) = (requester.shared().view(id), requester.facts(id).expect("it has the job"));
        view.is_some_and(|view| is_declined(&view, &facts))
    };
    scene.until("the requester knows that nobody can take it", ended);
    assert!(scene.is(id, State::None));
    let all = [
        Balance { who: "requester", account: requester.account(), tokens: FORTUNE, stake: 0 },
        Balance { who: "provider", account: provider.account(), tokens: FORTUNE - STAKE, stake: STAKE },
    ];
    scene.balances(&all, 0);
}

#[test]
fn a_quote_is_the_price_of_a_provider_with_its_history() {
    let Some(Trade { scene, mut requester, provider }) = Trade::start("a_quote_is_the_price") else { return };
    let mut dear = Member::provider(&scene, 0x22);
    dear.asks(price() + 1);
    dear.start(&scene);
    requester.allow(&scene, &scene.terms());
    let job = requester.post(&scene, scene.terms());
    paid_out(&scene, job, State::Completed, &[&requester, &provider]);
    requester.kill();

    // What the requester would pay does not matter: it is told by how much that is too little.
    let terms = at_price(scene.terms(), 1);
    let said = requester.quotes(&scene, &terms, None, None);
    let of = |member: &Member| said[&member.account()].clone().expect("it quotes");
    assert_eq!((said.len(), of(&provider).price, of(&dear).price), (2, price(), price() + 1));
    let paid = u128::from(SEGMENTS) * price();
    assert_eq!(of(&provider).history, History { jobs: 1, failed: 0, paid }, "with this requester");
    assert_eq!(of(&dear).history, History::default());
    let only = requester.quotes(&scene, &terms, None, Some(dear.account()));
    assert_eq!(only.keys().collect::<Vec<_>>(), [&dear.account()]);
}

#[test]
fn a_backup_from_before_the_first_offer_has_the_secrets_of_whichever_is_taken() {
    let Some(scene) = Scene::start("a_backup_from_before_the_first_offer") else { return };
    let mut requester = Member::requester(&scene, 0x11);
    let (mut silent, mut next) = (Member::provider(&scene, 0x21), Member::provider(&scene, 0x22));
    requester.start(&scene);
    silent.start(&scene);
    silent.kill();
    next.start(&scene);
    let (terms, secrets) = scene.drawn_terms();
    let to = [silent.account(), next.account()];
    let first = written_down(&scene, &requester, &to, &terms, Some(secrets));
    let backup = requester.backup();
    assert_eq!(held(&requester, first, silent.account()).until, None, "nothing is signed yet");
    scene.mine(1);
    scene.until("the first offer is signed", || held(&requester, first, silent.account()).until.is_some());
    scene.pass(OFFER_SECS as u32 + 1);
    let id = offering(&scene, &requester).job(&terms_for(terms, next.account(), price()));
    scene.until("the next one takes the job", || scene.is(id, State::Assigned));

    requester.restore(&backup);
    // What its user has elsewhere.
    for (path, content) in parcel() {
        write(&requester.job_folder(first).join(path), &content);
    }
    requester.start(&scene);
    scene.until("it knows which was taken", || requester.facts(id).is_some_and(|facts| facts.secret == Some(secrets)));
    assert_eq!(requester.facts(first), None);
    paid_out(&scene, id, State::Completed, &[&requester, &next]);
    let [one, other] = completed(&requester, &next);
    let rest = Balance { who: "silent", account: silent.account(), tokens: FORTUNE - STAKE, stake: STAKE };
    scene.balances(&[one, other, rest], 0);
}
