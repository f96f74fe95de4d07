//! What a seed decides of a simulation: who takes part, with which nature, and what goes wrong how often.

use crate::chance::Chance;

/// Blocks after which nothing is undone.
pub const CONFIRMATIONS: u64 = 3;
/// Providers that may take part.
pub const PROVIDERS: u64 = 3;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// What an endpoint lies about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// The time of blocks.
    Time,
    /// What contracts answer.
    Views,
    /// How many transactions an account has sent, and which of them are in a block.
    Nonce,
    /// What a transaction costs.
    Gas,
    /// Events: it says that there were none.
    Logs,
}

/// What a party is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Does what its node does, and is never away for long.
    Honest,
    /// Is gone for good, so many seconds after the beginning.
    Gone(u64),
    /// A requester that hands nothing over.
    Withholds,
    /// A provider that hands over other weights than it claimed, after this batch.
    Wrong(u64),
    /// A provider that takes so many times as long.
    Slow(u64),
    /// A provider that closes a batch again with other weights when a block with a close is undone.
    TwoFaced,
}

/// What a seed decides.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Time of the beginning, in seconds since 1970.
    pub begin: u64,
    /// When nothing goes wrong any more but what is somebody's nature.
    pub calm_at: u64,
    /// The requester, then providers.
    pub natures: Vec<Nature>,
    /// Endpoints of each party, with what they lie about.
    pub endpoints: Vec<Vec<Option<Lie>>>,
    /// Whether who lies stops when all is calm: where only two endpoints are asked.
    pub lies_end: bool,
    /// Segments of the job, of a batch, and of that drawn.
    pub segments: u32,
    pub every: u8,
    pub draws: u8,
    /// Seconds between two blocks.
    pub interval: u64,
    /// The deepest reorganisation.
    pub deepest: u64,
    /// The most blocks that an endpoint lacks.
    pub lag: u64,
    // All below in a thousand.
    /// Questions during which the chain goes on.
    pub turbulence: u64,
    /// Blocks that are other ones in the place of those before, instead.
    pub reorganises: u64,
    /// Questions without an answer.
    pub drops: u64,
    /// Transactions that are in the next block.
    pub takes: u64,
    /// Those that are forgotten before a block.
    pub forgets: u64,
    /// Those that are taken, and said to be not.
    pub denies: u64,
    /// Those of a block that is undone which wait again.
    pub returns: u64,
    /// Endpoints that lag more or less from a block on.
    pub moves: u64,
    /// Endpoints that do not hear of a block until the next one.
    pub stays: u64,
    /// Looks in which a process dies.
    pub deaths: u64,
    /// Of these, stores that are lost.
    pub losses: u64,
    /// Messages between peers that are lost.
    pub lost_messages: u64,
}

impl Plan {
    /// The plan of a seed.
    pub fn of(begin: u64, chance: &mut Chance) -> Self {
        let rough = chance.permille(800);
        let some = |chance: &mut Chance, most: u64| if rough { chance.within(0, most) } else { 0 };
        let mut natures = vec![Nature::Honest; 1 + chance.within(1, PROVIDERS) as usize];
        // Of all parties at most one is another than its node.
        if chance.permille(400) {
            let late = chance.within(0, 4 * HOUR);
            if chance.permille(300) {
                natures[0] = chance.one_of(&[Nature::Withholds, Nature::Gone(late)]);
            } else {
                let who = chance.within(1, natures.len() as u64 - 1) as usize;
                let slow = chance.one_of(&[20, 400]);
                let batch = chance.within(0, 1);
                natures[who] = chance.one_of(&[
                    Nature::Gone(late),
                    Nature::Wrong(batch),
                    Nature::Slow(slow),
                    Nature::TwoFaced,
                    Nature::TwoFaced,
                ]);
            }
        }
        let lies = [Lie::Time, Lie::Views, Lie::Nonce, Lie::Gas, Lie::Logs];
        let mut two = false;
        let endpoints = natures.iter().map(|_| {
            let mut of_party = vec![None; chance.within(2, 3) as usize];
            if rough && chance.permille(300) {
                let liar = chance.within(0, of_party.len() as u64 - 1) as usize;
                of_party[liar] = Some(chance.one_of(&lies));
                two |= of_party.len() == 2;
            }
            of_party
        });
        let endpoints = endpoints.collect();
        let every = chance.within(2, 3) as u8;
        let segments = chance.within(u64::from(every), 2 * u64::from(every)) as u32;
        let draws = if chance.permille(300) { 1 } else { every };
        Self {
            begin,
            calm_at: begin + chance.within(1, 4) * HOUR,
            natures,
            endpoints,
            lies_end: two,
            segments,
            every,
            draws,
            interval: chance.one_of(&[15, 30, MINUTE, 2 * MINUTE]),
            deepest: chance.within(1, CONFIRMATIONS),
            lag: some(chance, 3),
            turbulence: some(chance, 8),
            reorganises: some(chance, 500),
            drops: some(chance, 60),
            takes: 1000 - some(chance, 500),
            forgets: some(chance, 100),
            denies: some(chance, 300),
            returns: 1000 - some(chance, 400),
            moves: some(chance, 100),
            stays: some(chance, 200),
            deaths: some(chance, 30),
            losses: 250,
            lost_messages: some(chance, 400),
        }
    }
}
