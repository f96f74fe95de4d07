//! What a node counts, for Prometheus: what happened since it started, and how things are when somebody asks.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use gradproof_chain::{Sight, Status, Update};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::locked::locked;
use crate::decide::Task;

/// One label and its value. All values are of a list in the sources, or endpoints of the configuration, so that there are few.
type Label = [(&'static str, String); 1];

/// A wei is a billionth of a gwei.
const GWEI: f64 = 1e9;

/// What a node counts.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    /// What is encoded: all below, and what libp2p counts.
    registry: Registry,
    jobs: Family<Label, Gauge>,
    tasks_running: Family<Label, Gauge>,
    tasks_failed: Family<Label, Counter>,
    head: Family<Label, Gauge>,
    head_age: Family<Label, Gauge>,
    requests: Family<Label, Gauge>,
    transactions: Family<Label, Counter>,
    fees: Counter<f64, AtomicU64>,
    blobs: Gauge,
    free: Gauge,
    refusals: Family<Label, Counter>,
    /// Number and time of each endpoint's newest block, as it was seen last.
    heads: Mutex<Vec<Option<(u64, u64)>>>,
}

/// How things are when somebody asks.
#[derive(Debug)]
pub(super) struct Present {
    /// The state of each job.
    pub jobs: Vec<String>,
    /// Name of each endpoint, and how many requests it got.
    pub endpoints: Vec<(String, u64)>,
    /// Bytes of the disk that blobs take.
    pub blobs: u64,
    /// Bytes of the disk that a new job could have.
    pub free: u64,
}

/// What became of a transaction, as the label says it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    /// Signed and sent.
    Sent,
    /// The contract would refuse it, and it was not sent.
    Refused,
}

fn label(name: &'static str, value: impl Into<String>) -> Label {
    [(name, value.into())]
}

impl Metrics {
    /// Nothing is counted yet. What libp2p counts is in the registry already.
    pub fn new(registry: Registry) -> Self {
        let mut metrics = Self { registry, ..Self::default() };
        let own = metrics.registry.sub_registry_with_prefix("gradproof");
        own.register("jobs", "Jobs that the node follows, by their state on the chain", metrics.jobs.clone());
        own.register("tasks_running", "Pieces of work that run, by their kind", metrics.tasks_running.clone());
        own.register("tasks_failed", "Pieces of work that failed and are tried again", metrics.tasks_failed.clone());
        own.register("endpoint_head", "Number of an endpoint's newest block", metrics.head.clone());
        own.register_with_unit(
            "endpoint_head_age",
            "Time since the newest block that an endpoint has, by this machine's clock",
            Unit::Seconds,
            metrics.head_age.clone(),
        );
        own.register("endpoint_requests", "Requests to an endpoint since the start", metrics.requests.clone());
        own.register("transactions", "Transactions, by what became of them", metrics.transactions.clone());
        own.register("fees_gwei", "What final transactions cost, in gwei", metrics.fees.clone());
        own.register_with_unit("blobs", "Disk that blobs take or have reserved", Unit::Bytes, metrics.blobs.clone());
        own.register_with_unit("disk_free", "Disk that a new job could have", Unit::Bytes, metrics.free.clone());
        own.register("refusals", "Jobs and quotes that were refused, by the reason", metrics.refusals.clone());
        metrics
    }

    /// A piece of work began, or ended.
    pub fn task(&self, task: Task, began: bool) {
        let running = self.tasks_running.get_or_create(&label("kind", task.kind()));
        if began {
            running.inc()
        } else {
            running.dec()
        };
    }

    /// A piece of work failed.
    pub fn failed(&self, task: Task) {
        self.tasks_failed.get_or_create(&label("kind", task.kind())).inc();
    }

    /// The endpoints were looked at.
    pub fn saw(&self, sight: &Sight) {
        let head = |seen: &gradproof_chain::Seen| seen.head.as_ref().ok().map(|head| (head.number, head.time));
        let mut heads = locked(&self.heads);
        heads.resize(sight.heads.each.len(), None);
        for (kept, seen) in heads.iter_mut().zip(&sight.heads.each) {
            *kept = head(seen).or(*kept);
        }
    }

    /// A transaction was sent, or would be refused.
    pub fn transaction(&self, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Sent => "sent",
            Outcome::Refused => "refused",
        };
        self.transactions.get_or_create(&label("outcome", outcome)).inc();
    }

    /// What became of a transaction. It counts when it is final: until then a block can be dropped.
    pub fn update(&self, update: &Update) {
        let outcome = match &update.status {
            _ if !update.is_final => return,
            Status::Included { place, .. } => {
                self.fees.inc_by(place.gas as f64 * place.price as f64 / GWEI);
                if place.success { "landed" } else { "reverted" }
            }
            Status::Overtaken { .. } => "overtaken",
            Status::Pending | Status::Refused { .. } => return,
        };
        self.transactions.get_or_create(&label("outcome", outcome)).inc();
    }

    /// A job, a quote for one, or a place in its committee was refused, for a reason in a word.
    pub fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&label("reason", reason)).inc();
    }

    /// All of it as text, with how things are now; `now` in seconds since 1970. `None` if something has no text.
    pub fn encoded(&self, present: &Present, now: u64) -> Option<String> {
        self.jobs.clear();
        for state in &present.jobs {
            self.jobs.get_or_create(&label("state", state)).inc();
        }
        for ((endpoint, requests), head) in present.endpoints.iter().zip(locked(&self.heads).iter()) {
            let of = label("endpoint", endpoint);
            self.requests.get_or_create(&of).set(signed(*requests));
            if let Some((number, time)) = head {
                self.head.get_or_create(&of).set(signed(*number));
                self.head_age.get_or_create(&of).set(signed(now).saturating_sub(signed(*time)));
            }
        }
        self.blobs.set(signed(present.blobs));
        self.free.set(signed(present.free));
        let mut text = String::new();
        encode(&mut text, &self.registry).ok()?;
        Some(text)
    }
}

/// A number of 63 bits, which gauges have.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
