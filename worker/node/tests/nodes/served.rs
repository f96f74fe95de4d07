//! A data owner's node: it signs licences by a policy, and hands the rows to the provider, past the requester.

use std::fs;
use std::time::Duration;

use gradproof_chain::market::{DatasetRegistry, Earned, SignedLicence, State, TrainingMarket, no_paths};
use gradproof_chain::{B256, SolCall, SolValue, U256};
use gradproof_network::Protocol;
use gradproof_node::config::{LicencePolicy, SetConfig};
use gradproof_node::dataset::{DatasetFile, Schema};
use gradproof_node::facts::{Facts, Role};
use gradproof_node::live::{LICENCE_FILE, LICENCES_FOLDER, OPEN_FILE, TERMS_FILE};
use gradproof_node::message::{PartyAnswer, PartyQuestion, read, written};
use gradproof_node::workshop::{DATA_OPENING_FILE, PARCEL, PRIVATE, ROWS_FILE};
use tempfile::TempDir;

use crate::licensed::{
    FEE, NET, RATE_BPS, ROYALTY, allow, begin_without_parcel, licence, offering, open, register, set_of, shares, terms,
};
use crate::member::{Member, write};
use crate::scene::{FORTUNE, Scene, tokens};
use crate::trade::paid_out;
use crate::workshop::{DATA, Point, ROWS, SEGMENTS, parcel};

/// How long a node may take to answer.
const WITHIN: Duration = Duration::from_secs(20);
/// What the owner's node hands over beside the rows.
const OPENING: &[u8] = b"{ \"seed\": 7 }\n";
/// Hours for which a licence can be used.
const HOURS: u64 = 2;

/// The folder of the stand-in's set, and its owner, whose node serves it to `requester` alone, for `provider` to train on.
pub fn owner(scene: &Scene, requester: &Member, provider: &Member) -> (TempDir, Member) {
    let folder = tempfile::tempdir().expect("a folder");
    let owner = Member::data_owner(scene, 0x51);
    register(scene, &owner);
    let schema = Schema {
        inputs: 1,
        classes: 1,
        batch: 10,
        steps_per_segment: 4,
        activation_bits: 8,
        column_bits: 1,
        setup: B256::ZERO,
    };
    let (chain, register) = (scene.deployment.chain, scene.deployment.datasets.address);
    let set = DatasetFile::new(chain, register, owner.account(), DATA, ROWS, schema);
    assert_eq!(set.dataset, set_of(scene, &owner).0);
    set.save(folder.path()).expect("it is written");
    write(&folder.path().join(ROWS_FILE), &rows());
    write(&folder.path().join(PRIVATE).join(DATA_OPENING_FILE), OPENING);
    let policy = LicencePolicy {
        fee: tokens(FEE).to(),
        least_royalty: tokens(ROYALTY).to(),
        most_segments: SEGMENTS as u32,
        hours: HOURS,
        requesters: vec![requester.account()],
        accounts: vec![provider.account()],
    };
    let served = SetConfig { folder: folder.path().to_owned(), licence: Some(policy) };
    let owner = owner.with(|config| config.data_owner.as_mut().expect("it owns data").sets.push(served));
    (folder, owner)
}

/// The rows of the stand-in's parcel.
pub fn rows() -> Vec<u8> {
    let [(path, rows), ..] = parcel();
    assert!(path.ends_with(ROWS_FILE));
    rows
}

/// What a node answers to a question of another one for the rows of a job.
pub fn asks(scene: &Scene, member: &Member, owner: &Member, job: B256) -> String {
    let question = written(&PartyQuestion::Rows { job });
    let asked = member.shared().network.ask(owner.peer(), Protocol::Party, &question, WITHIN);
    match scene.chain.wait(asked).map(|answer| read(&answer).expect("it is an answer")) {
        Ok(PartyAnswer::Refused(reason)) => reason.to_string(),
        Ok(other) => format!("{other:?}"),
        // A node that was just started is not known at once.
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_owner_signs_by_its_policy_and_hands_rows_to_the_provider_that_the_requester_never_has() {
    let Some(scene) = Scene::start("the_owner_signs_by_its_policy") else { return };
    let mut requester = Member::requester(&scene, 0x11);
    let (mut provider, mut stranger) = (Member::provider(&scene, 0x21), Member::requester(&scene, 0x12));
    let (_folder, mut owner) = owner(&scene, &requester, &provider);
    let dataset = set_of(&scene, &owner).0;
    owner.start(&scene);
    for member in [&mut requester, &mut stranger] {
        member.start(&scene);
        member.kill();
    }
    let licence = |member: &Member, segments: u64| -> Result<SignedLicence, String> {
        member.once(&scene, async |node| {
            let found = node.datasets().await.expect("the chain answers");
            if found.is_empty() {
                return Err("no set is found".into());
            }
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!((found[0].card.set.dataset, found[0].rate_bps), (dataset, RATE_BPS));
            let price = found[0].card.price.expect("it signs licences");
            assert_eq!((price.fee, price.most_segments), (tokens(FEE).to(), SEGMENTS as u32));
            let licence = node.licence(owner.account(), dataset, segments as u32).await;
            licence.map_err(|error| error.to_string())
        })
    };
    // A node that was just entered is not known at once.
    let refused = |member: &Member, segments, why: &str| {
        scene.until(why, || licence(member, segments).expect_err(why).contains(why));
    };
    refused(&stranger, 1, "yours is none of them");
    refused(&requester, SEGMENTS + 1, "at most");
    let signed = licence(&requester, SEGMENTS).expect("it is given");
    assert_eq!(licence(&requester, 1), Ok(signed.clone()), "one at a time");
    requester.once(&scene, async |node| {
        let found = node.dataset(dataset).await.expect("its owner serves it");
        assert_eq!((found.card.set.dataset, found.card.set.owner), (dataset, owner.account()));
        let other = node.dataset(B256::ZERO).await.expect_err("nobody owns it").to_string();
        assert!(other.contains("is not in the register"), "{other}");
    });
    let copy = owner.folder().join(LICENCES_FOLDER).join(format!("{}.json", B256::from(signed.licence.nonce)));
    assert_eq!(fs::read_to_string(copy).expect("it is kept"), signed.to_json());

    // Nobody hands the data of a job that is not there.
    requester.start(&scene);
    stranger.start(&scene);
    let terms = terms(&scene, &owner);
    let id = offering(&scene, &requester).job(&terms);
    allow(&scene, &requester, &terms, &signed);
    let refused = |member: &Member| asks(&scene, member, &owner, id).contains("not given to you");
    scene.until("there is no such job", || refused(&requester) && refused(&stranger));
    scene.until("whoever owns no data says so", || asks(&scene, &stranger, &requester, id).contains("owns no data"));
    for (path, content) in parcel().into_iter().skip(1) {
        write(&requester.job_folder(id).join(path), &content);
    }
    let files = [
        (TERMS_FILE, terms.abi_encode()),
        (OPEN_FILE, open(&terms, &signed).abi_encode()),
        (LICENCE_FILE, signed.to_json().into_bytes()),
    ];
    let facts = Facts { posts: true, ..Facts::new(Role::Requester) };
    begin_without_parcel(&requester, id, &facts, &files);
    scene.until("it is posted", || scene.is(id, State::Open));
    provider.take_for(NET);
    provider.shop.hold(Point::Prove(0));
    provider.start(&scene);
    scene.until("the provider has rows", || provider.shop.waits(Point::Prove(0)));
    let held = provider.job_folder(id);
    assert_eq!(fs::read(held.join(PARCEL).join(ROWS_FILE)).expect("they are there"), rows());
    assert_eq!(fs::read(held.join(PRIVATE).join(DATA_OPENING_FILE)).expect("it is there"), OPENING);
    assert!(!requester.job_folder(id).join(PARCEL).join(ROWS_FILE).exists());
    // While it runs they are for its provider only.
    assert!(refused(&requester) && refused(&stranger));
    assert!(asks(&scene, &provider, &owner, id).contains("Sealed"));
    let other = B256::repeat_byte(1);
    assert!(asks(&scene, &provider, &owner, other).contains("not given to you"));
    provider.shop.release_all();
    paid_out(&scene, id, State::Completed, &[&requester, &provider, &owner]);
    scene.balances(&shares(&requester, &provider, &owner), 0);
    let earned = Earned { fee: tokens(FEE).to(), royalty: tokens(SEGMENTS * ROYALTY).to() };
    assert_eq!(Earned::of(&scene.job(id)), earned, "what `dataset status` says");
    requester.kill();
    let next = licence(&requester, SEGMENTS).expect("it is given");
    assert_ne!(next.licence.nonce, signed.licence.nonce, "one licence is for one job");
}

#[test]
fn an_owner_follows_jobs_on_its_sets_while_they_can_pay_and_seals_a_set_once_for_all_of_them() {
    let Some(scene) = Scene::start("an_owner_follows_jobs_on_its_sets") else { return };
    let requesters = [0x11, 0x12, 0x13].map(|seed| Member::requester(&scene, seed));
    let (stranger, mut provider) = (Member::requester(&scene, 0x52), Member::provider(&scene, 0x21));
    let (_folder, mut owner) = owner(&scene, &requesters[0], &provider);
    // Whoever enters a set names any account as the one that is paid.
    let receiver = owner.account();
    let call = DatasetRegistry::registerCall { root: DATA, rows: ROWS, rateBps: RATE_BPS, receiver };
    stranger.send(scene.deployment.datasets.address, &call);
    owner.start(&scene);
    provider.take_for(FORTUNE);
    provider.start(&scene);
    let posted = |signer: &Member, requester: &Member, nonce: u64| {
        let terms = terms(&scene, signer);
        let signed = licence(&scene, signer, requester, &[], |signed| signed.licence.nonce = U256::from(nonce));
        allow(&scene, requester, &terms, &signed);
        requester.send(scene.market(), &open(&terms, &signed));
        offering(&scene, requester).job(&terms)
    };
    let others = posted(&stranger, &requesters[2], 1);
    let ids = [posted(&owner, &requesters[0], 1), posted(&owner, &requesters[1], 2)];
    scene.until("its jobs are followed", || ids.iter().all(|id| owner.facts(*id).is_some()));
    assert_eq!(owner.facts(others), None, "the set is none that it serves");
    for id in ids {
        let accept = TrainingMarket::acceptCall { id, minPrice: U256::ZERO, paths: no_paths() };
        provider.send(scene.market(), &accept);
    }
    let sealed = |id: &B256| asks(&scene, &provider, &owner, *id).contains("Sealed");
    scene.until("the rows are handed over", || ids.iter().all(sealed));
    let blobs = || owner.shared().blobs.list().len();
    assert_eq!(blobs(), 3, "the rows, and a manifest for each job");
    provider.kill();
    provider.send(scene.market(), &TrainingMarket::declineCall { id: ids[0] });
    scene.pass(scene.terms().times.openSecs + 1);
    scene.until("what nobody can take is forgotten", || owner.facts(ids[0]).is_none());
    assert!(owner.facts(ids[1]).is_some(), "it has a provider");
    assert_eq!(blobs(), 2, "its rows, and their manifest");
}
