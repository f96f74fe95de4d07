//! A disk that has an end: what is taken, what is fetched, and what goes when a job is forgotten.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use gradproof_chain::market::{State, UNBONDING_SECS};
use gradproof_node::workshop::{FIRST_FILE, PARCEL};

use crate::member::Member;
use crate::scene::Scene;
use crate::trade::{Trade, paid_out};
use crate::workshop::Point;

/// Room for one job of the stand-in, and not for two.
const DISK_BYTES: u64 = 64 << 20;
/// More than the terms of the stand-in's job leave to a parcel.
const LARGE_BYTES: usize = 20 << 20;

/// What Prometheus gets.
fn scrape(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).expect("the node answers");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: node\r\n\r\n").expect("it takes a request");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("it answers with text");
    assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
    page
}

#[test]
fn a_provider_whose_disk_is_promised_takes_no_other_job_and_ends_the_one_it_has() {
    let Some(scene) = Scene::start("a_provider_whose_disk_is_promised") else { return };
    let metrics = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
    let small = |config: &mut gradproof_node::config::Config| {
        config.disk_bytes = DISK_BYTES;
        config.provider.as_mut().expect("it is a provider's").jobs = 2;
        config.metrics = Some(metrics);
    };
    let (mut requester, mut provider) = (Member::requester(&scene, 0x11), Member::provider(&scene, 0x21).with(small));
    let other = Member::requester(&scene, 0x12);
    requester.start(&scene);
    provider.start(&scene);
    provider.shop.hold(Point::Prove(0));
    requester.allow(&scene, &scene.terms());
    let job = requester.post(&scene, scene.terms());
    scene.until("the first job runs", || scene.is(job, State::Running) && provider.shop.waits(Point::Prove(0)));
    let second = other.post_alone(&scene, scene.terms());
    let said = || provider.shared().said_of(&format!("offer {second}"));
    scene.until("the second one is looked at", || said().is_some());
    let said = said().expect("it was said");
    assert!(said.contains("bytes of the disk") && said.contains("disk_bytes"), "{said}");
    // What was not done is told to other processes, and counted.
    scene.until("it is written down", || provider.told(second).is_some_and(|told| told.facts.is_none()));
    assert!(provider.told(second).expect("it is there").said.values().any(|other| *other == said));
    let page = scrape(metrics);
    let endpoint = format!("{{endpoint=\"{}\"}}", scene.url().trim_end_matches('/'));
    for line in [
        "gradproof_refusals_total{reason=\"disk\"} 1",
        "gradproof_jobs{state=\"Running\"} 1",
        "gradproof_tasks_running{kind=\"prove\"} 1",
        &format!("gradproof_endpoint_requests{endpoint} "),
        &format!("gradproof_endpoint_head_age_seconds{endpoint} "),
        "libp2p_swarm_connections_established_total",
    ] {
        assert!(page.contains(line), "`{line}` is not in\n{page}");
    }
    provider.shop.release(Point::Prove(0));
    paid_out(&scene, job, State::Completed, &[&requester, &provider]);
    assert!(scene.is(second, State::Open), "nobody takes the second one");
    let counted = |name: &str| {
        let page = scrape(metrics);
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        line.unwrap_or_default()
    };
    scene.until("all of its transactions are final", || {
        counted("gradproof_transactions_total{outcome=\"landed\"}") >= 10.0
    });
    assert!(counted("gradproof_fees_gwei_total") > 0.0 && counted("gradproof_blobs_bytes") > 0.0);
    let told = provider.told(job).expect("it is there");
    assert_eq!((told.account, told.facts), (provider.account(), provider.facts(job)));
    assert!(told.transaction.is_some_and(|transaction| transaction.is_final), "the last one landed");
}

#[test]
fn a_parcel_that_is_larger_than_the_terms_allow_is_not_fetched() {
    let Some(trade) = Trade::start("a_parcel_that_is_larger_than_the_terms_allow") else { return };
    let Trade { scene, requester, provider } = &trade;
    let job = trade.post();
    let file = requester.job_folder(job).join(PARCEL).join(FIRST_FILE);
    std::fs::write(file, vec![0; LARGE_BYTES]).expect("written before anybody has the job");
    let said = || provider.shared().said_of(&format!("get and check the data of job {job}"));
    scene.until("the provider says why", || said().is_some_and(|said| said.contains("none has more than")));
    // Whoever has the key of one of the requester's peers could have handed it over.
    assert_eq!(provider.facts(job).and_then(|facts| facts.declines), None);
    assert!(scene.is(job, State::Assigned));
    let blobs = provider.shared().blobs.used_bytes();
    assert!(blobs < LARGE_BYTES as u64 / 100, "{blobs} bytes were fetched");
}

#[test]
fn what_nobody_asks_for_any_more_is_removed_and_a_requester_keeps_its_weights() {
    let Some(trade) = Trade::start("what_nobody_asks_for_any_more") else { return };
    let Trade { scene, requester, provider } = &trade;
    let job = trade.post();
    trade.completes(job);
    let [of_requester, of_provider] = [requester, provider].map(|member| member.job_folder(job));
    scene.until("it has all weights", || requester.facts(job).is_some_and(|facts| facts.opened.len() == 2));
    for member in [requester, provider] {
        assert!(member.shared().blobs.used_bytes() > 0, "what others may ask for still is here");
    }
    assert!(of_provider.exists() && of_requester.join(PARCEL).exists());
    scene.pass(UNBONDING_SECS as u32 + 1);
    let forgotten = || requester.facts(job).is_none() && provider.facts(job).is_none();
    scene.until("both forget it", forgotten);
    for member in [requester, provider] {
        // Blobs go after the facts.
        scene.until("its blobs go", || member.shared().blobs.used_bytes() == 0);
        assert_eq!(member.shared().store.records("job/").expect("the store is read"), []);
    }
    assert!(!of_provider.exists());
    assert!(!of_requester.join(PARCEL).exists());
    for kept in ["batch-0000.exact.safetensors", "batch-0001.exact.safetensors", "private", "terms.abi"] {
        assert!(of_requester.join(kept).exists(), "{kept}");
    }
}
