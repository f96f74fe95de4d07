//! `provider explain` and `requester explain`: where a job of a market stands, who may act, and what happens if nobody does.

use std::path::PathBuf;

use eyre::{Result, bail};
use gradproof_chain::market::{Actor, Duty, JobSnapshot, State, When, duties};
use gradproof_chain::{B256, Moment};
use gradproof_terminal::{Outcome, print};
use serde::Serialize;

use crate::deploy::CheckDeployment;

/// Says where a job of a market stands.
#[derive(clap::Args, Clone, Debug)]
pub struct Explain {
    /// Address of a node of the chain (JSON-RPC over HTTP). The command believes its answers: use a node that you trust.
    #[arg(long, value_name = "URL")]
    pub rpc: String,
    /// The deployment of the market, as `requester deploy` wrote it.
    #[arg(long, value_name = "FILE")]
    pub deployment: PathBuf,
    /// The job's id: 32 bytes in hexadecimal.
    #[arg(long, value_name = "ID")]
    pub job: B256,
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
    duties: Vec<ExplainedDuty>,
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
}

impl Explain {
    /// Runs the command.
    ///
    /// # Errors
    /// If the file is refused, there is no such job, or the node does not answer.
    pub fn run(&self) -> Result<Outcome> {
        let on_chain = CheckDeployment::without_sources(&self.rpc, &self.deployment, self.json);
        let Some((chain, deployment)) = on_chain.checked()? else { return Ok(Outcome::Rejected) };
        let market = deployment.market.address;
        let job = chain.wait(JobSnapshot::of(chain.client(), market, self.job))?;
        let Some(state) = job.state().filter(|state| *state != State::None) else {
            bail!("the market {market} has no job {}", self.job);
        };
        let explained = Explained::of(self.job, state, &job);
        if self.json {
            print(&serde_json::to_string(&explained)?);
        } else {
            explained.print(job.now);
        }
        Ok(Outcome::Done)
    }
}

impl Explained {
    fn of(id: B256, state: State, job: &JobSnapshot) -> Self {
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
            duties: duties(job).iter().map(|duty| ExplainedDuty::of(duty, job.now)).collect(),
        }
    }

    fn print(&self, now: Moment) {
        let Self { job, state, segments, claimed, closed, settled, .. } = self;
        print(&format!("job {job}: {state}"));
        print(&format!("segments   {segments}: {claimed} claimed, {closed} closed, {settled} settled"));
        for ExplainedBatch { batch, state, due } in &self.batches {
            print(&format!("batch {batch:<4} {state}, {due} proofs due"));
        }
        for duty in &self.duties {
            duty.print(now);
        }
    }
}

impl ExplainedDuty {
    fn of(duty: &Duty, now: Moment) -> Self {
        let Duty { batch, actor, calls, from, until, otherwise } = duty.clone();
        Self { batch, who: who(actor), calls, open: duty.is_open(now), from, until, otherwise }
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
        print(&format!("{when}{batch} {} may {calls}{from}{until}; otherwise {}", self.who, self.otherwise));
    }
}

fn who(actor: Actor) -> &'static str {
    match actor {
        Actor::Provider => "a provider",
        Actor::Requester => "the requester",
        Actor::Lead => "the lead",
        Actor::Team => "the team",
        Actor::Member => "a member",
        Actor::Committee => "the committee",
        Actor::Anyone => "anyone",
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
