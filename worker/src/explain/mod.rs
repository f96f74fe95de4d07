//! `explain` of all programs: where a job of a market stands, who may act, what happens if nobody does, and what a node does about it.

mod data;
mod money;
mod own;

use std::path::PathBuf;

use eyre::{OptionExt, Result, bail};
use gradproof_chain::market::{Deployment, Duty, JobSnapshot, State, When, duties};
use gradproof_chain::{B256, Moment, PrivateKeySigner};
use gradproof_terminal::{Outcome, print};
use serde::Serialize;

use crate::deploy::CheckDeployment;
use crate::node::HomeOption;
use data::ExplainedData;
use own::{ExplainedNode, Own};

/// Says where a job stands, and what the node of a folder does about it; without a folder, of any job of a market.
#[derive(clap::Args, Clone, Debug)]
pub struct Explain {
    /// The job's id: 32 bytes in hexadecimal.
    #[arg(value_name = "JOB", required_unless_present = "job")]
    pub id: Option<B256>,
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// Without a node: address of a node of the chain (JSON-RPC over HTTP). The command believes its answers: use one that you trust.
    #[arg(long, value_name = "URL", requires = "deployment", conflicts_with = "home")]
    pub rpc: Option<String>,
    /// Without a node: the deployment of the market, as `requester deploy` wrote it.
    #[arg(long, value_name = "FILE", requires = "rpc")]
    pub deployment: Option<PathBuf>,
    /// The job's id, by name.
    #[arg(long, value_name = "ID", conflicts_with = "id")]
    pub job: Option<B256>,
    /// Print it as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What is said of a job. Times are seconds since 1970.
#[derive(Clone, Debug, Serialize)]
struct Explained {
    job: B256,
    state: String,
    segments: u16,
    claimed: u16,
    closed: u16,
    settled: u16,
    time: u64,
    block: u64,
    batches: Vec<ExplainedBatch>,
    /// Of a job on a registered set.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<ExplainedData>,
    duties: Vec<ExplainedDuty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<ExplainedNode>,
}

/// A batch that is closed and not settled.
#[derive(Clone, Debug, Serialize)]
struct ExplainedBatch {
    batch: u64,
    state: String,
    /// Segments that must be proven, and are not.
    due: u32,
}

/// Something that can be done.
#[derive(Clone, Debug, Serialize)]
struct ExplainedDuty {
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<u64>,
    who: &'static str,
    calls: &'static [&'static str],
    open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<When>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<When>,
    otherwise: &'static str,
    /// What happens to whose money then.
    money: String,
    /// What happens to the owner of the data then.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_owner: Option<String>,
    /// What the node does about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    node: Vec<String>,
}

impl Explain {
    /// Runs the command.
    ///
    /// # Errors
    /// If the file is refused, there is no such job, or the node does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let id = self.id.or(self.job).ok_or_eyre("which job: give its id")?;
        let (chain, deployment, home) = match (&self.rpc, &self.deployment) {
            (Some(rpc), Some(deployment)) => {
                let on_chain = CheckDeployment::without_sources(rpc, deployment, self.json);
                let Some((chain, deployment)) = on_chain.checked()? else { return Ok(Outcome::Rejected) };
                (chain, deployment, None)
            }
            _ => {
                let opened = self.home.opened(None)?;
                // Nothing is sent, so that any account will do.
                (opened.chain(PrivateKeySigner::random())?, opened.deployment, Some(opened.home))
            }
        };
        let market = deployment.market.address;
        let job = chain.wait(async {
            let reader = chain.client().at_head().await?;
            JobSnapshot::of(&reader, market, id).await
        })?;
        let Some(state) = job.state().filter(|state| *state != State::None) else {
            bail!("the market {market} has no job {id}");
        };
        let own = home.map(|home| Own::of(&home, id, &job, &chain, &deployment)).transpose()?.flatten();
        let explained = Explained::of(id, state, &job, &deployment, own.as_ref());
        if self.json {
            print(&serde_json::to_string(&explained)?);
        } else {
            explained.print(job.now);
        }
        Ok(Outcome::Done)
    }
}

impl Explained {
    fn of(id: B256, state: State, job: &JobSnapshot, deployment: &Deployment, own: Option<&Own>) -> Self {
        let of_duty = |duty: &Duty| ExplainedDuty {
            money: money::of(duty, job, deployment),
            data_owner: data::otherwise(duty, job, deployment),
            node: own.map(|own| own.plans(duty)).unwrap_or_default(),
            ..ExplainedDuty::of(duty, job.now)
        };
        let duties: Vec<ExplainedDuty> = duties(job).iter().map(of_duty).collect();
        let plans: Vec<String> = duties.iter().flat_map(|duty| duty.node.clone()).collect();
        let batch = |(number, view): &(u64, _)| ExplainedBatch {
            batch: *number,
            state: job.batch_state(view).map_or_else(|| view.state.to_string(), |state| format!("{state:?}")),
            due: view.due.count_ones(),
        };
        Self {
            job: id,
            state: format!("{state:?}"),
            segments: job.job.total,
            claimed: job.job.claimed,
            closed: job.job.closed,
            settled: job.job.settled,
            time: job.now.time,
            block: job.now.block,
            batches: job.batches.iter().map(batch).collect(),
            data: ExplainedData::of(job, deployment),
            node: own.map(|own| own.rest(&plans)),
            duties,
        }
    }

    fn print(&self, now: Moment) {
        let Self { job, state, segments, claimed, closed, settled, .. } = self;
        print(&format!("job {job}: {state}"));
        print(&format!("segments   {segments}: {claimed} claimed, {closed} closed, {settled} settled"));
        for ExplainedBatch { batch, state, due } in &self.batches {
            print(&format!("batch {batch:<4} {state}, {due} proofs due"));
        }
        if let Some(data) = &self.data {
            data.print();
        }
        for duty in &self.duties {
            duty.print(now);
        }
        if let Some(node) = &self.node {
            node.print();
        }
    }
}

impl ExplainedDuty {
    fn of(duty: &Duty, now: Moment) -> Self {
        let Duty { batch, actor, calls, from, until, otherwise } = duty.clone();
        Self {
            batch,
            who: actor.in_words(),
            calls,
            open: duty.is_open(now),
            from,
            until,
            otherwise,
            money: String::new(),
            data_owner: None,
            node: vec![],
        }
    }

    fn print(&self, now: Moment) {
        let batch = self.batch.map_or_else(String::new, |batch| format!(" batch {batch}:"));
        let calls = self.calls.join(" or ");
        let from = match self.from {
            Some(from) if !self.open => format!(", {}", ahead("from", from, now)),
            _ => String::new(),
        };
        let until = self.until.map_or_else(String::new, |until| format!(", {}", ahead("until", until, now)));
        let when = if self.open { "now  " } else { "later" };
        print(&format!(
            "{when}{batch} {} may {calls}{from}{until}; otherwise {}: {}",
            self.who, self.otherwise, self.money
        ));
        if let Some(otherwise) = &self.data_owner {
            print(&format!("       the owner of the data: {otherwise}"));
        }
        for plan in &self.node {
            print(&format!("       this node: {plan}"));
        }
    }
}

/// `word in 3 h 20 min`, or `word block 17`.
fn ahead(word: &str, when: When, now: Moment) -> String {
    match when {
        When::Time(time) => format!("{word} in {}", duration(time.saturating_sub(now.time))),
        When::Block(block) => format!("{word} block {block}, {} ahead", block.saturating_sub(now.block)),
    }
}

/// Seconds in the two largest units that say something.
fn duration(secs: u64) -> String {
    let (days, hours, minutes) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{secs} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_words() {
        for (secs, text) in [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3_661, "1 h 1 min"), (90_000, "1 d 1 h")] {
            assert_eq!(duration(secs), text);
        }
        let now = Moment { time: 1000, block: 7 };
        assert_eq!(ahead("until", When::Time(4_600), now), "until in 1 h 0 min");
        assert_eq!(ahead("from", When::Block(17), now), "from block 17, 10 ahead");
    }
}
