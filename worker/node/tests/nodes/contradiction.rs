//! Members of a committee that give two words on one question: whoever shows both is paid a part of their stake.

use std::time::Duration;

use gradproof_chain::market::{Question, State, TrainingMarket, attestation_digest};
use gradproof_chain::{B256, U256};
use gradproof_network::Protocol;
use gradproof_node::message::{Bytes, PartyAnswer, PartyQuestion, SignedWord, read, written};
use gradproof_node::words::Word;

use crate::committee::{Panel, YES, judged};
use crate::member::Member;
use crate::scene::{BACKING, Balance, COMPLAINT, FORTUNE, PRICE, STAKE, WORD, tokens};
use crate::trade::paid_out;
use crate::workshop::{Point, SEGMENTS};

/// After so many seconds a node asks the others again for the words that they have.
const AGAIN: u32 = 3601;
/// The vault pays this part of a member's stake to whoever shows its words.
const REPORTER_PART: u64 = 10;
/// How long a node may take to answer.
const WITHIN: Duration = Duration::from_secs(10);
/// Order of the group in which signatures are computed.
const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

/// A word of a validator about the first batch.
fn word(panel: &Panel, at: usize, job: B256, yes: bool) -> SignedWord {
    let (scene, member, last) = (&panel.scene, &panel.validators[at], panel.batch(job).last);
    let question = Question { job, batch: 0, last };
    let signature = member.sign(attestation_digest(scene.deployment.chain, scene.market(), question, yes));
    let signature = Bytes::new(signature).expect("65 bytes");
    SignedWord { member: member.account(), batch: 0, last, yes, signature }
}

/// The same word, with the signature that says the same and that no contract takes.
fn respelled(word: SignedWord) -> SignedWord {
    let mut signature = word.signature.as_slice().to_vec();
    let order = U256::from_str_radix(ORDER, 16).expect("a number");
    let half = order - U256::from_be_slice(&signature[32..64]);
    signature[32..64].copy_from_slice(&half.to_be_bytes::<32>());
    signature[64] = 27 + 28 - signature[64];
    SignedWord { signature: Bytes::new(signature).expect("65 bytes"), ..word }
}

/// Whether the stake of a validator backs the job.
fn is_backed(panel: &Panel, at: usize, job: B256) -> bool {
    let members = panel.terms().committee.members;
    let place = members.iter().position(|member| *member == panel.validators[at].account()).expect("it is one");
    panel.scene.ask(panel.scene.market(), &TrainingMarket::committeeOfCall { id: job }).backed.bit(place)
}

/// Two validators that hold the delivery of a first batch, which is right and complained about. All is closed, and requester and provider
/// are gone: nobody else shows anything.
fn alone(test: &str) -> Option<(Panel, B256)> {
    let mut panel = Panel::start(test, 2)?;
    panel.requester.shop.hold(Point::Open(3));
    let job = panel.post();
    panel.scene.until("all is closed", || u64::from(panel.scene.job(job).closed) == SEGMENTS);
    panel.complain(job);
    let all_hold = || panel.validators.iter().all(|validator| judged(validator, job) == Some(true));
    panel.scene.until("the members hold the delivery", all_hold);
    panel.requester.kill();
    panel.provider.kill();
    panel.requester.shop.release_all();
    Some((panel, job))
}

#[test]
fn a_member_that_says_yes_to_one_and_no_to_another_loses_its_stake_to_whoever_asks_both() {
    let Some((mut panel, job)) = alone("a_member_that_says_yes_to_one_and_no") else { return };
    panel.pass_half();
    panel.scene.until("they say yes", || panel.batch(job).complaint.verdict == YES);
    // What the second one says to somebody else it tells the first one as well, in a spelling that no contract takes; and, before that,
    // words that nobody signed.
    let no = respelled(word(&panel, 1, job, false));
    let forged = SignedWord { signature: word(&panel, 1, job, true).signature, ..no.clone() };
    let foreign = SignedWord { last: B256::ZERO, ..no.clone() };
    let store = &panel.validators[1].shared().store;
    store.change(job, |facts| facts.heard.extend([no, forged, foreign])).expect("it is stored");
    panel.scene.pass(AGAIN);
    panel.scene.until("the first one shows both", || !is_backed(&panel, 1, job));
    let heard = panel.validators[0].facts(job).expect("it has the job").heard;
    assert_eq!(heard.iter().map(|word| word.yes).collect::<Vec<_>>(), [true, false], "nothing else is kept");
    assert!(is_backed(&panel, 0, job));
    panel.requester.start(&panel.scene);
    panel.provider.start(&panel.scene);
    let Panel { scene, requester, provider, validators } = &panel;
    paid_out(scene, job, State::Completed, &[requester, provider, &validators[0], &validators[1]]);
    let (price, part) = (SEGMENTS * PRICE, BACKING / REPORTER_PART);
    let left = FORTUNE - BACKING + WORD;
    let all = [
        Balance { who: "requester", account: requester.account(), tokens: FORTUNE - COMPLAINT - price, stake: 0 },
        Balance { who: "provider", account: provider.account(), tokens: FORTUNE - STAKE + price, stake: STAKE },
        Balance { who: "reporter", account: validators[0].account(), tokens: left + part, stake: BACKING },
        Balance { who: "liar", account: validators[1].account(), tokens: left, stake: 0 },
    ];
    scene.balances(&all, COMPLAINT - 2 * WORD + BACKING - part);
}

#[test]
fn a_requester_shows_the_words_of_a_committee_of_one() {
    let Some(mut panel) = Panel::start("a_requester_shows_the_words", 1) else { return };
    panel.requester.shop.hold(Point::Open(3));
    let job = panel.post();
    panel.scene.until("all is closed", || u64::from(panel.scene.job(job).closed) == SEGMENTS);
    panel.complain(job);
    panel.scene.until("the member holds the delivery", || judged(&panel.validators[0], job) == Some(true));
    // The provider would show them as well.
    panel.provider.kill();
    panel.pass_half();
    panel.scene.until("it says yes", || panel.batch(job).complaint.verdict == YES);
    let no = word(&panel, 0, job, false);
    let store = &panel.validators[0].shared().store;
    store.change(job, |facts| facts.heard.push(no)).expect("it is stored");
    panel.scene.pass(AGAIN);
    panel.scene.until("the requester shows both", || !is_backed(&panel, 0, job));
    panel.requester.shop.release_all();
    panel.provider.start(&panel.scene);
    let Panel { scene, requester, provider, validators } = &panel;
    paid_out(scene, job, State::Completed, &[requester, provider, &validators[0]]);
    let (price, part) = (SEGMENTS * PRICE, BACKING / REPORTER_PART);
    let left = [FORTUNE - COMPLAINT - price + part, FORTUNE - STAKE + price, FORTUNE - BACKING + WORD];
    let all = [
        Balance { who: "requester", account: requester.account(), tokens: left[0], stake: 0 },
        Balance { who: "provider", account: provider.account(), tokens: left[1], stake: STAKE },
        Balance { who: "liar", account: validators[0].account(), tokens: left[2], stake: 0 },
    ];
    scene.balances(&all, COMPLAINT - WORD + BACKING - part);
}

#[test]
fn words_on_two_branches_of_the_chain_are_a_contradiction() {
    let Some((mut panel, job)) = alone("words_on_two_branches_of_the_chain") else { return };
    panel.validators[1].kill();
    panel.pass_half();
    panel.scene.until("the first one says yes", || panel.batch(job).complaint.yes != 0);
    let bring = |yes: bool| {
        let members = panel.terms().committee.members;
        let place = members.iter().position(|member| *member == panel.validators[1].account()).expect("it is one");
        let signature = word(&panel, 1, job, yes).signature.as_slice().to_vec().into();
        let (batch, place) = (U256::ZERO, U256::from(place));
        panel.scene.send(panel.scene.market(), &TrainingMarket::attestCall { id: job, batch, yes, place, signature });
    };
    let heard = || panel.validators[0].facts(job).expect("it has the job").heard.len();
    let branch = panel.scene.snapshot();
    bring(true);
    panel.scene.until("the first one hears that", || heard() == 1);
    panel.scene.back_to(&branch);
    bring(false);
    panel.scene.until("the first one shows both", || !is_backed(&panel, 1, job));
    let reporter = panel.validators[0].account();
    assert_eq!(panel.scene.owed_bonds(reporter), tokens(BACKING / REPORTER_PART), "its account is paid");
}

/// What a node answers to a question of another one for the words about a job.
fn asks(panel: &Panel, member: &Member, job: B256) -> String {
    let question = written(&PartyQuestion::Words { job });
    let asked = member.shared().network.ask(panel.validators[0].peer(), Protocol::Party, &question, WITHIN);
    match panel.scene.chain.wait(asked).map(|answer| read(&answer).expect("it is an answer")) {
        Ok(PartyAnswer::Words(words)) => format!("{:?}", words.as_slice()),
        Ok(PartyAnswer::Refused(reason)) => reason.to_string(),
        Ok(other) => format!("{other:?}"),
        // A node that was just started is not known at once.
        Err(error) => error.to_string(),
    }
}

#[test]
fn words_are_told_to_parties_of_the_job_and_to_nobody_else() {
    let Some(panel) = Panel::start("words_are_told_to_parties_of_the_job", 1) else { return };
    let mut stranger = Member::requester(&panel.scene, 0x12);
    stranger.start(&panel.scene);
    panel.provider.shop.hold(Point::Prove(0));
    let job = panel.post();
    panel.scene.until("the job runs", || panel.scene.is(job, State::Running));
    let last = B256::repeat_byte(7);
    let signature = Bytes::new(vec![8; 65]).expect("65 bytes");
    let own = Word { batch: 0, last, yes: true, signature: Some(signature.clone()) };
    let unsigned = Word { batch: 1, last, yes: true, signature: None };
    let other = SignedWord { member: stranger.account(), batch: 2, last, yes: false, signature: signature.clone() };
    let store = &panel.validators[0].shared().store;
    store
        .change(job, |facts| {
            facts.words.extend([own, unsigned]);
            facts.heard.push(other.clone());
        })
        .expect("it is stored");
    let told = SignedWord { member: panel.validators[0].account(), batch: 0, last, yes: true, signature };
    let told = format!("{:?}", [told, other]);
    panel.scene.until("the requester is told", || asks(&panel, &panel.requester, job) == told);
    panel.scene.until("the provider is told", || asks(&panel, &panel.provider, job) == told);
    panel.scene.until("a stranger is not", || asks(&panel, &stranger, job).ends_with("here for you"));
    assert!(asks(&panel, &panel.requester, B256::ZERO).ends_with("here for you"), "there is no such job");
    panel.provider.shop.release_all();
}
