//! Jobs on a registered data set: what its owner, the requester and the provider have in the end, and whom a licence does not help.

use gradproof_chain::market::TrainingMarket::{Licence, Terms};
use gradproof_chain::market::{
    Accounts, ComputeToken, DatasetRegistry, LicenceFault, Offering, SignedLicence, State, TrainingMarket,
    dataset_digest, no_permit,
};
use gradproof_chain::{Address, B256, Bytes, Reader, SolCall, SolValue, U256};
use gradproof_node::config::Datasets;
use gradproof_node::facts::{Facts, Role};
use gradproof_node::live::{LICENCE_FILE, OPEN_FILE, TERMS_FILE};
use gradproof_node::matching::Candidate;
use gradproof_node::offers::{Offers, Said, terms_for};

use crate::member::{Member, write};
use crate::scene::{Balance, EVERY, FORTUNE, PRICE, STAKE, Scene, tokens};
use crate::trade::paid_out;
use crate::workshop::{DATA, ROWS, SEGMENTS, parcel};

/// The set's part of a price, in hundredths of a percent: of a segment 10.
pub const RATE_BPS: u16 = 1000;
/// Least royalty of a segment, in tokens, which is more than the set's part.
pub const ROYALTY: u64 = 12;
/// What a licence costs, in tokens.
pub const FEE: u64 = 50;
/// The largest fee where anyone may train: a quarter of a batch's price, in tokens.
const MOST_FEE: u64 = PRICE * EVERY as u64 / 4;
/// What is left of a segment's price, in tokens.
pub const NET: u64 = PRICE - ROYALTY;
/// The nonce of all jobs here.
const NONCE: U256 = U256::from_limbs([5, 0, 0, 0]);

/// A data owner without a node, whose set the stand-in's data are.
fn owner(scene: &Scene) -> Member {
    let owner = Member::requester(scene, 0x51);
    register(scene, &owner);
    owner
}

/// Enters the stand-in's data as a set of this account.
pub fn register(scene: &Scene, owner: &Member) {
    let receiver = owner.account();
    let call = DatasetRegistry::registerCall { root: DATA, rows: ROWS, rateBps: RATE_BPS, receiver };
    owner.send(scene.deployment.datasets.address, &call);
}

pub fn set_of(scene: &Scene, owner: &Member) -> (B256, DatasetRegistry::Dataset) {
    let dataset = dataset_digest(owner.account(), DATA, ROWS);
    (dataset, scene.ask(scene.deployment.datasets.address, &DatasetRegistry::entryCall { dataset }))
}

fn now(scene: &Scene) -> u64 {
    scene.chain.wait(async { scene.chain.client().at_head().await.expect("the node answers").moment().time })
}

/// A licence of the owner for a job of `requester`, which these accounts may see.
pub fn licence(
    scene: &Scene,
    owner: &Member,
    requester: &Member,
    accounts: &[Address],
    change: impl FnOnce(&mut SignedLicence),
) -> SignedLicence {
    let accounts = Accounts::new(accounts.to_vec()).expect("they are few");
    let licence = Licence {
        providers: accounts.root(),
        fee: tokens(FEE).to(),
        minRoyalty: tokens(ROYALTY).to(),
        mostSegments: SEGMENTS as u32,
        terms: B256::ZERO,
        nonce: U256::from(77),
        expiry: U256::from(now(scene) + 3600),
        signature: Bytes::new(),
    };
    let mut signed = SignedLicence {
        chain: scene.deployment.chain,
        market: scene.market(),
        dataset: set_of(scene, owner).0,
        requester: requester.account(),
        accounts,
        licence,
    };
    change(&mut signed);
    signed.licence.signature = owner.sign(signed.digest()).into();
    signed
}

/// The scene's job on the set.
pub fn terms(scene: &Scene, owner: &Member) -> Terms {
    let mut terms = scene.terms();
    (terms.training.dataset, terms.training.royaltyBps) = (set_of(scene, owner).0, RATE_BPS);
    terms
}

/// Lets the market take the escrow of a job under a licence.
pub fn allow(scene: &Scene, requester: &Member, terms: &Terms, licence: &SignedLicence) {
    let (spender, fee) = (scene.market(), licence.licence.fee);
    let value = scene.ask(spender, &TrainingMarket::escrowOfCall { terms: terms.clone(), licenceFee: fee });
    requester.send(scene.deployment.token.address, &ComputeToken::approveCall { spender, value });
}

pub fn open(terms: &Terms, licence: &SignedLicence) -> TrainingMarket::openCall {
    let licence = licence.licence.clone();
    TrainingMarket::openCall { terms: terms.clone(), nonce: NONCE, licence, consents: vec![], permit: no_permit() }
}

pub fn offering(scene: &Scene, requester: &Member) -> Offering {
    Offering { chain: scene.deployment.chain, market: scene.market(), requester: requester.account(), nonce: NONCE }
}

/// Writes down a job on the set, which the running node posts or offers.
fn begin(requester: &Member, id: B256, facts: &Facts, files: &[(&str, Vec<u8>)]) {
    for (path, content) in parcel() {
        write(&requester.job_folder(id).join(path), &content);
    }
    begin_without_parcel(requester, id, facts, files);
}

/// The same, with a parcel that is there.
pub fn begin_without_parcel(requester: &Member, id: B256, facts: &Facts, files: &[(&str, Vec<u8>)]) {
    let folder = requester.job_folder(id);
    for (name, content) in files {
        write(&folder.join(name), content);
    }
    requester.shared().store.begin(id, facts).expect("it is stored");
}

/// Pays the owner out; then what all have when everything is trained and paid.
fn shared_out(scene: &Scene, requester: &Member, provider: &Member, owner: &Member) -> [Balance; 3] {
    scene.send(scene.market(), &TrainingMarket::withdrawCall { account: owner.account() });
    shares(requester, provider, owner)
}

/// What all have when everything is trained and paid: fee and royalty are the owner's.
pub fn shares(requester: &Member, provider: &Member, owner: &Member) -> [Balance; 3] {
    let (paid, royalty) = (SEGMENTS * PRICE + FEE, SEGMENTS * ROYALTY);
    let earned = SEGMENTS * NET;
    [
        Balance { who: "requester", account: requester.account(), tokens: FORTUNE - paid, stake: 0 },
        Balance { who: "provider", account: provider.account(), tokens: FORTUNE - STAKE + earned, stake: STAKE },
        Balance { who: "data owner", account: owner.account(), tokens: FORTUNE + FEE + royalty, stake: 0 },
    ]
}

#[test]
fn fee_and_royalty_reach_the_owner_and_only_who_is_admitted_takes_the_job() {
    let Some(scene) = Scene::start("fee_and_royalty_reach_the_owner") else { return };
    let (owner, mut requester) = (owner(&scene), Member::requester(&scene, 0x11));
    let (mut stranger, mut provider) = (Member::provider(&scene, 0x22), Member::provider(&scene, 0x21));
    requester.start(&scene);
    stranger.take_for(NET);
    stranger.start(&scene);
    let (terms, signed) = (terms(&scene, &owner), licence(&scene, &owner, &requester, &[provider.account()], |_| ()));
    let id = offering(&scene, &requester).job(&terms);
    allow(&scene, &requester, &terms, &signed);
    let files = [
        (TERMS_FILE, terms.abi_encode()),
        (OPEN_FILE, open(&terms, &signed).abi_encode()),
        (LICENCE_FILE, signed.to_json().into_bytes()),
    ];
    begin(&requester, id, &Facts { posts: true, ..Facts::new(Role::Requester) }, &files);
    let said = || stranger.shared().said_of(&format!("offer {id}"));
    scene.until("whom the licence leaves out says so", || said().is_some());
    assert!(said().is_some_and(|said| said.contains("does not admit this account")), "{:?}", said());
    assert!(scene.is(id, State::Open));
    // What the node asks for is what is left of the price.
    provider.take_for(NET);
    provider.start(&scene);
    paid_out(&scene, id, State::Completed, &[&requester, &provider]);
    let [one, two, three] = shared_out(&scene, &requester, &provider, &owner);
    let four = Balance { who: "stranger", account: stranger.account(), tokens: FORTUNE - STAKE, stake: STAKE };
    scene.balances(&[one, two, three, four], 0);
}

#[test]
fn an_offer_brings_the_licence_and_the_path_of_its_provider() {
    let Some(scene) = Scene::start("an_offer_brings_the_licence") else { return };
    let (owner, mut requester) = (owner(&scene), Member::requester(&scene, 0x11));
    let mut provider = Member::provider(&scene, 0x21);
    let mut careful = Member::provider(&scene, 0x22)
        .with(|config| config.provider.as_mut().expect("it is a provider").datasets = Datasets::NONE);
    let mut dear = Member::provider(&scene, 0x23);
    for (member, price) in [(&mut provider, NET), (&mut careful, NET), (&mut dear, NET + 1)] {
        member.take_for(price);
        member.start(&scene);
    }
    requester.start(&scene);
    let all = [careful.account(), dear.account(), provider.account()];
    let signed = licence(&scene, &owner, &requester, &all, |_| ());
    let terms = terms(&scene, &owner);
    allow(&scene, &requester, &terms, &signed);
    let price: u128 = tokens(PRICE).to();
    let candidates = all.map(|owner| Candidate { owner, price, jobs: 0, failed: 0 });
    let job = |to: Address| offering(&scene, &requester).job(&terms_for(terms.clone(), to, price));
    let offers = Offers::new(NONCE.into(), &candidates, |candidate| job(candidate.owner));
    let first = offers.all[0].job;
    let facts = Facts { offers: Some(offers), ..Facts::new(Role::Requester) };
    let files = [
        (TERMS_FILE, terms_for(terms.clone(), all[0], price).abi_encode()),
        (LICENCE_FILE, signed.to_json().into_bytes()),
    ];
    begin(&requester, first, &facts, &files);
    scene.mine(1);
    let id = job(provider.account());
    scene.until("the last one takes the job", || scene.is(id, State::Assigned));
    let held = requester.facts(id).and_then(|facts| facts.offers).expect("it is offered");
    let said: Vec<_> = held.all.iter().map(|offer| offer.said.clone()).collect();
    assert!(matches!(&said[0], Some(Said::No(reason)) if reason.contains("`datasets`")), "{said:?}");
    assert!(matches!(&said[1], Some(Said::No(reason)) if reason.contains("too low")), "{said:?}");
    paid_out(&scene, id, State::Completed, &[&requester, &provider]);
    let [one, two, three] = shared_out(&scene, &requester, &provider, &owner);
    let rest = [("careful", &careful), ("dear", &dear)];
    let [four, five] =
        rest.map(|(who, member)| Balance { who, account: member.account(), tokens: FORTUNE - STAKE, stake: STAKE });
    scene.balances(&[one, two, three, four, five], 0);

    // A quote is the price that leaves what the provider wants, for whom the licence admits.
    requester.kill();
    let some = licence(&scene, &owner, &requester, &[provider.account(), careful.account()], |_| ());
    let said = requester.quotes(&scene, &terms, Some(&some), None);
    let of = |member: &Member| said[&member.account()].as_ref().map(|quoted| quoted.price);
    assert_eq!(of(&provider), Ok(price));
    assert!(of(&careful).is_err_and(|why| why.contains("`datasets`")), "{said:?}");
    assert!(of(&dear).is_err_and(|why| why.contains("does not admit")), "{said:?}");
    let said = requester.quotes(&scene, &terms, None, Some(provider.account()));
    assert!(said[&provider.account()].as_ref().is_err_and(|why| why.contains("without its licence")), "{said:?}");
}

#[test]
fn a_licence_that_is_refused_before_anything_is_paid_is_one_that_the_market_refuses() {
    let Some(scene) = Scene::start("a_licence_that_is_refused") else { return };
    let (owner, requester, other) = (owner(&scene), Member::requester(&scene, 0x11), Member::requester(&scene, 0x12));
    let (terms, market) = (terms(&scene, &owner), scene.market());
    let (dataset, set) = set_of(&scene, &owner);
    let good = licence(&scene, &owner, &requester, &[], |_| ());
    let asked =
        TrainingMarket::licenceDigestCall { dataset, requester: requester.account(), licence: good.licence.clone() };
    assert_eq!(scene.ask(market, &asked), good.digest());
    // So that nothing else is in the way.
    let spender = market;
    let value = tokens(FORTUNE);
    requester.send(scene.deployment.token.address, &ComputeToken::approveCall { spender, value });

    let judged = |signed: &SignedLicence, terms: &Terms| -> Result<(), Box<LicenceFault>> {
        let used = TrainingMarket::nonceUsedCall { signer: owner.account(), nonce: signed.licence.nonce };
        let spent = scene.ask(market, &used);
        signed.check(scene.deployment.chain, market, requester.account(), &set, spent, now(&scene))?;
        signed.license(terms.training.clone(), &set)?;
        Ok(signed.check_terms(terms)?)
    };
    let by_market = |signed: &SignedLicence, terms: &Terms| requester.tries(market, &open(terms, signed));
    // The largest that are taken.
    let most = licence(&scene, &owner, &requester, &[], |signed| {
        (signed.licence.fee, signed.licence.minRoyalty) = (tokens(MOST_FEE).to(), tokens(PRICE / 2).to());
        signed.licence.terms = alloy::primitives::keccak256(terms.abi_encode());
    });
    for signed in [&good, &most] {
        assert_eq!((judged(signed, &terms), by_market(signed, &terms)), (Ok(()), Ok(())));
    }
    // For one provider the fee is free.
    let of_one = Terms { providers: other.account().into_word(), ..terms.clone() };
    let dear =
        licence(&scene, &owner, &requester, &[], |signed| signed.licence.fee = tokens(MOST_FEE).to::<u128>() + 1);
    assert_eq!((judged(&dear, &of_one), by_market(&dear, &of_one)), (Ok(()), Ok(())));

    let refused = |signed: &SignedLicence, terms: &Terms, word: &str| -> LicenceFault {
        let said = by_market(signed, terms).expect_err(word);
        assert!(said.contains(word), "{word}: {said}");
        *judged(signed, terms).expect_err(word)
    };
    let made = |change: fn(&mut SignedLicence)| licence(&scene, &owner, &requester, &[], change);
    assert!(matches!(refused(&dear, &terms, "LicenceFee"), LicenceFault::Fee { .. }));
    let greedy = made(|signed| signed.licence.minRoyalty = tokens(PRICE / 2).to::<u128>() + 1);
    assert!(matches!(refused(&greedy, &terms, "MinRoyalty"), LicenceFault::Royalty { .. }));
    let short = made(|signed| signed.licence.mostSegments -= 1);
    assert!(matches!(refused(&short, &terms, "LicenceMismatch"), LicenceFault::Segments { .. }));
    assert!(matches!(refused(&most, &of_one, "LicenceMismatch"), LicenceFault::Terms(_)));
    let late = made(|signed| signed.licence.expiry -= U256::from(7200));
    assert!(matches!(refused(&late, &terms, "SignatureExpired"), LicenceFault::Expired { .. }));
    let foreign = licence(&scene, &owner, &other, &[], |_| ());
    assert!(matches!(refused(&foreign, &terms, "BadSignature"), LicenceFault::Requester { .. }));
    let mut own = good.clone();
    own.licence.signature = requester.sign(own.digest()).into();
    assert!(matches!(refused(&own, &terms, "BadSignature"), LicenceFault::Signature { .. }));
    let mut elsewhere = good.clone();
    elsewhere.market = other.account();
    elsewhere.licence.signature = owner.sign(elsewhere.digest()).into();
    assert!(matches!(refused(&elsewhere, &terms, "BadSignature"), LicenceFault::Elsewhere { .. }));
    let mut data = terms.clone();
    data.training.dataRoot = B256::repeat_byte(1);
    assert!(matches!(refused(&good, &data, "DatasetMismatch"), LicenceFault::Data { .. }));
    owner.send(market, &TrainingMarket::cancelNonceCall { nonce: good.licence.nonce });
    assert!(matches!(refused(&good, &terms, "NonceUsed"), LicenceFault::Spent(_)));
}
