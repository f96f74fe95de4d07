//! Jobs as the chain has them, made up, and what a node does about them, in words.

use alloy::primitives::Uint;
use alloy::sol_types::SolType;
use gradproof_chain::market::{BatchState, JobSnapshot, State, TrainingMarket, terms};
use gradproof_chain::{Address, B256, Moment, SolValue, U256};
use gradproof_node::decide::{Action, View, decide};
use gradproof_node::facts::{Facts, Role, Secrets};

pub const LEAD: Address = Address::repeat_byte(0x1e);
pub const REQUESTER: Address = Address::repeat_byte(0x2e);
/// A member of the committee.
pub const VALIDATOR: Address = Address::repeat_byte(0x3e);
/// Where a delivery is.
pub const ROOT: B256 = B256::repeat_byte(0x40);
/// The claim at the end of a batch.
pub const LAST: B256 = B256::repeat_byte(0x1a);
/// When everything is, in seconds.
pub const NOW: u64 = 1_000_000;
/// At which block.
pub const BLOCK: u64 = 5000;
/// Segments of a batch.
pub const EVERY: u8 = 3;
/// Segments of the job.
pub const SEGMENTS: u16 = 6;
/// Words of a job, and of a batch with its complaint, in the market's ABI.
const WORDS: usize = 64;

/// A value of the market all of whose fields are zero.
fn zero<T: SolValue + From<<T::SolType as SolType>::RustType>>() -> T {
    T::abi_decode(&[0; 32 * WORDS]).expect("zeros are a value")
}

/// A view of a job of two batches in a state, in which nothing has happened; all of a batch is proven.
pub fn job(me: Address, state: State) -> View {
    let training = TrainingMarket::Training {
        verifier: Address::ZERO,
        verifierCode: B256::ZERO,
        halo2: Address::ZERO,
        halo2Code: B256::ZERO,
        graph: B256::ZERO,
        subject: B256::ZERO,
        order: B256::ZERO,
        chained: true,
        dataRoot: B256::ZERO,
        rows: 1,
        segments: SEGMENTS.into(),
        first: B256::ZERO,
        rates: vec![1],
        dataset: B256::ZERO,
        royaltyBps: 0,
    };
    let mut held: TrainingMarket::Job = zero();
    held.state = state as u8;
    held.total = SEGMENTS;
    held.requester = REQUESTER;
    if matches!(state, State::Assigned | State::Running) {
        held.owner = LEAD;
    }
    if matches!(state, State::Open | State::Assigned) {
        held.deadline = uint(NOW + 100);
    }
    if state == State::Running {
        held.progressAt = uint(NOW);
    }
    let now = Moment { time: NOW, block: BLOCK };
    let job = JobSnapshot {
        terms: terms(training, 100, EVERY),
        job: held,
        batches: vec![],
        challenges: vec![],
        closable_after: NOW + 1000,
        now,
    };
    View::new(B256::repeat_byte(0x10), me, job, U256::ZERO)
}

/// A number of the width of a field.
pub fn uint<const BITS: usize, const LIMBS: usize>(number: u64) -> Uint<BITS, LIMBS> {
    Uint::from(number)
}

/// The same where one segment of a batch is drawn.
pub fn drawn(me: Address, state: State) -> View {
    let mut view = job(me, state);
    view.job.terms.batches.draws = 1;
    view.job.terms.batches.tip = secrets().tip().expect("it has batches");
    view
}

/// The secrets of a job with draws.
pub fn secrets() -> Secrets {
    Secrets { last: B256::repeat_byte(0x5e), batches: 2 }
}

/// A running job whose first batch is closed, and stands like this; `due` and `drawn` are of its segments.
pub fn closed(mut view: View, state: BatchState, drawn: u64, due: u64) -> View {
    let mut batch: TrainingMarket::BatchView = zero();
    batch.state = state as u8;
    batch.end = U256::from(EVERY);
    batch.due = due;
    batch.last = LAST;
    batch.record.root = ROOT;
    batch.record.known = state != BatchState::Drawing;
    batch.record.drawn = drawn;
    batch.record.closedAt = uint(NOW);
    batch.record.drawBlock = uint(BLOCK);
    batch.record.until = uint(NOW + 2000);
    batch.record.windowUntil = uint(NOW + 3000);
    batch.paidAfter = U256::from(NOW + 10_000);
    view.job.job.claimed = EVERY.into();
    view.job.job.closed = EVERY.into();
    view.job.batches = vec![(0, batch)];
    view
}

/// The only batch of a view.
pub fn batch(view: &mut View) -> &mut TrainingMarket::BatchView {
    &mut view.job.batches.first_mut().expect("a batch is closed").1
}

/// A provider's facts, which has trained the whole job twice.
pub fn provider() -> Facts {
    Facts { accept: Some(100), parcel: true, ends: ends(), agreed: SEGMENTS.into(), ..Facts::new(Role::Provider) }
}

/// A requester's facts.
pub fn requester() -> Facts {
    Facts { posts: true, wrapped_for: Some(LEAD), ..Facts::new(Role::Requester) }
}

/// Digests at the ends of all segments.
pub fn ends() -> Vec<B256> {
    (1..=SEGMENTS as u8).map(B256::repeat_byte).collect()
}

/// What a node does, in words: of calls what they are about, of work what it is.
pub fn done(view: &View, facts: &Facts) -> Vec<String> {
    let word = |action: Action| match action {
        Action::Send { call, .. } => format!("send: {}", call.about()),
        Action::Do(task) => format!("do: {}", task.in_words()),
        Action::Turn(place) => format!("turn: {place}"),
    };
    decide(view, facts).into_iter().map(word).collect()
}
