//! Endpoints, the chain behind them, and the market on it.

use eyre::Result;
use gradproof_chain::market::check_chain;
use gradproof_chain::{Chain, ChainError, Client, Common, Endpoints, Header, LOCAL_CHAIN, PrivateKeySigner, Seen};

use super::finding::Finding;
use crate::node::backup::now;
use crate::node::options::Opened;

/// Blocks whose events a node asks for at once.
const SPAN: u64 = 1000;
/// Blocks that an endpoint may lack beside the furthest before it is worth a word: what nodes behind one address are apart.
const LAG: u64 = 16;
/// How far the clock of this machine and a head may be apart, in seconds: some blocks of the slowest chains.
const APART_SECS: u64 = 120;

/// Each endpoint, what they agree on, and the clock.
pub(super) fn endpoints(opened: &Opened) -> Result<Vec<Finding>> {
    let (urls, id) = (&opened.config.endpoints, opened.deployment.chain);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let set = match Endpoints::connect(urls, id).await {
            Ok(set) => set,
            Err(error) => {
                let remedy = "correct `endpoints` in the configuration, or start the node of the chain";
                return Ok(vec![Finding::bad("endpoints", error.to_string(), remedy).costs()]);
            }
        };
        let mut findings = vec![count(urls.len(), set.needed())];
        // Each is waited for: it is the one that is slow that is looked for.
        let heads = set.heads().await;
        let common = match set.common(&heads).await {
            Ok(common) => common,
            Err(error) => {
                findings.push(Finding::bad("endpoints", error.to_string(), "use others that answer").costs());
                return Ok(findings);
            }
        };
        for ((seen, endpoint), url) in heads.each.iter().zip(set.each()).zip(urls) {
            let mut finding = one(seen);
            if let Ok(head) = &seen.head {
                let from = head.number.saturating_sub(SPAN - 1);
                let logs = endpoint.logs_between(from, head.number, &[opened.deployment.nodes.address]).await;
                if let Err(error) = logs {
                    let said = format!("it does not tell the events of {SPAN} blocks at once: {error}");
                    finding = Finding::bad(endpoint.name(), said, "use another one");
                } else if let Err(error) = counts_its_blocks(url).await {
                    let wrong = matches!(error, ChainError::ForeignBlocks { .. } | ChainError::NoHistory { .. });
                    let bad = Finding::bad(
                        endpoint.name(),
                        error.to_string(),
                        "the market's times hold on other chains only",
                    );
                    finding = if wrong { bad.costs() } else { bad };
                }
            }
            findings.push(finding);
        }
        findings.push(agreement(&common, set.needed()));
        findings.push(clock(now()?, common.latest(), id == LOCAL_CHAIN));
        Ok(findings)
    })
}

async fn counts_its_blocks(url: &str) -> Result<(), ChainError> {
    check_chain(&Client::connect(url, PrivateKeySigner::random()).await?).await
}

/// Whether there are as many as must agree.
fn count(got: usize, needed: usize) -> Finding {
    match got < needed {
        false => Finding::good("endpoints", format!("{got}, of which {needed} must agree")),
        true => Finding::bad(
            "endpoints",
            format!("{got}, and {needed} must agree before anything is spent"),
            "name another one, of another operator, under `endpoints`",
        ),
    }
}

/// What one endpoint said of its newest block.
fn one(seen: &Seen) -> Finding {
    let name = &seen.endpoint;
    match (&seen.head, seen.behind.unwrap_or(0)) {
        (Err(error), _) => Finding::bad(name, error.to_string(), "wait for it, or use another one"),
        (Ok(head), 0) => Finding::good(name, format!("block {}", head.number)),
        (Ok(head), behind) if behind <= LAG => Finding::good(name, format!("block {}, {behind} behind", head.number)),
        (Ok(head), behind) => Finding::note(
            name,
            format!("block {}, {behind} behind the furthest", head.number),
            "wait for it, or use another one",
        ),
    }
}

/// Whether as many are at one block as must agree.
fn agreement(common: &Common, needed: usize) -> Finding {
    let what = "agreement";
    match common {
        Common::Block { header, knowing } => {
            Finding::good(what, format!("{} have block {}", knowing.len(), header.number))
        }
        Common::Alone { .. } => Finding::bad(
            what,
            format!("one endpoint answers, and {needed} must agree: nothing is spent meanwhile"),
            "wait for the others, or use others",
        ),
        Common::Apart { .. } => Finding::bad(
            what,
            "the endpoints have no new block in common: one is stuck, on a fork, or lies".to_owned(),
            "find out which, and use another one",
        ),
    }
}

/// The clock of this machine beside the newest block.
fn clock(now: u64, head: Header, local: bool) -> Finding {
    let (ahead, behind) = (now.saturating_sub(head.time), head.time.saturating_sub(now));
    match (ahead, behind) {
        // The local chain makes blocks when it is asked to, and with the times that it is told.
        _ if local => Finding::good("clock", "not compared: the local chain has a time of its own"),
        (0..=APART_SECS, 0..=APART_SECS) => {
            Finding::good("clock", format!("{} s from the newest block's", ahead.max(behind)))
        }
        (_, 0) => Finding::bad(
            "clock",
            format!("{ahead} s after the newest block: the chain stands still, or this clock is wrong"),
            "set the clock, or use other endpoints",
        ),
        _ => Finding::note(
            "clock",
            format!("{behind} s before the newest block"),
            "set the clock: logs have wrong times",
        ),
    }
}

/// Whether the deployment is what the chain has.
pub(super) fn deployment(opened: &Opened, chain: &Chain) -> Option<Finding> {
    let (deployment, what) = (&opened.deployment, "deployment");
    Some(match chain.wait(deployment.check(chain.client())) {
        Ok(()) => Finding::good(what, format!("market {} on chain {}", deployment.market.address, deployment.chain)),
        Err(error @ ChainError::Deployment { .. }) => {
            Finding::bad(what, error.to_string(), "get the right file: `requester check-deployment` compares it")
                .costs()
        }
        Err(error) => Finding::bad(what, error.to_string(), "try again"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::doctor::finding::Grade;

    fn header(time: u64) -> Header {
        Header { number: 7, hash: Default::default(), parent: Default::default(), time, base: 0 }
    }

    #[test]
    fn too_few_endpoints_and_endpoints_that_do_not_agree_are_bad() {
        assert_eq!(count(2, 2).grade, Grade::Good);
        assert_eq!(count(1, 2).grade, Grade::Bad);
        let block = Common::Block { header: header(0), knowing: vec![0, 1] };
        assert_eq!(agreement(&block, 2).grade, Grade::Good);
        assert_eq!(agreement(&Common::Alone { endpoint: 0, header: header(0) }, 2).grade, Grade::Bad);
        assert_eq!(agreement(&Common::Apart { heads: vec![] }, 2).grade, Grade::Bad);
    }

    #[test]
    fn an_endpoint_that_lags_or_is_silent_is_said() {
        let seen = |behind| Seen { endpoint: "one".into(), head: Ok(header(0)), behind: Some(behind) };
        assert_eq!(one(&seen(0)).grade, Grade::Good);
        assert_eq!(one(&seen(LAG)).grade, Grade::Good);
        assert_eq!(one(&seen(LAG + 1)).grade, Grade::Note);
        let silent = Seen { endpoint: "one".into(), head: Err(ChainError::NoEndpoint), behind: None };
        assert_eq!(one(&silent).grade, Grade::Bad);
    }

    #[test]
    fn a_clock_that_is_far_from_the_chain_is_said() {
        let said = |now, time, local| clock(now, header(time), local).grade;
        assert_eq!(said(1000, 880, false), Grade::Good);
        assert_eq!(said(1000, 879, false), Grade::Bad);
        assert_eq!(said(1000, 1121, false), Grade::Note);
        assert_eq!(said(1000, 0, true), Grade::Good);
    }
}
