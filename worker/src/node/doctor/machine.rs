//! This machine: addresses, disk, backup, and how fast it proves.

use eyre::Result;
use gradproof_chain::LOCAL_CHAIN;
use gradproof_node::backup::{self, Age};
use gradproof_node::disk::{bytes_in, free_in};
use gradproof_node::facts::Role;
use gradproof_node::live::measured_key;
use gradproof_node::store::Store;

use super::finding::Finding;
use crate::node::backup::now;
use crate::node::options::Opened;

/// Free bytes below which nothing works: a job's rows and proofs take as much.
const LEAST_FREE_BYTES: u64 = 1 << 30;
/// How addresses begin that only this machine, or its own network, can reach.
const PRIVATE: [&str; 5] = ["/ip4/127.", "/ip4/10.", "/ip4/192.168.", "/ip4/169.254.", "/ip6/::1/"];

/// All about this machine.
pub(super) fn all(opened: &Opened) -> Result<Vec<Finding>> {
    let (config, local) = (&opened.config, opened.deployment.chain == LOCAL_CHAIN);
    let named = if config.announce.is_empty() { &config.listen } else { &config.announce };
    let held = bytes_in(&opened.home.blobs()).saturating_add(bytes_in(&opened.home.jobs()));
    let mut findings = vec![
        addresses(named, local),
        disk(free_in(&opened.home), held, config.disk_bytes),
        backed_up(backup::age(&opened.home)?, now()?, local),
    ];
    if config.role == Role::Provider {
        findings.extend(speed(opened)?);
    }
    Ok(findings)
}

/// Whether others could use the addresses. Whether they do reach the node, only they can say.
fn addresses(named: &[String], local: bool) -> Finding {
    let what = "addresses";
    let remedy = "name where others reach the node under `announce`, then `node register`";
    let any = |address: &&String| address.contains("/0.0.0.0/") || address.contains("/ip6/::/");
    let own = |address: &&String| PRIVATE.iter().any(|begins| address.starts_with(begins));
    if let Some(address) = named.iter().find(any) {
        return Finding::bad(
            what,
            format!("{address} is where the node listens, and nowhere that others could go to"),
            remedy,
        );
    }
    match named.iter().find(own).filter(|_| !local) {
        Some(address) => Finding::bad(what, format!("{address} is of this network only"), remedy),
        None => Finding::good(what, format!("{}; whether others reach them, only they can say", named.join(" "))),
    }
}

/// Whether the disk has room for what the configuration allows.
fn disk(free: Option<u64>, held: u64, allowed: u64) -> Finding {
    let left = allowed.saturating_sub(held);
    match free {
        None => Finding::note("disk", "this system does not say what is free", "look yourself"),
        Some(free) if free < LEAST_FREE_BYTES => Finding::bad(
            "disk",
            format!("{free} bytes are free, and no job works with less than {LEAST_FREE_BYTES}"),
            "make room",
        ),
        Some(free) if free < left => Finding::note(
            "disk",
            format!("{free} bytes are free, and blobs and jobs may take {left} more"),
            "make room, or lower `disk_bytes`: a full one stops new jobs before running ones",
        ),
        Some(free) => Finding::good("disk", format!("{free} bytes are free, and blobs and jobs may take {left} more")),
    }
}

/// Whether there is a backup, and of all.
fn backed_up(age: Age, now: u64, local: bool) -> Finding {
    let (what, remedy) = ("backup", "`node backup` makes one");
    let days = |time: u64| now.saturating_sub(time) / 86_400;
    match age {
        Age::Whole(time) => Finding::good(what, format!("{} days old, and nothing secret came since", days(time))),
        Age::Outdated(time) => {
            Finding::note(what, format!("{} days old, and keys or seeds came since", days(time)), remedy)
        }
        Age::None if local => Finding::note(what, "there is none; on the local chain nothing is lost with it", remedy),
        Age::None => Finding::bad(what, "there is none: who loses this folder loses the account", remedy),
    }
}

/// How long a segment of each shape takes here, as far as the node has measured it.
fn speed(opened: &Opened) -> Result<Vec<Finding>> {
    let Some(store) = Store::open_unless_taken(&opened.home.store_file())? else {
        return Ok(vec![Finding::good("speed", "a node runs on this folder, and knows")]);
    };
    let mut findings = Vec::new();
    for verifier in &opened.deployment.verifiers {
        let record = store.record(&measured_key(verifier.segment.address))?;
        let measured = record.and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        let what = format!("speed of key {}", verifier.key);
        findings.push(match measured {
            Some(ms) => Finding::good(what, format!("{ms} ms a segment")),
            None => Finding::note(
                what,
                "not measured",
                "`provider bench` with the shape of the job says how long a segment takes",
            ),
        });
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::doctor::finding::Grade;

    #[test]
    fn an_address_that_nobody_could_use_is_bad() {
        let said = |address: &str, local| addresses(&[address.to_owned()], local).grade;
        assert_eq!(said("/ip4/0.0.0.0/tcp/4101", true), Grade::Bad);
        assert_eq!(said("/ip4/127.0.0.1/tcp/4101", true), Grade::Good);
        assert_eq!(said("/ip4/127.0.0.1/tcp/4101", false), Grade::Bad);
        assert_eq!(said("/ip4/192.168.1.2/tcp/4101", false), Grade::Bad);
        assert_eq!(said("/dns4/node.example/tcp/4101", false), Grade::Good);
    }

    #[test]
    fn a_disk_without_room_is_bad_and_one_with_little_is_said() {
        let said = |free, held| disk(Some(free), held, 5 << 30).grade;
        assert_eq!(said(LEAST_FREE_BYTES - 1, 0), Grade::Bad);
        assert_eq!(said(LEAST_FREE_BYTES, 0), Grade::Note);
        assert_eq!(said(5 << 30, 0), Grade::Good);
        assert_eq!(said(LEAST_FREE_BYTES, 4 << 30), Grade::Good, "the blobs are there already");
        assert_eq!(said(LEAST_FREE_BYTES, 6 << 30), Grade::Good, "more than is allowed now");
    }

    #[test]
    fn a_node_without_a_backup_is_bad_where_something_can_be_lost() {
        assert_eq!(backed_up(Age::Whole(0), 86_400, false).grade, Grade::Good);
        assert_eq!(backed_up(Age::Outdated(0), 86_400, false).grade, Grade::Note);
        assert_eq!(backed_up(Age::None, 0, false).grade, Grade::Bad);
        assert_eq!(backed_up(Age::None, 0, true).grade, Grade::Note);
    }
}
