//! `requester cancel`, from the outside, before the market has the job: what was signed cannot be brought any more.

use std::fs;

use gradproof_chain::market::{TrainingMarket, no_licence, no_permit, terms};
use gradproof_chain::{B256, Chain, SolCall, U256};
use gradproof_node::facts::{Facts, Role};
use gradproof_node::home::Home;
use gradproof_node::live::OPEN_FILE;
use gradproof_node::matching::Candidate;
use gradproof_node::offers::Offers;
use gradproof_node::store::Store;

use crate::program::{Ran, requester};
use crate::scene::{BATCH, PRICE, Party, Scene, code, tokens};
use crate::trained::Trained;

#[test]
fn what_was_signed_to_post_a_job_or_to_offer_it_is_void_when_that_is_cancelled() {
    let Some(code) = code("what_was_signed_to_post_a_job_or_to_offer_it_is_void") else { return };
    let (scene, trained) = (Scene::new(code), Trained::new());
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    fs::write(at.join("deployment.json"), scene.deployment.to_json()).expect("written");
    fs::write(at.join("password"), "a password\n").expect("written");
    let init =
        format!("init --home home --rpc {} --deployment deployment.json --password-file password", scene.node.url());
    let Ran(done, out, error) = requester(at, None, &init);
    assert_eq!(done, Some(0), "{out}{error}");
    let home = Home::at(&at.join("home"));
    let signer = home.accounts("a password").expect("the keys").account().expect("it has its key").clone();
    scene.node.fund(signer.address());
    let chain = Chain::connect(scene.node.url(), signer.clone()).expect("the node answers");
    let (account, market) = (Party { chain, signer }, scene.market());

    let terms = terms(scene.terms(&trained, BATCH, BATCH).training, tokens(PRICE).to(), BATCH);
    let prepared = |nonce: u64| {
        let (nonce, terms) = (U256::from(nonce), terms.clone());
        let id = TrainingMarket::idOfCall { requester: account.address(), nonce, terms: terms.clone() };
        let (licence, permit) = (no_licence(), no_permit());
        (scene.ask(market, &id), TrainingMarket::openCall { terms, nonce, licence, consents: vec![], permit })
    };
    let (posted, open) = prepared(1);
    let (offered, brought) = prepared(2);
    fs::create_dir_all(home.job(posted)).expect("made");
    fs::write(home.job(posted).join(OPEN_FILE), open.abi_encode()).expect("written");
    let candidate = Candidate { owner: scene.provider.address(), price: 1, jobs: 0, failed: 0 };
    let mut offers = Offers::new(B256::from(U256::from(2)), &[candidate], |_| offered);
    offers.change(offered, |offer| offer.until = Some(u64::MAX));
    let store = Store::open(&home.store_file()).expect("it opens");
    store.begin(posted, &Facts { posts: true, ..Facts::new(Role::Requester) }).expect("it is stored");
    store.begin(offered, &Facts { offers: Some(offers), ..Facts::new(Role::Requester) }).expect("it is stored");
    drop(store);

    for (id, call) in [(posted, &open), (offered, &brought)] {
        let refused = |call| account.send(market, call).expect_err("it has no tokens");
        assert!(!refused(call).contains("NonceUsed"), "it can be brought: {}", refused(call));
        let Ran(done, out, error) =
            requester(at, None, &format!("cancel {id} --home home --password-file password --json"));
        assert_eq!(done, Some(0), "{out}{error}");
        assert!(out.contains("\"done\":true"), "{out}");
        assert!(refused(call).contains("NonceUsed"), "it cannot be brought any more: {}", refused(call));
    }
    let store = Store::open(&home.store_file()).expect("it opens");
    assert!(store.jobs().expect("read").iter().all(|(_, facts)| facts.cancels));
}
