//! What a node does about its jobs: a function of what the chain says, what the node knows, and the time.
//!
//! It has no input or output and remembers nothing. It is asked after each block and after each piece of work, and says all that is
//! to be done now; what is under way already, whoever carries it out leaves alone. So nothing is lost with a process: chain and facts
//! give the same answer again.

mod contradiction;
mod data_owner;
mod member;
mod place;
mod provider;
mod requester;
mod team;
mod validator;

use gradproof_chain::market::{Duty, JobSnapshot, State, TeamSnapshot, UNBONDING_SECS, When, duties};
use gradproof_chain::{Address, B256, U256};

use crate::facts::{Facts, Role};
use crate::offers::Offers;

pub use place::{Place, TURN_SECS, patience};

/// What the chain says of a job, at one block.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The job.
    pub id: B256,
    /// The account whose node this is.
    pub me: Address,
    /// What the market holds of it.
    pub job: JobSnapshot,
    /// What the market owes this account, of all jobs.
    pub owed: U256,
    /// What the vault owes it, of bonds that others lost; of a node that can earn some.
    pub owed_bonds: U256,
    /// The job's provider as it was some blocks ago: who will be it, whatever happens to the newest blocks.
    pub settled_lead: Option<Address>,
    /// Another job that came of this requester's offers: the market has that one, and never this.
    pub taken: Option<B256>,
    /// Its place in the committee, where a member of it asked.
    pub seat: Option<Seat>,
    /// The places of the other members, where words of theirs may contradict each other.
    pub others: Vec<Seat>,
    /// Segments of void batches that this account challenged: their bonds wait.
    pub void_challenges: Vec<u64>,
    /// Void batches that this requester complained about, and nobody decided: their bonds wait.
    pub void_complaints: Vec<u64>,
    /// The claims from the first segment that is not settled to the last one that is closed, where a member of the committee asked.
    pub claims: Vec<B256>,
    /// The team, where somebody joined one.
    pub team: Option<TeamSnapshot>,
    /// The place of this node among the nodes of its account.
    pub place: Place,
}

/// A place in a job's committee, as the market has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The place, counted from 0.
    pub place: u32,
    /// The key of its words.
    pub key: Address,
    /// Whether its stake backs the job.
    pub backed: bool,
}

impl View {
    /// What the chain says of a job to the account `me`, which the market owes this much, as far as everybody reads it.
    pub fn new(id: B256, me: Address, job: JobSnapshot, owed: U256) -> Self {
        Self {
            id,
            me,
            job,
            owed,
            owed_bonds: U256::ZERO,
            settled_lead: None,
            taken: None,
            seat: None,
            others: vec![],
            void_challenges: vec![],
            void_complaints: vec![],
            claims: vec![],
            team: None,
            place: Place::ALONE,
        }
    }

    /// Whether the job is open, and nobody can take it any more at `now`, in seconds since 1970.
    pub fn is_expired(&self, now: u64) -> bool {
        let deadline = u64::try_from(self.job.job.deadline).unwrap_or(u64::MAX);
        self.job.state() == Some(State::Open) && deadline < now
    }

    /// Whether a job that is over ended so long ago that no contradiction can be shown any more.
    pub fn is_past_end(&self) -> bool {
        self.job.now.time > self.shown_until()
    }

    /// Until when contradictions about a job that is over can be shown, in seconds since 1970.
    fn shown_until(&self) -> u64 {
        u64::try_from(self.job.job.endedAt).unwrap_or(u64::MAX).saturating_add(UNBONDING_SECS)
    }

    /// Whether nothing changes any more.
    fn has_ended(&self) -> bool {
        self.job.state().is_some_and(|state| state >= State::Cancelled)
    }

    /// Whether this node looks for members that contradict themselves: a question was put, and their stake may be taken still.
    pub fn looks_for_contradictions(&self, facts: &Facts) -> bool {
        let is_asked = !facts.asked.is_empty() || !facts.attested.is_empty();
        facts.role != Role::DataOwner && is_asked && !(self.has_ended() && self.is_past_end())
    }
}

/// A call of the market, with what it depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// Posts the job.
    Open,
    /// Takes the job, at this price a segment or a better one.
    Accept {
        /// In the token's smallest unit.
        least_price: u128,
    },
    /// Posts the job of an offer, and takes it: one transaction.
    Take,
    /// Takes back an open job.
    Cancel,
    /// Begins to train.
    Start,
    /// Hands the job back.
    Decline,
    /// Claims what ends of segments are, from this one on.
    Claim {
        /// The first segment.
        from: u64,
        /// Digests at the ends.
        ends: Vec<B256>,
    },
    /// Claims a segment with its proof.
    ClaimProven(u64),
    /// Proves a segment that is claimed.
    Prove(u64),
    /// Takes a seat in the team of another provider.
    Join,
    /// Gives the seat up.
    Quit(u64),
    /// Takes claims to prove them, in one transaction.
    Takes {
        /// The seat.
        seat: u64,
        /// The segments, with their claims.
        claims: Vec<(u64, B256)>,
    },
    /// Proves segments that this member took, in one transaction.
    ProveTaken(Vec<u64>),
    /// Closes a batch, whose weights are in the delivery of this root.
    Close {
        /// The batch.
        batch: u64,
        /// The delivery.
        root: B256,
        /// The member's seat; zero of the lead.
        seat: u64,
    },
    /// Names another delivery of a batch that is complained about.
    AddRoot {
        /// The batch.
        batch: u64,
        /// The delivery.
        root: B256,
        /// The member's seat; zero of the lead.
        seat: u64,
    },
    /// Gives the secret that draws.
    Reveal(u64),
    /// Fixes a later block that draws.
    FixLate {
        /// The batch.
        batch: u64,
        /// The member's seat; zero of anyone else.
        seat: u64,
    },
    /// Draws by the later block.
    DrawLate(u64),
    /// Takes a delivery.
    Acknowledge {
        /// The batch.
        batch: u64,
        /// The claim at its end.
        last: B256,
        /// The delivery.
        root: B256,
    },
    /// Says that what was delivered does not open the claim: the committee decides.
    Complain {
        /// The batch.
        batch: u64,
        /// The claim at its end.
        last: B256,
        /// The delivery.
        root: B256,
    },
    /// Brings this member's word about a complaint.
    Attest {
        /// The batch.
        batch: u64,
        /// The claim at its end.
        last: B256,
        /// Its place in the committee.
        place: u32,
        /// Whether the opening of the claim was handed over.
        yes: bool,
    },
    /// Makes a claim due that was not drawn.
    Challenge {
        /// The segment.
        index: u64,
        /// The claim.
        claim: B256,
    },
    /// Shows that a member of the committee gave two words on one question: its stake is taken.
    Contradict {
        /// The batch.
        batch: u64,
        /// The claim at its end.
        last: B256,
        /// The member's place in the committee.
        place: u32,
        /// The member's account.
        member: Address,
    },
    /// Frees the bond that stands for a claim of a void batch.
    Reclaim(u64),
    /// Frees the bond of a complaint about a void batch.
    ReclaimComplaint(u64),
    /// Ends a complaint that nobody decided.
    Lapse(u64),
    /// Pays the next batch.
    Settle,
    /// Ends a job of which a claim was never proven.
    Fail(u64),
    /// Ends a job that stands still.
    Abandon,
    /// Ends the job after so many segments.
    Stop(u64),
    /// Frees the committee's stake.
    Unback,
    /// Takes what the market owes.
    Withdraw,
    /// Takes what the vault owes.
    WithdrawBonds,
}

impl Call {
    /// The name of the market's function.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accept { .. } => "accept",
            Self::Take => "openAndAccept",
            Self::Cancel => "cancel",
            Self::Start => "start",
            Self::Decline => "decline",
            Self::Claim { .. } => "claim",
            Self::ClaimProven(_) => "claimProven",
            Self::Prove(_) => "prove",
            Self::Join => "join",
            Self::Quit(_) => "quit",
            Self::Takes { .. } => "take",
            Self::ProveTaken(_) => "prove",
            Self::Close { .. } => "close",
            Self::AddRoot { .. } => "addRoot",
            Self::Reveal(_) => "reveal",
            Self::FixLate { .. } => "fixLate",
            Self::DrawLate(_) => "drawLate",
            Self::Acknowledge { .. } => "acknowledge",
            Self::Complain { .. } => "complain",
            Self::Attest { .. } => "attest",
            Self::Challenge { .. } => "challenge",
            Self::Contradict { .. } => "contradict",
            Self::Reclaim(_) => "reclaim",
            Self::ReclaimComplaint(_) => "reclaimComplaint",
            Self::Lapse(_) => "lapse",
            Self::Settle => "settle",
            Self::Fail(_) => "fail",
            Self::Abandon => "abandon",
            Self::Stop(_) => "stop",
            Self::Unback => "unback",
            Self::Withdraw | Self::WithdrawBonds => "withdraw",
        }
    }

    /// Whether it only averts a loss of its own: it goes out on one endpoint's word when half of its time is gone. Everything else
    /// spends, or gives something away, and waits until two endpoints agree.
    pub fn averts_a_loss(&self) -> bool {
        matches!(
            self,
            Self::Claim { .. }
                | Self::ClaimProven(_)
                | Self::Prove(_)
                | Self::ProveTaken(_)
                | Self::Close { seat: 0, .. }
        )
    }

    /// What tells it from other calls about the same job, in words: two calls of one name are one transaction.
    pub fn about(&self) -> String {
        match self {
            Self::Claim { from, .. } => format!("claim from segment {from}"),
            Self::ClaimProven(index)
            | Self::Prove(index)
            | Self::Fail(index)
            | Self::Reclaim(index)
            | Self::Challenge { index, .. } => format!("{} segment {index}", self.name()),
            // A member's stake is taken once.
            Self::Contradict { member, .. } => format!("{} {member}", self.name()),
            Self::Takes { claims, .. } => format!("take {}", segments(claims.iter().map(|(index, _)| *index))),
            Self::ProveTaken(indices) => format!("prove {}", segments(indices.iter().copied())),
            Self::Close { batch, .. }
            | Self::AddRoot { batch, .. }
            | Self::Reveal(batch)
            | Self::FixLate { batch, .. }
            | Self::DrawLate(batch)
            | Self::Acknowledge { batch, .. }
            | Self::Complain { batch, .. }
            | Self::Attest { batch, .. }
            | Self::ReclaimComplaint(batch)
            | Self::Lapse(batch) => format!("{} batch {batch}", self.name()),
            Self::WithdrawBonds => "withdraw from the vault".to_owned(),
            _ => self.name().to_owned(),
        }
    }
}

/// Segments in words, by whose numbers two transactions are told apart.
fn segments(indices: impl Iterator<Item = u64>) -> String {
    let indices: Vec<String> = indices.map(|index| index.to_string()).collect();
    format!("segments {}", indices.join(", "))
}

/// Work that takes time, and ends with a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// Requester: asks the members of the committee for their consents.
    Seat,
    /// Requester: signs the offer to this provider, and asks it.
    Offer(Address),
    /// Requester: encrypts the parcel for the nodes of this provider.
    Wrap(Address),
    /// Provider, validator: gets the parcel, and checks it.
    Fetch,
    /// Provider: asks the requester of an open job for its path in the licence.
    Path,
    /// Member: asks the lead for a seat in its team.
    AskSeat,
    /// Member: tells the lead what it trained to, and asks which claims it is to prove.
    Share,
    /// Provider: asks the members of the committee whether they hold the same data.
    Compare,
    /// Provider, validator: trains so many segments, the first ones of the job, and commits to the end of each.
    Train(u64),
    /// Provider: trains so many segments a second time, and compares.
    Repeat(u64),
    /// Provider: proves a segment.
    Prove(u64),
    /// Provider: encrypts the weights at the end of a batch for the requester.
    Deliver(u64),
    /// Requester: gets the weights of a batch, and opens the claim with them.
    Open(u64),
    /// Validator: gets the deliveries of a batch that is complained about, and opens the claim with them.
    Judge(u64),
    /// Validator: asks the provider what opens the claim at the end of a segment, which is not what it trained to.
    Doubt(u64),
    /// Validator: stores its word about a complaint, and signs it.
    Answer {
        /// The batch.
        batch: u64,
        /// The word, unless another one was given before.
        yes: bool,
    },
    /// Asks the other parties for the words of members that they have.
    Hear,
}

impl Task {
    /// Whether it needs the job's trainer and prover, of which there is one.
    pub fn needs_trainer(&self) -> bool {
        match self {
            Self::Seat | Self::Wrap(_) | Self::Offer(_) | Self::Fetch | Self::Compare | Self::Answer { .. } => false,
            Self::Path | Self::AskSeat | Self::Share => false,
            // Whoever judges waits for no training: it opens what was delivered by itself.
            Self::Judge(_) | Self::Hear => false,
            Self::Train(_) | Self::Repeat(_) | Self::Prove(_) | Self::Deliver(_) | Self::Open(_) | Self::Doubt(_) => {
                true
            }
        }
    }

    /// What all work of its kind is called.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Seat => "seat",
            Self::Offer(_) => "offer",
            Self::Wrap(_) => "wrap",
            Self::Fetch => "fetch",
            Self::Path => "path",
            Self::AskSeat => "ask_seat",
            Self::Share => "share",
            Self::Compare => "compare",
            Self::Train(_) => "train",
            Self::Repeat(_) => "repeat",
            Self::Prove(_) => "prove",
            Self::Deliver(_) => "deliver",
            Self::Open(_) => "open",
            Self::Judge(_) => "judge",
            Self::Doubt(_) => "doubt",
            Self::Answer { .. } => "answer",
            Self::Hear => "hear",
        }
    }

    /// What it is called where somebody reads it.
    pub fn in_words(&self) -> String {
        match self {
            Self::Seat => "ask the committee for its consents".into(),
            Self::Offer(to) => format!("offer the job to {to}"),
            Self::Wrap(owner) => format!("encrypt the data for {owner}"),
            Self::Fetch => "get and check the data".into(),
            Self::Path => "ask the requester for this account's path in the licence".into(),
            Self::AskSeat => "ask the lead for a seat in its team".into(),
            Self::Share => "ask the lead what to prove".into(),
            Self::Compare => "ask the committee whether it holds the same data".into(),
            Self::Train(segments) => format!("train to the end of {segments} segments"),
            Self::Repeat(segments) => format!("train to the end of {segments} segments again, and compare"),
            Self::Prove(index) => format!("prove segment {index}"),
            Self::Deliver(batch) => format!("encrypt the weights of batch {batch}"),
            Self::Open(batch) => format!("get and open the weights of batch {batch}"),
            Self::Judge(batch) => format!("get and open the weights of batch {batch}, as was asked"),
            Self::Doubt(segment) => format!("ask what opens the claim of segment {segment}"),
            Self::Answer { batch, yes } => {
                format!("say {} of batch {batch}", if *yes { "yes" } else { "no" })
            }
            Self::Hear => "ask the other parties for words of the committee".into(),
        }
    }
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A transaction.
    Send {
        /// The call.
        call: Call,
        /// From when it can be made, if that is known.
        from: Option<When>,
        /// Until when.
        until: Option<When>,
    },
    /// Work.
    Do(Task),
    /// It is the turn of another offer: the job goes on under the id of that one.
    Turn(usize),
}

/// All that this node is to do about a job now.
pub fn decide(view: &View, facts: &Facts) -> Vec<Action> {
    let mut duties = duties(&view.job);
    duties.retain(|duty| duty.is_open(view.job.now));
    // A proof that is late costs more than anything else that is late: its work is the first that is begun.
    duties.sort_by_key(|duty| !duty.calls.contains(&"prove"));
    let mut actions: Vec<Action> =
        duties.iter().flat_map(|duty| duty.calls.iter().flat_map(|name| planned(name, duty, view, facts))).collect();
    match facts.role {
        Role::Provider => match &facts.member {
            Some(member) => actions.extend(member::work(view, facts, member)),
            None => {
                actions.extend(provider::take(view, facts));
                actions.extend(provider::again(view, facts));
                actions.extend(provider::filling(view, facts));
            }
        },
        Role::Requester => {
            actions.extend(requester::post(view, facts));
            actions.extend(requester::offer(view, facts));
            actions.extend(requester::hand_over(view, facts));
            actions.extend(requester::collect(view, facts));
        }
        // It answers, and waits for what it is paid.
        Role::DataOwner => (),
        Role::Validator => actions.extend(validator::work(view, facts)),
    }
    actions.extend(contradiction::shown(view, facts));
    actions.extend(contradiction::heard(view, facts));
    actions.extend(reclaimed(view));
    let mut once = Vec::new();
    for action in actions {
        if !once.contains(&action) {
            once.push(action);
        }
    }
    once
}

/// Whether a job has ended, and this account has all that it gets.
pub fn is_over(view: &View) -> bool {
    view.has_ended() && view.owed.is_zero() && view.owed_bonds.is_zero()
}

/// Whether a job comes to nothing for whoever owns its data: it is forgotten at once, because anyone who gets a licence can post many.
pub fn is_void(view: &View, facts: &Facts) -> bool {
    facts.role == Role::DataOwner && data_owner::is_void(view)
        || facts.member.as_ref().is_some_and(|member| member::is_void(view, member))
}

/// Takes what is owed to this account: what anybody pays out comes to whom it is owed.
fn withdraw(view: &View) -> Vec<Step> {
    let of_market = (!view.owed.is_zero()).then_some(Step::Call(Call::Withdraw));
    let of_vault = (!view.owed_bonds.is_zero()).then_some(Step::Call(Call::WithdrawBonds));
    of_market.into_iter().chain(of_vault).collect()
}

/// Frees bonds of this account that stand for nothing any more: no time runs for it, and nobody else has a reason.
fn reclaimed(view: &View) -> Vec<Action> {
    let challenges = view.void_challenges.iter().copied().map(Call::Reclaim);
    let calls = challenges.chain(view.void_complaints.iter().copied().map(Call::ReclaimComplaint));
    calls.map(|call| Action::Send { call, from: None, until: None }).collect()
}

/// Whether nobody took a job that was offered, and nobody can any more; or nobody posts it, because a member of the committee refuses.
pub fn is_declined(view: &View, facts: &Facts) -> bool {
    let over =
        |offers: &Offers| offers.are_over(view.job.now.time) || facts.cancels && !offers.are_out(view.job.now.time);
    let refused = facts.committee.as_ref().is_some_and(|committee| committee.refusal().is_some())
        && facts.offers.as_ref().is_none_or(|offers| !offers.are_out(view.job.now.time));
    let offered = facts.offers.as_ref().is_some_and(over);
    view.job.state() == Some(State::None) && view.taken.is_none() && (offered || refused)
}

/// The first segment whose claim is not what a validator's or a member's node trained to, if it is so of one that is not settled.
pub fn differs(view: &View, facts: &Facts) -> Option<u64> {
    match facts.role {
        Role::Validator => validator::differs(view, facts),
        Role::Provider if facts.member.is_some() => member::differs(view, facts),
        _ => None,
    }
}

pub use team::{open_of, own_seat};

/// The roots that the delivery of a batch may have.
pub(crate) use validator::named;

/// What this node does about a call that the table of deadlines allows.
pub fn planned(name: &str, duty: &Duty, view: &View, facts: &Facts) -> Vec<Action> {
    let steps = match facts.role {
        Role::Provider if facts.member.is_some() => member::steps(name, duty, view, facts),
        Role::Provider => provider::steps(name, duty, view, facts),
        Role::Requester => requester::steps(name, duty, view, facts),
        Role::DataOwner => data_owner::steps(name, view),
        Role::Validator => validator::steps(name, duty, view, facts),
    };
    let timed = |step| match step {
        Step::Call(call) => Action::Send { call, from: duty.from, until: duty.until },
        Step::Task(task) => Action::Do(task),
    };
    steps.into_iter().map(timed).collect()
}

/// A call or a task, before it has its time.
enum Step {
    Call(Call),
    Task(Task),
}

/// The segment after a batch of the job.
pub fn end_of(job: &JobSnapshot, batch: u64) -> u64 {
    batch.saturating_add(1).saturating_mul(every(job)).min(u64::from(job.job.total))
}

/// Segments of a batch, but for the last one.
fn every(job: &JobSnapshot) -> u64 {
    u64::from(job.terms.batches.deliverEvery).max(1)
}

/// How many batches the job has: those from this number on are void.
pub fn batches_of(job: &JobSnapshot) -> u64 {
    u64::from(job.job.total).div_ceil(every(job))
}

/// How many of the job's batches are closed: those before this number.
pub fn batches_closed(job: &JobSnapshot) -> u64 {
    u64::from(job.job.closed).div_ceil(every(job))
}

/// Whether a requester has the weights of each batch that was closed.
pub fn has_all_weights(view: &View, facts: &Facts) -> bool {
    requester::has_all_weights(view, facts)
}

/// Whether all segments of the job's batches are proven.
fn proves_all(view: &View) -> bool {
    view.job.terms.batches.draws == view.job.terms.batches.deliverEvery
}

/// A batch of the view, if it is closed and not settled.
fn batch_of(view: &View, number: u64) -> Option<&gradproof_chain::market::TrainingMarket::BatchView> {
    view.job.batches.iter().find(|(other, _)| *other == number).map(|(_, batch)| batch)
}
