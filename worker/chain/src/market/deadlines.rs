//! Who may act on a job, until when, and what happens if nobody does: the table "States" of `docs/settlement.md`, filled in from what
//! the chain holds.

use super::snapshot::JobSnapshot;
use super::{BatchState, State, TrainingMarket};
use crate::Moment;

/// Beside a deadline of the team, until anyone may do what it did not: `ANYONE_SECS` of `contracts/src/market/Bounds.sol`.
pub const ANYONE_SECS: u64 = 24 * 3600;
/// How long stake backs a job that has ended: `UNBONDING_SECS`.
pub const UNBONDING_SECS: u64 = 14 * 24 * 3600;
/// Blocks from the one whose hash draws on until a secret counts: `REVEAL_DELAY_BLOCKS`.
const REVEAL_DELAY_BLOCKS: u64 = 8;
/// Blocks for which a chain keeps hashes (EIP-2935).
const HASHES: u64 = 8191;

/// Who may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// A provider that the terms admit.
    Provider,
    /// Who posted the job, or a hot key of it.
    Requester,
    /// The provider that has the job, or a hot key of it.
    Lead,
    /// The lead, or a member of its team.
    Team,
    /// A member of the team.
    Member,
    /// Members of the committee, by their words, which anyone brings.
    Committee,
    /// Anyone.
    Anyone,
}

impl Actor {
    /// What it is called where somebody reads it.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Provider => "a provider",
            Self::Requester => "the requester",
            Self::Lead => "the lead",
            Self::Team => "the team",
            Self::Member => "a member",
            Self::Committee => "the committee",
            Self::Anyone => "anyone",
        }
    }
}

/// A moment, as seconds since 1970 or as the number of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Seconds since 1970.
    Time(u64),
    /// A block.
    Block(u64),
}

impl When {
    fn is_before(self, now: Moment) -> bool {
        match self {
            Self::Time(time) => time < now.time,
            Self::Block(block) => block < now.block,
        }
    }

    fn is_after(self, now: Moment) -> bool {
        match self {
            Self::Time(time) => time > now.time,
            Self::Block(block) => block > now.block,
        }
    }
}

/// Something that can be done about a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// The batch that it is about, if it is about one.
    pub batch: Option<u64>,
    /// Who may do it.
    pub actor: Actor,
    /// Calls of the market.
    pub calls: &'static [&'static str],
    /// First moment at which it can be done, if that is not over.
    pub from: Option<When>,
    /// Last moment at which it can be done, if there is one.
    pub until: Option<When>,
    /// What happens if nobody does it.
    pub otherwise: &'static str,
}

impl Duty {
    fn of(actor: Actor, calls: &'static [&'static str], otherwise: &'static str) -> Self {
        Self { batch: None, actor, calls, from: None, until: None, otherwise }
    }

    fn from(mut self, from: When) -> Self {
        self.from = Some(from);
        self
    }

    fn until(mut self, until: When) -> Self {
        self.until = Some(until);
        self
    }

    fn about(mut self, batch: u64) -> Self {
        self.batch = Some(batch);
        self
    }

    /// Whether it can be done at a moment.
    pub fn is_open(&self, now: Moment) -> bool {
        self.from.is_none_or(|from| !from.is_after(now)) && !self.is_over(now)
    }

    /// Whether its time is over.
    pub fn is_over(&self, now: Moment) -> bool {
        self.until.is_some_and(|until| until.is_before(now))
    }
}

/// All that can be done about a job, now or later, if nothing else happens before.
pub fn duties(job: &JobSnapshot) -> Vec<Duty> {
    let deadline = u64_of(job.job.deadline);
    let mut duties = match job.state() {
        Some(State::Open) => vec![
            Duty::of(Actor::Provider, &["accept"], "nobody trains; the escrow comes back")
                .from(When::Time(u64_of(job.job.acceptFrom)))
                .until(When::Time(deadline)),
            Duty::of(Actor::Requester, &["cancel"], "the job stays open").until(When::Time(deadline)),
            Duty::of(Actor::Anyone, &["cancel"], "the escrow waits").from(When::Time(deadline + 1)),
        ],
        Some(State::Assigned) => vec![
            Duty::of(Actor::Lead, &["start", "decline"], "the job is handed back: bond and escrow lose a fee each")
                .until(When::Time(deadline)),
            Duty::of(Actor::Anyone, &["decline"], "the job waits").from(When::Time(deadline + 1)),
        ],
        Some(State::Running) => running(job),
        Some(State::None) | None => vec![],
        Some(_) => ended(job),
    };
    duties.retain(|duty| !duty.is_over(job.now));
    duties
}

fn ended(job: &JobSnapshot) -> Vec<Duty> {
    let mut duties = vec![Duty::of(Actor::Anyone, &["withdraw"], "what is owed waits for ever")];
    if !job.terms.committee.members.is_empty() {
        let free = u64_of(job.job.endedAt) + UNBONDING_SECS;
        let contradict = Duty::of(Actor::Anyone, &["contradict"], "two words on one question stay unpunished");
        duties.push(contradict.until(When::Time(free)));
        let unback = Duty::of(Actor::Anyone, &["unback"], "the committee's stake stays bound");
        // What never started raised no question.
        let at_once = job.state() == Some(State::Cancelled);
        duties.push(if at_once { unback } else { unback.from(When::Time(free + 1)) });
    }
    duties
}

fn running(job: &JobSnapshot) -> Vec<Duty> {
    let TrainingMarket::Job { total, closed, .. } = job.job;
    let mut duties = if closed < total { filling(job) } else { vec![] };
    let mut earlier = true;
    for (batch, view) in &job.batches {
        let mut about = match job.batch_state(view) {
            Some(BatchState::Drawing) => drawing(job, view),
            Some(BatchState::Proving) => proving(job, view, earlier),
            Some(BatchState::Disputed) => disputed(job, view),
            _ => vec![],
        };
        earlier = false;
        about.iter_mut().for_each(|duty| duty.batch = Some(*batch));
        duties.extend(about);
    }
    duties
}

/// The batch that is trained.
fn filling(job: &JobSnapshot) -> Vec<Duty> {
    let TrainingMarket::Job { total, claimed, closed, settled, left, complaints, .. } = job.job;
    let every = u64::from(job.terms.batches.deliverEvery).max(1);
    let batch = u64::from(closed) / every;
    let end = (u64::from(closed) + every).min(u64::from(total));
    let waiting = u64::from(closed).div_ceil(every) - u64::from(settled).div_ceil(every);
    if waiting >= u64::from(job.terms.batches.ahead) {
        // A batch that is settled makes room; until then no time runs.
        return vec![];
    }
    let whole = job.terms.batches.draws == job.terms.batches.deliverEvery;
    let full = u64::from(claimed) >= end;
    let (deadline, otherwise, late) = if left {
        let end = "the job is as long as what is closed";
        (job.closable_after + ANYONE_SECS, "anyone may make the job as long as what is closed", end)
    } else {
        let end = "anyone ends the job, and a quarter of a batch's price is lost";
        (u64_of(job.job.progressAt) + u64::from(job.terms.times.batchSecs), "anyone may end the job", end)
    };
    let calls: &[&str] = match (full, whole) {
        (true, _) => &["close"],
        (false, true) => &["claim", "claimProven"],
        (false, false) => &["claim"],
    };
    // While a complaint is open nobody is too slow.
    let runs = left || complaints == 0;
    let lead = Duty::of(Actor::Lead, calls, otherwise).about(batch);
    let mut duties = if runs {
        // What comes late is taken as long as nobody has called `abandon`.
        let late = Duty::of(Actor::Lead, calls, late).about(batch).from(When::Time(deadline + 1));
        vec![lead.until(When::Time(deadline)), late]
    } else {
        vec![lead]
    };
    if full {
        let member = Duty::of(Actor::Member, &["close"], "only the lead closes").about(batch);
        duties.push(member.from(When::Time(job.closable_after + 1)));
    }
    if !left {
        duties.push(Duty::of(Actor::Requester, &["stop"], "the job goes on"));
    }
    if runs {
        let abandon = Duty::of(Actor::Anyone, &["abandon"], "the job waits for its lead").about(batch);
        duties.push(abandon.from(When::Time(deadline + 1)));
    }
    duties
}

fn drawing(job: &JobSnapshot, view: &TrainingMarket::BatchView) -> Vec<Duty> {
    let record = &view.record;
    let block = u64_of(record.drawBlock);
    if u64_of(record.lateAt) != 0 {
        let draw = |otherwise| Duty::of(Actor::Anyone, &["drawLate"], otherwise);
        return vec![
            draw("its hash is lost").from(When::Block(block + 1)).until(When::Block(block + HASHES)),
            draw("nothing is drawn, and nothing paid; it makes the whole batch due")
                .from(When::Block(block + HASHES + 1)),
        ];
    }
    let secret = u64_of(record.closedAt) + u64::from(job.terms.times.revealSecs);
    vec![
        Duty::of(Actor::Requester, &["reveal"], "a later block draws")
            .from(When::Block(block + REVEAL_DELAY_BLOCKS))
            .until(When::Time(secret)),
        Duty::of(Actor::Team, &["fixLate"], "anyone fixes the late block a day later")
            .from(When::Time(secret + 1))
            .until(When::Time(secret + ANYONE_SECS)),
        Duty::of(Actor::Anyone, &["fixLate"], "nothing is drawn, and nothing paid")
            .from(When::Time(secret + ANYONE_SECS + 1)),
    ]
}

/// A batch of which it is known what is due; `first` if it is the next to be paid.
fn proving(job: &JobSnapshot, view: &TrainingMarket::BatchView, first: bool) -> Vec<Duty> {
    let record = &view.record;
    let mut duties = due(job, view);
    duties.extend(challenge(job, view));
    if !record.acknowledged {
        let calls: &[&str] =
            if job.terms.committee.members.is_empty() { &["acknowledge"] } else { &["acknowledge", "complain"] };
        let words = Duty::of(Actor::Requester, calls, "silence pays");
        let until = u64_of(record.closedAt) + u64::from(job.terms.times.complainSecs);
        duties.push(words.until(When::Time(until)));
    }
    if first && view.due == 0 {
        let settle = Duty::of(Actor::Anyone, &["settle"], "nobody is paid yet");
        let after = if record.acknowledged { 0 } else { u64::try_from(view.paidAfter).unwrap_or(u64::MAX) };
        duties.push(settle.from(When::Time(after.saturating_add(1))));
    }
    duties
}

/// The window for challenges, where not all is proven.
fn challenge(job: &JobSnapshot, view: &TrainingMarket::BatchView) -> Option<Duty> {
    let has_window = job.terms.batches.draws < job.terms.batches.deliverEvery && !view.record.acknowledged;
    let challenge = Duty::of(Actor::Anyone, &["challenge"], "what was not drawn is paid without a proof");
    has_window.then(|| challenge.until(When::Time(u64_of(view.record.windowUntil))))
}

/// What is due and not proven.
fn due(job: &JobSnapshot, view: &TrainingMarket::BatchView) -> Vec<Duty> {
    let prove = u64::from(job.terms.times.proveSecs);
    let mut ends: Vec<u64> = job.due(view).into_iter().map(|(_, until)| until).collect();
    ends.sort_unstable();
    ends.dedup();
    let mut duties = Vec::new();
    for end in ends {
        duties.push(Duty::of(Actor::Anyone, &["prove"], "a proof is late, and costs a tenth").until(When::Time(end)));
        let late = Duty::of(Actor::Anyone, &["prove"], "the batch has failed, and the bond is lost");
        duties.push(late.from(When::Time(end + 1)).until(When::Time(end + prove)));
        let fail = Duty::of(Actor::Anyone, &["fail"], "the job waits for a proof that does not count any more");
        duties.push(fail.from(When::Time(end + prove + 1)));
    }
    duties
}

/// A complaint stops nothing else: its batch is drawn, proven and challenged as ever.
fn disputed(job: &JobSnapshot, view: &TrainingMarket::BatchView) -> Vec<Duty> {
    let (since, until) = (u64_of(view.complaint.since), u64_of(view.complaint.until));
    let half = u64::from(job.terms.times.decideSecs) / 2;
    let mut duties = vec![
        Duty::of(Actor::Team, &["addRoot"], "the committee decides about the root that was named")
            .until(When::Time(since + half)),
        Duty::of(Actor::Requester, &["acknowledge"], "the committee decides").until(When::Time(until)),
        Duty::of(Actor::Committee, &["attest"], "the batch's pay and the complaint's bond are burnt")
            .from(When::Time(until - half + 1))
            .until(When::Time(until)),
        Duty::of(Actor::Anyone, &["lapse"], "the complaint stays open").from(When::Time(until + 1)),
    ];
    if view.record.known {
        duties.extend(due(job, view).into_iter().chain(challenge(job, view)));
    } else {
        duties.extend(drawing(job, view));
    }
    duties
}

/// A number of 40 or 48 bits.
fn u64_of<T: TryInto<u64>>(number: T) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}
