//! Licensed jobs with a team and a committee: both have the rows from the data owner's node, past the requester, if the licence admits them.

use std::fs;
use std::time::Duration;

use gradproof_chain::market::TrainingMarket::Terms;
use gradproof_chain::market::{ComputeToken, SignedLicence, State, TrainingMarket};
use gradproof_chain::{Address, B256, SolCall, SolValue, U256};
use gradproof_network::Protocol;
use gradproof_node::consents::Consents;
use gradproof_node::facts::{Facts, Role};
use gradproof_node::live::{LICENCE_FILE, OPEN_FILE, TERMS_FILE};
use gradproof_node::message::{Bytes, GivenLicence, PartyAnswer, PartyQuestion, read, written};
use gradproof_node::workshop::{PARCEL, ROWS_FILE};

use crate::licensed::{
    FEE, NET, RATE_BPS, ROYALTY, allow, begin_without_parcel, licence, offering, open, set_of, terms,
};
use crate::member::{Member, write};
use crate::scene::{BACKING, Balance, COMPLAINT, EVERY, FORTUNE, PRICE, STAKE, Scene, WORD, tokens};
use crate::served::{asks, owner, rows};
use crate::team::{PAY, SLOW, call, holders, member, seats};
use crate::trade::paid_out;
use crate::workshop::{Point, SEGMENTS, parcel};

/// The last batch of the job.
const LAST: U256 = U256::from_limbs([SEGMENTS / EVERY as u64 - 1, 0, 0, 0]);
/// How long a node may take to answer.
const WITHIN: Duration = Duration::from_secs(20);
/// The market's number of the verdict that pays.
const YES: u8 = 2;

/// The scene's job on the set, with a committee of these.
fn judged_terms(scene: &Scene, owner: &Member, members: &[Address]) -> Terms {
    let mut terms = scene.judged_terms(members.to_vec());
    (terms.training.dataset, terms.training.royaltyBps) = (set_of(scene, owner).0, RATE_BPS);
    terms
}

/// Writes down a job whose rows the requester has not, and which its running node posts for all: its id.
fn post(scene: &Scene, requester: &Member, terms: &Terms, signed: &SignedLicence) -> B256 {
    let id = offering(scene, requester).job(terms);
    allow(scene, requester, terms, signed);
    for (path, content) in parcel().into_iter().skip(1) {
        write(&requester.job_folder(id).join(path), &content);
    }
    let files = [
        (TERMS_FILE, terms.abi_encode()),
        (OPEN_FILE, open(terms, signed).abi_encode()),
        (LICENCE_FILE, signed.to_json().into_bytes()),
    ];
    let members = &terms.committee.members;
    let committee = (!members.is_empty()).then(|| Consents::of(members.clone()));
    let facts = Facts { posts: true, committee, ..Facts::new(Role::Requester) };
    begin_without_parcel(requester, id, &facts, &files);
    id
}

/// Whether a node has the rows of a job.
fn has_rows(member: &Member, job: B256) -> bool {
    fs::read(member.job_folder(job).join(PARCEL).join(ROWS_FILE)).is_ok_and(|held| held == rows())
}

#[test]
fn team_and_committee_have_the_rows_that_the_requester_never_has_and_all_are_paid() {
    let Some(scene) = Scene::start("team_and_committee_have_the_rows") else { return };
    let (mut requester, mut lead) = (Member::requester(&scene, 0x11), Member::provider(&scene, 0x21));
    let (mut member, mut validator) = (member(&scene, 0x31, lead.account()), Member::validator(&scene, 0x41));
    let (_folder, mut owner) = owner(&scene, &requester, &lead);
    call(&lead, &[&member]);
    lead.take_for(NET);
    lead.lets_decide(validator.account());
    requester.stake(&scene, COMPLAINT);
    for shop in [&lead.shop, &member.shop] {
        shop.measure(SEGMENTS, SLOW);
    }
    // The first claims wait for the member; the last weights for the complaint.
    lead.shop.hold(Point::Repeat);
    requester.shop.hold(Point::Open(SEGMENTS));
    for node in [&mut owner, &mut requester, &mut lead, &mut member, &mut validator] {
        node.start(&scene);
    }
    // Nobody is admitted but by the path that the requester tells.
    let all = [lead.account(), member.account(), validator.account()];
    let (terms, signed) =
        (judged_terms(&scene, &owner, &[validator.account()]), licence(&scene, &owner, &requester, &all, |_| ()));
    let job = post(&scene, &requester, &terms, &signed);
    scene.until("the member has joined", || seats(&scene, job).len() == 1);
    scene.until("all have the rows", || [&lead, &member, &validator].iter().all(|node| has_rows(node, job)));
    lead.shop.release_all();
    let batch = || scene.ask(scene.market(), &TrainingMarket::batchOfCall { id: job, batch: LAST });
    let proven = || batch().record.closedAt != 0 && batch().record.proven.count_ones() == u32::from(EVERY);
    scene.until("all is proven", proven);
    let trained = || validator.facts(job).is_some_and(|facts| facts.trained() == SEGMENTS);
    scene.until("the validator has trained it again", trained);
    let TrainingMarket::BatchView { last, record, .. } = batch();
    requester.send(scene.market(), &TrainingMarket::complainCall { id: job, batch: LAST, last, root: record.root });
    let judged = || validator.facts(job).is_some_and(|facts| facts.judged.iter().any(|one| one.right == Some(true)));
    scene.until("the validator opens what was delivered", judged);
    scene.pass(terms.times.decideSecs / 2 + 1);
    scene.until("it says yes", || batch().complaint.verdict == YES);
    requester.shop.release_all();
    assert!(!requester.job_folder(job).join(PARCEL).join(ROWS_FILE).exists());
    paid_out(&scene, job, State::Completed, &[&requester, &lead, &member, &validator, &owner]);
    scene.until("the seat is given up", || seats(&scene, job).iter().all(|seat| seat.gone));
    let all: Vec<Address> = (0..2).flat_map(|batch| holders(&scene, job, batch)).collect();
    let proofs = all.iter().filter(|holder| **holder == member.account()).count() as u64;
    assert!(proofs > 0, "the member proves some");
    let (paid, earned) = (SEGMENTS * PRICE + FEE, SEGMENTS * NET - proofs * PAY);
    let of = |who, member: &Member, tokens, stake| Balance { who, account: member.account(), tokens, stake };
    let all = [
        of("requester", &requester, FORTUNE - COMPLAINT - paid, 0),
        of("lead", &lead, FORTUNE - STAKE + earned, STAKE),
        of("member", &member, FORTUNE - STAKE + proofs * PAY, STAKE),
        of("validator", &validator, FORTUNE - BACKING + WORD, BACKING),
        of("data owner", &owner, FORTUNE + FEE + SEGMENTS * ROYALTY, 0),
    ];
    scene.balances(&all, COMPLAINT - WORD);
}

#[test]
fn whom_the_licence_leaves_out_or_who_gave_its_seat_up_gets_no_rows_and_nothing_is_paid_for_it() {
    let Some(scene) = Scene::start("whom_the_licence_leaves_out") else { return };
    let (mut requester, mut lead) = (Member::requester(&scene, 0x11), Member::provider(&scene, 0x21));
    let [mut admitted, mut other] = [0x31, 0x32].map(|seed| member(&scene, seed, lead.account()));
    let [mut validator, mut outsider] = [0x41, 0x42].map(|seed| Member::validator(&scene, seed));
    let (_folder, mut owner) = owner(&scene, &requester, &lead);
    call(&lead, &[&admitted, &other]);
    lead.take_for(NET);
    lead.shop.hold(Point::Repeat);
    let nodes = [&mut owner, &mut requester, &mut admitted, &mut other, &mut validator, &mut outsider];
    nodes.into_iter().for_each(|node| node.start(&scene));
    let all = [lead.account(), admitted.account(), validator.account()];
    let signed = licence(&scene, &owner, &requester, &all, |_| ());

    // The requester asks no validator that the licence leaves out, and posts nothing.
    let without = judged_terms(&scene, &owner, &[outsider.account()]);
    let never = post(&scene, &requester, &without, &signed);
    let said = || requester.shared().said_of(&format!("ask the committee for its consents of job {never}"));
    scene.until("the requester says why", || said().is_some_and(|said| said.contains("does not admit")));
    assert!(scene.is(never, State::None));
    assert_eq!(outsider.facts(never), None, "it was not asked");
    let held = ComputeToken::balanceOfCall { account: requester.account() };
    assert_eq!(scene.ask(scene.deployment.token.address, &held), tokens(FORTUNE), "nothing is paid");
    // Nor does a validator promise a place that the market would not give it.
    let judged = judged_terms(&scene, &owner, &[validator.account()]);
    let promised = |path: Option<Vec<B256>>| {
        let question = PartyQuestion::Consent {
            terms: Bytes::new(judged.abi_encode()).expect("they are short"),
            nonce: open(&judged, &signed).nonce.into(),
            licence: path.map(|path| GivenLicence::new(&signed.licence, &path).expect("it is short")),
        };
        let question = written(&question);
        let asked = requester.shared().network.ask(validator.peer(), Protocol::Party, &question, WITHIN);
        match scene.chain.wait(asked).map(|answer| read(&answer).expect("it is an answer")) {
            Ok(PartyAnswer::Refused(reason)) => reason.to_string(),
            Ok(other) => format!("{other:?}"),
            Err(error) => error.to_string(),
        }
    };
    let path = |account| signed.path(account).expect("it is admitted");
    for not_its_own in [None, Some(vec![]), Some(path(lead.account()))] {
        let refused = || promised(not_its_own.clone()).contains("does not admit this account");
        scene.until("no place without its path", refused);
    }
    assert_eq!(validator.facts(offering(&scene, &requester).job(&judged)), None, "nothing is promised");
    scene.until("a place with it", || promised(Some(path(validator.account()))).contains("Consents"));

    // Of the members one is admitted.
    let job = post(&scene, &requester, &terms(&scene, &owner), &signed);
    let said = |about: &str| other.shared().said_of(&format!("{about} {job}")).unwrap_or_default();
    scene.until("the other one does not take the job itself", || said("offer").contains("does not admit"));
    lead.start(&scene);
    scene.until("the admitted one has joined", || seats(&scene, job).len() == 1);
    scene.until("it has the rows", || has_rows(&admitted, job));
    scene.until("it may ask again", || asks(&scene, &admitted, &owner, job).contains("Sealed"));
    let asked = "ask the lead for a seat in its team of job";
    scene.until("the other one says why it does not join", || said(asked).contains("does not admit"));
    scene.until("it gets no rows", || asks(&scene, &other, &owner, job).contains("not given to you"));
    assert_eq!(seats(&scene, job)[0].owner, admitted.account());
    // Its seat is its own to give up, and with it goes what it may ask for.
    admitted.send(scene.market(), &TrainingMarket::quitCall { id: job, number: U256::from(1) });
    let refused = || asks(&scene, &admitted, &owner, job).contains("not given to you");
    scene.until("a seat that was given up gets no rows", refused);
    scene.until("who is left has them", || asks(&scene, &lead, &owner, job).contains("Sealed"));
    assert_eq!(seats(&scene, job).len(), 1, "nobody else has joined");
}
